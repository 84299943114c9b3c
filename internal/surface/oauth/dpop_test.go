package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/app/apptest"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/role"
)

// holder is a client with a DPoP key.
type holder struct {
	t    *testing.T
	s    *apptest.Site
	key  *ecdsa.PrivateKey
	host string
}

// proof makes a proof of the key for a request.
func (h holder) proof(method, path string, more map[string]any) string {
	h.t.Helper()
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": "https://" + h.host + path, "iat": time.Now().Unix()}
	for name, v := range more {
		claims[name] = v
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: h.key}, &jose.SignerOptions{EmbedJWK: true, ExtraHeaders: map[jose.HeaderKey]any{"typ": "dpop+jwt"}})
	if err != nil {
		h.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		h.t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func ath(token string) map[string]any {
	sum := sha256.Sum256([]byte(token))
	return map[string]any{"ath": base64.RawURLEncoding.EncodeToString(sum[:])}
}

// ask sends a form and gives the answer with its JSON.
func (h holder) ask(path, authorization, proof string, form url.Values) (*http.Response, map[string]any) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	r.Host = h.host
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	raw, err := io.ReadAll(out.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	var body map[string]any
	_ = json.Unmarshal(raw, &body) // some answers have none
	return out, body
}

// TestDPoP has a client bind its tokens to a key, with nonces, and use them at this program's own API and at UserInfo.
func TestDPoP(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		robot := serviceUser(t, s)
		made(t, s, "OAuth2ServerClient", "api", map[string]any{
			"AllowedAuth": "ClientCreds", "Confirm": true, "MustBeOauthClient": true, "DPoPNonce": true,
			"KnownScopes": []any{map[string]any{"Scope": "me", "AllowedRest": []any{"Security/WhoAmI"}}},
		}, acl.Given{Kind: role.User, Principal: robot.ID, Mask: acl.View | app.Execute})
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		h := holder{t, s, key, s.Host}
		const path = "/OAuth2/Token/api"
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"me"}, "client_id": {robot.Name}, "client_secret": {apptest.Password}}

		out, body := h.ask(path, "", h.proof("POST", path, nil), form)
		nonce := out.Header.Get("DPoP-Nonce")
		if out.StatusCode != http.StatusBadRequest || body["error"] != "use_dpop_nonce" || nonce == "" {
			t.Fatalf("without a nonce: %d %v %q", out.StatusCode, body, nonce)
		}
		with := func(more map[string]any) map[string]any {
			all := map[string]any{"nonce": nonce}
			for name, v := range more {
				all[name] = v
			}
			return all
		}
		if out, body = h.ask(path, "", h.proof("POST", path, map[string]any{"nonce": nonce + "x"}), form); body["error"] != "use_dpop_nonce" {
			t.Fatalf("with a made-up nonce: %d %v", out.StatusCode, body)
		}
		proof := h.proof("POST", path, with(map[string]any{"iat": time.Now().Add(10 * time.Second).Unix()})) // clocks may differ
		out, body = h.ask(path, "", proof, form)
		token, _ := body["access_token"].(string)
		if out.StatusCode != http.StatusOK || body["token_type"] != "DPoP" || token == "" || out.Header.Get("DPoP-Nonce") == "" {
			t.Fatalf("%d %v", out.StatusCode, body)
		}
		if out, body = h.ask(path, "", proof, form); out.StatusCode != http.StatusBadRequest || body["error"] != "invalid_dpop_proof" {
			t.Errorf("a proof that was used: %d %v", out.StatusCode, body)
		}

		const who = "/Security/WhoAmI"
		used := h.proof("POST", who, with(ath(token)))
		if out, body = h.ask(who, "DPoP "+token, used, nil); out.StatusCode != http.StatusOK || body["success"] != true {
			t.Fatalf("this program's own API: %d %v", out.StatusCode, body)
		}
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for name, x := range map[string]struct{ authorization, proof, want string }{
			"DPoP replay":            {"DPoP " + token, used, "invalid_dpop_proof"},
			"as a bearer":            {"Bearer " + token, "", ""},
			"as a bearer, proved":    {"Bearer " + token, h.proof("POST", who, with(ath(token))), ""},
			"without a proof":        {"DPoP " + token, "", "invalid_token"},
			"for another URI":        {"DPoP " + token, h.proof("POST", "/Security/Logout", with(ath(token))), "invalid_dpop_proof"},
			"for another method":     {"DPoP " + token, h.proof("GET", who, with(ath(token))), "invalid_dpop_proof"},
			"for another token":      {"DPoP " + token, h.proof("POST", who, with(ath(token+"x"))), "invalid_dpop_proof"},
			"for no token":           {"DPoP " + token, h.proof("POST", who, with(nil)), "invalid_dpop_proof"},
			"of another key":         {"DPoP " + token, holder{t, s, other, s.Host}.proof("POST", who, with(ath(token))), "invalid_token"},
			"without a nonce":        {"DPoP " + token, h.proof("POST", who, ath(token)), "use_dpop_nonce"},
			"made too long ago":      {"DPoP " + token, h.proof("POST", who, with(map[string]any{"ath": ath(token)["ath"], "iat": time.Now().Add(-time.Hour).Unix()})), "invalid_dpop_proof"},
			"not made yet":           {"DPoP " + token, h.proof("POST", who, with(map[string]any{"ath": ath(token)["ath"], "iat": time.Now().Add(time.Minute).Unix()})), "invalid_dpop_proof"},
			"a session by DPoP":      {"DPoP " + s.TokenOf(t, "plain"), h.proof("POST", who, with(ath(token))), "invalid_token"},
			"at another host's name": {"DPoP " + token, holder{t, s, key, "evil.example.com"}.proof("POST", who, with(ath(token))), "invalid_dpop_proof"},
		} {
			out, body := h.ask(who, x.authorization, x.proof, nil)
			got := out.Header.Get("WWW-Authenticate")
			if !strings.Contains(got, `resource_metadata="https://`+strings.Split(s.Host, ":")[0]) {
				t.Errorf("%s: does not say who gives tokens: %q", name, got)
			}
			if out.StatusCode != http.StatusUnauthorized || x.want != "" && (!strings.HasPrefix(got, `DPoP error="`+x.want+`", algs="ES256 `)) {
				t.Errorf("%s: %d %q %v", name, out.StatusCode, got, body)
			}
			if (x.want == "use_dpop_nonce") != (out.Header.Get("DPoP-Nonce") != "") {
				t.Errorf("%s: nonce %q", name, out.Header.Get("DPoP-Nonce"))
			}
		}
	})
}

