package login_test

import (
	"net/url"
	"testing"

	"limen/internal/app/apptest"
)

// People whom an application sends are asked in the first of its languages that there is (ui_locales), from page to page; without one, in
// their browser's.
func TestApplicationsSayWhichLanguage(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		at := shop(t, s)
		for ask, want := range map[string]string{"xx de-CH fr": "de", "ja": "ja", "xx": "en", "": "en", `"><script> it`: "it"} {
			b := newBrowser(t, s)
			page := b.do("GET", at+"&ui_locales="+url.QueryEscape(ask), nil)
			to := target(t, page, "/login")
			b.do("GET", page, nil)
			b.sees(200, `<html lang="`+want+`"`)
			b.do("POST", "/login", url.Values{"user": {""}, "cloudRedirect": to["cloudRedirect"]}) // nothing was entered
			b.sees(b.code, `<html lang="`+want+`"`)
			next := b.do("POST", "/login", url.Values{"user": {s.Plain.Name}, "cloudRedirect": to["cloudRedirect"]})
			b.do("GET", next, nil)
			b.sees(200, `<html lang="`+want+`"`)
		}
		b := newBrowser(t, s)
		b.do("GET", "/OAuth2/Authorize/shop?client_id=x&ui_locales=fr&redirect_uri=https%3A%2F%2Fevil.example.com", nil)
		b.sees(b.code, `<html lang="fr"`)
		b.signedIn(s.Plain.ID, "UP")
		b.do("GET", b.do("GET", "/OAuth2/EndSession/shop?ui_locales=nl", nil), nil)
		b.sees(200, `<html lang="nl"`)
	})
}
