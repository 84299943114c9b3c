package role

import (
	"context"
	"math"

	"limen/internal/call"
	"limen/internal/core/right"
)

// Nobody comes by a right through roles that they, or whoever gave it to them, did not hold for as long: who changes who
// is in a role must hold every right that the role carries, by itself or through the roles it is in, now or at a later
// time. That is what power and carried compare.

// endless stands for a time without end.
const endless = math.MaxInt64

// end is the stored end of a window as a moment that can be compared.
func end(until int64) int64 {
	if until == 0 {
		return endless
	}
	return until
}

// reach is a right, by its path, over an organization and all below it; over none: everywhere.
type reach struct{ path, org string }

// terms are rights with the moment until which they are held.
type terms map[reach]int64

// keep notes that a right is held until a moment.
func (t terms) keep(r reach, until int64) { t[r] = max(t[r], until) }

// power is what somebody may give to others.
type power struct {
	all bool
	of  terms
}

// covers says whether a right may be given until a moment.
func (p power) covers(r reach, until int64) bool {
	return p.all || p.of[r] >= until || p.of[reach{path: r.path}] >= until
}

// reached gives the roles that one is in by being in some, each with the moment until which one stays in it.
func (s *snapshot) reached(from map[string]int64, open func(since, until int64) bool) map[string]int64 {
	return s.along(s.parents, from, open)
}

// along gives the roles to which edges lead from some, each with the moment until which the way there is open.
func (s *snapshot) along(edges map[string][]edge, from map[string]int64, open func(since, until int64) bool) map[string]int64 {
	out := map[string]int64{}
	var todo []string
	enter := func(role string, until int64) {
		if _, known := s.roles[role]; known && until > out[role] {
			out[role] = until
			todo = append(todo, role)
		}
	}
	for role, until := range from {
		enter(role, until)
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range edges[id] {
			if open(e.since, e.until) {
				enter(e.to, min(out[id], end(e.until)))
			}
		}
	}
	return out
}

// held gives the rights of roles, each with the moment until which one holds it. Those over an organization are told for
// each below it, too.
func (s *snapshot) held(roles map[string]int64, open func(since, until int64) bool) terms {
	out := terms{}
	for id, until := range roles {
		for _, h := range s.rights[id] {
			if open(h.since, h.until) {
				s.overAll(out, reach{h.path, s.roles[id].Org}, min(until, end(h.until)))
			}
		}
		s.scoped(out, holder{Sub, id}, until)
	}
	return out
}

// scoped adds what somebody holds over organizations.
func (s *snapshot) scoped(out terms, who holder, until int64) {
	for _, o := range s.scopes[who] {
		s.overAll(out, reach{o.Right.Info().Path, o.Org}, until)
	}
}

func (s *snapshot) overAll(out terms, r reach, until int64) {
	out.keep(r, until)
	if r.org == "" {
		return
	}
	for _, below := range s.below[r.org] {
		out.keep(reach{r.path, below}, until)
	}
}

// carried is what a role gives its members now or at a later time.
func (s *snapshot) carried(roleID string, now int64) terms {
	ahead := func(_, until int64) bool { return end(until) > now }
	return s.held(s.reached(map[string]int64{roleID: endless}, ahead), ahead)
}

// power is what the caller may give. What the store says counts besides what the call says: rights that end are not
// given for longer.
func (r *Roles) power(ctx context.Context, c *call.Call, s *snapshot) (power, error) {
	switch {
	case c.Caller == nil:
		return power{}, nil
	case mayTouchSystem(c):
		return power{all: true}, nil
	}
	rows, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, c.Caller.User)
	if err != nil || len(rows) == 0 {
		return power{}, err
	}
	now := c.Now.UnixMilli()
	open := func(since, until int64) bool { return since <= now && now < end(until) }
	from := map[string]int64{}
	if rows[0].Everybody {
		from[Everybody] = endless
	}
	for _, m := range rows {
		if m.Role != nil && open(*m.Since, *m.Until) {
			from[*m.Role] = max(from[*m.Role], end(*m.Until))
		}
	}
	has := s.held(s.reached(from, open), open)
	s.scoped(has, holder{User, c.Caller.User}, endless)
	return power{of: has.confined(c.Caller.Held)}, nil
}

// confined leaves of what somebody has what the call says they hold, and adds the rights that hold nothing beyond it.
func (t terms) confined(by right.Held) terms {
	out := terms{}
	for r, until := range t {
		known := right.Parse(r.path)
		if known == right.None {
			out.keep(r, until)
			continue
		}
		if !by.Over(known, r.org) {
			continue
		}
		for _, less := range right.Of(known).Reach().Rights() {
			out.keep(reach{less.Info().Path, r.org}, until)
		}
	}
	return out
}

// outranked fails with ErrNotHeld when a role carries a right that the caller may not give, to members who stay until a
// moment.
func (r *Roles) outranked(ctx context.Context, c *call.Call, roleID string, until int64) error {
	if mayTouchSystem(c) {
		return nil
	}
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	carried := s.carried(roleID, c.Now.UnixMilli())
	if len(carried) == 0 {
		return nil
	}
	mine, err := r.power(ctx, c, s)
	if err != nil {
		return err
	}
	for what, ends := range carried {
		if !mine.covers(what, min(ends, until)) {
			return ErrNotHeld
		}
	}
	return nil
}

// moment is an end that anybody covers who holds the right now.
func moment(c *call.Call) int64 { return c.Now.UnixMilli() + 1 }

// Fills fails when the caller may not decide who is in a role: ErrSystem, or ErrNotHeld when it carries rights that the
// caller does not hold without end. It is for what makes members other than Add, such as the script of a dynamic role.
func (r *Roles) Fills(ctx context.Context, c *call.Call, roleID string) error {
	if _, err := r.changeable(ctx, c, roleID, false); err != nil {
		return err
	}
	return r.outranked(ctx, c, roleID, endless)
}
