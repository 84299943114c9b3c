package crypt

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"errors"
)

func TestTokenForms(t *testing.T) {
	for name, c := range map[string]struct {
		make func() (string, []byte)
		form string
	}{
		"token":      {func() (string, []byte) { return NewToken(rand.Reader) }, `^[A-Za-z0-9_-]{43}$`},
		"auth":       {func() (string, []byte) { return NewAuth(rand.Reader) }, `^[0-9A-F]{64}$`},
		"session id": {func() (string, []byte) { return NewSessionID(rand.Reader) }, `^[A-Za-z0-9_-]{43}1$`},
	} {
		seen := map[string]bool{}
		for range 200 {
			plain, hash := c.make()
			if !regexp.MustCompile(c.form).MatchString(plain) || seen[plain] {
				t.Fatalf("%s: %q", name, plain)
			}
			seen[plain] = true
			if len(hash) != 32 || !Same(hash, TokenHash(plain)) || Same(hash, TokenHash(plain+"x")) {
				t.Fatalf("%s: hash %x", name, hash)
			}
		}
	}
}

func TestTokenHashVector(t *testing.T) {
	// FIPS 180-2, appendix B.1.
	if got := hex.EncodeToString(TokenHash("abc")); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Fatal(got)
	}
}

func TestSame(t *testing.T) {
	if !SameText("a", "a") || SameText("a", "ab") || SameText("", "a") || !Same(nil, nil) || Same([]byte("a"), []byte("b")) {
		t.Fatal("comparison")
	}
}

func TestNewCode(t *testing.T) {
	counts := map[byte]int{}
	for range 5000 {
		c := NewCode(rand.Reader, 6)
		if !regexp.MustCompile(`^\d{6}$`).MatchString(c) {
			t.Fatal(c)
		}
		counts[c[0]]++
	}
	for d := byte('0'); d <= '9'; d++ {
		if counts[d] < 380 || counts[d] > 620 { // expected 500, six standard deviations are 127
			t.Errorf("digit %c came %d times in front", d, counts[d])
		}
	}
}

func TestCodesHaveNoBias(t *testing.T) {
	// 2^64 mod 10 is 6: the draws 0 to 5 belong to an incomplete stretch and are thrown away.
	draws := append(bytes.Repeat([]byte{0}, 7), 5)
	draws = append(append(draws, bytes.Repeat([]byte{0}, 7)...), 6)
	if got := NewCode(bytes.NewReader(draws), 1); got != "6" {
		t.Fatal(got)
	}
}

func TestCodeHash(t *testing.T) {
	a := CodeHash([]byte("k"), "123456", "user/1")
	for _, b := range [][]byte{CodeHash([]byte("l"), "123456", "user/1"), CodeHash([]byte("k"), "123457", "user/1"), CodeHash([]byte("k"), "123456", "user/2")} {
		if Same(a, b) {
			t.Fatal("different codes, one hash")
		}
	}
	if !Same(a, CodeHash([]byte("k"), "123456", "user/1")) {
		t.Fatal("not the same twice")
	}
}

func TestMasterFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "master.key")
	if _, err := MasterFromFile(path, false); !errors.Is(err, ErrMasterInvalid) {
		t.Fatal(err)
	}
	m, err := MasterFromFile(path, true)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Fatal(info, err)
	}
	again, err := MasterFromFile(path, true)
	if err != nil || again.id != m.id {
		t.Fatal("another key on the second start", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "sub", ".master-*")); len(left) > 0 {
		t.Fatal(left)
	}
	raw, _ := os.ReadFile(path)
	for _, text := range []string{base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw) + "\n"} {
		same, err := MasterFromText(text)
		if err != nil || same.id != m.id {
			t.Error(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if same, err := MasterFromFile(path, false); err != nil || same.id != m.id {
			t.Error(err)
		}
	}
}

func TestMasterFileRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
		if err := errors.Join(os.WriteFile(path, bytes.Repeat([]byte{1}, 32), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		_, err := MasterFromFile(path, true)
		if !errors.Is(err, ErrMasterInvalid) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("%o: %v", mode, err)
		}
	}
	for name, content := range map[string]string{"short": "abc", "zeros": strings.Repeat("\x00", 32), "long": strings.Repeat("A", 100), "no base64": strings.Repeat("!", 43), "empty": ""} {
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := MasterFromFile(path, true); !errors.Is(err, ErrMasterInvalid) || strings.Contains(err.Error(), "!!!") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := MasterFromFile(filepath.Dir(path), false); !errors.Is(err, ErrMasterInvalid) {
		t.Error(err)
	}
}

func TestMasterFileMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	var wg sync.WaitGroup
	ids := make([][8]byte, 8)
	for i := range ids {
		wg.Go(func() {
			m, err := MasterFromFile(path, true)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = m.id
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatal("two starts, two keys")
		}
	}
}
