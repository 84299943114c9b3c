package oauth

import (
	"crypto/x509"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"limen/internal/crypt"
	wire "limen/internal/wire/oauth"
)

// App is an application as the authorization server sees it: whose tokens it issues, and on what terms. It is shared: read
// only. Where it is kept is core/app's.
type App struct {
	ID      string // the contract's _RowKey
	Service string // ServiceName: the last segment of its endpoints and of its issuer
	Name    string
	Active  bool
	// Wide says that it was asked for at the tenant's issuer, and not at its own (Server.At).
	Wide bool
	// Guarded says that the application has rules of its own about who may use it and how that cannot be read: nobody may.
	Guarded bool
	// Ruled says that the application has rules of its own that can be decided: Rules, AuthRules of its record, and Default, the profile
	// where none of them fits. They hold for authorization requests; who comes otherwise gets nothing.
	Ruled   bool
	Rules   json.RawMessage
	Default string
	Scripts Scripted // with a Policy the application is Ruled, and Rules do not count
	Profile Profile
	Derived *Derived // what was made of it; nil where nothing is remembered, as of one that a transaction read
}

// Profile are the terms, as the contract's OAuthProfile and the settings of custom OpenID Connect applications (apps.yaml n
// 196, oauth.yaml head).
type Profile struct {
	// Platform says that the tokens are for this program's own API, limited by the scopes' AllowedRest (TargetIsUs).
	Platform bool
	// OpenID says that ID tokens are given: the application is a custom OpenID Connect one.
	OpenID bool
	// IDBearer says that ID tokens which service users get for their own access tokens may be sent as bearers, too.
	IDBearer bool
	// ClientID is the application's own client, and Secret what it proves itself with, sealed; empty: the clients are
	// AllowedClients, or service users, or anybody.
	ClientID string
	Secret   string
	// Clients limits who may come where the application has no client of its own.
	Clients Clients
	Allowed []string // client ids of ListedClients
	// Public lets clients come that cannot keep a secret. They must use PKCE.
	Public bool
	// Client is what else is known of the application's own client, or of those without metadata of their own.
	Client wire.Metadata
	// Authorities are those whose certificates clients may prove themselves by (tls_client_auth); nil: none.
	Authorities *x509.CertPool
	Registering Registering // who may register further clients

	Redirects       wire.Redirects // where answers may go
	LogoutRedirects wire.Redirects // where people may go after signing out
	Issuer          string         // empty: https://<host>/<service>/
	Audience        string         // of access tokens; empty: the client id
	Alg             crypt.Alg      // what tokens are signed with, unless a client registered another; empty: the server's
	Opaque          bool           // access tokens are random, and known to Introspect alone; else signed JWTs
	Flows           []Flow         // which may be used
	Life            time.Duration  // of access and ID tokens
	Refresh         bool           // refresh tokens are given
	RefreshLife     time.Duration
	Exchange        Exchanges
	Consent         bool // people are asked before a client gets anything
	Pushed          bool // clients must push their authorization requests (RFC 9126)
	DPoPNonce       bool // DPoP proofs must repeat a nonce (RFC 9449 section 8)
	FAPI            FAPI // which of the FAPI 2.0 profiles its clients must keep
	Scopes          []Scope
	Sessions        bool     // pages of its clients are told when the browser's session changes (StateCookie)
	Origins         []string // whose scripts may call the endpoints: scheme, host and port
}

// SharedWith are the origins whose scripts may call the application's endpoints and read the answers: those that it names, and, where its
// clients are public, those that its answers go to.
func (p Profile) SharedWith() []string {
	out := slices.Clone(p.Origins)
	if !p.Public {
		return out
	}
	for _, uri := range p.Redirects {
		if o := wire.Origin(uri); o != "" {
			out = append(out, o)
		}
	}
	return out
}

// Shares says whether an origin is one of them.
func (p Profile) Shares(origin string) bool { return slices.Contains(p.SharedWith(), origin) }

// Scope is a scope that an application knows.
type Scope struct {
	Name        string
	Description string   // for the consent page
	Paths       []string // AllowedRest: regular expressions of paths that a token of Platform may call
}

// Clients says who may be a client of an application that has none of its own (ClientIDType, MustBeOauthClient).
type Clients string

// The kinds of clients.
const (
	AnyClient     Clients = "any"     // any id: public clients, with PKCE
	ListedClients Clients = "listed"  // ids of a list: the same
	Confidential  Clients = "service" // service users marked as confidential clients, with their passwords
)

