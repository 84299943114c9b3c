package oauth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/role"
)

// Scripts of an application's own origins may call its endpoints, those of others may not, and nobody's may with cookies.
func TestSharing(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		made(t, s, "Generic OpenID Connect", "spa", map[string]any{
			"AllowedAuth": "AuthorizationCode", "Redirects": []any{"https://spa.example.com/back", "com.example.spa:/back"}, "AllowPublic": true,
			"AllowedOrigins": []any{"https://admin.example.com:8443"},
		}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		made(t, s, "Generic OpenID Connect", "server", map[string]any{
			"AllowedAuth": "AuthorizationCode", "Redirects": []any{"https://spa.example.com/back", "https://server.example.com/back"}, "ClientSecret": "correct-horse-battery-server",
		})
		mobile := registers(t, s, "mobile")
		ask := func(method, path, origin string) *http.Response {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			r.Header.Set("Origin", origin)
			if method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", http.MethodPost)
				r.Header.Set("Access-Control-Request-Headers", "authorization,dpop")
			}
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error(path, "is shared with cookies")
			}
			return res
		}
		for _, x := range []struct{ method, path, origin, want string }{
			{"OPTIONS", "/OAuth2/Token/spa", "https://spa.example.com", "https://spa.example.com"},
			{"OPTIONS", "/OAuth2/Token/spa", "https://admin.example.com:8443", "https://admin.example.com:8443"},
			{"POST", "/OAuth2/Token/spa", "https://spa.example.com", "https://spa.example.com"},
			{"POST", "/OAuth2/UserInfo/spa", "https://spa.example.com", "https://spa.example.com"},
			{"GET", "/spa/.well-known/openid-configuration", "https://anybody.example", "*"},
			{"OPTIONS", "/OAuth2/Token/spa", "https://evil.example", ""},
			{"OPTIONS", "/OAuth2/Token/spa", "http://spa.example.com", ""},
			{"OPTIONS", "/OAuth2/Token/spa", "https://spa.example.com.evil.example", ""},
			{"OPTIONS", "/OAuth2/Token/spa", "null", ""},
			{"POST", "/OAuth2/Token/server", "https://spa.example.com", ""}, // its client keeps a secret: no page has it
			{"OPTIONS", "/OAuth2/Token/mobile", "https://public.example.com", "https://public.example.com"},
			{"OPTIONS", "/OAuth2/Token/mobile", "https://secret.example.com", ""}, // a registered client that keeps a secret
			{"OPTIONS", "/OAuth2/Token/spa", "https://public.example.com", ""},    // registered with another application
			{"OPTIONS", "/OAuth2/Token", "https://public.example.com", "https://public.example.com"},
			{"POST", "/OAuth2/UserInfo", "https://spa.example.com", "https://spa.example.com"},
			{"OPTIONS", "/OAuth2/Token", "https://evil.example", ""},
			{"OPTIONS", "/OAuth2/Token", "https://server.example.com", ""},
			{"POST", "/OAuth2/Authorize", "https://spa.example.com", ""},
			{"GET", "/.well-known/openid-configuration", "https://anybody.example", "*"},
			{"OPTIONS", "/OAuth2/Token/unknown", "https://spa.example.com", ""},
			{"POST", "/OAuth2/Authorize/spa", "https://spa.example.com", ""},
			{"POST", "/OAuth2/Introspect/spa", "https://spa.example.com", ""},
			{"OPTIONS", "/Security/WhoAmI", "https://spa.example.com", ""},
		} {
			res := ask(x.method, x.path, x.origin)
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != x.want {
				t.Errorf("%s %s of %s is shared with %q, want %q", x.method, x.path, x.origin, got, x.want)
			}
			if allowed := x.want != "" && x.method == http.MethodOptions; allowed != (res.StatusCode == http.StatusNoContent) {
				t.Errorf("%s %s of %s: %d", x.method, x.path, x.origin, res.StatusCode)
			}
		}
		unregister(t, s, mobile)
		for _, path := range []string{"/OAuth2/Token/mobile", "/OAuth2/Token"} {
			if got := ask("OPTIONS", path, "https://public.example.com").Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s is shared with %q, whose client is gone", path, got)
			}
		}
	})
}

// registers makes an application where anybody registers clients, and registers two: one with a secret, and one without, whose address for
// itself it gives with the token.
func registers(t *testing.T, s *apptest.Site, service string) (client map[string]any) {
	t.Helper()
	made(t, s, "Generic OpenID Connect", service, map[string]any{
		"AllowedAuth": "AuthorizationCode", "Redirects": []any{"com.example.mobile:/back"}, "AllowPublic": true, "Registration": "Open",
	})
	for _, x := range []struct{ method, uri string }{{"client_secret_basic", "https://secret.example.com/back"}, {"none", "https://public.example.com/back"}} {
		body := `{"redirect_uris": ["` + x.uri + `"], "token_endpoint_auth_method": "` + x.method + `"}`
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/OAuth2/Register/"+service, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = s.Host
		out, err := s.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		client = map[string]any{}
		if err := json.NewDecoder(out.Body).Decode(&client); err != nil || out.StatusCode != http.StatusCreated {
			t.Fatal(out.StatusCode, client, err)
		}
		_ = out.Body.Close()
	}
	return client
}

// unregister has a client delete itself.
func unregister(t *testing.T, s *apptest.Site, client map[string]any) {
	t.Helper()
	id, _ := client["client_id"].(string)
	token, _ := client["registration_access_token"].(string)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, s.URL+"/OAuth2/Register?client_id="+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Authorization", "Bearer "+token)
	out, err := s.HTTP.Do(r)
	if err != nil || out.StatusCode != http.StatusNoContent {
		t.Fatal(out, err)
	}
	_ = out.Body.Close()
}
