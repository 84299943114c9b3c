// Package authenticatortest is a device as its app makes it: with a key of its own that it signs with.
package authenticatortest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
)

// Device is one.
type Device struct {
	ID     string // once it is enrolled
	Secret string // of its codes, base32; the same
	key    *ecdsa.PrivateKey
}

// New makes a device with a key.
func New() *Device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &Device{key: key}
}

// PublicKey is the public half as the app sends it.
func (d *Device) PublicKey() string {
	raw, err := x509.MarshalPKIXPublicKey(&d.key.PublicKey)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Sign signs a message as WebCrypto does.
func (d *Device) Sign(message []byte) string {
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, d.key, sum[:])
	if err != nil {
		panic(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return base64.RawURLEncoding.EncodeToString(raw)
}
