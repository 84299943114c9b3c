package oauth

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"limen/internal/core/oauth"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// documents are what clients configure themselves by.
func (o OAuth) documents() []op.Op {
	get := func(path string, more op.Spec) op.Spec {
		more.Method, more.Path, more.Allow, more.Effect, more.Rate, more.Faults = http.MethodGet, path, op.Anonymous, op.Cached, op.Unruled, faults
		return more
	}
	return []op.Op{
		op.New(get("/{app_id}/.well-known/openid-configuration", op.Spec{Paths: []string{
			// RFC 8414 section 3.1 puts what is well known in front of the issuer's path, and section 5 has both forms live together.
			"/.well-known/oauth-authorization-server/{app_id}", "/.well-known/openid-configuration/{app_id}",
			"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
		}}), o.Configuration),
		op.New(get(oauth.ResourcePath, op.Spec{}), o.ProtectedResource),
		op.New(get("/OAuth2/GetMeta", op.Spec{Methods: []string{http.MethodPost}}), o.GetMeta),
		op.New(get("/OAuth2/Keys/{app_id}", op.Spec{Methods: []string{http.MethodPost}}), o.Keys),
	}
}

// Configuration describes an application as an OpenID provider (OpenID Connect Discovery section 3, RFC 8414).
type Configuration struct {
	Issuer               string   `json:"issuer"`
	Authorization        string   `json:"authorization_endpoint"`
	Token                string   `json:"token_endpoint"`
	UserInfo             string   `json:"userinfo_endpoint"`
	Keys                 string   `json:"jwks_uri"`
	EndSession           string   `json:"end_session_endpoint"`
	Revocation           string   `json:"revocation_endpoint"`
	Introspection        string   `json:"introspection_endpoint"`
	ResponseTypes        []string `json:"response_types_supported"`
	ResponseModes        []string `json:"response_modes_supported"`
	Scopes               []string `json:"scopes_supported"`
	Subjects             []string `json:"subject_types_supported"`
	IDTokenAlgs          []string `json:"id_token_signing_alg_values_supported"`
	InfoAlgs             []string `json:"userinfo_signing_alg_values_supported"`
	IntrospectionAlgs    []string `json:"introspection_signing_alg_values_supported"` // RFC 9701
	ChallengeMethods     []string `json:"code_challenge_methods_supported"`
	GrantTypes           []string `json:"grant_types_supported"`
	TokenAuthMethods     []string `json:"token_endpoint_auth_methods_supported"`
	RevocationMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	AssertionAlgs        []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	DPoPAlgs             []string `json:"dpop_signing_alg_values_supported"`
	CertBound            bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 section 3.3
	// CertAliases are the same endpoints where clients are asked for certificates (RFC 8705 section 5).
	CertAliases         map[string]string `json:"mtls_endpoint_aliases,omitempty"`
	Claims              []string          `json:"claims_supported"`
	ClaimsParameter     bool              `json:"claims_parameter_supported"`
	IssuerInAnswers     bool              `json:"authorization_response_iss_parameter_supported"` // RFC 9207
	RequestParameter    bool              `json:"request_parameter_supported"`
	RequestURIParameter bool              `json:"request_uri_parameter_supported"`

	Covers
	LogoutSupport
	BackchannelSupport

	UILocales    []string `json:"ui_locales_supported,omitempty"`
	CheckSession string   `json:"check_session_iframe,omitempty"` // OpenID Connect Session Management 1.0

	Device         string   `json:"device_authorization_endpoint,omitempty"` // RFC 8628
	RegisteredURIs bool     `json:"require_request_uri_registration"`
	ObjectAlgs     []string `json:"request_object_signing_alg_values_supported"`
	SignedRequests bool     `json:"require_signed_request_object,omitempty"` // RFC 9101
	Registration   string   `json:"registration_endpoint,omitempty"`         // RFC 7591; absent: nobody may register
	Push           string   `json:"pushed_authorization_request_endpoint"`   // RFC 9126
	Levels         []string `json:"acr_values_supported"`
	Prompts        []string `json:"prompt_values_supported"`
	PushedRequests bool     `json:"require_pushed_authorization_requests,omitempty"`
	AnswerAlgs     []string `json:"authorization_signing_alg_values_supported"` // JARM
}

// Covers are how what clients get can be encrypted to their keys.
type Covers struct {
	IDToken     []string `json:"id_token_encryption_alg_values_supported"`
	IDTokenEnc  []string `json:"id_token_encryption_enc_values_supported"`
	UserInfo    []string `json:"userinfo_encryption_alg_values_supported"`
	UserInfoEnc []string `json:"userinfo_encryption_enc_values_supported"`
	Answer      []string `json:"authorization_encryption_alg_values_supported"` // JARM
	AnswerEnc   []string `json:"authorization_encryption_enc_values_supported"`
}

func covers() Covers {
	var algs, encs []string
	for _, a := range wire.KeyAlgorithms {
		algs = append(algs, string(a))
	}
	for _, e := range wire.ContentEncryptions {
		encs = append(encs, string(e))
	}
	return Covers{algs, encs, algs, encs, algs, encs}
}

// docAge is for how long anyone may keep a document, in seconds.
const docAge = 300

