package login_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/password"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// talk drives conversations in a world.
type talk struct {
	*testing.T
	*logintest.World
}

func each(t *testing.T, f func(w talk)) {
	logintest.Each(t, func(t *testing.T, w *logintest.World) { f(talk{t, w}) })
}

func (w talk) start(name string) login.Package {
	w.Helper()
	var out login.Package
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		out, _, err = w.Logins.Start(ctx, c, login.Begin{Login: name, Platform: true})
		return err
	})
	return out
}

func (w talk) do(id string, actions ...login.Action) login.Result {
	w.Helper()
	r := login.Request{Session: id, Actions: actions}
	p, err := w.Logins.Prepare(w.Context(), w.Call(), r)
	if err != nil {
		w.Fatal(err)
	}
	return w.finish(r, p)
}

func (w talk) finish(r login.Request, p login.Prepared) (out login.Result) {
	w.Helper()
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		if out, err = w.Logins.Advance(ctx, c, r, p); errors.Is(err, login.ErrFailed) {
			err = nil // a refusal commits
		}
		return err
	})
	return out
}

func (w talk) poll(id, mechanism string) (out login.Result) {
	w.Helper()
	c := w.Call()
	err := c.Snapshot(w.Context(), func() (err error) { out, err = w.Logins.Poll(w.Context(), c, id, mechanism); return err })
	if err != nil && !errors.Is(err, login.ErrFailed) {
		w.Fatal(err)
	}
	return out
}

func answer(ch factor.Challenge, text string) login.Action {
	return login.Action{Do: login.DoAnswer, Mechanism: ch.ID, Answer: factor.Answer{Text: text}}
}

func start(ch factor.Challenge) login.Action {
	return login.Action{Do: login.DoStart, Mechanism: ch.ID}
}

// pick finds a mechanism of a package by its name.
func (w talk) pick(p *login.Package, at int, name string) factor.Challenge {
	w.Helper()
	if p == nil || at >= len(p.Challenges) {
		w.Fatalf("no challenge %d in %+v", at, p)
	}
	for _, ch := range p.Challenges[at] {
		if ch.Name == name {
			return ch
		}
	}
	w.Fatalf("no %s in %+v", name, p.Challenges[at])
	return factor.Challenge{}
}

func (w talk) expect(got login.Result, want login.Summary) login.Result {
	w.Helper()
	if got.Summary != want {
		w.Fatalf("%s, want %s (event %+v)", got.Summary, want, w.Events[0])
	}
	return got
}

// signIn signs in with the password alone.
func (w talk) signIn(name, plain string) login.Result {
	w.Helper()
	p := w.start(name)
	return w.do(p.Session, answer(w.pick(&p, 0, "UP"), plain))
}

func (w talk) only(challenges string) { w.Helper(); w.Set("Authentication.Challenges", challenges) }

func TestPassword(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		got := w.expect(w.signIn(" ANNA@"+w.Suffix+" ", logintest.Secret), login.Succeeded).Success
		if got.Person.ID != anna.ID || got.Session.Level != session.Normal || !w.Alive(got.Auth) || len(got.Auth) != 64 || got.Refresh == "" || got.Lifetime <= 0 {
			w.Fatalf("%+v", got)
		}
		claims, err := w.Tokens.Verify(w.Context(), got.Token, w.Now)
		if err != nil || claims.Session != got.Session.ID || claims.Subject != anna.ID {
			w.Fatal(claims, err)
		}
		if e := w.Events[0]; e.Type != audit.Login || e.User != anna.ID || e.Fields["Factors"] != "UP" || e.Fields["AuthMethod"] != "Password" {
			w.Fatalf("%+v", e)
		}
		if w.Get(anna.ID).Active == 0 {
			w.Fatal("the first sign-in is not noted")
		}
		w.expect(w.signIn(anna.Name, logintest.Secret+"x"), login.Failed)
		if e := w.Events[0]; e.Type != audit.LoginFail || e.User != anna.ID || e.Fields["FailReason"] != "wrong answer" || e.Login != anna.Name {
			w.Fatalf("%+v", e)
		}
		w.expect(w.signIn(anna.Name, ""), login.Failed)
	})
}

