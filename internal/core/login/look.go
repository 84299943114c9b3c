package login

import (
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/consent"
	"limen/internal/core/factor"
	"limen/internal/core/password"
)

// Stage is how a conversation stands, for whoever shows it without remembering its package: a page.
type Stage struct {
	Login    string // as typed
	Package  Package
	First    bool    // nothing has been passed yet
	Nameless bool    // nobody has said who signs in: a code is shown for whoever reads it
	Recovery bool    // a forgotten password is replaced
	Raise    bool    // somebody who is signed in shows more
	Want     *Wanted // what is to be shown beside what the session rests on; nil: whatever there is
	// Policy is what a new password must be like, where one is due.
	Policy password.Policy
	// Terms are the text that the person is asked to agree to, where they are; nil: they are not.
	Terms *consent.Document
	// End is what the conversation ended in, where it was finished elsewhere; nil: it has not ended.
	End *Result
}

// Due are the mechanisms of which one is to be answered next.
func (s Stage) Due() []factor.Challenge {
	if len(s.Package.Challenges) == 0 {
		return nil
	}
	return s.Package.Challenges[0]
}

// Look says how a conversation stands. It reads only; ErrFailed says that there is none.
func (l *Logins) Look(ctx context.Context, c *call.Call, id string) (Stage, error) {
	s, err := l.find(ctx, c, id)
	if errors.Is(err, errGone) {
		return Stage{}, ErrFailed
	}
	if err != nil {
		return Stage{}, err
	}
	out := Stage{Login: s.Login, Nameless: s.Nameless, First: len(s.Passed) == 0 && s.At == 0, Recovery: s.Recovery, Raise: s.Raised != "", Want: s.Want}
	if s.Done != nil {
		r, err := l.fetched(ctx, c, s)
		out.End = &r
		return out, err
	}
	out.Package = *s.pack()
	if ch := s.named(factor.Consent); ch != nil && l.Consents != nil && out.Due()[0].Name == factor.Consent {
		d, err := l.Consents.Document(ctx, c, out.Due()[0].Terms.Version, out.Due()[0].Terms.Language)
		out.Terms = &d
		return out, err
	}
	if s.Nameless {
		return out, nil
	}
	return out, l.hints(ctx, c, s, &out)
}

// Opening is the stage of a conversation that has just begun.
func Opening(login string, p Package) Stage { return Stage{Login: login, Package: p, First: true} }

// hints completes what may be offered besides answers, as Start does for whose package is shown.
func (l *Logins) hints(ctx context.Context, c *call.Call, s *state, out *Stage) error {
	w, err := l.who(ctx, c, s.Login)
	if err != nil {
		return err
	}
	p, err := l.profileFor(ctx, c, w.shown, nil, s.Risk)
	if err != nil {
		return err
	}
	out.Package.AllowPersist = p.PersistLife > 0 && !s.beside()
	out.Package.AllowForgot = len(p.Recovery) > 0 && out.First && !s.Recovery && !s.beside()
	due := out.Due()
	if len(due) == 0 {
		return nil
	}
	if slices.ContainsFunc(due, func(ch factor.Challenge) bool { return ch.Name == factor.Reset }) {
		out.Policy, err = l.Passwords.PolicyOf(ctx, c, w.shown.ID)
		return err
	}
	return l.ahead(ctx, c, s, due[0].Name, &out.Package)
}
