package authenticator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// maxKey bounds a public key in base64; one on P-256 has 124 bytes.
const maxKey = 200

// parseKey reads the public key of a device: base64, of either alphabet, with or without padding.
func parseKey(text string) (raw []byte, key *ecdsa.PublicKey, err error) {
	if len(text) > maxKey {
		return nil, nil, ErrKey
	}
	if raw, err = decode(text); err != nil {
		return nil, nil, ErrKey
	}
	key, err = readKey(raw)
	return raw, key, err
}

func readKey(raw []byte) (*ecdsa.PublicKey, error) {
	read, err := x509.ParsePKIXPublicKey(raw)
	key, ok := read.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, ErrKey
	}
	return key, nil
}

var alphabets = strings.NewReplacer("-", "+", "_", "/")

var errBreak = errors.New("a line break")

func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, errBreak
	}
	return base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(alphabets.Replace(text), "="))
}

// message is what a device signs: what it is for, and the fields, one a line. No field has a line break in it.
func message(what string, fields ...string) []byte {
	return []byte("limen authenticator 1\n" + what + "\n" + strings.Join(fields, "\n"))
}

// EnrollMessage is what a device signs to be enrolled; publicKey is the text in which it sends the key.
func EnrollMessage(tenant, userID, publicKey string) []byte {
	return message("enroll", tenant, userID, publicKey)
}

// WaitingMessage is what a device signs to learn what waits; at is in ms since 1970 UTC.
func WaitingMessage(tenant, device string, at int64) []byte {
	return message("waiting", tenant, device, strconv.FormatInt(at, 10))
}

// SecretMessage is what a device signs to learn the secret that it is to carry; at is in ms since 1970 UTC.
func SecretMessage(tenant, device string, at int64) []byte {
	return message("secret", tenant, device, strconv.FormatInt(at, 10))
}

// size is the bytes of each half of a signature.
const size = 32

// signed says whether a text is the key's signature over a message: ECDSA with SHA-256, r and s of 32 bytes each (as WebCrypto makes
// it), in base64.
func signed(key *ecdsa.PublicKey, message []byte, signature string) bool {
	if len(signature) > 2*2*size {
		return false
	}
	raw, err := decode(signature)
	if err != nil || len(raw) != 2*size {
		return false
	}
	sum := sha256.Sum256(message)
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:]))
}
