package oauth

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	wire "limen/internal/wire/oauth"
)

// AccessType and IDType are the header's typ of what is signed: none passes for another (RFC 8725 section 3.11, RFC 9068
// section 2.1).
const (
	AccessType = "at+jwt"
	IDType     = "JWT"
)

// grantee is to whom, and on what terms, tokens are issued.
type grantee struct {
	app    App
	client Client
	person Person
	auth   Authorization // its ID is empty where a machine comes in its own name
	facts  Facts
	scope  wire.Scope
	key    string // thumbprint of the key that tokens are bound to; empty: to none
	nonce  string
	sub    string // by which the client knows the person
	code   string // that goes along in a hybrid answer
	keeps  bool   // the client keeps the refresh token that it has
	until  int64  // ms since 1970 UTC at which all ends at the latest; 0: by the application's terms
}

// Granted are tokens on their way: what is stored is stored, and what is signed is signed by Sign, after the transaction, so
// that nobody waits for a signature with the store's lock in hand.
type Granted struct {
	Access  string // opaque, or empty until it is signed
	Type    string // Bearer or DPoP
	Life    time.Duration
	Scope   wire.Scope
	Refresh string // empty: none is given
	ID      string // empty until it is signed, or when none is given
	access  map[string]any
	id      map[string]any
	code    string
	app     App
	client  Registration
}

// issue stores what has to be stored and gives the tokens.
func (s *Server) issue(ctx context.Context, c *call.Call, g grantee, withRefresh bool) (Granted, error) {
	p := g.app.Profile
	out := Granted{Type: tokenType(g.key), Life: p.life(), Scope: g.scope, code: g.code, app: g.app, client: g.client.Registration}
	if g.auth.ID != "" {
		out.Life = min(out.Life, time.Duration(g.auth.Expires-c.Now.UnixMilli())*time.Millisecond)
	}
	if g.auth.ID != "" {
		var err error
		if g.sub, err = s.Subject(ctx, c, g.client.Registration, g.person.ID); err != nil {
			return Granted{}, err
		}
	}
	extra, err := s.scripted(c, g.app, g.client.ID, g.person.ID, g.scope)
	if err != nil {
		return Granted{}, err
	}
	audience := g.audience()
	if p.Opaque {
		plain, hash := crypt.NewToken(c.Rand)
		out.Access = plain
		err := insertAccess.Later(ctx, c.Tx, c.Tenant.ID, hash, g.auth.ID, g.app.ID, g.client.ID, g.person.ID, g.scope.String(), strings.Join(audience, " "), g.key,
			c.Now.UnixMilli(), c.Now.Add(out.Life).UnixMilli(), g.app.wide())
		if err != nil {
			return Granted{}, err
		}
	} else {
		out.access = g.accessClaims(c, audience, out.Life)
		tell(out.access, extra)
	}
	if p.OpenID && g.scope.Has("openid") && g.person.ID != "" {
		out.id = g.idClaims(c, out.Life)
		tell(out.id, extra)
		g.bearing(c, out.id)
	}
	if withRefresh && p.Refresh && g.auth.ID != "" && !g.keeps {
		var err error
		if out.Refresh, err = s.refresh(ctx, c, g); err != nil {
			return Granted{}, err
		}
	}
	return out, nil
}

// secret says whether the client is not to know by what name others know the person.
func (g grantee) secret() bool { return g.client.Pairwise() && g.auth.ID != "" }

func (g grantee) audience() []string {
	switch {
	case len(g.facts.Resource) > 0:
		return g.facts.Resource
	case g.app.Profile.Audience != "":
		return []string{g.app.Profile.Audience}
	}
	return []string{g.client.ID}
}

// subject is whom tokens are about: the person, or the client where there is none (RFC 9068 section 2.2).
func (g grantee) subject() (id, name string) {
	if g.person.ID == "" {
		return g.client.ID, g.client.ID
	}
	if g.auth.ID == "" {
		return g.person.ID, g.person.Name // a service user that comes in its own name
	}
	return g.sub, g.person.Name
}

