package authentication_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

// askFrom asks as a browser does for the script of a page of another origin.
func askFrom(t *testing.T, s *apptest.Site, method, path, origin string, headers map[string]string, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	out, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Body.Close() })
	if out.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error(path, "is shared with cookies")
	}
	return out
}

var wants = map[string]string{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-idap-native-client"}

// Only pages of the origins that the tenant named may have people sign in, and by nothing but the operations of signing in.
func TestEmbedding(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		other := server.Tenant(t)
		const named = "https://app.example.com"
		if got := askFrom(t, s, http.MethodOptions, "/Security/StartAuthentication", named, wants, "").Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Fatal("it is shared with an origin before any was named:", got)
		}
		s.Set(t, "Customer.AllowCors", `["`+named+`","https://port.example.com:8443","http://localhost:3000"]`)
		for origin, want := range map[string]bool{
			named: true, "https://port.example.com:8443": true, "http://localhost:3000": true,
			"http://app.example.com": false, "https://app.example.com:8443": false, "https://port.example.com": false, "https://evil-app.example.com": false,
			"https://app.example.com.evil.example": false, "https://evilapp.example.com": false, "https://example.com": false, "null": false, "*": false,
			"https://APP.example.com": false, "https://app.example.com/": false, "http://localhost:3001": false, named + ", https://evil.example": false,
		} {
			for _, path := range []string{"/Security/StartAuthentication", "/security/advanceauthentication/", "/Security/CleanupAuthentication", "/Security/StartChallenge"} {
				out := askFrom(t, s, http.MethodOptions, path, origin, wants, "")
				if got := out.Header.Get("Access-Control-Allow-Origin"); (got == origin) != want || (got == "") == want || (out.StatusCode == http.StatusNoContent) != want {
					t.Errorf("%s of %s: %d, shared with %q", path, origin, out.StatusCode, got)
				}
			}
			out := askFrom(t, s, http.MethodPost, "/Security/StartAuthentication", origin, nil, `{"User":"x","Version":"1.0"}`)
			var e struct{ MessageID string }
			if err := json.NewDecoder(out.Body).Decode(&e); err != nil || e.MessageID != "auth.forged" {
				t.Errorf("what a form of %s sends without asking is answered with %q, %v", origin, e.MessageID, err)
			}
			if out.Header.Get("Vary") != "Origin" {
				t.Error("caches are not told that it depends on the origin")
			}
		}
		for _, path := range []string{"/Security/WhoAmI", "/Security/Logout", "/CDirectoryService/CreateUser", "/Security/ForgotUsername", "/OAuth2/RefreshPlatformToken"} {
			if got := askFrom(t, s, http.MethodOptions, path, named, wants, "").Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s is shared with %s", path, got)
			}
		}
		if got := askFrom(t, other, http.MethodOptions, "/Security/StartAuthentication", named, wants, "").Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Error("another tenant's sign-in is shared with", got)
		}
		out := askFrom(t, s, http.MethodPost, "/Security/StartAuthentication", named, map[string]string{"X-IDAP-NATIVE-CLIENT": "true", "Content-Type": "application/json"},
			`{"User":"`+s.Plain.Name+`","Version":"1.0"}`)
		var e struct{ Result struct{ Summary string } }
		if err := json.NewDecoder(out.Body).Decode(&e); err != nil || e.Result.Summary != "NewPackage" || out.Header.Get("Access-Control-Allow-Origin") != named {
			t.Errorf("%+v, %v", e, err)
		}
	})
}
