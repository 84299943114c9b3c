package authenticator

import (
	"testing"

	"limen/internal/core/factor/authenticator/authenticatortest"
)

// What a device sends as its key and signature comes from anybody.
func FuzzKey(f *testing.F) {
	d := authenticatortest.New()
	f.Add(d.PublicKey(), d.Sign([]byte("x")))
	f.Add("", "")
	f.Add("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "AA==")
	f.Fuzz(func(t *testing.T, key, signature string) {
		raw, public, err := parseKey(key)
		if err != nil {
			return
		}
		if again, err := readKey(raw); err != nil || !again.Equal(public) {
			t.Fatal("a key that is not read again", err)
		}
		if signed(public, []byte("y"), signature) && signed(public, []byte("z"), signature) {
			t.Fatal("a signature over everything")
		}
	})
}
