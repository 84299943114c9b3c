package login_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator/authenticatortest"
	core "limen/internal/core/login"
	"limen/internal/wire/qrcode"
)

var (
	numberOnPage = regexp.MustCompile(`<p class="number" dir="ltr">(\d\d)</p>`)
	drawnOnPage  = regexp.MustCompile(`<path fill="#000" d="(M[^"]+)"/>`)
)

// scans has a device read the code that a browser shows and approve it.
func scans(t *testing.T, s *apptest.Site, b *browser, d *authenticatortest.Device) {
	t.Helper()
	code, number := shownCode(t, b)
	_, raw := s.Call(t, "", "POST", "/Authenticator/AnswerCode", s.AnswerCode(t, d, code, true, number))
	if !strings.Contains(string(raw), `"success":true`) {
		t.Fatalf("%s", raw)
	}
}

// shownCode is what a page shows, whose drawing is of the code that the browser's conversation has.
func shownCode(t *testing.T, b *browser) (code, number string) {
	t.Helper()
	m, drawn := numberOnPage.FindStringSubmatch(b.body), drawnOnPage.FindStringSubmatch(b.body)
	if m == nil || drawn == nil {
		t.Fatal(b.body)
	}
	b.s.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) error {
		for _, k := range b.jar.Cookies(b.at("/login")) {
			if k.Name != "loginsession" {
				continue
			}
			st, err := b.s.App.Logins.Look(ctx, c, k.Value)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(st.Due(), func(ch factor.Challenge) bool { return ch.Name == factor.QR })
			want, err := qrcode.Draw(core.CodeURL(b.s.Host+":8443", st.Due()[i]))
			if err != nil || drawn[1] != want.Path {
				t.Error("another code is drawn", err)
			}
			code = st.Due()[i].ID
			if strings.Contains(b.body, k.Value) {
				t.Error("the conversation's id is on the page")
			}
		}
		return nil
	})
	return code, m[1]
}

// A browser shows a code to nobody in particular; who reads it is asked there for what is left, and is signed in.
func TestCodeOnPage(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Set(t, "Authentication.QRCode", "true")
		s.Set(t, "Authentication.Challenges", "UP;OTP")
		s.Settle(t, s.Plain.ID, "", "")
		phone := s.Carry(t, s.Plain.ID)
		b := newBrowser(t, s)
		b.do("GET", "/login?cloudRedirect=%2Fmy", nil)
		b.sees(http.StatusOK, "Sign in with your phone")
		b.do("GET", b.do("POST", "/login/code", url.Values{"cloudRedirect": {"/my"}}), nil)
		b.sees(http.StatusOK, "Read this code with your authenticator", `aria-label="QR code of this sign-in"`, "Sign in with your user name")
		scans(t, s, b, phone)
		b.do("GET", "/login?wait=1&cloudRedirect=%2Fmy", nil)
		b.sees(http.StatusOK, "Enter your password", s.Plain.Name)
		b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "answer": {apptest.Password}})
		b.do("GET", "/login", nil)
		b.sees(http.StatusOK, "You are signed in", s.Plain.Name)
	})
}

// Attack: a page elsewhere shows a stranger's code, and its person approves it. Another browser than the stranger's gets nothing, and the stranger's
// is asked for the password, though the profile lets a code stand alone.
func TestCodeOfAnotherBrowser(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Set(t, "Authentication.QRCode", "true")
		s.Set(t, "Authentication.Challenges", "UP;OTP")
		phone := s.Carry(t, s.Plain.ID)
		stranger, own := newBrowser(t, s), newBrowser(t, s)
		stranger.do("GET", stranger.do("POST", "/login/code", url.Values{}), nil)
		own.do("GET", own.do("POST", "/login/code", url.Values{}), nil)
		if code, _ := shownCode(t, own); strings.Contains(stranger.body, code) {
			t.Error("two browsers show the same code")
		}
		scans(t, s, stranger, phone)
		own.do("GET", "/login?wait=1", nil)
		own.sees(http.StatusOK, "Read this code with your authenticator")
		stranger.do("GET", "/login?wait=1", nil)
		stranger.sees(http.StatusOK, "Enter your password")
		stranger.do("POST", "/login/answer", url.Values{"mechanism": {stranger.field("mechanism")}, "answer": {"wrong"}})
		stranger.do("GET", "/my", nil)
		if stranger.code == http.StatusOK {
			t.Error("signed in without the password")
		}
	})
}

// A refused code is over where it was shown; and one that a profile names is a way among others.
func TestCodeAmongOthers(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Set(t, "Authentication.Challenges", "UP;QR,OTP")
		s.Settle(t, s.Plain.ID, "", "")
		phone := s.Carry(t, s.Plain.ID)
		begin := func() *browser {
			b := newBrowser(t, s)
			b.do("GET", b.do("POST", "/login", url.Values{"user": {s.Plain.Name}}), nil)
			b.do("GET", b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "answer": {apptest.Password}}), nil)
			b.sees(http.StatusOK, "QR code for your authenticator", "Mobile authenticator")
			b.do("GET", b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "do": {"choose"}}), nil)
			b.sees(http.StatusOK, "Read this code with your authenticator", s.Plain.Name)
			return b
		}
		b := begin()
		scans(t, s, b, phone)
		b.do("GET", "/login?wait=1", nil)
		b.do("GET", "/login", nil)
		b.sees(http.StatusOK, "You are signed in", s.Plain.Name)

		b = begin()
		code, _ := shownCode(t, b)
		s.Call(t, "", "POST", "/Authenticator/AnswerCode", s.AnswerCode(t, phone, code, false, ""))
		b.do("GET", "/login?wait=1", nil)
		b.sees(http.StatusOK, "Please begin again")
	})
}
