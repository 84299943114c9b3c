package login_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/user"
)

// Whoever has shown a password that was changed since gets no further: neither by the second factor, nor by a click on a
// link, nor by choosing a new password of their own.
func TestPasswordChangedMeanwhile(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		begin := func() (login.Package, login.Result) {
			p := w.start(anna.Name)
			return p, w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		}
		p, _ := begin()
		w.Now = w.Now.Add(time.Second)
		w.SetPassword(anna.ID, "Heron-Basalt-42", false)
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), w.Code())), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "password was changed meanwhile" {
			w.Fatalf("%+v", e)
		}

		w.SetPassword(anna.ID, logintest.Secret, false)
		p, _ = begin()
		mail := w.pick(&p, 1, "EMAIL")
		w.expect(w.do(p.Session, start(mail)), login.Pending)
		w.Now = w.Now.Add(time.Second)
		w.SetPassword(anna.ID, "Heron-Basalt-42", false)
		if err := w.Try(func(ctx context.Context, c *call.Call) error {
			return w.Logins.Approve(ctx, c, link(w.Sent[len(w.Sent)-1]))
		}); !errors.Is(err, login.ErrLink) {
			w.Fatal(err)
		}
		if got := w.poll(p.Session, mail.ID); got.Success != nil {
			w.Fatal("a click on a link let the old password in")
		}

		w.only("UP")
		bob := w.Add("bob", func(n *user.New) { n.ForceChange = true })
		p = w.start(bob.Name)
		got := w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NewPackage)
		w.Now = w.Now.Add(time.Second)
		w.SetPassword(bob.ID, "Heron-Basalt-42", true)
		w.expect(w.do(p.Session, answer(w.pick(got.Package, 0, "RESET"), "Chosen-By-Thief-9")), login.Failed)
	})
}

// Anybody can begin the recovery of a password, knowing the name alone. An approval, which the person gives to a sign-in of
// their own or by mistake, must not carry that on: only a code that is typed where the recovery was begun does.
func TestNoApprovalOfARecovery(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		thief := w.start(anna.Name)
		got := w.expect(w.do(thief.Session, login.Action{Do: login.DoForgot}), login.NewPackage)
		app, mail := w.pick(got.Package, 0, "OATH"), w.pick(got.Package, 0, "EMAIL")
		w.expect(w.do(thief.Session, start(app)), login.Pending)
		w.expect(w.do(thief.Session, start(mail)), login.Pending)
		if sent := w.Sent[len(w.Sent)-1]; sent.Link != "" || sent.Code == "" {
			w.Errorf("a mail for a recovery: %+v", sent)
		}

		own := w.start(anna.Name)
		w.expect(w.do(own.Session, answer(w.pick(&own, 0, "UP"), logintest.Secret), start(w.pick(&own, 1, "OATH"))), login.Pending)
		w.Write(func(ctx context.Context, c *call.Call) error {
			n, err := w.Logins.ApproveFactor(ctx, c, anna.ID, "OATH")
			if n != 1 {
				w.Errorf("%d conversations were approved, want the person's own", n)
			}
			return err
		})
		if got := w.poll(thief.Session, app.ID); got.Summary != login.Pending {
			w.Error("a recovery that somebody else began goes on:", got.Summary)
		}
		w.expect(w.poll(own.Session, w.pick(&own, 1, "OATH").ID), login.Succeeded)
		w.expect(w.do(thief.Session, answer(w.pick(got.Package, 1, "RESET"), "Chosen-By-Thief-9")), login.Failed)
	})
}
