package login_test

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
)

// withPasskeys gives the person plain a passkey: {{signed}} is what it signed, and {{stranger}} what one did that nobody has registered.
func withPasskeys(t *testing.T, s *apptest.Site, out map[string]string) {
	out["signed"] = url.QueryEscape(signed(t, s, s.Key(t, s.Plain.ID, passkey.Passkey)))
	out["stranger"] = url.QueryEscape(signed(t, s, passkeytest.New("https://"+s.Host)))
}

// signed is what a passkey signs that a page asks for.
func signed(t *testing.T, s *apptest.Site, a *passkeytest.Authenticator) string {
	t.Helper()
	b := newBrowser(t, s)
	b.do("GET", "/login/passkey", nil)
	var q passkey.Assertion
	if err := json.Unmarshal([]byte(b.body), &q); err != nil || q.RPID != s.Host {
		t.Fatal(err, b.body)
	}
	return a.Sign(q)
}

// withKeys gives the person plain a passkey, {{handle}}, and another one that they begin to register in their session: {{made}} answers that, and {{handle2}}
// is what it will be. {{account}} is whose they are, as authenticators are told, and {{foreign}} is a key of the administrator.
func withKeys(t *testing.T, s *apptest.Site, out map[string]string) {
	out["handle"], out["foreign"] = s.Key(t, s.Plain.ID, passkey.Passkey).Handle(), s.Key(t, s.Admin.ID, passkey.Passkey).Handle()
	out["account"] = base64.RawURLEncoding.EncodeToString([]byte(s.Plain.ID))
	b := newBrowser(t, s)
	b.jar.SetCookies(b.at("/"), []*http.Cookie{{Name: ".ASPXAUTH", Value: out["session"], Path: "/"}})
	b.origin = "https://" + s.Host
	b.do("POST", "/passkeys", url.Values{"do": {"PASSKEY"}, "name": {"Tablet"}})
	hit := regexp.MustCompile(`data-key="([^"]+)"`).FindStringSubmatch(b.body)
	if hit == nil {
		t.Fatal(b.body)
	}
	var o passkey.Creation
	if err := json.Unmarshal([]byte(html.UnescapeString(hit[1])), &o); err != nil || o.RP.ID != s.Host {
		t.Fatal(err, hit[1])
	}
	a := passkeytest.New(b.origin)
	out["made"], out["handle2"] = url.QueryEscape(a.Register(o)), a.Handle()
}
