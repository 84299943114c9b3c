package resets_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/profile"
	"limen/internal/core/reset"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

const fresh = "Purple-Staple-7-Wagon"

// finish replaces a password at some time from now.
func finish(t *testing.T, s *apptest.Site, code string, ahead time.Duration) (err error) {
	t.Helper()
	c := s.App.Shell(s.ID)
	c.Now = c.Now.Add(ahead)
	ready, err := s.App.Resets.Prepare(t.Context(), c, code, fresh)
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.ResetFinish, func(ctx context.Context, c *call.Call) error {
		c.Now = c.Now.Add(ahead)
		_, err = s.App.Resets.Finish(ctx, c, code, ready)
		return nil
	})
	return err
}

func change(t *testing.T, s *apptest.Site, userID string, ch user.Change) {
	t.Helper()
	s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.People.Change(ctx, c, userID, ch)
		return err
	})
}

// A code is good for an hour, for who was asked for, and at the address that it went to.
func TestCodesEnd(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		code := asked(t, s, vars["mia"])
		if err := finish(t, s, code, reset.Lasts); !errors.Is(err, reset.ErrCode) {
			t.Error("after an hour:", err)
		}
		change(t, s, vars["mia"], user.Change{State: &user.State{Locked: true}})
		if err := finish(t, s, code, 0); !errors.Is(err, reset.ErrCode) {
			t.Error("of somebody who is locked:", err)
		}
		change(t, s, vars["mia"], user.Change{State: &user.State{}})
		other := "mia.other@example.com"
		change(t, s, vars["mia"], user.Change{Mail: &other})
		if err := finish(t, s, code, 0); !errors.Is(err, reset.ErrCode) {
			t.Error("with another address:", err)
		}
		code = asked(t, s, vars["mia"])
		session := s.SignedIn(t, vars["mia"])
		if err := finish(t, s, code, 0); err != nil {
			t.Error(err)
		}
		if who := alive(t, s, session); who {
			t.Error("a session has outlived the password")
		}
		if err := finish(t, s, code, 0); !errors.Is(err, reset.ErrCode) {
			t.Error("again:", err)
		}
		signIn := map[string]any{"username": other, "password": fresh}
		if status, answer := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", signIn); status != http.StatusOK {
			t.Error("the new password does not sign in:", string(answer))
		}
	})
}

func alive(t *testing.T, s *apptest.Site, token string) bool {
	t.Helper()
	_, _, err := s.App.Sessions.Identify(t.Context(), s.App.Shell(s.ID), token)
	if err != nil && !errors.Is(err, session.ErrNone) {
		t.Fatal(err)
	}
	return err == nil
}

// Whose policies ask for more than a mail, or for none at all, gets no code; the answer does not tell.
func TestPoliciesDecide(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		ask := func() []user.User {
			var got []user.User
			s.Do(t, audit.ResetStart, func(ctx context.Context, c *call.Call) (err error) {
				got, err = s.App.Resets.Ask(ctx, c, "mia@example.com")
				return err
			})
			return got
		}
		if got := ask(); len(got) != 1 {
			t.Fatal("nobody was sent a code")
		}
		var id string
		s.Do(t, audit.ProfileChange, func(ctx context.Context, c *call.Call) error {
			p, err := s.App.Profiles.Save(ctx, c, profile.Profile{Name: "Two proofs", Challenges: [][]string{{factor.Email}, {factor.OATH}}})
			id = p.ID
			return err
		})
		s.Set(t, "Authentication.RecoveryProfile", id)
		if got := ask(); len(got) != 0 {
			t.Error("a mail alone replaced what two proofs were asked for")
		}
	})
}

// Who asks often is held back, whether there is somebody of that address or not, and by nothing that keeps others from asking.
func TestAskingIsThrottled(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		now := time.Now()
		ask := func(mail string) (err error) {
			s.Do(t, audit.ResetStart, func(ctx context.Context, c *call.Call) error {
				c.Now = now
				_, err = s.App.Resets.Ask(ctx, c, mail)
				return nil
			})
			return err
		}
		for _, mail := range []string{"mia@example.com", "nobody@example.com"} {
			n := 0
			for ask(mail) == nil && n < 10 {
				n++
			}
			if n != 4 {
				t.Errorf("%s asks %d times", mail, n)
			}
			if err := ask(mail); !errors.Is(err, reset.ErrWait) {
				t.Error(err)
			}
		}
		if err := ask("reader@example.com"); err != nil {
			t.Error(err)
		}
	})
}

// codes waits for so many codes that were mailed to somebody.
func codes(t *testing.T, s *apptest.Site, mail string, n int) (out []string) {
	t.Helper()
	for range 2000 {
		out = nil
		for _, m := range s.App.Tray.To(mail) {
			if found := secret.FindString(m.Text); m.Tenant == s.ID && found != "" {
				out = append(out, found)
			}
		}
		if len(out) == n {
			return out
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%d codes were mailed to %s, want %d", len(out), mail, n)
	return nil
}

// A stranger who asks for codes puts none out of use: they stand beside each other until one is used, and while there are several no further
// one is sent.
func TestStrangersKillNoCodes(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		mail := "mia.asks@" + s.Suffix
		change(t, s, vars["mia"], user.Change{Mail: &mail})
		ask := func(ahead time.Duration) int {
			var got []user.User
			s.Do(t, audit.ResetStart, func(ctx context.Context, c *call.Call) (err error) {
				c.Now = c.Now.Add(ahead)
				got, err = s.App.Resets.Ask(ctx, c, mail)
				return err
			})
			return len(got)
		}
		if ask(0) != 1 {
			t.Fatal("nobody was sent a code")
		}
		own := codes(t, s, mail, 1)[0]
		for range 4 {
			asked(t, s, vars["mia"])
		}
		all := codes(t, s, mail, 5)
		if ask(0) != 0 {
			t.Error("a sixth code was sent")
		}
		if err := finish(t, s, own, 0); err != nil {
			t.Error("the first code:", err)
		}
		for _, code := range all {
			if err := finish(t, s, code, 0); !errors.Is(err, reset.ErrCode) {
				t.Error("a code after another was used:", err)
			}
		}
		if ask(0) != 1 {
			t.Error("nothing is sent after a code was used")
		}
	})
}
