package dynamic

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// progress is which scripts have judged people who wait for others, by the people's ids. It is in memory alone: who waits is in
// the store, and a server that knows nothing of it has them judged by all.
type progress map[string]*judged

type judged struct {
	token string           // of the change since which they were
	until time.Time        // when their roles change by themselves
	by    map[string]int64 // roles, and the revisions of their scripts
}

// has says whether a script has judged somebody as they are.
func (at progress) has(is Script, p *seen) bool {
	j := at[p.ID]
	return j.holds(p) && j.by[is.Role] == is.Revision
}

func (j *judged) holds(p *seen) bool {
	return j != nil && j.token == p.token && (j.until.IsZero() || time.Now().Before(j.until))
}

// add notes that a script has judged people.
func (at progress) add(is Script, people []seen) {
	for i := range people {
		p := &people[i]
		j := at[p.ID]
		if !j.holds(p) {
			j = &judged{token: p.token, until: p.until, by: map[string]int64{}}
			at[p.ID] = j
		}
		if !p.until.IsZero() && (j.until.IsZero() || p.until.Before(j.until)) {
			j.until = p.until
		}
		j.by[is.Role] = is.Revision
	}
}

// progress gives that of a tenant, which belongs to whoever serves it.
func (s *Scripts) progress(tenant string) progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.part == nil {
		s.part = map[string]progress{}
	}
	if s.part[tenant] == nil {
		s.part[tenant] = progress{}
	}
	return s.part[tenant]
}

// paused says whether the passes of a tenant have used their time.
func (s *Scripts) paused(tenant string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.pause[tenant])
}

// pauses has the passes of a tenant wait for as long as err says. Who changes meanwhile does not wait with them.
func (s *Scripts) pauses(tenant string, err error) {
	until := rest{}.after(err).until
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pause == nil {
		s.pause = map[string]time.Time{}
	}
	maps.DeleteFunc(s.pause, func(_ string, until time.Time) bool { return time.Now().After(until) })
	s.pause[tenant] = until
	s.log().Debug("passes of scripts wait", slog.String("tenant", tenant), slog.Time("until", until))
}

// A page of people who wait, and how many there may be.
const (
	crowdPage = 500
	maxWait   = 10_000
)

type waitingRow struct {
	User string `db:"user_id"`
	mark
}

var (
	// countWaiting counts no further than is asked for.
	countWaiting = dbx.Q[int64]("dynamic.countWaiting", `SELECT count(*) FROM
		(SELECT user_id FROM role_script_person WHERE tenant = ? AND due <> 0 AND due <= ? LIMIT ?) p`)
	waiting = dbx.Q[waitingRow]("dynamic.waiting", `SELECT user_id, token, what FROM role_script_person
		WHERE tenant = ? AND user_id > ? AND due <> 0 AND due <= ? ORDER BY user_id LIMIT ?`)
)

// crowd looks how many people of a tenant wait for scripts that have no time. Where they are too many the scripts judge everybody
// instead, so that who changes next does not wait behind them all.
func (s *Scripts) crowd(ctx context.Context, tenant string) error {
	now, most, n := time.Now().UnixMilli(), cmp.Or(s.MaxWait, maxWait), int64(0)
	err := s.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		n, err = countWaiting.One(ctx, tx, tenant, now, most+1)
		return err
	})
	if err != nil || n <= int64(most) {
		return err
	}
	for behind, more := later, true; more && err == nil; { // rows of nobody in particular stand before theirs
		var rows []waitingRow
		err = s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) (err error) {
			if rows, err = waiting.All(ctx, c.Tx, tenant, behind, now, crowdPage); err != nil {
				return err
			}
			return s.everyoneFor(ctx, c, rows)
		})
		if more = len(rows) == crowdPage; more {
			behind = rows[len(rows)-1].User
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.part, tenant)
	return err
}

// everyoneFor has the scripts judge everybody that people wait for, who then wait no more. For whom no script matters waits on:
// they cost none of its time.
func (s *Scripts) everyoneFor(ctx context.Context, c *call.Call, rows []waitingRow) error {
	scripts, read, err := s.scripts(ctx, c)
	if err != nil {
		return err
	}
	wanted := map[string]Script{}
	for _, row := range rows {
		some := false
		for _, is := range scripts {
			if read[is.Role].matters(row.What) {
				some, wanted[is.Role] = true, is
			}
		}
		if !some {
			continue
		}
		if err := settle.Later(ctx, c.Tx, 0, "", c.Now.UnixMilli(), c.Tenant.ID, row.User, row.Token); err != nil {
			return err
		}
	}
	for _, is := range wanted {
		if err := s.want(ctx, c, is); err != nil {
			return err
		}
	}
	return nil
}
