package dynamic

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// maxDeaths is how often a script may end its process within one batch: enough to find the one person of whom it does.
const maxDeaths = 8

// read runs f in a snapshot of a tenant.
func (s *Scripts) read(ctx context.Context, tenant string, f func(c *call.Call) error) error {
	return s.DB.Read(ctx, func(tx *dbx.Tx) error {
		return f(&call.Call{Tenant: call.Tenant{ID: tenant}, Tx: tx, Now: time.Now(), Rand: rand.Reader})
	})
}

// asked is what a script is asked of people, as one snapshot has it.
type asked struct {
	scripts []Script
	read    map[string]reading
	known   []role.Role
	people  []seen
}

// load reads the scripts of a tenant, and people, of whom those are left out who are gone.
func (s *Scripts) load(ctx context.Context, tenant string, users []string) (out asked, err error) {
	err = s.read(ctx, tenant, func(c *call.Call) (err error) {
		out = asked{}
		if out.scripts, out.read, err = s.scripts(ctx, c); err != nil {
			return err
		}
		if out.known, err = s.Roles.List(ctx, c); err != nil {
			return err
		}
		for _, id := range users {
			r, err := person.One(ctx, c.Tx, tenant, id)
			if errors.Is(err, dbx.ErrNoRow) {
				continue
			}
			if err != nil {
				return err
			}
			p, err := s.see(ctx, c, r)
			if err != nil {
				return err
			}
			out.people = append(out.people, p)
		}
		return nil
	})
	return out, err
}

// owed are the people of whom something changed that a script reads, and whom it has not judged since.
func (a *asked) owed(is Script, at progress) []seen {
	return slices.DeleteFunc(slices.Clone(a.people), func(p seen) bool { return !a.read[is.Role].matters(p.what) || at.has(is, &p) })
}

// now has the scripts that read what changed judge these people. When there is no time left, who is not judged yet waits; what
// some scripts have said of them stands, or they would come round for ever.
func (s *Scripts) now(ctx context.Context, tenant string, users ...string) error {
	a, err := s.load(ctx, tenant, users)
	if err != nil {
		return err
	}
	at := s.progress(tenant)
	var short error
	wait := map[string]bool{}
	for _, is := range a.scripts {
		some := a.owed(is, at)
		if len(some) > 0 && short == nil {
			err := s.some(ctx, tenant, is, some, a.known)
			if err != nil && !errors.Is(err, ErrShare) {
				return err
			}
			if short = err; short == nil {
				at.add(is, some)
			}
		}
		for i := 0; short != nil && i < len(some); i++ {
			wait[some[i].ID] = true
		}
	}
	done := slices.DeleteFunc(slices.Clone(users), func(id string) bool { return wait[id] })
	err = s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) error { return settled(ctx, c, done, a.people) })
	if err != nil {
		return err
	}
	for _, id := range done {
		delete(at, id)
	}
	if short == nil {
		return nil
	}
	return errors.Join(short, s.crowd(ctx, tenant))
}

// some has one script judge some people.
func (s *Scripts) some(ctx context.Context, tenant string, is Script, people []seen, known []role.Role) error {
	verdicts, err := s.judge(ctx, tenant, is, people, known, false)
	if err != nil {
		return err
	}
	return s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) error {
		now, err := lock.One(ctx, c.Tx, c.Tenant.ID, is.Role)
		if errors.Is(err, dbx.ErrNoRow) || err == nil && now.Revision != is.Revision {
			return nil // another script is about to judge everybody
		}
		if err != nil {
			return err
		}
		return s.apply(ctx, c, now, people, verdicts)
	})
}

// settled notes that people were judged, unless something changed again meanwhile. Those whose roles change by themselves are
// due then; those who are gone are forgotten.
func settled(ctx context.Context, c *call.Call, users []string, people []seen) error {
	for _, id := range users {
		i := slices.IndexFunc(people, func(p seen) bool { return p.ID == id })
		if i < 0 {
			if _, err := forget.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
				return err
			}
			continue
		}
		due, what := int64(0), ""
		if !people[i].until.IsZero() {
			due, what = people[i].until.UnixMilli(), roles
		}
		if _, err := settle.Do(ctx, c.Tx, due, what, c.Now.UnixMilli(), c.Tenant.ID, id, people[i].token); err != nil {
			return err
		}
	}
	return nil
}

// judge asks a script about people. A failure of the script is in the verdicts.
func (s *Scripts) judge(ctx context.Context, tenant string, is Script, people []seen, known []role.Role, pass bool) ([]Verdict, error) {
	b := Batch{Tenant: tenant, Script: is.Text, Roles: known, Now: time.Now(), Pass: pass}
	for _, p := range people {
		b.People = append(b.People, p.Person)
	}
	deaths := 0
	return s.ask(ctx, b, &deaths)
}

