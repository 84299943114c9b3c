package oauth

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Live is what an access or refresh token that is good says (RFC 7662 section 2.2). Times are seconds since 1970.
type Live struct {
	Kind     string // access, refresh, or id of an ID token that may be sent as a bearer
	ID       string // jti of a signed one
	Granted  string // the authorization that it belongs to; empty: of a machine in its own name
	App      string // id or, of a signed one, ServiceName of the application
	Client   string
	User     string // UUID; empty: the client itself
	Name     string // login name, or the client
	Scope    wire.Scope
	Audience []string
	Issuer   string
	Wide     bool   // it was given at the tenant's issuer
	Key      string // thumbprint of the key that it is bound to
	AuthTime int64
	Act      map[string]any // who acts for the person, where the token was given for another (RFC 8693 section 4.1)
	Issued   int64
	Expires  int64

	mark  string                  // under which its revocation is told
	app   string                  // id of the application
	asked map[string]*wire.Wanted // claims that were asked for from UserInfo
	acr   string
	may   map[string]any // who may act (RFC 8693 section 4.4)
	depth int            // exchanges that lie behind it
}

// Look says what a token is, in a read snapshot; ErrToken when it is none of this tenant's that is good now: expired, revoked,
// its authorization ended, its person barred or without the application. It says so of every such token, and never why.
func (s *Server) Look(ctx context.Context, c *call.Call, token string) (Live, error) {
	if token == "" || len(token) > 16<<10 {
		return Live{}, ErrToken
	}
	out, err := s.looks.Get(ctx, c, looked(c, token), func() (change.Answer[Live], error) { return s.look(ctx, c, token) })
	if err == nil && c.Now.Unix() >= out.Expires {
		err = ErrToken
	}
	if err == nil && out.User != "" {
		err = s.entitled(ctx, c, &out)
	}
	if err != nil {
		return Live{}, err
	}
	return out, nil
}

// look is Look in the store.
func (s *Server) look(ctx context.Context, c *call.Call, token string) (out change.Answer[Live], err error) {
	l := &out.Value
	if strings.Count(token, ".") == 2 {
		*l, err = s.signed(ctx, c, token)
	} else {
		*l, err = s.stored(ctx, c, token)
	}
	if err == nil && c.Now.Unix() >= l.Expires {
		err = ErrToken
	}
	if err == nil {
		err = s.alive(ctx, c, l)
	}
	out.Of, out.Until = []string{l.mark, l.Granted, l.User, l.Client, l.app}, l.Expires*1000
	if l.Kind == "refresh" || l.depth > 0 { // what is good once, or ends with others
		out.Until = c.Now.UnixMilli()
	}
	return out, err
}

// signed reads an access token that is a JWT, or an ID token that may be sent as one (grantee.bearing).
func (s *Server) signed(ctx context.Context, c *call.Call, token string) (Live, error) {
	jwt, err := s.verified(ctx, c, token)
	if err != nil {
		return Live{}, err
	}
	var k struct {
		Issuer     string   `json:"iss"`
		Subject    string   `json:"sub"`
		UniqueName string   `json:"unique_name"`
		Client     string   `json:"client_id"`
		App        string   `json:"app_id"`
		Scope      string   `json:"scope"`
		ID         string   `json:"jti"`
		Audience   audience `json:"aud"`
		AuthTime   int64    `json:"auth_time"`
		Issued     int64    `json:"iat"`
		Expires    int64    `json:"exp"`
		ACR        string   `json:"acr"`

		Act map[string]any `json:"act"`
		May map[string]any `json:"may_act"`

		Bound struct {
			JKT  string `json:"jkt"`
			Cert string `json:"x5t#S256"`
		} `json:"cnf"`
	}
	bearer := jwt.Type == IDType // most ID tokens name no authorization, and are no bearers
	if jwt.Type != AccessType && !bearer || jwt.Claims(&k) != nil || bearer && (k.Scope == "" || len(k.Audience) != 1) {
		return Live{}, ErrToken
	}
	hash := crypt.TokenHash("token\x00" + k.ID)
	seen, err := spent.One(ctx, c.Tx, c.Tenant.ID, hash)
	if err != nil {
		return Live{}, err
	}
	granted, _, ok := strings.Cut(k.ID, ".")
	if seen.N > 0 || !ok || bearer && granted == "" {
		return Live{}, ErrToken
	}
	out := Live{
		Kind: "access", ID: k.ID, Granted: granted, App: k.App, Client: k.Client, User: k.Subject, Name: k.UniqueName, Scope: strings.Fields(k.Scope),
		Audience: k.Audience, Issuer: k.Issuer, Wide: k.Issuer == WideIssuer(c.Tenant.Host), Key: k.Bound.JKT, AuthTime: k.AuthTime, Issued: k.Issued, Expires: k.Expires,
		Act: k.Act, acr: k.ACR, may: k.May, mark: hex.EncodeToString(hash),
	}
	if k.Bound.Cert != "" {
		out.Key = certBond + k.Bound.Cert
	}
	if bearer {
		out.Kind, out.Client = "id", k.Audience[0]
	}
	if k.Subject == k.Client {
		out.User = ""
	}
	return out, nil
}

