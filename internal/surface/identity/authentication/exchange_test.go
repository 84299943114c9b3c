package authentication_test

import (
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/upstream"
)

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata", prepare) }

// prepare gives the exchanges the administrator's password, and the first label of the tenant's host.
// For those of identity providers there is a double of Google at {{provider}}; {{promised}} resumes the sign-in of plain, and {{state}} is that
// of one that has begun.
func prepare(t *testing.T, s *apptest.Site, name string) map[string]string {
	label, _, _ := strings.Cut(s.Host, ".")
	out := map[string]string{"password": apptest.Password, "label": label}
	switch name {
	case "ForgotUsername", "StartForgotUsername", "AdvanceForgotUsername":
		s.Set(t, "ForgotUsername.Allowed", "true")
		out["mail"] = s.Plain.Mail
	case "StartSocialAuthentication", "ResumeFromExtIdpAuth":
		p := s.Provider(t, upstream.Google)
		at, _ := s.AtProvider(t, upstream.Begin{Provider: upstream.Google})
		_, answer := p.Visit(at)
		out["provider"], out["state"], out["promised"] = p.URL, answer.Get("state"), s.Promised(t, s.Plain.ID, upstream.Google)
	}
	return out
}
