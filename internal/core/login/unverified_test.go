package login_test

import (
	"context"
	"slices"
	"testing"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/user"
)

// Whose mail address is still to be shown opens no session where that is wanted, by whatever way: a recovery by text message is none around it.
func TestUnverified(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		var asked []string
		w.Logins.Unverified = func(_ context.Context, _ *call.Call, u user.User) (bool, error) {
			asked = append(asked, u.Name)
			return true, nil
		}
		anna := w.Add("anna", func(n *user.New) { n.MailUnproved, n.Mobile = true, "+12065550123" })
		if got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed); got.Message == "" {
			w.Error("nobody tells them why")
		}
		p := w.start(anna.Name)
		got := w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.NewPackage)
		sms, reset := w.pick(got.Package, 0, "SMS"), w.pick(got.Package, 1, "RESET")
		w.expect(w.do(p.Session, start(sms)), login.Pending)
		w.expect(w.do(p.Session, answer(sms, w.Sent[0].Code)), login.NextDone)
		w.expect(w.do(p.Session, answer(reset, "Lemon-Otter-42")), login.Failed)
		if !slices.Equal(asked, []string{anna.Name, anna.Name}) {
			w.Error(asked)
		}
		bert := w.Add("bert")
		w.expect(w.signIn(bert.Name, logintest.Secret), login.Succeeded)
	})
}
