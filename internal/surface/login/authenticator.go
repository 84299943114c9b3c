package login

import (
	"context"
	"net/http"

	"limen/internal/fault"
	"limen/internal/op"
	app "limen/web/authenticator"
	"limen/web/login"
)

// authenticators declares the authenticator that runs in a browser: its page, and the files that this loads.
func (s SignIn) authenticators() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: app.Page, Setup: true, Allow: op.Anonymous, Effect: op.Cached}, s.Authenticator),
		op.New(op.Spec{
			Method: http.MethodGet, Path: app.Script, Paths: []string{app.Icon, app.Manifest, app.Worker}, Allow: op.Anonymous, Effect: op.Cached, Rate: op.Unruled,
			Faults: []*fault.Error{ErrNoFile},
		}, s.AuthenticatorFile),
	}
}

// ErrNoFile is for paths at which the app has no file.
var ErrNoFile = fault.New(fault.NotFound, "login.no_file", "There is no such file.")

// Authenticator is the page of the authenticator that runs in a browser: it can be installed on a phone. It keeps its key there, shows the
// sign-ins that wait and answers them, whether anybody is signed in or not. Who is signed in can set the device up.
func (s SignIn) Authenticator(_ context.Context, c *op.Call, _ op.None) (login.Authenticator, error) {
	out := login.Authenticator{TenantID: c.Tenant.ID}
	if signedIn(c) {
		out.User, out.Account = c.Caller.User, c.Caller.Name
	}
	return out, nil
}

// AppFile is a file of the app, by its path.
type AppFile struct{ path string }

// See keeps the path.
func (a *AppFile) See(r *http.Request) { a.path = r.URL.Path }

// AuthenticatorFile gives a file of the authenticator: its scripts, its icon, or the description by which browsers install it.
func (s SignIn) AuthenticatorFile(_ context.Context, c *op.Call, in AppFile) (op.File, error) {
	f, ok := app.At(in.path, "Authenticator "+c.Tenant.Host)
	if !ok {
		return op.File{}, ErrNoFile
	}
	return op.File{Type: f.Type, Body: f.Body}, nil
}
