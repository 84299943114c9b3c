// Package sshkey reads and writes keys of SSH: public ones as lines of authorized_keys, private ones in the files of its clients.
package sshkey

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Bounds of public keys.
const (
	MaxText = 8 << 10 // bytes of a key as text
	minRSA  = 2048    // bits
	maxRSA  = 8192
)

// Algorithms are those whose keys are taken: no DSA, which SSH has given up, and no certificates, which are no keys.
var Algorithms = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSA, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
}

// What is wrong with a key. The text is for people.
var (
	ErrForm      = errors.New("must be one line: the algorithm, a space and the key in base64, without options and comment")
	ErrAlgorithm = errors.New("must be a key of one of " + strings.Join(Algorithms, ", "))
	ErrSize      = fmt.Errorf("must be an RSA key of %d to %d bits, or one of another algorithm", minRSA, maxRSA)
)

// Public is a public key.
type Public struct {
	Algorithm string
	Body      string // in base64, as a line has it
}

// Parse reads a public key as OpenSSH writes it, without options and comment. Faults: ErrForm, ErrAlgorithm, ErrSize.
func Parse(text string) (Public, error) {
	text = strings.TrimSpace(text)
	if len(text) > MaxText || strings.ContainsAny(text, "\r\n\x00") {
		return Public{}, ErrForm
	}
	algorithm, body, ok := strings.Cut(text, " ")
	body = strings.TrimLeft(body, " ")
	raw, err := base64.StdEncoding.Strict().DecodeString(body)
	if !ok || err != nil {
		return Public{}, ErrForm
	}
	if !slices.Contains(Algorithms, algorithm) {
		return Public{}, ErrAlgorithm
	}
	key, err := ssh.ParsePublicKey(raw)
	if err != nil || key.Type() != algorithm || !bytes.Equal(key.Marshal(), raw) {
		return Public{}, ErrForm
	}
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if k, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok && (k.N.BitLen() < minRSA || k.N.BitLen() > maxRSA) {
			return Public{}, ErrSize
		}
	}
	return Public{algorithm, body}, nil
}

// String is the key as a line of authorized_keys.
func (p Public) String() string { return p.Algorithm + " " + p.Body }

// ID is the SHA-256 of the key, in hexadecimal.
func (p Public) ID() string {
	raw, _ := base64.StdEncoding.DecodeString(p.Body) // which Parse has read
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// IsID says whether a text could be a key's id.
func IsID(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == sha256.Size
}
