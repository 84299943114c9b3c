package login_test

import (
	"context"
	"encoding/json"
	"net/url"
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
