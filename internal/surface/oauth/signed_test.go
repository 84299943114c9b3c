package oauth_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"limen/internal/app/apptest"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/role"
)

// opened gives the claims of a JWT that was answered, after its signature was checked by the keys that the application publishes.
func opened(t *testing.T, s *apptest.Site, service, alg, typ, token string) map[string]any {
	t.Helper()
	_, _, text := asks(t, s, "", http.MethodGet, "/OAuth2/Keys/"+service, nil)
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatalf("%v: %s", err, token)
	}
	header := jws.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != typ || len(keys.Key(header.KeyID)) != 1 {
		t.Fatalf("typ %v, kid %s of %d keys", header.ExtraHeaders[jose.HeaderType], header.KeyID, len(keys.Keys))
	}
	payload, err := jws.Verify(keys.Key(header.KeyID)[0])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(payload, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// moments takes what changes with the clock, and ids, out of claims; they must be there.
func moments(t *testing.T, claims map[string]any, names ...string) map[string]any {
	t.Helper()
	for _, name := range names {
		if claims[name] == nil || claims[name] == "" {
			t.Errorf("no %s in %v", name, claims)
		}
		delete(claims, name)
	}
	return claims
}

// TestSignedAnswers: a client gets UserInfo and introspections as JWTs that are signed as it has registered (OpenID Connect Core section 5.3.2,
// RFC 9701), and nothing of them is in another form.
func TestSignedAnswers(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		sealed := made(t, s, "Generic OpenID Connect", "sealed", map[string]any{
			"AllowedAuth": "AuthorizationCode,ResourceCreds", "Redirects": []any{callback}, "ClientSecret": secret,
			"ClientMetadata": map[string]any{"userinfo_signed_response_alg": "ES256", "introspection_signed_response_alg": "PS256"},
		}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		id, issuer := sealed.Profile.ClientID, "https://"+s.Host+":8443/sealed/"
		ask := func(path, accept string, form url.Values) (kind, body string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Accept", accept)
			out, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Body.Close()
			text, err := io.ReadAll(out.Body)
			if err != nil || out.StatusCode != http.StatusOK || out.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("%s: %d %v %v %s", path, out.StatusCode, out.Header, err, text)
			}
			return out.Header.Get("Content-Type"), string(text)
		}
		own := url.Values{"client_id": {id}, "client_secret": {secret}}
		with := func(name, value string) url.Values {
			return url.Values{"client_id": own["client_id"], "client_secret": own["client_secret"], name: {value}}
		}
		form := with("grant_type", "password")
		form.Set("scope", "openid profile")
		form.Set("username", s.Admin.Name)
		form.Set("password", apptest.Password)
		_, body := ask("/OAuth2/Token/sealed", "", form)
		var got struct {
			Access string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.Access == "" {
			t.Fatal(err, body)
		}

		kind, body := ask("/OAuth2/UserInfo/sealed", "application/json", url.Values{"access_token": {got.Access}})
		if kind != "application/jwt" {
			t.Errorf("UserInfo comes as %s", kind)
		}
		want := map[string]any{
			"iss": issuer, "aud": id, "sub": s.Admin.ID, "unique_name": s.Admin.Name, "preferred_username": s.Admin.Name, "name": "Administrator", "given_name": "Administrator",
		}
		if diff := cmp.Diff(want, moments(t, opened(t, s, "sealed", "ES256", "JWT", body), "auth_time", "updated_at")); diff != "" {
			t.Errorf("UserInfo (-want +got):\n%s", diff)
		}

		const introspection = "application/token-introspection+jwt"
		kind, body = ask("/OAuth2/Introspect/sealed", introspection, with("token", got.Access))
		if kind != introspection {
			t.Errorf("an introspection comes as %s", kind)
		}
		outer := opened(t, s, "sealed", "PS256", "token-introspection+jwt", body)
		about, _ := outer["token_introspection"].(map[string]any)
		outer["token_introspection"] = moments(t, about, "exp", "iat", "auth_time", "jti")
		want = map[string]any{"iss": issuer, "aud": id, "token_introspection": map[string]any{
			"active": true, "scope": "openid profile", "client_id": id, "username": s.Admin.Name, "unique_name": s.Admin.Name, "token_type": "Bearer", "sub": s.Admin.ID, "aud": id,
			"iss": issuer, "app_id": "sealed",
		}}
		if diff := cmp.Diff(want, moments(t, outer, "iat")); diff != "" {
			t.Errorf("an introspection (-want +got):\n%s", diff)
		}
		_, body = ask("/OAuth2/Introspect/sealed", introspection, with("token", "made-up"))
		if got := opened(t, s, "sealed", "PS256", "token-introspection+jwt", body)["token_introspection"]; !cmp.Equal(got, any(map[string]any{"active": false})) {
			t.Errorf("of a token that is none: %v", got)
		}
		if kind, _ = ask("/OAuth2/Introspect/sealed", "application/json", with("token", got.Access)); !strings.HasPrefix(kind, "application/json") {
			t.Errorf("an introspection that is asked for as JSON comes as %s", kind)
		}
	})
}
