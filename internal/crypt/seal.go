package crypt

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
)

// maxPlain bounds what Seal takes, in bytes: secrets and keys, not documents.
const maxPlain = 1 << 20

const (
	sealPrefix = "s1."
	macPrefix  = "m1."
)

var text64 = base64.RawURLEncoding.Strict()

// Seal encrypts a secret that must be read back. The text form is
//
//	s1.VERSION.BASE64URL(nonce 12 || AES-256-GCM ciphertext || tag 16)
//
// with the version of the data key in decimal. Authenticated with it are tenant, purpose, version and aad; aad names
// where the value belongs, for example "factor/" and a row id, so that a value copied to another row does not open.
// A tenant's first value makes its key in a transaction of its own: seal in Prepare, not inside a write transaction,
// or call Ensure when the tenant is made.
func (r *Ring) Seal(ctx context.Context, tenant, purpose string, plaintext []byte, aad string) (string, error) {
	if len(plaintext) > maxPlain {
		return "", ErrTooLong
	}
	k, err := r.current(ctx, slot{tenant, purpose})
	if err != nil {
		return "", err
	}
	return join(sealPrefix, k.Version, k.seal.Seal(nil, nil, plaintext, k.bind("limen seal 1", []byte(aad)))), nil
}

// Open gives back what Seal was given, for the same tenant, purpose and aad. Anything else is ErrUnopenable.
func (r *Ring) Open(ctx context.Context, tenant, purpose, sealed, aad string) ([]byte, error) {
	version, body, err := split(sealPrefix, sealed)
	if err != nil {
		return nil, err
	}
	k, err := r.at(ctx, slot{tenant, purpose}, version)
	if err != nil {
		return nil, err
	}
	plain, err := k.seal.Open(nil, nil, body, k.bind("limen seal 1", []byte(aad)))
	if err != nil {
		return nil, ErrUnopenable.Because(errors.New("the value is damaged or belongs elsewhere"))
	}
	return plain, nil
}

// Version says which version of its key sealed a value or made a MAC, for sweeps that seal again after a rotation.
func Version(text string) (int, error) {
	prefix := sealPrefix
	if strings.HasPrefix(text, macPrefix) {
		prefix = macPrefix
	}
	v, _, err := split(prefix, text)
	return v, err
}

// MAC authenticates a message with the tenant's key: for short codes, links and cookies whose content is public. The
// form is m1.VERSION.BASE64URL(HMAC-SHA256); CheckMAC accepts it from older versions of the key too.
func (r *Ring) MAC(ctx context.Context, tenant, purpose string, message []byte) (string, error) {
	k, err := r.current(ctx, slot{tenant, purpose})
	if err != nil {
		return "", err
	}
	return join(macPrefix, k.Version, k.sum(message)), nil
}

// CheckMAC says whether mac was made by MAC for the same tenant, purpose and message. An error means that the keys
// could not be read; a forged or damaged mac is false without one.
func (r *Ring) CheckMAC(ctx context.Context, tenant, purpose string, message []byte, mac string) (bool, error) {
	version, body, err := split(macPrefix, mac)
	if err != nil {
		return false, nil //nolint:nilerr // what has no form of ours is no MAC of ours
	}
	k, err := r.at(ctx, slot{tenant, purpose}, version)
	if errors.Is(err, ErrUnopenable) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return hmac.Equal(body, k.sum(message)), nil
}

func (k *dataKey) sum(message []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(k.bind("limen mac 1", message))
	return h.Sum(nil)
}

func (k *dataKey) bind(label string, extra []byte) []byte {
	return bind(label, []byte(k.Tenant), []byte(k.Purpose), binary.BigEndian.AppendUint32(nil, uint32(k.Version)), extra)
}

func join(prefix string, version int, body []byte) string {
	return prefix + strconv.Itoa(version) + "." + text64.EncodeToString(body)
}

// split is strict: a value has one text form, so that equal values compare equal.
func split(prefix, text string) (version int, body []byte, err error) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(text) > maxPlain/3*4+256 {
		return 0, nil, ErrUnopenable.Because(errors.New("the value has an unknown form"))
	}
	number, encoded, ok := strings.Cut(rest, ".")
	if !ok || len(number) == 0 || len(number) > 9 || number[0] < '1' || number[0] > '9' {
		return 0, nil, ErrUnopenable.Because(errors.New("the value has no valid key version"))
	}
	if version, err = strconv.Atoi(number); err != nil {
		return 0, nil, ErrUnopenable.Because(errors.New("the value has no valid key version"))
	}
	// The decoder skips line breaks even when strict.
	if strings.ContainsAny(encoded, "\r\n") {
		return 0, nil, ErrUnopenable.Because(errors.New("the value is not base64url"))
	}
	if body, err = text64.DecodeString(encoded); err != nil {
		return 0, nil, ErrUnopenable.Because(errors.New("the value is not base64url"))
	}
	return version, body, nil
}
