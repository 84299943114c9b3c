package outbound

import (
	"context"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

const (
	everybody = ""
	entries   = "entries" // only whom applications are given to has changed

	transaction = 10 * time.Second // none takes longer
)

type markRow struct {
	Tenant string `db:"tenant"`
	User   string `db:"user_id"`
	Token  string `db:"token"`
	What   string `db:"what"`
}

var (
	// One statement, whose answer nobody waits for: tenants without targets pay next to nothing for each change of a person.
	note = dbx.E("outbound.note", `INSERT INTO outbound_mark (tenant, user_id, token, what, due)
		SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT)
		WHERE EXISTS (SELECT 1 FROM outbound_target t WHERE t.tenant = ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET token = excluded.token, due = excluded.due,
		what = CASE WHEN outbound_mark.what = excluded.what THEN excluded.what ELSE '' END`)
	// await has somebody looked at at a later time, unless they are before.
	await = dbx.E("outbound.await", `INSERT INTO outbound_mark (tenant, user_id, token, what, due) VALUES (?, ?, ?, '', ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET due = excluded.due WHERE outbound_mark.due > excluded.due`)
	forget = dbx.E("outbound.forget", `DELETE FROM outbound_mark WHERE tenant = ? AND user_id = ? AND token = ?`)
	marked = dbx.Q[markRow]("outbound.marked", `SELECT tenant, user_id, token, what FROM outbound_mark WHERE due <= ? ORDER BY due LIMIT ?`)
)

func (o *Outbound) note(ctx context.Context, c *call.Call, userID, what string) error {
	c.Tx.After(o.wake)
	return note.Later(ctx, c.Tx, c.Tenant.ID, userID, c.NewID(), what, c.Now.UnixMilli(), c.Tenant.ID)
}

// Changed hears, in the transaction that makes it, of each change that others must not miss (core/change): of a person's account and
// memberships, of roles, and of whom things are given to.
func (o *Outbound) Changed(ctx context.Context, c *call.Call, topic, item string) error {
	switch topic {
	case "user":
		_, person, _ := strings.Cut(item, "/")
		return o.note(ctx, c, person, "")
	case "role":
		return o.note(ctx, c, everybody, "")
	case acl.Topic:
		return o.note(ctx, c, everybody, entries)
	}
	return nil
}

// Stored hears of people whose row changed (user.Directory.Stored), which not every such change tells others. Rows of nobody say what
// changed of many.
func (o *Outbound) Stored(ctx context.Context, c *call.Call, _, now *user.User) error {
	return o.note(ctx, c, now.ID, "")
}

// wake has this node look for marks at once.
func (o *Outbound) wake() {
	o.prepare()
	poke(o.marks)
}

func poke(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
