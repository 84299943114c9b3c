package safe

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/number"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Limits.
const (
	maxSafes       = 20_000 // of a tenant
	maxName        = 28     // characters, as in Vaults
	maxDescription = 100
	maxText        = 255
	maxRetention   = 3650 // days
)

var (
	count  = dbx.Q[int64]("safe.count", `SELECT count(*) FROM safe WHERE tenant = ?`)
	insert = dbx.E("safe.insert", `INSERT INTO safe (tenant, id, name, name_key, display, display_key, description, org, owner, manager, retention, retained,
		created, changed, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 1) ON CONFLICT (tenant, name_key) DO NOTHING`)
	update = dbx.E("safe.update", `UPDATE safe SET name = ?, name_key = ?, display = ?, display_key = ?, description = ?, owner = ?, manager = ?,
		retention = ?, changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	remove  = dbx.E("safe.delete", `DELETE FROM safe WHERE tenant = ? AND id = ?`)
	disown  = dbx.E("safe.disown", `UPDATE safe SET owner = '', changed = ?, version = version + 1 WHERE tenant = ? AND owner = ?`)
	orgLeft = dbx.E("safe.org_left", `UPDATE safe SET org = '', changed = ?, version = version + 1 WHERE tenant = ? AND org = ?`)
)

// Settings are what is said of a safe.
type Settings struct {
	Name        string
	Display     string
	Description string
	Owner       string // UUID or login name; empty: of a new safe the caller, else who it is
	Manager     string
	Retention   int64 // days
}

func (n *Settings) check() error {
	n.Name = strings.TrimRightFunc(n.Name, unicode.IsSpace)
	if n.Name == "" || n.Name[0] == ' ' || utf8.RuneCountInString(n.Name) > maxName || !plain(n.Name) || strings.ContainsAny(n.Name, `\/:*<>".|`) || fold.Key(n.Name) == "" {
		return ErrName.At("name")
	}
	for _, text := range []struct {
		name, value string
		most        int
	}{{"displayName", n.Display, maxText}, {"description", n.Description, maxDescription}, {"ManagingCPM", n.Manager, maxText}} {
		if utf8.RuneCountInString(text.value) > text.most || !plain(text.value) {
			return ErrText.At(text.name).Say("%s has up to %d characters, and no control characters.", text.name, text.most)
		}
	}
	if n.Retention < 0 || n.Retention > maxRetention {
		return ErrRetention.At("NumberOfDaysRetention")
	}
	return nil
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// Create makes a safe of an organization that the caller administers (empty: of none), whose owner has every right in it. Faults: those of
// Settings, ErrDenied, ErrNameTaken, ErrMany, ErrOwner.
func (s *Safes) Create(ctx context.Context, c *call.Call, org string, n Settings) (Safe, error) {
	if err := n.check(); err != nil {
		return Safe{}, err
	}
	if !administers(c, org) {
		return Safe{}, ErrDenied
	}
	if n.Owner == "" {
		n.Owner = c.User()
	}
	owner, err := s.person(ctx, c, n.Owner)
	if err != nil {
		return Safe{}, err
	}
	have, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err == nil && have >= maxSafes {
		err = ErrMany
	}
	if err != nil {
		return Safe{}, err
	}
	id, now := c.NewID(), c.Now.UnixMilli()
	done, err := insert.Do(ctx, c.Tx, c.Tenant.ID, id, n.Name, fold.Key(n.Name), n.Display, fold.Key(n.Display), n.Description, org, owner, n.Manager, n.Retention, now, now)
	if err == nil && done == 0 {
		err = ErrNameTaken.At("name")
	}
	if err != nil {
		return Safe{}, err
	}
	if err := put(ctx, c, id, entry{role.User, owner, int64(Full), 0}); err != nil {
		return Safe{}, err
	}
	return s.changed(ctx, c, Safe{}, id)
}

// person finds whom a safe can be given: somebody whom the caller administers, or the caller.
func (s *Safes) person(ctx context.Context, c *call.Call, ref string) (string, error) {
	ms, err := s.Roles.Principals(ctx, c, c.Grant.Or(grant.Rows(c.User())), role.User, ref)
	if errors.Is(err, role.ErrMember) {
		err = ErrOwner.At("owner")
	}
	if err != nil {
		return "", err
	}
	return ms[0].ID, nil
}

// changed reads a safe again and keeps in the event what changed.
func (s *Safes) changed(ctx context.Context, c *call.Call, was Safe, id string) (Safe, error) {
	rows, err := safes.Rows(ctx, c.Tx, dbx.Eq("id", id), nil, 1, c.Tenant.ID)
	if err != nil || len(rows) == 0 {
		return Safe{}, errors.Join(err, ErrNotFound)
	}
	is := rows[0]
	if e := c.Event; e != nil {
		noted(c, is)
		call.Changed(e, "Name", was.Name, is.Name)
		call.Changed(e, "DisplayName", was.Display, is.Display)
		call.Changed(e, "Description", was.Description, is.Description)
		call.Changed(e, "Owner", was.OwnerName, is.OwnerName)
		call.Changed(e, "Manager", was.Manager, is.Manager)
		call.Changed(e, "Retention", was.Retention, is.Retention)
	}
	return is, nil
}

// Change changes a safe to what is said of it. It takes ManageSafe; only its owner and administrators give it another owner, who then has every
// right in it, and the one before none by having owned it. fresh refuses a version that is not the one wanted; nil: any is. Faults: ErrNotFound,
// ErrDenied, ErrNameTaken, ErrOwner, those of Settings.
func (s *Safes) Change(ctx context.Context, c *call.Call, name string, n Settings, fresh func(Safe) error) (Safe, error) {
	v, err := s.need(ctx, c, name, ManageSafe)
	if err != nil {
		return Safe{}, err
	}
	if err := errors.Join(fresh(v.Safe), n.check()); err != nil {
		return Safe{}, err
	}
	owner := v.Owner
	if n.Owner != "" && n.Owner != v.Owner && fold.Key(n.Owner) != fold.Key(v.OwnerName) {
		if owner, err = s.hand(ctx, c, v, n.Owner); err != nil {
			return Safe{}, err
		}
	}
	_, err = update.Do(ctx, c.Tx, n.Name, fold.Key(n.Name), n.Display, fold.Key(n.Display), n.Description, owner, n.Manager, n.Retention, c.Now.UnixMilli(), c.Tenant.ID, v.ID)
	if errors.Is(err, dbx.ErrExists) {
		err = ErrNameTaken.At("name")
	}
	if err != nil {
		return Safe{}, err
	}
	return s.changed(ctx, c, v.Safe, v.ID)
}

// hand makes somebody else's entry the owner's.
func (s *Safes) hand(ctx context.Context, c *call.Call, v View, to string) (string, error) {
	terms, err := s.Roles.Terms(ctx, c)
	if err != nil {
		return "", err
	}
	if leading(c, terms, v.Safe) < role.Endless { // ownership has no end
		return "", ErrDenied
	}
	id, err := s.person(ctx, c, to)
	if err != nil || id == v.Owner {
		return id, err
	}
	if v.Owner != "" {
		if _, err := leave.Do(ctx, c.Tx, c.Tenant.ID, v.ID, role.User, v.Owner); err != nil {
			return "", err
		}
	}
	return id, put(ctx, c, v.ID, entry{role.User, id, int64(Full), 0})
}

// leading is until when the caller owns or administers a safe, in milliseconds; 0: they do not.
func leading(c *call.Call, t role.Terms, s Safe) (until int64) {
	if s.Owner != "" && s.Owner == c.User() {
		return role.Endless
	}
	if administers(c, s.Org) {
		until = max(t.System(), t.Right(right.VaultManagement, s.Org))
	}
	return until
}

// Delete removes a safe with its members, when it has no accounts; fresh as with Change. It takes ManageSafe. Faults: ErrNotFound, ErrDenied,
// ErrHolds, ErrRetained.
func (s *Safes) Delete(ctx context.Context, c *call.Call, name string, fresh func(Safe) error) error {
	v, err := s.need(ctx, c, name, ManageSafe)
	if err == nil {
		err = fresh(v.Safe)
	}
	if err != nil {
		return err
	}
	n, err := holds.One(ctx, c.Tx, c.Tenant.ID, v.ID)
	switch {
	case err != nil:
		return err
	case n > 0:
		return ErrHolds
	case v.Retained > c.Now.UnixMilli():
		return ErrRetained
	}
	if e := c.Event; e != nil {
		call.Changed(e, "Name", v.Name, "")
	}
	for _, forget := range s.Deleted {
		if err := forget(ctx, c, v.ID); err != nil {
			return err
		}
	}
	for _, e := range []dbx.Exec{dropSafe, remove} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, v.ID); err != nil {
			return err
		}
	}
	return number.Drop(ctx, c, number.Safe, v.ID)
}

// OrgGone makes the safes of an organization that is being deleted those of the tenant alone.
func OrgGone(ctx context.Context, c *call.Call, org string) error {
	_, err := orgLeft.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, org)
	return err
}

// Gone takes a person or a role who is being deleted out of all safes. What a person owned has no owner then: administrators reach it.
func Gone(ctx context.Context, c *call.Call, principal string) error {
	_, err := dropPrincipal.Do(ctx, c.Tx, c.Tenant.ID, principal)
	if err == nil {
		_, err = disown.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, principal)
	}
	return err
}
