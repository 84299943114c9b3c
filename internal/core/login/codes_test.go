package login_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/user"
)

func withoutMail(n *user.New) { n.Mail = "" }

// byCode signs in by the password and a recovery code.
func (w talk) byCode(name, code string) login.Result {
	w.Helper()
	p := w.start(name)
	if len(p.Challenges) < 2 {
		w.Fatal("no second challenge", p)
	}
	first := w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret))
	if first.Summary == login.Failed {
		return first
	}
	return w.do(p.Session, answer(w.pick(&p, 1, "RECOVERY"), code))
}

// A recovery code signs in behind the password, once, as two factors; the browser does not become known by it.
func TestRecoveryCode(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH,RECOVERY")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		codes := w.Print(anna.ID)
		got := w.expect(w.byCode(anna.Name, codes[0]), login.Succeeded).Success
		if got.Session.Level != session.High || !w.Alive(got.Auth) {
			t.Errorf("%+v", got.Session)
		}
		w.Set("Authentication.RememberDevice", "true")
		w.Client.Device = got.Device
		if p := w.start(anna.Name); len(p.Challenges) < 2 {
			t.Error("the browser stands in for the factor that was lost")
		}
		w.expect(w.byCode(anna.Name, codes[0]), login.Failed)
		w.expect(w.byCode(anna.Name, codes[1]), login.Succeeded)
	})
}

// Attack: guessing recovery codes in one conversation after the other, from many networks. The account's own counter ends it, and a code
// that is right is refused as long.
func TestRecoveryCodesGuessedAcrossConversations(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH,RECOVERY")
		w.Set("Lockout.Factor.Free", "100")
		w.Set("Lockout.Factor.Threshold", "5")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		codes := w.Print(anna.ID)
		for i := range 5 {
			w.Client.IP = w.Client.IP.Next()
			w.expect(w.byCode(anna.Name, fmt.Sprintf("AAAA-BBBB-CCCC-DDD%d", i)), login.Failed)
		}
		w.expect(w.byCode(anna.Name, codes[0]), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "too many failures" {
			t.Errorf("%+v", e)
		}
		c := w.Call()
		if err := c.Snapshot(t.Context(), func() error {
			s, err := w.Codes.Of(t.Context(), c, anna.ID)
			if s.Left != 10 {
				t.Error("a refused code was used up", s)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// Attack: two conversations give the same code at the same time, both looked at before either is counted.
func TestRecoveryCodeReplayedAtOnce(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;RECOVERY")
		anna := w.Add("anna")
		code := w.Print(anna.ID)[0]
		var requests []login.Request
		var prepared []login.Prepared
		for range 2 {
			p := w.start(anna.Name)
			w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret))
			r := login.Request{Session: p.Session, Actions: []login.Action{answer(w.pick(&p, 1, "RECOVERY"), code)}}
			done, err := w.Logins.Prepare(t.Context(), w.Call(), r)
			if err != nil {
				t.Fatal(err)
			}
			requests, prepared = append(requests, r), append(prepared, done)
		}
		w.expect(w.finish(requests[0], prepared[0]), login.Succeeded)
		w.expect(w.finish(requests[1], prepared[1]), login.Failed)
	})
}

// Attack: a recovery code as a downgrade. It counts nowhere that does not name it: not in place of a stronger factor, not in place of the
// password, and not as the only proof before a new password is chosen.
func TestRecoveryCodeIsNoDowngrade(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		code := w.Print(anna.ID)[0]
		w.only("UP;OATH,SMS")
		w.Set("Authentication.RequireSecondFactor", "true")
		p := w.start(anna.Name)
		for _, round := range p.Challenges {
			for _, ch := range round {
				if ch.Name == "RECOVERY" {
					t.Error("offered where the settings do not name it")
				}
			}
		}
		w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret))
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), code)), login.Failed)
		if _, err := w.Settings.Prepare(t.Context(), w.Call(), setting.Set("Authentication.Challenges", "RECOVERY,UP;OATH")); err == nil {
			t.Error("a code alone may begin a sign-in")
		}
		w.Write(func(ctx context.Context, c *call.Call) error {
			_, err := w.Profiles.Save(ctx, c, profile.Profile{Name: "Code first", Challenges: [][]string{{"RECOVERY"}, {"UP"}}})
			if !errors.Is(err, profile.ErrMechanism) {
				t.Error("a profile may begin with a code:", err)
			}
			return nil
		})
		recovers := w.Use(profile.Profile{Name: "Reset by code"}, "UP", "RECOVERY")
		w.Set("Authentication.Profile", "")
		w.Set("Authentication.RecoveryProfile", recovers.ID)
		if p := w.start(anna.Name); p.AllowForgot {
			t.Error("a code alone may replace the password")
		}
	})
}

// Recovery codes are no way in that lasts: what would leave an administrator nothing else counts as shutting them out.
func TestRecoveryCodesDoNotLast(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH,RECOVERY")
		w.Set("Authentication.RequireSecondFactor", "true")
		anna := w.Add("anna", withoutMail)
		w.Print(anna.ID)
		admits := func() (ok bool) {
			c := w.Call()
			if err := c.Snapshot(t.Context(), func() (err error) { ok, err = w.Logins.Admits(t.Context(), c, anna); return err }); err != nil {
				t.Fatal(err)
			}
			return ok
		}
		if admits() {
			t.Error("codes count as a way in")
		}
		w.Enroll(anna.ID)
		if !admits() {
			t.Error("an authenticator does not")
		}
	})
}

// Codes are made after a recent proof alone, and for who has something that they stand in for.
func TestMakeRecoveryCodes(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH,RECOVERY")
		anna := w.Add("anna", withoutMail)
		in := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		w.Sessions.Proof = func(context.Context, *call.Call) (time.Duration, error) { return 15 * time.Minute, nil }
		proved := w.Now
		draw := func() error {
			c := w.Call()
			c.Caller = &call.Caller{User: anna.ID, Session: in.Session.ID, Means: call.BySession, Proved: proved}
			n, err := w.Logins.DrawCodes(t.Context(), c, w.Get(anna.ID))
			if err != nil {
				return err
			}
			return w.Try(func(ctx context.Context, tx *call.Call) error {
				tx.Caller = c.Caller
				return w.Logins.PutCodes(ctx, tx, w.Get(anna.ID), n)
			})
		}
		if err := draw(); !errors.Is(err, recovery.ErrAlone) {
			t.Error("codes for who has nothing else:", err)
		}
		w.Enroll(anna.ID)
		w.Told = nil
		if err := draw(); err != nil {
			t.Fatal(err)
		}
		if len(w.Told) != 1 || w.Told[0].What != login.CodesMade {
			t.Error("told:", w.Told)
		}
		proved = w.Now.Add(-time.Hour)
		if err := draw(); !errors.Is(err, session.ErrStale) {
			t.Error("codes long after a proof:", err)
		}
	})
}
