package crypt

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

type keyShelf struct {
	mu   sync.Mutex
	rows map[string]SigningKey
	fail error
}

func (s *keyShelf) load(_ context.Context, tenant string) ([]SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []SigningKey
	for _, k := range s.rows {
		if k.Tenant == tenant {
			out = append(out, k)
		}
	}
	return out, s.fail
}

func (s *keyShelf) store(_ context.Context, keys ...SigningKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		s.rows[k.Tenant+"/"+k.ID] = k
	}
	return s.fail
}

func testSigners(t testing.TB) (*Signers, *keyShelf, *watch) {
	ring, _, w := testRing(t)
	s := &keyShelf{rows: map[string]SigningKey{}}
	return &Signers{Ring: ring, Load: s.load, Store: s.store, Now: w.Now}, s, w
}

type claims struct {
	Sub string `json:"sub"`
}

func TestSignVerify(t *testing.T) {
	ctx := context.Background()
	s, _, _ := testSigners(t)
	all := []Alg{RS256, ES256, PS256, EdDSA}
	for i, alg := range all {
		token, err := s.Sign(ctx, "t", alg, "at+jwt", claims{"anna"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Verify(ctx, "t", token, all...)
		var c claims
		if err != nil || got.Claims(&c) != nil || c.Sub != "anna" || got.Alg != alg || got.Type != "at+jwt" {
			t.Fatalf("%+v %v", got, err)
		}
		set, err := s.Public(ctx, "t", alg)
		if err != nil || len(set.Keys) != i+1 || slices.ContainsFunc(set.Keys, func(k jose.JSONWebKey) bool { return !k.IsPublic() }) {
			t.Fatal(set, err)
		}
		set.Keys = set.Key(got.KeyID)
		if len(set.Keys) != 1 {
			t.Fatal(alg, "is not published")
		}
		thumb, _ := set.Keys[0].Thumbprint(crypto.SHA256)
		if base64.RawURLEncoding.EncodeToString(thumb) != got.KeyID {
			t.Error("the key id is not the thumbprint")
		}
		text, _ := json.Marshal(set)
		if strings.Contains(string(text), `"d"`) || !strings.Contains(string(text), `"use":"sig"`) {
			t.Fatal(string(text))
		}
		var foreign jose.JSONWebKeySet
		if err := json.Unmarshal(text, &foreign); err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyWith(foreign, token, alg); err != nil {
			t.Error("a receiver cannot verify:", err)
		}
		other := all[(i+1)%len(all)]
		for name, f := range map[string]func() (Signed, error){
			"algorithm not accepted": func() (Signed, error) { return s.Verify(ctx, "t", token, other) },
			"tenant":                 func() (Signed, error) { return s.Verify(ctx, "u", token, alg) },
			"cut":                    func() (Signed, error) { return s.Verify(ctx, "t", token[:len(token)-8], alg) },
			"long":                   func() (Signed, error) { return s.Verify(ctx, "t", token+strings.Repeat("A", maxToken), alg) },
			"no key":                 func() (Signed, error) { return VerifyWith(jose.JSONWebKeySet{}, token, alg) },
		} {
			if got, err := f(); !errors.Is(err, ErrToken) || got.Payload != nil {
				t.Errorf("%s, %s: %v", alg, name, err)
			}
		}
	}
}

func TestForgedTokens(t *testing.T) {
	ctx := context.Background()
	s, _, _ := testSigners(t)
	token, err := s.Sign(ctx, "t", ES256, "JWT", claims{"anna"})
	if err != nil {
		t.Fatal(err)
	}
	good, _ := s.Verify(ctx, "t", token, ES256)
	parts := strings.Split(token, ".")
	enc := base64.RawURLEncoding.EncodeToString
	none := enc([]byte(`{"alg":"none","kid":"`+good.KeyID+`"}`)) + "." + parts[1] + "."
	swapped := parts[0] + "." + enc([]byte(`{"sub":"root"}`)) + "." + parts[2]
	critical := enc([]byte(`{"alg":"ES256","crit":["x"],"x":1,"kid":"`+good.KeyID+`"}`)) + "." + parts[1] + "." + parts[2]
	mine, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	embedded := forge(t, jose.SigningKey{Algorithm: ES256, Key: jose.JSONWebKey{Key: mine, KeyID: good.KeyID}}, true)
	set, _ := s.Public(ctx, "t", ES256)
	secret, _ := json.Marshal(set.Keys[0])
	confused := forge(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: good.KeyID}}, false)
	for name, forged := range map[string]string{"none": none, "claims swapped": swapped, "critical header": critical, "own key in the header": embedded, "public key as secret": confused} {
		if _, err := s.Verify(ctx, "t", forged, ES256, RS256); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := VerifyWith(set, forged, ES256, RS256); !errors.Is(err, ErrToken) {
			t.Errorf("%s, key set: %v", name, err)
		}
	}
	for _, alg := range []Alg{jose.HS256, "none", ""} {
		if _, err := s.Verify(ctx, "t", token, ES256, alg); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%q is accepted: %v", alg, err)
		}
	}
	if _, err := s.Verify(ctx, "t", token); !errors.Is(err, ErrAlgorithm) {
		t.Error("no algorithm named", err)
	}
	symmetric := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: secret, KeyID: good.KeyID}}}
	if _, err := VerifyWith(symmetric, token, ES256); !errors.Is(err, ErrToken) {
		t.Error(err)
	}
}

