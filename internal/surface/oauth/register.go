package oauth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// managing is the path by which a client manages itself.
const managing = "/OAuth2/Register/{app_id}/{client_id}"

// registering declares the registration of clients by themselves.
func (o OAuth) registering() []op.Op {
	spec := func(method, path, kind string) op.Spec {
		s := op.Spec{Method: method, Path: path, Allow: op.Anonymous, Effect: op.Write, Audit: kind, Rate: op.Guess, MaxBody: maxForm, Faults: append(faults, oauth.ErrToken, oauth.ErrDenied, oauth.ErrClients)}
		if kind == "" {
			s.Effect = op.Read
		}
		return s
	}
	return []op.Op{
		op.Prepared(spec(http.MethodPost, "/OAuth2/Register/{app_id}", audit.OAuthClientCreate), o.prepareRegister, o.Register),
		op.Prepared(spec(http.MethodGet, managing, ""), o.managed, o.GetRegistration),
		op.Prepared(spec(http.MethodPut, managing, audit.OAuthClientChange), o.prepareChange, o.ChangeRegistration),
		op.Prepared(spec(http.MethodDelete, managing, audit.OAuthClientDelete), o.managed, o.DeleteRegistration),
	}
}

// RegisterRequest is what a client says of itself: JSON with the members of RFC 7591 section 2 and of OpenID Connect Dynamic Client
// Registration section 2. Those that are not known are ignored.
type RegisterRequest struct {
	App    string `json:"app_id"`    // ServiceName of the application, in the path
	Client string `json:"client_id"` // the client's id, in the path; not of a new one

	wire.Registering
	bearer string
}

// take reads the request, whose body is not flat.
func (r *RegisterRequest) take(q *op.Request) (err error) {
	if r.App, r.Client = q.Path["app_id"], q.Path["client_id"]; r.Client == "" {
		r.Client = q.HTTP.URL.Query().Get("client_id") // at the tenant's issuer
	}
	if scheme, token, _ := strings.Cut(q.HTTP.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		r.bearer = strings.TrimSpace(token)
	}
	if len(q.Body) > 0 {
		r.Registering, err = wire.ReadRegistration(q.Body)
	}
	return oauth.Fault(err)
}

// Check is whether the metadata can be registered at any application.
func (r *RegisterRequest) Check() error { return oauth.Fault(r.Metadata.Check()) }

func (o OAuth) prepareRegister(ctx context.Context, c *op.Call, in RegisterRequest) (oauth.Draft, error) {
	return o.Server.PrepareRegister(ctx, c, in.App, in.bearer, in.Metadata)
}

// Register registers a client with an application that lets clients do so: anybody, or who shows an initial access token as a bearer. The
// answer has the client's id, its secret where the method of authentication needs one, and the token by which it manages itself; both are
// told this once. RFC 7591.
func (o OAuth) Register(ctx context.Context, c *op.Call, _ RegisterRequest, d oauth.Draft) (op.JSON, error) {
	out, err := registered(c, d)
	if err == nil {
		err = o.Server.Register(ctx, c, d)
	}
	return op.JSON{Code: http.StatusCreated, Body: out}, err
}

func (o OAuth) managed(ctx context.Context, c *op.Call, in RegisterRequest) (oauth.Draft, error) {
	return o.Server.Managed(ctx, c, in.App, in.Client, in.bearer)
}

// GetRegistration gives what is registered of a client to itself, by its registration access token. RFC 7592 section 2.1.
func (o OAuth) GetRegistration(_ context.Context, c *op.Call, _ RegisterRequest, d oauth.Draft) (op.JSON, error) {
	out, err := registered(c, d)
	return op.JSON{Body: out}, err
}

func (o OAuth) prepareChange(ctx context.Context, c *op.Call, in RegisterRequest) (oauth.Draft, error) {
	d, err := o.managed(ctx, c, in)
	if err != nil {
		return d, err
	}
	if in.ID != d.ID {
		return d, oauth.ErrRequest.Say("client_id must be the client's own")
	}
	return o.Server.PrepareChange(ctx, c, d, in.Secret, in.Metadata)
}

// ChangeRegistration replaces what is registered of a client: members that are left out are forgotten. The answer has another registration
// access token; the old one is good no more. RFC 7592 section 2.2.
func (o OAuth) ChangeRegistration(ctx context.Context, c *op.Call, _ RegisterRequest, d oauth.Draft) (op.JSON, error) {
	out, err := registered(c, d)
	if err == nil {
		err = o.Server.Change(ctx, c, d)
	}
	return op.JSON{Body: out}, err
}

// gone is the answer to a deletion.
type gone struct{}

// Write says that nothing is there any more.
func (gone) Write(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// DeleteRegistration deletes a client at its own wish, with all that it was allowed and its tokens. RFC 7592 section 2.3.
func (o OAuth) DeleteRegistration(ctx context.Context, c *op.Call, _ RegisterRequest, d oauth.Draft) (gone, error) {
	return gone{}, o.Server.Unregister(ctx, c, d.App, d.ID, d.Metadata)
}

// registered is the metadata with what the server adds (RFC 7591 section 3.2.1).
func registered(c *op.Call, d oauth.Draft) (map[string]any, error) {
	raw, err := json.Marshal(d.Metadata)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	out["client_id"], out["client_id_issued_at"] = d.ID, d.Created()
	out["registration_access_token"] = d.Token
	out["registration_client_uri"] = "https://" + c.Tenant.Host + d.App.Endpoint("Register") + "/" + url.PathEscape(d.ID)
	if d.App.Wide {
		out["registration_client_uri"] = "https://" + c.Tenant.Host + d.App.Endpoint("Register") + "?client_id=" + url.QueryEscape(d.ID)
	}
	if d.Secret != "" {
		out["client_secret"], out["client_secret_expires_at"] = d.Secret, 0
	}
	return out, nil
}
