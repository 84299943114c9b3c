package oauth

import (
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms are the signatures that clients may use, in DPoP proofs, assertions and request objects: asymmetric, of today's
// strength. HMAC is named apart where a shared secret is meant, so that no public key is ever taken for one (RFC 8725
// section 3.1).
var Algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA, jose.RS256, jose.ES384, jose.ES512, jose.PS384, jose.PS512, jose.RS384, jose.RS512}

// Proof is a DPoP proof whose signature is right (RFC 9449 section 4.2). Whether it is for this request, fresh and new is
// asked of it then.
type Proof struct {
	Thumbprint string // of its key, SHA-256 in base64url (RFC 7638)
	ID         string // jti
	Method     string // htm
	URI        string // htu
	Issued     time.Time
	TokenHash  string // ath; empty when it has none
	Nonce      string
}

func noProof(why string) error { return bad(InvalidDPoPProof, "the DPoP proof %s", why) }

// ReadProof reads the values of the header DPoP: there must be one, and it must be signed by the key that it shows.
func ReadProof(header []string) (Proof, error) {
	if len(header) != 1 || len(header[0]) > maxJWT {
		return Proof{}, noProof("must be given once")
	}
	signed, err := jose.ParseSignedCompact(header[0], Algorithms)
	if err != nil {
		return Proof{}, noProof("cannot be read, or its alg is not allowed")
	}
	head := signed.Signatures[0].Protected
	if typ, _ := head.ExtraHeaders[jose.HeaderType].(string); typ != "dpop+jwt" {
		return Proof{}, noProof("has another typ than dpop+jwt")
	}
	key := head.JSONWebKey
	if key == nil || !key.Valid() || !key.IsPublic() {
		return Proof{}, noProof("shows no public key")
	}
	content, err := signed.Verify(key)
	if err != nil {
		return Proof{}, noProof("is not signed by the key that it shows")
	}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return Proof{}, noProof("has a key of an unknown kind")
	}
	return readProofClaims(content, base64.RawURLEncoding.EncodeToString(print))
}

func readProofClaims(content []byte, thumbprint string) (Proof, error) {
	var c struct {
		ID     string  `json:"jti"`
		Method string  `json:"htm"`
		URI    string  `json:"htu"`
		Issued float64 `json:"iat"`
		Hash   string  `json:"ath"`
		Nonce  string  `json:"nonce"`
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return Proof{}, noProof("has no readable claims")
	}
	if c.ID == "" || len(c.ID) > 256 || c.Method == "" || c.URI == "" || c.Issued <= 0 || c.Issued > 1<<40 {
		return Proof{}, noProof("lacks jti, htm, htu or iat")
	}
	return Proof{thumbprint, c.ID, c.Method, c.URI, time.Unix(int64(c.Issued), 0), c.Hash, c.Nonce}, nil
}

// For says whether the proof was made for a request. Of the URI scheme, host, port and path count (RFC 9449 section 4.3).
func (p Proof) For(method, uri string) error {
	if p.Method != method {
		return noProof("is for another method")
	}
	if a, b := target(p.URI), target(uri); a == "" || a != b {
		return noProof("is for another URI")
	}
	return nil
}

// target is a URI without query and fragment, as it compares (RFC 3986 section 6.2.2 and 6.2.3).
func target(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path
}

// Fresh says whether the proof was made within life before now; clocks may differ by skew.
func (p Proof) Fresh(now time.Time, life, skew time.Duration) error {
	if p.Issued.After(now.Add(skew)) || p.Issued.Before(now.Add(-life-skew)) {
		return noProof("is too old or from the future")
	}
	return nil
}

// Binds says whether the proof was made for an access token (ath, RFC 9449 section 4.3).
func (p Proof) Binds(token string) error {
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(p.TokenHash)) != 1 {
		return noProof("is for another access token")
	}
	return nil
}
