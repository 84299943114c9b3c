package login

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/fault"
)

// ErrNoFurther is for those who have nothing more to show than what their session rests on already.
var ErrNoFurther = fault.New(fault.Conflict, "login.no_further", "Your account has no further way set up to show that it is you.")

// whySession is for a step-up of a session that has ended meanwhile.
const whySession = "session has ended"

// further are what somebody may show whose profile asks for nothing that their session does not rest on.
var further = []string{factor.Passkey, factor.OnDevice, factor.SecurityKey, factor.OATH, factor.Email, factor.SMS}

// Raise opens a conversation in which the caller shows more than their session rests on: one mechanism of each challenge of
// their profile that nothing they have passed answers, or, where there is none, an authenticator or a code that is sent. Its
// end raises the session, which gets another token. Where rounds of mechanisms are wanted that they have not passed, only these are asked
// for. ErrNoFurther when they have nothing of the kind.
func (l *Logins) Raise(ctx context.Context, c *call.Call, rounds ...[]string) (Package, string, error) {
	s, err := l.raising(ctx, c, rounds)
	if err != nil {
		return Package{}, "", err
	}
	if err := l.create(ctx, c, s); err != nil {
		return Package{}, "", err
	}
	return *s.pack(), s.Device, nil
}

// Further says whether the caller could show more than their session rests on. It reads only.
func (l *Logins) Further(ctx context.Context, c *call.Call, rounds ...[]string) (bool, error) {
	_, err := l.raising(ctx, c, rounds)
	if errors.Is(err, ErrNoFurther) {
		return false, nil
	}
	return err == nil, err
}

// More is what Raise would ask the caller for; ErrNoFurther where that is nothing. It reads only.
func (l *Logins) More(ctx context.Context, c *call.Call, rounds ...[]string) (Wanted, error) {
	s, err := l.raising(ctx, c, rounds)
	if err != nil {
		return Wanted{}, err
	}
	return *s.Want, nil
}

func (l *Logins) raising(ctx context.Context, c *call.Call, rounds [][]string) (*state, error) {
	s, err := l.rising(ctx, c)
	if err != nil {
		return nil, err
	}
	p, err := l.profile(ctx, c, s.real)
	if err != nil {
		return nil, err
	}
	s.Profile, s.Revision = p.ID, p.Revision
	s.based(c, s.User, p)
	tries := [][][]string{lacking(p.Challenges, s.Passed), {unused(further, s.Passed)}}
	if due := profile.Lacking(rounds, s.Passed); len(due) > 0 {
		tries = [][][]string{due}
	}
	for _, names := range tries {
		made, err := l.offers(ctx, c, s.subject, names, p.Questions)
		if err != nil {
			return nil, err
		}
		if s.Challenges = slices.DeleteFunc(made, func(one []factor.Challenge) bool { return len(one) == 0 }); len(s.Challenges) > 0 {
			l.tell(c, s.state, s.real)
			s.Want = &Wanted{Rounds: named(s.Challenges), Questions: p.Questions}
			return s.state, nil
		}
	}
	return nil, ErrNoFurther
}

// rise is the state of somebody who is to show more, and whose mechanisms they are.
type rise struct {
	*state
	subject
}

// rising is the state in which the caller's session is raised, without challenges as yet.
func (l *Logins) rising(ctx context.Context, c *call.Call) (rise, error) {
	row, err := l.Sessions.Find(ctx, c, c.Caller.Session)
	if err != nil {
		return rise{}, err
	}
	u, err := l.People.ByID(ctx, c, row.User)
	if err != nil {
		return rise{}, err
	}
	who, err := l.who(ctx, c, u.Name)
	return rise{&state{
		User: u.ID, Factors: who.factors(), Login: u.Name, IP: c.Client.IP.String(), Agent: c.Client.UserAgent, Device: deviceOf(c),
		Raised: row.ID, Secret: u.PasswordChanged, Passed: strings.FieldsFunc(row.Factors, func(r rune) bool { return r == ',' }),
	}, who}, err
}

// lacking are the challenges that no passed mechanism answers, without the mechanisms that were passed.
func lacking(challenges [][]string, passed []string) (out [][]string) {
	for _, names := range challenges {
		if len(unused(names, passed)) == len(names) {
			out = append(out, names)
		}
	}
	return out
}

func unused(names, passed []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(passed, name) })
}

// once leaves of each mechanism the first.
func once(passed []string) (out []string) {
	for _, name := range passed {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// raise ends a conversation by which a session is raised.
func (t *turn) raise(ctx context.Context) (Result, error) {
	row, err := t.Sessions.Find(ctx, t.c, t.s.Raised)
	if errors.Is(err, session.ErrUnknown) || err == nil && row.User != t.person.ID {
		return t.fail(ctx, whySession)
	}
	if err != nil {
		return Result{}, err
	}
	out := &Success{Person: t.person, Device: t.s.Device, Persistent: row.Persistent}
	level := row.Level
	if level != session.High {
		level = t.level()
	}
	if out.Auth, err = t.Sessions.Rotate(ctx, t.c, row.ID, level, once(t.s.Passed)); err != nil {
		return Result{}, err
	}
	if out.Session, err = t.Sessions.Find(ctx, t.c, row.ID); err != nil {
		return Result{}, err
	}
	if err := t.tokens(ctx, t.c, out, false); err != nil {
		return Result{}, err
	}
	t.succeeded(out)
	if t.deferred {
		t.s.Done = &done{Auth: out.Auth, Session: out.Session.ID}
		err = t.save(ctx, t.c, t.s)
	} else {
		err = t.end(ctx, t.c, t.s)
	}
	return Result{Summary: Succeeded, Success: out}, err
}
