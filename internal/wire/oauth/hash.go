package oauth

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"

	"github.com/go-jose/go-jose/v4"
)

// HalfHash is at_hash, c_hash and s_hash of an ID token: the left half of the hash that belongs to the algorithm which signs
// it, in base64url (OpenID Connect Core section 3.1.3.6). For EdDSA over Ed25519 that is SHA-512.
func HalfHash(alg jose.SignatureAlgorithm, value string) string {
	var sum []byte
	switch alg {
	case jose.RS384, jose.PS384, jose.ES384, jose.HS384:
		h := sha512.Sum384([]byte(value))
		sum = h[:]
	case jose.RS512, jose.PS512, jose.ES512, jose.HS512, jose.EdDSA:
		h := sha512.Sum512([]byte(value))
		sum = h[:]
	default:
		h := sha256.Sum256([]byte(value))
		sum = h[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
