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
	"limen/internal/core/job"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
)

type clockRow struct {
	Tenant string `db:"tenant"`
	Role   string `db:"role"`
}

type dueRow struct {
	Tenant string `db:"tenant"`
	User   string `db:"user_id"`
}

var (
	dueRows = dbx.Q[dueRow]("dynamic.due", `SELECT tenant, user_id FROM role_script_person WHERE due <> 0 AND due <= ? ORDER BY due LIMIT ?`)
	dueOf   = dbx.Q[int64]("dynamic.dueOf", `SELECT due FROM role_script_person WHERE tenant = ? AND user_id = ?`)
	clocks  = dbx.Q[clockRow]("dynamic.clocks", `SELECT tenant, role FROM role_script_read WHERE name = ?`)
	tidy    = dbx.E("dynamic.tidy", `DELETE FROM role_script_person WHERE due = 0 AND changed < ?`)
)

// Catch judges whose attributes changed, until nobody is left. One node at a time does so.
func (s *Scripts) Catch(ctx context.Context) error {
	for time.Now().UnixMilli() >= s.rest.Load() {
		var rows []dueRow
		err := s.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			rows, err = dueRows.All(ctx, tx, time.Now().UnixMilli(), batch)
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		of := map[string][]string{}
		for _, r := range rows {
			of[r.Tenant] = append(of[r.Tenant], r.User)
		}
		for tenant, users := range of {
			if err := s.Now(ctx, tenant, users...); err != nil {
				s.rest.Store(time.Now().Add(time.Minute).UnixMilli())
				return err
			}
		}
	}
	return nil
}

// Ready judges a person whose attributes changed, if that has not been done yet: who signs in shall hold what they should. That
// scripts cannot run is no reason to keep anybody out.
func (s *Scripts) Ready(ctx context.Context, tenant, userID string) error {
	due := int64(0)
	err := s.read(ctx, tenant, func(c *call.Call) (err error) {
		due, err = dueOf.One(ctx, c.Tx, tenant, userID)
		if errors.Is(err, dbx.ErrNoRow) {
			err = nil
		}
		return err
	})
	if err != nil || due == 0 || due > time.Now().UnixMilli() {
		return err
	}
	if err = s.Now(ctx, tenant, userID); fault.Of(err) != nil && fault.Of(err).Kind == fault.Unavailable {
		return nil
	}
	return err
}

// Tick has the scripts that read the time judge everybody.
func (s *Scripts) Tick(ctx context.Context) error {
	var rows []clockRow
	err := s.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = clocks.All(ctx, tx, clock)
		return err
	})
	for _, r := range rows {
		if err != nil {
			return err
		}
		err = s.Write(ctx, r.Tenant, func(ctx context.Context, c *call.Call) error {
			is, err := s.Of(ctx, c, r.Role)
			if err == nil {
				err = s.again(ctx, c, is, false)
			}
			return err
		})
	}
	return err
}

// Tidy forgets changes that were judged long ago.
func (s *Scripts) Tidy(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := tidy.Do(ctx, tx, time.Now().Add(-24*time.Hour).UnixMilli())
		return err
	})
}

// read runs f in a snapshot of a tenant.
func (s *Scripts) read(ctx context.Context, tenant string, f func(c *call.Call) error) error {
	return s.DB.Read(ctx, func(tx *dbx.Tx) error {
		return f(&call.Call{Tenant: call.Tenant{ID: tenant}, Tx: tx, Now: time.Now(), Rand: rand.Reader})
	})
}

// Now has the scripts that read what changed judge these people.
func (s *Scripts) Now(ctx context.Context, tenant string, users ...string) error {
	var scripts []Script
	var known []role.Role
	var read map[string]map[string]bool
	var people []seen
	err := s.read(ctx, tenant, func(c *call.Call) (err error) {
		if scripts, read, err = s.scripts(ctx, c); err != nil {
			return err
		}
		if known, err = s.Roles.List(ctx, c); err != nil {
			return err
		}
		people = people[:0]
		for _, id := range users {
			r, err := person.One(ctx, c.Tx, tenant, id)
			if errors.Is(err, dbx.ErrNoRow) {
				continue
			}
			if err != nil {
				return err
			}
			p, err := s.load(ctx, c, r)
			if err != nil {
				return err
			}
			people = append(people, p)
		}
		return nil
	})
	for _, is := range scripts {
		if err != nil {
			return err
		}
		var some []seen
		for _, p := range people {
			if matter(p.what, read[is.Role]) {
				some = append(some, p)
			}
		}
		if len(some) > 0 {
			err = s.judge(ctx, is, some, known, func(f func(context.Context, *call.Call) error) error { return s.Write(ctx, tenant, f) })
		}
	}
	if err != nil {
		return err
	}
	return s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) error { return settled(ctx, c, users, people) })
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

