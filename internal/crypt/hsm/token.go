//go:build pkcs11 && cgo

package hsm

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/pkcs11"

	"limen/internal/crypt"
)

// token wraps data keys with AES-256-GCM within a token. A wrapped key has the form that crypt.Master gives it: 8 bytes that tell
// keys apart, the nonce (12), the ciphertext and its tag (16). It is safe for concurrent use, one call at a time: data keys stay
// in memory once they are unwrapped.
type token struct {
	conf Config
	mod  *pkcs11.Ctx

	mu      sync.Mutex
	session pkcs11.SessionHandle
	key     pkcs11.ObjectHandle
	id      [8]byte
}

const (
	nonceSize = 12
	tagBits   = 128
	keyBytes  = 32
)

// Open finds the key in the token. The key must be one that the token does not give out. The token stays open until the program ends.
func Open(c Config) (crypt.Wrapper, error) {
	mod := pkcs11.New(c.Module)
	if mod == nil {
		return nil, refuse("%s cannot be loaded as a PKCS #11 module: it is missing, or made for another machine", c.Module)
	}
	if err := mod.Initialize(); err != nil && !is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		mod.Destroy()
		return nil, refuse("the PKCS #11 module %s does not start: %w", c.Module, err)
	}
	t := &token{conf: c, mod: mod}
	if err := t.connect(); err != nil {
		return nil, err
	}
	return t, nil
}

// pin reads the PIN.
func (c Config) pin() (string, error) {
	b, err := crypt.ReadSecret(c.PINFile)
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	if err == nil && len(b) == 0 {
		err = errors.New(c.PINFile + " is empty")
	}
	return string(b), err
}

func is(err error, codes ...pkcs11.Error) bool {
	var e pkcs11.Error
	return errors.As(err, &e) && slices.Contains(codes, e)
}

// connect opens a session, signs in to the token and finds the key.
func (t *token) connect() error {
	slot, err := t.slot()
	if err != nil {
		return err
	}
	pin, err := t.conf.pin()
	if err != nil {
		return crypt.ErrMasterInvalid.Because(err)
	}
	if t.session, err = t.mod.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
		return refuse("the token %s opens no session: %w", t.conf.Token, err)
	}
	if err := t.mod.Login(t.session, pkcs11.CKU_USER, pin); err != nil && !is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		_ = t.mod.CloseSession(t.session)
		return refuse("the token %s does not take the PIN in %s, and may lock it after a few tries: %w", t.conf.Token, t.conf.PINFile, err)
	}
	if err := t.find(); err != nil {
		_ = t.mod.CloseSession(t.session)
		return err
	}
	return nil
}

// slot finds the token by its label.
func (t *token) slot() (uint, error) {
	slots, err := t.mod.GetSlotList(true)
	if err != nil {
		return 0, refuse("the PKCS #11 module %s lists no tokens: %w", t.conf.Module, err)
	}
	var labels []string
	for _, slot := range slots {
		info, err := t.mod.GetTokenInfo(slot)
		if err != nil {
			continue
		}
		label := strings.TrimRight(info.Label, " \x00")
		if label == t.conf.Token {
			return slot, nil
		}
		if label != "" {
			labels = append(labels, label)
		}
	}
	return 0, refuse("there is no token %q; there are: %s", t.conf.Token, strings.Join(labels, ", "))
}

// find finds the key, and wants it to be one that never leaves the token.
func (t *token) find() error {
	err := t.mod.FindObjectsInit(t.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, t.conf.Key),
	})
	var found []pkcs11.ObjectHandle
	if err == nil {
		found, _, err = t.mod.FindObjects(t.session, 2)
		err = errors.Join(err, t.mod.FindObjectsFinal(t.session))
	}
	switch {
	case err != nil:
		return refuse("the token %s does not look for keys: %w", t.conf.Token, err)
	case len(found) == 0:
		return refuse("the token %s has no AES key %q; make one: pkcs11-tool --module %s --token-label %s --login --keygen --key-type AES:32 --sensitive --label %s",
			t.conf.Token, t.conf.Key, t.conf.Module, t.conf.Token, t.conf.Key)
	case len(found) > 1:
		return refuse("the token %s has several AES keys %q", t.conf.Token, t.conf.Key)
	}
	t.key = found[0]
	return t.inspect()
}

