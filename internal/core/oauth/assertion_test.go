package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/core/oauth"
	wire "limen/internal/wire/oauth"
)

// pair is a key of a client's.
type pair struct {
	key any
	kid string
	alg jose.SignatureAlgorithm
}

func elliptical(t testing.TB, kid string) pair {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pair{k, kid, jose.ES256}
}

// jwks are the public keys of signers.
func jwks(t testing.TB, of ...pair) json.RawMessage {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, s := range of {
		k := jose.JSONWebKey{Key: s.key, KeyID: s.kid}
		set.Keys = append(set.Keys, k.Public())
	}
	raw, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sign signs claims, with headers beside alg and kid.
func (s pair) sign(t testing.TB, claims map[string]any, header map[jose.HeaderKey]any) string {
	t.Helper()
	o := &jose.SignerOptions{ExtraHeaders: header}
	signing, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, o)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signing.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// own changes the application's own client.
func (w *world) own(m wire.Metadata) {
	a := w.apps["web"]
	a.Profile.Client = m
	w.apps["web"] = a
	w.s.DB = w.db
	w.c.Client.Path = "/OAuth2/Token/web"
}

const longSecret = "a-secret-with-enough-bytes-for-every-hash-that-may-be-used-with-it-and-some"

// secret gives the application's own client another one.
func (w *world) secret(plain string) {
	w.t.Helper()
	sealed, err := w.s.SealSecret(w.t.Context(), w.c, "app-1", plain)
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.apps["web"]
	a.Profile.Secret = sealed
	w.apps["web"] = a
}

// claims of an assertion, with changes; nil takes one out.
func (w *world) asserts(change map[string]any) map[string]any {
	out := map[string]any{
		"iss": "client-1", "sub": "client-1", "aud": "https://id.acme.test/web/", "jti": rand.Text(), "iat": w.c.Now.Unix(), "exp": w.c.Now.Add(time.Minute).Unix(),
	}
	maps.Copy(out, change)
	for k, v := range out {
		if v == nil {
			delete(out, k)
		}
	}
	return out
}

// proves says whether an assertion proves a client at the application web.
func (w *world) proves(assertion string) error {
	w.t.Helper()
	cred, err := wire.ReadCredentials("", params("client_assertion_type="+wire.Assertion+"&client_assertion="+assertion))
	if err != nil {
		return err
	}
	got, err := w.s.Authenticate(w.t.Context(), w.c, w.apps["web"], cred)
	if err == nil && (!got.Proved || got.ID != "client-1") {
		w.t.Errorf("proved %+v", got)
	}
	return err
}

func TestAssertion(t *testing.T) {
	each(t, func(w *world) {
		k, other := elliptical(w.t, "k1"), elliptical(w.t, "k1")
		for name, kind := range map[string]struct {
			m wire.Metadata
			s pair
		}{
			"private_key_jwt":   {wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, k)}, k},
			"client_secret_jwt": {wire.Metadata{AuthMethod: wire.SecretJWT}, pair{[]byte(longSecret), "", jose.HS384}},
		} {
			w.secret(longSecret)
			w.own(kind.m)
			for what, change := range map[string]map[string]any{
				"issuer": nil, "token endpoint": {"aud": "https://id.acme.test/OAuth2/Token/web"}, "both": {"aud": []string{"https://id.acme.test/web/", "https://id.acme.test/OAuth2/Token/web"}},
				"clock ahead": {"iat": w.c.Now.Add(10 * time.Second).Unix()}, "no iat": {"iat": nil}, "of an hour": {"exp": w.c.Now.Add(time.Hour).Unix()},
			} {
				if err := w.proves(kind.s.sign(w.t, w.asserts(change), nil)); err != nil {
					w.t.Errorf("%s, %s: %v", name, what, err)
				}
			}
			for what, change := range map[string]map[string]any{
				"assertion for another server": {"aud": "https://other.example/OAuth2/Token"}, "for others as well": {"aud": []string{"https://id.acme.test/web/", "https://other.example/"}},
				"no aud": {"aud": nil}, "expired": {"exp": w.c.Now.Add(-time.Minute).Unix()}, "no exp": {"exp": nil}, "too long": {"exp": w.c.Now.Add(time.Hour + time.Minute).Unix()},
				"not yet": {"nbf": w.c.Now.Add(time.Minute).Unix()}, "from the future": {"iat": w.c.Now.Add(time.Minute).Unix()}, "no jti": {"jti": nil},
				"another iss": {"iss": "client-2"}, "another sub": {"sub": "client-2"}, "another client": {"iss": "client-2", "sub": "client-2"}, "no sub": {"sub": nil},
			} {
				if err := w.proves(kind.s.sign(w.t, w.asserts(change), nil)); code(err) != oauth.ErrClient.Code {
					w.t.Errorf("%s, %s: %v", name, what, err)
				}
			}
			if err := w.proves(other.sign(w.t, w.asserts(nil), nil)); code(err) != oauth.ErrClient.Code {
				w.t.Errorf("%s, another's key: %v", name, err)
			}
			if _, err := w.token("web", basic("client-1", longSecret), "grant_type=refresh_token&refresh_token=x", ""); !errors.Is(err, oauth.ErrClient) {
				w.t.Errorf("%s, but it shows its secret: %v", name, err)
			}
			if _, err := w.token("web", "", "client_id=client-1&grant_type=refresh_token&refresh_token=x", ""); !errors.Is(err, oauth.ErrClient) {
				w.t.Errorf("%s, but it shows nothing: %v", name, err)
			}
		}
	})
}