// judge asks a script about people and stores what it says by write. A failure of the script is none of judge.
func (s *Scripts) judge(ctx context.Context, is Script, people []seen, known []role.Role, write func(func(context.Context, *call.Call) error) error) error {
	b := Batch{Script: is.Text, Roles: known, Now: time.Now()}
	for _, p := range people {
		b.People = append(b.People, p.Person)
	}
	verdicts, err := s.Judge(ctx, b)
	if f := fault.Of(err); f != nil {
		if ctx.Err() != nil || f.Kind != fault.Invalid && f.Kind != fault.TooLarge {
			return err
		}
		// Nobody knows what it would have read.
		verdicts = slices.Repeat([]Verdict{{Error: f.Public, Read: []string{all}}}, len(people))
	}
	return write(func(ctx context.Context, c *call.Call) error { return s.apply(ctx, c, is, people, verdicts) })
}

// apply stores what a script said, as far as it was said about what still is.
func (s *Scripts) apply(ctx context.Context, c *call.Call, is Script, people []seen, verdicts []Verdict) error {
	now, err := lock.One(ctx, c.Tx, c.Tenant.ID, is.Role)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && now.Revision != is.Revision {
		return nil
	}
	if err != nil {
		return err
	}
	why, read := "", map[string]bool{}
	var joined, left []string
	for i, p := range people {
		v := verdicts[i]
		for _, name := range v.Read {
			read[name] = true
		}
		if v.Error != "" {
			why = cmp.Or(why, p.Name+": "+v.Error)
			continue
		}
		m, err := markOf.One(ctx, c.Tx, c.Tenant.ID, p.ID)
		if err != nil && !errors.Is(err, dbx.ErrNoRow) {
			return err
		}
		if m.Token != p.token {
			continue // it was said about somebody who has changed; they are due again, or were judged since
		}
		in := v.Member != nil && *v.Member
		changed, err := s.Roles.Decide(ctx, c, is.Role, p.ID, in)
		switch {
		case errors.Is(err, role.ErrMember):
			continue // deleted meanwhile
		case errors.Is(err, role.ErrLast):
			why = cmp.Or(why, p.Name+": "+role.ErrLast.Public)
		case err != nil:
			return err
		case changed && in:
			joined = append(joined, p.ID)
		case changed:
			left = append(left, p.ID)
		}
	}
	if err := s.told(ctx, c, is, joined, left); err != nil {
		return err
	}
	for name := range read {
		if _, err := addRead.Do(ctx, c.Tx, c.Tenant.ID, is.Role, name); err != nil {
			return err
		}
	}
	if why == "" {
		return nil
	}
	return s.failed(ctx, c, now, why)
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

// Everybody is the job: a batch of people in each transaction, until everybody has been judged or another script is set.
func (s *Scripts) Everybody(ctx context.Context, r *job.Run) error {
	var w work
	if err := r.Payload(&w); err != nil {
		return err
	}
	for done := int64(0); ; {
		var is Script
		var known []role.Role
		var people []seen
		err := s.read(ctx, r.Tenant, func(c *call.Call) (err error) {
			if is, err = s.Of(ctx, c, w.Role); err != nil || is.Revision != w.Revision {
				return err
			}
			if known, err = s.Roles.List(ctx, c); err != nil {
				return err
			}
			rows, err := page.All(ctx, c.Tx, r.Tenant, r.Cursor(), batch)
			people = make([]seen, len(rows))
			for i := 0; err == nil && i < len(rows); i++ {
				people[i], err = s.load(ctx, c, rows[i])
			}
			return err
		})
		if err != nil || is.Revision != w.Revision {
			return err
		}
		if len(people) == 0 {
			return s.finish(ctx, r, is)
		}
		next := people[len(people)-1].ID
		if err := s.judge(ctx, is, people, known, func(f func(context.Context, *call.Call) error) error { return r.Do(ctx, next, f) }); err != nil {
			return err
		}
		done += int64(len(people))
		r.Progress(done, 0, "")
	}
}

// finish takes the mark away that any change matters, unless the script failed for somebody: it would run again to no end of
// the same failure, and whom it failed for it may not fail for next time.
func (s *Scripts) finish(ctx context.Context, r *job.Run, was Script) error {
	return r.Do(ctx, r.Cursor(), func(ctx context.Context, c *call.Call) error {
		now, err := lock.One(ctx, c.Tx, c.Tenant.ID, was.Role)
		if errors.Is(err, dbx.ErrNoRow) || err == nil && (now.Revision != was.Revision || now.Error != "") {
			return nil
		}
		if err == nil {
			_, err = dropRead.Do(ctx, c.Tx, c.Tenant.ID, was.Role, unjudged)
		}
		return err
	})
}
