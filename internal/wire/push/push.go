// Package push writes messages of web push: their encryption (RFC 8291, by RFC 8188), and the header by which a server shows who it
// is (RFC 8292, VAPID).
package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"
)

// Encoding is what the header of a message says (Content-Encoding).
const Encoding = "aes128gcm"

// MaxText is how long a message may be, in bytes: push services take 4,096 with what stands around it (RFC 8030 section 7.2).
const MaxText = 3000

const (
	saltSize   = 16
	secretSize = 16
	pointSize  = 65   // of a public key on P-256, uncompressed
	recordSize = 4096 // all is in one record
)

// Errors of what a browser sent.
var (
	ErrKey  = errors.New("push: the browser's key or secret cannot be used")
	ErrLong = errors.New("push: the message is too long")
)

var encoding = base64.RawURLEncoding.Strict()

// Keys are those of a subscription, as PushSubscription.toJSON writes them: base64url without padding.
type Keys struct {
	P256DH string // public key of the browser
	Auth   string // secret that it shares
}

// Check says whether the keys can be used. Error: ErrKey.
func (k Keys) Check() error {
	_, _, err := k.read()
	return err
}

func (k Keys) read() (*ecdh.PublicKey, []byte, error) {
	if len(k.P256DH) > 2*pointSize || len(k.Auth) > 2*secretSize || strings.ContainsAny(k.P256DH+k.Auth, "\r\n") {
		return nil, nil, ErrKey
	}
	point, err := encoding.DecodeString(strings.TrimRight(k.P256DH, "="))
	if err != nil || len(point) != pointSize {
		return nil, nil, ErrKey
	}
	public, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, nil, ErrKey
	}
	secret, err := encoding.DecodeString(strings.TrimRight(k.Auth, "="))
	if err != nil || len(secret) != secretSize {
		return nil, nil, ErrKey
	}
	return public, secret, nil
}

// Encrypt makes the body of a message that only the browser reads. Errors: ErrKey, ErrLong.
func Encrypt(k Keys, text []byte, random io.Reader) ([]byte, error) {
	own, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil, err
	}
	return encrypt(k, text, own, salt)
}

func encrypt(k Keys, text []byte, own *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	theirs, secret, err := k.read()
	if err != nil {
		return nil, err
	}
	if len(text) > MaxText {
		return nil, ErrLong
	}
	shared, err := own.ECDH(theirs)
	if err != nil {
		return nil, ErrKey
	}
	seal, nonce, err := derive(shared, secret, salt, theirs.Bytes(), own.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint32(append([]byte(nil), salt...), recordSize)
	out = append(append(out, pointSize), own.PublicKey().Bytes()...)
	return seal.Seal(out, nonce, append(append([]byte(nil), text...), 2), nil), nil // 2: the last record
}

// derive makes what encrypts (RFC 8291 section 3.4).
func derive(shared, secret, salt, browser, server []byte) (seal cipher.AEAD, nonce []byte, err error) {
	info := "WebPush: info\x00" + string(browser) + string(server)
	ikm, err := hkdf.Key(sha256.New, shared, secret, info, 32)
	if err != nil {
		return nil, nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, nil, err
	}
	if nonce, err = hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12); err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	seal, err = cipher.NewGCM(block)
	return seal, nonce, err
}

// Open reads a message, as the browser does that has the private key.
func Open(private *ecdh.PrivateKey, secret, body []byte) ([]byte, error) {
	const head = saltSize + 4 + 1 + pointSize
	if len(body) < head || body[saltSize+4] != pointSize {
		return nil, ErrKey
	}
	salt, point := body[:saltSize], body[saltSize+5:head]
	server, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, ErrKey
	}
	shared, err := private.ECDH(server)
	if err != nil {
		return nil, ErrKey
	}
	seal, nonce, err := derive(shared, secret, salt, private.PublicKey().Bytes(), point)
	if err != nil {
		return nil, err
	}
	text, err := seal.Open(nil, nonce, body[head:], nil)
	if err != nil || len(text) == 0 {
		return nil, ErrKey
	}
	for i := len(text) - 1; i >= 0; i-- { // zeros fill a record up behind its mark
		if text[i] == 2 {
			return text[:i], nil
		}
		if text[i] != 0 {
			break
		}
	}
	return nil, ErrKey
}

// Origin is the push service of an endpoint: what its identification is for. Empty for what is no https address.
func Origin(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Public is a public key as browsers take it (applicationServerKey).
func Public(key *ecdsa.PrivateKey) (string, error) {
	k, err := key.PublicKey.ECDH()
	if err != nil {
		return "", err
	}
	return encoding.EncodeToString(k.Bytes()), nil
}

// Authorization is the header by which the server shows that the subscription was made for it (RFC 8292 section 3). subject is an https
// or mailto address of whoever runs it.
func Authorization(key *ecdsa.PrivateKey, endpoint, subject string, until time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"aud": Origin(endpoint), "exp": until.Unix(), "sub": subject})
	if err != nil {
		return "", err
	}
	text := encoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + encoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return "", err
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	public, err := Public(key)
	return "vapid t=" + text + "." + encoding.EncodeToString(raw) + ", k=" + public, err
}
