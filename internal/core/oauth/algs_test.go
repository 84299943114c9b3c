package oauth_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/core/oauth"
	"limen/internal/crypt"
	wire "limen/internal/wire/oauth"
)

const long = "a secret of more than 32 bytes, which signs"

// header is that of a JWS, unproved.
func header(t *testing.T, token string) (out struct{ Alg, Kid, Typ string }) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil || json.Unmarshal(raw, &out) != nil {
		t.Fatal(token, err)
	}
	return out
}

func (w *world) keys() jose.JSONWebKeySet {
	w.t.Helper()
	set, err := w.s.Keys(w.t.Context(), w.c)
	if err != nil {
		w.t.Fatal(err)
	}
	return set
}

func (w *world) published(kid string) jose.JSONWebKey {
	w.t.Helper()
	set := w.keys()
	found := set.Key(kid)
	if len(found) != 1 {
		w.t.Fatal(kid, "is published", len(found), "times")
	}
	return found[0]
}

func (w *world) hinted(token string) (oauth.Hint, error) {
	return w.s.Hinted(w.t.Context(), w.c, w.apps["web"], token)
}

func (w *world) sealed(plain string) {
	w.t.Helper()
	sealed, err := w.s.SealSecret(w.t.Context(), w.c, "app-1", plain)
	if err != nil {
		w.t.Fatal(err)
	}
	w.change(func(a *oauth.App) { a.Profile.Secret = sealed })
}

func TestAlgorithms(t *testing.T) {
	each(t, func(w *world) {
		for _, alg := range wire.ResponseAlgorithms {
			w.change(func(a *oauth.App) { a.Profile.Alg, a.Profile.Client.IDTokenAlg = "EdDSA", string(alg) })
			g := w.tokens()
			if a, id := header(w.t, g.Access), header(w.t, g.ID); a.Alg != "EdDSA" || id.Alg != string(alg) {
				w.t.Errorf("%s: the access token is signed with %s, the ID token with %s", alg, a.Alg, id.Alg)
			}
			if _, err := crypt.VerifyWith(w.keys(), g.ID, alg); err != nil {
				w.t.Errorf("%s: what the key set says does not fit: %v", alg, err)
			}
			if claims(w.t, g.ID)["at_hash"] != wire.HalfHash(alg, g.Access) {
				w.t.Error(alg, "has another hash")
			}
			if _, err := w.look(g.Access); err != nil {
				w.t.Error(alg, err)
			}
			if h, err := w.hinted(g.ID); err != nil || h.Person != anna {
				w.t.Error(alg, h, err)
			}
		}
		w.change(func(a *oauth.App) {
			a.Profile.Alg, a.Profile.Client.IDTokenAlg, a.Profile.FAPI = "RS256", "RS256", "security"
		})
		if _, id := w.apps["web"].Algorithms(); len(id) != 3 {
			w.t.Error("FAPI takes PS256, ES256 and EdDSA alone", id)
		}
	})
}

// A secret signs only for the client that has it, registered so, and has enough of it.
func TestSharedSecretSigns(t *testing.T) {
	each(t, func(w *world) {
		w.sealed(long)
		plain := w.tokens().ID
		w.change(func(a *oauth.App) { a.Profile.Client.IDTokenAlg = "HS256" })
		g := w.tokens()
		parsed, err := jose.ParseSignedCompact(g.ID, []jose.SignatureAlgorithm{jose.HS256})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := parsed.Verify([]byte(long)); err != nil || header(w.t, g.Access).Alg != "ES256" {
			w.t.Error(err, header(w.t, g.Access))
		}
		for name, token := range map[string]string{"by the secret": g.ID, "by the tenant's key, before": plain} {
			if h, err := w.hinted(token); err != nil || h.Person != anna || h.Session != "s1" {
				w.t.Error(name, h, err)
			}
		}
		w.change(func(a *oauth.App) { a.Profile.Client.IDTokenAlg = "" })
		if _, err := w.hinted(g.ID); !errors.Is(err, oauth.ErrHint) {
			w.t.Error("a client that has not registered it signs hints:", err)
		}
		w.change(func(a *oauth.App) { a.Profile.Client.IDTokenAlg, a.Profile.Secret = "HS256", "" })
		if _, err := w.reply(ask + challenge()); !errors.Is(err, oauth.ErrNoSecret) {
			w.t.Error("without a secret:", err)
		}
		w.change(func(a *oauth.App) { a.Profile.Client.IDTokenAlg = "" })
		w.sealed("s3cret")
		r, err := w.reply(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		w.change(func(a *oauth.App) { a.Profile.Client.IDTokenAlg = "HS256" })
		if _, err := w.token("web", "", "grant_type=authorization_code&client_id=client-1&redirect_uri="+answer+"&code="+r.Code+"&code_verifier="+verify, ""); !errors.Is(err, oauth.ErrNoSecret) {
			w.t.Error("with a secret that is easily guessed:", err)
		}
	})
}

// Attacks on signatures (RFC 8725 section 2.1): none of them makes an access token or a hint.
func TestForgedSignatures(t *testing.T) {
	each(t, func(w *world) {
		w.sealed(long)
		w.change(func(a *oauth.App) { a.Profile.Alg, a.Profile.Client.IDTokenAlg = "RS256", "HS256" })
		g := w.tokens()
		kid := header(w.t, g.Access).Kid
		enc := base64.RawURLEncoding.EncodeToString
		body := map[string]any{"access": claims(w.t, g.Access), "id": claims(w.t, g.ID)}
		public := w.published(kid)
		der, err := x509.MarshalPKIXPublicKey(public.Key)
		if err != nil {
			w.t.Fatal(err)
		}
		jwk, err := json.Marshal(public)
		if err != nil {
			w.t.Fatal(err)
		}
		other := ""
		for _, k := range w.keys().Keys {
			if k.Algorithm == "ES256" {
				other = k.KeyID
			}
		}
		mine := newSigner(w.t)
		with := func(alg jose.SignatureAlgorithm, key any, kid string, c any, typ string) string {
			return sign(w.t, alg, jose.JSONWebKey{Key: key, KeyID: kid}, typ, c.(map[string]any))
		}
		for what, typ := range map[string]string{"access": oauth.AccessType, "id": oauth.IDType} {
			raw, err := json.Marshal(body[what])
			if err != nil {
				w.t.Fatal(err)
			}
			signature := strings.Split(g.Access, ".")[2]
			for name, token := range map[string]string{
				"alg none":                     enc([]byte(`{"alg":"none","typ":"`+typ+`","kid":"`+kid+`"}`)) + "." + enc(raw) + ".",
				"alg nOnE":                     enc([]byte(`{"alg":"nOnE","typ":"`+typ+`","kid":"`+kid+`"}`)) + "." + enc(raw) + ".",
				"key confusion, PEM":           with(jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), kid, body[what], typ),
				"key confusion, DER":           with(jose.HS256, der, kid, body[what], typ),
				"key confusion, JWK":           with(jose.HS256, jwk, kid, body[what], typ),
				"kid of another key":           with(jose.ES256, mine.private, other, body[what], typ),
				"kid of a key of another type": with(jose.ES256, mine.private, kid, body[what], typ),
				"kid injection, path":          with(jose.ES256, mine.private, "../../../../dev/null", body[what], typ),
				"kid injection, SQL":           with(jose.ES256, mine.private, "x' UNION SELECT 'k", body[what], typ),
				"kid injection, none":          with(jose.ES256, mine.private, "", body[what], typ),
				"another algorithm of the key": enc([]byte(`{"alg":"PS256","typ":"`+typ+`","kid":"`+kid+`"}`)) + "." + enc(raw) + "." + signature,
			} {
				if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
					w.t.Errorf("%s of an %s token: %v", name, what, err)
				}
				if _, err := w.hinted(token); !errors.Is(err, oauth.ErrHint) {
					w.t.Errorf("%s of a hint like an %s token: %v", name, what, err)
				}
			}
		}
	})
}

