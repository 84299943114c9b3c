package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"limen/internal/core/login"
	"limen/internal/core/policy"
	"limen/internal/core/user"
)

// memoKey is what a decision depends on: people with the same resultant set in situations that its rules do not tell apart are
// decided alike.
type memoKey struct {
	of *policy.Resultant
	at string
}

// verdict is a decision, and what tells it from others.
type verdict struct {
	policy.Decision
	key string
}

// decide decides on one side of the comparison: 0 as it is, 1 as it would be.
func (r *run) decide(ctx context.Context, side int, roles []string, at policy.Situation) (*verdict, error) {
	set := r.policies[side].For(roles)
	key := memoKey{set, set.Facets(at)}
	if v := r.memo[side][key]; v != nil {
		return v, nil
	}
	d, err := r.policies[side].Decide(ctx, set, at)
	if err != nil {
		return nil, err
	}
	v := &verdict{Decision: d}
	if v.key, err = r.keyOf(ctx, side, d); err != nil {
		return nil, err
	}
	r.memo[side][key] = v
	return v, nil
}

// keyOf tells decisions apart by which somebody would be asked something else.
func (r *run) keyOf(ctx context.Context, side int, d policy.Decision) (string, error) {
	switch d.Verdict {
	case policy.ByProfile:
		p := d.Profile
		return fmt.Sprint(d.Verdict, p.ID, p.Rounds(), p.Minutes, p.Questions, d.Lax), nil
	case policy.ByTenant:
		b, err := r.baseOf(ctx, side, user.User{})
		if err != nil {
			return "", err
		}
		return fmt.Sprint(d.Verdict, b.ID, b.Challenges, b.PassFor, b.Questions), nil
	}
	return string(d.Verdict), nil
}

// baseOf is how people, or programs, sign in as far as the settings say.
func (r *run) baseOf(ctx context.Context, side int, u user.User) (login.Profile, error) {
	kind := 0
	if u.Service || u.OAuthClient {
		kind = 1
	}
	if r.base[side][kind] == nil {
		b, err := r.Logins.Base(ctx, r.c, u, r.proposed(side))
		if err != nil {
			return b, err
		}
		r.base[side][kind] = &b
	}
	return *r.base[side][kind], nil
}

// way is what a decision comes to for somebody. Exists is false for somebody who is gone.
func (r *run) way(ctx context.Context, side int, id string, v *verdict) (w *Way, exists bool, err error) {
	key := fmt.Sprint(side, id, v.key)
	if w := r.ways[key]; w != nil {
		return w, true, nil
	}
	u, err := r.user(ctx, id)
	if errors.Is(err, user.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	base, err := r.baseOf(ctx, side, u)
	if err != nil {
		return nil, false, err
	}
	p := v.Put(base, u.Service || u.OAuthClient)
	o, err := r.Logins.Outlook(ctx, r.c, u, p)
	if err != nil {
		return nil, false, err
	}
	w = &Way{Decision: v.Decision, Profile: p.ID, Challenges: o.Challenges, Refused: o.Refused}
	if v.Profile != nil && p.ID == v.Profile.ID {
		w.Name = v.Profile.Name
	}
	r.ways[key] = w
	return w, true, nil
}

// same says whether two ways ask the same of somebody.
func (w *Way) same(o *Way) bool {
	return w.Profile == o.Profile && (w.Refused == "") == (o.Refused == "") &&
		slices.EqualFunc(w.Challenges, o.Challenges, slices.Equal) && w.Decision.Verdict == o.Decision.Verdict
}

func without(a, b []string) (out []string) {
	for _, s := range a {
		if _, in := slices.BinarySearch(b, s); !in {
			out = append(out, s)
		}
	}
	return out
}

func sortRights(rs []Right) {
	slices.SortFunc(rs, func(a, b Right) int { return cmp.Or(strings.Compare(a.Org, b.Org), cmp.Compare(a.Right, b.Right)) })
}
