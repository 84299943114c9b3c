package oauth

import (
	"context"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// OAuth are the operations.
type OAuth struct {
	Server *oauth.Server
	// SignedOut are the cookies that end a browser's session; nil: none.
	SignedOut func(c *op.Call) []*http.Cookie
	// Locales are the languages that the tenant's pages can be in, as BCP 47 tags; nil: not told.
	Locales func(ctx context.Context, c *op.Call) ([]string, error)
	Shared  string // ServiceName of the application that every tenant has
	People  *user.Directory
	Roles   *role.Roles
}

// App names an application: the last segment of the endpoint's path.
type App struct {
	// App is the application's ServiceName; without it the tenant's issuer is asked.
	App string `json:"app_id"`
}

// faults are what most of the operations may answer.
var faults = []*fault.Error{oauth.ErrRequest, oauth.ErrUnknownApp, oauth.ErrClient}

// maxForm bounds a request: an assertion and a request object beside short parameters.
const maxForm = 64 << 10

// Ops declares them.
func (o OAuth) Ops() []op.Op {
	return wide(append(slices.Concat(o.documents(), o.authorization(), o.pushing(), o.registering(), o.confirmation(), o.leaving(), o.watching(), o.platform(), o.elsewhere()), []op.Op{
		op.Prepared(op.Spec{
			Path: "/OAuth2/Token/{app_id}", Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthCreate, Rate: op.Guess, MaxBody: maxForm,
			Faults: append(faults, oauth.ErrGrant, oauth.ErrFlow, oauth.ErrGrantType, oauth.ErrScope, oauth.ErrTarget, oauth.ErrDenied, oauth.ErrPending, oauth.ErrSlowDown,
				oauth.ErrExpired, oauth.ErrRefused, oauth.ErrProof, oauth.ErrNonce),
		}, o.prepareToken, o.Token),
		op.Prepared(op.Spec{
			Path: "/OAuth2/Revoke/{app_id}", Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthRevoke, Rate: op.Guess, MaxBody: maxForm, Faults: faults,
		}, o.prepareRevoke, o.Revoke),
		op.Prepared(op.Spec{
			Path: "/OAuth2/Introspect/{app_id}", Allow: op.Anonymous, Effect: op.Cached, MaxBody: maxForm, Faults: append(faults, oauth.ErrDenied),
		}, o.prepareIntrospect, o.Introspect),
		op.Prepared(op.Spec{
			Path: "/OAuth2/UserInfo/{app_id}", Methods: []string{http.MethodGet}, Allow: op.Anonymous, Effect: op.Cached, Effects: []op.Effect{op.Read, op.Write},
			Audit: audit.OAuthProof, MaxBody: maxForm, Faults: append(faults, oauth.ErrToken, oauth.ErrDenied, oauth.ErrProof, oauth.ErrNonce),
		}, o.prepareUserInfo, o.UserInfo),
	}...))
}

// wide gives every endpoint a path without an application as well: that of the tenant's issuer.
func wide(ops []op.Op) []op.Op {
	for i, o := range ops {
		switch o.Path {
		case managing:
			ops[i].Paths = append(o.Paths, "/OAuth2/Register")
		default:
			if path, ok := strings.CutSuffix(o.Path, "/{"+pathApp+"}"); ok {
				ops[i].Paths = append(o.Paths, path)
			}
		}
	}
	return ops
}

// TokenRequest asks for tokens. Form, query and flat JSON are all taken.
type TokenRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// GrantType is authorization_code, refresh_token, client_credentials, password, or one of
	// urn:ietf:params:oauth:grant-type:device_code, urn:ietf:params:oauth:grant-type:token-exchange and urn:openid:params:grant-type:ciba;
	// required.
	GrantType string `json:"grant_type"`
	// ClientID names the client, where the header Authorization does not.
	ClientID string `json:"client_id"`
	// ClientSecret is the client's secret, or the password of a service user, where the header does not have it.
	ClientSecret string `json:"client_secret"`
	// Code of an authorization answer, for authorization_code.
	Code string `json:"code"`
	// RedirectURI as it was in the authorization request.
	RedirectURI string `json:"redirect_uri"`
	// CodeVerifier answers the code challenge (RFC 7636).
	CodeVerifier string `json:"code_verifier"`
	// Username is the person's login name, for password.
	Username string `json:"username"`
	// Password is the person's, for password.
	Password string `json:"password"`
	// Scope asked for, spaces between.
	Scope string `json:"scope"`
	// RefreshToken, for refresh_token. It is good once: the answer has the next one.
	RefreshToken string `json:"refresh_token"`
	// DeviceCode of DeviceAuthorization.
	DeviceCode string `json:"device_code"`
	// AuthReqID of BackchannelAuthorize.
	AuthReqID string `json:"auth_req_id"`
	// SubjectToken is the access token that is exchanged, with SubjectTokenType.
	SubjectToken string `json:"subject_token"`
	// SubjectTokenType is urn:ietf:params:oauth:token-type:access_token.
	SubjectTokenType string `json:"subject_token_type"`
	// ActorToken is an access token of whoever acts for the person, with ActorTokenType.
	ActorToken string `json:"actor_token"`
	// ActorTokenType is as SubjectTokenType.
	ActorTokenType string `json:"actor_token_type"`
	// RequestedTokenType is the same, or absent.
	RequestedTokenType string `json:"requested_token_type"`
	// State is given back.
	State string `json:"state"`

	sent
}

