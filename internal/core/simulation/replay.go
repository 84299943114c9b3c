package simulation

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/policy"
	"limen/internal/core/risk"
	"limen/internal/fold"
)

// maxReached is how many people a change of roles is followed to.
const maxReached = 100_000

// chosen compares for the people that were named.
func (r *run) chosen(ctx context.Context, _ Change) error {
	if err := r.know(ctx, r.q.People); err != nil {
		return err
	}
	for _, id := range r.q.People {
		s := r.people[id]
		if s == nil {
			continue
		}
		if _, err := r.judge(ctx, s, r.q.At); err != nil {
			return err
		}
	}
	return nil
}

// judge compares the two ways of a sign-in, and keeps them where they are not the same.
func (r *run) judge(ctx context.Context, s *subject, at policy.Situation) (other bool, err error) {
	before, err := r.decide(ctx, 0, s.before.Roles, at)
	if err != nil {
		return false, err
	}
	after, err := r.decide(ctx, 1, s.after.Roles, at)
	if err != nil || before.key == after.key {
		return false, err
	}
	was, exists, err := r.way(ctx, 0, s.found.ID, before)
	if err != nil || !exists {
		return false, err
	}
	would, _, err := r.way(ctx, 1, s.found.ID, after)
	if err != nil || was.same(would) {
		return false, err
	}
	if s.found.Before == nil { // the newest, for they come in this order
		s.found.Before, s.found.After, s.found.At = was, would, at.Time
	}
	return true, nil
}

// locks says whether somebody would be refused who is not now.
func locks(was, would *Way) bool { return was.Refused == "" && would.Refused != "" }

// reached reads those whom a change of roles concerns.
func (r *run) reached(ctx context.Context, change Change) error {
	if len(change.Roles) == 0 {
		return nil
	}
	ids, more, err := r.Roles.Reached(ctx, r.c, change.Roles, r.roles[0], r.roles[1], maxReached)
	if err != nil {
		return err
	}
	if err := r.know(ctx, ids); err != nil {
		return err
	}
	if more {
		r.out.Truncated = "The change reaches more people than were looked at."
	}
	return nil
}

// recorded is the part of an event's fields that is needed.
type recorded struct {
	SignIn *login.Basis `json:"SignIn"`
}

// page is how many events are read at once.
const page = 5000

// replay decides the recorded sign-ins anew, the newest first: those that succeeded, and those that were refused by rule. Who
// gave a wrong answer is none of them.
func (r *run) replay(ctx context.Context, _ Change) error {
	if r.q.Days <= 0 {
		return nil
	}
	since := r.c.Now.Add(-time.Duration(r.q.Days) * 24 * time.Hour).UnixMilli()
	for _, kind := range []string{audit.Login, audit.ServiceLogin, audit.LoginFail} {
		var last *audit.SignIn
		for n := 0; ; {
			rows, err := r.Events.SignIns(ctx, r.c, kind, since, last, page)
			if err != nil {
				return err
			}
			if err := r.some(ctx, rows, kind == audit.LoginFail); err != nil || r.out.Truncated != "" {
				return err
			}
			if len(rows) < page {
				break
			}
			if n += page; n >= MaxReplayed {
				r.out.Truncated = "There are more recorded sign-ins than are decided anew."
				return nil
			}
			last = &rows[page-1]
		}
	}
	return nil
}

