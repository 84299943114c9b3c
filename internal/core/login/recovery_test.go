package login_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/password"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

func TestNewPasswordIsDue(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna", func(n *user.New) { n.ForceChange = true })
		p := w.start(anna.Name)
		got := w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NewPackage)
		reset := w.pick(got.Package, len(got.Package.Challenges)-1, "RESET")
		if reset.Prompt.Hint == "" || got.Package.Session != p.Session {
			w.Fatalf("%+v", got.Package)
		}
		got = w.expect(w.do(p.Session, answer(reset, "short")), login.NewPackage)
		if !strings.Contains(got.Package.Message, "12 characters") && !strings.Contains(got.Package.Message, "8 characters") {
			w.Fatal("the rule is not named:", got.Package.Message)
		}
		w.expect(w.do(p.Session, answer(reset, logintest.Secret)), login.NewPackage) // the old one again
		fresh := w.expect(w.do(p.Session, answer(reset, "Lemon-Otter-42")), login.Succeeded).Success
		if fresh.Session.Factors != "UP" || fresh.Session.Level != session.Normal {
			w.Fatalf("a new password is no second factor: %+v", fresh.Session)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		w.expect(w.signIn(anna.Name, "Lemon-Otter-42"), login.Succeeded)

		// The same when it is too old; not for those whose password never expires.
		w.Logins.Passwords.Policy = func(context.Context, *call.Call, string) (password.Policy, error) {
			return password.Policy{MaxAge: 24 * time.Hour}, nil
		}
		w.Now = w.Now.Add(25 * time.Hour)
		w.expect(w.signIn(anna.Name, "Lemon-Otter-42"), login.NewPackage)
		// What expired too long ago does not serve to be replaced either, and looks like a wrong password.
		w.Logins.Passwords.Policy = func(context.Context, *call.Call, string) (password.Policy, error) {
			return password.Policy{MaxAge: 24 * time.Hour, BlockAfter: 2 * time.Hour}, nil
		}
		w.expect(w.signIn(anna.Name, "Lemon-Otter-42"), login.NewPackage)
		w.Now = w.Now.Add(2 * time.Hour)
		w.expect(w.signIn(anna.Name, "Lemon-Otter-42"), login.Failed)
		robot := w.Add("eternal", func(n *user.New) { n.NeverExpires = true })
		w.Now = w.Now.Add(25 * time.Hour)
		w.expect(w.signIn(robot.Name, logintest.Secret), login.Succeeded)
	})
}

func TestRecovery(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		old := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		p := w.start(anna.Name)
		if !p.AllowForgot {
			w.Fatal("recovery is not offered")
		}
		got := w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.NewPackage)
		if len(got.Package.Challenges) != 2 || got.Package.Challenges[1][0].Name != "RESET" || slices.ContainsFunc(got.Package.Challenges[0], func(ch factor.Challenge) bool { return ch.Name == "UP" }) {
			w.Fatalf("%+v", got.Package)
		}
		mail, reset := w.pick(got.Package, 0, "EMAIL"), w.pick(got.Package, 1, "RESET")
		w.expect(w.do(p.Session, start(mail)), login.Pending)
		if !w.Sent[0].Recovery || w.Sent[0].Link != "" {
			w.Fatalf("the code is sent as a sign-in's: %+v", w.Sent[0])
		}
		w.expect(w.do(p.Session, answer(mail, w.Sent[0].Code)), login.NextDone)
		w.expect(w.do(p.Session, answer(reset, "Lemon-Otter-42")), login.Succeeded)
		if w.Alive(old.Auth) {
			w.Fatal("a session from before lives on")
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		if !slices.Contains(w.Told, logintest.Notice{User: anna.ID, What: login.PasswordChanged}) {
			w.Fatal(w.Told)
		}

		// The new password cannot be set first, nor without the code.
		p = w.start(anna.Name)
		got = w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.NewPackage)
		w.expect(w.do(p.Session, answer(w.pick(got.Package, 1, "RESET"), "Other-Otter-43")), login.Failed)

		// For nobody all goes the same way until the answer, and nothing is sent.
		sent := len(w.Sent)
		p = w.start(w.Name("nobody"))
		got = w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.NewPackage)
		mail = w.pick(got.Package, 0, "EMAIL")
		w.expect(w.do(p.Session, start(mail)), login.Pending)
		if w.poll(p.Session, mail.ID).Summary != login.Pending || len(w.Sent) != sent {
			w.Fatal("it shows that there is nobody")
		}
		w.expect(w.do(p.Session, answer(mail, "123456")), login.Failed)
	})
}

