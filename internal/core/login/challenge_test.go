package login_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/session"
)

// as makes a call that of a session.
func as(c *call.Call, s *login.Success) {
	if s != nil {
		c.Caller = &call.Caller{
			User: s.Person.ID, Name: s.Person.Name, Session: s.Session.ID, Means: call.BySession, Proved: time.UnixMilli(s.Session.Proved),
		}
	}
}

func (w talk) challenge(by *login.Success, want login.Wanted) (id string) {
	w.Helper()
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		as(c, by)
		id, err = w.Logins.Challenge(ctx, c, want)
		return err
	})
	return id
}

func (w talk) meet(by *login.Success, id string) (out login.Met, err error) {
	w.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		as(c, by)
		auth := ""
		if by != nil {
			auth = by.Auth
		}
		out, err = w.Logins.Meet(ctx, c, id, auth)
		return nil // refusals commit
	})
	return out, err
}

var strong = login.Wanted{Name: "Strong", Rounds: [][]string{{"UP"}, {"OATH", "SMS"}}}

// A challenge asks for what the session does not rest on, and its end raises the session: what opened it before is worth nothing.
func TestChallenge(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		by := w.signIn(anna.Name, logintest.Secret).Success
		id := w.challenge(by, strong)
		m, err := w.meet(by, id)
		if err != nil || m.Package == nil || len(m.Package.Challenges) != 1 || m.Package.AllowForgot || m.Package.AllowPersist {
			t.Fatalf("%+v %v", m.Package, err)
		}
		got := w.expect(w.do(m.Package.Session, answer(w.pick(m.Package, 0, "OATH"), w.Code())), login.Succeeded).Success
		if got.Session.ID != by.Session.ID || got.Session.Level != session.High || got.Session.Factors != "UP,OATH" || w.Alive(by.Auth) || !w.Alive(got.Auth) {
			t.Fatalf("%+v", got.Session)
		}
		if e := w.Events[0]; e.Type != audit.StepUp || e.Fields["Profile"] != "Strong" || e.Fields["AuthLevel"] != session.High {
			t.Fatalf("%+v", e)
		}
		if id := w.challenge(got, strong); id != "" {
			t.Fatal("a session that rests on all of it is asked again")
		}
		if id := w.challenge(got, login.Wanted{Rounds: strong.Rounds, Anew: true}); id == "" {
			t.Fatal("what was shown before counts although it must not")
		}
	})
}

// An id is good once, for five minutes, and for the session that it was made for. None of these tells which it lacks.
func TestChallengeIsSomebodys(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna, ben := w.Add("anna"), w.Add("ben")
		w.Enroll(anna.ID)
		by, other, strange := w.signIn(anna.Name, logintest.Secret).Success, w.signIn(anna.Name, logintest.Secret).Success, w.signIn(ben.Name, logintest.Secret).Success
		id := w.challenge(by, strong)
		for _, who := range []*login.Success{nil, other, strange} {
			if _, err := w.meet(who, id); !errors.Is(err, login.ErrFailed) {
				t.Fatal("another session begins the challenge:", err)
			}
		}
		if _, err := w.meet(by, id); err != nil {
			t.Fatal("who may not begin it spends it:", err)
		}
		if _, err := w.meet(by, id); !errors.Is(err, login.ErrFailed) {
			t.Fatal("it can be begun twice:", err)
		}
		id = w.challenge(by, strong)
		w.Now = w.Now.Add(5 * time.Minute)
		if _, err := w.meet(by, id); !errors.Is(err, login.ErrFailed) {
			t.Fatal("it can be begun after five minutes:", err)
		}
		for _, id := range []string{"", "x", strings.Repeat("x", 4000)} {
			if _, err := w.meet(by, id); !errors.Is(err, login.ErrFailed) {
				t.Fatal(id, err)
			}
		}
	})
}

// Who has nothing enrolled that would do is told so; under lax policies the round is left out.
func TestChallengeWithoutFactors(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		by := w.signIn(anna.Name, logintest.Secret).Success
		if _, err := w.meet(by, w.challenge(by, strong)); !errors.Is(err, login.ErrNoFurther) {
			t.Fatal(err)
		}
		lax := strong
		lax.Lax = true
		if id := w.challenge(by, lax); id != "" {
			t.Fatal("a round that a lax policy leaves out is due")
		}
		if err := w.Try(func(ctx context.Context, c *call.Call) error {
			_, _, err := w.Logins.Summon(ctx, c, anna.Name, login.Wanted{Rounds: [][]string{{"OATH"}}, Lax: true})
			return err
		}); !errors.Is(err, login.ErrNoFurther) {
			t.Fatal("nothing is taken for a proof:", err)
		}
	})
}

// What was shown meanwhile on another way is not asked for again.
func TestChallengeMetMeanwhile(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		by := w.signIn(anna.Name, logintest.Secret).Success
		first, second := w.challenge(by, strong), w.challenge(by, strong)
		m, _ := w.meet(by, first)
		now := w.expect(w.do(m.Package.Session, answer(w.pick(m.Package, 0, "OATH"), w.Code())), login.Succeeded).Success
		m, err := w.meet(now, second)
		if err != nil || m.Success == nil || m.Success.Auth != now.Auth || m.Success.Session.Level != session.High {
			t.Fatalf("%+v %v", m, err)
		}
	})
}

