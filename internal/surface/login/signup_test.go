package login_test

import (
	"context"
	"regexp"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/consent"
	"limen/internal/core/signup"
	"limen/internal/core/user"
)

var mailedCode = regexp.MustCompile(`[\w-]{43}`)

// registering lets strangers register, three of whom wait for their code: of {{eva}} and {{uta}} the browser is known by {{evaBrowser}} and {{utaBrowser}},
// and {{max}} is of an organization that has everybody approved.
func registering(t *testing.T, s *apptest.Site, name string, out map[string]string) {
	t.Helper()
	for key, value := range map[string]string{"Signup.Allowed": "true", "Signup.RequireCaptcha": "false", "ForgotUsername.Allowed": "true"} {
		s.Set(t, key, value)
	}
	if name == "SendNames" {
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Create(ctx, c, user.New{Name: "eva@" + s.Suffix, Mail: "eva+" + s.ID + "@new.example"})
			return err
		})
	}
	if name != "FinishSignUp" {
		return
	}
	for _, local := range []string{"eva", "uta", "max"} {
		mail := local + "+" + s.ID + "@new.example"
		ready, err := s.App.Signups.Prepare(t.Context(), s.App.Shell(s.ID), signup.Wish{Mail: mail, Plain: "Purple-Staple-7-Wagon", Given: "Eva", Family: "Neu"})
		if err != nil {
			t.Fatal(err)
		}
		s.Do(t, audit.UserRegister, func(ctx context.Context, c *call.Call) (err error) {
			out[local+"Browser"], err = s.App.Signups.Register(ctx, c, ready)
			return err
		})
		out[local] = s.Mailed(t, mail, mailedCode)
	}
}

// agreed has people agree to terms.
func agreed(t *testing.T, s *apptest.Site) {
	t.Helper()
	ready, err := s.App.Consents.Prepare(t.Context(), s.App.Shell(s.ID), consent.Wish{
		Enabled: new(true), Version: new("2026-11"), Texts: map[string]string{"en": "We keep your name.\n\nAnd your address.", "de": "Wir behalten Ihren Namen."},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.ConsentChange, func(ctx context.Context, c *call.Call) error { return s.App.Consents.Set(ctx, c, ready) })
}
