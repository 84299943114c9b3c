package policy

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/dbx"
)

// Explained is a decision about a person, and whether they can follow it.
type Explained struct {
	Decision
	Able bool // they are not refused, and have enrolled enough
}

// Explain decides about a person's sign-in in a situation, as signing in does.
func (p *Policies) Explain(ctx context.Context, c *call.Call, personID string, at Situation) (Explained, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return Explained{}, err
	}
	roles, err := p.rolesOf(ctx, c, personID)
	if err != nil {
		return Explained{}, err
	}
	return p.explain(ctx, c, s, personID, roles, at)
}

func (p *Policies) explain(ctx context.Context, c *call.Call, s *snapshot, personID string, roles []string, at Situation) (e Explained, err error) {
	if e.Decision, err = p.decide(ctx, c, s.resultant(roles), at); err != nil {
		return e, err
	}
	e.Able, err = p.could(ctx, c, personID, e.Decision)
	return e, err
}

// Affected is what a proposal changes for somebody.
type Affected struct {
	Person        string // UUID
	Before, After Explained
	Settings      []string // keys whose value in the resultant set is another one, sorted
}

// Changes says whether anything is different.
func (a Affected) Changes() bool {
	return len(a.Settings) > 0 || a.Before.Verdict != a.After.Verdict || a.Before.Able != a.After.Able || profileOf(a.Before) != profileOf(a.After)
}

func profileOf(e Explained) string {
	if e.Profile == nil {
		return ""
	}
	return e.Profile.ID
}

// Simulate says what saving a policy set would change for people, without storing anything: a set that is there is
// replaced, whatever its stamp, and another one is added. Whom it changes nothing for is left out, and so is who does not
// exist. Faults: those of Save.
func (p *Policies) Simulate(ctx context.Context, c *call.Call, in Save, people []string, at Situation) ([]Affected, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, err
	}
	would, err := p.Propose(ctx, c, Proposal{Save: &in})
	if err != nil {
		return nil, err
	}
	then := would.s
	out := []Affected{}
	for _, id := range people {
		a, err := p.affected(ctx, c, s, then, id, at)
		if errors.Is(err, role.ErrMember) || errors.Is(err, dbx.ErrNoRow) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if a.Changes() {
			out = append(out, a)
		}
	}
	return out, nil
}

func (p *Policies) affected(ctx context.Context, c *call.Call, now, then *snapshot, id string, at Situation) (a Affected, err error) {
	a.Person = id
	roles, err := p.rolesOf(ctx, c, id)
	if err != nil {
		return a, err
	}
	if a.Before, err = p.explain(ctx, c, now, id, roles, at); err != nil {
		return a, err
	}
	if a.After, err = p.explain(ctx, c, then, id, roles, at); err != nil {
		return a, err
	}
	a.Settings = now.resultant(roles).differs(then.resultant(roles))
	return a, nil
}

// differs lists the keys whose values are not the same.
func (r *Resultant) differs(o *Resultant) (keys []string) {
	for folded, s := range r.settings {
		if other, ok := o.settings[folded]; !ok || !bytes.Equal(s.Value, other.Value) {
			keys = append(keys, s.Key)
		}
	}
	for folded, s := range o.settings {
		if _, ok := r.settings[folded]; !ok {
			keys = append(keys, s.Key)
		}
	}
	slices.Sort(keys)
	return keys
}