// some decides a page of them.
func (r *run) some(ctx context.Context, rows []audit.SignIn, failures bool) error {
	seen := make([]*login.Basis, len(rows))
	ids := make([]string, len(rows))
	for i, row := range rows {
		var f recorded
		if json.Unmarshal([]byte(row.Fields), &f) == nil {
			seen[i] = f.SignIn
		}
		if failures && (seen[i] == nil || !seen[i].Refused) {
			continue
		}
		if ids[i] = row.User; seen[i] != nil && seen[i].Person != "" {
			ids[i] = seen[i].Person
		}
	}
	if err := r.know(ctx, ids); err != nil {
		return err
	}
	for i, id := range ids {
		if id == "" && failures {
			continue
		}
		if i%100 == 0 && r.over(ctx) {
			return nil
		}
		if at := rows[i].At; r.out.Oldest == 0 || at < r.out.Oldest {
			r.out.Oldest = at
		}
		s := r.people[id]
		if s == nil || seen[i] == nil {
			r.out.Unrecorded++
			continue
		}
		if err := r.again(ctx, s, seen[i]); err != nil {
			return err
		}
	}
	return nil
}

// again decides one recorded sign-in.
func (r *run) again(ctx context.Context, s *subject, b *login.Basis) error {
	r.out.Replayed++
	s.found.SignIns++
	at := situation(b)
	other, err := r.judge(ctx, s, at)
	if err != nil || !other {
		return err
	}
	r.out.Otherwise++
	s.found.Otherwise++
	was, would, err := r.pair(ctx, s, at)
	switch {
	case err != nil:
		return err
	case locks(was, would):
		r.out.LockedOut++
		s.found.LockedOut++
	case locks(would, was):
		r.out.Released++
	}
	return nil
}

// pair gives the two ways of a sign-in that was judged; they are remembered.
func (r *run) pair(ctx context.Context, s *subject, at policy.Situation) (was, would *Way, err error) {
	for side, roles := range [][]string{s.before.Roles, s.after.Roles} {
		v, err := r.decide(ctx, side, roles, at)
		if err != nil {
			return nil, nil, err
		}
		w, _, err := r.way(ctx, side, s.found.ID, v)
		if err != nil {
			return nil, nil, err
		}
		if side == 0 {
			was = w
		} else {
			would = w
		}
	}
	return was, would, nil
}

// situation is where, when and with what a recorded sign-in began.
func situation(b *login.Basis) policy.Situation {
	at := policy.Situation{Time: b.At, Known: b.Known, OS: b.OS, Browser: b.Browser, Country: b.Country, Risk: risk.Level(b.Risk)}
	at.IP, _ = netip.ParseAddr(b.IP)
	return at
}

// affected says whether anything would change for somebody.
func (p *Person) affected() bool {
	return p.Otherwise > 0 || p.Before != nil || len(p.Settings)+len(p.Gained)+len(p.Lost)+len(p.Joined)+len(p.Left) > 0
}

// list counts those affected, and lists the first of them: who is locked out, then those with most sign-ins, then by id.
func (r *run) list(ctx context.Context) error {
	var all []*subject
	for _, s := range r.people {
		if s != nil && s.found.affected() {
			all = append(all, s)
		}
	}
	locked := func(p *Person) int {
		if p.LockedOut > 0 || p.Before != nil && locks(p.Before, p.After) {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b *subject) int {
		return cmp.Or(locked(&b.found)-locked(&a.found), b.found.Otherwise-a.found.Otherwise, cmp.Compare(a.found.ID, b.found.ID))
	})
	r.out.People = []Person{}
	for _, s := range all {
		// Who may not be seen is not counted either. Those beyond the list are read only where that matters.
		if len(r.out.People) >= r.q.Most && r.q.Grant.Everything() {
			r.out.Affected++
			continue
		}
		u, err := r.user(ctx, s.found.ID)
		if err != nil {
			return err
		}
		if !r.q.Grant.Allows(u.ID, u.Org) {
			continue
		}
		if r.out.Affected++; len(r.out.People) < r.q.Most {
			r.out.People = append(r.out.People, s.found)
		}
	}
	slices.SortStableFunc(r.out.People, func(a, b Person) int {
		return cmp.Or(locked(&b)-locked(&a), b.Otherwise-a.Otherwise, cmp.Compare(fold.Key(a.Name), fold.Key(b.Name)))
	})
	return nil
}
