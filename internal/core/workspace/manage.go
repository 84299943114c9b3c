package workspace

import (
	"context"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of changes to who is in a workspace.
var (
	ErrSelf  = fault.New(fault.Invalid, "workspace.self", "You cannot do this to yourself.")
	ErrRole  = fault.New(fault.Invalid, "workspace.role", "The workspace has no such role.")
	ErrRoles = fault.New(fault.Denied, "workspace.roles", "Giving and taking roles needs the permission to change roles, too.")
	ErrPast  = fault.New(fault.Invalid, "workspace.past", "The end of the access lies in the past.")
	ErrOpen  = fault.New(fault.Conflict, "workspace.invited", "The person has not accepted the invitation yet.")
	// ErrBelongs is for those who administer the workspace alone: an account of no organization would be out of their reach.
	ErrBelongs = fault.New(fault.Denied, "workspace.belongs", "The user belongs to the workspace's organization. Deactivate them, or have them moved to another organization.")
)

var (
	ensure = dbx.E("workspace.ensure", `INSERT INTO workspace_member (tenant, org, user_id, id, state, enabled, until, fresh, inviter, hash, expires, created)
		VALUES (?, ?, ?, ?, 'member', ?, 0, ?, '', ?, 0, ?) ON CONFLICT (tenant, org, user_id) DO NOTHING`)
	setEnabled = dbx.E("workspace.setEnabled", `UPDATE workspace_member SET enabled = ? WHERE tenant = ? AND org = ? AND user_id = ?`)
	setUntil   = dbx.E("workspace.setUntil", `UPDATE workspace_member SET until = ? WHERE tenant = ? AND org = ? AND user_id = ?`)
	dropMember = dbx.E("workspace.dropMember", `DELETE FROM workspace_member WHERE tenant = ? AND org = ? AND user_id = ?`)
	withhold   = dbx.E("workspace.withhold", `INSERT INTO workspace_withheld (tenant, org, user_id, role, giver) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, user_id, role) DO UPDATE SET giver = excluded.giver`)
	withheldOf   = dbx.Q[string]("workspace.withheldOf", `SELECT role FROM workspace_withheld WHERE tenant = ? AND org = ? AND user_id = ? ORDER BY role`)
	dropWithheld = dbx.E("workspace.dropWithheld", `DELETE FROM workspace_withheld WHERE tenant = ? AND org = ? AND user_id = ?`)
)

// known makes sure that there is a row that says something of a person in a workspace.
func known(ctx context.Context, c *call.Call, workspace, userID string) error {
	_, err := ensure.Do(ctx, c.Tx, c.Tenant.ID, workspace, userID, c.NewID(), true, false, []byte{}, c.Now.UnixMilli())
	return err
}

// changed says to all nodes that what a person may has changed.
func (w *Workspaces) changed(ctx context.Context, c *call.Call, userID string) error {
	return w.Changes.Put(ctx, c, "user", c.Tenant.ID+"/"+userID)
}

// joined finds somebody who is in a workspace and no longer invited.
func (w *Workspaces) joined(ctx context.Context, c *call.Call, workspace, userID string) (Person, error) {
	p, err := w.GetPerson(ctx, c, workspace, userID)
	if err == nil && p.State != Joined {
		err = ErrOpen
	}
	return p, err
}

// Deactivate keeps somebody out of a workspace: they cannot enter, their tokens for it end, and the roles of it that they hold are
// withheld. Faults: ErrMember, ErrOpen, ErrSelf, those of role.Roles.Remove.
func (w *Workspaces) Deactivate(ctx context.Context, c *call.Call, workspace, userID string) error {
	if userID == c.User() {
		return ErrSelf
	}
	p, err := w.joined(ctx, c, workspace, userID)
	if err != nil || !p.Enabled {
		return err
	}
	if err := known(ctx, c, workspace, userID); err != nil {
		return err
	}
	for _, r := range static(p.Roles) {
		if err := w.Roles.Remove(ctx, c, r.ID, role.Member{Kind: role.User, ID: userID}); err != nil {
			return err
		}
		if _, err := withhold.Do(ctx, c.Tx, c.Tenant.ID, workspace, userID, r.ID, c.User()); err != nil {
			return err
		}
	}
	if _, err := setEnabled.Do(ctx, c.Tx, false, c.Tenant.ID, workspace, userID); err != nil {
		return err
	}
	return w.changed(ctx, c, userID)
}

// static are the roles whose members are named, and not found by a script.
func static(all []role.Role) []role.Role {
	return slices.DeleteFunc(slices.Clone(all), func(r role.Role) bool { return r.Kind != role.Static })
}

// Activate lets somebody in again, who gets back the roles that were withheld, by the rights of the caller. Faults: ErrMember, ErrOpen,
// those of role.Roles.Add.
func (w *Workspaces) Activate(ctx context.Context, c *call.Call, workspace, userID string) error {
	p, err := w.joined(ctx, c, workspace, userID)
	if err != nil || p.Enabled {
		return err
	}
	if _, err := setEnabled.Do(ctx, c.Tx, true, c.Tenant.ID, workspace, userID); err != nil {
		return err
	}
	if err := w.giveBack(ctx, c, workspace, userID, p.Until); err != nil {
		return err
	}
	return w.changed(ctx, c, userID)
}

// giveBack gives what was withheld. Roles that are gone, or another organization's by now, are not given.
func (w *Workspaces) giveBack(ctx context.Context, c *call.Call, workspace, userID string, until int64) error {
	held, err := withheldOf.All(ctx, c.Tx, c.Tenant.ID, workspace, userID)
	if err != nil {
		return err
	}
	of, err := w.Orgs.RolesIn(ctx, c, workspace)
	if err != nil {
		return err
	}
	for _, r := range of {
		if slices.Contains(held, r.ID) && (until == 0 || until > c.Now.UnixMilli()) {
			if err := w.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: userID, Until: moment(until)}); err != nil {
				return err
			}
		}
	}
	_, err = dropWithheld.Do(ctx, c.Tx, c.Tenant.ID, workspace, userID)
	return err
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Limit sets until when somebody may enter a workspace, and has its roles; the zero time: without end. Both end by themselves. Faults:
// ErrMember, ErrSelf, ErrPast, those of role.Roles.Add.
func (w *Workspaces) Limit(ctx context.Context, c *call.Call, workspace, userID string, until time.Time) error {
	ms := int64(0)
	if !until.IsZero() {
		if ms = until.UnixMilli(); ms <= c.Now.UnixMilli() {
			return ErrPast.At("accessExpirationTime")
		}
	}
	if userID == c.User() {
		return ErrSelf
	}
	p, err := w.GetPerson(ctx, c, workspace, userID)
	if err != nil {
		return err
	}
	if err := known(ctx, c, workspace, userID); err != nil {
		return err
	}
	if _, err := setUntil.Do(ctx, c.Tx, ms, c.Tenant.ID, workspace, userID); err != nil {
		return err
	}
	for _, r := range static(p.Roles) {
		if err := w.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: userID, Until: until}); err != nil {
			return err
		}
	}
	if c.Event != nil {
		call.Changed(c.Event, "AccessExpirationTime", p.Until, ms)
	}
	return w.changed(ctx, c, userID)
}