// TestDPoPUserInfo: a proof is good for one request at UserInfo, too.
func TestDPoPUserInfo(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		wiki := made(t, s, "Generic OpenID Connect", "wiki", map[string]any{
			"AllowedAuth": "AuthorizationCode,ResourceCreds", "Redirects": []any{"https://wiki.example.com/callback"}, "ClientSecret": secret,
			"ClientMetadata": map[string]any{"dpop_bound_access_tokens": true},
		}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		h := holder{t, s, key, s.Host}
		form := url.Values{
			"grant_type": {"password"}, "scope": {"openid"}, "client_id": {wiki.Profile.ClientID}, "client_secret": {secret}, "username": {s.Admin.Name},
			"password": {apptest.Password},
		}
		if out, body := h.ask("/OAuth2/Token/wiki", "", "", form); out.StatusCode != http.StatusBadRequest || body["error"] != "invalid_dpop_proof" {
			t.Errorf("a client that must bind its tokens: %d %v", out.StatusCode, body)
		}
		out, body := h.ask("/OAuth2/Token/wiki", "", h.proof("POST", "/OAuth2/Token/wiki", nil), form)
		token, _ := body["access_token"].(string)
		if token == "" {
			t.Fatalf("%d %v", out.StatusCode, body)
		}
		const path = "/OAuth2/UserInfo/wiki"
		proof := h.proof("POST", path, ath(token))
		if out, body = h.ask(path, "DPoP "+token, proof, nil); out.StatusCode != http.StatusOK || body["sub"] != s.Admin.ID {
			t.Fatalf("%d %v", out.StatusCode, body)
		}
		for name, x := range map[string]struct{ authorization, proof, want string }{
			"DPoP replay":       {"DPoP " + token, proof, `error="invalid_dpop_proof"`},
			"as a bearer":       {"Bearer " + token, "", `Bearer realm=`},
			"by another method": {"DPoP " + token, h.proof("GET", path, ath(token)), `error="invalid_dpop_proof"`},
		} {
			out, body := h.ask(path, x.authorization, x.proof, nil)
			all := strings.Join(out.Header.Values("WWW-Authenticate"), "; ")
			if out.StatusCode != http.StatusUnauthorized || !strings.Contains(all, x.want) || !strings.Contains(all, `algs="ES256 `) {
				t.Errorf("%s: %d %q %v", name, out.StatusCode, all, body)
			}
		}
	})
}
