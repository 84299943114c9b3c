package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// The methods of RFC 7636 section 4.3. S256 is what new clients use; plain is for those of the contract.
const (
	S256  = "S256"
	Plain = "plain"
)

// Challenge is a code challenge; its zero value says that none was sent.
type Challenge struct {
	Value  string
	Method string // S256 or plain
}

// ReadChallenge reads code_challenge and code_challenge_method. Some clients of the contract write SHA256 for S256.
func ReadChallenge(p Params) (Challenge, error) {
	c := Challenge{Value: p.Get("code_challenge"), Method: p.Get("code_challenge_method")}
	switch {
	case c.Value == "" && c.Method == "":
		return c, nil
	case c.Value == "":
		return c, bad(InvalidRequest, "code_challenge_method without code_challenge")
	}
	switch {
	case c.Method == "":
		c.Method = Plain // RFC 7636 section 4.3
	case strings.EqualFold(c.Method, "SHA256"):
		c.Method = S256
	}
	if c.Method != S256 && c.Method != Plain {
		return c, bad(InvalidRequest, "code_challenge_method must be S256 or plain")
	}
	if !unreserved(c.Value) || c.Method == S256 && len(c.Value) != 43 {
		return c, bad(InvalidRequest, "code_challenge is not 43 to 128 unreserved characters, or not a SHA-256 in base64url")
	}
	return c, nil
}

// Verify says whether a code_verifier belongs to the challenge, in constant time. Where no challenge was sent, no verifier
// fits: a verifier that comes all the same is how a stripped challenge shows (RFC 9700 section 2.1.1).
func (c Challenge) Verify(verifier string) bool {
	if c.Value == "" || !unreserved(verifier) {
		return false
	}
	got := verifier
	if c.Method == S256 {
		sum := sha256.Sum256([]byte(verifier))
		got = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(c.Value)) == 1
}

// unreserved says whether text is 43 to 128 characters of RFC 7636 section 4.1.
func unreserved(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}
