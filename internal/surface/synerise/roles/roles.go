// Package roles is the roles of a workspace, the groups that they are sorted in, and the permissions that they carry (synerise.yaml:
// roles, permissions). Roles are those of the organization, as every other surface has them.
package roles

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/rolegroup"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Roles are the operations.
type Roles struct {
	Roles   *role.Roles
	Orgs    *org.Orgs
	Demands *demand.Demands
}

// ErrHeld keeps roles that somebody is in.
var ErrHeld = fault.New(fault.Conflict, "role.held", "The role has members. Take it from them first.")

// Ops declares them.
func (r Roles) Ops() []op.Op {
	const permission = "settings_roles"
	spec := func(method, path, event string, level workspace.Level, faults ...*fault.Error) op.Spec {
		s := op.Spec{Method: method, Path: path, Allow: synerise.May(permission, level), Effect: op.Write, Audit: event, Faults: append(faults, workspace.ErrNone, workspace.ErrNotFound)}
		if event == "" {
			s.Effect = op.Read
		}
		return s
	}
	const group, one, named, anyRole = "/uauth/roles/role-group", "/uauth/roles/role-group/{groupId}", "/uauth/roles/role/{roleId}", "/uauth/roles/{roleId}"
	available := spec(http.MethodGet, "/uauth/users/available-roles", "", workspace.Read)
	available.Allow = synerise.May("settings_users", workspace.Read)
	given := []*fault.Error{role.ErrNameTaken, role.ErrNotHeld, role.ErrTooMany, rolegroup.ErrNotFound, fault.ErrMissing, fault.ErrInvalid}
	return []op.Op{
		op.New(spec(http.MethodGet, "/uauth/permissions/group/role/{roleId}", "", workspace.Read, role.ErrNotFound), r.GetPermissions),
		op.New(spec(http.MethodGet, "/uauth/roles/listing", "", workspace.Read, fault.ErrInvalid), r.ListRoles),
		op.New(spec(http.MethodPost, group, audit.RoleGroupCreate, workspace.Create, rolegroup.ErrName, rolegroup.ErrNameTaken, rolegroup.ErrMany), r.CreateGroup),
		op.New(spec(http.MethodPost, one, audit.RoleGroupChange, workspace.Update, rolegroup.ErrNotFound, rolegroup.ErrName, rolegroup.ErrNameTaken), r.RenameGroup),
		op.New(spec(http.MethodDelete, one, audit.RoleGroupDelete, workspace.Delete, rolegroup.ErrNotFound, rolegroup.ErrFull), r.DeleteGroup),
		op.New(spec(http.MethodPost, "/uauth/roles/role", audit.RoleCreate, workspace.Create, given...), r.CreateRole),
		op.New(spec(http.MethodGet, anyRole, "", workspace.Read, role.ErrNotFound), r.GetRole),
		op.New(spec(http.MethodPost, named, audit.RoleChange, workspace.Update, append(given, role.ErrNotFound)...), r.ChangeRole),
		op.New(spec(http.MethodDelete, named, audit.RoleDelete, workspace.Delete, role.ErrNotFound, role.ErrNotHeld, ErrHeld), r.DeleteRole),
		op.New(available, r.ListAvailableRoles),
		op.New(spec(http.MethodGet, anyRole+"/pii", "", workspace.Read, role.ErrNotFound), r.GetRolePii),
		op.New(spec(http.MethodPost, anyRole+"/pii", audit.RoleChange, workspace.Update, role.ErrNotFound, demand.ErrSight, fault.ErrInvalid), r.SetRolePii),
	}
}

// Ref names a role of the workspace.
type Ref struct {
	synerise.Here
	// RoleID is the role's number.
	RoleID int64 `json:"roleId"`
}

