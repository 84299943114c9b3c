// Package applications is the RPC dialect's operations on applications (apps.yaml n 192-199).
package applications

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/collection"
	"limen/internal/core/oauth"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/script"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/permit"
)

// Applications are the operations.
type Applications struct {
	Apps  *app.Apps
	Sets  *collection.Sets
	Lists *acl.Lists
	Roles *role.Roles
	OAuth *oauth.Server
	Code  *script.Scripts
}

// ErrMany says that one call names too much.
var ErrMany = fault.New(fault.TooLarge, "app.many", "Too many applications or templates in one call.")

// maxMany bounds the applications of one call, which is one transaction.
const maxMany = 100

var (
	unknown  = []*fault.Error{app.ErrNotFound, acl.ErrDenied, fault.ErrMissing, fault.ErrInvalid}
	making   = append([]*fault.Error{app.ErrTemplate, app.ErrTooMany, app.ErrNameTaken, ErrMany}, unknown...)
	changing = slices.Concat([]*fault.Error{
		app.ErrMember, app.ErrProfile, app.ErrService, app.ErrServiceTaken, app.ErrNameTaken, app.ErrStale, fault.ErrBlank,
	}, unknown, permit.Faults)
)

// Ops declares them.
func (a Applications) Ops() []op.Op {
	manage := op.Has(right.ApplicationManagement)
	on := func(right string) op.Rule { return op.OnRow("right " + right + " on the application") }
	write := func(name string, allow op.Rule, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: "/SaasManage/" + name, Allow: allow, Effect: op.Write, Audit: event, Faults: faults}
	}
	read := func(name string, allow op.Rule, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: "/SaasManage/" + name, Allow: allow, Effect: op.Read, Faults: faults}
	}
	clone := write("CloneAnApplicaton", manage, audit.AppCreate, making...)
	clone.Paths = []string{"/SaasManage/CloneApplication", "/SaasManage/CloneAnApplication"}
	ofSet := append([]*fault.Error{collection.ErrNotFound, collection.ErrType, collection.ErrDynamic}, permit.Faults...)
	return append(slices.Concat(a.clientTokens(), a.clients(), a.signingKeys(), a.scripts(op.Any(op.Self, op.Has(right.UserManagement)))), []op.Op{
		op.New(read("GetTemplatesAndCategories", manage), a.GetTemplatesAndCategories),
		op.New(read("GetPaginatedTemplates", manage, fault.ErrInvalid), a.GetPaginatedTemplates),
		op.New(read("GetCustomWebAppTemplates", manage), a.GetCustomWebAppTemplates),
		op.New(read("GetCategories", manage), a.GetCategories),
		op.New(read("IsApplicationAvailableInCatalog", manage, unknown...), a.IsApplicationAvailableInCatalog),
		op.New(read("GetApplication", on("View"), unknown...), a.GetApplication),
		op.New(read("GetAppIDByServiceName", op.Authenticated, unknown...), a.GetAppIDByServiceName),
		op.New(write("ImportAppFromTemplate", manage, audit.AppCreate, making...), a.ImportAppFromTemplate),
		op.New(clone, a.CloneAnApplicaton),
		op.New(write("DeleteApplication", on("Delete"), audit.AppDelete, append(unknown, ErrMany)...), a.DeleteApplication),
		op.New(write("UpdateApplicationDE", on("Admin"), audit.AppChange, changing...), a.UpdateApplicationDE),
		op.New(write("ResetAppScript", on("Admin"), audit.AppChange, append(unknown, app.ErrNoScript, app.ErrStale)...), a.ResetAppScript),
		op.New(write("SetApplicationPermissions", on("Grant"), audit.AppPermissions, append(permit.Faults, app.ErrNotFound)...), a.SetApplicationPermissions),
		op.New(write("SetApplicationCollectionPermissions", op.OnRow("right Grant on the set, and on its members"), audit.AppPermissions, ofSet...),
			a.SetApplicationCollectionPermissions),
	}...)
}

// Ref names an application.
type Ref struct {
	// RowKey is the application's id, or its name; required.
	RowKey string `json:"_RowKey" also:"ID,appkey,Key"`
	// RRFormat is taken and does nothing.
	RRFormat bool `json:"RRFormat"`
}

// Check wants it.
func (r *Ref) Check() error {
	if strings.TrimSpace(r.RowKey) == "" {
		return fault.Missing("_RowKey")
	}
	return nil
}

// Templates names templates to make applications from.
type Templates struct {
	// ID are ids of templates, one to 100; required.
	ID []string `json:"ID" rpc:"one"`
}

// Check wants some.
func (t *Templates) Check() error {
	switch {
	case len(t.ID) == 0 || slices.ContainsFunc(t.ID, func(id string) bool { return strings.TrimSpace(id) == "" }):
		return fault.Missing("ID")
	case len(t.ID) > maxMany:
		return ErrMany.Say("At most %d templates can be named in one call.", maxMany)
	}
	return nil
}

// Imported is what became of one template.
type Imported struct {
	Success bool   `json:"success"`
	ID      string `json:"ID"`                // the template, as it was sent
	RowKey  string `json:"_RowKey,omitempty"` // id of the new application
	Message string `json:"Message,omitempty"` // why there is none
	Name    string `json:"Name,omitempty"`    // of the new application; beyond the contract
}

