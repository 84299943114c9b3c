package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/core/oauth"
	"limen/internal/crypt"
	wire "limen/internal/wire/oauth"
)

// What a client wants encrypted only its key opens, and inside is what is signed.
func TestEncrypted(t *testing.T) {
	each(t, func(w *world) {
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			w.t.Fatal(err)
		}
		ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: newSigner(w.t).private.Public(), KeyID: "signs", Use: "sig"}, {Key: rsaKey.Public(), KeyID: "r", Use: "enc"}, {Key: ecKey.Public(), KeyID: "e"},
		}})
		if err != nil {
			w.t.Fatal(err)
		}
		open := func(token string, alg jose.KeyAlgorithm, enc jose.ContentEncryption) (string, jose.Header) {
			w.t.Helper()
			jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{alg}, []jose.ContentEncryption{enc})
			if err != nil {
				w.t.Fatal(err)
			}
			var key any = ecKey
			if alg == jose.RSA_OAEP_256 {
				key = rsaKey
			}
			plain, err := jwe.Decrypt(key)
			if err != nil {
				w.t.Fatal(err)
			}
			return string(plain), jwe.Header
		}
		for _, alg := range wire.KeyAlgorithms {
			for _, enc := range wire.ContentEncryptions {
				m := wire.Metadata{Keys: set, IDTokenKeyAlg: string(alg), IDTokenEnc: string(enc), UserInfoKeyAlg: string(alg), UserInfoEnc: string(enc)}
				if err := m.Check(); err != nil {
					w.t.Fatal(err)
				}
				w.change(func(a *oauth.App) { a.Profile.Client = m })
				g := w.tokens()
				jwt, h := open(g.ID, alg, enc)
				if h.ExtraHeaders["cty"] != "JWT" || h.KeyID == "signs" || h.KeyID == "" {
					w.t.Error(alg, enc, h)
				}
				if _, err := crypt.VerifyWith(w.keys(), jwt, crypt.ES256); err != nil || claims(w.t, jwt)["sub"] != anna {
					w.t.Error(alg, enc, err)
				}
				if _, err := w.hinted(jwt); err != nil {
					w.t.Error("what is inside is no hint:", err)
				}
				l, err := w.look(g.Access)
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
				token, err := w.s.SignInfo(w.t.Context(), w.c, info)
				if err != nil {
					w.t.Fatal(err)
				}
				var about map[string]any
				if plain, _ := open(token, alg, enc); json.Unmarshal([]byte(plain), &about) != nil || about["sub"] != anna || about["aud"] != "client-1" {
					w.t.Error(about)
				}
			}
		}
		// A client without a key that fits gets nothing, and its code is not spent.
		w.change(func(a *oauth.App) { a.Profile.Client = wire.Metadata{} })
		r, err := w.reply(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		exchange := "grant_type=authorization_code&client_id=client-1&redirect_uri=" + answer + "&code=" + r.Code + "&code_verifier=" + verify
		w.change(func(a *oauth.App) {
			a.Profile.Client = wire.Metadata{Keys: newSigner(w.t).set, IDTokenKeyAlg: "RSA-OAEP-256"}
		})
		if _, err := w.token("web", "", exchange, ""); code(err) != oauth.ErrNoKey.Code {
			w.t.Error(err)
		}
		w.change(func(a *oauth.App) { a.Profile.Client = wire.Metadata{} })
		if _, err := w.token("web", "", exchange, ""); err != nil {
			w.t.Error("the code was spent:", err)
		}
	})
	for name, m := range map[string]wire.Metadata{
		"an algorithm of old": {IDTokenKeyAlg: "RSA1_5", KeysURI: "https://a.example/k"}, "a shared key": {UserInfoKeyAlg: "dir", KeysURI: "https://a.example/k"},
		"enc alone": {IDTokenEnc: "A128GCM", KeysURI: "https://a.example/k"}, "unknown enc": {IDTokenKeyAlg: "ECDH-ES", IDTokenEnc: "A128CBC", KeysURI: "https://a.example/k"},
		"no key": {IDTokenKeyAlg: "ECDH-ES"},
	} {
		if m.Check() == nil {
			t.Error(name)
		}
	}
}
