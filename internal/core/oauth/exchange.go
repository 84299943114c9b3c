package oauth

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Ask is a request for tokens, read and with its client proved, before the transaction.
type Ask struct {
	App    App
	Client Client
	Type   string // grant_type
	Params wire.Params
	Scope  wire.Scope
	Key    string // thumbprint of a DPoP proof that was checked; empty: none came

	checked Checked // of the password grant
}

// way is a way to tokens. What all have in common the pipeline does: Prepare and Exchange.
type way struct {
	flow    Flow // that the application must allow; empty: whatever it allows
	machine bool // only clients that proved themselves may use it
	alone   bool // nobody but the client is concerned: there is no authorization, and no refresh token
	once    bool // there is no refresh token
	// prepare does what is slow, before the transaction; nil: nothing is.
	prepare func(s *Server, ctx context.Context, c *call.Call, a *Ask) error
	// foresee finds for whom tokens would be, with the scope, in a read snapshot: an application's script is asked what they tell before
	// run. It changes nothing, and need not check what run does. Nil: for the client itself.
	foresee func(s *Server, ctx context.Context, c *call.Call, a Ask) (grantee, error)
	// run checks what the request shows, and says to whom tokens are given. Where the grantee's authorization has no id, a new one is
	// stored, in the session that it names.
	run func(s *Server, ctx context.Context, c *call.Call, a Ask) (grantee, error)
}

// grants are the ways to tokens, by grant_type.
var grants = map[string]way{
	"authorization_code": {flow: CodeFlow, foresee: (*Server).ofCode, run: (*Server).byCode},
	"refresh_token":      {foresee: (*Server).ofRefresh, run: (*Server).byRefresh},
	"client_credentials": {flow: Credentials, machine: true, alone: true, foresee: (*Server).byCredentials, run: (*Server).byCredentials},
	"password":           {flow: PasswordFlow, machine: true, prepare: (*Server).checkOwner, foresee: (*Server).ofPassword, run: (*Server).byPassword},
	DeviceGrant:          {flow: DeviceFlow, foresee: (*Server).ofDevice, run: (*Server).byDevice},
	ExchangeGrant:        {flow: ExchangeFlow, machine: true, once: true, foresee: (*Server).ofExchange, run: (*Server).byExchange},
	BackchannelGrant:     {flow: BackchannelFlow, machine: true, foresee: (*Server).ofBackchannel, run: (*Server).byBackchannel},
}

// ReplayError says that something which is good once came a second time, and that what it belongs to has been ended; or that a
// wrong password was counted: the transaction must be committed all the same.
type ReplayError struct{ Fault *fault.Error }

// Error is the fault's text.
func (r *ReplayError) Error() string { return "refused and kept: " + r.Fault.Error() }

// Unwrap gives the fault.
func (r *ReplayError) Unwrap() error { return r.Fault }

// Prepare does what is slow or needs no lock: it finds the application, has the client prove itself, and checks a password.
func (s *Server) Prepare(ctx context.Context, c *call.Call, service, authorization string, p wire.Params, key string) (Ask, error) {
	a := Ask{Type: p.Get("grant_type"), Params: p, Key: key}
	cred, err := wire.ReadCredentials(authorization, p)
	if err != nil {
		return a, Fault(err)
	}
	if a.App, err = s.Called(ctx, c, service, authorization, p); err != nil {
		return a, err
	}
	if a.Type == "" {
		return a, Fault(&wire.Error{Code: wire.InvalidRequest, Description: "missing grant_type"})
	}
	g, ok := grants[a.Type]
	if !ok {
		return a, ErrGrantType
	}
	if a.Scope, err = wire.ReadScope(p.Get("scope")); err != nil {
		return a, Fault(err)
	}
	if a.Client, err = s.Authenticate(ctx, c, a.App, cred); err != nil {
		return a, err
	}
	if a.Key, err = bind(c, a.App, a.Client, key); err != nil {
		return a, err
	}
	if g.flow != "" && !a.App.Profile.allows(g.flow) || g.machine && !a.Client.Proved || a.Client.Kind == Registered && !a.Client.Grants(a.Type) {
		return a, ErrFlow
	}
	if err := a.bindable(); err != nil {
		return a, err
	}
	if err := errors.Join(a.Client.signable(), s.coverable(ctx, c, a.Client.Registration)); err != nil {
		return a, err
	}
	if g.prepare != nil {
		if err := g.prepare(s, ctx, c, &a); err != nil {
			return a, err
		}
	}
	if err := s.foresee(ctx, c, a); err != nil {
		return a, err
	}
	return a, s.Ensure(ctx, c)
}

// Exchange gives tokens for what the request shows. They are to be signed by Sign, after the transaction. A ReplayError must
// be committed.
func (s *Server) Exchange(ctx context.Context, c *call.Call, a Ask) (Granted, error) {
	by := grants[a.Type]
	g, err := by.run(s, ctx, c, a)
	if err != nil {
		return Granted{}, err
	}
	g.app, g.client = a.App, a.Client
	if g.key == "" {
		g.key = a.Key
	}
	g.scope = a.App.Profile.spelled(g.scope)
	if !g.scope.Within(a.App.Profile.Known()) || !a.Client.mayAsk(g.scope) {
		return Granted{}, ErrScope
	}
	if g.person.ID != "" {
		err = s.may(ctx, c, a.App, g.person)
	} else if a.App.Guarded {
		err = ErrGuarded
	}
	if err == nil && a.App.Ruled && g.auth.ID == "" {
		err = ErrGuarded
	}
	if err != nil {
		return Granted{}, err
	}
	if !by.alone && g.auth.ID == "" {
		if err := s.authorize(ctx, c, &g, g.auth.Session); err != nil {
			return Granted{}, err
		}
	}
	if c.Event != nil {
		c.Event.Type, c.Event.Kind, c.Event.Target, c.Event.Name, c.Event.User, c.Event.Login = audit.OAuthCreate, "Application", a.App.ID, a.App.Name, g.person.ID, g.person.Name
		c.Event.Set("ClientID", a.Client.ID)
		c.Event.Set("GrantType", a.Type)
		c.Event.Set("Scope", g.scope.String())
	}
	return s.issue(ctx, c, g, !by.alone && !by.once)
}

// may refuses people who are barred or may not use the application.
func (s *Server) may(ctx context.Context, c *call.Call, a App, p Person) error {
	switch {
	case p.Barred:
		return ErrDenied
	case a.Guarded:
		return ErrGuarded
	}
	ok, err := s.May(ctx, c, p.ID, a)
	if err == nil && !ok {
		err = ErrDenied
	}
	return err
}

// whose reads the person of an authorization; ErrGrant when there is none any more.
func (s *Server) whose(ctx context.Context, c *call.Call, id string) (Person, error) {
	p, err := s.Person(ctx, c, id)
	if err != nil && fault.Of(err).Kind == fault.NotFound {
		err = ErrGrant
	}
	return p, err
}

// again ends an authorization of which something came twice: somebody has a copy (RFC 6749 section 10.5, RFC 9700 section
// 4.14.2).
func (s *Server) again(ctx context.Context, c *call.Call, id string) error {
	if err := s.End(ctx, c, id, Replayed); err != nil {
		return err
	}
	return &ReplayError{ErrGrant}
}