// ImportAppFromTemplate makes applications from templates, and answers them in the order asked for. Each is named after its
// template, with a number behind it where that name is taken, and is Configured until UpdateApplicationDE has set what it
// needs. Custom OpenID Connect applications get a client id. Whoever makes an application has every right on it.
//
// A template that is unknown fails alone, unless it is the only one. Errors: app.template_not_found, app.too_many beyond 5,000
// applications. apps.yaml n 194.
func (a Applications) ImportAppFromTemplate(ctx context.Context, c *op.Call, in Templates) ([]Imported, error) {
	return each(c, audit.AppCreate, in.ID, func(id string) (Imported, error) {
		it, err := a.Apps.Create(ctx, c, id)
		return Imported{Success: err == nil, ID: id, RowKey: it.ID, Name: it.Name}, err
	}, func(id, why string) Imported { return Imported{ID: id, Message: why} })
}

// each does the same to several, each with an event of its own. What is not found or denied fails alone, unless it is the only
// one; nothing was written for it.
func each[T any](c *op.Call, event string, ids []string, do func(id string) (T, error), failed func(id, why string) T) ([]T, error) {
	first := c.Event
	defer func() { c.Event = first }()
	out := []T{}
	for i, id := range ids {
		if i > 0 {
			c.Event = c.Record(event)
		}
		got, err := do(id)
		if f := fault.Of(err); err != nil && len(ids) > 1 && (f.Kind == fault.NotFound || f.Kind == fault.Denied) {
			c.Event.Outcome, c.Event.Reason = "refused", f.Code
			got, err = failed(id, f.Public), nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, got)
	}
	return out, nil
}

// CloneAnApplicaton copies an application, and answers the id of the copy. The copy has no ServiceName, no secrets and no
// rights but its maker's; its name has a number behind it. Errors: app.not_found, app.too_many. apps.yaml, behind n 199.
func (a Applications) CloneAnApplicaton(ctx context.Context, c *op.Call, in Ref) (string, error) {
	it, err := a.Apps.Clone(ctx, c, in.RowKey)
	return it.ID, err
}

// Refs names applications.
type Refs struct {
	// RowKey are ids or names of applications, one to 100; required.
	RowKey []string `json:"_RowKey" also:"ID" rpc:"one"`
}

// Check wants some.
func (r *Refs) Check() error {
	switch {
	case len(r.RowKey) == 0 || slices.ContainsFunc(r.RowKey, func(id string) bool { return strings.TrimSpace(id) == "" }):
		return fault.Missing("_RowKey")
	case len(r.RowKey) > maxMany:
		return ErrMany.Say("At most %d applications can be named in one call.", maxMany)
	}
	return nil
}

// Deleted is what became of one application.
type Deleted struct {
	Success bool   `json:"success"`
	RowKey  string `json:"_RowKey"` // as it was sent
	Message string `json:"Message,omitempty"`
}

// DeleteApplication deletes applications, with the rights on them, their places in sets, and every token that was issued for
// them. One that is unknown, or that the caller may not delete, fails alone, unless it is the only one. Errors: app.not_found,
// acl.denied. apps.yaml n 195.
func (a Applications) DeleteApplication(ctx context.Context, c *op.Call, in Refs) ([]Deleted, error) {
	return each(c, audit.AppDelete, in.RowKey, func(id string) (Deleted, error) {
		_, err := a.Apps.Delete(ctx, c, id)
		return Deleted{Success: err == nil, RowKey: id}, err
	}, func(id, why string) Deleted { return Deleted{RowKey: id, Message: why} })
}

// ServiceRef names an application by its ServiceName.
type ServiceRef struct {
	// Name is the ServiceName, whatever its case; required.
	Name string `json:"Name"`
}

// Check wants it.
func (r *ServiceRef) Check() error {
	if strings.TrimSpace(r.Name) == "" {
		return fault.Missing("name")
	}
	return nil
}

// GetAppIDByServiceName gives the id of the application of a ServiceName, on which the caller has some right. Errors:
// app.not_found. apps.yaml n 197.
func (a Applications) GetAppIDByServiceName(ctx context.Context, c *op.Call, in ServiceRef) (string, error) {
	return a.Apps.Service(ctx, c, in.Name)
}

// SetApplicationPermissions sets the rights that principals have on an application: Grant, View, Admin, ViewDetail, Delete,
// Execute (Run), Automatic. Each one named ends with exactly the rights named, None takes all, those not named keep theirs.
//
// The caller needs Grant on the application, and every right that they give, change or take, for as long as they give it.
// From, Until and Reason go beyond the contract. Errors: app.not_found, acl.denied, acl.right, acl.principal_not_found,
// acl.right_not_held. apps.yaml n 198.
func (a Applications) SetApplicationPermissions(ctx context.Context, c *op.Call, in permit.Permissions) (op.None, error) {
	t, err := a.Lists.Table(app.Table)
	if err != nil {
		return op.None{}, err
	}
	if _, err := a.Apps.Get(ctx, c, in.ID); err != nil {
		return op.None{}, err // before anything is told of principals
	}
	gs, err := in.Read(ctx, c, a.Lists, a.Roles, t)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, a.Apps.Permit(ctx, c, in.ID, gs...)
}

// SetApplicationCollectionPermissions sets the rights that principals have on every application in a set, those that are in it
// and those that will be. The caller needs Grant on the set, and on each application what SetApplicationPermissions asks for.
// Errors: collection.not_found, acl.denied, acl.right, acl.principal_not_found, acl.right_not_held. apps.yaml, behind n 199.
func (a Applications) SetApplicationCollectionPermissions(ctx context.Context, c *op.Call, in permit.Permissions) (op.None, error) {
	t, err := a.Lists.Table(app.Table)
	if err != nil {
		return op.None{}, err
	}
	set, _, err := a.Sets.Get(ctx, c, in.ID)
	if err == nil && set.Object != app.Table {
		err = collection.ErrType.Say("The set is none of applications.")
	}
	if err != nil {
		return op.None{}, err
	}
	gs, err := in.Read(ctx, c, a.Lists, a.Roles, t)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, a.Sets.PermitMembers(ctx, c, in.ID, gs...)
}
