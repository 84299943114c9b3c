package oauth

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

// Metadata is what a client says of itself when it is registered (RFC 7591 section 2, OpenID Connect Registration section 2,
// and the documents that add to them). What is absent has its default, which is read by the methods.
type Metadata struct {
	Name            string   `json:"client_name,omitempty"`
	URI             string   `json:"client_uri,omitempty"`
	LogoURI         string   `json:"logo_uri,omitempty"`
	PolicyURI       string   `json:"policy_uri,omitempty"`
	TermsURI        string   `json:"tos_uri,omitempty"`
	Contacts        []string `json:"contacts,omitempty"`
	Type            string   `json:"application_type,omitempty"` // web or native
	SoftwareID      string   `json:"software_id,omitempty"`
	SoftwareVersion string   `json:"software_version,omitempty"`

	Redirects     Redirects `json:"redirect_uris,omitempty"`
	ResponseTypes []string  `json:"response_types,omitempty"` // code when absent
	GrantTypes    []string  `json:"grant_types,omitempty"`    // authorization_code when absent
	Scope         string    `json:"scope,omitempty"`          // at most; all of the application's when absent

	// How the client proves who it is. Any secret method when absent.
	AuthMethod Method          `json:"token_endpoint_auth_method,omitempty"`
	AuthAlg    string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	Keys       json.RawMessage `json:"jwks,omitempty"` // a JWK set of public keys
	KeysURI    string          `json:"jwks_uri,omitempty"`
	// One of these names the certificate of tls_client_auth (RFC 8705 section 2.1.2).
	TLSSubject string `json:"tls_client_auth_subject_dn,omitempty"`
	TLSDNS     string `json:"tls_client_auth_san_dns,omitempty"`
	TLSURI     string `json:"tls_client_auth_san_uri,omitempty"`
	TLSIP      string `json:"tls_client_auth_san_ip,omitempty"`
	TLSEmail   string `json:"tls_client_auth_san_email,omitempty"`

	// To what tokens are bound.
	TLSBound  bool `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 section 3.4
	DPoPBound bool `json:"dpop_bound_access_tokens,omitempty"`                   // RFC 9449 section 5.2

	// How authorization requests come.
	RequestAlg    string   `json:"request_object_signing_alg,omitempty"`
	RequestURIs   []string `json:"request_uris,omitempty"`
	SignedRequest bool     `json:"require_signed_request_object,omitempty"`         // RFC 9101 section 10.5
	PushedRequest bool     `json:"require_pushed_authorization_requests,omitempty"` // RFC 9126 section 6
	MaxAge        *int64   `json:"default_max_age,omitempty"`                       // seconds
	AuthTime      bool     `json:"require_auth_time,omitempty"`
	ACR           []string `json:"default_acr_values,omitempty"`
	LoginURI      string   `json:"initiate_login_uri,omitempty"`

	// How what it gets is signed and encrypted.
	IDTokenAlg       string `json:"id_token_signed_response_alg,omitempty"`
	IDTokenKeyAlg    string `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEnc       string `json:"id_token_encrypted_response_enc,omitempty"`
	UserInfoAlg      string `json:"userinfo_signed_response_alg,omitempty"`
	UserInfoKeyAlg   string `json:"userinfo_encrypted_response_alg,omitempty"`
	UserInfoEnc      string `json:"userinfo_encrypted_response_enc,omitempty"`
	AnswerAlg        string `json:"authorization_signed_response_alg,omitempty"` // JARM section 3
	AnswerKeyAlg     string `json:"authorization_encrypted_response_alg,omitempty"`
	AnswerEnc        string `json:"authorization_encrypted_response_enc,omitempty"`
	IntrospectionAlg string `json:"introspection_signed_response_alg,omitempty"` // RFC 9701 section 6
	Subjects         string `json:"subject_type,omitempty"`                      // public or pairwise
	SectorURI        string `json:"sector_identifier_uri,omitempty"`

	// Signing out.
	LogoutRedirects    Redirects `json:"post_logout_redirect_uris,omitempty"`
	FrontLogoutURI     string    `json:"frontchannel_logout_uri,omitempty"`
	FrontLogoutSession bool      `json:"frontchannel_logout_session_required,omitempty"`
	BackLogoutURI      string    `json:"backchannel_logout_uri,omitempty"`
	BackLogoutSession  bool      `json:"backchannel_logout_session_required,omitempty"`

	// Client initiated backchannel authentication (CIBA Core section 4).
	Delivery        string `json:"backchannel_token_delivery_mode,omitempty"` // poll, ping or push
	NotificationURI string `json:"backchannel_client_notification_endpoint,omitempty"`
	BackRequestAlg  string `json:"backchannel_authentication_request_signing_alg,omitempty"`
	UserCode        bool   `json:"backchannel_user_code_parameter,omitempty"`
}