// accessClaims are those of RFC 9068 section 2.2, and the contract's app_id and unique_name. jti begins with the
// authorization that the token belongs to, so that its end is seen.
func (g grantee) accessClaims(c *call.Call, audience []string, life time.Duration) map[string]any {
	sub, name := g.subject()
	now := c.Now.Unix()
	out := map[string]any{
		"iss": g.app.Issuer(c.Tenant.Host), "sub": sub, "unique_name": name, "client_id": g.client.ID, "app_id": g.app.Service,
		"scope": g.scope.String(), "iat": now, "exp": now + int64(life/time.Second), "jti": g.auth.ID + "." + c.NewID(), "aud": one(audience),
	}
	if g.secret() {
		delete(out, "unique_name")
	}
	if g.facts.AuthTime > 0 {
		out["auth_time"] = g.facts.AuthTime
	}
	if g.facts.ACR != "" {
		out["acr"] = g.facts.ACR
	}
	if g.facts.Act != nil {
		out["act"] = g.facts.Act
	}
	if g.key != "" {
		out["cnf"] = Bond(g.key)
	}
	return out
}

// one is a list of one as its only element, which is how most clients read aud.
func one(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func (g grantee) idClaims(c *call.Call, life time.Duration) map[string]any {
	var wanted map[string]*wire.Wanted
	if g.facts.Claims != nil {
		wanted = g.facts.Claims.IDToken
	}
	out := g.person.Claims.of(g.scope, wanted)
	now := c.Now.Unix()
	for name, v := range map[string]any{
		"iss": g.app.Issuer(c.Tenant.Host), "sub": g.sub, "aud": g.client.ID, "unique_name": g.person.Name, "iat": now, "exp": now + int64(life/time.Second),
		"auth_time": g.facts.AuthTime, "nonce": g.nonce, "acr": g.facts.ACR, "sid": g.auth.Session,
	} {
		if v != "" && v != int64(0) {
			out[name] = v
		}
	}
	if g.secret() {
		delete(out, "unique_name")
	}
	if len(g.facts.AMR) > 0 {
		out["amr"] = g.facts.AMR
	}
	return out
}

// Sign signs what is to be signed. It must run outside of transactions.
func (s *Server) Sign(ctx context.Context, c *call.Call, g Granted) (Granted, error) {
	var err error
	if g.access != nil {
		if g.Access, err = s.sign(ctx, c, g.app, g.client, ForAccess, AccessType, g.access); err != nil {
			return g, err
		}
	}
	if g.id == nil {
		return g, nil
	}
	alg := s.algOf(g.app, g.client, ForID)
	if g.Access != "" {
		g.id["at_hash"] = wire.HalfHash(alg, g.Access)
	}
	if g.code != "" {
		g.id["c_hash"] = wire.HalfHash(alg, g.code)
	}
	g.ID, err = s.sign(ctx, c, g.app, g.client, ForID, IDType, g.id)
	return g, err
}

// authorize stores what a person has allowed.
func (s *Server) authorize(ctx context.Context, c *call.Call, g *grantee, session string) error {
	facts, err := json.Marshal(g.facts)
	if err != nil {
		return err
	}
	life := g.app.Profile.life()
	if g.app.Profile.Refresh {
		life = max(life, g.app.Profile.refreshLife())
	}
	g.auth = Authorization{
		ID: c.NewID(), App: g.app.ID, Client: g.client.ID, User: g.person.ID, Session: session, Scope: g.scope.String(), Facts: string(facts),
		Created: c.Now.UnixMilli(), Expires: c.Now.Add(life + codeLife).UnixMilli(), Wide: g.app.wide(),
	}
	if g.client.BackLogoutURI != "" {
		g.auth.Tell = 1
	}
	if session != "" && g.app.Profile.OpenID && !g.scope.Has("offline_access") {
		g.auth.Held = 1
	}
	if g.until > 0 {
		g.auth.Expires = min(g.auth.Expires, g.until)
	}
	a := g.auth
	return insertAuthorization.Later(ctx, c.Tx, c.Tenant.ID, a.ID, a.App, a.Client, a.User, a.Session, a.Scope, a.Facts, a.Created, a.Expires,
		a.Tell, a.Held, a.Wide, c.Now.Add(reviewEvery).UnixMilli())
}