// Any failure ends the conversation, and an answer counts once.
func TestOneTry(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		p := w.start(anna.Name)
		up := w.pick(&p, 0, "UP")
		w.expect(w.do(p.Session, answer(up, "wrong")), login.Failed)
		w.expect(w.do(p.Session, answer(up, logintest.Secret)), login.Failed)
		p = w.start(anna.Name)
		up = w.pick(&p, 0, "UP")
		w.expect(w.do(p.Session, answer(up, logintest.Secret)), login.Succeeded)
		w.expect(w.do(p.Session, answer(up, logintest.Secret)), login.Failed)
		for name, r := range map[string]login.Action{
			"unknown mechanism": {Do: login.DoAnswer, Mechanism: "x"}, "no mechanism": {Do: login.DoAnswer}, "unknown action": {Do: "Unknown", Mechanism: up.ID},
			"start of a password": {Do: login.DoStart},
		} {
			p = w.start(anna.Name)
			if r.Do == login.DoStart {
				r.Mechanism = w.pick(&p, 0, "UP").ID
			}
			if got := w.do(p.Session, r); got.Summary != login.Failed {
				w.Error(name, got)
			}
			w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Failed)
		}
		for _, id := range []string{"", "x", strings.Repeat("x", 500), p.Session + "1"} {
			w.expect(w.do(id, answer(up, logintest.Secret)), login.Failed)
		}
		p = w.start(anna.Name)
		w.expect(w.do(p.Session), login.Failed)
		p = w.start(anna.Name)
		w.Now = w.Now.Add(15 * time.Minute)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Failed)
		p = w.start(anna.Name)
		w.Write(func(ctx context.Context, c *call.Call) error { return w.Logins.Cleanup(ctx, c, p.Session) })
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Failed)
	})
}

func TestTwoFactors(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna", func(n *user.New) { n.Mobile = "+12065550199" })
		w.Enroll(anna.ID)
		p := w.start(anna.Name)
		if len(p.Challenges) != 2 || len(p.Challenges[0]) != 1 || len(p.Challenges[1]) != 3 || p.Challenges[0][0].Name != "UP" {
			w.Fatalf("%+v", p.Challenges)
		}
		up, app, mail := w.pick(&p, 0, "UP"), w.pick(&p, 1, "OATH"), w.pick(&p, 1, "EMAIL")
		if got := w.poll(p.Session, up.ID); got.Summary != login.Failed {
			w.Fatal("a poll before the start", got)
		}
		w.expect(w.do(p.Session, answer(up, logintest.Secret)), login.NextDone)
		if got := w.poll(p.Session, up.ID); got.Summary != login.NextDone {
			w.Fatal("a poll on what is satisfied", got)
		}
		w.expect(w.do(p.Session, start(mail)), login.Pending)
		if len(w.Sent) != 1 || w.Sent[0].To != "anna@acme.test" || !strings.Contains(w.Sent[0].Link, w.Tenant.Host+login.LinkPath) {
			w.Fatal(w.Sent)
		}
		if got := w.poll(p.Session, mail.ID); got.Summary != login.Pending {
			w.Fatal(got)
		}
		if got := w.poll(p.Session, app.ID); got.Summary != login.Failed {
			w.Fatal("a poll on what was not started", got)
		}
		got := w.expect(w.do(p.Session, answer(mail, w.Sent[0].Code)), login.Succeeded).Success
		if got.Session.Level != session.High || got.Session.Factors != "UP,EMAIL" || !w.Alive(got.Auth) {
			w.Fatalf("%+v", got.Session)
		}
		if len(w.Events) < 2 || w.Events[1].Type != audit.MfaSummary || w.Events[1].Fields["MfaResult"] != "Success" {
			w.Fatal(w.Events)
		}
		// A wrong second factor ends it, too; the first must be passed again.
		p = w.start(anna.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), "000000")), login.Failed)
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), w.Code())), login.Failed)
		// The second cannot be answered first.
		p = w.start(anna.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), w.Code())), login.Failed)
	})
}

