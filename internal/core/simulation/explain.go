package simulation

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/policy"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// Explain says how somebody signs in now, in a situation, and why, and what they are in. user.ErrNotFound when there is no such
// person.
func (s *Simulator) Explain(ctx context.Context, c *call.Call, personID string, at policy.Situation) (Way, role.Membership, error) {
	r := &run{Simulator: s, c: c, end: time.Now().Add(time.Minute), people: map[string]*subject{}, ways: map[string]*Way{}}
	r.memo = [2]map[memoKey]*verdict{{}, {}}
	if err := r.views(ctx, Change{}); err != nil {
		return Way{}, role.Membership{}, err
	}
	if err := r.know(ctx, []string{personID}); err != nil {
		return Way{}, role.Membership{}, err
	}
	is := r.people[personID]
	if is == nil {
		return Way{}, role.Membership{}, user.ErrNotFound
	}
	v, err := r.decide(ctx, 0, is.before.Roles, at)
	if err != nil {
		return Way{}, *is.before, err
	}
	w, exists, err := r.way(ctx, 0, personID, v)
	if err != nil || !exists {
		return Way{}, *is.before, err
	}
	return *w, *is.before, nil
}