// role finds the role; role.ErrNotFound for one of another workspace.
func (r Ref) role(ctx context.Context, c *op.Call) (role.Role, error) {
	id, err := number.Find(ctx, c, number.Role, r.RoleID)
	if errors.Is(err, number.ErrNotFound) {
		return role.Role{}, role.ErrNotFound
	}
	if err != nil {
		return role.Role{}, err
	}
	found, err := role.Find(ctx, c, id)
	if err == nil && found.Org != r.Workspace().ID {
		err = role.ErrNotFound
	}
	return found, err
}

// Permission is what a role may do with a feature.
type Permission struct {
	// Name is the feature, such as settings_users.
	Name string `json:"name"`
	// Read says whether the role may look.
	Read bool `json:"read"`
	// Create says whether it may add.
	Create bool `json:"create"`
	// Update says whether it may change.
	Update bool `json:"update"`
	// Delete says whether it may remove.
	Delete bool `json:"delete"`
	// Execute says whether it may run.
	Execute bool `json:"execute"`
}

func (p Permission) levels() map[workspace.Level]bool {
	return map[workspace.Level]bool{
		workspace.Read: p.Read, workspace.Create: p.Create, workspace.Update: p.Update, workspace.Delete: p.Delete, workspace.Execute: p.Execute,
	}
}

// carried lists the levels of a permission that come with rights.
func carried(p workspace.Permission, rights []right.Right) []workspace.Level {
	return slices.DeleteFunc(p.Known(), func(l workspace.Level) bool {
		return !slices.ContainsFunc(p.Levels[l], func(r right.Right) bool { return slices.Contains(rights, r) })
	})
}

// rights are those of the service that a role carries by itself.
func (r Roles) rights(ctx context.Context, c *op.Call, id string) ([]right.Right, error) {
	paths, err := r.Roles.Rights(ctx, c, id)
	var out []right.Right
	for _, p := range paths {
		if known := right.Parse(p); known != right.None {
			out = append(out, known)
		}
	}
	return out, err
}

// wanted are the rights that the permissions need: of each level the least one that gives it.
func wanted(list []Permission) ([]right.Right, error) {
	var out []right.Right
	for _, in := range list {
		p, ok := workspace.Find(in.Name)
		if !ok {
			return nil, fault.Bad("permissions", "names %.60q, which there is not", in.Name)
		}
		for level, on := range in.levels() {
			switch known := p.Levels[level]; {
			case !on:
			case len(known) == 0:
				return nil, fault.Bad("permissions", "wants the level %s of %s, which has none such", level, p.Name)
			default:
				out = append(out, known[len(known)-1])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// settle makes a role carry the rights that the permissions need, and none else of those by which permissions are given. Rights that no
// permission stands for stay.
func (r Roles) settle(ctx context.Context, c *op.Call, id string, list []Permission) error {
	want, err := wanted(list)
	if err != nil {
		return err
	}
	have, err := r.rights(ctx, c, id)
	if err != nil {
		return err
	}
	var gone []string
	for _, h := range have {
		if slices.Contains(stands, h) && !slices.Contains(want, h) {
			gone = append(gone, h.Info().Path)
		}
	}
	if len(gone) > 0 {
		if err := r.Roles.Unassign(ctx, c, id, gone...); err != nil {
			return err
		}
	}
	var more []role.Given
	for _, w := range want {
		if !slices.Contains(have, w) {
			more = append(more, role.Given{Path: w.Info().Path})
		}
	}
	if len(more) == 0 {
		return nil
	}
	return r.Roles.Assign(ctx, c, id, more...)
}

// stands are the rights by which permissions are given.
var stands = func() (out []right.Right) {
	for _, p := range workspace.Permissions {
		for _, rights := range p.Levels {
			out = append(out, rights...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}()

// at says which member of the request a fault is about.
func at(err error) error {
	if f := fault.Of(err); f != nil && (f.Field == "Name" || f.Field == "Description") {
		member := strings.ToLower(f.Field)
		return f.At(member).Say("%s", strings.Replace(f.Public, "Parameter "+f.Field, "Parameter "+member, 1))
	}
	return err
}
