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