// Configuration gives the OpenID Connect discovery document of an application; without one, that of the tenant's issuer, which serves the
// clients of all applications whose id says of which application they are. Contract: oauth.yaml, first operation.
func (o OAuth) Configuration(ctx context.Context, c *op.Call, in App) (op.Document, error) {
	a, err := o.served(ctx, c, in)
	if err != nil {
		return op.Document{}, err
	}
	// Besides the application it depends on host names and languages alone.
	var locales []string
	if o.Locales != nil {
		if locales, err = o.Locales(ctx, c); err != nil {
			return op.Document{}, err
		}
	}
	of := strings.Join(append([]string{"configuration", c.Tenant.Host}, locales...), "\x00")
	return oauth.Derive(a, of, func() (op.Document, error) {
		out := o.configuration(c, a)
		out.UILocales = locales
		return op.NewDocument(out, docAge)
	})
}

// served is the application whose issuer is asked: without one it is the tenant's, which is always there.
func (o OAuth) served(ctx context.Context, c *op.Call, in App) (oauth.App, error) {
	if in.App == "" {
		return o.Server.Whole(), nil
	}
	return o.Server.App(ctx, c, in.App)
}

func (o OAuth) configuration(c *op.Call, a oauth.App) Configuration {
	at := func(what string) string { return "https://" + c.Tenant.Host + a.Endpoint(what) }
	methods, algs := o.Server.Methods(a)
	signing, idAlgs := a.Algorithms()
	proving := slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return m == string(wire.None) })
	out := Configuration{
		Issuer: a.Issuer(c.Tenant.Host), Authorization: at("Authorize"), Token: at("Token"), UserInfo: at("UserInfo"), Keys: at("Keys"),
		EndSession: at("EndSession"), Revocation: at("Revoke"), Introspection: at("Introspect"),
		ResponseTypes: a.ResponseTypes(), ResponseModes: []string{"query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"}, Scopes: a.Profile.Known(), Subjects: []string{"public", "pairwise"},
		IDTokenAlgs: idAlgs, InfoAlgs: signing, IntrospectionAlgs: signing, ChallengeMethods: []string{"S256"}, GrantTypes: a.GrantTypes(),
		TokenAuthMethods: methods, RevocationMethods: methods, IntrospectionMethods: proving, AssertionAlgs: algs, CertBound: o.Server.Certs,
		DPoPAlgs: a.Profile.ClientAlgorithms(),
		Claims: []string{
			"aud", "auth_time", "exp", "iat", "iss", "sub", "unique_name", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
			"zoneinfo", "locale", "updated_at", "email", "email_verified",
			"phone_number", "phone_number_verified", "acr", "amr", "sid",
		},
		ClaimsParameter: true, IssuerInAnswers: true, RequestParameter: true, RequestURIParameter: true, RegisteredURIs: true,
		ObjectAlgs: a.Profile.ClientAlgorithms(), SignedRequests: a.Profile.FAPI == oauth.MessageSigning, Push: at("PushedAuthorization"),
		Levels: o.Server.Levels(), Prompts: []string{"none", "login", "consent", "select_account"},
		PushedRequests: a.Profile.Pushed || a.Profile.FAPI != "", AnswerAlgs: signing,
	}
	out.Covers = covers()
	out.LogoutSupport, out.BackchannelSupport, out.Device = logoutSupport, backchannelSupport(a, at), offered(a, oauth.DeviceFlow, at("DeviceAuthorization"))
	if a.Profile.Sessions {
		out.CheckSession = at("CheckSession")
	}
	if a.Profile.Registering != oauth.Nobody {
		out.Registration = at("Register")
	}
	out.CertAliases = o.aliases(c, map[string]string{
		"device_authorization_endpoint": out.Device, "backchannel_authentication_endpoint": out.Backchannel,
		"token_endpoint": out.Token, "userinfo_endpoint": out.UserInfo, "revocation_endpoint": out.Revocation, "introspection_endpoint": out.Introspection,
		"pushed_authorization_request_endpoint": out.Push,
	})
	return out
}

// aliases are endpoints where clients are asked for certificates; nil: they are asked nowhere.
func (o OAuth) aliases(c *op.Call, of map[string]string) map[string]string {
	host := o.Server.CertHost(c.Tenant.Host)
	if host == "" {
		return nil
	}
	for name, uri := range of {
		if uri == "" { // the application has none
			delete(of, name)
			continue
		}
		of[name] = strings.Replace(uri, "https://"+c.Tenant.Host, "https://"+host, 1)
	}
	return of
}

// Service names an application.
type Service struct {
	// Service is the application's ServiceName, required.
	Service string `json:"serviceName"`
}

// GetMeta gives the discovery document of an application by its service name. Contract: oauth.yaml n 32.
func (o OAuth) GetMeta(ctx context.Context, c *op.Call, in Service) (op.Document, error) {
	if in.Service == "" {
		return op.Document{}, oauth.ErrUnknownApp
	}
	return o.Configuration(ctx, c, App{App: in.Service})
}

// Keys gives the public keys that the tenant's tokens are signed with, as a JWK set. Keys that sign no more stay until what
// they signed has expired. Contract: oauth.yaml n 28; RFC 7517.
func (o OAuth) Keys(ctx context.Context, c *op.Call, in App) (op.Document, error) {
	a, err := o.served(ctx, c, in)
	if err != nil {
		return op.Document{}, err
	}
	set, err := o.Server.Keys(ctx, c)
	if err != nil {
		return op.Document{}, err
	}
	ids := "keys"
	for _, k := range set.Keys {
		ids += "\x00" + k.Algorithm + k.KeyID // a thumbprint, so that the same ids are the same keys
	}
	return oauth.Derive(a, ids, func() (op.Document, error) { return op.NewDocument(set, docAge) })
}
