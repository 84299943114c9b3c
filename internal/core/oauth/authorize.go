package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// Request is an authorization request of a known client that may be answered where it says.
type Request struct {
	App      App
	Ask      wire.Authorization
	Client   Registration
	Redirect string // where the answer goes
	// Presented is what was read, and by which way it came.
	Presented Presented
}

// UntrustedError is a refusal that must not be sent to the redirect URI: who asks is not known, or the URI is not theirs.
type UntrustedError struct{ Cause error }

// Error is the cause's text.
func (u *UntrustedError) Error() string { return u.Cause.Error() }

// Unwrap gives the cause.
func (u *UntrustedError) Unwrap() error { return u.Cause }

// Request reads an authorization request and checks all that can be checked before anybody signs in. A refusal that is no
// UntrustedError may be told to Request.Redirect.
func (s *Server) Request(ctx context.Context, c *call.Call, service string, p Presented) (Request, error) {
	a, err := s.At(ctx, c, service, p.Params.Get("client_id"))
	if err == nil && a.Wide != p.Wide { // it was begun at the other issuer
		err = ErrRequest
	}
	if err != nil {
		return Request{}, &UntrustedError{err}
	}
	ask, misread := wire.ReadAuthorization(p.Params)
	r := Request{App: a, Ask: ask, Redirect: ask.RedirectURI, Presented: p}
	if !a.Active {
		return r, &UntrustedError{ErrUnknownApp}
	}
	r.Client, err = s.Registration(ctx, c, a, ask.ClientID)
	if err != nil && !errors.Is(err, ErrClient) {
		return r, err
	}
	redirects := r.Client.Redirects
	if err != nil { // it may be told so where the application's own clients are told things
		redirects = a.Profile.Redirects
	}
	if r.Redirect == "" && len(redirects) == 1 {
		r.Redirect = redirects[0]
	}
	switch {
	case p.wrong != nil && !redirects.Allow(r.Redirect):
		return r, &UntrustedError{p.wrong}
	case !redirects.Allow(r.Redirect):
		return r, &UntrustedError{Fault(&wire.Error{Code: wire.InvalidRequest, Description: "invalid redirect"})}
	case p.wrong != nil:
		return r, p.wrong
	case misread != nil:
		return r, Fault(misread)
	case err != nil:
		return r, err
	}
	if r.Client.MaxAge != nil && r.Ask.MaxAge < 0 {
		r.Ask.MaxAge = time.Duration(*r.Client.MaxAge) * time.Second
	}
	if err := r.came(); err != nil {
		return r, err
	}
	return r, r.check()
}

// check is whether application and client may have what is asked for.
func (r Request) check() error {
	p, t := r.App.Profile, r.Ask.Type
	if err := r.Client.signable(); err != nil {
		return err
	}
	switch {
	case t.Code && !p.allows(CodeFlow), t.Front() && !p.allows(Implicit), r.Client.Kind == Registered && !r.Client.Responds(t):
		return Fault(&wire.Error{Code: wire.UnauthorizedClient, Description: "the application does not allow this response type"})
	case r.Ask.Prompt.Create:
		return Fault(&wire.Error{Code: wire.InvalidRequest, Description: "prompt create is not offered: administrators make accounts"})
	case t.IDToken && !p.OpenID:
		return ErrScope
	case t.IDToken && r.Ask.Nonce == "" && !p.IDBearer: // OpenID Connect Core section 3.2.2.1; the programs of service users send none
		return Fault(&wire.Error{Code: wire.InvalidRequest, Description: "an ID token from here wants a nonce"})
	case !r.Ask.Scope.Within(p.Known()) || !r.Client.mayAsk(r.Ask.Scope):
		return ErrScope
	case t.Code && r.Client.Public() && r.Ask.Challenge.Method != wire.S256:
		return Fault(&wire.Error{Code: wire.InvalidRequest, Description: "this client must send a code_challenge with the method S256"})
	}
	return nil
}

// SignedIn is who answers an authorization request, and how they signed in.
type SignedIn struct {
	Person  Person
	Session string
	Level   string    // session.Normal or session.High
	Proved  time.Time // when they last showed what they sign in with
	Factors []string  // RFC 8176 values
	Passed  []string  // mechanisms, as profiles name them
}

// Next is what has to happen before an authorization request can be answered.
type Next string

// What can be next.
const (
	Answer  Next = ""
	SignIn  Next = "signin"  // somebody must sign in, perhaps again
	Consent Next = "consent" // they must agree
)

