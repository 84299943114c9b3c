package app

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/crypt"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Kinds of access tokens.
const (
	JWT    = "JwtRS256"
	Opaque = "Opaque"
)

// Bounds of a profile.
const (
	maxRedirects = 200
	maxScopes    = 200
	maxPaths     = 100
	maxText      = 2000
	maxPattern   = 500
	maxLife      = 366 * 24 * time.Hour
	maxRefresh   = 10 * maxLife
	minSecret    = 16
)

// Profile is the contract's OAuthProfile (apps.yaml n 196), which is replaced as a whole. Its secret is kept apart.
type Profile struct {
	TargetIsUs            bool     `json:"TargetIsUs"`   // tokens are for this platform's own API
	ClientIDType          int      `json:"ClientIDType"` // 0: anything, or AllowedClients; 1: confidential clients
	AllowPublic           bool     `json:"AllowPublic"`  // clients may come without a secret, with PKCE
	AllowedClients        []string `json:"AllowedClients"`
	MustBeOauthClient     bool     `json:"MustBeOauthClient"` // clients are service users
	Issuer                string   `json:"Issuer"`            // empty: https://<host>/<ServiceName>/
	Audience              string   `json:"Audience"`          // empty: the client's id
	ClientID              string   `json:"ClientID"`          // of OpenID Connect applications, generated
	URL                   string   `json:"Url"`
	Redirects             []string `json:"Redirects"`
	PostLogoutRedirects   []string `json:"PostLogoutRedirects"` // beyond the contract, which names the setting only
	TokenType             string   `json:"TokenType"`           // JwtRS256, Opaque
	AllowedAuth           string   `json:"AllowedAuth"`         // flows, commas between
	TokenLifetimeString   string   `json:"TokenLifetimeString"` // [d.]hh:mm:ss
	AllowRefresh          bool     `json:"AllowRefresh"`
	RefreshLifetimeString string   `json:"RefreshLifetimeString"`
	Confirm               bool     `json:"Confirm"` // people are asked before a client gets anything
	AllowScopeSelect      bool     `json:"AllowScopeSelect"`
	KnownScopes           []Scope  `json:"KnownScopes"`
	// Beyond the contract: RequirePushed wants clients to push their authorization requests (RFC 9126), DPoPNonce wants their DPoP
	// proofs to repeat what the server gave (RFC 9449 section 8), and FAPI is security or message-signing, for the profiles of FAPI 2.0.
	RequirePushed bool       `json:"RequirePushed,omitempty"`
	DPoPNonce     bool       `json:"DPoPNonce,omitempty"`
	FAPI          oauth.FAPI `json:"FAPI,omitempty"`
	// ExchangeFrom names applications, by ServiceName or id, and clients, whose tokens may be exchanged for this one's, where AllowedAuth
	// has TokenExchange; AllowImpersonation lets that be done without an actor_token. Beyond the contract.
	ExchangeFrom       []string `json:"ExchangeFrom,omitempty"`
	AllowImpersonation bool     `json:"AllowImpersonation,omitempty"`
	// SigningAlg is RS256, ES256, PS256 or EdDSA: what tokens are signed with where a client has not registered another; RS256 when empty.
	// Beyond the contract.
	SigningAlg string `json:"SigningAlg,omitempty"`
	// AllowedOrigins are those whose scripts may call the endpoints from a browser (CORS), beyond the contract. Those of Redirects need
	// not be named where clients are public.
	AllowedOrigins []string `json:"AllowedOrigins,omitempty"`
	// SessionManagement lets pages of the clients see, by a frame, whether somebody has signed in or out in the browser (OpenID Connect
	// Session Management 1.0), beyond the contract. Browsers that block cookies of other sites show it to pages of the same site only.
	SessionManagement bool `json:"SessionManagement,omitempty"`
	// Client is what else the application's client does and wants, by the names of RFC 7591; beyond the contract. Redirects,
	// PostLogoutRedirects, AllowPublic and AllowedAuth say what redirect_uris, post_logout_redirect_uris, grant_types and
	// response_types would.
	Client *wire.Metadata `json:"ClientMetadata,omitempty"`
	// ClientAuthorities are certificates, PEM, of authorities by whose certificates clients may prove themselves (tls_client_auth of
	// RFC 8705); beyond the contract.
	ClientAuthorities string `json:"ClientAuthorities,omitempty"`
	// Registration says who may register further clients (RFC 7591): nobody, Token for who has a token of an administrator's, Open for
	// anybody; beyond the contract.
	Registration oauth.Registering `json:"Registration,omitempty"`
}

// Scope is a scope that an application knows.
type Scope struct {
	Scope       string   `json:"Scope"`
	Description string   `json:"Description"`
	AllowedRest []string `json:"AllowedRest"` // regular expressions of the paths that a token may call, where TargetIsUs
	Type        string   `json:"Type,omitempty"`
}

