package job

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Info is a job as people see it. Times are ms UTC, 0 for none.
type Info struct {
	ID        string `db:"id"`
	Tenant    string `db:"tenant"`
	Kind      string `db:"kind"`
	State     string `db:"state"`
	Done      int64  `db:"done"`
	Total     int64  `db:"total"` // 0 when unknown
	Message   string `db:"message"`
	Result    string `db:"result"`
	Cancelled bool   `db:"cancel"` // somebody asked for it, whether or not it has ended
	User      string `db:"by_user"`
	Created   int64  `db:"created"`
	Due       int64  `db:"due"`
	Started   int64  `db:"started"`
	Ended     int64  `db:"ended"`
	Tries     int    `db:"tries"`
}

const infoColumns = `SELECT id, tenant, kind, state, done, total, message, result, cancel, by_user, created, due, started, ended, tries
	FROM job WHERE tenant = ?`

var (
	get    = dbx.Q[Info]("job.get", infoColumns+` AND id = ?`)
	jobs   = dbx.L[Info]("job.list", infoColumns)
	newest = []dbx.Order{{Column: "id", Desc: true}}
)

// maxPage bounds a page.
const maxPage = 1000

// Get gives a job. Whoever may not see the whole tenant sees those that the grant names, and those started by users it names.
func (j *Jobs) Get(ctx context.Context, c *call.Call, g grant.Grant, id string) (Info, error) {
	i, err := get.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && !g.Allows(i.ID, "") && !g.Allows(i.User, "") {
		return Info{}, ErrNotFound
	}
	return i, err
}

// List gives jobs, the newest first, older than the one with the id after ("" for the first page).
func (j *Jobs) List(ctx context.Context, c *call.Call, g grant.Grant, after string, limit int) ([]Info, error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	var where []dbx.Clause
	if !g.Everything() {
		where = append(where, dbx.Or(dbx.In("id", g.Rows()...), dbx.In("by_user", g.Rows()...)))
	}
	if after != "" {
		where = append(where, dbx.Lt("id", after))
	}
	return jobs.Rows(ctx, c.Tx, dbx.And(where...), newest, limit, c.Tenant.ID)
}

// Cancel ends a job that waits, and asks one that runs to end. On this node that reaches it at once, on others with its next
// heartbeat.
func (j *Jobs) Cancel(ctx context.Context, c *call.Call, g grant.Grant, id string) error {
	if _, err := j.Get(ctx, c, g, id); err != nil {
		return err
	}
	_, err := cancel.One(ctx, c.Tx, true, j.now().UnixMilli(), c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrEnded
	}
	if err != nil {
		return err
	}
	c.Tx.After(func() {
		j.mu.Lock()
		r := j.running[id]
		j.mu.Unlock()
		if r != nil {
			r.cancel()
		}
	})
	return nil
}
