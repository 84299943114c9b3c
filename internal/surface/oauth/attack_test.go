package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/role"
)

const callback = "https://wiki.example.com/callback"

// front is a browser at the authorization endpoint.
type front struct {
	t      *testing.T
	s      *apptest.Site
	client string
}

func newFront(t *testing.T, server *apptest.Server) front {
	t.Helper()
	s := server.Tenant(t)
	wiki := made(t, s, "Generic OpenID Connect", "wiki", map[string]any{
		"AllowedAuth": "AuthorizationCode", "Redirects": []any{callback, "com.example.app:/done"}, "AllowPublic": true, "ClientSecret": secret,
	}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	return front{t, s, wiki.Profile.ClientID}
}

// get asks without following anything.
func (f front) get(path, token string, header http.Header) *http.Response {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.s.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Host = f.s.Host
	for name, v := range header {
		r.Header[name] = v
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	out, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = out.Body.Close()
	return out
}

func (f front) authorize(change url.Values) *http.Response {
	q := url.Values{
		"client_id": {f.client}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {callback}, "state": {"s"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for name, v := range change {
		q[name] = v
	}
	return f.get("/OAuth2/Authorize/wiki?"+q.Encode(), f.s.TokenOf(f.t, "plain"), nil)
}

func (f front) code() string {
	f.t.Helper()
	u, err := f.authorize(nil).Location()
	if err != nil || u.Query().Get("code") == "" {
		f.t.Fatal(u, err)
	}
	return u.Query().Get("code")
}

// TestRedirectURITricks: answers and errors go to registered addresses only (RFC 9700 section 4.1 and 4.11).
func TestRedirectURITricks(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for _, uri := range []string{
			"https://wiki.example.com.evil.example/callback", "https://wiki.example.com@evil.example/callback", callback + "/", callback + "?x=1", callback + "#x",
			callback + "/../evil", "https://wiki.example.com/callback%2f..", "https://wiki.example.com/CALLBACK", "http://wiki.example.com/callback",
			"https://wiki.example.com:444/callback", "//evil.example/", "javascript:alert(1)", "data:text/html,x", "com.example.app:/done/x", `https://evil.example\@wiki.example.com/callback`,
			"https://evil.example/%0d%0aLocation:x", " " + callback,
		} {
			for _, more := range []url.Values{{}, {"scope": {"everything"}}, {"prompt": {"none"}}, {"response_type": {"nothing"}}, {"request": {"x"}}} {
				change := url.Values{"redirect_uri": {uri}}
				for name, v := range more {
					change[name] = v
				}
				out := f.authorize(change)
				if out.StatusCode != http.StatusBadRequest || out.Header.Get("Location") != "" {
					t.Errorf("%s with %v: %d to %q", uri, more, out.StatusCode, out.Header.Get("Location"))
				}
			}
		}
	})
}

// TestResponseSplitting: nothing of a request becomes a header of its own.
func TestResponseSplitting(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for _, state := range []string{"a\r\nSet-Cookie: x=y", "a\nX-Evil: 1", "a\x00b", "a%0d%0aX-Evil:1"} {
			out := f.authorize(url.Values{"state": {state}})
			if out.Header.Get("X-Evil") != "" || strings.ContainsAny(out.Header.Get("Location"), "\r\n") || strings.Contains(strings.Join(out.Header.Values("Set-Cookie"), ""), "x=y") {
				t.Errorf("%q: %v", state, out.Header)
			}
		}
	})
}

// TestMixUp: every answer says who it is from (RFC 9207), errors too.
func TestMixUp(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for _, change := range []url.Values{{}, {"scope": {"everything"}}, {"response_type": {"token"}}} {
			u, err := f.authorize(change).Location()
			if err != nil {
				t.Fatal(err)
			}
			q, _ := url.ParseQuery(u.RawQuery + "&" + u.Fragment)
			if got := q.Get("iss"); !strings.HasPrefix(got, "https://"+strings.Split(f.s.Host, ":")[0]) || !strings.HasSuffix(got, "/wiki/") {
				t.Errorf("%v: iss is %q in %s", change, got, u)
			}
		}
	})
}

// TestPKCEDowngrade: a public client cannot do without, and a verifier for a code without a challenge is refused (RFC 9700 section 2.1.1 and
// 4.8.2).
func TestPKCEDowngrade(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for name, change := range map[string]url.Values{
			"stripped": {"code_challenge": nil, "code_challenge_method": nil}, "plain": {"code_challenge": {verifier}, "code_challenge_method": {"plain"}},
			"without a method": {"code_challenge_method": nil}, "made up": {"code_challenge_method": {"S1"}},
		} {
			u, err := f.authorize(change).Location()
			if err != nil || u.Query().Get("error") != "invalid_request" || u.Query().Get("code") != "" {
				t.Errorf("%s: %v %v", name, u, err)
			}
		}
	})
}