// ask runs a script for people. When it fails as a whole, each half of them is tried by itself: of whom it does not fail shall
// not wait for somebody else's sake.
func (s *Scripts) ask(ctx context.Context, b Batch, deaths *int) ([]Verdict, error) {
	verdicts, err := s.Judge(ctx, b)
	if err == nil {
		return verdicts, nil
	}
	f := fault.Of(err)
	own := f.Kind == fault.Invalid || f.Kind == fault.TooLarge
	switch {
	case ctx.Err() != nil:
		return nil, err
	case f.Kind == fault.Unavailable:
		return nil, outage{f}
	case !own && (*deaths == 0 || !errors.Is(err, ErrShare)):
		return nil, err
	}
	*deaths++
	if !own || len(b.People) == 1 || *deaths >= maxDeaths {
		// Nobody knows what it would have read.
		return slices.Repeat([]Verdict{{Error: f.Public, Read: []string{all}}}, len(b.People)), nil
	}
	first, second := b, b
	first.People, second.People = b.People[:len(b.People)/2], b.People[len(b.People)/2:]
	if verdicts, err = s.ask(ctx, first, deaths); err != nil {
		return nil, err
	}
	more, err := s.ask(ctx, second, deaths)
	return append(verdicts, more...), err
}

// applied is what became of verdicts.
type applied struct {
	limits
	why          string // why the script failed for somebody; empty: it did not
	joined, left []string
}

// apply stores what a script said, as far as it was said about what still is. Whoever calls it holds the script's row.
func (s *Scripts) apply(ctx context.Context, c *call.Call, is Script, people []seen, verdicts []Verdict) error {
	l, err := s.limits(ctx, c, is.Role)
	if err != nil {
		return err
	}
	if err := s.learn(ctx, c, is.Role, l, verdicts); err != nil {
		return err
	}
	a := applied{limits: l}
	for i := range people {
		if err := s.decide(ctx, c, is, &people[i], &verdicts[i], &a); err != nil {
			return err
		}
	}
	if err := s.told(ctx, c, is, a.joined, a.left); err != nil || a.why == "" {
		return err
	}
	return s.failed(ctx, c, is, a.why)
}

// learn notes what a script has read, and whether it matters what the role carries.
func (s *Scripts) learn(ctx context.Context, c *call.Call, roleID string, l limits, verdicts []Verdict) error {
	read := map[string]bool{}
	for _, v := range verdicts {
		for _, name := range v.Read {
			read[name] = true
		}
		if v.Error == "" && len(among(l.own, v.Read)) > 0 {
			read[rights] = true
		}
	}
	for name := range read {
		if _, err := addRead.Do(ctx, c.Tx, c.Tenant.ID, roleID, name); err != nil {
			return err
		}
	}
	return nil
}

// decide stores one verdict.
func (s *Scripts) decide(ctx context.Context, c *call.Call, is Script, p *seen, v *Verdict, a *applied) error {
	if v.Error != "" {
		a.why = cmp.Or(a.why, p.Name+": "+v.Error)
		return nil
	}
	m, err := markOf.One(ctx, c.Tx, c.Tenant.ID, p.ID)
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return err
	}
	if m.Token != "" && m.Token != p.token {
		// It was said about somebody who has changed. What has changed need not matter to this script, which owes a verdict.
		return s.Note(ctx, c, p.ID, all)
	}
	if !p.until.IsZero() {
		if _, err := await.Do(ctx, c.Tx, c.Tenant.ID, p.ID, c.NewID(), roles, p.until.UnixMilli(), c.Now.UnixMilli()); err != nil {
			return err
		}
	}
	why := a.chosen(v)
	if why != "" {
		a.why = cmp.Or(a.why, p.Name+" "+why)
	}
	in := v.Member != nil && *v.Member && why == ""
	changed, err := s.Roles.Decide(ctx, c, is.Role, p.ID, in)
	switch {
	case errors.Is(err, role.ErrMember):
		return nil // deleted meanwhile
	case errors.Is(err, role.ErrLast):
		a.why = cmp.Or(a.why, p.Name+": "+role.ErrLast.Public)
		return nil
	case err != nil:
		return err
	case changed && in:
		a.joined = append(a.joined, p.ID)
	case changed:
		a.left = append(a.left, p.ID)
	}
	return nil
}

// told leaves an event of who joined and left.
func (s *Scripts) told(ctx context.Context, c *call.Call, is Script, joined, left []string) error {
	if len(joined)+len(left) == 0 {
		return nil
	}
	r, err := s.Roles.Get(ctx, c, is.Role)
	if err != nil {
		return err
	}
	e := c.Record(audit.RoleMembers)
	e.Target, e.Kind, e.Name = r.ID, "Role", r.Name
	if len(joined) > 0 {
		e.Set("Added", joined)
	}
	if len(left) > 0 {
		e.Set("Removed", left)
	}
	return nil
}
