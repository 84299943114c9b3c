package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/wire/oauth"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, embed bool, claims any) string {
	t.Helper()
	o := &jose.SignerOptions{EmbedJWK: embed, ExtraHeaders: header}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

type object = map[string]any

// The example of RFC 9449 section 4.1.
const rfc9449 = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19." +
	"eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ." +
	"2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"

func TestProof(t *testing.T) {
	p, err := oauth.ReadProof([]string{rfc9449})
	if err != nil {
		t.Fatal(err)
	}
	made := time.Unix(1562262616, 0)
	if p.ID != "-BwC3ESc6acc2lTc" || !p.Issued.Equal(made) || p.Thumbprint != "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" {
		t.Errorf("%+v", p)
	}
	for uri, ok := range map[string]bool{
		"https://server.example.com/token": true, "HTTPS://Server.Example.com:443/token?x=1#y": true,
		"https://server.example.com/token/": false, "http://server.example.com/token": false, "https://server.example.com:444/token": false, "": false,
	} {
		if err := p.For("POST", uri); (err == nil) != ok {
			t.Error(uri, err)
		}
	}
	if p.For("GET", "https://server.example.com/token") == nil {
		t.Error("another method")
	}
	for after, ok := range map[time.Duration]bool{0: true, 59 * time.Second: true, -4 * time.Second: true, 66 * time.Second: false, -6 * time.Second: false} {
		if err := p.Fresh(made.Add(after), time.Minute, 5*time.Second); (err == nil) != ok {
			t.Error(after, err)
		}
	}
	// RFC 9449 section 7.1: ath of its access token.
	p.TokenHash = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
	const token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	if p.Binds(token) != nil || p.Binds(token+"x") == nil {
		t.Error("ath")
	}
}

