package role

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

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

// everything is what stands for full administration among the paths of rights, of which none is it.
const everything = "*"

// power is what somebody may give to others.
type power struct {
	of   terms
	tree right.Tree
}

// covers says whether a right may be given until a moment.
func (p power) covers(r reach, until int64) bool {
	if p.of[reach{path: everything}] >= until || p.of[reach{path: r.path}] >= until {
		return true
	}
	for org := range p.tree.Up(r.org) {
		if p.of[reach{r.path, org}] >= until {
			return true
		}
	}
	return false
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

// held gives the rights of roles, each with the moment until which one holds it.
func (s *snapshot) held(roles map[string]int64, open func(since, until int64) bool) terms {
	out := terms{}
	for id, until := range roles {
		if id == System {
			out.keep(reach{path: everything}, until)
		}
		for _, h := range s.rights[id] {
			if open(h.since, h.until) {
				out.keep(reach{h.path, s.roles[id].Org}, min(until, end(h.until)))
			}
		}
		s.scoped(out, holder{Sub, id}, until, open)
	}
	return out
}

// scoped adds what somebody holds over organizations.
func (s *snapshot) scoped(out terms, who holder, until int64, open func(since, until int64) bool) {
	for _, o := range s.scopes[who] {
		if open(o.Since, o.Until) {
			out.keep(reach{o.Right.Info().Path, o.Org}, min(until, end(o.Until)))
		}
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
	case c.Caller.Means == call.ByShell:
		return power{of: terms{{path: everything}: endless}}, nil
	}
	in, open, err := r.stays(ctx, c, s)
	if err != nil || in == nil {
		return power{}, err
	}
	has := s.held(in, open)
	s.scoped(has, holder{User, c.Caller.User}, endless, open)
	return power{has.confined(c.Caller.Held), s.tree}, nil
}

// stays are the roles that the caller is in, each with the moment until which they stay, and what says whether a window is
// open; nil when there is no such person.
func (r *Roles) stays(ctx context.Context, c *call.Call, s *snapshot) (in map[string]int64, open func(since, until int64) bool, err error) {
	rows, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, c.Caller.User)
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	now := c.Now.UnixMilli()
	open = func(since, until int64) bool { return since <= now && now < end(until) }
	from := map[string]int64{}
	if rows[0].Everybody {
		from[Everybody] = endless
	}
	for _, m := range rows {
		if m.Role != nil && open(*m.Since, *m.Until) {
			from[*m.Role] = max(from[*m.Role], end(*m.Until))
		}
	}
	return s.reached(from, open), open, nil
}

// confined leaves of what somebody has what the call says they hold, and adds the rights that hold nothing beyond it.
func (t terms) confined(by right.Held) terms {
	out := terms{}
	for r, until := range t {
		known := right.Parse(r.path)
		switch {
		case r.path == everything && !by.System():
			continue
		case known == right.None:
			out.keep(r, until)
			continue
		}
		over := []string{r.org}
		if !by.Over(known, r.org) {
			over = slices.DeleteFunc(by.In(known), func(org string) bool { return !by.Tree.Within(org, r.org) })
		}
		for _, org := range over {
			for _, less := range right.Of(known).Reach().Rights() {
				out.keep(reach{less.Info().Path, org}, until)
			}
		}
	}
	return out
}

// outranked fails with ErrNotHeld when a role carries a right that the caller may not give, to members who stay until a
// moment, or gives them anything else that is beyond the caller.
func (r *Roles) outranked(ctx context.Context, c *call.Call, roleID string, until int64) error {
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	if r.Beyond != nil {
		if more, err := r.Beyond(ctx, c, s.roles[roleID].Org, roleID); err != nil || more {
			return cmp.Or(err, error(ErrNotHeld))
		}
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

// MayGive fails with ErrNotHeld when the caller does not hold rights over an organization, and for as long as they are to be
// given.
func (r *Roles) MayGive(ctx context.Context, c *call.Call, org string, until time.Time, rights ...right.Right) error {
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	mine, err := r.power(ctx, c, s)
	for _, x := range rights {
		if err == nil && !mine.covers(reach{x.Info().Path, org}, end(millis(until))) {
			err = ErrNotHeld
		}
	}
	return err
}

// Admits fails when the caller may not put somebody into a role until a moment, zero: without end. ErrSystem, ErrDynamic, or ErrNotHeld when
// it carries rights that the caller does not hold for as long. It is for what promises a membership; Add decides when it is given.
func (r *Roles) Admits(ctx context.Context, c *call.Call, roleID string, until time.Time) error {
	if _, err := r.open(ctx, c, roleID, nil); err != nil {
		return err
	}
	return r.outranked(ctx, c, roleID, end(millis(until)))
}

// Fills fails when the caller may not decide who is in a role: ErrSystem, or ErrNotHeld when it carries rights that the
// caller does not hold without end. It is for what makes members other than Add, such as the script of a dynamic role.
func (r *Roles) Fills(ctx context.Context, c *call.Call, roleID string) error {
	if _, err := r.changeable(ctx, c, roleID, false); err != nil {
		return err
	}
	return r.outranked(ctx, c, roleID, endless)
}
