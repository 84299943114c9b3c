package push

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

func b64(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := encoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func private(t testing.TB, text string) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.P256().NewPrivateKey(b64(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The example of RFC 8291, section 5 and appendix A.
const (
	exampleText    = "When I grow up, I want to be a watermelon"
	exampleServer  = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
	exampleBrowser = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	exampleP256DH  = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
	exampleAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	exampleSalt    = "DGv6ra1nlYgDCS1FRnbzlw"
	exampleBody    = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml" +
		"mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT" +
		"pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func TestExample(t *testing.T) {
	k := Keys{exampleP256DH, exampleAuth}
	got, err := encrypt(k, []byte(exampleText), private(t, exampleServer), b64(t, exampleSalt))
	if err != nil || !bytes.Equal(got, b64(t, exampleBody)) {
		t.Fatalf("%x %v", got, err)
	}
	text, err := Open(private(t, exampleBrowser), b64(t, exampleAuth), got)
	if err != nil || string(text) != exampleText {
		t.Fatalf("%q %v", text, err)
	}
	if got, err = Encrypt(k, []byte("x"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if text, err = Open(private(t, exampleBrowser), b64(t, exampleAuth), got); err != nil || string(text) != "x" {
		t.Fatalf("%q %v", text, err)
	}
	got[len(got)-1] ^= 1
	if _, err = Open(private(t, exampleBrowser), b64(t, exampleAuth), got); !errors.Is(err, ErrKey) {
		t.Fatal(err)
	}
	if _, err = Encrypt(k, make([]byte, MaxText+1), rand.Reader); !errors.Is(err, ErrLong) {
		t.Fatal(err)
	}
	for what, bad := range map[string]Keys{
		"nothing": {}, "no secret": {P256DH: exampleP256DH}, "short secret": {exampleP256DH, "BTBZ"}, "no point": {exampleAuth, exampleAuth},
		"off the curve": {exampleP256DH[:86] + "5", exampleAuth}, "a line break": {exampleP256DH + "\n", exampleAuth},
	} {
		if err := bad.Check(); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAuthorization(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Unix(1453523768, 0)
	header, err := Authorization(key, "https://push.example.net:8443/push/x?y", "mailto:push@example.com", until)
	if err != nil {
		t.Fatal(err)
	}
	token, public, _ := strings.Cut(strings.TrimPrefix(header, "vapid t="), ", k=")
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(b64(t, public)) != pointSize || string(b64(t, parts[0])) != `{"typ":"JWT","alg":"ES256"}` {
		t.Fatal(header)
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(b64(t, parts[1]), &claims); err != nil || claims.Aud != "https://push.example.net:8443" || claims.Sub != "mailto:push@example.com" || claims.Exp != until.Unix() {
		t.Fatalf("%+v %v", claims, err)
	}
	sum, raw := sha256.Sum256([]byte(parts[0]+"."+parts[1])), b64(t, parts[2])
	if !ecdsa.Verify(&key.PublicKey, sum[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])) {
		t.Fatal("the signature is not right")
	}
	for _, bad := range []string{"", "http://push.example/x", "https://u@push.example/x", "x", "https:///x"} {
		if got := Origin(bad); got != "" {
			t.Errorf("%s: %s", bad, got)
		}
	}
}

// Keys of subscriptions come from browsers, and messages are read here in tests of others.
func FuzzKeys(f *testing.F) {
	f.Add(exampleP256DH, exampleAuth, []byte(exampleBody))
	f.Add("", "", []byte{})
	f.Fuzz(func(t *testing.T, p256dh, auth string, body []byte) {
		k := Keys{p256dh, auth}
		out, err := Encrypt(k, []byte("x"), rand.Reader)
		if (err == nil) != (k.Check() == nil) || err == nil && len(out) < 100 {
			t.Fatal("a check that says something else", err)
		}
		_, _ = Open(private(t, exampleBrowser), b64(t, exampleAuth), body)
	})
}
