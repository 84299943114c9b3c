package roles

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
)

// NewRole is a role to be made.
type NewRole struct {
	// Name is required and unique in the tenant, whatever its case.
	Name string `json:"Name"`
	// Description is free text.
	Description string `json:"Description"`
	// RoleType is PrincipalList for a role with listed members, which is the default, or Script for one whose members a
	// script chooses.
	RoleType string `json:"RoleType"`
	// OrgPath is the organization the role belongs to, over which and below which its rights reach; none when absent.
	OrgPath string `json:"OrgPath"`
	Principals
	Window
}

// Check wants a name.
func (n *NewRole) Check() error {
	if err := required("Name", n.Name); err != nil {
		return err
	}
	return n.check()
}

// Made is a role that was made.
type Made struct {
	RowKey string `json:"_RowKey"` // the role's id
}

// StoreRole creates a role, with members when some are named, and answers its id.
//
// Members may be limited in time by From and Until. Who manages the roles of an organization only makes roles of that
// organization, of its members. Errors: role.name_taken (ErrorCode 1409), role.member_not_found, role.group_not_found,
// role.too_many beyond 10,000 roles. roles.yaml n 150, deprecated.yaml n 524.
func (r Roles) StoreRole(ctx context.Context, c *op.Call, in NewRole) (Made, error) {
	org, err := r.place(ctx, c, in.OrgPath)
	if err != nil {
		return Made{}, err
	}
	ms, err := r.members(ctx, c, in.Principals, in.Window)
	if err != nil {
		return Made{}, err
	}
	made, err := r.Roles.Create(ctx, c, role.New{Name: in.Name, Description: in.Description, Kind: kind(in.RoleType), Org: org})
	if err != nil {
		return Made{}, err
	}
	call.Changed(c.Event, "Name", "", made.Name)
	call.Changed(c.Event, "Description", "", made.Description)
	call.Changed(c.Event, "RoleType", "", made.Kind)
	call.Changed(c.Event, "OrgId", "", made.Org)
	if len(ms) > 0 {
		err = r.Roles.Add(ctx, c, made.ID, ms...)
	}
	return Made{made.ID}, err
}

// kind is the type of a role in its own spelling.
func kind(given string) string {
	given = strings.TrimSpace(given)
	for _, k := range []string{role.Static, role.Dynamic} {
		if strings.EqualFold(given, k) {
			return k
		}
	}
	return given
}

// Shift is what is added and what is taken away.
type Shift struct {
	// Add are UUIDs, ids or names.
	Add []string `json:"Add" rpc:"one"`
	// Delete are UUIDs, ids or names.
	Delete []string `json:"Delete" rpc:"one"`
}

// RoleChange is a partial change of a role: what is absent stays.
type RoleChange struct {
	// Name is the role's id, or its present name; required.
	Name string `json:"Name" also:"ID,Uuid"`
	// NewName renames the role.
	NewName op.Opt[string] `json:"NewName"`
	// Description is free text.
	Description op.Opt[string] `json:"Description"`
	// Users are people to add and to take out, by UUID or login name.
	Users Shift `json:"Users"`
	// Roles are roles to add and to take out, by id or name.
	Roles Shift `json:"Roles"`
	// Groups are groups of other directories.
	Groups Shift `json:"Groups"`
	Window
	named
}

// Check wants the role to be named.
func (n *RoleChange) Check() error {
	if err := required("Name", n.Name); err != nil {
		return err
	}
	added, gone := n.principals()
	all := Principals{Users: append(added.Users, gone.Users...), Roles: append(added.Roles, gone.Roles...), Groups: append(added.Groups, gone.Groups...)}
	return all.check()
}

func (n *RoleChange) principals() (added, gone Principals) {
	return Principals{Users: n.Users.Add, Roles: n.Roles.Add, Groups: n.Groups.Add},
		Principals{Users: n.Users.Delete, Roles: n.Roles.Delete, Groups: n.Groups.Delete}
}

// Resolve finds the role.
func (n *RoleChange) Resolve(ctx context.Context, c *op.Call) error {
	err := n.find(ctx, c, n.Name)
	if errors.Is(err, role.ErrNotFound) {
		return role.ErrNotFound.At("Name").Say("The role %q does not exist.", strings.TrimSpace(n.Name))
	}
	return err
}

