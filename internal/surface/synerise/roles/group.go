package roles

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/core/number"
	"limen/internal/core/role"
	"limen/internal/core/rolegroup"
	"limen/internal/fold"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Entry is a role in a list.
type Entry struct {
	// ID is the role's number.
	ID int64 `json:"id"`
	// Name is the role's name.
	Name string `json:"name"`
	// UsersCount is how many members it has, roles and groups among them.
	UsersCount int64 `json:"usersCount"`
	// Predefined is false: no built-in role belongs to a workspace.
	Predefined bool `json:"predefined"`
}

// Group is a role group with its roles.
type Group struct {
	// ID is the group's number; null stands for the roles that are in none, which come last.
	ID *int64 `json:"id"`
	// Name is the group's name; null where the number is.
	Name *string `json:"name"`
	// Roles are its roles by name.
	Roles []Entry `json:"roles"`
}

// Groups is a page of role groups.
type Groups struct {
	// Data are the groups by name.
	Data []Group `json:"data"`
	// Meta tells where the page is.
	Meta wire.Meta `json:"meta"`
}

// Query asks for a page of role groups.
type Query struct {
	synerise.Here
	synerise.Paged
}

// Check bounds the page.
func (q *Query) Check() error {
	_, err := q.Read("NAME")
	return err
}

// ListRoles lists the workspace's role groups with their roles, and behind them the roles that are in none. A search keeps groups of which
// the name has the text, with all their roles, and of other groups the roles whose name has it. synerise.yaml, GET /uauth/roles/listing.
func (r Roles) ListRoles(ctx context.Context, c *op.Call, in Query) (Groups, error) {
	q, err := in.Read("NAME")
	if err != nil {
		return Groups{}, err
	}
	all, err := r.sorted(ctx, c, in.Workspace().ID, fold.Key(q.Search))
	if err != nil {
		return Groups{}, err
	}
	if q.Desc {
		slices.Reverse(all)
	}
	page := all[min(q.Skip(), len(all)):min(q.Skip()+q.Limit, len(all))]
	out := Groups{Data: []Group{}, Meta: q.Meta(int64(len(all)))}
	for _, s := range page {
		g, err := r.group(ctx, c, s)
		if err != nil {
			return Groups{}, err
		}
		out.Data = append(out.Data, g)
	}
	return out, nil
}

// shelf is a group with what is shown of it; the zero Group holds roles that are in none.
type shelf struct {
	rolegroup.Group
	roles []role.Role
}

// sorted puts the roles of a workspace into its groups, as far as a search keeps them.
func (r Roles) sorted(ctx context.Context, c *op.Call, here, search string) ([]shelf, error) {
	groups, err := rolegroup.List(ctx, c, here)
	if err != nil {
		return nil, err
	}
	in, err := rolegroup.Places(ctx, c, here)
	if err != nil {
		return nil, err
	}
	roles, err := r.Roles.List(ctx, c)
	var out []shelf
	for _, g := range append(groups, rolegroup.Group{}) {
		s, whole := shelf{Group: g}, g.ID != "" && strings.Contains(fold.Key(g.Name), search)
		for _, is := range roles {
			if is.Org == here && in[is.ID] == g.ID && (whole || strings.Contains(fold.Key(is.Name), search)) {
				s.roles = append(s.roles, is)
			}
		}
		if whole || len(s.roles) > 0 {
			out = append(out, s)
		}
	}
	return out, err
}

func (r Roles) group(ctx context.Context, c *op.Call, s shelf) (Group, error) {
	out := Group{Roles: []Entry{}}
	if s.ID != "" {
		n, err := number.Of(ctx, c, number.RoleGroup, s.ID)
		if err != nil {
			return out, err
		}
		out.ID, out.Name = &n, &s.Name
	}
	ids := make([]string, len(s.roles))
	for i, is := range s.roles {
		ids[i] = is.ID
	}
	sizes, err := r.Roles.Sizes(ctx, c, ids...)
	if err != nil {
		return out, err
	}
	numbers, err := number.Some(ctx, c, number.Role, ids...)
	for _, is := range s.roles {
		out.Roles = append(out.Roles, Entry{numbers[is.ID], is.Name, sizes[is.ID], is.BuiltIn})
	}
	return out, err
}

