// Package roles is the RPC dialect's operations on roles, their members and their administrative rights (roles.yaml).
package roles

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/dynamic"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
)

// Roles are the operations.
type Roles struct {
	Roles *role.Roles
	Orgs  *org.Orgs
	// Scripts decide who is in dynamic roles.
	Scripts *dynamic.Scripts
	Apps    *app.Apps
}

// Faults of this surface.
var (
	ErrMany  = fault.New(fault.TooLarge, "role.many", "Too many members, rights or roles in one call.")
	ErrNoOrg = fault.New(fault.Invalid, "role.no_org", "You administer several organizations. Name one in OrgPath.")
)

// maxEntries bounds the members, rights and roles of one call, which is one transaction.
const maxEntries = 1000

var (
	manage  = op.Has(right.RoleManagement)
	view    = op.Any(manage, op.Has(right.ReadRoles))
	get     = []string{"GET"}
	unknown = []*fault.Error{role.ErrNotFound, fault.ErrMissing, fault.ErrInvalid}
	joining = []*fault.Error{
		role.ErrMember, role.ErrGroup, role.ErrEverybody, role.ErrDynamic, role.ErrSystem, role.ErrCycle, role.ErrNotHeld, role.ErrChosen, role.ErrLast, ErrMany,
	}
	naming  = []*fault.Error{role.ErrNameTaken, role.ErrBuiltIn, fault.ErrBlank}
	placing = []*fault.Error{org.ErrNotFound, ErrNoOrg, role.ErrTooMany}
	rights  = []*fault.Error{role.ErrRight, role.ErrNotHeld, role.ErrChosen, role.ErrBuiltIn, ErrMany}
	ending  = []*fault.Error{role.ErrBuiltIn, role.ErrSystem, role.ErrNotHeld, role.ErrLast, ErrMany}
)

// Ops declares them.
func (r Roles) Ops() []op.Op { return slices.Concat(r.writing(), r.reading(), r.scripting()) }

func (r Roles) writing() []op.Op {
	twin := func(name string) []string { return []string{"/SaasManage/" + name} }
	write := func(path string, paths []string, event string, faults ...[]*fault.Error) op.Spec {
		return op.Spec{Path: path, Paths: paths, Allow: manage, Effect: op.Write, Audit: event, Faults: slices.Concat(append(faults, unknown)...)}
	}
	return []op.Op{
		op.New(write("/Roles/StoreRole", twin("StoreRole"), audit.RoleCreate, naming, joining, placing), r.StoreRole),
		op.New(write("/Roles/UpdateRole", twin("UpdateRole"), audit.RoleChange, naming, joining), r.UpdateRole),
		op.New(write("/SaasManage/AddUsersAndGroupsToRole", []string{"/Roles/AddUsersAndGroupsToRole"}, audit.RoleMembers, joining), r.AddUsersAndGroupsToRole),
		op.New(write("/SaasManage/RemoveUsersAndGroupsFromRole", []string{"/Roles/RemoveUsersAndGroupsFromRole"}, audit.RoleMembers, joining),
			r.RemoveUsersAndGroupsFromRole),
		op.New(write("/Roles/AssignSuperRights", twin("AssignSuperRights"), audit.RoleRights, rights), r.AssignSuperRights),
		op.New(write("/Roles/UnAssignSuperRights", twin("UnAssignSuperRights"), audit.RoleRights, rights), r.UnAssignSuperRights),
		op.New(write("/SaasManage/DeleteRole", []string{"/Roles/DeleteRole"}, audit.RoleDelete, ending), r.DeleteRole),
		op.New(write("/SaasManage/DeleteRoles", []string{"/Roles/DeleteRoles"}, audit.RoleDelete, ending), r.DeleteRoles),
	}
}

