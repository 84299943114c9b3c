package org

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Principal is who holds something: a person or a role.
type Principal struct {
	Kind string // role.User or role.Sub
	ID   string
}

// Admin is an administrator of an organization.
type Admin struct {
	Org     string `db:"org"`
	Kind    string `db:"kind"`
	ID      string `db:"principal"`
	Name    string `db:"name"`    // login name or role name
	Display string `db:"display"` // of a person
	Since   int64  `db:"since"`
	Until   int64  `db:"until"` // 0: without end
	Reason  string `db:"reason"`
	Granter string `db:"granter"` // login name of who appointed them; empty when nobody is known
}

// Appointee is who is to administer an organization, and for how long.
type Appointee struct {
	Principal
	role.Term
}

// Held is what a principal holds over an organization itself, not by one above it.
type Held struct {
	Principal
	role.Term
	Name    string // login name or role name
	Granter string // login name of who gave it; empty when nobody is known
	Rights  []right.Right
}

// admins gives administrators by organization, people by name first.
func (o *Orgs) admins(ctx context.Context, c *call.Call, where dbx.Clause) (map[string][]Admin, error) {
	rows, err := adminRows.Rows(ctx, c.Tx, where, []dbx.Order{{Column: "org"}, {Column: "kind", Desc: true}, {Column: "principal"}}, maxGrants, c.Tenant.ID, c.Now.UnixMilli())
	if err != nil {
		return nil, err
	}
	out := map[string][]Admin{}
	slices.SortStableFunc(rows, func(a, b Admin) int { return named(a.Kind, a.Name, b.Kind, b.Name) })
	for _, a := range rows {
		out[a.Org] = append(out[a.Org], a)
	}
	return out, nil
}

// Administrators lists who administers an organization itself, not by one above it; people first.
func (o *Orgs) Administrators(ctx context.Context, c *call.Call, id string) ([]Admin, error) {
	m, err := o.admins(ctx, c, dbx.Eq("org", id))
	return m[id], err
}

// Permissions lists what is held over an organization itself, its administrators' rights among it; people first.
func (o *Orgs) Permissions(ctx context.Context, c *call.Call, id string) ([]Held, error) {
	rows, err := rightRows.All(ctx, c.Tx, c.Tenant.ID, id, c.Now.UnixMilli())
	var out []Held
	for _, r := range rows {
		known := right.Parse(r.Path)
		h := Held{Principal{r.Kind, r.Principal}, role.Term{Since: moment(r.Since), Until: moment(r.Until), Reason: r.Reason}, r.Name, r.Granter, nil}
		if n := len(out); n > 0 && out[n-1].Principal == h.Principal && out[n-1].Term == h.Term && out[n-1].Granter == h.Granter {
			out[n-1].Rights = append(out[n-1].Rights, known)
			continue
		}
		h.Rights = []right.Right{known}
		out = append(out, h)
	}
	slices.SortStableFunc(out, func(a, b Held) int { return named(a.Kind, a.Name, b.Kind, b.Name) })
	return out, err
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// named compares people and roles as lists show them: people first, each by name.
func named(kind, name, otherKind, otherName string) int {
	return cmp.Or(strings.Compare(otherKind, kind), strings.Compare(fold.Key(name), fold.Key(otherName)))
}

// Scopes is what is held over organizations, for role.Roles.
func (o *Orgs) Scopes(ctx context.Context, c *call.Call) (role.Scopes, error) {
	t, err := o.bare(ctx, c)
	if err != nil || len(t.above) == 0 {
		return role.Scopes{}, err
	}
	return role.Scopes{Tree: t.above, Held: t.held}, nil
}

// open finds an organization whose grants are about to change.
func (o *Orgs) open(ctx context.Context, c *call.Call, id string) error {
	if err := o.Roles.Touch(ctx, c); err != nil {
		return err
	}
	org, err := ByID(ctx, c, id)
	if err == nil {
		noted(c, org)
	}
	return err
}

// Appoint makes principals administrators of an organization and takes that from others. Who holds nothing over it yet is
// given the default rights; who holds some keeps exactly these. All that they hold over it is held for the term of the office,
// and with the office it goes. Faults: ErrNotFound, ErrMember, ErrTooMany, role.ErrNotHeld.
func (o *Orgs) Appoint(ctx context.Context, c *call.Call, id string, grant []Appointee, revoke []Principal) error {
	if err := o.open(ctx, c, id); err != nil {
		return err
	}
	before, err := o.state(ctx, c, id)
	if err != nil {
		return err
	}
	for _, p := range revoke {
		for _, e := range []dbx.Exec{dismiss, dropHeld} {
			if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, id, p.Kind, p.ID); err != nil {
				return err
			}
		}
	}
	for _, a := range grant {
		if err := o.appoint(ctx, c, id, a); err != nil {
			return err
		}
	}
	return o.after(ctx, c, id, before)
}

