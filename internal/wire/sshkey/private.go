package sshkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // PuTTY's files are padded by it
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/ssh"
)

// Formats of files of private keys.
const (
	PPK     = "PPK"     // PuTTY's, version 3
	PEM     = "PEM"     // PKCS #1, and PKCS #8 with a passphrase
	OpenSSH = "OpenSSH" // OpenSSH's own
)

// Private is a private key: RSA, which all clients know in all formats.
type Private struct{ key *rsa.PrivateKey }

// Kind is the kind of all private keys.
const Kind = "RSA"

// bits is how long private keys are that are made.
const bits = 3072

// Make makes a private key.
func Make(rand io.Reader) (Private, error) {
	key, err := rsa.GenerateKey(rand, bits)
	return Private{key}, err
}

// Public is the public half.
func (p Private) Public() (Public, error) {
	key, err := ssh.NewPublicKey(&p.key.PublicKey)
	if err != nil {
		return Public{}, err
	}
	return Public{key.Type(), base64.StdEncoding.EncodeToString(key.Marshal())}, nil
}

// File is the key as a file of a format; with a passphrase it is of use only to those who know that.
func (p Private) File(format, comment, passphrase string, rand io.Reader) (string, error) {
	switch format {
	case PPK:
		return p.ppk(comment, passphrase, rand)
	case PEM:
		return p.pem(passphrase, rand)
	case OpenSSH:
		block, err := ssh.MarshalPrivateKey(p.key, comment)
		if passphrase != "" {
			block, err = ssh.MarshalPrivateKeyWithPassphrase(p.key, comment, []byte(passphrase))
		}
		if err != nil {
			return "", err
		}
		return string(pem.EncodeToMemory(block)), nil
	}
	return "", fmt.Errorf("no format %q", format)
}

// What encrypted PKCS #8 is made of (RFC 8018).
type (
	encrypted struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	scheme struct{ Derivation, Cipher pkix.AlgorithmIdentifier }
	pbkdf  struct {
		Salt   []byte
		Rounds int
		Hash   pkix.AlgorithmIdentifier
	}
)

var (
	oidScheme = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHash   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

const rounds = 600_000 // of PBKDF2

func (p Private) pem(passphrase string, rand io.Reader) (string, error) {
	if passphrase == "" {
		return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(p.key)})), nil
	}
	plain, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return "", err
	}
	random := make([]byte, 16+aes.BlockSize)
	if _, err := io.ReadFull(rand, random); err != nil {
		return "", err
	}
	salt, iv := random[:16], random[16:]
	key, err := pbkdf2.Key(sha256.New, passphrase, salt, rounds, 32)
	if err != nil {
		return "", err
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	data, err := sealed(append(plain, bytes.Repeat([]byte{byte(n)}, n)...), key, iv)
	if err != nil {
		return "", err
	}
	var out []byte
	of := func(oid asn1.ObjectIdentifier, parameters any) (id pkix.AlgorithmIdentifier) {
		var raw []byte
		if err == nil {
			raw, err = asn1.Marshal(parameters)
		}
		return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: raw}}
	}
	how := of(oidScheme, scheme{of(oidPBKDF, pbkdf{salt, rounds, of(oidHash, asn1.NullRawValue)}), of(oidAES, iv)})
	if err == nil {
		out, err = asn1.Marshal(encrypted{how, data})
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: out})), err
}

// sealed is AES in CBC over whole blocks.
func sealed(plain, key, iv []byte) ([]byte, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(b, iv).CryptBlocks(out, plain)
	return out, nil
}

// How PuTTY derives keys of a passphrase, as its own program does by default.
const (
	memory = 8192 // KiB
	passes = 21
)

func (p Private) ppk(comment, passphrase string, rand io.Reader) (string, error) {
	public, err := ssh.NewPublicKey(&p.key.PublicKey)
	if err != nil {
		return "", err
	}
	p.key.Precompute()
	plain := ssh.Marshal(struct{ D, P, Q, I []byte }{
		mpint(p.key.D.Bytes()), mpint(p.key.Primes[0].Bytes()), mpint(p.key.Primes[1].Bytes()), mpint(p.key.Precomputed.Qinv.Bytes()),
	})
	stored, how, mac, derivation := plain, "none", []byte{}, ""
	if passphrase != "" {
		salt := make([]byte, 16)
		if _, err := io.ReadFull(rand, salt); err != nil {
			return "", err
		}
		keys := argon2.IDKey([]byte(passphrase), salt, passes, memory, 1, 80)
		sum := sha1.Sum(plain) //nolint:gosec // its bytes are no secret and prove nothing: they fill the last block
		plain = append(plain, sum[:(aes.BlockSize-len(plain)%aes.BlockSize)%aes.BlockSize]...)
		if stored, err = sealed(plain, keys[:32], keys[32:48]); err != nil {
			return "", err
		}
		how, mac = "aes256-cbc", keys[48:]
		derivation = fmt.Sprintf("Key-Derivation: Argon2id\nArgon2-Memory: %d\nArgon2-Passes: %d\nArgon2-Parallelism: 1\nArgon2-Salt: %x\n", memory, passes, salt)
	}
	sum := hmac.New(sha256.New, mac)
	sum.Write(ssh.Marshal(struct{ Kind, How, Comment, Public, Private string }{public.Type(), how, comment, string(public.Marshal()), string(plain)}))
	return fmt.Sprintf("PuTTY-User-Key-File-3: %s\nEncryption: %s\nComment: %s\n%s%s%sPrivate-MAC: %s\n", public.Type(), how, comment,
		lines("Public", public.Marshal()), derivation, lines("Private", stored), hex.EncodeToString(sum.Sum(nil))), nil
}

// mpint is a number that is not negative: its first bit is no sign.
func mpint(n []byte) []byte {
	if len(n) > 0 && n[0]&0x80 != 0 {
		return append([]byte{0}, n...)
	}
	return n
}

// lines is base64 in lines of 64, with their number before them.
func lines(name string, raw []byte) string {
	const width = 64
	text := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	fmt.Fprintf(&b, "%s-Lines: %d\n", name, (len(text)+width-1)/width)
	for len(text) > 0 {
		n := min(width, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	return b.String()
}