// Next says what has to happen first. by is nil where nobody is signed in; again says that they have just signed in for this
// very request. Where the client wants nobody to be asked, what would have to be asked is an error.
func (s *Server) Next(ctx context.Context, c *call.Call, r Request, by *SignedIn, again bool) (Next, error) {
	ask := r.Ask
	switch {
	case by == nil,
		ask.Prompt.Login && !again,
		ask.MaxAge >= 0 && c.Now.Sub(by.Proved) > ask.MaxAge && !again:
		if ask.Prompt.None {
			return SignIn, Fault(&wire.Error{Code: wire.LoginRequired, Description: "somebody has to sign in"})
		}
		return SignIn, nil
	}
	if err := s.may(ctx, c, r.App, by.Person); err != nil {
		return Answer, err
	}
	if same, err := s.expected(ctx, c, r, by); err != nil || !same {
		if err == nil && (again || ask.Prompt.None) {
			err = Fault(&wire.Error{Code: wire.LoginRequired, Description: "somebody else than the user of id_token_hint is signed in"})
		}
		return SignIn, err
	}
	if first := further(ask, again); first != Answer {
		return first, nil
	}
	if first, err := s.assured(ctx, c, r, by); err != nil || first != Answer {
		return first, err
	}
	due, err := s.consentDue(ctx, c, r, by.Person.ID)
	switch {
	case err != nil || !due:
		return Answer, err
	case ask.Prompt.None:
		return Consent, Fault(&wire.Error{Code: wire.ConsentRequired, Description: "the user has to agree"})
	}
	return Consent, nil
}

// Reply is the answer to an authorization request: what is left is to sign its tokens.
type Reply struct {
	Code    string
	Granted Granted
	Tokens  bool
}

// Reply gives the code and the tokens that were asked for, and stores what they come of.
func (s *Server) Reply(ctx context.Context, c *call.Call, r Request, by SignedIn) (Reply, error) {
	if err := s.may(ctx, c, r.App, by.Person); err != nil {
		return Reply{}, err
	}
	g := grantee{
		app: r.App, client: Client{Registration: r.Client}, person: by.Person, scope: r.Ask.Scope, nonce: r.Ask.Nonce,
		facts: Facts{AuthTime: by.Proved.Unix(), ACR: r.acr(by), AMR: by.Factors, Resource: r.Ask.Resource, Claims: r.Ask.Claims, Seen: look(c, by)},
	}
	if err := s.authorize(ctx, c, &g, by.Session); err != nil {
		return Reply{}, err
	}
	var out Reply
	if r.Ask.Type.Code {
		plain, hash := crypt.NewToken(c.Rand)
		of, err := json.Marshal(asked{Redirect: r.Ask.RedirectURI, Challenge: r.Ask.Challenge, Nonce: r.Ask.Nonce, Key: r.Ask.DPoPKey})
		if err != nil {
			return Reply{}, err
		}
		if err := insertCode.Later(ctx, c.Tx, c.Tenant.ID, hash, g.auth.ID, string(of), c.Now.Add(codeLife).UnixMilli()); err != nil {
			return Reply{}, err
		}
		out.Code, g.code = plain, plain
	}
	if !r.Ask.Type.Front() {
		return out, nil
	}
	var err error
	out.Tokens = true
	if out.Granted, err = s.issue(ctx, c, g, false); err != nil {
		return Reply{}, err
	}
	if !r.Ask.Type.Token {
		out.Granted.access, out.Granted.Access = nil, ""
	}
	if !r.Ask.Type.IDToken {
		out.Granted.id = nil
	}
	return out, nil
}

type consentRow struct {
	Scope string `db:"scope"`
}

var (
	findConsent = dbx.Q[consentRow]("oauth.find_consent", `SELECT scope FROM oauth_consent WHERE tenant = ? AND user_id = ? AND app = ? AND client = ?`)
	putConsent  = dbx.E("oauth.put_consent", `INSERT INTO oauth_consent (tenant, user_id, app, client, scope, changed) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, app, client) DO UPDATE SET scope = excluded.scope, changed = excluded.changed`)
	dropConsent = dbx.E("oauth.drop_consent", `DELETE FROM oauth_consent WHERE tenant = ? AND user_id = ? AND app = ? AND client = ?`)
)

// consented is to what somebody has agreed.
func (s *Server) consented(ctx context.Context, c *call.Call, personID, app, client string) (wire.Scope, error) {
	row, err := findConsent.One(ctx, c.Tx, c.Tenant.ID, personID, app, client)
	if errors.Is(err, dbx.ErrNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return wire.ReadScope(row.Scope)
}

func (s *Server) consentDue(ctx context.Context, c *call.Call, r Request, personID string) (bool, error) {
	if r.Ask.Prompt.Consent {
		return true, nil
	}
	if !r.App.Profile.Consent && !r.Client.Itself { // whoever registers can call a client what they like
		return false, nil
	}
	had, err := s.consented(ctx, c, personID, r.App.ID, r.Client.ID)
	return !r.Ask.Scope.Within(had), err
}

// Agree remembers that somebody has agreed to scopes, beside those of before.
func (s *Server) Agree(ctx context.Context, c *call.Call, r Request, personID string, to wire.Scope) error {
	had, err := s.consented(ctx, c, personID, r.App.ID, r.Client.ID)
	if err != nil {
		return err
	}
	for _, v := range to {
		if !had.Has(v) {
			had = append(had, v)
		}
	}
	_, err = putConsent.Do(ctx, c.Tx, c.Tenant.ID, personID, r.App.ID, r.Client.ID, had.String(), c.Now.UnixMilli())
	return err
}

// Disagree forgets it, and ends what came of it.
func (s *Server) Disagree(ctx context.Context, c *call.Call, personID, app, client string) error {
	if _, err := dropConsent.Do(ctx, c.Tx, c.Tenant.ID, personID, app, client); err != nil {
		return err
	}
	return s.ending(ctx, c, endOfClient, Revoked, personID, app, client)
}