func (o *Orgs) appoint(ctx context.Context, c *call.Call, id string, a Appointee) error {
	if err := o.exists(ctx, c, a.Principal); err != nil {
		return err
	}
	since, until := a.Millis()
	if _, err := appoint.Do(ctx, c.Tx, c.Tenant.ID, id, a.Kind, a.ID, since, until, a.Reason, c.Now.UnixMilli(), c.User()); err != nil {
		return err
	}
	paths, err := heldBy.All(ctx, c.Tx, c.Tenant.ID, id, a.Kind, a.ID, c.Now.UnixMilli())
	if err != nil {
		return err
	}
	var rights []right.Right
	for _, p := range paths {
		rights = append(rights, right.Parse(p))
	}
	if len(rights) == 0 {
		rights = defaults
	}
	return o.give(ctx, c, id, a, rights)
}

// give gives rights for a term, which must not be longer than the caller's own.
func (o *Orgs) give(ctx context.Context, c *call.Call, id string, to Appointee, rs []right.Right) error {
	if err := to.Check(c.Now); err != nil {
		return err
	}
	if err := o.Roles.MayGive(ctx, c, id, to.Until, rs...); err != nil {
		return err
	}
	since, until := to.Millis()
	for _, r := range rs {
		_, err := giveRight.Do(ctx, c.Tx, c.Tenant.ID, id, to.Kind, to.ID, r.Info().Path, since, until, to.Reason, c.Now.UnixMilli(), c.User())
		if err != nil {
			return err
		}
	}
	if c.Event != nil && to.Reason != "" {
		c.Event.Set("Reason", to.Reason)
	}
	return nil
}

// Principal finds a person by UUID or login name, or a role by id or name; no kind means a person. ErrMember when there is
// none.
func (o *Orgs) Principal(ctx context.Context, c *call.Call, kind, ref string) (Principal, error) {
	switch {
	case kind == "" || strings.EqualFold(kind, role.User):
		u, err := o.People.ByIDOrName(ctx, c, ref)
		return Principal{role.User, u.ID}, missing(err)
	case strings.EqualFold(kind, role.Sub):
		r, err := o.Roles.Get(ctx, c, strings.TrimSpace(ref))
		return Principal{role.Sub, r.ID}, missing(err)
	}
	return Principal{}, ErrMember // groups come from other directories
}

// exists wants a principal to be there. What everybody is in is no principal: its rights would be everybody's.
func (o *Orgs) exists(ctx context.Context, c *call.Call, p Principal) error {
	var err error
	switch p.Kind {
	case role.User:
		_, err = o.People.ByID(ctx, c, p.ID)
	case role.Sub:
		var r role.Role
		if r, err = o.Roles.Get(ctx, c, p.ID); err == nil && (r.ID != p.ID || r.Kind == role.Open) {
			err = ErrMember
		}
	default:
		err = ErrMember
	}
	if errors.Is(err, user.ErrNotFound) || errors.Is(err, role.ErrNotFound) {
		return ErrMember
	}
	return err
}

