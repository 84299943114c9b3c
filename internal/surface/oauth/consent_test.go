package oauth_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
)

// shop makes an application that asks people before it gets anything, and gives its client id.
func shop(t *testing.T, s *apptest.Site) (client string) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		out, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": "shop", "Name": "Shop", "OAuthProfile": map[string]any{
			"AllowedAuth": "AuthorizationCode,Implicit", "Redirects": []any{"https://shop.example.com/back"}, "Confirm": true, "ClientSecret": "correct-horse-battery-shop",
			"LogoutRedirects": []any{"https://shop.example.com/bye"}, "PostLogoutRedirects": []any{"https://shop.example.com/bye"},
		}}})
		if err != nil {
			return err
		}
		client = out.Profile.ClientID
		return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
	return client
}

// asks sends a request as the browser of somebody with a session does.
func asks(t *testing.T, s *apptest.Site, session, method, path string, form url.Values, head ...string) (status int, location, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if session != "" {
		r.AddCookie(&http.Cookie{Name: ".ASPXAUTH", Value: session})
	}
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(b)
}

const fetchSite = "Sec-Fetch-Site"

func TestConsentAndLogout(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		session, client := s.SignedIn(t, s.Plain.ID), shop(t, s)
		start := "/OAuth2/Authorize/shop?" + url.Values{
			"client_id": {client}, "redirect_uri": {"https://shop.example.com/back"}, "response_type": {"id_token token"}, "scope": {"openid email"}, "nonce": {"n-1"}, "state": {"s-1"},
			"response_mode": {"fragment"},
		}.Encode()
		waiting := func() url.Values {
			_, to, body := asks(t, s, session, "GET", start, nil)
			if !strings.HasPrefix(to, "/consent?cloudRedirect=") {
				t.Fatalf("no consent is asked for: %s %s", to, body)
			}
			_, _, page := asks(t, s, session, "GET", to, nil)
			for _, want := range []string{"Shop", s.Plain.Name, "see your mail address", `action="/OAuth2/Confirm/shop"`} {
				if !strings.Contains(page, want) {
					t.Fatalf("the page lacks %q: %s", want, page)
				}
			}
			return url.Values{"bounce": {regexp.MustCompile(`name="bounce" value="([^"]+)"`).FindStringSubmatch(page)[1]}, "scopes": {"openid,email"}}
		}

		form := waiting()
		form.Set("result", "1")
		if status, to, _ := asks(t, s, session, "POST", "/OAuth2/Confirm/shop", form, fetchSite, "cross-site"); status != http.StatusBadRequest || to != "" {
			t.Errorf("another site agrees: %d %s", status, to)
		}
		if status, to, _ := asks(t, s, "", "POST", "/OAuth2/Confirm/shop", form); status != http.StatusUnauthorized || to != "" {
			t.Errorf("nobody agrees: %d %s", status, to)
		}
		form.Set("result", "0")
		if _, to, body := asks(t, s, session, "POST", "/OAuth2/Confirm/shop", form, fetchSite, "same-origin"); !strings.Contains(to, "error=access_denied&error_description=User+denied+confirmation") &&
			!strings.Contains(to, "error=access_denied&error_description=User%20denied%20confirmation") {
			t.Errorf("a refusal gives %s %s", to, body)
		}
		form.Set("result", "1")
		if status, _, _ := asks(t, s, session, "POST", "/OAuth2/Confirm/shop", form, fetchSite, "same-origin"); status != http.StatusBadRequest {
			t.Errorf("a request that was refused is agreed to: %d", status)
		}

		form = waiting()
		form.Set("result", "1")
		_, to, body := asks(t, s, session, "POST", "/OAuth2/Confirm/shop", form, fetchSite, "same-origin")
		back, err := url.Parse(to)
		if err != nil || !strings.HasPrefix(to, "https://shop.example.com/back#") {
			t.Fatalf("agreeing gives %s %s", to, body)
		}
		got, _ := url.ParseQuery(back.Fragment)
		if got.Get("id_token") == "" || got.Get("state") != "s-1" {
			t.Fatalf("agreeing gives %s", to)
		}
		if _, to, _ := asks(t, s, session, "GET", start, nil); !strings.HasPrefix(to, "https://shop.example.com/back#") {
			t.Errorf("consent is not remembered: %s", to)
		}

		// Who has signed in anew for a request is not asked to once more after agreeing.
		_, to, _ = asks(t, s, session, "GET", start+"&prompt=login+consent", nil)
		at, err := url.Parse(to)
		if err != nil || at.Path != "/login" {
			t.Fatalf("a new sign-in is not asked for: %s", to)
		}
		for at := time.Now().UnixMilli(); time.Now().UnixMilli() == at; { // who signs in does so after they were asked to: not in the same millisecond
			time.Sleep(100 * time.Microsecond)
		}
		anew := s.SignedIn(t, s.Plain.ID)
		_, to, _ = asks(t, s, anew, "GET", at.Query().Get("cloudRedirect"), nil)
		if !strings.HasPrefix(to, "/consent?cloudRedirect=") {
			t.Fatalf("after the sign-in: %s", to)
		}
		_, _, page := asks(t, s, anew, "GET", to, nil)
		form = url.Values{"bounce": {regexp.MustCompile(`name="bounce" value="([^"]+)"`).FindStringSubmatch(page)[1]}, "scopes": {"openid,email"}, "result": {"1"}}
		if _, to, body := asks(t, s, anew, "POST", "/OAuth2/Confirm/shop", form, fetchSite, "same-origin"); !strings.HasPrefix(to, "https://shop.example.com/back#") || !strings.Contains(to, "id_token=") {
			t.Errorf("after agreeing: %s %s", to, body)
		}

		leave := "/OAuth2/EndSession/shop?" + url.Values{"post_logout_redirect_uri": {"https://evil.example/"}, "state": {"s-2"}}.Encode()
		if _, to, _ := asks(t, s, session, "GET", leave, nil); !strings.HasPrefix(to, "/logout?cloudRedirect=") {
			t.Errorf("without a hint nobody is asked: %s", to)
		}
		other := s.SignedIn(t, s.Admin.ID)
		if status, to, _ := asks(t, s, other, "GET", leave+"&id_token_hint="+got.Get("id_token"), nil); status != http.StatusBadRequest || to != "" {
			t.Errorf("the hint of somebody else: %d %s", status, to)
		}
		if status, to, _ := asks(t, s, session, "GET", leave+"&id_token_hint=broken", nil); status != http.StatusBadRequest || to != "" {
			t.Errorf("a broken hint: %d %s", status, to)
		}
		if status, to, _ := asks(t, s, "", "POST", "/OAuth2/EndSession/shop", url.Values{"id_token_hint": {"x y"}}, fetchSite, "cross-site"); status != 303 || to != "/OAuth2/EndSession/shop?id_token_hint=x+y" {
			t.Errorf("a form of the application without cookies: %d %s", status, to)
		}
		if status, _, body := asks(t, s, session, "GET", "/login", nil); status != 200 || !strings.Contains(body, s.Plain.Name) {
			t.Errorf("the session ended too early: %d", status)
		}
		if _, to, _ := asks(t, s, session, "GET", leave+"&id_token_hint="+got.Get("id_token"), nil); to != "/logout" {
			t.Errorf("an address that is not registered is followed: %s", to)
		}
		if _, _, body := asks(t, s, session, "GET", "/login", nil); strings.Contains(body, s.Plain.Name) {
			t.Error("the session goes on")
		}
		if status, _, _ := asks(t, s, "", "GET", "/OAuth2/UserInfo/shop", nil, "Authorization", "Bearer "+got.Get("access_token")); status != http.StatusUnauthorized {
			t.Errorf("the application's token goes on: %d", status)
		}
	})
}
