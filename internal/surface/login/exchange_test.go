package login_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
)

// TestExchanges plays the golden exchanges; {{token}} is that of an invitation of the person plain, and {{older}} that of
// the invitation before it.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, _ string) map[string]string {
		return map[string]string{"older": invited(t, s), "token": invited(t, s)}
	})
}

// invited gives the token of a new invitation of the person plain.
func invited(t *testing.T, s *apptest.Site) (token string) {
	t.Helper()
	s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) error {
		u, err := s.App.People.ByID(ctx, c, s.Plain.ID)
		if err != nil {
			return err
		}
		link, err := s.App.Invites.Make(ctx, c, u, time.Hour)
		if err != nil {
			return err
		}
		at, err := url.Parse(link)
		token = at.Query().Get("token")
		return err
	})
	return token
}