// stored reads an opaque access token or a refresh token.
func (s *Server) stored(ctx context.Context, c *call.Call, token string) (Live, error) {
	hash := crypt.TokenHash(token)
	row, err := findAccess.One(ctx, c.Tx, c.Tenant.ID, hash)
	if err == nil {
		return Live{
			Kind: "access", Granted: row.Granted, App: row.App, Client: row.Client, User: row.User, Name: row.Client, Scope: strings.Fields(row.Scope),
			Audience: strings.Fields(row.Audience), Wide: row.Wide == 1, Key: row.Thumbprint, Issued: row.Issued / 1000, Expires: row.Expires / 1000,
			mark: hex.EncodeToString(hash),
		}, nil
	}
	if !errors.Is(err, dbx.ErrNoRow) {
		return Live{}, err
	}
	r, err := findRefresh.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && r.Used != 0 {
		return Live{}, ErrToken
	}
	return Live{Kind: "refresh", Granted: r.Granted, Key: r.Thumbprint, Expires: r.Expires / 1000}, err
}

// alive completes what a token says by its authorization, which must stand; where it is of no person, its client must.
func (s *Server) alive(ctx context.Context, c *call.Call, l *Live) error {
	if l.Granted != "" {
		a, err := s.standing(ctx, c, l.Granted)
		if errors.Is(err, ErrGrant) {
			return ErrToken
		}
		if err != nil {
			return err
		}
		facts, err := a.facts()
		if err != nil {
			return err
		}
		l.App, l.Client, l.User, l.Wide, l.AuthTime = a.App, a.Client, a.User, a.Wide == 1, facts.AuthTime
		if l.acr, l.Act = facts.ACR, facts.Act; facts.Source != nil {
			l.depth = facts.Source.Depth
		}
		if facts.Claims != nil {
			l.asked = facts.Claims.UserInfo
		}
		if l.Kind == "refresh" {
			l.Scope, l.Issued = strings.Fields(a.Scope), a.Created/1000
		}
	}
	if l.User == "" {
		return s.stillThere(ctx, c, l)
	}
	return nil
}

// entitled wants the person of a token to stand and to have the application still. That is not remembered with the token: accounts and
// memberships run out by the clock alone.
func (s *Server) entitled(ctx context.Context, c *call.Call, l *Live) error {
	p, err := s.Person(ctx, c, l.User)
	if err != nil && fault.Of(err).Kind == fault.NotFound {
		return ErrToken
	}
	if err != nil {
		return err
	}
	a, err := s.App(ctx, c, l.App)
	if err == nil {
		err = s.may(ctx, c, a, p)
	}
	if errors.Is(err, ErrUnknownApp) || err != nil && fault.Of(err).Kind == fault.Denied {
		return ErrToken
	}
	l.Name = p.Name
	return err
}

// stillThere is whether the client stands that a token is for which it got in its own name.
func (s *Server) stillThere(ctx context.Context, c *call.Call, l *Live) error {
	a, err := s.App(ctx, c, l.App)
	if l.app = a.ID; err == nil {
		_, err = s.Registration(ctx, c, a, l.Client)
	}
	if errors.Is(err, ErrUnknownApp) || errors.Is(err, ErrClient) {
		return ErrToken
	}
	return err
}

// Revoke takes a token out of use that was issued to a client; a refresh token takes its access tokens along (RFC 7009
// section 2.1). Tokens of others and what is none are left alone, and that is no error.
func (s *Server) Revoke(ctx context.Context, c *call.Call, client Client, token string) (Live, error) {
	l, err := s.Look(ctx, c, token)
	if errors.Is(err, ErrToken) || err == nil && l.Client != client.ID {
		return Live{}, nil
	}
	if err != nil {
		return Live{}, err
	}
	switch {
	case l.Kind == "refresh":
		err = s.End(ctx, c, l.Granted, Revoked)
	case l.ID != "":
		_, err = spend.Do(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash("token\x00"+l.ID), l.Expires*1000)
	default:
		_, err = deleteAccess.Do(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(token))
	}
	if err == nil && l.mark != "" {
		err = s.told(ctx, c, l.mark)
	}
	return l, err
}

// Info is what UserInfo tells a client, which SignInfo signs where it wants that.
type Info struct {
	Claims map[string]any
	app    App
	client Registration
}

// From says whether the token was given by an application, at the issuer that is asked now.
func (l Live) From(a App) bool { return (l.App == a.ID || l.App == a.Service) && l.Wide == a.Wide }

// UserInfo are the claims of a token's person that its scope allows (OpenID Connect Core section 5.3).
func (s *Server) UserInfo(ctx context.Context, c *call.Call, a App, l Live) (out Info, err error) {
	out.app = a
	if out.client, err = s.client(ctx, c, a, l.Client); err == nil {
		out.Claims, err = s.infoClaims(ctx, c, l)
	}
	if err == nil {
		var extra map[string]json.RawMessage
		extra, err = s.scripted(c, a, l.Client, l.User, l.Scope)
		tell(out.Claims, extra)
	}
	if err != nil || !out.client.Pairwise() {
		return out, err
	}
	delete(out.Claims, "unique_name")
	out.Claims["sub"], err = s.Subject(ctx, c, out.client, l.User)
	return out, err
}

func (s *Server) infoClaims(ctx context.Context, c *call.Call, l Live) (map[string]any, error) {
	if l.User == "" || !slices.Contains(l.Scope, "openid") {
		return nil, Fault(&wire.Error{Code: wire.InsufficientScope, Description: "the token was not given for OpenID Connect"})
	}
	p, err := s.whose(ctx, c, l.User)
	if err != nil {
		return nil, err
	}
	out := p.Claims.of(l.Scope, l.asked)
	out["sub"], out["unique_name"], out["aud"] = p.ID, p.Name, l.Client
	if l.AuthTime > 0 {
		out["auth_time"] = l.AuthTime
	}
	return out, nil
}

// audience reads aud, which is a text or a list of them (RFC 7519 section 4.1.3).
type audience []string

// UnmarshalJSON reads either.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}
