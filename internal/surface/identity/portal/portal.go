// Package portal is the RPC dialect's operations of the user portal (apps.yaml n 200-219 and those beside them): what people
// have before them, what they keep for themselves, and how it is handed over when they leave.
package portal

import (
	"context"
	"slices"

	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	core "limen/internal/core/portal"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Portal are the operations.
type Portal struct {
	Portal   *core.Portal
	People   *user.Directory
	Roles    *role.Roles
	Sessions *session.Sessions
}

// Faults of this surface.
var (
	ErrEncrypted = fault.New(fault.Invalid, "portal.encrypted", "Secrets encrypted for a key of the client's are not supported: send and read them in the clear, over TLS.")
	ErrSystem    = fault.New(fault.Denied, "portal.system", "Only system administrators may hand over what a system administrator has.")
)

var (
	named  = []*fault.Error{fault.ErrMissing, fault.ErrBlank, fault.ErrInvalid}
	anApp  = slices.Concat([]*fault.Error{core.ErrNotFound, acl.ErrDenied}, named)
	edited = []*fault.Error{core.ErrStale, core.ErrSize, core.ErrName, core.ErrAddress, core.ErrMany}
	shown  = append([]*fault.Error{session.ErrStale, ErrEncrypted}, anApp...)
)

// Ops declares them.
func (p Portal) Ops() []op.Op {
	return slices.Concat(p.looking(), p.tagging(), p.keeping(), p.adding())
}

func read(name string, allow op.Rule, faults ...*fault.Error) op.Spec {
	return op.Spec{Path: "/UPRest/" + name, Methods: []string{"GET"}, Allow: allow, Effect: op.Read, Faults: faults}
}

func write(name, event string, faults ...*fault.Error) op.Spec {
	return op.Spec{Path: "/UPRest/" + name, Allow: op.Authenticated, Effect: op.Write, Audit: event, Faults: faults}
}

func (p Portal) looking() []op.Op {
	whose := op.Any(op.Self, op.Has(right.UserManagement))
	byKey := write("GetAppByKey", audit.PortalApp, anApp...)
	byKey.Effects, byKey.Methods = []op.Effect{op.Read}, []string{"GET"}
	click := write("HandleAppClick", audit.AppLaunch, append([]*fault.Error{app.ErrClosed, app.ErrRules, app.ErrNotReady, app.ErrNoAddress, app.ErrSAML}, anApp...)...)
	click.Methods = []string{"GET"}
	return []op.Op{
		op.New(read("GetUPData", whose, user.ErrNotFound), p.GetUPData),
		op.New(read("GetResultantAppsForUser", whose, user.ErrNotFound, fault.ErrMissing), p.GetResultantAppsForUser),
		op.New(byKey, p.GetAppByKey),
		op.Prepared(click, func(ctx context.Context, c *op.Call, in Click) (op.None, error) { return p.ahead(ctx, c, in.AppKey) }, p.HandleAppClick),
		op.New(read("GetSecuredItemsData", op.Authenticated), p.GetSecuredItemsData),
		op.New(read("GetTagsForApp", op.Authenticated, anApp...), p.GetTagsForApp),
	}
}

func (p Portal) tagging() []op.Op {
	return []op.Op{
		op.New(write("CreateTagWithNoApp", audit.PortalTag, append(named, core.ErrTagExists, core.ErrMany)...), p.CreateTagWithNoApp),
		op.New(write("DeleteTag", audit.PortalTag, append(named, core.ErrTag)...), p.DeleteTag),
		op.New(write("RenameTag", audit.PortalTag, append(named, core.ErrTag, core.ErrTagExists)...), p.RenameTag),
		op.New(write("UpsertTagsForApp", audit.PortalTag, append(anApp, core.ErrMany)...), p.UpsertTagsForApp),
		op.New(write("UpsertTagsForSecuredItem", audit.PortalTag, append(anApp, core.ErrMany)...), p.UpsertTagsForSecuredItem),
	}
}

func (p Portal) keeping() []op.Op {
	creds := append([]*fault.Error{core.ErrMapping, ErrEncrypted}, append(anApp, edited...)...)
	reveal := func(name string, faults ...*fault.Error) op.Spec {
		s := write(name, audit.PortalReveal, append(faults, shown...)...)
		s.Methods = []string{"GET"}
		return s
	}
	settings := append([]*fault.Error{core.ErrMatching, core.ErrPattern}, append(anApp, edited...)...)
	return []op.Op{
		op.New(write("SetUserCredsForApp", audit.PortalCredential, creds...), p.SetUserCredsForApp),
		op.Prepared(reveal("GetMCFA", core.ErrView, app.ErrClosed, app.ErrRules), p.aheadSecret, p.GetMCFA),
		op.Prepared(reveal("GetTotpSeedForApp", core.ErrView, app.ErrClosed, app.ErrRules), p.aheadSecret, p.GetTotpSeedForApp),
		op.New(reveal("GetCredsForSecuredItem"), p.GetCredsForSecuredItem),
		op.New(write("UpdateCredsForSecuredItem", audit.PortalItem, append(anApp, edited...)...), p.UpdateCredsForSecuredItem),
		op.New(write("UpdatePersonalApplication", audit.PortalApp, append(anApp, edited...)...), p.UpdatePersonalApplication),
		op.New(write("UpdateCapturedUserApplication", audit.PortalApp, append(anApp, edited...)...), p.UpdateCapturedUserApplication),
		op.New(write("UpdateUserApplication", audit.PortalApp, settings...), p.UpdateUserApplication),
		op.New(read("ValidateUsernameIsAllowed", op.Authenticated, named...), p.ValidateUsernameIsAllowed),
	}
}

func (p Portal) adding() []op.Op {
	adding := append([]*fault.Error{core.ErrSelfService}, append(named, edited...)...)
	icon := func(name, event string) op.Spec {
		s := write(name, event, append(anApp, core.ErrIcon, core.ErrMany)...)
		s.MaxBody = 1 << 20
		return s
	}
	imports := write("ImportUserCredentials", audit.PortalImport, append(adding, fault.ErrTooLarge)...)
	imports.MaxBody, imports.Rate = 8<<20, op.Costly
	hand := op.Spec{
		Path: "/SaasManage/TransferOwnership", Allow: op.Has(right.ApplicationManagement), Effect: op.Write, Audit: audit.PortalTransfer, Rate: op.Costly,
		Faults: append([]*fault.Error{user.ErrNotFound, user.ErrStronger, ErrSystem, core.ErrTransferOff, core.ErrManager, core.ErrOwn, core.ErrMany, core.ErrStale, fault.ErrTooLarge}, named...),
	}
	return []op.Op{
		op.New(write("AddPersonalApplication", audit.PortalApp, adding...), p.AddPersonalApplication),
		op.New(write("AddUserApplication", audit.PortalApp, append(anApp, core.ErrStale)...), p.AddUserApplication),
		op.New(write("RemoveUserApplication", audit.PortalApp, append(anApp, core.ErrStale)...), p.RemoveUserApplication),
		op.New(write("AddSecuredItem", audit.PortalItem, adding...), p.AddSecuredItem),
		op.New(write("DeleteSecuredItem", audit.PortalItem, anApp...), p.DeleteSecuredItem),
		op.Prepared(icon("UploadPersonalAppIcon", audit.PortalApp), p.redrawApp, p.UploadPersonalAppIcon),
		op.Prepared(icon("UploadSecuredItemIcon", audit.PortalItem), p.redrawItem, p.UploadSecuredItemIcon),
		op.New(read("GetCredentialsProviderListForImport", op.Authenticated), p.GetCredentialsProviderListForImport),
		op.New(imports, p.ImportUserCredentials),
		op.New(read("GetRecentImportedAccountsFile", op.Authenticated, named...), p.GetRecentImportedAccountsFile),
		op.New(read("DownloadImportAccountsLogFile", op.Authenticated, anApp...), p.DownloadImportAccountsLogFile),
		op.New(hand, p.TransferOwnership),
	}
}

// ahead has the PolicyScript of an application decide about the caller, where it has one.
func (p Portal) ahead(ctx context.Context, c *op.Call, key string) (op.None, error) {
	return op.None{}, p.Portal.Ahead(ctx, c, key)
}

func (p Portal) aheadSecret(ctx context.Context, c *op.Call, in AppSecret) (op.None, error) {
	return p.ahead(ctx, c, in.AppKey)
}

// AppRef names an application of the caller's portal.
type AppRef struct {
	// AppKey is the application's key as GetUPData gives it: the id of an assigned application, or its name, and of one's own
	// @/home/<UUID of the person>/apps/<id>; required.
	AppKey string `json:"appkey" also:"id"`
}

// Check wants it.
func (r *AppRef) Check() error { return required("appkey", r.AppKey) }

// ItemRef names a secured item of the caller's.
type ItemRef struct {
	// ItemKey is the item's key as GetSecuredItemsData gives it; required.
	ItemKey string `json:"sItemkey" also:"itemkey"`
}

// Check wants it.
func (r *ItemRef) Check() error { return required("sItemkey", r.ItemKey) }

func required(field, value string) error {
	if blank(value) {
		return fault.Missing(field)
	}
	return nil
}

// self is the caller as a person.
func (p Portal) self(ctx context.Context, c *op.Call) (user.User, error) {
	return p.People.ByID(ctx, c, c.User())
}