// given is a profile as clients send it.
type given struct {
	Profile
	AllowedAuth  auth    `json:"AllowedAuth"`
	ClientSecret *string `json:"ClientSecret"`
}

// auth is flows with commas between, or a list of them.
type auth string

// UnmarshalJSON reads either.
func (a *auth) UnmarshalJSON(b []byte) error {
	var many []string
	if json.Unmarshal(b, &many) == nil {
		*a = auth(strings.Join(many, ","))
		return nil
	}
	return json.Unmarshal(b, (*string)(a))
}

// readProfile reads and checks a profile; secret is nil where none is given.
func readProfile(raw json.RawMessage) (p *Profile, secret *string, err error) {
	var in given
	if json.Unmarshal(raw, &in) != nil {
		return nil, nil, ErrProfile.At("OAuthProfile").Say("The OAuth profile cannot be read.")
	}
	in.Profile.AllowedAuth = string(in.AllowedAuth)
	for _, list := range []*[]string{&in.AllowedClients, &in.Redirects, &in.PostLogoutRedirects} {
		if *list == nil {
			*list = []string{}
		}
	}
	if in.KnownScopes == nil {
		in.KnownScopes = []Scope{}
	}
	if s := in.ClientSecret; s != nil && *s != "" && (len(*s) < minSecret || len(*s) > maxText || !utf8.ValidString(*s)) {
		return nil, nil, bad("ClientSecret", "must have %d to %d bytes", minSecret, maxText)
	}
	return &in.Profile, in.ClientSecret, in.check()
}

func bad(field, why string, args ...any) error {
	return ErrProfile.At("OAuthProfile").Say("OAuthProfile."+field+" "+why+".", args...)
}

// check brings a profile into its form.
func (p *Profile) check() error {
	if p.TokenType == "" {
		p.TokenType = JWT
	}
	switch {
	case !strings.EqualFold(p.TokenType, JWT) && !strings.EqualFold(p.TokenType, Opaque):
		return bad("TokenType", "must be %s or %s", JWT, Opaque)
	case p.FAPI != "" && p.FAPI != oauth.Security && p.FAPI != oauth.MessageSigning:
		return bad("FAPI", "must be %s or %s", oauth.Security, oauth.MessageSigning)
	case len(p.AllowedOrigins) > maxRedirects || slices.ContainsFunc(p.AllowedOrigins, func(s string) bool { return wire.CheckOrigin(s) != nil }):
		return bad("AllowedOrigins", "may have %d origins such as https://app.example.com, without a path", maxRedirects)
	case p.SigningAlg != "" && !slices.Contains(wire.ResponseAlgorithms, crypt.Alg(p.SigningAlg)):
		return bad("SigningAlg", "must be RS256, ES256, PS256 or EdDSA")
	case p.ClientIDType != 0 && p.ClientIDType != 1:
		return bad("ClientIDType", "must be 0 or 1")
	case len(p.Audience) > maxText || len(p.URL) > maxText || len(p.Issuer) > maxText:
		return bad("Audience", "and others may have %d bytes", maxText)
	case len(p.AllowedClients) > maxRedirects || slices.ContainsFunc(p.AllowedClients, func(id string) bool { return id == "" || len(id) > 255 }):
		return bad("AllowedClients", "may have %d ids of 1 to 255 bytes", maxRedirects)
	}
	if len(p.ExchangeFrom) > maxRedirects || slices.ContainsFunc(p.ExchangeFrom, func(name string) bool { return name == "" || len(name) > 255 }) {
		return bad("ExchangeFrom", "may have %d names of 1 to 255 bytes", maxRedirects)
	}
	if strings.EqualFold(p.TokenType, Opaque) {
		p.TokenType = Opaque
	}
	flows, err := readFlows(p.AllowedAuth)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range flows {
		names = append(names, string(f))
	}
	p.AllowedAuth = strings.Join(names, ",")
	if (slices.Contains(flows, oauth.CodeFlow) || slices.Contains(flows, oauth.Implicit)) && len(p.Redirects) == 0 {
		return bad("Redirects", "must have one at least for the flows allowed")
	}
	for name, list := range map[string][]string{"Redirects": p.Redirects, "PostLogoutRedirects": p.PostLogoutRedirects} {
		if len(list) > maxRedirects {
			return bad(name, "may have %d", maxRedirects)
		}
		for _, uri := range list {
			if err := wire.CheckRedirect(uri); err != nil {
				return bad(name, "has %.200q: %s", uri, fault.Of(oauth.Fault(err)).Public)
			}
		}
	}
	if _, err := span("TokenLifetimeString", p.TokenLifetimeString, maxLife); err != nil {
		return err
	}
	if _, err := span("RefreshLifetimeString", p.RefreshLifetimeString, maxRefresh); err != nil {
		return err
	}
	if p.Client != nil {
		if p.Client.Redirects != nil || p.Client.LogoutRedirects != nil || p.Client.GrantTypes != nil || p.Client.ResponseTypes != nil {
			return bad("ClientMetadata", "leaves redirect_uris, post_logout_redirect_uris, grant_types and response_types to the profile's own members")
		}
		whole := *p.Client
		whole.Redirects = p.Redirects
		if err := whole.Check(); err != nil {
			return bad("ClientMetadata", "is not valid: %s", fault.Of(oauth.Fault(err)).Public)
		}
	}
	switch p.Registration {
	case oauth.Nobody, oauth.TokenHolder:
	case oauth.Anybody:
		if p.TargetIsUs {
			return bad("Registration", "cannot be %s where tokens are for this platform's own API", oauth.Anybody)
		}
	default:
		return bad("Registration", "must be empty, %s or %s", oauth.TokenHolder, oauth.Anybody)
	}
	if _, err := p.authorities(); err != nil {
		return err
	}
	return p.checkScopes()
}