func TestMultipleOperations(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		p := w.start(anna.Name)
		up, app := w.pick(&p, 0, "UP"), w.pick(&p, 1, "OATH")
		w.expect(w.do(p.Session, answer(up, logintest.Secret), answer(app, w.Code())), login.Succeeded)
		w.Now = w.Now.Add(time.Minute)
		p = w.start(anna.Name)
		mail := w.pick(&p, 1, "EMAIL")
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), start(mail)), login.Pending)
		w.expect(w.do(p.Session, answer(mail, w.Sent[len(w.Sent)-1].Code)), login.Succeeded)
		for name, second := range map[string]func(login.Package) login.Action{
			"wrong":   func(p login.Package) login.Action { return answer(w.pick(&p, 1, "OATH"), "000000") },
			"unknown": func(login.Package) login.Action { return login.Action{Do: login.DoAnswer, Mechanism: "x"} },
		} {
			w.Now = w.Now.Add(time.Minute)
			p = w.start(anna.Name)
			if got := w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), second(p)); got.Summary != login.Failed {
				w.Error(name, got)
			}
		}
		w.Now = w.Now.Add(time.Minute)
		p = w.start(anna.Name)
		sent := len(w.Sent)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), "wrong"), start(w.pick(&p, 1, "EMAIL"))), login.Failed)
		if len(w.Sent) != sent {
			w.Fatal("a wrong password sent a mail")
		}
	})
}

// Two right answers at the same time: one wins.
func TestConcurrentAnswers(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		for range 8 {
			w.race(anna)
		}
	})
}

func (w talk) race(anna user.User) {
	w.Write(func(ctx context.Context, c *call.Call) error {
		_, err := w.Sessions.EndAll(ctx, c, anna.ID, "")
		return err
	})
	p := w.start(anna.Name)
	r := login.Request{Session: p.Session, Actions: []login.Action{answer(w.pick(&p, 0, "UP"), logintest.Secret)}}
	const n = 6
	var prepared [n]login.Prepared
	for i := range prepared {
		var err error
		if prepared[i], err = w.Logins.Prepare(w.Context(), w.Call(), r); err != nil {
			w.Fatal(err)
		}
	}
	var won sync.Map
	var wg sync.WaitGroup
	for i := range prepared {
		wg.Go(func() {
			_ = w.Try(func(ctx context.Context, c *call.Call) error {
				out, err := w.Logins.Advance(ctx, c, r, prepared[i])
				if out.Success != nil {
					won.Store(i, true)
				} else {
					won.Delete(i)
				}
				if errors.Is(err, login.ErrFailed) {
					return nil
				}
				return err
			})
		})
	}
	wg.Wait()
	count := 0
	won.Range(func(any, any) bool { count++; return true })
	var alive []session.Session
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		alive, err = w.Sessions.List(ctx, c, anna.ID)
		return err
	})
	if count != 1 || len(alive) != 1 {
		w.Fatal(count, "answers won,", len(alive), "sessions")
	}
}

// shape is what a package shows, without the ids that are drawn anew.
func shape(p login.Package) string {
	for i := range p.Challenges {
		for j := range p.Challenges[i] {
			p.Challenges[i][j].ID = ""
		}
	}
	out, _ := json.Marshal([]any{p.Challenges, p.AllowForgot, p.AllowPersist, p.Wait})
	return string(out)
}

func TestNamesCannotBeProbed(t *testing.T) {
	each(t, func(w talk) {
		for _, local := range []string{"anna", "mike", "zoe"} {
			u := w.Add(local, func(n *user.New) { n.Mobile = "+1206555019" + fmt.Sprint(len(local)) })
			if local == "mike" {
				w.Enroll(u.ID)
			}
		}
		real := 0
		for i := range 12 {
			name := w.Name(fmt.Sprintf("nobody%d", i))
			p := w.start(name)
			if a, b := shape(p), shape(w.start(strings.ToUpper(name))); a != b {
				w.Fatalf("another package at the next try:\n%s\n%s", a, b)
			}
			if len(p.Challenges) != 2 || p.Challenges[0][0].Name != "UP" {
				w.Fatal("not the shape of a person's", shape(p))
			}
			for _, ch := range p.Challenges[1] {
				if ch.Prompt.Digits == "0194" || ch.Prompt.Digits == "0193" { // drawn by chance once in some hundred runs
					real++
				}
			}
			if real > 1 {
				w.Fatal("real people's numbers")
			}
			sent := len(w.Sent)
			w.expect(w.do(p.Session, answer(p.Challenges[0][0], logintest.Secret)), login.Failed)
			if e := w.Events[0]; e.Type != audit.LoginFail || e.User != "" || e.Login != name || e.Fields["FailReason"] != "unknown user" {
				w.Fatalf("%+v", e)
			}
			if len(w.Sent) != sent {
				w.Fatal("sent to nobody")
			}
		}
		// People who may not sign in are shown the same as before.
		anna := w.Get(w.Add("barred", func(n *user.New) { n.Mobile = "+12065550100" }).ID)
		before := shape(w.start(anna.Name))
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Disabled: true})
		})
		if after := shape(w.start(anna.Name)); after != before {
			w.Fatalf("%s\n%s", before, after)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "account may not sign in" {
			w.Fatalf("%+v", e)
		}
	})
}

