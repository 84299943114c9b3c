package app

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/provision"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// wireKernel gives the kernel what its stages need.
func (a *App) wireKernel() {
	a.Kernel = &op.Kernel{
		DB: a.DB, Log: a.Log, Fallback: fallback{}, Failures: &op.Failures{},
		Identify: a.identify, CatchUp: a.Changes.CatchUp, Tenant: a.place, Admit: a.Networks.Admit,
		Client: op.Clients{Trusted: a.Settings.Proxies(), Native: identity.Native, Device: deviceCookie, Watched: watched, Cert: a.Settings.CertHeader}.Of,
		Limit:  op.NewLimiter(op.DefaultBudgets, time.Now).Check,
		Record: a.Audit.Record, Happened: a.Audit.Happened,
		Meter: func(o *op.Op) func(*fault.Error, time.Duration) { return a.Metrics.Operation(o.Path) },
	}
	if a.Tracer != nil {
		a.Kernel.Trace = func(ctx context.Context, o *op.Op, id string) (context.Context, func(*fault.Error)) {
			return a.Tracer.Start(ctx, o.Path, id)
		}
	}
	for _, s := range a.Surfaces() {
		a.Kernel.Mount(s.Codec, s.Prefixes, s.Ops...)
	}
}

// watched says whether pages of applications watch the browser's session.
func watched(r *http.Request) bool {
	_, err := r.Cookie(oauth.StateCookie)
	return err == nil
}

func deviceCookie(r *http.Request) string {
	c, err := r.Cookie(identity.DeviceCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// perform runs a mounted operation for the caller of a call that is outside transactions, as if the caller had called it: with its
// own decision, transaction and events, by what the caller's session may now.
func (a *App) perform(ctx context.Context, c *call.Call, path string, body []byte) error {
	o, ok := a.Kernel.Find(http.MethodPost, path)
	if !ok {
		return fault.ErrNoPath
	}
	in := reflect.New(o.In).Interface()
	sent := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}, Header: http.Header{"Content-Type": {"application/json"}}}
	if err := (identity.Codec{}).Decode(&op.Request{HTTP: sent, Body: body, Op: &o}, in); err != nil {
		return err
	}
	if err := a.again(ctx, c); err != nil {
		return err
	}
	event, also, may, wrote := c.Event, c.Also, c.Grant, c.Wrote
	defer func() { c.Event, c.Also, c.Grant, c.Wrote = event, also, may, max(wrote, c.Wrote) }()
	_, err := a.Kernel.Run(ctx, &o, c, in)
	return err
}

// again looks anew at whose session a call is made with: it may have ended, or its person may hold other rights by now.
func (a *App) again(ctx context.Context, c *call.Call) error {
	if c.Caller == nil || c.Caller.Session == "" {
		return nil
	}
	now, _, err := a.Sessions.IdentifyID(ctx, c, c.Tenant.ID, c.Caller.Session)
	if err == nil {
		now.Means, now.Cookie = c.Caller.Means, c.Caller.Cookie
		c.Caller = &now
	}
	return err
}

// holder is what sessions need to know of a person.
func (a *App) holder(ctx context.Context, c *call.Call, userID string) (session.Holder, error) {
	u, err := a.People.ByID(ctx, c, userID)
	if err != nil {
		return session.Holder{}, err
	}
	return a.holderOf(ctx, c, u)
}

func (a *App) holderOf(ctx context.Context, c *call.Call, u user.User) (session.Holder, error) {
	m, err := a.Roles.Of(ctx, c, u.ID)
	if err != nil {
		return session.Holder{}, err
	}
	until := m.Until
	if end := time.UnixMilli(u.Expires); u.Expires != 0 && (until.IsZero() || end.Before(until)) {
		until = end
	}
	return session.Holder{Name: u.Name, Org: u.Org, Barred: u.Barred(c.Now), Roles: m.Roles, Held: m.Held, Until: until}, nil
}

// proofLasts is the tenant's setting Session.ProofMinutes.
func (a *App) proofLasts(ctx context.Context, c *call.Call) (time.Duration, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return 0, err
	}
	return v.Session.Proof, nil
}

// endSessions signs a person out everywhere.
func (a *App) endSessions(ctx context.Context, c *call.Call, userID string) error {
	_, err := a.Sessions.EndAll(ctx, c, userID, "")
	return err
}

// prove finds whom a session token, a platform token of a session that lives, or an access token of the authorization server
// belongs to. What is none of them gets the answer of what it looks like.
func (a *App) prove(ctx context.Context, c *call.Call, cred op.Credentials) (caller call.Caller, tenantID string, err error) {
	if cred.Proof != nil { // nobody else's tokens are bound to keys
		return a.proveToken(ctx, c, cred)
	}
	if workspace.Looks(cred.Token) {
		return a.proveWorkspace(ctx, c, cred)
	}
	if by, id, ok, err := a.proveKnown(ctx, c, cred); ok {
		return by, id, err
	}
	if strings.HasPrefix(cred.Token, provision.TokenPrefix) {
		return a.proveProvisioning(ctx, c, cred)
	}
	if caller, tenantID, err = a.proveSession(ctx, c, cred.Token); err == nil || fault.Of(err).Kind != fault.Unauthenticated {
		return caller, tenantID, err
	}
	by, id, other := a.proveToken(ctx, c, cred)
	if other != nil {
		return caller, tenantID, err
	}
	return by, id, nil
}

func (a *App) proveSession(ctx context.Context, c *call.Call, shown string) (caller call.Caller, tenantID string, err error) {
	if !token.Looks(shown) {
		return a.Sessions.Identify(ctx, c, shown)
	}
	claims, err := a.Tokens.Verify(ctx, shown, c.Now)
	if err != nil {
		return call.Caller{}, "", err
	}
	caller, tenantID, err = a.Sessions.IdentifyID(ctx, c, claims.Tenant, claims.Session)
	caller.Means = call.ByPlatform
	return caller, tenantID, err
}

// identify proves callers by their token and refuses hosts of other tenants.
func (a *App) identify(ctx context.Context, c *call.Call, cred op.Credentials) error {
	caller, id, err := a.prove(ctx, c, cred)
	if err != nil {
		return err
	}
	t, err := a.Index.ByID(ctx, id)
	if err != nil {
		return err
	}
	at, err := a.Index.AtHost(ctx, c.Client.Host)
	if err != nil {
		return err
	}
	if at != "" && at != id {
		return op.ErrTenant
	}
	caller.Cookie = cred.Cookie
	c.Tenant, c.Caller = t, &caller
	return nil
}

// place finds the tenant of callers who are not signed in.
func (a *App) place(ctx context.Context, c *call.Call, h op.Hint) error {
	t, err := a.Index.Find(ctx, tenant.Hint{Tenant: h.Tenant, Login: h.Login}, c.Client.Host)
	if err != nil && fault.Of(err).Kind != fault.NotFound {
		return err
	}
	if err != nil {
		return op.ErrNoTenant
	}
	c.Tenant = t
	return nil
}
