package login

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/user"
)

// rate rates a sign-in that begins; nil where nobody does. A name that does not exist costs as much: u is whose package stands in.
func (l *Logins) rate(ctx context.Context, c *call.Call, u user.User, in Begin) (*risk.Rating, error) {
	if l.Risks == nil {
		return nil, nil
	}
	out, err := l.Risks.Rate(ctx, c, risk.Subject{User: u.ID, Login: in.Login, Relayed: in.Radius != nil})
	return &out, err
}

// Risk is the level that a sign-in of a person would have now; empty where nobody rates it. It reads only.
func (l *Logins) Risk(ctx context.Context, c *call.Call, personID string) (risk.Level, error) {
	if l.Risks == nil || personID == "" {
		return "", nil
	}
	u, err := l.People.ByID(ctx, c, personID)
	if err != nil {
		return "", err
	}
	out, err := l.Risks.Rate(ctx, c, risk.Subject{User: u.ID, Login: u.Name})
	return out.Level, err
}

// rating puts into an event what was thought of the sign-in that it ends.
func rating(e *call.Event, r *risk.Rating) {
	if r == nil {
		return
	}
	e.Set("RiskLevel", string(r.Level))
	if len(r.Reasons) > 0 {
		e.Set("RiskScore", r.Score)
		all := make([]string, len(r.Reasons))
		for i, one := range r.Reasons {
			all[i] = one.Name + ": " + one.Why
		}
		e.Set("RiskReasons", strings.Join(all, "; "))
	}
	if len(r.Missing) > 0 {
		e.Set("RiskMissing", strings.Join(r.Missing, ","))
	}
}

// noteRisk keeps what was thought of a complete sign-in. What a RADIUS client asks from is no place of the person's.
func (t *turn) noteRisk(ctx context.Context) error {
	if t.s.Risk == nil || t.s.radius() != nil {
		return nil
	}
	return t.Risks.Note(ctx, t.c, t.person.ID, t.s.IP, *t.s.Risk)
}

// learn adds to the rating what a list of leaked passwords says of the one that was right.
func (t *turn) learn(ctx context.Context, of *factor.Leak) error {
	if t.s.Risk == nil || of == nil || !of.Found && !of.Unread {
		return nil
	}
	why := "the password is in the list of leaked ones"
	if of.Unread {
		why = ""
	}
	now, err := t.Risks.Learn(ctx, t.c, *t.s.Risk, risk.LeakedPassword, why)
	if err != nil {
		return err
	}
	t.risen = now.Level != t.s.Risk.Level
	t.s.Risk = &now
	if t.s.Basis != nil {
		b := *t.s.Basis
		b.Risk = string(now.Level)
		t.s.Basis = &b
	}
	return nil
}

// reconsider asks policies anew where the password that was just shown changed the level of risk. It says why nobody gets in at that level, or whether
// other challenges are left now; what was passed counts for them. Who was let in past all rules, or without further factors, stays so.
func (t *turn) reconsider(ctx context.Context) (why string, more bool, err error) {
	if !t.risen || t.s.Exempt || t.s.Rescued || t.person.ID == "" {
		return "", false, nil
	}
	t.risen = false
	p, err := t.profileFor(ctx, t.c, t.person, t.s.radius(), t.s.Risk)
	if err != nil || p.Refused != "" {
		return p.Refused, false, err
	}
	if p.ID == "" || p.ID == t.s.Profile {
		return "", false, nil
	}
	rest, err := t.left(ctx, p)
	if err != nil {
		return "", false, err
	}
	if rest == nil {
		return whyNothing, false, nil
	}
	t.profile, t.s.Profile, t.s.Revision, t.s.Skipped = p, p.ID, p.Revision, false
	if len(rest) == 0 {
		return "", false, nil
	}
	t.s.At++
	t.s.Challenges, t.s.Narrowed = append(slices.Clone(t.s.Challenges[:t.s.At]), rest...), t.s.At
	return "", true, nil
}

// left are the challenges of a profile that are left to somebody who passed some mechanisms, of those that they have enrolled; nil where they cannot pass
// them. A mechanism that could answer several answers the first, as at sign-in, unless that leaves one which they cannot pass.
func (t *turn) left(ctx context.Context, p Profile) ([][]factor.Challenge, error) {
	first := slices.Clone(p.Challenges)
	for _, name := range t.s.Passed {
		if at := slices.IndexFunc(first, func(names []string) bool { return slices.Contains(names, name) }); at >= 0 {
			first = slices.Delete(first, at, at+1)
		}
	}
	for i, names := range first {
		first[i] = unused(names, t.s.Passed)
	}
	for _, names := range [][][]string{first, profile.Lacking(p.Challenges, t.s.Passed)} {
		made, err := t.offers(ctx, t.c, subject{real: t.person, shown: t.person, mfa: t.mfa}, names, p.Questions)
		if err != nil {
			return nil, err
		}
		made = slices.DeleteFunc(made, func(one []factor.Challenge) bool { return len(one) == 0 })
		if len(made) == len(names) && passable(made, nil) || len(made) > 0 && !p.RequireSecond {
			return distinct(made), nil
		}
	}
	return nil, nil
}