// A person who is barred between the answers is not let in.
func TestBarredMeanwhile(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		p := w.start(anna.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		w.expect(w.do(p.Session, start(w.pick(&p, 1, "EMAIL"))), login.Pending)
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Locked: true})
		})
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "EMAIL"), w.Sent[0].Code)), login.Failed)
	})
}

func TestThrottled(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		for _, name := range []string{anna.Name, w.Name("nobody")} { // names that do not exist are throttled alike
			for range 4 {
				w.expect(w.signIn(name, "wrong"), login.Failed)
			}
			p := w.start(name)
			if p.Wait != 1 {
				w.Fatal(name, "waits", p.Wait)
			}
			w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Failed)
		}
		w.Now = w.Now.Add(time.Second)
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		for range 10 {
			w.expect(w.signIn(anna.Name, "wrong"), login.Failed)
			w.Now = w.Now.Add(31 * time.Second)
		}
		if p := w.start(anna.Name); p.Wait < 25*60 {
			w.Fatal("not locked:", p.Wait)
		}
		if !slices.Contains(w.Told, logintest.Notice{User: anna.ID, What: login.Locked}) {
			w.Fatal("the owner is not told", w.Told)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
	})
}

// The person goes on signing in on their own device while strangers lock the account from elsewhere.
func TestKnownDevice(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		home := w.Client
		got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		if got.Device == "" {
			w.Fatal("no device cookie")
		}
		home.Device = got.Device
		for range 12 {
			w.expect(w.signIn(anna.Name, "wrong"), login.Failed)
			w.Now = w.Now.Add(31 * time.Second)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		w.Client = home
		if again := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success; again.Device != home.Device {
			w.Fatal("the device is given another cookie")
		}
		if len(w.Told) != 1 || w.Told[0].What != login.Locked {
			w.Fatal(w.Told)
		}
		w.Client.Device = strings.Repeat("d", 43)
		w.Now = w.Now.Add(time.Hour)
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		if w.Told[len(w.Told)-1].What != login.NewDevice {
			w.Fatal("nobody is told of a new device", w.Told)
		}
	})
}

func TestRememberedDevice(t *testing.T) {
	each(t, func(w talk) {
		w.Set("Authentication.RememberDevice", "true")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		p := w.start(anna.Name)
		w.Client.Device = w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), answer(w.pick(&p, 1, "OATH"), w.Code())), login.Succeeded).Success.Device
		for range 3 {
			w.Now = w.Now.Add(10*24*time.Hour - time.Minute)
			p = w.start(anna.Name)
			if len(p.Challenges) != 1 {
				w.Fatal("asked again", w.Now)
			}
			if got := w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Succeeded); got.Success.Session.Level != session.Normal {
				w.Fatal("one factor is not two")
			}
		}
		w.Now = w.Now.Add(time.Hour)
		if p = w.start(anna.Name); len(p.Challenges) != 2 {
			w.Fatal("remembered for longer than set: each sign-in must not prolong it")
		}
		w.Now = w.Now.Add(-24 * time.Hour)
		bob := w.Add("bob")
		if p = w.start(bob.Name); len(p.Challenges) != 2 {
			w.Fatal("somebody else's device")
		}
	})
}

