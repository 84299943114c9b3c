package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/audit"
	core "limen/internal/core/login"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
	"limen/web/login"
)

// landing is where people land who signed in at a provider and wanted to go nowhere else.
const landing = upstream.Path + "Portal"

// providers declares signing in at identity providers.
func (s SignIn) providers() []op.Op {
	begins := []*fault.Error{upstream.ErrUnknown, upstream.ErrProvider, ErrElsewhere}
	lands := []*fault.Error{upstream.ErrUnknown, upstream.ErrState, upstream.ErrProvider, upstream.ErrCancelled, upstream.ErrUnlinked, upstream.ErrTaken, upstream.ErrMany, core.ErrFailed}
	return append([]op.Op{
		op.Prepared(op.Spec{
			Path: path + "/with", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart, Rate: op.Guess, MaxBody: maxForm, Faults: begins,
		}, s.towards, s.With),
		op.Prepared(op.Spec{
			Path: callback(upstream.Facebook), Paths: []string{
				callback(upstream.Google), callback(upstream.LinkedIn), callback(upstream.Microsoft), callback(upstream.Twitter), upstream.Path + "{callback}",
			},
			Methods: []string{http.MethodGet}, Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess, MaxBody: maxForm, Faults: lands,
		}, s.landed, s.AuthCallback),
		op.New(op.Spec{Method: http.MethodGet, Path: landing, Allow: op.Anonymous, Effect: op.Read}, s.Portal),
	}, s.connections()...)
}

func callback(name string) string { return upstream.Provider{Name: name}.Callback() }

// ProviderForm says at which provider somebody wants to sign in.
type ProviderForm struct {
	// Provider is its name, required.
	Provider string `json:"provider"`
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
}

func (s SignIn) towards(ctx context.Context, c *op.Call, in ProviderForm) (upstream.Begun, error) {
	return s.Providers.PrepareBegin(ctx, c, upstream.Begin{Provider: in.Provider, To: target.Local(in.CloudRedirect)})
}

// With leads on to an identity provider, and binds the sign-in there to the browser by a cookie.
func (s SignIn) With(ctx context.Context, c *op.Call, _ ProviderForm, b upstream.Begun) (any, error) {
	c.Event.Target, c.Event.Kind, c.Event.Name = b.Provider.Name, "IdentityProvider", b.Provider.Name
	// A page and not a redirect: browsers hold every redirect behind a form against the policy of the form's page.
	return shown{view: login.Onward{Name: b.Provider.Display, To: b.URL}, cookies: []*http.Cookie{b.Bind(c)}}, s.Providers.Begin(ctx, c, b)
}

// ProviderAnswer is what a browser brings from an identity provider.
type ProviderAnswer struct {
	// State is the tenant's id, a hyphen, and the id of the sign-in; required.
	State string `json:"state"`
	// Code is to be redeemed at the provider.
	Code string `json:"code"`
	// Error stands in its place where nobody signed in there.
	Error string `json:"error"`
	// Issuer is whose answer it is (RFC 9207); empty where the provider does not say it.
	Issuer string `json:"iss"`
	// User is what Apple tells of a person at the first time: a JSON object with the name.
	User string `json:"user"`

	callback string // the last part of the path
	cookie   func(name string) string
}

// FromElsewhere says that another site sends the form: the state proves that it was asked for.
func (a *ProviderAnswer) FromElsewhere() {}

// See keeps at which provider's path the answer came, and the request's cookies.
func (a *ProviderAnswer) See(r *http.Request) {
	at := strings.TrimRight(r.URL.Path, "/")
	a.callback = at[strings.LastIndexByte(at, '/')+1:]
	a.cookie = func(name string) string {
		if k, err := r.Cookie(name); err == nil {
			return k.Value
		}
		return ""
	}
}

// guid is the length of the sign-in's id in a state.
const guid = 36

// TenantHint is the tenant of the state.
func (a *ProviderAnswer) TenantHint() op.Hint {
	if len(a.State) <= guid+1 || len(a.State) > 2*guid+64 || a.State[len(a.State)-guid-1] != '-' {
		return op.Hint{}
	}
	return op.Hint{Tenant: a.State[:len(a.State)-guid-1]}
}

func (s SignIn) landed(ctx context.Context, c *op.Call, in ProviderAnswer) (upstream.Landed, error) {
	a := upstream.Answer{
		Provider: upstream.NameOf(in.callback), State: in.State, Code: in.Code, Error: in.Error, Issuer: in.Issuer, User: in.User,
		Cookie: in.cookie(upstream.CookieOf(in.State, c.Client.Secure)),
	}
	l, err := s.Providers.Look(ctx, c, a)
	if errors.Is(err, upstream.ErrState) {
		return l, op.Refused(upstream.ErrState)
	}
	if err == nil {
		err = s.Logins.Ensure(ctx, c.Tenant.ID)
	}
	return l, err
}

// AuthCallback is where identity providers send browsers back to: each provider has a path of its own. The answer is taken of the browser
// that began, once, within ten minutes, and at the path of the provider that was asked. It signs in whose account it is, or goes on with what
// is asked for besides; where a client of the RPC dialect began, the browser is led back there with what ResumeFromExtIdpAuth takes, or with
// error and error_description. The answer may be a query or a form. social.yaml n 466 to 470.
func (s SignIn) AuthCallback(ctx context.Context, c *op.Call, in ProviderAnswer, l upstream.Landed) (any, error) {
	err := s.Providers.Land(ctx, c, l)
	switch {
	case errors.Is(err, upstream.ErrState):
		return nil, op.Refused(upstream.ErrState)
	case err != nil:
		return nil, err
	case l.User != "":
		return s.connected(ctx, c, in, l)
	case l.Wrong != nil:
		return s.unsigned(ctx, c, in, l, l.Wrong)
	}
	u, err := s.Providers.Whose(ctx, c, l)
	switch {
	case errors.Is(err, upstream.ErrUnlinked):
		return s.unsigned(ctx, c, in, l, upstream.ErrUnlinked)
	case err != nil:
		return nil, err
	case l.Return != "":
		return s.promised(ctx, c, in, l, u)
	}
	return s.shows(ctx, c, in, l, u)
}

