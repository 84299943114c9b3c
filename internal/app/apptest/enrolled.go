package apptest

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	"limen/internal/wire/twilio"
)

// Key gives somebody a key of a kind that passkey names, for pages of the tenant's host.
func (s *Site) Key(t testing.TB, userID, kind string) *passkeytest.Authenticator {
	t.Helper()
	a := passkeytest.New("https://" + s.Host)
	a.Copied, a.Platform = kind == passkey.Passkey, kind == passkey.OnDevice
	var o passkey.Creation
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		at, err := s.App.Passkeys.At(ctx, c, a.Origin)
		if err == nil {
			o, err = s.App.Passkeys.Begin(ctx, c, factor.Person{ID: userID}, passkey.Registration{Name: "Phone", Kind: kind, Site: at})
		}
		return err
	})
	r, err := s.App.Passkeys.Check(t.Context(), s.App.Shell(s.ID), userID, a.Register(o))
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.Passkeys.Finish(ctx, c, userID, r)
		return err
	})
	return a
}

const twilioToken = "the token"

// Telephones has the tenant send texts and call people: into the tray.
func (s *Site) Telephones(t testing.TB) {
	t.Helper()
	for _, x := range [][2]string{
		{"Twilio.AccountSid", "AC0123456789abcdef0123456789abcdef"}, {"Twilio.AuthToken", twilioToken}, {"Twilio.FromNumber", "+12065550100"},
		{"Twilio.UseForVoice", "true"}, {"Twilio.Enabled", "true"},
	} {
		s.Set(t, x[0], x[1])
	}
}

var rings = regexp.MustCompile(`^https://([^/]+)(/.*)$`)

// Press presses the key on a telephone that rings.
func (s *Site) Press(t testing.TB, mobile string) {
	t.Helper()
	at := s.Mailed(t, mobile, rings)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"Digits": {"1"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+u.RequestURI(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = u.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(twilio.SignatureHeader, twilio.Sign(twilioToken, at, form))
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}
