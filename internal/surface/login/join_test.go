package login_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/workspace"
)

// asGuest has the boss of Nord invite sven, who has an account, and lena, who has one as well: {{svenCode}} and {{lenaCode}} are the codes of the
// mails, {{svenSession}} and {{lenaSession}} their sessions.
func asGuest(t *testing.T, s *apptest.Site, out map[string]string) {
	t.Helper()
	vars := apptest.Workspaces(t, s, "")
	lena := showed(t, s, "lena", "lena@example.com")
	out["sven"], out["lena"], out["nord"] = vars["sven"], lena.ID, vars["nord"]
	for name, mail := range map[string]string{"sven": "sven@example.com", "lena": "lena@example.com"} {
		out[name+"Session"] = s.SignedIn(t, out[name])
		s.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) error {
			c.Caller.User = vars["boss"]
			sent, err := s.App.Workspaces.Invite(ctx, c, vars["nord"], workspace.Invitation{Mail: mail, Lasts: time.Hour})
			out[name+"Code"] = sent.Code
			return err
		})
	}
}

// joined says whether somebody is in a workspace.
func joined(t *testing.T, s *apptest.Site, at, userID string) bool {
	t.Helper()
	c := s.App.Shell(s.ID)
	var p workspace.Person
	err := c.Snapshot(t.Context(), func() (err error) {
		p, err = s.App.Workspaces.GetPerson(t.Context(), c, at, userID)
		return err
	})
	return err == nil && p.State == workspace.Joined
}

// A guest signs in on the way, sees which workspace it is, and decides. Nobody else joins by the code, and it works once.
func TestGuestJoins(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		v := map[string]string{}
		asGuest(t, s, v)
		at := "/join?" + url.Values{"code": {v["svenCode"]}}.Encode()
		b, other := newBrowser(t, s), newBrowser(t, s)
		if to := b.do("GET", at, nil); target(t, to, "/login").Get("cloudRedirect") != at {
			t.Fatal("who is not signed in is led to", to)
		}
		other.signedIn(v["lena"], "UP")
		for _, do := range []string{"", "join", "decline"} {
			other.do("POST", "/join", url.Values{"code": {v["svenCode"]}, "do": {do}})
			other.sees(403, "for another account", "Code of the invitation")
		}
		b.signedIn(v["sven"], "UP")
		b.do("GET", at, nil)
		b.sees(200, `value="`+v["svenCode"]+`"`)
		b.do("POST", "/join", url.Values{"code": {" " + v["svenCode"] + " "}})
		b.sees(200, "Join Nord?")
		if joined(t, s, v["nord"], v["sven"]) {
			t.Error("looking joins already")
		}
		b.do("POST", "/join", url.Values{"code": {b.field("code")}, "do": {"join"}})
		b.sees(200, "You have joined Nord")
		if !joined(t, s, v["nord"], v["sven"]) {
			t.Error("they have not joined")
		}
		for _, do := range []string{"", "join", "decline"} {
			b.do("POST", "/join", url.Values{"code": {v["svenCode"]}, "do": {do}})
			b.sees(404, "This invitation is not valid", "Code of the invitation")
		}
		other.do("POST", "/join", url.Values{"code": {v["lenaCode"]}, "do": {"decline"}})
		other.sees(200, "You have declined")
		other.do("POST", "/join", url.Values{"code": {v["lenaCode"]}, "do": {"join"}})
		other.sees(404, "This invitation is not valid")
		if joined(t, s, v["nord"], v["lena"]) {
			t.Error("who declined has joined")
		}
	})
}