// A program learns that somebody has shown what it wanted, and gets no session of theirs for it: else any program could let itself in
// by a weaker profile than sign-ins ask for.
func TestSummonsSignNobodyIn(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		summon := func(name string) (p login.Package, id string, err error) {
			w.Write(func(ctx context.Context, c *call.Call) error {
				p, id, err = w.Logins.Summon(ctx, c, name, login.Wanted{Rounds: [][]string{{"OATH"}}})
				return nil
			})
			return p, id, err
		}
		p, _, err := summon(anna.Name)
		if err != nil {
			t.Fatal(err)
		}
		w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.Failed)
		p, id, _ := summon(anna.Name)
		got := w.expect(w.do(p.Session, answer(w.pick(&p, 0, "OATH"), w.Code())), login.Succeeded).Success
		if got.Auth != "" || got.Token != nil || got.Refresh != "" || got.Session.ID != "" || got.Person.ID != anna.ID {
			t.Fatalf("%+v", got)
		}
		if e := w.Events[0]; e.Type != audit.StepUp || e.User != anna.ID {
			t.Fatalf("%+v", e)
		}
		if n := w.sessions(anna.ID); n != 0 {
			t.Fatal("a session came of it")
		}
		w.Now = w.Now.Add(time.Minute) // another code
		m, err := w.meet(nil, id)
		if err != nil || m.Package == nil {
			t.Fatal(err)
		}
		if got := w.expect(w.do(m.Package.Session, answer(w.pick(m.Package, 0, "OATH"), w.Code())), login.Succeeded).Success; got.Auth != "" {
			t.Fatalf("%+v", got)
		}
		for _, name := range []string{"nobody@" + w.Suffix, ""} {
			if _, _, err := summon(name); !errors.Is(err, login.ErrFailed) {
				t.Fatal(name, err)
			}
		}
	})
}

// The person's own session is raised where they begin from it, and no other's.
func TestSummonsRaiseOnesOwnSession(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna, ben := w.Add("anna"), w.Add("ben")
		w.Enroll(anna.ID)
		for _, name := range []string{ben.Name, anna.Name} {
			by := w.signIn(name, logintest.Secret).Success
			var id string
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				_, id, err = w.Logins.Summon(ctx, c, anna.Name, login.Wanted{Rounds: [][]string{{"OATH"}}})
				return err
			})
			m, err := w.meet(by, id)
			if err != nil {
				t.Fatal(err)
			}
			got := w.expect(w.do(m.Package.Session, answer(w.pick(m.Package, 0, "OATH"), w.Code())), login.Succeeded).Success
			if own := name == anna.Name; (got.Auth != "") != own || w.Alive(by.Auth) == own {
				t.Fatalf("%s: %+v", name, got)
			}
			w.Now = w.Now.Add(time.Minute)
		}
	})
}

func (w talk) sessions(person string) (n int) {
	w.Helper()
	c := w.Call()
	if err := c.Snapshot(w.Context(), func() error {
		list, err := w.Sessions.List(w.Context(), c, person)
		n = len(list)
		return err
	}); err != nil {
		w.Fatal(err)
	}
	return n
}

// Who proved too long ago who they are is asked for what a sign-in asks for, within their session, and may go on then.
func TestProofAnew(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		w.Sessions.Proof = func(context.Context, *call.Call) (time.Duration, error) { return 15 * time.Minute, nil }
		anna := w.Add("anna")
		by := w.signIn(anna.Name, logintest.Secret).Success
		own := func(by *login.Success) (id string, due bool) {
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				as(c, by)
				id, due, err = w.Logins.OwnChallenge(ctx, c, login.OwnProfile)
				return err
			})
			return id, due
		}
		if id, due := own(by); id != "" || due {
			t.Fatal("due right after signing in")
		}
		w.Now = w.Now.Add(16 * time.Minute)
		id, due := own(by)
		if id == "" || !due {
			t.Fatal("not due after a quarter of an hour")
		}
		m, err := w.meet(by, id)
		if err != nil || m.Package == nil {
			t.Fatal(err)
		}
		w.expect(w.do(m.Package.Session, answer(w.pick(m.Package, 0, "UP"), "wrong")), login.Failed)
		if !w.Alive(by.Auth) {
			t.Fatal("a wrong answer ends the session")
		}
		id, _ = own(by)
		m, _ = w.meet(by, id)
		got := w.expect(w.do(m.Package.Session, answer(w.pick(m.Package, 0, "UP"), logintest.Secret)), login.Succeeded).Success
		if got.Session.Level != session.Normal || got.Session.Factors != "UP" {
			t.Fatalf("the same proof twice is more than once: %+v", got.Session)
		}
		if id, due := own(got); id != "" || due {
			t.Fatal("due right after the proof")
		}
	})
}

// What policies want before people change something of their own is asked of them, and of nobody who changes it for them.
func TestOwnParts(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		w.Logins.Parts = func(_ context.Context, _ *call.Call, _ string, part login.Part) (login.Wanted, error) {
			switch part {
			case login.OwnProfile:
				return strong, nil
			case login.OwnPassword:
				return login.Wanted{}, login.ErrForbidden
			}
			return login.Wanted{}, nil
		}
		anna, ben := w.Add("anna"), w.Add("ben")
		by := w.signIn(anna.Name, logintest.Secret).Success
		for part, want := range map[login.Part]error{login.OwnProfile: login.ErrDue, login.OwnPassword: login.ErrForbidden, login.OwnOATH: nil} {
			for person, want := range map[string]error{anna.ID: want, ben.ID: nil} {
				if err := w.Try(func(ctx context.Context, c *call.Call) error { as(c, by); return w.Logins.Own(ctx, c, person, part) }); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", part, err, want)
				}
			}
		}
		err := w.Try(func(ctx context.Context, c *call.Call) error {
			c.Caller = &call.Caller{User: anna.ID, Means: call.ByOAuth}
			return w.Logins.Own(ctx, c, anna.ID, login.OwnProfile)
		})
		if !errors.Is(err, login.ErrDue) {
			t.Error("an access token does without:", err)
		}
	})
}
