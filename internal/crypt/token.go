package crypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// tokenSize is 256 bits: such a token cannot be guessed, so its plain hash may be stored and looked up.
const tokenSize = 32

// longSize is more than is needed: some clients look at a token's length.
const longSize = 144

// NewToken draws a token of 256 bits as 43 characters of url-safe base64, and the hash to store. random is crypto/rand
// outside tests; when it fails the program stops, since nothing safe can be answered.
func NewToken(random io.Reader) (plain string, hash []byte) {
	plain = base64.RawURLEncoding.EncodeToString(draw(random, tokenSize))
	return plain, TokenHash(plain)
}

// NewAuth draws a session token in the form of AdvanceAuthentication's Auth and the cookie .ASPXAUTH
// (authentication.yaml): 64 upper-case hexadecimal digits.
func NewAuth(random io.Reader) (plain string, hash []byte) {
	plain = strings.ToUpper(hex.EncodeToString(draw(random, tokenSize)))
	return plain, TokenHash(plain)
}

// NewLong draws a session token in the form that clients of the Vault's API take for one (pvwa.yaml): 192 characters of base64.
func NewLong(random io.Reader) (plain string, hash []byte) {
	plain = base64.StdEncoding.EncodeToString(draw(random, longSize))
	return plain, TokenHash(plain)
}

// NewSessionID draws the id of a running login in the form of StartAuthentication's SessionId (authentication.yaml):
// url-safe base64, 44 characters, the last of them 1.
func NewSessionID(random io.Reader) (plain string, hash []byte) {
	plain = base64.RawURLEncoding.EncodeToString(draw(random, tokenSize)) + "1"
	return plain, TokenHash(plain)
}

// TokenHash is the SHA-256 of a token as it was sent, the only form in which tokens are stored. Not for passwords or
// short codes, which can be guessed from a plain hash.
func TokenHash(plain string) []byte {
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}

// Same compares two hashes or secrets in time that depends on their lengths alone.
func Same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// SameText compares two secrets of any lengths without telling how much of them agrees, nor how long they are.
func SameText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// NewCode draws a numeric code, each with the same chance; digits is 1 to 18 and the code keeps its leading zeros.
func NewCode(random io.Reader, digits int) string {
	if digits < 1 || digits > 18 {
		panic(fmt.Sprintf("crypt: a code of %d digits", digits))
	}
	bound := uint64(1)
	for range digits {
		bound *= 10
	}
	return fmt.Sprintf("%0*d", digits, below(random, bound))
}

// CodeHash is HMAC-SHA256 of a short code under a key that the store does not hold; context names whose code it is and
// what for. Ring.MAC does the same with the tenant's key and its version.
func CodeHash(key []byte, code, context string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(bind("limen code 1", []byte(context), []byte(code)))
	return h.Sum(nil)
}

// below draws a number in [0, bound) without bias: draws from the incomplete last stretch are thrown away.
func below(random io.Reader, bound uint64) uint64 {
	last := -bound % bound // 2^64 mod bound
	for {
		var n uint64
		for _, b := range draw(random, 8) {
			n = n<<8 | uint64(b)
		}
		if n >= last {
			return n % bound
		}
	}
}

func draw(random io.Reader, n int) []byte {
	out := make([]byte, n)
	if _, err := io.ReadFull(random, out); err != nil {
		panic("crypt: no randomness: " + err.Error())
	}
	return out
}