// Flow is a way to tokens, by the names of AllowedAuth.
type Flow string

// The flows of the contract.
const (
	CodeFlow     Flow = "AuthorizationCode"
	Implicit     Flow = "Implicit"
	Credentials  Flow = "ClientCreds"
	PasswordFlow Flow = "ResourceCreds"
)

// Flows beyond the contract.
const (
	DeviceFlow      Flow = "DeviceCode"
	ExchangeFlow    Flow = "TokenExchange"
	BackchannelFlow Flow = "CIBA"
)

// Life of tokens that nobody has set (oauth.yaml head).
const (
	defaultLife        = 5 * time.Hour
	defaultRefreshLife = 365 * 24 * time.Hour
)

func (p Profile) life() time.Duration {
	if p.Life <= 0 {
		return defaultLife
	}
	return p.Life
}

// TokenLife is how long access and ID tokens live.
func (p Profile) TokenLife() time.Duration { return p.life() }

func (p Profile) refreshLife() time.Duration {
	if p.RefreshLife <= 0 {
		return defaultRefreshLife
	}
	return p.RefreshLife
}

// allows says whether a flow may be used.
func (p Profile) allows(f Flow) bool { return slices.Contains(p.Flows, f) }

// Reaches says whether scopes let a token of Platform call an operation, by any of its paths: one of their expressions matches
// the whole of it, with or without the slash in front, whatever the case. A path with a star behind it, such as scim*, is what
// guides tell to enter for all that begins so (scim.yaml, head). A scope without expressions reaches nothing.
func (p Profile) Reaches(scope wire.Scope, paths ...string) bool {
	for _, s := range p.Scopes {
		if !scope.Has(s.Name) {
			continue
		}
		for _, pattern := range s.Paths {
			if beginning.MatchString(pattern) {
				pattern = strings.TrimSuffix(pattern, "*") + ".*"
			}
			re, err := regexp.Compile(`(?i)^/?(?:` + strings.TrimPrefix(pattern, "/") + `)$`)
			if err == nil && slices.ContainsFunc(paths, re.MatchString) {
				return true
			}
		}
	}
	return false
}

// beginning is a path with a star behind it, and nothing else of an expression.
var beginning = regexp.MustCompile(`^[\w/-]*\w\*$`)

// openID are the scopes that every OpenID Connect application knows (OpenID Connect Core section 5.4 and 11).
var openID = wire.Scope{"openid", "profile", "email", "address", "phone", "offline_access"}

// Known are the scopes that may be asked for.
func (p Profile) Known() wire.Scope {
	var out wire.Scope
	if p.OpenID {
		out = slices.Clone(openID)
	}
	for _, s := range p.Scopes {
		if !out.Has(s.Name) {
			out = append(out, s.Name)
		}
	}
	return out
}

// spelled gives scopes as the application spells them, where letter case alone differs: guides for clients that provision write
// scim in capitals (scim.yaml, head).
func (p Profile) spelled(asked wire.Scope) wire.Scope {
	out := slices.Clone(asked)
	for i, name := range out {
		if slices.ContainsFunc(p.Scopes, func(s Scope) bool { return s.Name == name }) {
			continue
		}
		for _, s := range p.Scopes {
			if strings.EqualFold(s.Name, name) && !out.Has(s.Name) {
				out[i] = s.Name
			}
		}
	}
	return out
}

// GrantTypes are those that the application allows, as its metadata names them.
func (a App) GrantTypes() (out []string) {
	for _, name := range slices.Sorted(maps.Keys(grants)) {
		if g := grants[name]; name == "refresh_token" && a.Profile.Refresh || g.flow != "" && a.Profile.allows(g.flow) {
			out = append(out, name)
		}
	}
	if a.Profile.allows(Implicit) {
		out = append(out, "implicit")
	}
	return out
}

// ResponseTypes are those that the application allows.
func (a App) ResponseTypes() []string {
	p, out := a.Profile, []string{}
	if p.allows(CodeFlow) {
		out = append(out, "code")
	}
	if p.allows(Implicit) && p.OpenID {
		out = append(out, "id_token", "id_token token")
	}
	if p.allows(CodeFlow) && p.allows(Implicit) && p.OpenID {
		out = append(out, "code id_token", "code token", "code id_token token")
	}
	return out
}

// Allows says whether a flow may be used.
func (p Profile) Allows(f Flow) bool { return p.allows(f) }
