// Package organizations is the RPC dialect's operations on organizations and who administers them (organizations.yaml).
package organizations

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Organizations are the operations.
type Organizations struct {
	Orgs   *org.Orgs
	People *user.Directory
	Roles  *role.Roles
}

// Faults of this surface.
var (
	ErrMany = fault.New(fault.TooLarge, "org.many", "Too many members or principals in one call.")
)

// maxEntries bounds the members and principals of one call, which is one transaction.
const maxEntries = 1000

var (
	get     = []string{"GET"}
	unknown = []*fault.Error{org.ErrNotFound, fault.ErrMissing}
	tree    = []*fault.Error{
		org.ErrNotFound, org.ErrNameTaken, org.ErrCycle, org.ErrDeep, org.ErrTooMany, role.ErrNotHeld, fault.ErrMissing, fault.ErrBlank,
		fault.ErrInvalid,
	}
	granting = []*fault.Error{org.ErrNotFound, org.ErrMember, org.ErrRight, org.ErrTooMany, role.ErrNotHeld, ErrMany, fault.ErrMissing, fault.ErrInvalid}
	joining  = []*fault.Error{
		org.ErrNotFound, org.ErrMember, org.ErrElsewhere, org.ErrRoleStay, org.ErrHome, role.ErrBuiltIn, role.ErrNotHeld, user.ErrStale, ErrMany, fault.ErrMissing, fault.ErrInvalid,
	}
)

// Ops declares them.
func (o Organizations) Ops() []op.Op {
	return append(o.reading(), o.writing()...)
}

func (o Organizations) reading() []op.Op {
	look := func(path string) op.Spec {
		return op.Spec{Path: path, Methods: get, Allow: op.Administrator, Effect: op.Read, Faults: unknown}
	}
	return []op.Op{
		op.New(look("/Org/Get"), o.Get),
		op.New(look("/Org/GetAdministrators"), o.GetAdministrators),
		op.New(look("/Org/GetPermission"), o.GetPermission),
		op.New(look("/Org/GetRoles"), o.GetRoles),
		op.New(look("/Org/ListAll"), o.ListAll),
		op.New(op.Spec{Path: "/Org/TaskCheck", Methods: get, Allow: op.Authenticated, Effect: op.Read, Faults: unknown}, o.TaskCheck),
		op.New(op.Spec{
			Path: "/UserMgmt/GetUserHierarchy", Methods: get,
			Allow:  op.Any(op.Self, op.Has(right.UserManagement), op.Has(right.ReadUsers)),
			Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound},
		}, o.GetUserHierarchy),
	}
}

func (o Organizations) writing() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Org/Create", Allow: op.System, Effect: op.Write, Audit: audit.OrgCreate, Faults: tree}, o.Create),
		op.New(op.Spec{Path: "/Org/Update", Allow: op.System, Effect: op.Write, Audit: audit.OrgChange, Faults: tree}, o.Update),
		op.New(op.Spec{
			Path: "/Org/Delete", Allow: op.System, Effect: op.Write, Audit: audit.OrgDelete,
			Faults: append([]*fault.Error{org.ErrBelow, org.ErrRoles}, unknown...),
		}, o.Delete),
		op.New(op.Spec{Path: "/Org/ChangeMembership", Allow: op.System, Effect: op.Write, Audit: audit.OrgChange, Faults: joining}, o.ChangeMembership),
		op.New(op.Spec{Path: "/Org/UpdateAdministrators", Allow: op.System, Effect: op.Write, Audit: audit.OrgChange, Faults: granting}, o.UpdateAdministrators),
		op.New(op.Spec{Path: "/Org/UpdatePermission", Allow: op.System, Effect: op.Write, Audit: audit.OrgChange, Faults: granting}, o.UpdatePermission),
	}
}

// Ref names an organization.
type Ref struct {
	// OrgID is the organization's id, required.
	OrgID string `json:"OrgId" also:"ID"`

	found org.Org
}

// Check wants it.
func (r *Ref) Check() error {
	if strings.TrimSpace(r.OrgID) == "" {
		return fault.Missing("OrgId")
	}
	return nil
}

// Resolve finds the organization.
func (r *Ref) Resolve(ctx context.Context, c *op.Call) (err error) {
	r.found, err = org.ByID(ctx, c, strings.TrimSpace(r.OrgID))
	return err
}

// Target is the organization.
func (r *Ref) Target() op.Target { return op.Target{ID: r.found.ID, Org: r.found.ID} }
