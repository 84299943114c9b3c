package account_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
)

// A session that was stolen sets up no second factor and removes none, and a code that is used up opens nothing. What stood in for the
// second factor stands in no more.
func TestFactorsAreChangedShortlyAfterAProof(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		const begin, confirm, remove = "/uauth/users/mfa/initialization", "/uauth/users/mfa/confirmation", "/uauth/users/mfa"
		ask := func(token, method, path string, body any, want int) (out struct{ Secret, BackupCode, Reason string }) {
			t.Helper()
			status, answer := s.Call(t, token, method, path, body)
			if status != want {
				t.Fatalf("%s %s answers %d, want %d: %s", method, path, status, want, answer)
			}
			if len(answer) > 0 && json.Unmarshal(answer, &out) != nil {
				t.Fatalf("%s", answer)
			}
			return out
		}
		old := aged(t, s, vars["mia"], 16*time.Minute)
		for _, x := range []struct{ method, path string }{{http.MethodPost, begin}, {http.MethodPost, confirm}, {http.MethodDelete, remove}} {
			if got := ask(old, x.method, x.path, map[string]string{"verificationCode": "123456"}, 403); got.Reason != "auth.stale" {
				t.Errorf("%s %s of a stale session: %s", x.method, x.path, got.Reason)
			}
		}
		device := "a-device-of-mia-0001"
		s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) error {
			return workspace.KeepDevice(ctx, c, vars["mia"], device)
		})
		secret := ask(vars["miaToken"], http.MethodPost, begin, nil, 200).Secret
		code := map[string]string{"verificationCode": at(t, secret, 0)}
		backup := ask(vars["miaToken"], http.MethodPost, confirm, code, 200).BackupCode
		if known(t, s, vars["mia"], device) {
			t.Error("a device stands in for a factor that was not shown on it")
		}
		s.Set(t, "Authentication.Challenges", "UP;OATH")
		step := struct{ Token string }{}
		_, answer := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", map[string]string{"username": vars["miaName"], "password": apptest.Password})
		if json.Unmarshal(answer, &step) != nil || step.Token == "" {
			t.Fatalf("%s", answer)
		}
		if status, answer := s.Call(t, step.Token, http.MethodPost, "/uauth/auth/login/user/mfa/verification?mfaType="+url.QueryEscape("TOTP_AUTHENTICATOR"), code); status != 401 {
			t.Errorf("the code of the set-up signs in: %d %s", status, answer)
		}
		ask(vars["miaToken"], http.MethodDelete, remove, map[string]string{"backupCode": backup}, 200)
	})
}

// aged is a token of a session that was opened some time ago.
func aged(t *testing.T, s *apptest.Site, userID string, ago time.Duration) string {
	t.Helper()
	var made workspace.Unsigned
	s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) error {
		then := *c
		then.Now = c.Now.Add(-ago)
		_, in, err := s.App.Sessions.Create(ctx, &then, session.New{User: userID, Idle: time.Hour})
		if err != nil {
			return err
		}
		made, err = s.App.WorkspaceTokens.Make(ctx, c, workspace.TypeUser, workspace.Claims{Subject: userID, Session: in.ID}, 0)
		return err
	})
	token, err := made.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// known says whether a device stands in for somebody's second factor.
func known(t *testing.T, s *apptest.Site, userID, device string) (is bool) {
	t.Helper()
	c := s.App.Shell(s.ID)
	if err := c.Snapshot(t.Context(), func() (err error) {
		is, err = workspace.KnownDevice(t.Context(), c, userID, device, time.Time{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return is
}

// Codes by mail are set up by showing that the address is one's own: with the code in the mail's link, and with nobody else's.
func TestCodesByMailAreSetUp(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		for _, who := range []string{"mia", "sven"} {
			unproved(t, s, vars[who], who+".unproved@"+s.Suffix)
			if status, answer := s.Call(t, vars[who+"Token"], http.MethodPost, "/uauth/users/mfa/initialization", map[string]string{"mfaType": "EMAIL"}); status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
		}
		code := s.Mailed(t, "mia.unproved@"+s.Suffix, regexp.MustCompile(`[\w-]{43}`))
		confirm := func(who string) int {
			status, _ := s.Call(t, vars[who+"Token"], http.MethodPost, "/uauth/users/mfa/confirmation", map[string]string{"mfaType": "EMAIL", "verificationCode": code})
			return status
		}
		methods := func() string {
			_, answer := s.Call(t, vars["miaToken"], http.MethodGet, "/uauth/users/my-account", nil)
			var in struct{ MfaMethods []string }
			_ = json.Unmarshal(answer, &in)
			return strings.Join(in.MfaMethods, ",")
		}
		if got := confirm("sven"); got != http.StatusBadRequest || methods() != "" {
			t.Error("another one's code:", got, methods())
		}
		if got := confirm("mia"); got != http.StatusOK || methods() != "EMAIL" {
			t.Error("one's own code:", got, methods())
		}
		if got := confirm("mia"); got != http.StatusBadRequest {
			t.Error("the code again:", got)
		}
	})
}

// unproved gives somebody a mail address of which it is yet to be shown that it is theirs.
func unproved(t *testing.T, s *apptest.Site, userID, mail string) {
	t.Helper()
	s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.People.Change(ctx, c, userID, user.Change{Mail: &mail, MailUnproved: new(true)})
		return err
	})
}
