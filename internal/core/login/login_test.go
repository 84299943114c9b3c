package login_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/dbx"
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
		jwt, err := got.Token(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		claims, err := w.Tokens.Verify(w.Context(), jwt, w.Now)
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
			_ = w.DB.Write(w.Context(), func(tx *dbx.Tx) error {
				c := w.Call()
				c.Tx, c.Event = tx, &call.Event{}
				out, err := w.Logins.Advance(w.Context(), c, r, prepared[i])
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