func (r Roles) reading() []op.Op {
	read := func(path string, paths ...string) op.Spec {
		return op.Spec{Path: path, Paths: paths, Methods: get, Allow: view, Effect: op.Read, Faults: unknown}
	}
	find := read("/SaasManage/GetRoleIdFromName")
	find.Allow = op.Any(view, op.Has(right.ApplicationManagement))
	return []op.Op{
		op.New(read("/Roles/GetRole", "/SaasManage/GetRole"), r.GetRole),
		op.New(read("/Roles/GetRoleMembers", "/SaasManage/GetRoleMembers"), r.GetRoleMembers),
		op.New(read("/Roles/GetPagedRoleMembers", "/SaasManage/GetPagedRoleMembers"), r.GetPagedRoleMembers),
		op.New(read("/Core/GetAssignedAdministrativeRights"), r.GetAssignedAdministrativeRights),
		op.New(op.Spec{
			Path: "/SaasManage/GetRoleApps", Allow: op.Any(manage, op.Has(right.ApplicationManagement)), Effect: op.Read, Faults: unknown,
		}, r.GetRoleApps),
		op.New(find, r.GetRoleIdFromName),
	}
}

// named is the role that an input names, once it is resolved.
type named struct{ found role.Role }

// Target is the role that the call is about.
func (n *named) Target() op.Target { return op.Target{ID: n.found.ID, Org: n.found.Org} }

func (n *named) find(ctx context.Context, c *op.Call, ref string) (err error) {
	n.found, err = role.Find(ctx, c, strings.TrimSpace(ref))
	return err
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}

// within finds a role again in the transaction that changes it: meanwhile it may have moved out of the caller's reach.
func (r Roles) within(ctx context.Context, c *op.Call, ref string) (role.Role, error) {
	found, err := r.Roles.Get(ctx, c, strings.TrimSpace(ref))
	if err == nil && !c.Grant.Allows(found.ID, found.Org) {
		return role.Role{}, role.ErrNotFound
	}
	return found, err
}

// Window is when memberships or rights hold, and why. It is beyond the contract.
type Window struct {
	// From is when they begin, RFC 3339; at once when absent.
	From op.Opt[time.Time] `json:"From"`
	// Until is when they end by themselves, RFC 3339; never when absent.
	Until op.Opt[time.Time] `json:"Until"`
	// Reason says why they are given; up to 1000 bytes, shown in lists and kept in the event.
	Reason string `json:"Reason"`
}

// Principals are people, roles and groups.
type Principals struct {
	// Users are UUIDs or login names.
	Users []string `json:"Users" rpc:"one"`
	// Roles are ids or names of roles, whose members become members too.
	Roles []string `json:"Roles" rpc:"one"`
	// Groups are groups of other directories.
	Groups []string `json:"Groups" rpc:"one"`
}

func (p *Principals) check() error {
	if len(p.Users)+len(p.Roles)+len(p.Groups) > maxEntries {
		return ErrMany.Say("At most %d members can be named in one call.", maxEntries)
	}
	return nil
}

// members finds what is named, as far as the caller's grant reaches.
func (r Roles) members(ctx context.Context, c *op.Call, p Principals, w Window) ([]role.Member, error) {
	var out []role.Member
	for _, of := range []struct {
		kind string
		refs []string
	}{{role.User, p.Users}, {role.Sub, p.Roles}, {role.Group, p.Groups}} {
		ms, err := r.Roles.Principals(ctx, c, c.Grant, of.kind, of.refs...)
		if err != nil {
			return nil, err
		}
		out = append(out, ms...)
	}
	for i := range out {
		out[i].Since, out[i].Until, out[i].Reason = w.From.Or(time.Time{}), w.Until.Or(time.Time{}), strings.TrimSpace(w.Reason)
	}
	return out, nil
}

// place finds the organization of a new role, within the caller's reach. Who administers a single organization and names
// none means that.
func (r Roles) place(ctx context.Context, c *op.Call, path string) (id string, err error) {
	if strings.Trim(path, " /") == "" {
		if c.Grant.Everything() {
			return "", nil
		}
		only, ok, err := r.Orgs.Only(ctx, c, c.Grant)
		if err == nil && !ok {
			err = ErrNoOrg.At("OrgPath")
		}
		return only, err
	}
	found, err := r.Orgs.Find(ctx, c, path)
	if err == nil && !c.Grant.Allows("", found.ID) {
		err = org.ErrNotFound
	}
	if errors.Is(err, org.ErrNotFound) {
		err = org.ErrNotFound.At("OrgPath")
	}
	return found.ID, err
}