func (t *token) inspect() error {
	got, err := t.mod.GetAttributeValue(t.session, t.key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, nil), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, nil), pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, nil),
		pkcs11.NewAttribute(pkcs11.CKA_ID, nil),
	})
	if err != nil {
		return refuse("the token %s does not describe the key %q: %w", t.conf.Token, t.conf.Key, err)
	}
	long := pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, keyBytes).Value
	switch {
	case !bytes.Equal(got[2].Value, long):
		return refuse("the key %q is no AES key of 256 bits", t.conf.Key)
	case !bytes.Equal(got[0].Value, []byte{1}) || !bytes.Equal(got[1].Value, []byte{0}):
		return refuse("the token %s would give out the key %q: make one that is sensitive and not extractable", t.conf.Token, t.conf.Key)
	}
	sum := sha256.Sum256(append([]byte("limen token key 1\x00"+t.conf.Key+"\x00"), got[3].Value...))
	copy(t.id[:], sum[:])
	return nil
}

// Wrap encrypts a data key within the token.
func (t *token) Wrap(_ context.Context, key, aad []byte) (out []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	err = t.again(func() error {
		nonce := make([]byte, nonceSize)
		if _, err := rand.Read(nonce); err != nil {
			return err
		}
		p := pkcs11.NewGCMParams(nonce, aad, tagBits)
		defer p.Free()
		if err := t.mod.EncryptInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, p)}, t.key); err != nil {
			return err
		}
		sealed, err := t.mod.Encrypt(t.session, key)
		if err != nil {
			return err
		}
		if used := p.IV(); len(used) == nonceSize { // some tokens choose it themselves
			nonce = used
		}
		out = slices.Concat(t.id[:], nonce, sealed)
		return nil
	})
	if err != nil {
		return nil, crypt.ErrStore.Because(err)
	}
	return out, nil
}

// Unwrap decrypts what Wrap made; crypt.ErrMaster says that another key did.
func (t *token) Unwrap(_ context.Context, wrapped, aad []byte) (key []byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(wrapped) < len(t.id)+nonceSize || subtle.ConstantTimeCompare(wrapped[:len(t.id)], t.id[:]) != 1 {
		return nil, crypt.ErrMaster.Because(errors.New("the key was wrapped by another master key"))
	}
	body, damaged := wrapped[len(t.id):], false
	err = t.again(func() error {
		p := pkcs11.NewGCMParams(body[:nonceSize], aad, tagBits)
		defer p.Free()
		if err := t.mod.DecryptInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, p)}, t.key); err != nil {
			return err
		}
		key, err = t.mod.Decrypt(t.session, body[nonceSize:])
		damaged = err != nil && !is(err, lost...)
		return err
	})
	switch {
	case damaged:
		return nil, crypt.ErrUnopenable.Because(errors.New("the wrapped key is damaged"))
	case err != nil:
		return nil, crypt.ErrStore.Because(err)
	}
	return key, nil
}

// lost are answers of a token whose session is gone: it was restarted, or taken out and put back.
var lost = []pkcs11.Error{
	pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_DEVICE_ERROR,
	pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_OBJECT_HANDLE_INVALID,
}

// again does something in the session, and once more in a new one where the session is gone.
func (t *token) again(do func() error) error {
	err := do()
	if !is(err, lost...) {
		return err
	}
	_ = t.mod.CloseSession(t.session)
	if err := t.connect(); err != nil {
		return err
	}
	return do()
}
