package dynamic

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/dbx"
)

var (
	wish = dbx.E("dynamic.want", `UPDATE role_script SET wanted = wanted + 1, due = 0 WHERE tenant = ? AND role = ?`)
	// The script whose turn it is: each batch puts it behind the others.
	nextPass = dbx.Q[Script]("dynamic.pass", `SELECT `+columns+` FROM role_script WHERE tenant = ? AND wanted <> done AND due <= ? ORDER BY due, role LIMIT 1`)
	begin    = dbx.E("dynamic.begin", `UPDATE role_script SET error = '', failed = 0 WHERE tenant = ? AND role = ?`)
	further  = dbx.E("dynamic.further", `UPDATE role_script SET pass = ?, judged = ?, due = ? WHERE tenant = ? AND role = ?`)
	end      = dbx.E("dynamic.end", `UPDATE role_script SET done = ?, pass = 0, judged = '', due = ?, tries = ?, wanted = ? WHERE tenant = ? AND role = ?`)
	byClock  = dbx.E("dynamic.byClock", `UPDATE role_script SET wanted = wanted + 1 WHERE (tenant, role) IN (SELECT s.tenant, s.role FROM role_script s
		CROSS JOIN role_script_read r WHERE s.wanted = s.done AND r.tenant = s.tenant AND r.role = s.role AND r.name = ? LIMIT ?)`)
)

// want has scripts judge everybody. A pass that is under way goes on to its end, and another one follows.
func (s *Scripts) want(ctx context.Context, c *call.Call, scripts ...Script) error {
	for _, is := range scripts {
		if _, err := wish.Do(ctx, c.Tx, c.Tenant.ID, is.Role); err != nil {
			return err
		}
	}
	return nil
}

// Tick has the scripts that read the time judge everybody.
func (s *Scripts) Tick(ctx context.Context) error {
	return s.DB.Batches(ctx, func(tx *dbx.Tx, most int) (int64, error) { return byClock.Do(ctx, tx, clock, most) })
}

// patience is the time until a script that failed is tried again: it may have been the server's fault.
func patience(tries int64) time.Duration {
	for n, d := range []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute} {
		if tries <= int64(n) {
			return d
		}
	}
	return time.Hour
}

// step is a batch of a pass as one snapshot has it.
type step struct {
	is     Script
	known  []role.Role
	people []seen
}

// further does the next batch of a pass of a tenant's; more tells whether there was one.
func (s *Scripts) further(ctx context.Context, tenant string) (more bool, err error) {
	var st step
	err = s.read(ctx, tenant, func(c *call.Call) (err error) {
		st = step{}
		if st.is, err = nextPass.One(ctx, c.Tx, tenant, c.Now.UnixMilli()); err != nil {
			return err
		}
		if st.known, err = s.Roles.List(ctx, c); err != nil {
			return err
		}
		rows, err := page.All(ctx, c.Tx, tenant, st.is.Judged, batch)
		st.people = make([]seen, len(rows))
		for i := 0; err == nil && i < len(rows); i++ {
			st.people[i], err = s.see(ctx, c, rows[i])
		}
		return err
	})
	if errors.Is(err, dbx.ErrNoRow) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if len(st.people) == 0 {
		return true, s.held(ctx, tenant, st.is, s.finish)
	}
	verdicts, err := s.judge(ctx, tenant, st.is, st.people, st.known, true)
	if err != nil {
		return false, err
	}
	return true, s.held(ctx, tenant, st.is, func(ctx context.Context, c *call.Call, is Script) error {
		return s.save(ctx, c, is, st.people, verdicts)
	})
}

// held runs f with a script's row locked, if the pass is still where it was. A server that was thought dead may have gone on.
func (s *Scripts) held(ctx context.Context, tenant string, was Script, f func(ctx context.Context, c *call.Call, is Script) error) error {
	return s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) error {
		is, err := lock.One(ctx, c.Tx, tenant, was.Role)
		if errors.Is(err, dbx.ErrNoRow) || err == nil && (is.Revision != was.Revision || is.Pass != was.Pass || is.Judged != was.Judged) {
			return nil
		}
		if err != nil {
			return err
		}
		if is.Pass == 0 {
			is.Pass = was.Wanted // what was wished for later may have been seen in part only
		}
		return f(ctx, c, is)
	})
}

// save stores a batch and where the next one begins.
func (s *Scripts) save(ctx context.Context, c *call.Call, is Script, people []seen, verdicts []Verdict) error {
	if is.Judged == "" {
		if err := s.begin(ctx, c, is); err != nil {
			return err
		}
	}
	if _, err := further.Do(ctx, c.Tx, is.Pass, people[len(people)-1].ID, c.Now.UnixMilli(), c.Tenant.ID, is.Role); err != nil {
		return err
	}
	return s.apply(ctx, c, is, people, verdicts)
}

// begin forgets the failures of earlier passes. What they had to take for read is learnt anew; until then everything counts.
func (s *Scripts) begin(ctx context.Context, c *call.Call, is Script) error {
	if _, err := begin.Do(ctx, c.Tx, c.Tenant.ID, is.Role); err != nil {
		return err
	}
	if _, err := addRead.Do(ctx, c.Tx, c.Tenant.ID, is.Role, unjudged); err != nil {
		return err
	}
	_, err := dropRead.Do(ctx, c.Tx, c.Tenant.ID, is.Role, all)
	return err
}

// finish ends a pass. It takes the mark away that any change matters; but when the script failed for somebody the mark stays,
// for whom it failed for it may not fail for next time, and another pass follows in a while.
func (s *Scripts) finish(ctx context.Context, c *call.Call, is Script) error {
	if is.Error == "" {
		if _, err := dropRead.Do(ctx, c.Tx, c.Tenant.ID, is.Role, unjudged); err != nil {
			return err
		}
		_, err := end.Do(ctx, c.Tx, is.Pass, 0, 0, is.Wanted, c.Tenant.ID, is.Role)
		return err
	}
	due, wanted := int64(0), is.Wanted
	if wanted == is.Pass {
		due, wanted = c.Now.Add(patience(is.Tries)).UnixMilli(), wanted+1
	}
	_, err := end.Do(ctx, c.Tx, is.Pass, due, is.Tries+1, wanted, c.Tenant.ID, is.Role)
	return err
}
