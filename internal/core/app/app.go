// Package app is the applications of a tenant: records made from templates, with the settings of their kind. Who may do what
// with an application is for its access control list (core/acl): Execute lets people use it, and whoever makes one has every
// right on it. As the authorization server sees them, applications are core/oauth's App.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/collection"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of applications.
var (
	ErrNotFound     = fault.New(fault.NotFound, "app.not_found", "The requested data or its dependent data was not found in the service.")
	ErrTemplate     = fault.New(fault.NotFound, "app.template_not_found", "There is no such template.")
	ErrNameTaken    = fault.New(fault.Exists, "app.name_taken", "An application of that name already exists.")
	ErrService      = fault.New(fault.Invalid, "app.service", "An application id is 1 to 100 letters, digits and . _ - and does not begin with two underscores.")
	ErrServiceTaken = fault.New(fault.Exists, "app.service_taken", "The application id belongs to another application.")
	ErrProfile      = fault.New(fault.Invalid, "app.oauth_profile", "The OAuth profile is not complete.")
	ErrMember       = fault.New(fault.Invalid, "app.member", "A member of the record is not valid.")
	ErrTooMany      = fault.New(fault.Conflict, "app.too_many", "There are as many applications as there may be.")
	ErrStale        = fault.New(fault.Conflict, "app.stale", "The application was changed meanwhile. Please try again.")
	ErrNoScript     = fault.New(fault.Invalid, "app.no_script", "The template of the application has no script.")
	ErrUnowned      = fault.New(fault.Denied, "app.right_not_held", "Applications can only be given to roles by somebody who may give rights on them.")
)

// Table is the name of the table of applications in access control lists, sets and reports.
const Table = "Application"

// Execute is the right to use an application; Automatic also puts it before people unasked.
const (
	Execute   acl.Mask = 128
	Automatic acl.Mask = 1 << 31
)

// States.
const (
	Configured = "Configured" // something that it cannot do without is missing
	Active     = "Active"
)

// maxApps bounds the applications of a tenant.
const maxApps = 5000

// App is an application. Times are milliseconds since 1970 UTC.
type App struct {
	ID          string
	Name        string // unique in the tenant, whatever the case
	Service     string // ServiceName; empty: it has none
	Template    string
	Kind        string // Web, Mobile, Desktop
	Type        string // Saml, OpenIDConnect, OAuth ...; empty where it is no web application
	State       string
	Display     string
	Description string
	Category    string
	Members     map[string]json.RawMessage // the rest of the record, by the names of Catalogue
	Profile     *Profile                   // of applications that tokens are issued for
	Created     int64
	Changed     int64
	Version     int64

	secret, password string // sealed
}

// Sealed purposes.
const (
	secretPurpose   = "oauth-client" // core/oauth opens it
	passwordPurpose = "app-password"
)

// Apps are the applications of the call's tenant.
type Apps struct {
	Lists *acl.Lists
	Sets  *collection.Sets
	// Seal seals a secret of an application for a purpose of the tenant's.
	Seal func(ctx context.Context, c *call.Call, purpose, app string, plain []byte) (string, error)
	// Open opens what Seal sealed.
	Open func(ctx context.Context, c *call.Call, purpose, app, sealed string) ([]byte, error)
	// Ours says whether a host is one of this installation's.
	Ours func(ctx context.Context, host string) (bool, error)
	// Put publishes a change under the topic app, item the tenant (core/change).
	Put func(ctx context.Context, c *call.Call, topic, item string) error
	// Fresh says whether this node learns of changes at present; nil: always.
	Fresh func() bool
	// Ended ends what was allowed to an application that is deleted or changes whom it is for.
	Ended func(ctx context.Context, c *call.Call, id string) error
	// Gone forget what else is kept of an application that is deleted.
	Gone []func(ctx context.Context, c *call.Call, id string) error

	known   known
	origins origins
}

// Purposes are those that secrets are sealed for.
var Purposes = []string{secretPurpose, passwordPurpose}

// need finds an application by its id, or its name, on which the caller has rights. Faults: ErrNotFound, acl.ErrDenied.
func (a *Apps) need(ctx context.Context, c *call.Call, ref string, rights acl.Mask) (App, acl.Object, error) {
	r, err := found(byID.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(ref))))
	if errors.Is(err, ErrNotFound) {
		r, err = found(byName.One(ctx, c.Tx, c.Tenant.ID, fold.Key(strings.TrimSpace(ref))))
	}
	if err != nil {
		return App{}, acl.Object{}, err
	}
	o, err := a.Lists.Need(ctx, c, Table, r.ID, rights)
	if errors.Is(err, acl.ErrRow) {
		err = ErrNotFound
	}
	if err != nil {
		return App{}, acl.Object{}, err
	}
	out, err := r.app()
	return out, o, err
}

// found turns the absence of a row into its fault.
func found(r row, err error) (row, error) {
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return r, err
}

// Get reads an application by its id or its name. The caller needs View. Faults: ErrNotFound, acl.ErrDenied.
func (a *Apps) Get(ctx context.Context, c *call.Call, ref string) (App, error) {
	out, _, err := a.need(ctx, c, ref, acl.View)
	return out, err
}

// Editable is Get for who may change the application. Faults: ErrNotFound, acl.ErrDenied.
func (a *Apps) Editable(ctx context.Context, c *call.Call, ref string) (App, error) {
	out, _, err := a.need(ctx, c, ref, acl.Edit)
	return out, err
}

// Service gives the id of the application of a ServiceName; whoever may see or use it may ask. ErrNotFound.
func (a *Apps) Service(ctx context.Context, c *call.Call, name string) (string, error) {
	if Shared.is(name) {
		return Shared.ID, nil
	}
	r, err := found(byService.One(ctx, c.Tx, c.Tenant.ID, fold.Key(strings.TrimSpace(name))))
	if err != nil {
		return "", err
	}
	if _, err = a.Lists.Need(ctx, c, Table, r.ID, 0); errors.Is(err, acl.ErrRow) {
		err = ErrNotFound
	}
	return r.ID, err
}

// Offered says whether the template of an application, or the template of an id, is in the catalogue. ErrNotFound.
func (a *Apps) Offered(ctx context.Context, c *call.Call, ref string) (bool, error) {
	if _, ok := FindTemplate(ref); ok {
		return true, nil
	}
	it, err := a.Get(ctx, c, ref)
	if err != nil {
		return false, err
	}
	_, ok := FindTemplate(it.Template)
	return ok, nil
}

// OfRole lists the applications that a role has been given to use, by name. The caller has been let see the role.
func (a *Apps) OfRole(ctx context.Context, c *call.Call, roleID string) ([]App, error) {
	t, err := a.Lists.Table(Table)
	if err != nil {
		return nil, err
	}
	keys, err := a.Lists.Given(ctx, c, t, roleID, Execute)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return a.some(ctx, c, keys)
}

// noted says in the event which application the call is about.
func noted(c *call.Call, it App) {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = it.ID, Table, it.Name
	}
}

// Icon is the path of the application's picture.
func (it App) Icon() string {
	if own := it.Text("Icon"); own != "" {
		return own
	}
	if t, ok := FindTemplate(it.Template); ok {
		return t.Icon
	}
	return icon(it.Template)
}

// Kept says which secrets an application has.
func (it App) Kept() (secret, password bool) { return it.secret != "", it.password != "" }