// A mailbox must not replace two factors: who needs a second one signs in with it after the recovery.
func TestRecoveryIsNoWayAround(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		p := w.start(anna.Name)
		got := w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.NewPackage)
		mail, reset := w.pick(got.Package, 0, "EMAIL"), w.pick(got.Package, 1, "RESET")
		w.expect(w.do(p.Session, start(mail)), login.Pending)
		w.expect(w.do(p.Session, answer(mail, w.Sent[0].Code)), login.NextDone)
		if got := w.expect(w.do(p.Session, answer(reset, "Lemon-Otter-42")), login.Noncommittal); got.Message == "" || got.Success != nil {
			w.Fatalf("%+v", got)
		}
		p = w.start(anna.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), "Lemon-Otter-42")), login.NextDone)
		w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.Failed)

		robot := w.Add("robot", func(n *user.New) { n.Service = true })
		p = w.start(robot.Name)
		if p.AllowForgot {
			w.Fatal("a program has no mailbox to recover by")
		}
		w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.Failed)
	})
}

func link(s logintest.Sent) string { return s.Link[strings.Index(s.Link, "answer=")+7:] }

func TestLink(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		p := w.start(anna.Name)
		up, mail := w.pick(&p, 0, "UP"), w.pick(&p, 1, "EMAIL")
		w.expect(w.do(p.Session, answer(up, logintest.Secret), start(mail)), login.Pending)
		if w.Sent[0].Recovery {
			w.Fatal("the code is sent as a recovery's")
		}
		token := link(w.Sent[0])
		show := func(token string) (login.Asking, error) {
			c := w.Call()
			var out login.Asking
			err := c.Snapshot(w.Context(), func() (err error) { out, err = w.Logins.Link(w.Context(), c, token); return err })
			return out, err
		}
		if got, err := show(token); err != nil || got.Login != anna.Name || got.IP != "192.0.2.10" {
			w.Fatal(got, err)
		}
		if w.poll(p.Session, mail.ID).Summary != login.Pending {
			w.Fatal("looking at the page approved it: a mail scanner would sign people in")
		}
		approve := func(token string) (err error) {
			w.Write(func(ctx context.Context, c *call.Call) error {
				if err = w.Logins.Approve(ctx, c, token); errors.Is(err, login.ErrLink) {
					return nil
				}
				return err
			})
			return err
		}
		for _, bad := range []string{"", "x", token + "x", strings.Repeat("x", 300)} {
			if err := approve(bad); !errors.Is(err, login.ErrLink) {
				w.Fatal(bad, err)
			}
		}
		phone := w.Client
		phone.UserAgent = "phone"
		w.Client, phone = phone, w.Client
		if err := approve(token); err != nil {
			w.Fatal(err)
		}
		w.Client = phone
		if err := approve(token); !errors.Is(err, login.ErrLink) {
			w.Fatal("a link counts once", err)
		}
		for range 2 { // a reply may be lost
			got := w.poll(p.Session, mail.ID)
			w.expect(got, login.Succeeded)
			if !w.Alive(got.Success.Auth) || got.Success.Refresh == "" || got.Success.Token == nil || got.Success.Session.Agent != "test" || got.Success.Session.Level != session.High {
				w.Fatalf("%+v", got.Success)
			}
		}
		w.expect(w.do(p.Session, answer(mail, w.Sent[0].Code)), login.Failed)
		w.Now = w.Now.Add(time.Minute)
		if got := w.poll(p.Session, mail.ID); got.Summary != login.Failed {
			w.Fatal("handed out for ever", got)
		}
		if _, err := show(token); !errors.Is(err, login.ErrLink) {
			w.Fatal(err)
		}
	})
}

