package sshkey

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// short is a key that takes no time to make.
func short(t *testing.T) Private {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return Private{key}
}

// Files hold the key that was made, and with a passphrase nothing without it.
func TestFile(t *testing.T) {
	p := short(t)
	public, err := p.Public()
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := Parse(public.String()); err != nil || parsed != public {
		t.Error(parsed, err)
	}
	for _, format := range []string{PEM, OpenSSH} {
		open, err := p.File(format, "anna", "", rand.Reader)
		if err != nil {
			t.Fatal(format, err)
		}
		same(t, public)(ssh.ParsePrivateKey([]byte(open)))
	}
	locked, err := p.File(OpenSSH, "anna", "Horse", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	same(t, public)(ssh.ParsePrivateKeyWithPassphrase([]byte(locked), []byte("Horse")))
	if _, err := ssh.ParsePrivateKey([]byte(locked)); err == nil {
		t.Error("read without the passphrase")
	}
	if s, err := p.File("DER", "", "", rand.Reader); err == nil {
		t.Error(s)
	}
}

func same(t *testing.T, want Public) func(ssh.Signer, error) {
	return func(s ssh.Signer, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))); got != want.String() {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// PuTTY's files are those that its own program makes of the same key, comment and salt (puttygen --ppk-param passes=21,memory=8192).
func TestPPK(t *testing.T) {
	raw, err := os.ReadFile("testdata/key.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for name, passphrase := range map[string]string{"open": "", "locked": "Horse"} {
		want, err := os.ReadFile("testdata/" + name + ".ppk")
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(want), "Argon2-Salt: ")
		salt, _, _ := strings.Cut(after, "\n")
		bytes, err := hex.DecodeString(salt)
		if passphrase != "" && err != nil {
			t.Fatal(err)
		}
		got, err := Private{key}.File(PPK, "anna", passphrase, strings.NewReader(string(bytes)))
		if err != nil || got != string(want) {
			t.Errorf("%v\n%s\nwant\n%s", err, got, want)
		}
	}
}

// Programs that such files are for read them, where they are installed: OpenSSH's and PuTTY's.
func TestFileForeign(t *testing.T) {
	p := short(t)
	public, err := p.Public()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	phrase := filepath.Join(dir, "phrase")
	if err := os.WriteFile(phrase, []byte("Horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		format, passphrase string
		read               []string // how the public key is read of the file
	}{
		{PEM, "", []string{"ssh-keygen", "-y", "-f"}},
		{PEM, "Horse", []string{"ssh-keygen", "-y", "-P", "Horse", "-f"}},
		{OpenSSH, "", []string{"ssh-keygen", "-y", "-f"}},
		{OpenSSH, "Horse", []string{"ssh-keygen", "-y", "-P", "Horse", "-f"}},
		{PPK, "", []string{"puttygen", "-L"}},
		{PPK, "Horse", []string{"puttygen", "--old-passphrase", phrase, "-L"}},
	} {
		t.Run(x.format+x.passphrase, func(t *testing.T) {
			if _, err := exec.LookPath(x.read[0]); err != nil {
				t.Skip(err)
			}
			text, err := p.File(x.format, "anna", x.passphrase, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, x.format+x.passphrase)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), x.read[0], append(x.read[1:], file)...).CombinedOutput()
			if err != nil || !strings.HasPrefix(string(out), public.String()) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
