package oauth_test

import (
	"net/http"
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
			"AllowedAuth": "AuthorizationCode", "Redirects": []any{"https://spa.example.com/back"}, "ClientSecret": "correct-horse-battery-server",
		})
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
	})
}