func TestSignedAnswers(t *testing.T) {
	each(t, func(w *world) {
		w.change(func(a *oauth.App) {
			a.Profile.Client.UserInfoAlg, a.Profile.Client.IntrospectionAlg, a.Profile.Client.AnswerAlg = "EdDSA", "EdDSA", "EdDSA"
		})
		l, err := w.look(w.tokens().Access)
		if err != nil {
			w.t.Fatal(err)
		}
		var info oauth.Info
		if err := w.in(func(ctx context.Context) (err error) {
			info, err = w.s.UserInfo(ctx, w.c, w.apps["web"], l)
			return err
		}); err != nil {
			w.t.Fatal(err)
		}
		who, err := w.s.SignInfo(w.t.Context(), w.c, info)
		if err != nil {
			w.t.Fatal(err)
		}
		if got := claims(w.t, who); got["iss"] != "https://id.acme.test/web/" || got["aud"] != "client-1" || got["sub"] != anna {
			w.t.Error(got)
		}
		r, err := w.present(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		about, err := w.s.SignIntrospection(w.t.Context(), w.c, w.apps["web"], r.Client, map[string]any{"active": true})
		if err != nil {
			w.t.Fatal(err)
		}
		if h := header(w.t, about); h.Typ != "token-introspection+jwt" || claims(w.t, about)["aud"] != "client-1" {
			w.t.Error(h, claims(w.t, about))
		}
		authorized, err := w.s.SignAnswer(w.t.Context(), w.c, r, []wire.Pair{{Name: "code", Value: "x"}})
		if err != nil {
			w.t.Fatal(err)
		}
		for name, token := range map[string]string{"UserInfo": who, "introspection": about, "answer": authorized} {
			if header(w.t, token).Alg != "EdDSA" {
				w.t.Error(name, header(w.t, token))
			}
			if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
				w.t.Error(name, "passes for an access token:", err)
			}
			if _, err := w.hinted(token); !errors.Is(err, oauth.ErrHint) {
				w.t.Error(name, "passes for an ID token:", err)
			}
		}
	})
}

func TestAlgorithmsThatCannotBeRegistered(t *testing.T) {
	for name, m := range map[string]wire.Metadata{
		"unsigned": {IDTokenAlg: "none"}, "unknown": {UserInfoAlg: "XX"}, "a secret for answers": {AnswerAlg: "HS256"},
		"the secret of who has none": {IDTokenAlg: "HS256", AuthMethod: wire.None}, "another HMAC": {IDTokenAlg: "HS512"},
	} {
		if m.Check() == nil {
			t.Error(name)
		}
	}
	if err := (wire.Metadata{IDTokenAlg: "HS256", UserInfoAlg: "PS256", AnswerAlg: "ES256", IntrospectionAlg: "EdDSA"}).Check(); err != nil {
		t.Error(err)
	}
}

// A document of discovery lists the response types of an application that has none, as RFC 8414 section 2 wants.
func TestNoResponseTypes(t *testing.T) {
	a := oauth.App{Profile: oauth.Profile{Flows: []oauth.Flow{oauth.BackchannelFlow}}}
	if got := a.ResponseTypes(); got == nil || len(got) != 0 {
		t.Errorf("%#v", got)
	}
}