// Permit gives rights over an organization and takes others; one held already gets the new term. Faults: ErrNotFound,
// ErrMember, ErrRight, ErrTooMany, role.ErrNotHeld.
func (o *Orgs) Permit(ctx context.Context, c *call.Call, id string, grant, revoke []Held) error {
	if err := o.open(ctx, c, id); err != nil {
		return err
	}
	before, err := o.state(ctx, c, id)
	if err != nil {
		return err
	}
	for _, h := range revoke {
		for _, r := range h.Rights {
			if _, err := takeRight.Do(ctx, c.Tx, c.Tenant.ID, id, h.Kind, h.ID, r.Info().Path); err != nil {
				return err
			}
		}
	}
	for _, h := range grant {
		if err := o.exists(ctx, c, h.Principal); err != nil {
			return err
		}
		for _, r := range h.Rights {
			if !slices.Contains(Rights, r) {
				return ErrRight
			}
		}
		if err := o.give(ctx, c, id, Appointee{h.Principal, h.Term}, h.Rights); err != nil {
			return err
		}
	}
	return o.after(ctx, c, id, before)
}

// state is who administers an organization and who holds what over it, as events tell it.
type state struct{ admins, rights string }

func (o *Orgs) state(ctx context.Context, c *call.Call, id string) (state, error) {
	admins, err := o.Administrators(ctx, c, id)
	if err != nil {
		return state{}, err
	}
	held, err := o.Permissions(ctx, c, id)
	if err != nil {
		return state{}, err
	}
	var a, h []string
	for _, x := range admins {
		a = append(a, x.Kind+" "+x.Name+role.Term{Since: moment(x.Since), Until: moment(x.Until)}.String())
	}
	for _, x := range held {
		for _, r := range x.Rights {
			h = append(h, x.Kind+" "+x.Name+": "+r.String()+x.Term.String())
		}
	}
	slices.Sort(a)
	slices.Sort(h)
	return state{strings.Join(a, ", "), strings.Join(h, ", ")}, nil
}

// after notes what changed, and bounds what a tenant keeps in memory.
func (o *Orgs) after(ctx context.Context, c *call.Call, id string, before state) error {
	if err := o.grew(ctx, c); err != nil {
		return err
	}
	n, err := countRights.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return err
	}
	if n > maxGrants {
		return ErrTooMany.Say("A tenant may have %d rights over organizations.", maxGrants)
	}
	now, err := o.state(ctx, c, id)
	if err == nil && c.Event != nil {
		call.Changed(c.Event, "Administrators", before.admins, now.admins)
		call.Changed(c.Event, "Permissions", before.rights, now.rights)
	}
	return err
}

// PersonGone forgets what a person held who is being deleted.
func (o *Orgs) PersonGone(ctx context.Context, c *call.Call, userID string) error {
	if err := o.PersonMoved(ctx, c, userID); err != nil {
		return err
	}
	return o.gone(ctx, c, Principal{role.User, userID})
}

// RoleGone forgets what a role held that is being deleted.
func (o *Orgs) RoleGone(ctx context.Context, c *call.Call, roleID string) error {
	return o.gone(ctx, c, Principal{role.Sub, roleID})
}

func (o *Orgs) gone(ctx context.Context, c *call.Call, p Principal) error {
	held := int64(0)
	for _, e := range []dbx.Exec{goneAdmin, goneRight} {
		n, err := e.Do(ctx, c.Tx, c.Tenant.ID, p.Kind, p.ID)
		if err != nil {
			return err
		}
		held += n
	}
	if held == 0 {
		return nil
	}
	return o.grew(ctx, c)
}

// keeps is how long what has ended stays in the store.
const keeps = 24 * time.Hour

// Sweep forgets what was held over organizations and ended more than a day ago. Nobody has anything from it.
func (o *Orgs) Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	before := now.Add(-keeps).UnixMilli()
	return errors.Join(sweepRights.Run(ctx, db, before), sweepAdmins.Run(ctx, db, before))
}
