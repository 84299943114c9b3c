package crypt

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// keySize is the length of the master key and of data keys in bytes (AES-256).
const keySize = 32

// Wrapper protects data keys. Master is the one that holds its key in memory; a hardware token implements the same
// two calls. aad is authenticated, not stored: Unwrap needs the bytes that Wrap was given.
type Wrapper interface {
	Wrap(ctx context.Context, key, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error)
}

// Master wraps data keys with AES-256-GCM. A wrapped key is the master's id (8 bytes of a hash of the key, so that a
// wrong master is told apart from damage), the nonce (12), the ciphertext and its tag (16).
type Master struct {
	id   [8]byte
	aead cipher.AEAD
}

// NewMaster takes a key of 32 bytes.
func NewMaster(key []byte) (*Master, error) {
	if len(key) != keySize {
		return nil, ErrMasterInvalid.Because(fmt.Errorf("it has %d bytes, not %d", len(key), keySize))
	}
	if subtle.ConstantTimeCompare(key, make([]byte, keySize)) == 1 {
		return nil, ErrMasterInvalid.Because(errors.New("it is all zeros"))
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	m := &Master{aead: aead}
	sum := sha256.Sum256(append([]byte("limen master id 1\x00"), key...))
	copy(m.id[:], sum[:])
	return m, nil
}

// MasterFromText takes the key as base64 (either alphabet, padded or not), as in LIMEN_MASTER_KEY.
func MasterFromText(text string) (*Master, error) {
	key, err := decodeKey(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	return NewMaster(key)
}

func decodeKey(text string) ([]byte, error) {
	text = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "=")
	if base64.RawURLEncoding.DecodedLen(len(text)) != keySize {
		return nil, ErrMasterInvalid.Because(fmt.Errorf("it is not base64 of %d bytes", keySize))
	}
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		// The decoder's own message would quote a part of the key.
		return nil, ErrMasterInvalid.Because(errors.New("it is not base64"))
	}
	return key, nil
}

// MasterFromFile reads the key from a file of 32 raw bytes, or of base64 text. A file that its group or others may
// read is refused. When the file is missing and create is set, a new key is written with mode 0600; the caller sets
// create only while nothing has been sealed yet.
func MasterFromFile(path string, create bool) (*Master, error) {
	key, err := ReadSecret(path)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err = createKey(path); err != nil {
			return nil, ErrMasterInvalid.Because(err)
		}
		key, err = ReadSecret(path)
	}
	if err != nil {
		return nil, ErrMasterInvalid.Because(err)
	}
	if len(key) != keySize {
		return MasterFromText(string(key))
	}
	return NewMaster(key)
}

// ReadSecret reads a file of a secret, up to 128 bytes of it. A file that its group or others may read is refused.
func ReadSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	// Windows keeps access in lists that these bits do not show.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s may be read by others (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	return io.ReadAll(io.LimitReader(f, 128))
}

// createKey makes the file appear complete or not at all, and never replaces one: of two processes that start
// together the second uses the first one's key.
func createKey(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".master-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	key := make([]byte, keySize)
	if _, err = rand.Read(key); err == nil {
		_, err = f.Write(key)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err = d.Sync(); err != nil && runtime.GOOS != "windows" {
		return err
	}
	return nil
}

// Wrap encrypts a data key.
func (m *Master) Wrap(_ context.Context, key, aad []byte) ([]byte, error) {
	return m.aead.Seal(append([]byte(nil), m.id[:]...), nil, key, aad), nil
}

// Unwrap decrypts what Wrap made; ErrMaster says that another master key did.
func (m *Master) Unwrap(_ context.Context, wrapped, aad []byte) ([]byte, error) {
	if len(wrapped) < len(m.id) || subtle.ConstantTimeCompare(wrapped[:len(m.id)], m.id[:]) != 1 {
		return nil, ErrMaster.Because(errors.New("the key was wrapped by another master key"))
	}
	key, err := m.aead.Open(nil, nil, wrapped[len(m.id):], aad)
	if err != nil {
		return nil, ErrUnopenable.Because(errors.New("the wrapped key is damaged"))
	}
	return key, nil
}

// newAEAD is AES-256-GCM that draws a random nonce of 12 bytes for each message and puts it in front.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrMasterInvalid.Because(err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
