package login_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/factor/duo/duotest"
)

// towardsDuo signs in as the administrator as far as to Duo, and gives the address of its prompt.
func (b *browser) towardsDuo() (at string) {
	b.t.Helper()
	b.do(http.MethodPost, "/login?cloudRedirect=%2Fmy%2Fapps", url.Values{"user": {b.s.Admin.Name}, "cloudRedirect": {"/my/apps"}})
	b.do(http.MethodGet, "/login?cloudRedirect=%2Fmy%2Fapps", nil)
	for _, form := range []url.Values{{"answer": {apptest.Password}}, {"do": {"send"}}} {
		form.Set("mechanism", b.field("mechanism"))
		form.Set("cloudRedirect", "/my/apps")
		if b.do(http.MethodPost, "/login/answer", form) != "" {
			b.do(http.MethodGet, "/login?cloudRedirect=%2Fmy%2Fapps", nil)
		}
	}
	hit := regexp.MustCompile(`http-equiv="refresh" content="0;url=(https://[^"]+)"`).FindStringSubmatch(b.body)
	if hit == nil {
		b.t.Fatalf("nobody is led to Duo:\n%s", b.body)
	}
	return html.UnescapeString(hit[1])
}

func eachAtDuo(t *testing.T, f func(t *testing.T, s *apptest.Site, srv *duotest.Server)) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		site.Set(t, "Authentication.Challenges", "UP;DUO")
		f(t, site, site.Duo(t))
	})
}

// comesBack opens what Duo sends a browser back with.
func (b *browser) comesBack(q url.Values) {
	b.t.Helper()
	b.do(http.MethodGet, "/login/duo?"+q.Encode(), nil)
	b.goesOn()
}

// Who comes back from Duo is signed in, where they wanted to go.
func TestDuoPages(t *testing.T) {
	eachAtDuo(t, func(t *testing.T, s *apptest.Site, srv *duotest.Server) {
		b := newBrowser(t, s)
		at := b.towardsDuo()
		if u, err := url.Parse(at); err != nil || u.Host != srv.Host {
			t.Error(at, err)
		}
		b.comesBack(srv.Visit(t, at))
		b.sees(http.StatusOK, `content="0;url=/my/apps"`)
	})
}

// A prompt that a stranger has begun, and sends to the person whose password they know, lets the stranger in by nothing that the person's own
// browser does: it has no such sign-in.
func TestDuoPromptIsNotRelayed(t *testing.T) {
	eachAtDuo(t, func(t *testing.T, s *apptest.Site, srv *duotest.Server) {
		stranger, person := newBrowser(t, s), newBrowser(t, s)
		q := srv.Visit(t, stranger.towardsDuo())
		person.comesBack(q)
		person.sees(http.StatusOK, "Give it to nobody else.", html.EscapeString(q.Get("duo_code")))
		own := srv.Visit(t, person.towardsDuo())
		person.comesBack(q) // while they sign in themselves
		person.sees(http.StatusOK, "Give it to nobody else.")
		stranger.do(http.MethodGet, "/login", nil)
		if strings.Contains(stranger.body, "You are signed in") || srv.Tokens != 0 {
			t.Error("the stranger is let in", srv.Tokens)
		}
		person.comesBack(own)
		person.sees(http.StatusOK, `content="0;url=/my/apps"`)
	})
}

// An answer that is not Duo's begins anew, and says only that it was wrong; where Duo does not answer the person may try again.
func TestDuoPagesRefuse(t *testing.T) {
	eachAtDuo(t, func(t *testing.T, s *apptest.Site, srv *duotest.Server) {
		b := newBrowser(t, s)
		q := srv.Visit(t, b.towardsDuo())
		q.Set("duo_code", "abcdefghijklmnopqrstuvwxyz0")
		b.comesBack(q)
		b.sees(http.StatusForbidden, "That was not right.")
		q = srv.Visit(t, b.towardsDuo())
		srv.Down = true
		b.comesBack(q)
		if !strings.Contains(b.body, "Duo does not answer.") {
			t.Fatal(b.code, b.body)
		}
		srv.Down = false
		b.comesBack(q)
		b.sees(http.StatusOK, `content="0;url=/my/apps"`)
	})
}
