package roles

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/number"
	"limen/internal/core/role"
	"limen/internal/core/rolegroup"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Role is a role of a workspace.
type Role struct {
	// ID is the role's number.
	ID int64 `json:"id"`
	// Name is unique in the installation, whatever its case.
	Name string `json:"name"`
	// Description is free text; null: there is none.
	Description *string `json:"description"`
	// GroupID is the number of the role group; null: the role is in none.
	GroupID *int64 `json:"groupId"`
	// UsersCount is how many members the role has, roles and groups among them.
	UsersCount int64 `json:"usersCount"`
	// Predefined is false: no built-in role belongs to a workspace.
	Predefined bool `json:"predefined"`
	// Permissions are all there are, with what the role carries of each.
	Permissions []Permission `json:"permissions"`
}

// show reads a role as it is now.
func (r Roles) show(ctx context.Context, c *op.Call, id string) (Role, error) {
	is, err := r.Roles.Get(ctx, c, id)
	if err != nil {
		return Role{}, err
	}
	n, err := number.Of(ctx, c, number.Role, id)
	if err != nil {
		return Role{}, err
	}
	sizes, err := r.Roles.Sizes(ctx, c, id)
	if err != nil {
		return Role{}, err
	}
	out := Role{ID: n, Name: is.Name, UsersCount: sizes[id], Predefined: is.BuiltIn}
	if is.Description != "" {
		out.Description = &is.Description
	}
	if out.GroupID, err = groupOf(ctx, c, is.Org, id); err != nil {
		return Role{}, err
	}
	rights, err := r.rights(ctx, c, id)
	for _, p := range workspace.Permissions {
		shown := Permission{Name: p.Name}
		for _, l := range carried(p, rights) {
			*map[workspace.Level]*bool{
				workspace.Read: &shown.Read, workspace.Create: &shown.Create, workspace.Update: &shown.Update, workspace.Delete: &shown.Delete,
				workspace.Execute: &shown.Execute,
			}[l] = true
		}
		out.Permissions = append(out.Permissions, shown)
	}
	return out, err
}

func groupOf(ctx context.Context, c *op.Call, at, roleID string) (*int64, error) {
	in, err := rolegroup.Places(ctx, c, at)
	if err != nil || in[roleID] == "" {
		return nil, err
	}
	n, err := number.Of(ctx, c, number.RoleGroup, in[roleID])
	return &n, err
}

// GetRole gives a role of the workspace. synerise.yaml, GET /uauth/roles/{roleId}.
func (r Roles) GetRole(ctx context.Context, c *op.Call, in Ref) (Role, error) {
	is, err := in.role(ctx, c)
	if err != nil {
		return Role{}, err
	}
	return r.show(ctx, c, is.ID)
}

// NewRole is a role to be made.
type NewRole struct {
	synerise.Here
	// Name is required, and unique in the installation, whatever its case.
	Name string `json:"name"`
	// Description is free text.
	Description string `json:"description"`
	// GroupID is the number of the role group, required.
	GroupID int64 `json:"groupId"`
	// Permissions are what the role carries; those that are left out it does not.
	Permissions []Permission `json:"permissions"`
}

// Check wants a name and a group.
func (n *NewRole) Check() error {
	switch {
	case strings.TrimSpace(n.Name) == "":
		return fault.Missing("name")
	case n.GroupID == 0:
		return fault.Missing("groupId")
	}
	_, err := wanted(n.Permissions)
	return err
}

// CreateRole makes a role of the workspace, whose permissions reach over it and all below it.
//
// Permissions are given by the rights that stand for them, the same for several of them: the answer tells all that the role has then. The
// caller must hold each right, for as long as it is given. synerise.yaml, POST /uauth/roles/role. Errors: role.name_taken,
// role.right_not_held, rolegroup.not_found.
func (r Roles) CreateRole(ctx context.Context, c *op.Call, in NewRole) (Role, error) {
	here := in.Workspace().ID
	made, err := r.Roles.Create(ctx, c, role.New{Name: in.Name, Description: in.Description, Org: here})
	if err != nil {
		return Role{}, at(err)
	}
	if err := r.put(ctx, c, here, made.ID, in.GroupID); err != nil {
		return Role{}, err
	}
	if err := r.settle(ctx, c, made.ID, in.Permissions); err != nil {
		return Role{}, err
	}
	return r.show(ctx, c, made.ID)
}