// Tokens is the answer of the token endpoint (RFC 6749 section 5.1).
type Tokens struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"` // Bearer or DPoP
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
	// IDToken is there when openid is in the scope.
	IDToken string `json:"id_token,omitempty"`
	// RefreshToken is there when the application gives such.
	RefreshToken string `json:"refresh_token,omitempty"`
	// IssuedTokenType is there when a token was exchanged (RFC 8693 section 2.2.1).
	IssuedTokenType string `json:"issued_token_type,omitempty"`
	State           string `json:"state,omitempty"`

	granted oauth.Granted
	nonce   string
}

// next is the nonce for the client's next DPoP proof.
func (t Tokens) next() string { return t.nonce }

// finish signs the tokens, after the transaction that gave them.
func (t Tokens) finish(r *http.Request, c *op.Call, s *oauth.Server) (any, error) {
	g, err := s.Sign(r.Context(), c, t.granted)
	t.AccessToken, t.TokenType, t.ExpiresIn, t.Scope = g.Access, g.Type, int64(g.Life/time.Second), g.Scope.String()
	t.IDToken, t.RefreshToken = g.ID, g.Refresh
	return t, err
}

// prepared is a token request whose client has proved itself.
type prepared struct {
	ask   oauth.Ask
	proof wire.Proof // with an ID when one came
	nonce string     // that the next proof must repeat; empty: none
}

func (o OAuth) prepareToken(ctx context.Context, c *op.Call, in TokenRequest) (prepared, error) {
	p, err := o.proved(ctx, c, in.App, &in.sent)
	if err != nil {
		return prepared{}, err
	}
	ask, err := o.Server.Prepare(ctx, c, in.App, in.authorization, in.params, p.Thumbprint)
	if err != nil || p.ID == "" {
		return prepared{ask: ask}, err
	}
	nonce, err := o.Server.Nonce(ctx, c, ask.App)
	return prepared{ask, p, nonce}, err
}

// Token gives access, ID and refresh tokens for a code, a refresh token, a client's own credentials or a person's password.
// Codes and refresh tokens are good once; a second use ends everything that came of the same authorization. A DPoP proof in
// the header binds the tokens to its key (RFC 9449). Contract: oauth.yaml n 30; RFC 6749, OpenID Connect Core section 3.1.3.
func (o OAuth) Token(ctx context.Context, c *op.Call, in TokenRequest, p prepared) (Tokens, error) {
	if err := o.Server.Unused(ctx, c, p.proof); err != nil {
		return Tokens{}, err
	}
	g, err := o.Server.Exchange(ctx, c, p.ask)
	out := Tokens{State: in.State, granted: g, nonce: p.nonce}
	if in.GrantType == oauth.ExchangeGrant {
		out.IssuedTokenType = oauth.AccessTokenType
	}
	return out, refused(err)
}

// TokenRef names a token.
type TokenRef struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// Token is the token itself, required.
	Token string `json:"token"`
	// Hint is access_token or refresh_token; it is not needed.
	Hint string `json:"token_type_hint"`
	// ClientID names the client, where the header Authorization does not.
	ClientID string `json:"client_id"`
	// ClientSecret is its secret, where the header does not have it.
	ClientSecret string `json:"client_secret"`

	sent
}

// Check wants the token.
func (t *TokenRef) Check() error {
	if t.Token == "" {
		return oauth.ErrRequest.Say("missing token in request")
	}
	return nil
}

// client proves the client that names a token.
func (o OAuth) client(ctx context.Context, c *op.Call, in TokenRef) (oauth.App, oauth.Client, error) {
	a, err := o.Server.Called(ctx, c, in.App, in.authorization, in.params)
	if err != nil {
		return a, oauth.Client{}, err
	}
	cred, err := wire.ReadCredentials(in.authorization, in.params)
	if err != nil {
		return a, oauth.Client{}, oauth.Fault(err)
	}
	who, err := o.Server.Authenticate(ctx, c, a, cred)
	return a, who, err
}

func (o OAuth) prepareRevoke(ctx context.Context, c *op.Call, in TokenRef) (oauth.Client, error) {
	_, who, err := o.client(ctx, c, in)
	return who, err
}

// Revoke takes a token out of use. Only tokens of the client that asks are touched, and a token that is none is no error; a
// refresh token takes its access tokens along. Contract: oauth.yaml n 29; RFC 7009.
func (o OAuth) Revoke(ctx context.Context, c *op.Call, in TokenRef, who oauth.Client) (op.None, error) {
	l, err := o.Server.Revoke(ctx, c, who, in.Token)
	if c.Event != nil {
		c.Event.Kind, c.Event.Target, c.Event.User, c.Event.Login = "Application", l.App, l.User, l.Name
		c.Event.Set("ClientID", who.ID)
		c.Event.Set("Revoked", l.Kind)
	}
	return op.None{}, err
}