// maxAuthorities bounds ClientAuthorities in bytes.
const maxAuthorities = 64 << 10

// authorities reads ClientAuthorities; nil where there are none.
func (p *Profile) authorities() (*x509.CertPool, error) {
	if strings.TrimSpace(p.ClientAuthorities) == "" {
		return nil, nil //nolint:nilnil // none is an answer
	}
	wrong := bad("ClientAuthorities", "must be certificates of authorities in PEM, %d bytes at most", maxAuthorities)
	if len(p.ClientAuthorities) > maxAuthorities {
		return nil, wrong
	}
	pool, rest := x509.NewCertPool(), []byte(p.ClientAuthorities)
	for len(bytes.TrimSpace(rest)) > 0 {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, wrong
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !cert.IsCA {
			return nil, wrong
		}
		pool.AddCert(cert)
		rest = after
	}
	return pool, nil
}

func (p *Profile) checkScopes() error {
	if len(p.KnownScopes) > maxScopes {
		return bad("KnownScopes", "may have %d", maxScopes)
	}
	for i, s := range p.KnownScopes {
		if one, err := wire.ReadScope(s.Scope); err != nil || len(one) != 1 || len(s.Scope) > 100 || len(s.Description) > maxText {
			return bad("KnownScopes", "has %.100q, which is no scope", s.Scope)
		}
		if len(s.AllowedRest) > maxPaths {
			return bad("KnownScopes", "may have %d paths each", maxPaths)
		}
		for _, pattern := range s.AllowedRest {
			if _, err := regexp.Compile(pattern); err != nil || len(pattern) > maxPattern {
				return bad("KnownScopes", "has %.100q, which is no regular expression", pattern)
			}
		}
		if s.AllowedRest == nil {
			p.KnownScopes[i].AllowedRest = []string{}
		}
	}
	return nil
}

// checkIssuer keeps applications from issuing in the name of each other: at hosts of this installation an issuer is the
// application's own.
func (a *Apps) checkIssuer(ctx context.Context, c *call.Call, it App) error {
	if it.Profile == nil || it.Profile.Issuer == "" || it.Profile.Issuer == "https://"+c.Tenant.Host+"/"+it.Service+"/" {
		return nil
	}
	u, err := url.Parse(it.Profile.Issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return bad("Issuer", "must be an https address without a query")
	}
	ours, err := a.Ours(ctx, strings.ToLower(u.Hostname()))
	if err == nil && ours {
		err = bad("Issuer", "is not the application's own")
	}
	return err
}

// flows are those of the contract, and those beyond it.
var flows = []oauth.Flow{
	oauth.CodeFlow, oauth.Implicit, oauth.Credentials, oauth.PasswordFlow, oauth.DeviceFlow, oauth.ExchangeFlow, oauth.BackchannelFlow,
}

func readFlows(s string) (out []oauth.Flow, err error) {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		at := slices.IndexFunc(flows, func(f oauth.Flow) bool { return strings.EqualFold(string(f), name) })
		if at < 0 {
			return nil, bad("AllowedAuth", "has %.100q; there are AuthorizationCode, Implicit, ClientCreds, ResourceCreds, DeviceCode, TokenExchange, CIBA", name)
		}
		out = append(out, flows[at])
	}
	return out, nil
}

var spanned = regexp.MustCompile(`^(?:(\d{1,5})\.)?(\d{1,2}):(\d\d):(\d\d)$`)

// span reads a time span, [d.]hh:mm:ss; 0 where there is none.
func span(field, s string, most time.Duration) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	m := spanned.FindStringSubmatch(s)
	if m == nil {
		return 0, bad(field, "must be written [d.]hh:mm:ss")
	}
	var n [4]time.Duration
	for i, part := range m[1:] {
		v, _ := strconv.Atoi(part) // digits, or empty
		n[i] = time.Duration(v)
	}
	d := n[0]*24*time.Hour + n[1]*time.Hour + n[2]*time.Minute + n[3]*time.Second
	if d < time.Minute || d > most {
		return 0, bad(field, "must be a minute to %d days", int(most/(24*time.Hour)))
	}
	return d, nil
}