// Grants says whether the client may use a grant type.
func (m Metadata) Grants(name string) bool {
	if len(m.GrantTypes) == 0 {
		return name == "authorization_code" || name == "refresh_token"
	}
	return slices.Contains(m.GrantTypes, name)
}

// Responds says whether the client may ask for a response type.
func (m Metadata) Responds(t ResponseType) bool {
	if len(m.ResponseTypes) == 0 {
		return t == ResponseType{Code: true}
	}
	return slices.ContainsFunc(m.ResponseTypes, func(s string) bool {
		known, err := ReadResponseType(s)
		return err == nil && known == t
	})
}

// JWKS are the keys that the client registered by value.
func (m Metadata) JWKS() (out jose.JSONWebKeySet, err error) {
	if len(m.Keys) == 0 {
		return out, nil
	}
	return ReadKeys(m.Keys)
}

// maxKeys bounds a client's JWK set.
const maxKeys = 50

// ReadKeys reads a JWK set of public keys. Keys of kinds that are not known are left out (RFC 7517 section 5).
func ReadKeys(raw []byte) (out jose.JSONWebKeySet, err error) {
	wrong := bad(InvalidClientMetadata, "jwks is no JWK set of public keys")
	var in struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(raw) > 4*maxJWT || json.Unmarshal(raw, &in) != nil || in.Keys == nil || len(in.Keys) > maxKeys {
		return out, wrong
	}
	for _, one := range in.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(one) != nil {
			continue
		}
		if !k.Valid() || !k.IsPublic() {
			return out, wrong
		}
		out.Keys = append(out.Keys, k)
	}
	return out, nil
}

// bounds of metadata.
const (
	maxEntries = 100
	maxName    = 200
)