// Clients of FAPI 2.0 make assertions for what they are about to ask, and not ahead.
func TestAssertionOfFAPI(t *testing.T) {
	each(t, func(w *world) {
		k := elliptical(w.t, "k1")
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, k)})
		w.change(func(a *oauth.App) { a.Profile.FAPI = oauth.Security })
		for name, x := range map[string]struct {
			life time.Duration
			want error
		}{"ten minutes": {10 * time.Minute, nil}, "an hour": {time.Hour, oauth.ErrClient}} {
			claims := map[string]any{"aud": "https://id.acme.test/web/", "exp": w.c.Now.Add(x.life).Unix()}
			if err := w.proves(k.sign(w.t, w.asserts(claims), nil)); (err == nil) != (x.want == nil) || err != nil && code(err) != oauth.ErrClient.Code {
				w.t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// An assertion is good once, also where what it asks for is refused.
func TestAssertionReplay(t *testing.T) {
	each(t, func(w *world) {
		k := elliptical(w.t, "k1")
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, k)})
		one := k.sign(w.t, w.asserts(nil), nil)
		query := "grant_type=refresh_token&refresh_token=x&client_assertion_type=" + wire.Assertion + "&client_assertion=" + one
		if _, err := w.token("web", "", query, ""); !errors.Is(err, oauth.ErrGrant) {
			w.t.Fatal(err)
		}
		if _, err := w.token("web", "", query, ""); code(err) != oauth.ErrClient.Code {
			w.t.Error("replayed:", err)
		}
	})
}

// A public key is no secret, a secret no key, and "none" no algorithm.
func TestKeyConfusion(t *testing.T) {
	each(t, func(w *world) {
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			w.t.Fatal(err)
		}
		k := pair{rsaKey, "k1", jose.RS256}
		der, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
		if err != nil {
			w.t.Fatal(err)
		}
		public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		for _, m := range []wire.Method{wire.PrivateKeyJWT, ""} { // the second has its secret besides
			w.own(wire.Metadata{AuthMethod: m, Keys: jwks(w.t, k)})
			if err := w.proves(k.sign(w.t, w.asserts(nil), nil)); err != nil {
				w.t.Fatal(err)
			}
			for name, secret := range map[string][]byte{"PEM": public, "PEM without its end": []byte(strings.TrimSpace(string(public))), "DER": der, "JWK": jwks(w.t, k), "n": rsaKey.N.Bytes()} {
				if err := w.proves(pair{secret, "k1", jose.HS256}.sign(w.t, w.asserts(nil), nil)); code(err) != oauth.ErrClient.Code {
					w.t.Errorf("%q: the public key as a secret, %s: %v", m, name, err)
				}
			}
		}
		w.secret(longSecret)
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, k)})
		if err := w.proves(pair{[]byte(longSecret), "", jose.HS256}.sign(w.t, w.asserts(nil), nil)); !errors.Is(err, oauth.ErrClient) {
			w.t.Error("signed with the secret where keys are registered:", err)
		}
		w.own(wire.Metadata{AuthMethod: wire.SecretJWT, Keys: jwks(w.t, k)})
		if err := w.proves(k.sign(w.t, w.asserts(nil), nil)); !errors.Is(err, oauth.ErrClient) {
			w.t.Error("signed with a key where the secret is registered:", err)
		}
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, AuthAlg: "PS256", Keys: jwks(w.t, k)})
		if err := w.proves(k.sign(w.t, w.asserts(nil), nil)); code(err) != oauth.ErrClient.Code {
			w.t.Error("another algorithm than the registered one:", err)
		}
	})
}