// NewGroup is a role group to be made.
type NewGroup struct {
	synerise.Here
	// Name is required, and unique in the workspace, whatever its case; 1 to 100 characters.
	Name string `json:"name"`
}

// CreateGroup makes a role group. synerise.yaml, POST /uauth/roles/role-group. Errors: rolegroup.name, rolegroup.name_taken.
func (r Roles) CreateGroup(ctx context.Context, c *op.Call, in NewGroup) (Group, error) {
	g, err := rolegroup.Create(ctx, c, in.Workspace().ID, in.Name)
	if err != nil {
		return Group{}, err
	}
	return r.group(ctx, c, shelf{Group: g})
}

// GroupRef names a role group of the workspace.
type GroupRef struct {
	synerise.Here
	// GroupID is the group's number.
	GroupID int64 `json:"groupId"`
}

// id finds the id of the group; whose it is the noun looks at.
func (g GroupRef) id(ctx context.Context, c *op.Call) (string, error) {
	id, err := number.Find(ctx, c, number.RoleGroup, g.GroupID)
	if errors.Is(err, number.ErrNotFound) {
		err = rolegroup.ErrNotFound
	}
	return id, err
}

// Renaming is another name for a role group.
type Renaming struct {
	GroupRef
	// Name is the new name, required.
	Name string `json:"name"`
}

// Named is a role group.
type Named struct {
	// ID is the group's number.
	ID int64 `json:"id"`
	// Name is its name.
	Name string `json:"name"`
}

// RenameGroup renames a role group. synerise.yaml, POST /uauth/roles/role-group/{groupId}. Errors: rolegroup.not_found, rolegroup.name,
// rolegroup.name_taken.
func (r Roles) RenameGroup(ctx context.Context, c *op.Call, in Renaming) (Named, error) {
	id, err := in.id(ctx, c)
	if err != nil {
		return Named{}, err
	}
	g, err := rolegroup.Rename(ctx, c, in.Workspace().ID, id, in.Name)
	return Named{in.GroupID, g.Name}, err
}

// DeleteGroup deletes a role group that has no roles. synerise.yaml, DELETE /uauth/roles/role-group/{groupId}. Error: rolegroup.has_roles.
func (r Roles) DeleteGroup(ctx context.Context, c *op.Call, in GroupRef) (op.None, error) {
	id, err := in.id(ctx, c)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, rolegroup.Delete(ctx, c, in.Workspace().ID, id)
}

// Workspace is an input that says nothing: it is about the workspace of the token.
type Workspace struct{ synerise.Here }

// Available is a role that may be handed out.
type Available struct {
	// ID is the role's number.
	ID int64 `json:"id"`
	// Name is its name.
	Name string `json:"name"`
	// GroupName is the name of its role group; null: it is in none.
	GroupName *string `json:"groupName"`
}

// AvailableRoles are the roles that may be handed out.
type AvailableRoles struct {
	// Data are all of them, by group and name.
	Data []Available `json:"data"`
}

// ListAvailableRoles lists the workspace's roles that the caller may give to users without end: those that carry no right that the caller
// does not hold, and whose members no script chooses. synerise.yaml, GET /uauth/users/available-roles.
func (r Roles) ListAvailableRoles(ctx context.Context, c *op.Call, in Workspace) (AvailableRoles, error) {
	all, err := r.sorted(ctx, c, in.Workspace().ID, "")
	out := AvailableRoles{Data: []Available{}}
	for _, s := range all {
		for _, is := range s.roles {
			may := r.Roles.Fills(ctx, c, is.ID)
			if is.Kind != role.Static || errors.Is(may, role.ErrNotHeld) || errors.Is(may, role.ErrSystem) {
				continue
			}
			if may != nil {
				return out, may
			}
			n, bad := number.Of(ctx, c, number.Role, is.ID)
			it := Available{ID: n, Name: is.Name}
			if s.ID != "" {
				it.GroupName = &s.Name
			}
			out.Data, err = append(out.Data, it), errors.Join(err, bad)
		}
	}
	return out, err
}
