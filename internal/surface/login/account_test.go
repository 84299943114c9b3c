package login_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
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
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// browser follows no redirect by itself, and keeps cookies.
type browser struct {
	t    *testing.T
	s    *apptest.Site
	jar  *cookiejar.Jar
	body string
	code int

	origin string // that it tells of its pages; empty: none
}

func newBrowser(t *testing.T, s *apptest.Site) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, s: s, jar: jar}
}

// signedIn gives the browser a session that rests on some factors.
func (b *browser) signedIn(who string, factors ...string) {
	b.t.Helper()
	b.s.Do(b.t, audit.Login, func(ctx context.Context, c *call.Call) error {
		token, _, err := b.s.App.Sessions.Create(ctx, c, session.New{User: who, Level: session.Normal, Factors: factors})
		b.jar.SetCookies(b.at("/"), []*http.Cookie{{Name: ".ASPXAUTH", Value: token, Path: "/"}})
		return err
	})
}

func (b *browser) at(path string) *url.URL {
	u, err := url.Parse(b.s.URL + path)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// do sends a request as a person's browser does, and gives where it is led.
func (b *browser) do(method, path string, form url.Values) (location string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.s.Host
	for name, value := range map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin", "Accept": "text/html,*/*;q=0.8"} {
		r.Header.Set(name, value)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.origin != "" {
		r.Header.Set("Origin", b.origin)
	}
	for _, k := range b.jar.Cookies(b.at(path)) {
		r.AddCookie(k)
	}
	res, err := b.s.HTTP.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	b.jar.SetCookies(b.at(path), res.Cookies())
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.body, b.code = string(raw), res.StatusCode
	return res.Header.Get("Location")
}

// sees wants a page with a status and texts.
func (b *browser) sees(code int, want ...string) {
	b.t.Helper()
	for _, w := range want {
		if b.code != code || !strings.Contains(b.body, w) {
			b.t.Fatalf("want %d with %q, there is %d:\n%s", code, w, b.code, b.body)
		}
	}
}

// field is the value of a hidden field of the page.
func (b *browser) field(name string) string {
	b.t.Helper()
	hit := regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(b.body)
	if hit == nil {
		b.t.Fatalf("there is no %s:\n%s", name, b.body)
	}
	return hit[1]
}

var onward = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]+)"`)

// goesOn follows a page that leads on by itself.
func (b *browser) goesOn() (location string) {
	b.t.Helper()
	hit := onward.FindStringSubmatch(b.body)
	if hit == nil {
		b.t.Fatalf("the page (%d) leads nowhere:\n%s", b.code, b.body)
	}
	return b.do("GET", strings.ReplaceAll(hit[1], "&amp;", "&"), nil)
}

const back = "https://shop.example.com/back"

// shop makes an application that asks for no consent, and gives the address by which it asks for a sign-in.
func shop(t *testing.T, s *apptest.Site) string {
	t.Helper()
	var client string
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		out, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": "shop", "Name": "Shop", "OAuthProfile": map[string]any{
			"AllowedAuth": "AuthorizationCode", "Redirects": []any{back}, "ClientSecret": "correct-horse-battery-shop",
		}}})
		if err != nil {
			return err
		}
		client = out.Profile.ClientID
		return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
	return "/OAuth2/Authorize/shop?" + url.Values{"client_id": {client}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"}}.Encode()
}

// target is where a page of ours that the browser is led to goes on.
func target(t *testing.T, to, page string) url.Values {
	t.Helper()
	at, err := url.Parse(to)
	if err != nil || at.Path != page {
		t.Fatalf("led to %q instead of %s", to, page)
	}
	return url.Values{"cloudRedirect": {at.Query().Get("cloudRedirect")}}
}

// An application has people choose their account: the one that is signed in, or another.
func TestAccountIsChosen(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		start := shop(t, s) + "&prompt=select_account&login_hint=anna%40example.com"
		b := newBrowser(t, s)
		to := b.do("GET", start, nil)
		target(t, to, "/login")
		b.do("GET", to, nil)
		b.sees(200, `value="anna@example.com"`)

		b.signedIn(s.Plain.ID, "UP")
		to = b.do("GET", start, nil)
		waiting := target(t, to, "/login/account")
		b.do("GET", to, nil)
		b.sees(200, "Choose an account", s.Plain.Name, "With which account do you want to go on to Shop?", `href="/login?switch=1`)
		target(t, b.do("GET", waiting.Get("cloudRedirect"), nil), "/login/account") // who has not chosen does not go on
		b.do("POST", "/login/account", waiting)
		if to := b.goesOn(); !strings.HasPrefix(to, back+"?") || !strings.Contains(to, "code=") {
			t.Errorf("who has chosen goes on to %s %s", to, b.body)
		}
		b.do("GET", "/login/account?cloudRedirect=/OAuth2/Authorize/shop%3Fbounce%3Dunknown", nil)
		b.sees(http.StatusBadRequest, "cannot be answered")
	})
}

var code = regexp.MustCompile(`\b[0-9]{6}\b`)

// mailed gives the code of the mail to an address that comes behind some others.
func mailed(t *testing.T, s *apptest.Site, to string, behind int) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if all := s.App.Tray.To(to); len(all) > behind {
			return code.FindString(all[0].Text)
		}
	}
	t.Fatal("no mail")
	return ""
}

// An application asks for a high level: who has shown a password shows a further factor, and nothing again.
func TestSessionIsRaised(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		start, mail := shop(t, s)+"&acr_values=High", "raise+"+s.ID+"@example.com"
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, s.Plain.ID, user.Change{Mail: &mail})
			return err
		})
		b := newBrowser(t, s)
		b.signedIn(s.Plain.ID, "UP")
		to := b.do("GET", start, nil)
		waiting := target(t, to, "/login/more")
		b.do("GET", to, nil)
		b.sees(200, "One more proof is needed", "Shop asks you to show")
		b.do("POST", "/login/more", url.Values{"cloudRedirect": waiting["cloudRedirect"], "do": {"without"}})
		b.sees(http.StatusConflict, "Show first what you are asked for.")
		b.do("GET", b.do("POST", "/login/more", waiting), nil)
		b.sees(200, "Show that it is you", s.Plain.Name)
		answer := func(do, text string) {
			b.do("POST", "/login/answer", url.Values{"cloudRedirect": waiting["cloudRedirect"], "mechanism": {b.field("mechanism")}, "do": {do}, "answer": {text}})
		}
		page := "/login?" + waiting.Encode()
		answer("send", "")
		first := mailed(t, s, mail, 0)
		b.do("GET", page, nil)
		b.sees(200, "Enter the code")
		if wrong := "000000"; first != wrong {
			answer("", wrong)
			b.sees(http.StatusForbidden, "That was not right")
		}
		b.do("GET", page, nil)
		answer("send", "")
		second := mailed(t, s, mail, 1)
		b.do("GET", page, nil)
		answer("", second)
		if to := b.goesOn(); !strings.HasPrefix(to, back+"?code=") {
			t.Fatalf("the further proof leads to %s %d %s", to, b.code, b.body)
		}
		if to := b.do("GET", start, nil); !strings.HasPrefix(to, back+"?code=") {
			t.Errorf("it is asked for again: %s", to)
		}
		if to := b.do("POST", "/logout", nil); to != "/logout" {
			t.Fatalf("signed out to %s", to)
		}
		b.do("GET", "/logout", nil)
		b.sees(200, "You are signed out", "<li>Shop</li>")

		// Where there is nothing further, the application decides.
		b.signedIn(s.Plain.ID, "UP", "EMAIL", "SMS", "OATH", "SQ")
		to = b.do("GET", start, nil)
		waiting = target(t, to, "/login/more")
		b.do("GET", to, nil)
		b.sees(200, "You have no further proof")
		target(t, b.do("POST", "/login/more", waiting), "/login/more")
		waiting.Set("do", "without")
		b.do("POST", "/login/more", waiting)
		if to := b.goesOn(); !strings.HasPrefix(to, back+"?code=") {
			t.Errorf("without a further proof: %s %s", to, b.body)
		}
	})
}

// Who is sent here with a request that must not be answered reads why, and programs get what they can read.
func TestBadRequestsAreReadable(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		b := newBrowser(t, s)
		b.do("GET", strings.Replace(shop(t, s), url.QueryEscape(back), url.QueryEscape("https://evil.example/"), 1), nil)
		b.sees(http.StatusBadRequest, "Shop sent you here with a request that cannot be answered.", "<code>invalid_request</code>", "invalid redirect", "Request 0")
		b.do("GET", "/OAuth2/Authorize/nothing?client_id=x", nil)
		b.sees(http.StatusBadRequest, "An application sent you here", "unknown app")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/OAuth2/Authorize/nothing?client_id=x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = s.Host
		res, err := s.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if raw, _ := io.ReadAll(res.Body); !strings.Contains(string(raw), `"error":"invalid_request"`) {
			t.Errorf("a program gets %s", raw)
		}
	})
}
