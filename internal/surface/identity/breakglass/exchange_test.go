package breakglass_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
)

// {{ready}} is a system administrator who has what an account for an emergency shows.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		ready := s.Person(t, "ready")
		s.Settle(t, ready.ID, "", "sysadmin")
		if err := s.App.Logins.Ensure(t.Context(), s.ID); err != nil {
			t.Fatal(err)
		}
		s.Do(t, audit.RecoveryCodes, func(ctx context.Context, c *call.Call) error {
			n, err := s.App.Logins.Codes.Draw(ctx, c, ready.ID)
			if err == nil {
				err = s.App.Logins.Codes.Put(ctx, c, ready.ID, n)
			}
			if err == nil && name == "GetAccounts" {
				err = s.App.BreakGlass.Mark(ctx, c, ready.ID)
			}
			return err
		})
		return map[string]string{"ready": ready.ID, "readyName": ready.Name}
	})
}
