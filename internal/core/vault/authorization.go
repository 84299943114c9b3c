package vault

import (
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// Authorization is something that a user may do, and the rights that stand for it.
type Authorization struct {
	Name   string
	rights []string // paths
}

// service is the path of a right that nothing here asks for but whoever gives the authorization on.
func service(name string) []string { return []string{"ServiceRight/Vault/" + name} }

func paths(rs ...right.Right) (out []string) {
	for _, r := range rs {
		out = append(out, r.Info().Path)
	}
	return out
}

// Authorizations are all that there are, in the order of answers.
var Authorizations = []Authorization{
	{"AddSafes", service("AddSafes")},
	{"AuditUsers", paths(right.ReadUsers, right.ReadRoles)},
	{"AddUpdateUsers", paths(right.UserManagement, right.RoleManagement)},
	{"ResetUsersPasswords", paths(right.PasswordReset)},
	{"ActivateUsers", paths(right.UserActivation)},
	{"AddNetworkAreas", service("AddNetworkAreas")},
	{"ManageDirectoryMapping", service("ManageDirectoryMapping")},
	{"ManageServerFileCategories", service("ManageServerFileCategories")},
	{"BackupAllSafes", service("BackupAllSafes")},
	{"RestoreAllSafes", service("RestoreAllSafes")},
}

// every are the names of all authorizations.
var every = func() (out []string) {
	for _, a := range Authorizations {
		out = append(out, a.Name)
	}
	return out
}()

type standing struct {
	Entitles string `db:"entitles"`
	Org      string `db:"org"`
	Role     string `db:"role"`
}

var (
	standings = dbx.Q[standing]("vault.roles", `SELECT entitles, org, role FROM vault_role WHERE tenant = ?`)
	stands    = dbx.Q[string]("vault.role", `SELECT role FROM vault_role WHERE tenant = ? AND entitles = ? AND org = ?`)
	stand     = dbx.E("vault.stand", `INSERT INTO vault_role (tenant, entitles, org, role) VALUES (?, ?, ?, ?)`)
	fall      = dbx.E("vault.fall", `DELETE FROM vault_role WHERE tenant = ? AND role = ?`)
)

// RoleGone forgets what a role that is being deleted stood for.
func RoleGone(ctx context.Context, c *call.Call, roleID string) error {
	_, err := fall.Do(ctx, c.Tx, c.Tenant.ID, roleID)
	return err
}

// entitled tells of which authorizations roles stand for, by their ids.
type entitled map[string]standing

func entitlements(ctx context.Context, c *call.Call) (entitled, error) {
	rows, err := standings.All(ctx, c.Tx, c.Tenant.ID)
	out := make(entitled, len(rows))
	for _, r := range rows {
		out[r.Role] = r
	}
	return out, err
}

// of gives the authorizations of somebody who is in roles, in the order of answers; all of a system administrator.
func (e entitled) of(roles []string) []string {
	if slices.Contains(roles, role.System) {
		return slices.Clone(every)
	}
	has := map[string]bool{}
	for _, id := range roles {
		has[e[id].Entitles] = true
	}
	out := []string{}
	for _, name := range every {
		if has[name] {
			out = append(out, name)
		}
	}
	return out
}

// has says whether the caller has an authorization over an organization.
func (e entitled) has(c *call.Call, name, org string) bool {
	if c.Caller.Held.System() {
		return true
	}
	return slices.ContainsFunc(c.Caller.Roles, func(id string) bool {
		s := e[id]
		return s.Entitles == name && (s.Org == "" || c.Caller.Held.Tree.Within(org, s.Org))
	})
}

// authorize makes the authorizations of somebody those wanted. Each is the membership in a role of the organization that the person
// is in, so that it reaches those there and below; who moves elsewhere gets them there. Those that come of other roles stay, and so do all of a
// system administrator. Faults: ErrNotGiven, and those of roles.
func (v *Vault) authorize(ctx context.Context, c *call.Call, u user.User, want []string) error {
	m, err := v.memberships(ctx, c, u.ID)
	if err != nil {
		return err
	}
	e, direct, there, was := m.stand, m.direct.Roles(u.ID, c.Now), map[string]bool{}, []string{}
	if h := m.held[u.ID]; h != nil {
		if slices.Contains(h.Roles, role.System) {
			return nil // who has all of them, for as long as they administer everything
		}
		for _, id := range h.Roles {
			s, stands := e[id]
			there[s.Entitles] = there[s.Entitles] || stands && !slices.Contains(direct, id) && h.Held.Tree.Within(u.Org, s.Org)
		}
	}
	for _, id := range direct {
		s, stands := e[id]
		switch {
		case !stands:
			continue
		case s.Org == u.Org && slices.Contains(want, s.Entitles):
			there[s.Entitles] = true
		default:
			if !e.has(c, s.Entitles, s.Org) {
				return ErrNotGiven.At("vaultAuthorization")
			}
			if err := apart(c, func() error { return v.Roles.Remove(ctx, c, id, role.Member{Kind: role.User, ID: u.ID}) }); err != nil {
				return err
			}
		}
		was = append(was, s.Entitles)
	}
	if c.Event != nil {
		slices.Sort(was)
		call.Changed(c.Event, "VaultAuthorization", joined(was), joined(slices.Sorted(slices.Values(want))))
	}
	for _, name := range want {
		if there[name] {
			continue
		}
		if !e.has(c, name, u.Org) {
			return ErrNotGiven.At("vaultAuthorization").Say("You cannot give the authorization %s, which you do not have.", name)
		}
		if err := v.give(ctx, c, u, name); err != nil {
			return err
		}
	}
	return nil
}

// give makes somebody a member of the role that stands for an authorization.
func (v *Vault) give(ctx context.Context, c *call.Call, u user.User, name string) error {
	ids, err := stands.All(ctx, c.Tx, c.Tenant.ID, name, u.Org)
	if err != nil {
		return err
	}
	if len(ids) == 0 { // looked again where one such change happens at a time
		if err := v.Roles.Touch(ctx, c); err != nil {
			return err
		}
		if ids, err = stands.All(ctx, c.Tx, c.Tenant.ID, name, u.Org); err != nil {
			return err
		}
	}
	if len(ids) == 0 {
		id, err := v.found(ctx, c, name, u.Org)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	return apart(c, func() error { return v.Roles.Add(ctx, c, ids[0], role.Member{Kind: role.User, ID: u.ID}) })
}

// apart changes who is in a role with an event of its own.
func apart(c *call.Call, change func() error) error {
	main := c.Event
	defer func() { c.Event = main }()
	c.Event = c.Record(audit.RoleMembers)
	return change()
}

// found makes the role that stands for an authorization in an organization. It has events of its own.
func (v *Vault) found(ctx context.Context, c *call.Call, name, at string) (string, error) {
	main := c.Event
	defer func() { c.Event = main }()
	c.Event = c.Record(audit.RoleCreate)
	title := "Vault " + name
	if at != "" {
		o, err := v.Orgs.Find(ctx, c, at)
		if err != nil {
			return "", err
		}
		title += " " + o.Path
	}
	for try := title; ; try += "_" { // somebody may have given a role of theirs that name
		made, err := v.Roles.Create(ctx, c, role.New{Name: try, Description: "Whoever is a member has the authorization " + name + " of the Vault's API.", Org: at})
		if errors.Is(err, role.ErrNameTaken) {
			continue
		}
		if err != nil {
			return "", err
		}
		c.Event = c.Record(audit.RoleRights)
		var gs []role.Given
		i := slices.IndexFunc(Authorizations, func(a Authorization) bool { return a.Name == name })
		for _, path := range Authorizations[i].rights {
			gs = append(gs, role.Given{Path: path})
		}
		if err := v.Roles.Assign(ctx, c, made.ID, gs...); err != nil {
			return "", err
		}
		_, err = stand.Do(ctx, c.Tx, c.Tenant.ID, name, at, made.ID)
		return made.ID, err
	}
}