// promised leads back to the client that began, which resumes the sign-in.
func (s SignIn) promised(ctx context.Context, c *op.Call, in ProviderAnswer, l upstream.Landed, u user.User) (any, error) {
	text, err := s.Providers.Promise(ctx, c, u.ID, l.Provider)
	c.Event.User, c.Event.Login = u.ID, u.Name
	c.Event.Set("IdentityProvider", l.Provider.Name)
	return back(c, in, l, url.Values{"ExtIdpAuthChallengeState": {text}, "username": {u.Name}, "customerId": {c.Tenant.ID}}), err
}

// shows begins the conversation of whom the provider has shown.
func (s SignIn) shows(ctx context.Context, c *op.Call, in ProviderAnswer, l upstream.Landed, u user.User) (any, error) {
	r, device, err := s.Logins.Vouched(ctx, c, u.ID, l.Provider.Name)
	if errors.Is(err, core.ErrFailed) {
		return s.unsigned(ctx, c, in, l, core.ErrFailed)
	}
	if err != nil {
		return nil, err
	}
	return s.vouched(ctx, c, in, l, r, device)
}

// vouched signs the browser in, or leads on to what is asked for besides.
func (s SignIn) vouched(ctx context.Context, c *op.Call, in ProviderAnswer, l upstream.Landed, r core.Result, device string) (any, error) {
	v, err := s.Providers.Settings.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	to := l.To
	if to == "" && cmp.Or(l.Provider.Portal, v.Social.Portal) != "" {
		to = landing + "?" + url.Values{"provider": {l.Provider.Name}}.Encode()
	}
	cookies := []*http.Cookie{upstream.Unbind(c, in.State)}
	// Pages and not redirects: what leads on from another site's redirect carries none of the cookies that are for this site alone.
	if r.Success != nil {
		cookies = append(append(cookies, s.SignedIn(c, r.Success)...), talkCookie(c, ""))
		return shown{view: login.Welcome{Account: r.Success.Person.Name, To: cmp.Or(to, path), Now: true}, cookies: cookies}, nil
	}
	cookies = append(append(cookies, s.Device(c, device)...), talkCookie(c, r.Package.Session))
	return shown{view: login.Onward{To: stepURL(to, "", "")}, cookies: cookies}, nil
}

// unsigned says that nobody is signed in, and why as far as it is anybody's business.
func (s SignIn) unsigned(ctx context.Context, c *op.Call, in ProviderAnswer, l upstream.Landed, f *fault.Error) (any, error) {
	c.Event.Set("IdentityProvider", l.Provider.Name)
	if l.Return != "" {
		c.Event.Outcome, c.Event.Reason = "refused", f.Code
		return back(c, in, l, url.Values{"error": {f.Code}, "error_description": {f.Public}}), nil
	}
	to := l.To
	if f == upstream.ErrUnlinked { //nolint:errorlint // the very one
		to = connectionsPath
	}
	view, err := s.named(ctx, c, login.Name{To: to, Code: f.Code, Reason: f.Public})
	if err != nil {
		return nil, err
	}
	return shown{view: view, cookies: []*http.Cookie{upstream.Unbind(c, in.State)}}, op.Refused(f)
}

// back leads to the client that began.
func back(c *op.Call, in ProviderAnswer, l upstream.Landed, more url.Values) op.Redirect {
	at, sign := l.Return, "?"
	if strings.Contains(at, "?") {
		sign = "&"
	}
	return op.Redirect{URL: at + sign + more.Encode(), Code: http.StatusFound, Cookie: []*http.Cookie{upstream.Unbind(c, in.State)}}
}

// named offers the providers, and a code, beside the name.
func (s SignIn) named(ctx context.Context, c *op.Call, v login.Name) (login.Name, error) {
	var err error
	if s.Offers != nil {
		if v.SignUp, v.Forgot, v.Recover, err = s.Offers(ctx, c); err != nil {
			return v, err
		}
	}
	if v.Scan, err = s.Logins.OffersCodes(ctx, c); err != nil || s.Providers == nil {
		return v, err
	}
	all, err := s.Providers.Offered(ctx, c)
	for _, p := range all {
		v.Providers = append(v.Providers, login.Provider{Name: p.Name, Display: p.Display})
	}
	return v, err
}

// Landing names where somebody signed in.
type Landing struct {
	// Provider is its name.
	Provider string `json:"provider"`
}

// Portal leads to where people land who signed in at a provider: its own page, the tenant's, or the page of sign-in where there is none.
// It leads nowhere that an administrator has not set.
func (s SignIn) Portal(ctx context.Context, c *op.Call, in Landing) (op.Redirect, error) {
	v, err := s.Providers.Settings.Get(ctx, c)
	if err != nil {
		return op.Redirect{}, err
	}
	p, err := s.Providers.Find(ctx, c, in.Provider)
	if err != nil && !errors.Is(err, upstream.ErrUnknown) {
		return op.Redirect{}, err
	}
	return op.Redirect{URL: cmp.Or(p.Portal, v.Social.Portal, path)}, nil
}
