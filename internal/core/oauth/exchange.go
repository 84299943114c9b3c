package oauth

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/crypt"
	"limen/internal/dbx"
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

// grants are the ways to tokens, by grant_type.
var grants = map[string]struct {
	flow    Flow // that the application must allow; empty: whatever it allows
	machine bool // only clients that proved themselves may use it
	run     func(s *Server, ctx context.Context, c *call.Call, a Ask) (grantee, error)
}{
	"authorization_code": {CodeFlow, false, (*Server).byCode},
	"refresh_token":      {"", false, (*Server).byRefresh},
	"client_credentials": {Credentials, true, (*Server).byCredentials},
	"password":           {PasswordFlow, true, (*Server).byPassword},
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
	if a.App, err = s.App(ctx, c, service); err != nil {
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
	if g.flow != "" && !a.App.Profile.allows(g.flow) || g.machine && a.Client.Public {
		return a, ErrFlow
	}
	if a.Type == "password" {
		a.checked, err = s.Password(ctx, c, p.Get("username"), p.Get("password"))
		if err != nil {
			return a, err
		}
	}
	return a, s.Ensure(ctx, c)
}

// Exchange gives tokens for what the request shows. They are to be signed by Sign, after the transaction. A ReplayError must
// be committed.
func (s *Server) Exchange(ctx context.Context, c *call.Call, a Ask) (Granted, error) {
	g, err := grants[a.Type].run(s, ctx, c, a)
	if err != nil {
		return Granted{}, err
	}
	g.app, g.client = a.App, a.Client
	if g.key == "" {
		g.key = a.Key
	}
	if g.scope, err = a.App.allowedScope(g.scope); err != nil {
		return Granted{}, err
	}
	if g.person.ID != "" {
		err = s.may(ctx, c, a.App, g.person)
	} else if a.App.Guarded {
		err = ErrGuarded
	}
	if err != nil {
		return Granted{}, err
	}
	if a.Type == "password" {
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
	return s.issue(ctx, c, g, a.Type != "client_credentials")
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
	if err := s.End(ctx, c, id); err != nil {
		return err
	}
	return &ReplayError{ErrGrant}
}

// byCode exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6).
func (s *Server) byCode(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	hash := crypt.TokenHash(a.Params.Get("code"))
	row, err := findCode.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Expires <= c.Now.UnixMilli() {
		return grantee{}, ErrGrant
	}
	if err != nil {
		return grantee{}, err
	}
	auth, err := s.standing(ctx, c, row.Granted)
	if err != nil {
		return grantee{}, err
	}
	if auth.App != a.App.ID || auth.Client != a.Client.ID {
		return grantee{}, ErrGrant // another client's: it tells nothing, and ends nothing
	}
	if row.Used != 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	var of asked
	if err := json.Unmarshal([]byte(row.Request), &of); err != nil {
		return grantee{}, err
	}
	if err := of.answered(a); err != nil {
		return grantee{}, err
	}
	n, err := useCode.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, hash)
	if err != nil {
		return grantee{}, err
	}
	if n == 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	g, err := s.resume(ctx, c, auth)
	g.nonce = of.Nonce
	return g, err
}

// answered checks what the exchange of a code must repeat or answer.
func (of asked) answered(a Ask) error {
	verifier := a.Params.Get("code_verifier")
	switch {
	case of.Redirect != a.Params.Get("redirect_uri"):
		return Fault(&wire.Error{Code: wire.InvalidGrant, Description: "mismatched redirect"})
	case of.Challenge.Value != "" && !of.Challenge.Verify(verifier), of.Challenge.Value == "" && verifier != "", of.Challenge.Value == "" && a.Client.Public:
		return ErrGrant
	case of.Key != "" && of.Key != a.Key:
		return ErrProof
	}
	return nil
}

// resume reads what tokens of an authorization say.
func (s *Server) resume(ctx context.Context, c *call.Call, auth Authorization) (grantee, error) {
	facts, err := auth.facts()
	if err != nil {
		return grantee{}, err
	}
	scope, err := wire.ReadScope(auth.Scope)
	if err != nil {
		return grantee{}, err
	}
	p, err := s.whose(ctx, c, auth.User)
	return grantee{person: p, auth: auth, facts: facts, scope: scope}, err
}

// byRefresh exchanges a refresh token, which is good once (RFC 6749 section 6, RFC 9700 section 4.14.2). The scope can be made
// smaller, and never larger.
func (s *Server) byRefresh(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	hash := crypt.TokenHash(a.Params.Get("refresh_token"))
	row, err := findRefresh.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Expires <= c.Now.UnixMilli() {
		return grantee{}, ErrGrant
	}
	if err != nil {
		return grantee{}, err
	}
	auth, err := s.standing(ctx, c, row.Granted)
	if err != nil {
		return grantee{}, err
	}
	if auth.App != a.App.ID || auth.Client != a.Client.ID || row.Thumbprint != "" && row.Thumbprint != a.Key {
		return grantee{}, ErrGrant
	}
	n := int64(0)
	if row.Used == 0 {
		if n, err = useRefresh.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, hash); err != nil {
			return grantee{}, err
		}
	}
	if n == 0 {
		return grantee{}, s.again(ctx, c, auth.ID)
	}
	g, err := s.resume(ctx, c, auth)
	if err != nil {
		return g, err
	}
	if len(a.Scope) > 0 {
		if !a.Scope.Within(g.scope) {
			return g, ErrScope
		}
		g.scope = a.Scope
	}
	// Who uses what they have been given keeps it: the authorization lives on with the new token.
	end := c.Now.Add(a.App.Profile.refreshLife()).UnixMilli()
	if g.auth.Expires < end {
		g.auth.Expires = end
		_, err = prolong.Do(ctx, c.Tx, end, c.Tenant.ID, auth.ID, end)
	}
	return g, err
}

// byCredentials is for machines in their own name (RFC 6749 section 4.4).
func (s *Server) byCredentials(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	g := grantee{scope: a.Scope}
	if a.Client.User == "" {
		return g, nil
	}
	p, err := s.whose(ctx, c, a.Client.User)
	g.person, g.facts.AuthTime = p, c.Now.Unix()
	return g, err
}

// byPassword is the resource owner's password (RFC 6749 section 4.3), for the contract's old clients.
func (s *Server) byPassword(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	id, session, err := a.checked.Commit(ctx, c)
	if err != nil {
		return grantee{}, err
	}
	p, err := s.whose(ctx, c, id)
	return grantee{person: p, scope: a.Scope, facts: Facts{AuthTime: c.Now.Unix(), AMR: []string{"pwd"}}, auth: Authorization{Session: session}}, err
}
