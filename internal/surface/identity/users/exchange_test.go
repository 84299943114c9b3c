package users_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/consent"
	"limen/internal/core/factor"
	"limen/internal/core/user"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata", before) }

// before makes what some exchanges are about.
func before(t *testing.T, s *apptest.Site, name string) map[string]string {
	out := map[string]string{}
	switch {
	case strings.Contains(name, "Verification") && !strings.Contains(name, "OTP"), strings.Contains(name, "MagicLink"):
		out["asked"], out["token"] = asked(t, s)
		out["waiting"] = unproved(t, s, "carl", nil)
	case name == "GetUserConsents":
		s.Set(t, "Signup.Allowed", "true")
		s.Set(t, "Signup.RequireCaptcha", "false")
	case name == "WithdrawConsent":
		terms(t, s, "1", "We keep your name.")
		s.Do(t, audit.ConsentGive, func(ctx context.Context, c *call.Call) error {
			c.Client.UserAgent = "test"
			return s.App.Consents.Give(ctx, c, user.User{ID: s.Plain.ID, Name: s.Plain.Name}, consent.SignIn, factor.Terms{Version: "1", Language: "en"})
		})
	case name == "Signup":
		s.Do(t, audit.AttributesSchema, func(ctx context.Context, c *call.Call) error {
			return attribute.Attributes{}.Replace(ctx, c, []attribute.Column{{Name: "Cost_Centre", Type: attribute.Text}, {Name: "Team_Colour", Type: attribute.Text, Editable: true}})
		})
	}
	return out
}

// terms has people agree to a text.
func terms(t *testing.T, s *apptest.Site, version, text string) {
	t.Helper()
	code, out := s.Call(t, s.TokenOf(t, "admin"), http.MethodPost, "/ConsentManagement/UpdateConsentManagementConfiguration", map[string]any{
		"ConsentManagementEnabled": true, "Version": version, "Documents": []any{map[string]any{"Language": "en", "Text": text}},
	})
	if code != http.StatusOK || !strings.Contains(string(out), `"success":true`) {
		t.Fatal(string(out))
	}
}

// unproved makes somebody whose mail address is to be shown.
func unproved(t *testing.T, s *apptest.Site, local string, then func(ctx context.Context, c *call.Call, u user.User) error) (id string) {
	t.Helper()
	s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
		u, err := s.App.People.Create(ctx, c, user.New{Name: local + "@" + s.Suffix, Mail: local + "+" + s.ID + "@example.com", MailUnproved: true})
		if id = u.ID; err == nil && then != nil {
			c.Tenant.Host = s.Host
			err = then(ctx, c, u)
		}
		return err
	})
	return id
}

var mailedToken = regexp.MustCompile(`https?://\S+/address\?token=(\S+)`)

// asked makes somebody who is to show that a mail address is theirs, and gives the token of the link in the mail.
func asked(t *testing.T, s *apptest.Site) (id, token string) {
	t.Helper()
	id = unproved(t, s, "bert", s.App.Addresses.Ask)
	hit := mailedToken.FindStringSubmatch(mail(t, s.Server, "bert+"+s.ID+"@example.com", "token=").Text)
	return id, hit[1]
}