// put puts a role into the group that has a number.
func (r Roles) put(ctx context.Context, c *op.Call, here, roleID string, group int64) error {
	id, err := number.Find(ctx, c, number.RoleGroup, group)
	if errors.Is(err, number.ErrNotFound) {
		return rolegroup.ErrNotFound
	}
	if err != nil {
		return err
	}
	return rolegroup.Put(ctx, c, here, roleID, id)
}

// Change is a change of a role: what is left out stays.
type Change struct {
	Ref
	// Name is the new name.
	Name op.Opt[string] `json:"name"`
	// Description is free text.
	Description op.Opt[string] `json:"description"`
	// GroupID is the number of the role group that it goes to.
	GroupID op.Opt[int64] `json:"groupId"`
	// Permissions replace all that the role carries.
	Permissions op.Opt[[]Permission] `json:"permissions"`
}

// Check looks at the permissions.
func (ch *Change) Check() error {
	if name, ok := ch.Name.Get(); ok && strings.TrimSpace(name) == "" {
		return fault.Missing("name")
	}
	_, err := wanted(ch.Permissions.Or(nil))
	return err
}

// ChangeRole changes a role of the workspace. The caller must hold the rights that it carries, and each that is given or taken. Rights that
// no permission stands for stay with the role. synerise.yaml, POST /uauth/roles/role/{roleId}. Errors: as CreateRole, role.not_found.
func (r Roles) ChangeRole(ctx context.Context, c *op.Call, in Change) (Role, error) {
	is, err := in.role(ctx, c)
	if err != nil {
		return Role{}, err
	}
	if in.Name.Given() || in.Description.Given() {
		if err := r.Roles.Rename(ctx, c, is.ID, in.Name.Or(is.Name), in.Description.Or(is.Description)); err != nil {
			return Role{}, at(err)
		}
	}
	if err := r.arrange(ctx, c, is, in); err != nil {
		return Role{}, err
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = is.ID, "Role", is.Name
	return r.show(ctx, c, is.ID)
}

// arrange makes the changes of where a role is sorted, and of what it carries.
func (r Roles) arrange(ctx context.Context, c *op.Call, is role.Role, in Change) error {
	if group, ok := in.GroupID.Get(); ok {
		if err := r.put(ctx, c, is.Org, is.ID, group); err != nil {
			return err
		}
	}
	if list, ok := in.Permissions.Get(); ok {
		return r.settle(ctx, c, is.ID, list)
	}
	return nil
}

// DeleteRole deletes a role of the workspace that nobody is in. The caller must hold the rights that it carries. synerise.yaml, DELETE
// /uauth/roles/role/{roleId}. Errors: role.held, role.right_not_held.
func (r Roles) DeleteRole(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	is, err := in.role(ctx, c)
	if err != nil {
		return op.None{}, err
	}
	sizes, err := r.Roles.Sizes(ctx, c, is.ID)
	if err == nil && sizes[is.ID] > 0 {
		err = ErrHeld
	}
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, r.Roles.Delete(ctx, c, is.ID)
}

// Module is the permissions of a part of the service.
type Module struct {
	// Group is the part.
	Group string `json:"group"`
	// Permissions are its permissions.
	Permissions []Tree `json:"permissions"`
}

// Tree is a permission with what a role has of it.
type Tree struct {
	// Name is the permission, such as settings_users.
	Name string `json:"name"`
	// Title tells people what it is about.
	Title string `json:"title"`
	// Levels are those that it has: read, create, update, delete, execute.
	Levels []workspace.Level `json:"levels"`
	// Granted are those that the role has.
	Granted []workspace.Level `json:"granted"`
}

// GetPermissions gives all permissions by module, with what a role has of them by itself. synerise.yaml, GET
// /uauth/permissions/group/role/{roleId}.
func (r Roles) GetPermissions(ctx context.Context, c *op.Call, in Ref) ([]Module, error) {
	is, err := in.role(ctx, c)
	if err != nil {
		return nil, err
	}
	rights, err := r.rights(ctx, c, is.ID)
	var out []Module
	for _, p := range workspace.Permissions {
		if n := len(out); n == 0 || out[n-1].Group != p.Group {
			out = append(out, Module{Group: p.Group})
		}
		last := &out[len(out)-1]
		last.Permissions = append(last.Permissions, Tree{p.Name, p.Title, p.Known(), append([]workspace.Level{}, carried(p, rights)...)})
	}
	return out, err
}