func TestProofsThatAreNone(t *testing.T) {
	key := newKey(t)
	typ := map[jose.HeaderKey]any{"typ": "dpop+jwt"}
	claims := object{"jti": "1", "htm": "POST", "htu": "https://a/", "iat": 1562262616}
	if _, err := oauth.ReadProof([]string{sign(t, jose.ES256, key, typ, true, claims)}); err != nil {
		t.Fatal(err)
	}
	without := func(name string) object {
		out := object{}
		for k, v := range claims {
			if k != name {
				out[k] = v
			}
		}
		return out
	}
	other := sign(t, jose.ES256, newKey(t), typ, true, claims)
	parts := strings.Split(other, ".")
	for name, bad := range map[string][]string{
		"none": nil, "two": {rfc9449, rfc9449}, "no JWT": {"x"}, "no typ": {sign(t, jose.ES256, key, nil, true, claims)},
		"typ JWT":     {sign(t, jose.ES256, key, map[jose.HeaderKey]any{"typ": "JWT"}, true, claims)},
		"no key":      {sign(t, jose.ES256, key, typ, false, claims)},
		"HMAC":        {sign(t, jose.HS256, make([]byte, 32), typ, false, claims)},
		"private key": {sign(t, jose.ES256, key, map[jose.HeaderKey]any{"typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: key}}, false, claims)},
		"another key": {strings.Split(rfc9449, ".")[0] + "." + parts[1] + "." + parts[2]},
		"no jti":      {sign(t, jose.ES256, key, typ, true, without("jti"))},
		"no iat":      {sign(t, jose.ES256, key, typ, true, without("iat"))},
		"no htm":      {sign(t, jose.ES256, key, typ, true, without("htm"))},
		"no htu":      {sign(t, jose.ES256, key, typ, true, without("htu"))},
		"long":        {strings.Repeat("x", 20<<10)},
		"array":       {sign(t, jose.ES256, key, typ, true, []int{1})},
	} {
		if p, err := oauth.ReadProof(bad); code(err) != oauth.InvalidDPoPProof {
			t.Errorf("%s: %+v %v", name, p, err)
		}
	}
}

func TestAssertion(t *testing.T) {
	key, stranger := newKey(t), newKey(t)
	now := time.Unix(1_800_000_000, 0)
	good := object{"iss": "c", "sub": "c", "aud": []string{"x", "https://as/token"}, "jti": "1", "iat": now.Unix(), "exp": now.Unix() + 60}
	token := sign(t, jose.ES256, key, map[jose.HeaderKey]any{"kid": "k1", "typ": "JWT"}, false, good)
	keys := []jose.JSONWebKey{{Key: stranger.Public(), KeyID: "k0"}, {Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}
	seen, err := oauth.Unproven(token, oauth.Algorithms)
	if err != nil || seen.Issuer != "c" {
		t.Fatal(seen, err)
	}
	a, err := oauth.Prove(token, oauth.Algorithms, keys)
	if err != nil || a.Subject != "c" || a.ID != "1" || a.Type != "jwt" || a.KeyID != "k1" {
		t.Fatalf("%+v %v", a, err)
	}
	if err := a.Live(now, time.Hour, 0, "https://as/token"); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"late": a.Live(now.Add(time.Minute), time.Hour, 0, "https://as/token"), "early": a.Live(now.Add(-time.Minute), time.Hour, 0, "https://as/token"),
		"too long": a.Live(now, time.Second, 0, "https://as/token"), "another": a.Live(now, time.Hour, 0, "https://other/"), "nobody": a.Live(now, time.Hour, 0),
	} {
		if code(err) != oauth.InvalidClient {
			t.Errorf("%s: %v", name, err)
		}
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		keys  []jose.JSONWebKey
	}{
		"another's key":         {token, keys[:1]},
		"no keys":               {token, nil},
		"key for encryption":    {token, []jose.JSONWebKey{{Key: key.Public(), Use: "enc"}}},
		"key of another alg":    {token, []jose.JSONWebKey{{Key: key.Public(), Algorithm: "PS256"}}},
		"public key as secret":  {sign(t, jose.HS256, public, nil, false, good), keys},
		"unsigned":              {"eyJhbGciOiJub25lIn0." + strings.Split(token, ".")[1] + ".", keys},
		"another's content":     {strings.Split(token, ".")[0] + "." + strings.Split(rfc9449, ".")[1] + "." + strings.Split(token, ".")[2], keys},
		"aud that is no string": {sign(t, jose.ES256, key, nil, false, object{"aud": 1}), []jose.JSONWebKey{{Key: key.Public()}}},
	} {
		if a, err := oauth.Prove(c.token, oauth.Algorithms, c.keys); code(err) != oauth.InvalidClient {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	if _, err := oauth.Prove(strings.Repeat("x", 20<<10), oauth.Algorithms, keys); code(err) != oauth.InvalidRequest {
		t.Error(err)
	}
}

// The examples of OpenID Connect Core appendices A.3, A.4 and A.6.
func TestHalfHash(t *testing.T) {
	for value, want := range map[string]string{
		"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y":                "77QmUPtjPfzWtF2AnpK9RQ",
		"Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk": "LDktKdoQak3Pk0cnXxCltA",
	} {
		if got := oauth.HalfHash(jose.RS256, value); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
	if n := len(oauth.HalfHash(jose.EdDSA, "x")); n != 43 {
		t.Error(n)
	}
}

func FuzzSigned(f *testing.F) {
	key := newKey(f)
	f.Add(rfc9449)
	f.Add(sign(f, jose.ES256, key, nil, false, object{"iss": "c", "aud": "x", "exp": 1e300}))
	keys := []jose.JSONWebKey{{Key: key.Public()}}
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := oauth.ReadProof([]string{token}); err == nil && (p.Thumbprint == "" || p.ID == "") {
			t.Errorf("%+v", p)
		}
		if _, err := oauth.Unproven(token, oauth.Algorithms); err != nil {
			if _, err := oauth.Prove(token, oauth.Algorithms, keys); err == nil {
				t.Error("proven, and not readable")
			}
		}
	})
}
