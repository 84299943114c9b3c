package login

import (
	"context"
	"errors"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/session"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// connectionsPath is where people see which accounts elsewhere sign them in.
const connectionsPath = "/connections"

// ErrLast keeps people from locking themselves out.
var ErrLast = fault.New(fault.Conflict, "upstream.last", "This is the only way in which you can sign in. Set a password first.")

func (s SignIn) connections() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: connectionsPath, Allow: op.Anonymous, Effect: op.Read}, s.Connections),
		op.Prepared(op.Spec{
			Path: connectionsPath, Allow: op.Anonymous, Effect: op.Write, Audit: audit.UpstreamUnlink, Rate: op.Guess, MaxBody: maxForm,
			Faults: []*fault.Error{ErrElsewhere, ErrLast, upstream.ErrUnknown, upstream.ErrProvider, upstream.ErrNone},
		}, s.connecting, s.Connect),
	}
}

// Connections shows which accounts elsewhere sign the person in, and where they can connect one. Who is not signed in is led to the page
// for that first.
func (s SignIn) Connections(ctx context.Context, c *op.Call, _ op.None) (any, error) {
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(connectionsPath, "", "")}, nil
	}
	return s.connectedWith(ctx, c)
}

func (s SignIn) connectedWith(ctx context.Context, c *op.Call) (login.Connections, error) {
	out := login.Connections{Account: c.Caller.Name}
	all, err := s.Providers.Of(ctx, c, c.Caller.User)
	if err != nil {
		return out, err
	}
	for _, l := range all {
		out.Have = append(out.Have, login.Connection{Provider: l.Provider, Display: l.Display, Label: l.Label, Issuer: l.Issuer, Subject: l.Subject})
	}
	offered, err := s.Providers.Offered(ctx, c)
	for _, p := range offered {
		out.Providers = append(out.Providers, login.Provider{Name: p.Name, Display: p.Display})
	}
	return out, err
}

// ConnectionForm connects an account elsewhere, or disconnects one.
type ConnectionForm struct {
	// Do is connect or remove.
	Do string `json:"do"`
	// Provider is the name of the provider, required.
	Provider string `json:"provider"`
	// Issuer is that of the account to be disconnected.
	Issuer string `json:"issuer"`
	// Subject is the account to be disconnected.
	Subject string `json:"subject"`
}

func (s SignIn) connecting(ctx context.Context, c *op.Call, in ConnectionForm) (upstream.Begun, error) {
	if !signedIn(c) || in.Do != "connect" {
		return upstream.Begun{}, nil
	}
	return s.Providers.PrepareBegin(ctx, c, upstream.Begin{Provider: in.Provider, To: connectionsPath, User: c.Caller.User, Session: c.Caller.Session})
}

// Connect leads to a provider, so that the person shows an account there that is to sign them in as well; or takes one away. They must have
// shown not long ago who they are: a stolen session must not become the account.
func (s SignIn) Connect(ctx context.Context, c *op.Call, in ConnectionForm, b upstream.Begun) (any, error) {
	if !signedIn(c) {
		c.Event.Type = ""
		return next(connectionsPath, ""), nil
	}
	err := s.Sessions.Recent(ctx, c, c.Caller.User)
	if errors.Is(err, session.ErrStale) {
		c.Event.Type = ""
		return login.Name{User: c.Caller.Name, Again: true, To: connectionsPath}, nil
	}
	if err != nil {
		return nil, err
	}
	if in.Do == "connect" {
		c.Event.Type, c.Event.Target, c.Event.Kind, c.Event.Name = audit.LoginStart, b.Provider.Name, "IdentityProvider", b.Provider.Name
		return shown{view: login.Onward{Name: b.Provider.Display, To: b.URL}, cookies: []*http.Cookie{b.Bind(c)}}, s.Providers.Begin(ctx, c, b)
	}
	return s.disconnect(ctx, c, in)
}

func (s SignIn) disconnect(ctx context.Context, c *op.Call, in ConnectionForm) (any, error) {
	u, err := s.People.ByID(ctx, c, c.Caller.User)
	if err != nil {
		return nil, err
	}
	cur, err := s.Logins.Passwords.Find(ctx, c, u.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.Providers.Of(ctx, c, u.ID)
	if err == nil && cur.Hash == "" && len(all) < 2 {
		err = ErrLast
	}
	if err == nil {
		err = s.Providers.Disconnect(ctx, c, u, in.Provider, in.Issuer, in.Subject)
	}
	if err != nil {
		return s.unconnected(ctx, c, err)
	}
	return op.Redirect{URL: connectionsPath, Code: http.StatusSeeOther}, nil
}

// unconnected shows the page again with what is wrong.
func (s SignIn) unconnected(ctx context.Context, c *op.Call, err error) (any, error) {
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		return nil, err
	}
	view, err := s.connectedWith(ctx, c)
	view.Code, view.Reason = f.Code, f.Public
	if err != nil {
		return nil, err
	}
	return shown{view: view}, op.Refused(f)
}

// connected connects the account that somebody showed who was signed in when they began, and still is.
func (s SignIn) connected(ctx context.Context, c *op.Call, in ProviderAnswer, l upstream.Landed) (any, error) {
	c.Event.Set("IdentityProvider", l.Provider.Name)
	u, err := s.owner(ctx, c, l)
	f := l.Wrong
	switch {
	case errors.Is(err, session.ErrUnknown), errors.Is(err, user.ErrNotFound):
		return nil, op.Refused(upstream.ErrState)
	case err != nil:
		return nil, err
	case f == nil:
		err = s.Providers.Connect(ctx, c, u, l)
		if f = fault.Of(err); f != nil && f.Kind == fault.Internal {
			return nil, err
		}
	}
	c.Event.User, c.Event.Login = u.ID, u.Name
	gone := []*http.Cookie{upstream.Unbind(c, in.State)}
	if f != nil {
		return shown{view: login.Fault{Code: f.Code, Reason: f.Public, ID: shortID(c)}, cookies: gone}, op.Refused(f)
	}
	return shown{view: login.Welcome{Account: u.Name, To: connectionsPath, Now: true}, cookies: gone}, nil
}

// owner is who began to connect an account, if they are signed in by the same session and may be.
func (s SignIn) owner(ctx context.Context, c *op.Call, l upstream.Landed) (user.User, error) {
	in, err := s.Sessions.Find(ctx, c, l.Session)
	if err == nil && in.User != l.User {
		err = session.ErrUnknown
	}
	if err != nil {
		return user.User{}, err
	}
	u, err := s.People.ByID(ctx, c, l.User)
	if err == nil && u.Barred(c.Now) {
		err = session.ErrUnknown
	}
	return u, err
}