// A link to a forced change of the password: the waiting client is told to ask for it.
func TestLinkThenNewPassword(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna", func(n *user.New) { n.ForceChange = true })
		p := w.start(anna.Name)
		mail := w.pick(&p, 1, "EMAIL")
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), start(mail)), login.Pending)
		w.Write(func(ctx context.Context, c *call.Call) error { return w.Logins.Approve(ctx, c, link(w.Sent[0])) })
		got := w.expect(w.poll(p.Session, mail.ID), login.NewPackage)
		w.expect(w.do(p.Session, answer(w.pick(got.Package, 0, "RESET"), "Lemon-Otter-42")), login.Succeeded)
	})
}

func TestApproveFactor(t *testing.T) {
	each(t, func(w talk) {
		anna, bob := w.Add("anna"), w.Add("bob")
		w.Enroll(anna.ID)
		p := w.start(anna.Name)
		app := w.pick(&p, 1, "OATH")
		approve := func(id string) (n int) {
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				n, err = w.Logins.ApproveFactor(ctx, c, id, "OATH")
				return err
			})
			return n
		}
		if n := approve(anna.ID); n != 0 {
			w.Fatal("nothing was started", n)
		}
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), start(app)), login.Pending)
		if n := approve(bob.ID) + approve(""); n != 0 {
			w.Fatal("somebody else approved", n)
		}
		home := w.Client
		w.Client.IP = netip.MustParseAddr("203.0.113.9")
		if n := approve(anna.ID); n != 0 {
			w.Fatal("a stranger's conversation was approved")
		}
		w.Client = home
		if n := approve(anna.ID); n != 1 {
			w.Fatal(n)
		}
		w.expect(w.poll(p.Session, app.ID), login.Succeeded)
	})
}

func TestSendsAreBounded(t *testing.T) {
	each(t, func(w talk) {
		w.Add("anna")
		for _, name := range []string{w.Name("anna"), w.Name("nobody")} {
			w.Sent = nil
			failed := 0
			for range 30 {
				p := w.start(name)
				got := w.do(p.Session, login.Action{Do: login.DoForgot})
				if w.do(p.Session, start(w.pick(got.Package, 0, "EMAIL"))).Summary == login.Failed {
					failed++
				}
				w.Now = w.Now.Add(40 * time.Second)
			}
			if len(w.Sent) > 15 || failed < 10 {
				w.Fatal(name, len(w.Sent), "mails,", failed, "refusals")
			}
		}
	})
}

// Strangers who ask for recoveries do not use up the codes of a person who has shown the password.
func TestRecoveriesDoNotBlockSignIns(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		for range 30 {
			p := w.start(anna.Name)
			got := w.do(p.Session, login.Action{Do: login.DoForgot})
			w.do(p.Session, start(w.pick(got.Package, 0, "EMAIL")))
			w.Now = w.Now.Add(40 * time.Second)
		}
		p := w.start(anna.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), start(w.pick(&p, 1, "EMAIL"))), login.Pending)
	})
}

// Who signs in by mail all day is not held up by having asked for as many codes.
func TestSendsThatWereOfUse(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		for range 25 {
			p := w.start(anna.Name)
			mail := w.pick(&p, 1, "EMAIL")
			w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), start(mail)), login.Pending)
			w.expect(w.do(p.Session, answer(mail, w.Sent[len(w.Sent)-1].Code)), login.Succeeded)
		}
	})
}
