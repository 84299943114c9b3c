package outbox

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Entry is a delivery as administrators see it, without its payload. Times are ms UTC, 0 for none.
type Entry struct {
	ID      string `db:"id"`
	Topic   string `db:"topic"`
	Key     string `db:"dedup"`
	State   string `db:"state"` // Waiting, Done or Dead
	Created int64  `db:"created"`
	Due     int64  `db:"due"` // of the next try, while Waiting
	Expires int64  `db:"expires"`
	Tries   int    `db:"tries"`
	Error   string `db:"error"` // of the last try
	Ended   int64  `db:"ended"`
}

const entryColumns = `SELECT id, topic, dedup, state, created, due, expires, tries, error, ended FROM outbox WHERE tenant = ?`

var (
	page      = dbx.Q[Entry]("outbox.page", entryColumns+` AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?`)
	pageState = dbx.Q[Entry]("outbox.page_state", entryColumns+` AND state = ? AND (? = '' OR id < ?) ORDER BY id DESC LIMIT ?`)
	byID      = dbx.Q[Entry]("outbox.by_id", entryColumns+` AND id = ?`)
	revive    = dbx.E("outbox.revive", `UPDATE outbox SET state = 'waiting', due = ?, tries = 0, ended = 0
		WHERE tenant = ? AND id = ? AND state = 'dead'`)
)

// maxPage bounds a page.
const maxPage = 1000

// List gives deliveries, the newest first, older than the one with the id after ("" for the first page). Deliveries belong to
// nobody in particular: whoever may not see the whole tenant sees those named by the grant.
func (o *Outbox) List(ctx context.Context, c *call.Call, g grant.Grant, after string, limit int) ([]Entry, error) {
	limit = clamp(limit)
	if g.Everything() {
		return page.All(ctx, c.Tx, c.Tenant.ID, after, after, limit)
	}
	return o.named(ctx, c, g, func(e Entry) bool { return after == "" || e.ID < after }, limit)
}

// Dead gives the deliveries that were given up, as List does.
func (o *Outbox) Dead(ctx context.Context, c *call.Call, g grant.Grant, after string, limit int) ([]Entry, error) {
	limit = clamp(limit)
	if g.Everything() {
		return pageState.All(ctx, c.Tx, c.Tenant.ID, Dead, after, after, limit)
	}
	return o.named(ctx, c, g, func(e Entry) bool { return e.State == Dead && (after == "" || e.ID < after) }, limit)
}

func (o *Outbox) named(ctx context.Context, c *call.Call, g grant.Grant, keep func(Entry) bool, limit int) ([]Entry, error) {
	out := []Entry{}
	ids := slices.Clone(g.Rows())
	slices.Reverse(ids)
	for _, id := range ids {
		if len(out) == limit {
			break
		}
		found, err := byID.All(ctx, c.Tx, c.Tenant.ID, id)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if keep(e) {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// Retry has a delivery that was given up tried again, with the same id, at once.
func (o *Outbox) Retry(ctx context.Context, c *call.Call, g grant.Grant, id string) error {
	if !g.Allows(id, "") {
		return ErrNotFound
	}
	found, err := byID.All(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil {
		return err
	}
	now := o.now().UnixMilli()
	switch {
	case len(found) == 0:
		return ErrNotFound
	case found[0].State != Dead:
		return ErrNotDead
	case found[0].Expires > 0 && found[0].Expires <= now:
		return ErrExpired
	}
	n, err := revive.Do(ctx, c.Tx, now, c.Tenant.ID, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotDead
	}
	c.Tx.After(func() { o.wake(found[0].Topic) })
	return nil
}

func clamp(limit int) int {
	if limit <= 0 || limit > maxPage {
		return maxPage
	}
	return limit
}
