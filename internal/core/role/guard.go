package role

import (
	"context"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/dbx"
)

// Protected says whether only system administrators may change somebody's account and factors: a system administrator's,
// and that of a person whose factors answer for one, for with these the administrator's password is recovered. From and
// until of a membership do not matter: whoever was one or will be is protected as well.
func (r *Roles) Protected(ctx context.Context, c *call.Call, userID string) (bool, error) {
	is, err := r.IsSystem(ctx, c, userID)
	if err != nil || is {
		return is, err
	}
	s, err := r.now(ctx, c)
	if err != nil {
		return false, err
	}
	of := dbx.In("role", slices.Sorted(maps.Keys(s.into(System, 0, true)))...)
	rows, err := systems.Rows(ctx, c.Tx, dbx.And(of, dbx.Or(dbx.Eq("member", userID), dbx.Eq("mfa_user", userID))), nil, 1, c.Tenant.ID)
	return len(rows) > 0, err
}

// Stronger says whether somebody, or whoever they answer for with their factors, holds rights that the caller does not
// hold, or for longer than the caller: with their account the caller would have them. As with Protected, from and until of
// what somebody held do not matter. What everybody holds counts for nothing: whoever may change people may also create one.
func (r *Roles) Stronger(ctx context.Context, c *call.Call, userID string) (bool, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return false, err
	}
	in, err := behind.All(ctx, c.Tx, c.Tenant.ID, userID, c.Tenant.ID, userID)
	if err != nil {
		return false, err
	}
	all := walk{s: s, always: true, in: map[string]bool{}, people: []string{userID}}
	if len(s.scopes) > 0 {
		answers, err := answered.All(ctx, c.Tx, c.Tenant.ID, userID)
		if err != nil {
			return false, err
		}
		all.people = append(all.people, answers...)
	}
	for _, m := range in {
		all.enter(m.Role)
	}
	own := walk{s: s, now: c.Now.UnixMilli(), in: map[string]bool{}}
	own.enter(Everybody)
	mine := c.Caller.Held.And(own.membership().Held)
	if !mine.Covers(all.membership().Held) {
		return true, nil
	}
	return r.outlasted(ctx, c, s, in, all.people)
}

// outlasted says whether rights of roles and people end later than the caller's: who administers for a time could keep an
// account for longer.
func (r *Roles) outlasted(ctx context.Context, c *call.Call, s *snapshot, in []behindRow, people []string) (bool, error) {
	mine, err := r.power(ctx, c, s)
	if err != nil || mine.of[reach{path: everything}] == endless {
		return false, err
	}
	now := c.Now.UnixMilli()
	open := func(since, until int64) bool { return since <= now && now < end(until) }
	ahead := func(_, until int64) bool { return now < end(until) }
	for what, until := range s.held(s.reached(map[string]int64{Everybody: endless}, open), open) {
		mine.of.keep(what, until)
	}
	from := map[string]int64{}
	for _, m := range in {
		if ahead(m.Since, m.Until) {
			from[m.Role] = max(from[m.Role], end(m.Until))
		}
	}
	theirs := s.held(s.reached(from, ahead), ahead)
	for _, id := range people {
		s.scoped(theirs, holder{User, id}, endless, ahead)
	}
	for what, until := range theirs {
		if what.known() && !mine.covers(what, until) {
			return true, nil
		}
	}
	return false, nil
}

// known says whether a right is one of this service's, full administration among them.
func (r reach) known() bool { return r.path == everything || right.Parse(r.path) != right.None }

// Guard keeps a caller from taking over somebody's account: that of a system administrator, or of whom one's factors answer
// for (protected), and that of somebody who holds rights that the caller lacks, or holds them for longer (stronger). One's own
// account is no matter of it, and system administrators without an end may change everybody's.
func (r *Roles) Guard(ctx context.Context, c *call.Call, userID string, protected, stronger error) error {
	if c.Caller == nil || userID == c.Caller.User || c.Caller.Means == call.ByShell && c.Caller.Held.System() {
		return nil
	}
	if !c.Caller.Held.System() {
		if is, err := r.Protected(ctx, c, userID); err != nil {
			return err
		} else if is {
			return protected
		}
	}
	is, err := r.Stronger(ctx, c, userID)
	if err == nil && is {
		return stronger
	}
	return err
}

// Opens is asked before something is put below an organization (empty: below none) out of another: whoever holds one of the
// rights over the new place, and not over the old one, comes by it over what is moved, until it is moved back (zero: for good).
// ErrNotHeld unless the caller could give each of them that, and for as long.
func (r *Roles) Opens(ctx context.Context, c *call.Call, from, to string, until time.Time, rights right.Set) error {
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	mine, err := r.power(ctx, c, s)
	if err != nil {
		return err
	}
	back := end(millis(until))
	now, had := c.Now.UnixMilli(), slices.Collect(s.tree.Up(from))
	gains := func(org, path string, held right.Right, until int64) bool {
		return org != "" && rights.Has(held) && end(until) > now && s.tree.Within(to, org) && !slices.Contains(had, org) &&
			!mine.covers(reach{path, from}, min(end(until), back))
	}
	for id, held := range s.rights {
		for _, h := range held {
			if gains(s.roles[id].Org, h.path, h.right, h.until) {
				return ErrNotHeld
			}
		}
	}
	for _, scopes := range s.scopes {
		for _, o := range scopes {
			if gains(o.Org, o.Right.Info().Path, o.Right, o.Until) {
				return ErrNotHeld
			}
		}
	}
	return nil
}
