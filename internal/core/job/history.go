package job

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Query asks for jobs.
type Query struct {
	Type   string    // name of a type; empty: all
	Status string    // one of Statuses; empty: all
	Since  time.Time // jobs that lived then or later; zero: all that there are
	Sort   string    // a column of Info that may be sorted by (Sorts); empty: the order in which they were started
	Asc    bool      // otherwise the last one first
	Page   int       // from 1
	Limit  int       // rows of a page, at most MaxPage
}

// MaxPage bounds a page.
const MaxPage = 1000

// Sorts are the columns that jobs can be sorted by.
func Sorts() []string {
	return []string{"kind", "state", "name", "target", "by_name", "created", "started", "ended"}
}

var (
	jobs = dbx.L[Info]("job.list", infoColumns)
	sums = dbx.Q[Sum]("job.sums", `SELECT kind, state, cancel, COUNT(*) AS n,
		COALESCE(SUM(CASE WHEN started > 0 AND ended > 0 THEN 1 ELSE 0 END), 0) AS ran,
		COALESCE(CAST(SUM(CASE WHEN started > 0 AND ended > 0 THEN ended - started ELSE 0 END) AS BIGINT), 0) AS took,
		COALESCE(MAX(CASE WHEN started > 0 AND ended > 0 THEN ended - started ELSE 0 END), 0) AS longest
		FROM job WHERE tenant = ? AND (created >= ? OR ended >= ? OR state IN ('waiting', 'running')) GROUP BY kind, state, cancel ORDER BY kind, state, cancel`)
	oldest    = dbx.Q[int64]("job.oldest", `SELECT COALESCE(MIN(due), 0) FROM job WHERE tenant = ? AND state = 'waiting'`)
	remove    = dbx.E("job.remove", `DELETE FROM job WHERE tenant = ? AND id = ? AND state IN ('done', 'failed', 'cancelled')`)
	removeOld = dbx.E("job.clear", `DELETE FROM job WHERE tenant = ? AND id IN
		(SELECT id FROM job WHERE tenant = ? AND state IN ('done', 'failed', 'cancelled') AND ended < ? ORDER BY ended LIMIT ?)`)
)

// where is the condition of a query within a grant. Whoever may not see the whole tenant sees the jobs that the grant names, and those
// started by users it names.
func (j *Jobs) where(g grant.Grant, q Query) dbx.Clause {
	var all []dbx.Clause
	if !g.Everything() {
		all = append(all, dbx.Or(dbx.In("id", g.Rows()...), dbx.In("by_user", g.Rows()...)))
	}
	if q.Type != "" {
		kind := ""
		if t, known := j.named(q.Type); known {
			kind = t.Kind
		}
		all = append(all, dbx.Eq("kind", kind))
	}
	for state, name := range statuses {
		if name == q.Status {
			all = append(all, dbx.Eq("state", state))
		}
	}
	switch q.Status {
	case StatusAsked:
		all = append(all, dbx.Eq("state", Running), dbx.Eq("cancel", true))
	case StatusRunning:
		all = append(all, dbx.Eq("cancel", false))
	}
	if !q.Since.IsZero() {
		at := q.Since.UnixMilli()
		all = append(all, dbx.Or(dbx.Ge("created", at), dbx.Ge("ended", at), dbx.In("state", Waiting, Running)))
	}
	return dbx.And(all...)
}

// List gives a page of the jobs that a query asks for.
func (j *Jobs) List(ctx context.Context, c *call.Call, g grant.Grant, q Query) ([]Info, error) {
	if q.Limit <= 0 || q.Limit > MaxPage {
		q.Limit = MaxPage
	}
	order := []dbx.Order{{Column: "id", Desc: !q.Asc}}
	if slices.Contains(Sorts(), q.Sort) {
		order = slices.Insert(order, 0, dbx.Order{Column: q.Sort, Desc: !q.Asc})
	}
	where := j.where(g, q)
	if q.Page > 1 {
		if q.Page > math.MaxInt32 {
			return nil, nil
		}
		last, err := jobs.At(ctx, c.Tx, where, order, int64(q.Page-1)*int64(q.Limit)-1, c.Tenant.ID)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		where = dbx.And(where, dbx.After(order, last.values(order)...))
	}
	return jobs.Rows(ctx, c.Tx, where, order, q.Limit, c.Tenant.ID)
}

// values are those of the columns of an order.
func (i *Info) values(order []dbx.Order) []any {
	all := map[string]any{
		"id": i.ID, "kind": i.Kind, "state": i.State, "name": i.Name, "target": i.Target, "by_name": i.ByName, "created": i.Created,
		"started": i.Started, "ended": i.Ended,
	}
	var out []any
	for _, o := range order {
		out = append(out, all[o.Column])
	}
	return out
}

// Count counts the jobs that a query asks for, on all pages.
func (j *Jobs) Count(ctx context.Context, c *call.Call, g grant.Grant, q Query) (int64, error) {
	return jobs.Count(ctx, c.Tx, j.where(g, q), c.Tenant.ID)
}

// Sum is how many jobs of a kind are in a state, and how long those that ended took, in ms: together and the longest.
type Sum struct {
	Kind      string `db:"kind"`
	State     string `db:"state"`
	Cancelled bool   `db:"cancel"`
	Count     int64  `db:"n"`
	Ran       int64  `db:"ran"` // of them began and ended
	Took      int64  `db:"took"`
	Longest   int64  `db:"longest"`
}

// Sums sums the tenant's jobs up that lived at a time or later, by kind.
func (j *Jobs) Sums(ctx context.Context, c *call.Call, since time.Time) ([]Sum, error) {
	at := int64(0)
	if !since.IsZero() {
		at = since.UnixMilli()
	}
	return sums.All(ctx, c.Tx, c.Tenant.ID, at, at)
}

// Overdue is how long the job that waits longest could have begun; 0 when none waits that is due.
func (j *Jobs) Overdue(ctx context.Context, c *call.Call) (time.Duration, error) {
	due, err := oldest.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil || due == 0 {
		return 0, err
	}
	return max(j.now().Sub(time.UnixMilli(due)), 0), nil
}

// Forget removes jobs that have ended from the history, and says how many there were. Those that wait or run stay.
func (j *Jobs) Forget(ctx context.Context, c *call.Call, ids ...string) (n int64, err error) {
	for _, id := range ids {
		one, err := remove.Do(ctx, c.Tx, c.Tenant.ID, id)
		if err != nil {
			return 0, err
		}
		n += one
	}
	return n, nil
}

// MaxForget is how many jobs ForgetBefore removes at once.
const MaxForget = 10_000

// ForgetBefore removes the jobs that ended before a time, the oldest first, MaxForget of them at most, and says how many there were.
func (j *Jobs) ForgetBefore(ctx context.Context, c *call.Call, at time.Time) (int64, error) {
	return removeOld.Do(ctx, c.Tx, c.Tenant.ID, c.Tenant.ID, at.UnixMilli(), MaxForget)
}