func TestAlgNone(t *testing.T) {
	each(t, func(w *world) {
		k := elliptical(w.t, "k1")
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, k)})
		parts := strings.Split(k.sign(w.t, w.asserts(nil), nil), ".")
		for _, head := range []string{"eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0", "eyJhbGciOiIifQ", "e30"} {
			for _, end := range []string{"", parts[2]} {
				if err := w.proves(head + "." + parts[1] + "." + end); code(err) != oauth.ErrClient.Code {
					w.t.Error(head, err)
				}
			}
		}
	})
}

// Keys that an assertion brings along, or says where to find, are not its client's.
func TestKeyInjection(t *testing.T) {
	each(t, func(w *world) {
		k, thief := elliptical(w.t, "k1"), elliptical(w.t, "k1")
		w.s.Fetch = func(_ context.Context, uri string) ([]byte, error) {
			w.t.Error("fetched", uri)
			return jwks(w.t, thief), nil
		}
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, k)})
		public := jose.JSONWebKey{Key: thief.key, KeyID: "k1"}
		for name, header := range map[string]map[jose.HeaderKey]any{
			"jwk": {"jwk": public.Public()}, "jku": {"jku": "https://thief.example/keys"}, "x5u": {"x5u": "https://thief.example/cert"}, "kid that is a path": {"kid": "../../keys"},
			"kid that is SQL": {"kid": "' OR 1=1 --"}, "crit": {"crit": []string{"b64"}, "b64": false},
		} {
			if err := w.proves(thief.sign(w.t, w.asserts(nil), header)); code(err) != oauth.ErrClient.Code {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.proves(k.sign(w.t, w.asserts(nil), map[jose.HeaderKey]any{"jku": "https://thief.example/keys"})); err != nil {
			w.t.Error("its own key, and a jku that nobody follows:", err)
		}
	})
}

// Keys at an address are remembered, and read anew when none fits, but not at anybody's will.
func TestRemoteKeys(t *testing.T) {
	each(t, func(w *world) {
		first, second, never := elliptical(w.t, "k1"), elliptical(w.t, "k2"), elliptical(w.t, "k3")
		var asked atomic.Int64
		answer, down := jwks(w.t, first), error(nil)
		w.s.Fetch = func(_ context.Context, uri string) ([]byte, error) {
			if uri != "https://client.example/keys" {
				w.t.Error("fetched", uri)
			}
			asked.Add(1)
			return answer, down
		}
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, KeysURI: "https://client.example/keys"})
		try := func(k pair, fits bool, times int64) {
			w.t.Helper()
			if err := w.proves(k.sign(w.t, w.asserts(nil), nil)); (err == nil) != fits || asked.Load() != times {
				w.t.Errorf("%v, asked %d times, want %d", err, asked.Load(), times)
			}
		}
		later := func(d time.Duration) { w.c.Now = w.c.Now.Add(d) }
		try(first, true, 1)
		try(first, true, 1)
		answer = jwks(w.t, second)
		later(time.Minute)
		try(second, true, 2) // changed meanwhile
		try(never, false, 2)
		try(never, false, 2)
		try(first, false, 2) // taken away
		later(31 * time.Second)
		try(never, false, 3)
		later(10 * time.Minute)
		down = errors.New("down")
		try(second, true, 4) // remembered for a while
		later(time.Hour)
		try(second, false, 5)
		down = nil
		later(31 * time.Second)
		try(second, true, 6)
	})
}
