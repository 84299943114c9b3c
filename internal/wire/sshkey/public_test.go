package sshkey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// line is a public key as a line of authorized_keys.
func line(t testing.TB, key any) string {
	t.Helper()
	p, err := ssh.NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return p.Type() + " " + base64.StdEncoding.EncodeToString(p.Marshal())
}

func TestParse(t *testing.T) {
	ed, _, _ := ed25519.GenerateKey(rand.Reader)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	good := line(t, ed)
	for _, in := range []string{good, line(t, &long.PublicKey), line(t, &ec.PublicKey), "  " + good + "\n"} {
		p, err := Parse(in)
		if err != nil || p.String() != strings.TrimSpace(in) || !IsID(p.ID()) {
			t.Errorf("%q: %v, %v", in, p, err)
		}
	}
	algorithm, body, _ := strings.Cut(good, " ")
	padded := ssh.Marshal(struct { // a key has one form: its id is of that
		Name string
		E, N []byte
	}{ssh.KeyAlgoRSA, []byte{1, 0, 1}, append([]byte{0, 0}, long.N.Bytes()...)})
	for in, want := range map[string]error{
		"ssh-rsa " + base64.StdEncoding.EncodeToString(padded): ErrForm,
		"":                              ErrForm,
		algorithm:                       ErrForm,
		good + " anna@laptop":           ErrForm,
		"no-pty " + good:                ErrForm,
		good + "\n" + good:              ErrForm,
		good[:len(good)-4]:              ErrForm,
		algorithm + " " + body + "AAAA": ErrForm,
		"ssh-rsa " + body:               ErrForm,
		"ssh-dss " + body:               ErrAlgorithm,
		algorithm + "-cert-v01@openssh.com " + body:                    ErrAlgorithm,
		line(t, &rsa.PublicKey{N: long.N.Rsh(long.N, 1000), E: 65537}): ErrSize,
		strings.Repeat("a", MaxText+1):                                 ErrForm,
	} {
		if p, err := Parse(in); err != want {
			t.Errorf("%.80q: %v, %v, want %v", in, p, err, want)
		}
	}
}

// FuzzParse finds texts that are taken for keys and written otherwise.
func FuzzParse(f *testing.F) {
	ed, _, _ := ed25519.GenerateKey(rand.Reader)
	f.Add(line(f, ed))
	f.Add("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==")
	f.Fuzz(func(t *testing.T, in string) {
		p, err := Parse(in)
		if err != nil {
			return
		}
		again, err := Parse(p.String())
		if err != nil || again != p || !IsID(p.ID()) {
			t.Errorf("%q: %v, %v", in, again, err)
		}
	})
}