// Remove takes somebody off a workspace, with its roles. Whoever belongs to the organization belongs to none afterwards, which is for
// those who administer everything. Faults: ErrMember, ErrSelf, ErrBelongs, those of role.Roles.Remove.
func (w *Workspaces) Remove(ctx context.Context, c *call.Call, workspace, userID string) error {
	if userID == c.User() {
		return ErrSelf
	}
	p, err := w.GetPerson(ctx, c, workspace, userID)
	if err != nil {
		return err
	}
	if p.Org == workspace && !c.Grant.Everything() {
		return ErrBelongs
	}
	for _, r := range static(p.Roles) {
		if err := w.Roles.Remove(ctx, c, r.ID, role.Member{Kind: role.User, ID: userID}); err != nil {
			return err
		}
	}
	if p.Org == workspace {
		who := []org.Principal{{Kind: role.User, ID: userID}}
		if err := w.Orgs.Join(ctx, c, workspace, nil, who, role.Term{}); err != nil {
			return err
		}
	}
	m, err := findOne.One(ctx, c.Tx, c.Tenant.ID, workspace, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return w.changed(ctx, c, userID)
	}
	if err != nil {
		return err
	}
	return w.forget(ctx, c, m)
}

// SetRoles makes somebody's roles of a workspace those given, by their ids. It needs the right to manage roles over the workspace, as
// everywhere. Who is invited has none yet: Reoffer says which they get. Faults: ErrOpen, ErrRoles, ErrRole, those of role.Roles.Add and
// Remove.
func (w *Workspaces) SetRoles(ctx context.Context, c *call.Call, workspace string, p Person, ids []string) error {
	if p.State != Joined {
		return ErrOpen
	}
	of, err := w.Orgs.RolesIn(ctx, c, workspace)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(of, func(r role.Role) bool { return r.ID == id }) {
			return ErrRole.At("roleIds")
		}
	}
	member := role.Member{Kind: role.User, ID: p.ID, Until: moment(p.Until)}
	for _, r := range of {
		has := slices.ContainsFunc(p.Roles, func(o role.Role) bool { return o.ID == r.ID })
		wants := slices.Contains(ids, r.ID)
		switch {
		case has == wants:
			continue
		case !c.Caller.Held.Over(right.RoleManagement, workspace):
			return ErrRoles
		case wants:
			err = w.Roles.Add(ctx, c, r.ID, member)
		default:
			err = w.Roles.Remove(ctx, c, r.ID, member)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
