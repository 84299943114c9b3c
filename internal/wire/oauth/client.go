package oauth

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

// Method is how a client proves who it is (OpenID Connect Core section 9, RFC 8705 section 2).
type Method string

// The methods.
const (
	SecretBasic   Method = "client_secret_basic"
	SecretPost    Method = "client_secret_post"
	SecretJWT     Method = "client_secret_jwt"
	PrivateKeyJWT Method = "private_key_jwt"
	TLSClient     Method = "tls_client_auth"
	SelfSignedTLS Method = "self_signed_tls_client_auth"
	None          Method = "none" // a public client, which only names itself
)

// Assertion is the type of client assertions (RFC 7523 section 2.2).
const Assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Credentials are what a client sent to prove who it is.
type Credentials struct {
	ClientID  string // empty beside an assertion that alone names the client
	Secret    string // of SecretBasic and SecretPost
	Assertion string // JWT of SecretJWT or PrivateKeyJWT
	// Method is SecretBasic, SecretPost, PrivateKeyJWT for an assertion of either kind, or None; that a certificate came by
	// TLS is known to the server only.
	Method Method
}

// SecretAlgorithms are the signatures of SecretJWT. They are never mixed with Algorithms: a public key would be taken for a secret
// (RFC 8725 section 2.1).
var SecretAlgorithms = []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}

// Claimed is who a client says it is and by which method, before any of it is proved: for an assertion its sub, which iss and a
// client_id beside it must repeat (RFC 7521 section 4.2, RFC 7523 section 3).
func (c Credentials) Claimed() (id string, m Method, err error) {
	if c.Assertion == "" {
		return c.ClientID, c.Method, nil
	}
	a, err := Unproven(c.Assertion, slices.Concat(Algorithms, SecretAlgorithms))
	if err != nil {
		return "", "", err
	}
	if a.Subject == "" || a.Issuer != a.Subject || c.ClientID != "" && c.ClientID != a.Subject {
		return "", "", bad(InvalidClient, "iss and sub of the assertion are not the client")
	}
	m = PrivateKeyJWT
	if slices.Contains(SecretAlgorithms, a.Algorithm) {
		m = SecretJWT
	}
	return a.Subject, m, nil
}

// ReadCredentials finds a client's credentials in the header Authorization and the parameters. One method may be used, no
// more (RFC 6749 section 2.3).
func ReadCredentials(authorization string, p Params) (Credentials, error) {
	c := Credentials{ClientID: p.Get("client_id"), Method: None}
	id, secret, basic, err := readBasic(authorization)
	if err != nil {
		return c, err
	}
	posted, assertion := p.Get("client_secret"), p.Get("client_assertion")
	switch {
	case basic && assertion != "", basic && posted != "" && posted != secret, posted != "" && assertion != "":
		return c, bad(InvalidRequest, "more than one way to authenticate the client")
	case basic && c.ClientID != "" && c.ClientID != id:
		return c, bad(InvalidRequest, "client_id differs from the one in the header")
	case basic:
		c.ClientID, c.Secret, c.Method = id, secret, SecretBasic
	case assertion != "":
		if p.Get("client_assertion_type") != Assertion {
			return c, bad(InvalidRequest, "client_assertion_type is none that is known")
		}
		c.Assertion, c.Method = assertion, PrivateKeyJWT
	case posted != "":
		c.Secret, c.Method = posted, SecretPost
	}
	if c.ClientID == "" && c.Assertion == "" {
		return c, bad(InvalidClient, "missing client_id")
	}
	return c, nil
}

// readBasic reads the scheme Basic. Name and secret are form-encoded in it (RFC 6749 section 2.3.1), which many clients do
// not know: what does not decode is taken as it is.
func readBasic(header string) (id, secret string, ok bool, err error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	wrong := bad(InvalidClient, "the header Authorization cannot be read")
	if len(rest) > 2*maxValue {
		return "", "", false, wrong
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil || !utf8.Valid(raw) {
		return "", "", false, wrong
	}
	id, secret, ok = strings.Cut(string(raw), ":")
	if !ok || id == "" {
		return "", "", false, wrong
	}
	return unescape(id), unescape(secret), true, nil
}

func unescape(s string) string {
	if !strings.Contains(s, "%") { // a plus may be meant as one: login names and passwords have it
		return s
	}
	out, err := url.QueryUnescape(strings.ReplaceAll(s, "+", "%2B"))
	if err != nil || !utf8.ValidString(out) {
		return s
	}
	return out
}