// TestCodeInjection: a code that somebody slips to another sign-in does not fit its verifier, and the client's secret does not help (RFC 9700
// section 4.5).
func TestCodeInjection(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		h := holder{t: t, s: f.s, host: f.s.Host}
		for name, change := range map[string]url.Values{
			"another sign-in's verifier": {"code_verifier": {strings.Repeat("v", 43)}}, "no verifier": {"code_verifier": nil},
			"its challenge as verifier": {"code_verifier": {challenge}}, "another redirect": {"redirect_uri": {"com.example.app:/done"}},
		} {
			form := url.Values{
				"grant_type": {"authorization_code"}, "code": {f.code()}, "redirect_uri": {callback}, "client_id": {f.client}, "client_secret": {secret},
				"code_verifier": {verifier},
			}
			for n, v := range change {
				form[n] = v
			}
			if out, body := h.ask("/OAuth2/Token/wiki", "", "", form); out.StatusCode != http.StatusBadRequest || body["access_token"] != nil {
				t.Errorf("%s: %d %v", name, out.StatusCode, body)
			}
		}
	})
}

// TestTokenInQuery: an access token in an address, which histories and logs keep, is none (RFC 9700 section 4.3.2). In the header and in a
// form it is, and the answer bears the name by which the client calls it (FAPI 1.0 Part 1 section 6.2.1).
func TestTokenInQuery(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		h := holder{t: t, s: f.s, host: f.s.Host}
		_, body := h.ask("/OAuth2/Token/wiki", "", "", url.Values{
			"grant_type": {"authorization_code"}, "code": {f.code()}, "redirect_uri": {callback}, "client_id": {f.client}, "client_secret": {secret}, "code_verifier": {verifier},
		})
		token, _ := body["access_token"].(string)
		const path, called = "/OAuth2/UserInfo/wiki", "580d9Fc2-Be51-4199-813B-f0E638358277"
		if out := f.get(path+"?access_token="+url.QueryEscape(token), "", nil); out.StatusCode != http.StatusUnauthorized {
			t.Errorf("in the query: %d", out.StatusCode)
		}
		out := f.get(path, token, http.Header{"X-Fapi-Interaction-Id": {called}})
		if got := out.Header.Get("X-Fapi-Interaction-Id"); out.StatusCode != http.StatusOK || got != called {
			t.Errorf("in the header: %d, called %q", out.StatusCode, got)
		}
		if got := f.get(path, token, http.Header{"X-Fapi-Interaction-Id": {"<script>"}}).Header.Get("X-Fapi-Interaction-Id"); len(got) != len(called) {
			t.Errorf("a name that is none comes back as %q", got)
		}
		if out, _ := h.ask(path, "", "", url.Values{"access_token": {token}}); out.StatusCode != http.StatusOK {
			t.Errorf("in a form: %d", out.StatusCode)
		}
	})
}

// TestClickjacking: no page of sign-in, consent, sign-out or of an error can be shown within another.
func TestClickjacking(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		navigation := http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}}
		for _, path := range []string{
			"/login", "/logout", "/consent", "/login/account", "/login/more", "/OAuth2/Authorize/wiki", "/OAuth2/Authorize/nothing?client_id=x&redirect_uri=https://evil.example",
			"/OAuth2/Authorize/wiki?client_id=x&request_uri=urn:ietf:params:oauth:request_uri:x",
		} {
			out := f.get(path, "", navigation)
			policy := out.Header.Get("Content-Security-Policy")
			if !strings.HasPrefix(out.Header.Get("Content-Type"), "text/html") || !strings.Contains(policy, "frame-ancestors 'none'") || out.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s, policy %q", path, out.StatusCode, out.Header.Get("Content-Type"), policy)
			}
		}
	})
}

// TestConsentForgery: another site's form does not agree for anybody (RFC 9700 section 4.7, and CSRF on consent).
func TestConsentForgery(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"same-site"}}} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.s.URL+"/OAuth2/Confirm/wiki", strings.NewReader("bounce=x&result=1"))
			if err != nil {
				t.Fatal(err)
			}
			r.Host, r.Header = f.s.Host, header.Clone()
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(&http.Cookie{Name: ".ASPXAUTH", Value: f.s.TokenOf(t, "plain")})
			out, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = out.Body.Close()
			if out.StatusCode < 400 || out.Header.Get("Location") != "" {
				t.Errorf("%v: %d", header, out.StatusCode)
			}
		}
	})
}

// TestAssertionNamesItsClient: who proves itself by an assertion need not send its client_id beside it, at introspection as elsewhere
// (RFC 7521 section 4.2).
func TestAssertionNamesItsClient(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for _, path := range []string{"/OAuth2/Introspect/wiki", "/OAuth2/Revoke/wiki"} {
			_, body := holder{t: t, s: f.s, host: f.s.Host}.ask(path, "", "", url.Values{
				"token": {"x"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {"e30.e30.x"},
			})
			if body["error"] != "invalid_client" {
				t.Errorf("%s: %v", path, body)
			}
		}
	})
}
