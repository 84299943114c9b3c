//go:build pkcs11 && cgo

package hsm_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"limen/internal/crypt"
	"limen/internal/crypt/hsm"
)

// module finds SoftHSM, a token in software, and gives it a directory of its own.
func module(t *testing.T) (file string) {
	t.Helper()
	for _, dir := range []string{"/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu/softhsm", "/usr/lib/aarch64-linux-gnu/softhsm", "/usr/local/lib/softhsm"} {
		if _, err := os.Stat(filepath.Join(dir, "libsofthsm2.so")); err == nil {
			file = filepath.Join(dir, "libsofthsm2.so")
		}
	}
	if file == "" && os.Getenv("LIMEN_TEST_TOKEN_REQUIRED") != "" {
		t.Fatal("SoftHSM is not installed")
	}
	if file == "" {
		t.Skip("SoftHSM is not installed: apt-get install softhsm2")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "vault", "--pin", "1234", "--so-pin", "5678").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

// generate makes a key in the token, as pkcs11-tool does.
func generate(t *testing.T, file, label string, size int, out bool) {
	t.Helper()
	p := pkcs11.New(file)
	if err := p.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		t.Fatal(err)
	}
	slots, err := p.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.OpenSession(slots[0], pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.CloseSession(s) }()
	if err := p.Login(s, pkcs11.CKU_USER, "1234"); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
		t.Fatal(err)
	}
	_, err = p.GenerateKey(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, !out),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, out), pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, true), pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, size), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(label)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func secret(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestToken(t *testing.T) {
	c := hsm.Config{Module: module(t), Token: "vault", Key: "limen", PINFile: secret(t, "1234\n")}
	ctx, key, aad := t.Context(), bytes.Repeat([]byte{7}, 32), []byte("tenant/purpose/1")

	refused := func(what string, change func(*hsm.Config), want string) {
		t.Helper()
		x := c
		change(&x)
		if _, err := hsm.Open(x); !errors.Is(err, crypt.ErrMasterInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("no module", func(x *hsm.Config) { x.Module = "/nowhere.so" }, "cannot be loaded")
	refused("no token", func(x *hsm.Config) { x.Token = "else" }, `there is no token "else"; there are: vault`)
	refused("no key", func(*hsm.Config) {}, `has no AES key "limen"; make one: pkcs11-tool`)
	generate(t, c.Module, "limen", 32, false)
	generate(t, c.Module, "other", 32, false)
	generate(t, c.Module, "short", 16, false)
	generate(t, c.Module, "loose", 32, true)
	generate(t, c.Module, "twice", 32, false)
	generate(t, c.Module, "twice", 32, false)
	refused("a short key", func(x *hsm.Config) { x.Key = "short" }, "256 bits")
	refused("a key that may leave", func(x *hsm.Config) { x.Key = "loose" }, "would give out")
	refused("two keys", func(x *hsm.Config) { x.Key = "twice" }, "several")

	one, err := hsm.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := one.Wrap(ctx, key, aad)
	if err != nil || bytes.Contains(wrapped, key) {
		t.Fatal(err, wrapped)
	}
	if twin, err := one.Wrap(ctx, key, aad); err != nil || bytes.Equal(twin, wrapped) {
		t.Error("the same nonce twice", err)
	}
	second, err := hsm.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Unwrap(ctx, wrapped, aad); err != nil || !bytes.Equal(got, key) {
		t.Error(err)
	}
	for what, damage := range map[string]func([]byte) ([]byte, []byte){
		"another place": func(b []byte) ([]byte, []byte) { return b, []byte("tenant/purpose/2") },
		"a bit":         func(b []byte) ([]byte, []byte) { b[len(b)-1] ^= 1; return b, aad },
		"a nonce":       func(b []byte) ([]byte, []byte) { b[9] ^= 1; return b, aad },
	} {
		b, with := damage(bytes.Clone(wrapped))
		if got, err := one.Unwrap(ctx, b, with); !errors.Is(err, crypt.ErrUnopenable) || got != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := one.Unwrap(ctx, wrapped, aad); err != nil || !bytes.Equal(got, key) {
		t.Error("after failures:", err)
	}
	x := c
	x.Key = "other"
	other, err := hsm.Open(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{wrapped, wrapped[:5], nil} {
		if _, err := other.Unwrap(ctx, b, aad); !errors.Is(err, crypt.ErrMaster) {
			t.Errorf("another key: %v", err)
		}
	}

	// All sessions of the program are gone, as when the token was taken out.
	p := pkcs11.New(c.Module)
	slots, err := p.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.CloseAllSessions(slots[0]); err != nil {
		t.Fatal(err)
	}
	refused("a wrong PIN", func(x *hsm.Config) { x.PINFile = secret(t, "4321") }, "does not take the PIN")
	if got, err := one.Unwrap(ctx, wrapped, aad); err != nil || !bytes.Equal(got, key) {
		t.Error("after the token was away:", err)
	}
}