func TestSecondFactorRequired(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH")
		anna, robot := w.Add("anna"), w.Add("robot", func(n *user.New) { n.Service = true })
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		w.Set("Authentication.RequireSecondFactor", "true")
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "no second factor is enrolled" {
			w.Fatalf("%+v", e)
		}
		got := w.signIn(robot.Name, logintest.Secret)
		w.expect(got, login.Succeeded)
		if w.Events[0].Type != audit.ServiceLogin {
			w.Fatal(w.Events[0].Type)
		}
	})
}

func TestOtherPersonsFactors(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH")
		boss := w.Add("boss")
		w.Enroll(boss.ID)
		admin := w.Add("boss-admin", func(n *user.New) { n.MfaUser = boss.ID })
		p := w.start(admin.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		got := w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), w.Code())), login.Succeeded)
		if got.Success.Person.ID != admin.ID {
			w.Fatal("signed in as the other one")
		}
	})
}

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
			if !w.Alive(got.Success.Auth) || got.Success.Refresh == "" || got.Success.Token == "" || got.Success.Session.Agent != "test" || got.Success.Session.Level != session.High {
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

func TestPersistentAndConcurrent(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		sign := func() *login.Success {
			p := w.start(anna.Name)
			r := login.Request{Session: p.Session, Persist: true, Actions: []login.Action{answer(w.pick(&p, 0, "UP"), logintest.Secret)}}
			prepared, err := w.Logins.Prepare(w.Context(), w.Call(), r)
			if err != nil {
				w.Fatal(err)
			}
			return w.expect(w.finish(r, prepared), login.Succeeded).Success
		}
		if got := sign(); got.Persistent {
			w.Fatal("not allowed")
		}
		w.Set("Session.AllowPersist", "true")
		w.Set("Session.MaxConcurrent", "2")
		one := sign()
		if !one.Persistent || time.UnixMilli(one.Session.Expires).Sub(w.Now) < 13*24*time.Hour {
			w.Fatalf("%+v", one.Session)
		}
		w.Now = w.Now.Add(time.Second)
		two := sign()
		w.Now = w.Now.Add(time.Second)
		three := sign()
		if w.Alive(one.Auth) || !w.Alive(two.Auth) || !w.Alive(three.Auth) {
			w.Fatal("the oldest must make room")
		}
	})
}

func TestAnotherTenantsConversation(t *testing.T) {
	logintest.Each(t, func(t *testing.T, first *logintest.World) {
		w, other := talk{t, first}, talk{t, logintest.New(t, first.DB)}
		w.only("UP")
		anna := w.Add("anna")
		p := w.start(anna.Name)
		other.expect(other.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Failed)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Succeeded)
	})
}

func TestSweep(t *testing.T) {
	each(t, func(w talk) {
		p := w.start(w.Name("nobody"))
		if err := w.Logins.Sweep(w.Context(), w.DB, w.Now); err != nil {
			w.Fatal(err)
		}
		w.expect(w.do(p.Session, answer(p.Challenges[0][0], "x")), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "unknown user" {
			w.Fatal("swept too early")
		}
	})
}

func TestDirect(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH")
		anna, bob := w.Add("anna"), w.Add("bob", func(n *user.New) { n.ForceChange = true })
		direct := func(name, plain string) (out login.Result) {
			d, err := w.Logins.PrepareDirect(w.Context(), w.Call(), name, plain)
			if err != nil {
				w.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				if out, err = w.Logins.Direct(ctx, c, d); errors.Is(err, login.ErrFailed) {
					err = nil
				}
				return err
			})
			return out
		}
		if got := w.expect(direct(anna.Name, logintest.Secret), login.Succeeded); !w.Alive(got.Success.Auth) {
			w.Fatal(got)
		}
		w.expect(direct(anna.Name, "wrong"), login.Failed)
		w.expect(direct(w.Name("nobody"), logintest.Secret), login.Failed)
		w.expect(direct(bob.Name, logintest.Secret), login.Failed) // a new password is due
		w.Enroll(anna.ID)
		w.expect(direct(anna.Name, logintest.Secret), login.Failed)
		if e := w.Events[0]; e.Type != audit.LoginFail || e.Fields["FailReason"] != "more than a password is asked for" {
			w.Fatalf("%+v", e)
		}
	})
}
