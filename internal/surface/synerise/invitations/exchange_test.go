package invitations_test

import (
	"context"
	"net/url"
	"strconv"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/workspace"
)

// Sued has proved sued.example. Nord's boss has invited, with Nord's role Helpers: {{neu}}, who has no account, by the link {{neuLink}}, and
// sven, who belongs to Sued, by the code {{svenCode}}. The numbers of the invitations are {{neuInvitationId}} and {{svenInvitationId}}; that of
// one of Sued is {{suedInvitationId}}. The time of Sued's invitation {{overCode}} of boss is over.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		s.Prove(t, "Sued", "sued.example")
		neu := invited(t, s, vars["boss"], vars["nord"], "neu@nord.example", vars["helpers"])
		at, err := url.Parse(neu.Link)
		if err != nil {
			t.Fatal(err)
		}
		vars["neu"], vars["neuLink"], vars["neuInvitationId"] = neu.Person.ID, at.Query().Get("token"), strconv.FormatInt(neu.Number, 10)
		sven := invited(t, s, vars["boss"], vars["nord"], "sven@example.com", vars["helpers"])
		vars["svenCode"], vars["svenInvitationId"] = sven.Code, strconv.FormatInt(sven.Number, 10)
		sued := invited(t, s, vars["sven"], vars["sued"], "mia@example.com")
		vars["suedInvitationId"] = strconv.FormatInt(sued.Number, 10)
		vars["overCode"] = over(t, s, vars["sven"], vars["sued"], "boss@example.com")
		return vars
	})
}

// over is the code of an invitation whose time is over.
func over(t *testing.T, s *apptest.Site, by, at, mail string) (code string) {
	t.Helper()
	s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) error {
		c.Caller.User = by
		out, err := s.App.Workspaces.Invite(ctx, c, at, workspace.Invitation{Mail: mail, Lasts: -time.Minute})
		code = out.Code
		return err
	})
	return code
}

// invited invites somebody to a workspace as one of its administrators.
func invited(t *testing.T, s *apptest.Site, by, at, mail string, roles ...string) (out workspace.Sent) {
	t.Helper()
	s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) (err error) {
		c.Caller.User = by
		out, err = s.App.Workspaces.Invite(ctx, c, at, workspace.Invitation{Mail: mail, Roles: roles, Lasts: time.Hour})
		return err
	})
	return out
}