// Check says whether metadata can be registered; it names the member that cannot. What depends on the server, such as which
// grants it has, is its own business.
func (m Metadata) Check() error {
	no := func(member, why string) error { return bad(InvalidClientMetadata, "%s %s", member, why) }
	for member, list := range map[string][]string{"redirect_uris": m.Redirects, "post_logout_redirect_uris": m.LogoutRedirects} {
		if len(list) > maxEntries {
			return no(member, "has too many entries")
		}
		for _, uri := range list {
			if err := CheckRedirect(uri); err != nil {
				return bad(InvalidRedirectURI, "%s has a URI that is not allowed: %s", member, err.(*Error).Description) //nolint:errorlint,forcetypeassert // it gives no other
			}
		}
	}
	for member, uri := range map[string]string{
		"client_uri": m.URI, "logo_uri": m.LogoURI, "policy_uri": m.PolicyURI, "tos_uri": m.TermsURI, "jwks_uri": m.KeysURI, "initiate_login_uri": m.LoginURI,
		"sector_identifier_uri": m.SectorURI, "frontchannel_logout_uri": m.FrontLogoutURI, "backchannel_logout_uri": m.BackLogoutURI,
		"backchannel_client_notification_endpoint": m.NotificationURI,
	} {
		if uri != "" && !secure(uri) {
			return no(member, "must be an https URI without a fragment")
		}
	}
	switch {
	case len(m.Name) > maxName || !utf8.ValidString(m.Name):
		return no("client_name", "is too long")
	case m.Type != "" && m.Type != "web" && m.Type != "native":
		return no("application_type", "must be web or native")
	case m.Subjects != "" && m.Subjects != "public" && m.Subjects != "pairwise":
		return no("subject_type", "must be public or pairwise")
	case len(m.Keys) > 0 && m.KeysURI != "":
		return no("jwks", "goes without jwks_uri")
	case m.Delivery != "" && !slices.Contains([]string{"poll", "ping", "push"}, m.Delivery):
		return no("backchannel_token_delivery_mode", "must be poll, ping or push")
	case (m.Delivery == "ping" || m.Delivery == "push") && m.NotificationURI == "":
		return no("backchannel_client_notification_endpoint", "is missing")
	case m.MaxAge != nil && *m.MaxAge < 0:
		return no("default_max_age", "must be a number of seconds")
	}
	if err := m.checkLists(no); err != nil {
		return err
	}
	if err := m.checkSector(no); err != nil {
		return err
	}
	if err := m.checkAnswers(no); err != nil {
		return err
	}
	if err := m.checkCovers(no); err != nil {
		return err
	}
	return m.checkProof(no)
}

func (m Metadata) checkLists(no func(member, why string) error) error {
	for member, list := range map[string][]string{
		"contacts": m.Contacts, "grant_types": m.GrantTypes, "response_types": m.ResponseTypes, "request_uris": m.RequestURIs, "default_acr_values": m.ACR,
	} {
		if len(list) > maxEntries || slices.ContainsFunc(list, func(s string) bool { return s == "" || len(s) > maxURI || !utf8.ValidString(s) }) {
			return no(member, "has too many entries, or an empty or too long one")
		}
	}
	for _, t := range m.ResponseTypes {
		if _, err := ReadResponseType(t); err != nil {
			return no("response_types", "has one that is not known")
		}
	}
	if slices.ContainsFunc(m.RequestURIs, func(uri string) bool { return !secure(strings.SplitN(uri, "#", 2)[0]) }) {
		return no("request_uris", "must be https URIs")
	}
	if _, err := ReadScope(m.Scope); err != nil {
		return no("scope", "cannot be read")
	}
	return nil
}

// checkProof is whether there is what the client will prove itself by.
func (m Metadata) checkProof(no func(member, why string) error) error {
	keys, err := m.JWKS()
	if err != nil {
		return err
	}
	named := 0
	for _, s := range []string{m.TLSSubject, m.TLSDNS, m.TLSURI, m.TLSIP, m.TLSEmail} {
		if s != "" {
			named++
		}
		if len(s) > maxURI || !utf8.ValidString(s) {
			return no("tls_client_auth_subject_dn", "or another name of the certificate is too long")
		}
	}
	switch m.AuthMethod {
	case "", SecretBasic, SecretPost, SecretJWT, None:
	case PrivateKeyJWT, SelfSignedTLS:
		if len(keys.Keys) == 0 && m.KeysURI == "" {
			return no("jwks", "or jwks_uri is missing, which the method of authentication needs")
		}
	case TLSClient:
		if named != 1 {
			return no("tls_client_auth_subject_dn", "or one of the tls_client_auth_san names must be given, and only one")
		}
		if _, err := readName(m.TLSSubject); m.TLSSubject != "" && err != nil {
			return err
		}
	default:
		return no("token_endpoint_auth_method", "is none that is known")
	}
	return nil
}

// secure says whether a URI is absolute, https and without user and fragment.
func secure(uri string) bool {
	u, err := readURI(uri)
	return err == nil && strings.EqualFold(u.Scheme, "https") && u.Hostname() != "" && validPort(u)
}

func validPort(u *url.URL) bool { return u.Port() != "0" }
