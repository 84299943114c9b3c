package resets_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/number"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
)

// Nord demands passwords of 16 characters, and has proved example.com; {{plain}} belongs to it without a password, and sven of Sued is a guest.
// The code of mia's reset is {{code}}.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		s.Prove(t, "Nord", "example.com")
		vars["plainId"] = s.Number(t, number.User, s.Plain.ID)
		org := vars["nord"]
		s.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
			if _, err := s.App.People.Change(ctx, c, s.Plain.ID, user.Change{Org: &org}); err != nil {
				return err
			}
			_, err := s.App.Demands.Demand(ctx, c, org, demand.Rule{MinLength: 16})
			return err
		})
		if name == "SendReset" {
			guest(t, s, vars)
		}
		if name == "ConfirmReset" {
			vars["code"] = asked(t, s, vars["mia"])
		}
		return vars
	})
}

// guest lets sven join Nord.
func guest(t *testing.T, s *apptest.Site, vars map[string]string) {
	t.Helper()
	var code string
	s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) error {
		out, err := s.App.Workspaces.Invite(ctx, c, vars["nord"], workspace.Invitation{Mail: "sven@example.com", Lasts: time.Hour})
		code = out.Code
		return err
	})
	s.Do(t, audit.WorkspaceMember, func(ctx context.Context, c *call.Call) error {
		c.Caller.User = vars["sven"]
		_, err := s.App.Workspaces.Accept(ctx, c, code)
		return err
	})
}

var secret = regexp.MustCompile(`[\w-]{43}`)

// asked gives the code of a reset, from the mail.
func asked(t *testing.T, s *apptest.Site, userID string) string {
	t.Helper()
	var mail string
	s.Do(t, audit.ResetStart, func(ctx context.Context, c *call.Call) error {
		u, err := s.App.People.ByID(ctx, c, userID)
		if err != nil {
			return err
		}
		mail = u.Mail
		return s.App.Resets.Send(ctx, c, u)
	})
	return s.Mailed(t, mail, secret)
}
