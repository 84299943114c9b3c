package login_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
)

// withPasskeys gives the person plain a passkey: {{signed}} is what it signed, and {{stranger}} what one did that nobody has registered.
func withPasskeys(t *testing.T, s *apptest.Site, out map[string]string) {
	out["signed"] = url.QueryEscape(signed(t, s, registered(t, s, s.Plain.ID)))
	out["stranger"] = url.QueryEscape(signed(t, s, passkeytest.New("https://"+s.Host)))
}

// registered gives somebody a passkey.
func registered(t *testing.T, s *apptest.Site, id string) *passkeytest.Authenticator {
	t.Helper()
	a := passkeytest.New("https://" + s.Host)
	a.Copied = true
	var o passkey.Creation
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		at, err := s.App.Passkeys.At(ctx, c, a.Origin)
		if err == nil {
			o, err = s.App.Passkeys.Begin(ctx, c, factor.Person{ID: id}, passkey.Registration{Name: "Phone", Kind: passkey.Passkey, Site: at})
		}
		return err
	})
	r, err := s.App.Passkeys.Check(t.Context(), s.App.Shell(s.ID), id, a.Register(o))
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.Passkeys.Finish(ctx, c, id, r)
		return err
	})
	return a
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
	out["handle"], out["foreign"] = registered(t, s, s.Plain.ID).Handle(), registered(t, s, s.Admin.ID).Handle()
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