// UpdateRole renames a role, changes its description, adds members and takes members out; what is absent stays.
//
// Members are added before others are taken out. From, Until and Reason go with those who are added. Adding a member who
// is there sets the new times; taking out one who is not there is no error. Errors: as AddUsersAndGroupsToRole, and
// role.name_taken, role.built_in when a built-in role is renamed. roles.yaml n 151, deprecated.yaml n 538.
func (r Roles) UpdateRole(ctx context.Context, c *op.Call, in RoleChange) (op.None, error) {
	is, err := r.within(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	if is.Kind == role.Open {
		return op.None{}, role.ErrEverybody
	}
	if in.NewName.Given() || in.Description.Given() {
		if err := r.Roles.Rename(ctx, c, is.ID, in.NewName.Or(is.Name), in.Description.Or(is.Description)); err != nil {
			return op.None{}, err
		}
	} else {
		c.Event.Type = audit.RoleMembers
	}
	added, gone := in.principals()
	if err := r.join(ctx, c, is, added, in.Window); err != nil {
		return op.None{}, err
	}
	return op.None{}, r.leave(ctx, c, is, gone)
}

// join puts what is named into a role.
func (r Roles) join(ctx context.Context, c *op.Call, to role.Role, p Principals, w Window) error {
	ms, err := r.members(ctx, c, p, w)
	if err != nil || len(ms) == 0 {
		return err
	}
	return r.Roles.Add(ctx, c, to.ID, ms...)
}

// leave takes what is named out of a role.
func (r Roles) leave(ctx context.Context, c *op.Call, from role.Role, p Principals) error {
	ms, err := r.members(ctx, c, p, Window{})
	if err != nil || len(ms) == 0 {
		return err
	}
	return r.Roles.Remove(ctx, c, from.ID, ms...)
}

// Membership names members of a role.
type Membership struct {
	// Name is the role's id, or its name; required.
	Name string `json:"Name" also:"ID,Uuid"`
	Principals
	Window
	named
}

// Check wants the role and somebody to be named.
func (m *Membership) Check() error {
	if err := required("Name", m.Name); err != nil {
		return err
	}
	if len(m.Users)+len(m.Roles)+len(m.Groups) == 0 {
		return fault.Missing("Users")
	}
	return m.check()
}

// Resolve finds the role.
func (m *Membership) Resolve(ctx context.Context, c *op.Call) error { return m.find(ctx, c, m.Name) }

// AddUsersAndGroupsToRole adds people and roles to a role; who is in it already gets the new times.
//
// From and Until limit the membership in time, and it ends by itself. The caller must hold every right that the role
// carries, now or later, by itself or through roles it is in, and for as long: nobody adds others, or themselves, to what
// they do not hold. Errors: role.not_found, role.member_not_found, role.group_not_found, role.everybody, role.system when
// somebody else than a system administrator adds one, role.right_not_held, role.cycle, role.dynamic, role.many beyond
// 1000 members. roles.yaml n 152.
func (r Roles) AddUsersAndGroupsToRole(ctx context.Context, c *op.Call, in Membership) (op.None, error) {
	is, err := r.within(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, r.join(ctx, c, is, in.Principals, in.Window)
}

// RemoveUsersAndGroupsFromRole takes people and roles out of a role; who is not in it is no error.
//
// The caller must hold the rights that the role carries. Errors: as AddUsersAndGroupsToRole, and role.last_system when no
// active system administrator would be left. roles.yaml n 166.
func (r Roles) RemoveUsersAndGroupsFromRole(ctx context.Context, c *op.Call, in Membership) (op.None, error) {
	is, err := r.within(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, r.leave(ctx, c, is, in.Principals)
}

// Ref names a role.
type Ref struct {
	// Name is the role's id, or its name; required.
	Name string `json:"Name" also:"ID,Uuid,Role"`
	named
}

// Check wants the role to be named.
func (n *Ref) Check() error { return required("Name", n.Name) }

// Resolve finds the role.
func (n *Ref) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.Name) }

// DeleteRole deletes a role with its memberships and rights. The caller must hold these rights.
//
// Errors: role.not_found, role.built_in, role.right_not_held, role.last_system. roles.yaml n 155.
func (r Roles) DeleteRole(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, r.remove(ctx, c, in.found.ID)
}

func (r Roles) remove(ctx context.Context, c *op.Call, ref string) error {
	is, err := r.within(ctx, c, ref)
	if err != nil {
		return err
	}
	return r.Roles.Delete(ctx, c, is.ID)
}

// Removal names roles to be deleted.
type Removal struct {
	// Roles are ids or names, at least one and at most 1000; a bare array is taken too.
	Roles []string `json:"Roles" rpc:"array,one"`
}

// Check wants some.
func (n *Removal) Check() error {
	switch {
	case len(n.Roles) == 0:
		return fault.Missing("Roles")
	case len(n.Roles) > maxEntries:
		return ErrMany.Say("At most %d roles can be deleted in one call.", maxEntries)
	}
	return nil
}

// DeleteRoles deletes several roles, each with an event: all of them, or none. Errors: as DeleteRole. roles.yaml n 156.
func (r Roles) DeleteRoles(ctx context.Context, c *op.Call, in Removal) (op.None, error) {
	event := c.Event
	defer func() { c.Event = event }()
	done := map[string]bool{}
	for _, ref := range in.Roles {
		is, err := r.within(ctx, c, ref)
		if errors.Is(err, role.ErrNotFound) && done[strings.TrimSpace(ref)] {
			continue // named twice
		}
		if err != nil {
			return op.None{}, err
		}
		if len(done) > 0 {
			c.Event = c.Record(audit.RoleDelete)
		}
		if err := r.Roles.Delete(ctx, c, is.ID); err != nil {
			return op.None{}, err
		}
		done[is.ID], done[strings.TrimSpace(ref)] = true, true
	}
	return op.None{}, nil
}
