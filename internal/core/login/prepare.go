package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// What a client may do with a mechanism.
const (
	DoAnswer = "Answer"
	DoStart  = "StartOOB"
	DoRetry  = "RetryOOB"
	DoPoll   = "Poll"
	DoForgot = "ForgotPassword"
)

// Action is one thing to do.
type Action struct {
	Do        string // one of the above
	Mechanism string // id from the package; empty for ForgotPassword
	Answer    factor.Answer
}

// Request moves a conversation on.
type Request struct {
	Session string
	Actions []Action // done in order
	Persist bool     // stay signed in

	radius bool // it comes of a RADIUS client
}

// MaxActions is the most that one request may do.
const MaxActions = 8

// Prepared is what the slow half of a request found out.
type Prepared struct {
	version int64 // of the conversation that was looked at; 0: there was none
	checks  []check
	waived  string // version of the terms to which the person need not agree
}

// check is what became of one answer.
type check struct {
	verdict factor.Verdict
	fresh   password.New // RESET: the new password
	rule    *fault.Error // RESET: the rule that it breaks
	away    *factor.Away // DoStart: where a factor.Leader leads; nil: nowhere
}

// Prepare looks at the answers, outside transactions: hashing happens here, for names that do not exist as well.
func (l *Logins) Prepare(ctx context.Context, c *call.Call, r Request) (Prepared, error) {
	if err := l.Ensure(ctx, c.Tenant.ID); err != nil {
		return Prepared{}, err
	}
	out := Prepared{checks: make([]check, len(r.Actions))}
	var s *state
	var people [2]user.User
	err := c.Snapshot(ctx, func() (err error) {
		if s, err = l.find(ctx, c, r.Session); err == nil {
			people, err = l.people(ctx, c, s)
		}
		return err
	})
	if errors.Is(err, errGone) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.version = s.version
	for i, a := range r.Actions {
		if a.Do == DoStart || a.Do == DoRetry {
			if out.checks[i].away, err = l.lead(ctx, c, s, people, a.Mechanism); err != nil {
				return out, err
			}
		}
		if a.Do != DoAnswer {
			continue
		}
		ch, at := s.challenge(a.Mechanism)
		if ch == nil || at < s.At || ch.Passed || ch.Name == factor.Reset && at > s.At {
			continue
		}
		if out.checks[i], err = l.check(ctx, c, s, people, *ch, a.Answer); err != nil {
			return out, err
		}
	}
	out.waived, err = l.waived(ctx, c, s.User, out.checks...)
	return out, err
}

// check looks at one answer. While the throttle refuses, nothing is hashed: who is refused knows it.
func (l *Logins) check(ctx context.Context, c *call.Call, s *state, people [2]user.User, ch factor.Challenge, a factor.Answer) (check, error) {
	switch ch.Name {
	case factor.Reset:
		return l.newPassword(ctx, c, people[0], a.Text)
	case factor.Consent:
		return check{}, nil
	}
	var refused bool
	if err := c.Snapshot(ctx, func() error {
		attempt, err := l.attempt(ctx, c, s, kindOf(ch.Name))
		if err != nil {
			return err
		}
		wait, err := l.Throttle.Wait(ctx, c, attempt)
		refused = wait > 0
		return err
	}); err != nil || refused {
		return check{}, err
	}
	v, err := l.mechanism(ch.Name).Check(ctx, c, l.answering(s, people, ch.Name), ch, a)
	return check{verdict: v}, err
}

func (l *Logins) newPassword(ctx context.Context, c *call.Call, u user.User, plain string) (check, error) {
	fresh, err := l.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: plain, Reset: true,
	})
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid && !errors.Is(f, crypt.ErrHash) {
		return check{rule: f}, nil
	}
	return check{fresh: fresh}, err
}

// people reads the person, and the one whose second factors answer; zero where there is none.
func (l *Logins) people(ctx context.Context, c *call.Call, s *state) (out [2]user.User, err error) {
	for i, id := range []string{s.User, s.Factors} {
		if id == "" {
			continue
		}
		if i == 1 && id == s.User {
			out[1] = out[0]
			continue
		}
		if out[i], err = l.People.ByID(ctx, c, id); err != nil && !errors.Is(err, user.ErrNotFound) {
			return out, err
		}
	}
	return out, nil
}

// answering is whose secret a mechanism asks for; nobody where a name does not exist.
func (l *Logins) answering(s *state, people [2]user.User, name string) factor.Person {
	u := people[1]
	if name == factor.Password || name == factor.Network {
		u = people[0]
	}
	p := personOf(u)
	if u.ID == "" || s.User == "" {
		p = factor.Person{Name: s.Login}
	}
	return p
}