// asking is who introspects: a client of the application, or somebody who is signed in.
type asking struct {
	app    oauth.App
	client oauth.Client
}

func (o OAuth) prepareIntrospect(ctx context.Context, c *op.Call, in TokenRef) (asking, error) {
	if c.Caller != nil {
		if in.App == "" {
			return asking{app: oauth.App{Wide: true}}, nil
		}
		a, err := o.Server.App(ctx, c, in.App)
		return asking{app: a}, err
	}
	if in.authorization == "" && in.ClientID == "" && in.params.Get("client_assertion") == "" {
		return asking{}, oauth.ErrDenied.Say("requesting user not authenticated")
	}
	a, who, err := o.client(ctx, c, in)
	if err == nil && !who.Proved {
		err = oauth.ErrClient
	}
	return asking{a, who}, err
}

// Introspection says what a token is (RFC 7662 section 2.2). Of one that is not good it says active false and nothing else.
type Introspection struct {
	Active     bool   `json:"active"`
	Scope      string `json:"scope,omitempty"`
	ClientID   string `json:"client_id,omitempty"`
	Username   string `json:"username,omitempty"`
	UniqueName string `json:"unique_name,omitempty"` // login name, or the client
	TokenType  string `json:"token_type,omitempty"`
	Expires    int64  `json:"exp,omitempty"` // seconds since 1970
	Issued     int64  `json:"iat,omitempty"`
	Subject    string `json:"sub,omitempty"`
	Audience   any    `json:"aud,omitempty"`
	Issuer     string `json:"iss,omitempty"`
	ID         string `json:"jti,omitempty"`
	AuthTime   int64  `json:"auth_time,omitempty"`
	AppID      string `json:"app_id,omitempty"`
	// Bound is the key that it is bound to: jkt or x5t#S256.
	Bound map[string]string `json:"cnf,omitempty"`
	// Act is who acts for the person (RFC 8693 section 4.1).
	Act map[string]any `json:"act,omitempty"`

	by asking
}

const typeIntrospection = "application/token-introspection+jwt"

// finish signs the answer for a client that wants that, after the transaction (RFC 9701 section 4).
func (i Introspection) finish(r *http.Request, c *op.Call, s *oauth.Server) (any, error) {
	if i.by.client.ID == "" || !accepts(r, typeIntrospection) {
		return plain(i), nil
	}
	jwt, err := s.SignIntrospection(r.Context(), c, i.by.app, i.by.client.Registration, plain(i))
	return token{typeIntrospection, jwt}, err
}

// plain is an Introspection that is finished.
type plain Introspection

// accepts says whether a client names a media type among those that it wants.
func accepts(r *http.Request, media string) bool {
	for _, line := range r.Header.Values("Accept") {
		for one := range strings.SplitSeq(line, ",") {
			if t, _, err := mime.ParseMediaType(one); err == nil && t == media {
				return true
			}
		}
	}
	return false
}

// Introspect tells whether a token of the application is good, with its data. Clients that prove themselves may ask, and
// whoever is signed in. A client that accepts application/token-introspection+jwt gets the answer signed. Contract: oauth.yaml n 27;
// RFC 7662, RFC 9701.
func (o OAuth) Introspect(ctx context.Context, c *op.Call, in TokenRef, by asking) (Introspection, error) {
	l, err := o.Server.Look(ctx, c, in.Token)
	if err != nil {
		if fault.Of(err).Kind == fault.Unauthenticated {
			return Introspection{by: by}, nil
		}
		return Introspection{}, err
	}
	if by.app.ID == "" { // somebody asks at the tenant's issuer, of whatever application
		if by.app, err = o.Server.App(ctx, c, l.App); err != nil {
			return Introspection{}, err
		}
		by.app.Wide = true
	}
	if !l.From(by.app) {
		return Introspection{by: by}, nil
	}
	sub, name, err := o.Server.About(ctx, c, by.app, l)
	if err != nil {
		return Introspection{}, err
	}
	out := Introspection{
		Active: true, Scope: l.Scope.String(), ClientID: l.Client, Username: name, UniqueName: name, TokenType: "Bearer", Expires: l.Expires, Issued: l.Issued,
		Subject: sub, Audience: l.Client, Issuer: by.app.Issuer(c.Tenant.Host), ID: l.ID, AuthTime: l.AuthTime, AppID: by.app.Service, Act: l.Act, by: by,
	}
	if len(l.Audience) > 0 {
		out.Audience = l.Audience
		if len(l.Audience) == 1 {
			out.Audience = l.Audience[0]
		}
	}
	if out.Bound = oauth.Bond(l.Key); l.Key != "" && !l.OfCert() {
		out.TokenType = "DPoP"
	}
	return out, nil
}
