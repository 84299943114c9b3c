package users_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/user"
)

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata", before) }

// before makes what some exchanges are about.
func before(t *testing.T, s *apptest.Site, name string) map[string]string {
	out := map[string]string{}
	switch {
	case strings.Contains(name, "Verification") && !strings.Contains(name, "OTP"), strings.Contains(name, "MagicLink"):
		out["asked"], out["token"] = asked(t, s)
		out["waiting"] = unproved(t, s, "carl", nil)
	case name == "Signup":
		s.Do(t, audit.AttributesSchema, func(ctx context.Context, c *call.Call) error {
			return attribute.Attributes{}.Replace(ctx, c, []attribute.Column{{Name: "Cost_Centre", Type: attribute.Text}, {Name: "Team_Colour", Type: attribute.Text, Editable: true}})
		})
	}
	return out
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