func forge(t *testing.T, key jose.SigningKey, embed bool) string {
	t.Helper()
	signer, err := jose.NewSigner(key, &jose.SignerOptions{EmbedJWK: embed})
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(`{"sub":"root"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func ids(t *testing.T, s *Signers, alg Alg) (published int, signs string) {
	t.Helper()
	set, err := s.Public(context.Background(), "t", alg)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Sign(context.Background(), "t", alg, "JWT", claims{"x"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(context.Background(), "t", token, alg)
	if err != nil {
		t.Fatal(err)
	}
	return len(set.Keys), got.KeyID
}

func TestSigningRotation(t *testing.T) {
	ctx := context.Background()
	s, shelf, w := testSigners(t)
	other := &Signers{Ring: s.Ring, Load: shelf.load, Store: shelf.store, Now: w.Now}
	token, _ := s.Sign(ctx, "t", ES256, "JWT", claims{"old"})
	n, first := ids(t, s, ES256)
	next, err := s.Rotate(ctx, "t", ES256, false)
	if err != nil || n != 1 {
		t.Fatal(n, err)
	}
	steps := []struct {
		wait      time.Duration
		published int
		signs     string
		oldValid  bool
	}{
		{0, 2, first, true}, // published ahead
		{24*time.Hour - time.Second, 2, first, true},
		{time.Second, 2, next.ID, true}, // takes over
		{48*time.Hour - time.Second, 2, next.ID, true},
		{time.Second, 1, next.ID, false}, // withdrawn
	}
	for i, step := range steps {
		w.add(step.wait)
		for _, node := range []*Signers{s, other} {
			n, id := ids(t, node, ES256)
			_, err := node.Verify(ctx, "t", token, ES256)
			if n != step.published || id != step.signs || (err == nil) != step.oldValid {
				t.Errorf("step %d: %d keys, %s signs (first is %s), old token: %v", i, n, id, first, err)
			}
		}
	}
}

func TestUrgentRotation(t *testing.T) {
	ctx := context.Background()
	s, shelf, w := testSigners(t)
	other := &Signers{Ring: s.Ring, Load: shelf.load, Store: shelf.store, Now: w.Now}
	token, _ := s.Sign(ctx, "t", ES256, "JWT", claims{"old"})
	if _, err := other.Verify(ctx, "t", token, ES256); err != nil {
		t.Fatal(err)
	}
	next, err := s.Rotate(ctx, "t", ES256, true)
	if err != nil {
		t.Fatal(err)
	}
	if n, id := ids(t, s, ES256); n != 1 || id != next.ID {
		t.Error(n, id)
	}
	if _, err := s.Verify(ctx, "t", token, ES256); !errors.Is(err, ErrToken) {
		t.Error(err)
	}
	young, _ := s.Sign(ctx, "t", ES256, "JWT", claims{"new"})
	w.add(time.Second)
	if _, err := other.Verify(ctx, "t", young, ES256); err != nil {
		t.Error("the other node does not look for a new key:", err)
	}
	other.Forget("t")
	if _, err := other.Verify(ctx, "t", token, ES256); !errors.Is(err, ErrToken) {
		t.Error(err)
	}
}

func TestSigningKeysAreSealed(t *testing.T) {
	ctx := context.Background()
	s, shelf, w := testSigners(t)
	if err := s.Ensure(ctx, "t", ES256); err != nil {
		t.Fatal(err)
	}
	for k, row := range shelf.rows {
		if !strings.HasPrefix(row.Sealed, "s1.") {
			t.Fatal(row.Sealed)
		}
		row.Alg = RS256 // a row changed in the store does not load
		shelf.rows[k] = row
	}
	again := &Signers{Ring: s.Ring, Load: shelf.load, Store: shelf.store, Now: w.Now}
	if _, err := again.Sign(ctx, "t", RS256, "JWT", claims{}); !errors.Is(err, ErrUnopenable) {
		t.Fatal(err)
	}
	if _, err := s.Sign(ctx, "u", jose.HS256, "JWT", claims{}); !errors.Is(err, ErrAlgorithm) {
		t.Fatal(err)
	}
}

func FuzzVerifyToken(f *testing.F) {
	ctx := context.Background()
	s, _, _ := testSigners(f)
	token, err := s.Sign(ctx, "t", ES256, "JWT", claims{"anna"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(strings.Replace(token, ".", "..", 1))
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30.")
	f.Add("a.b.c")
	f.Add(`{"payload":"e30","signatures":[]}`)
	set, err := s.Public(ctx, "t", ES256)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		one, err := s.Verify(ctx, "t", text, ES256, RS256)
		if err != nil && !errors.Is(err, ErrToken) {
			t.Fatal(err)
		}
		if err == nil && string(one.Payload) != `{"sub":"anna"}` {
			t.Fatalf("verified %q", one.Payload)
		}
		if two, err := VerifyWith(set, text, ES256, RS256); err == nil && string(two.Payload) != `{"sub":"anna"}` {
			t.Fatalf("verified %q", two.Payload)
		}
	})
}

// Whatever a caller sends as a token of somebody's own secret, reading it says so and does no harm, and a secret that is not its own, or none,
// verifies nothing.
func FuzzReadShared(f *testing.F) {
	const secret = "a-secret-of-somebody-of-32-bytes-or-more"
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, nil)
	if err != nil {
		f.Fatal(err)
	}
	good := func(payload string) string {
		jws, err := signer.Sign([]byte(payload))
		if err != nil {
			f.Fatal(err)
		}
		text, err := jws.CompactSerialize()
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	for _, s := range []string{good(`{"sub":"anna","aud":["a","b"],"exp":1}`), good(`[]`), good(``), "", "..", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, err := ReadShared(token)
		if err != nil {
			if !errors.Is(err, ErrToken) {
				t.Fatalf("%q: %v", token, err)
			}
			return
		}
		claimed := got.Claimed()
		for _, wrong := range []string{"", "another-secret-of-32-bytes-or-more-x", token} {
			if _, err := got.Verify(wrong); !errors.Is(err, ErrToken) {
				t.Fatalf("%q is verified by %q: %v", token, wrong, err)
			}
		}
		if proved, err := got.Verify(secret); err == nil && (proved.Type != claimed.Type || !slices.Equal(proved.Payload, claimed.Payload)) {
			t.Fatalf("%q claims %+v and proves %+v", token, claimed, proved)
		}
	})
}
