package registration_test

import (
	"context"
	"net/url"
	"regexp"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/signup"
	"limen/internal/core/workspace"
)

var secret = regexp.MustCompile(`[\w-]{43}`)

// Sued has proved sued.example, and Nord demands passwords of 16 characters. Nord's boss has invited, with Nord's role Helpers, {{neu}} by the
// link {{neuLink}}, and sven by the code {{svenCode}}. eva@new.example waits to be confirmed by {{evaCode}} and in the browser {{evaBrowser}}, and
// uta@new.example by {{utaCode}}.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		s.Prove(t, "Sued", "sued.example")
		if name == "RegisterOff" {
			return vars
		}
		open(t, s)
		s.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.Demands.Demand(ctx, c, vars["nord"], demand.Rule{MinLength: 16})
			return err
		})
		neu := invited(t, s, vars, "neu@nord.example")
		at, err := url.Parse(neu.Link)
		if err != nil {
			t.Fatal(err)
		}
		vars["neu"], vars["neuLink"] = neu.Person.ID, at.Query().Get("token")
		vars["svenCode"] = invited(t, s, vars, "sven@example.com").Code
		if name != "Register" {
			vars["evaCode"], vars["evaBrowser"] = waiting(t, s, "eva@new.example")
			vars["utaCode"], _ = waiting(t, s, "uta@new.example")
		}
		return vars
	})
}

// open lets strangers register.
func open(t *testing.T, s *apptest.Site) {
	t.Helper()
	s.Set(t, "Signup.Allowed", "true")
	s.Set(t, "Signup.RequireCaptcha", "false")
}

func invited(t *testing.T, s *apptest.Site, vars map[string]string, mail string) (out workspace.Sent) {
	t.Helper()
	s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) (err error) {
		c.Caller.User = vars["boss"]
		out, err = s.App.Workspaces.Invite(ctx, c, vars["nord"], workspace.Invitation{Mail: mail, Roles: []string{vars["helpers"]}, Lasts: time.Hour})
		return err
	})
	return out
}

// waiting registers a stranger, and gives the code of the mail, and what the browser keeps.
func waiting(t *testing.T, s *apptest.Site, mail string) (code, browser string) {
	t.Helper()
	ready, err := s.App.Signups.Prepare(t.Context(), s.App.Shell(s.ID), signup.Wish{Mail: mail, Plain: apptest.Password, Given: "Eva", Family: "Neu"})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.UserRegister, func(ctx context.Context, c *call.Call) (err error) {
		browser, err = s.App.Signups.Register(ctx, c, ready)
		return err
	})
	return s.Mailed(t, mail, secret), browser
}
