// Package exemption lets people sign in without further factors for a while, such as somebody who left their telephone at
// home. An exemption ends by itself.
package exemption

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Longest is the longest exemption.
const Longest = 24 * time.Hour

// ErrSpan is a time that no exemption may last.
var ErrSpan = fault.New(fault.Invalid, "exemption.span", "An exemption lasts between one minute and 24 hours; 0 ends it.")

// Exemptions are those of the call's tenant.
type Exemptions struct{}

var (
	find = dbx.Q[int64]("exemption.find", `SELECT until FROM mfa_exemption WHERE tenant = ? AND user_id = ?`)
	put  = dbx.E("exemption.put", `INSERT INTO mfa_exemption (tenant, user_id, until, granter) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET until = excluded.until, granter = excluded.granter`)
	drop  = dbx.E("exemption.drop", `DELETE FROM mfa_exemption WHERE tenant = ? AND user_id = ?`)
	sweep = dbx.S("exemption.sweep", "mfa_exemption", "tenant, user_id", "until < ?")
)

// Until says until when a person is exempt; zero when they are not at c.Now.
func (Exemptions) Until(ctx context.Context, c *call.Call, userID string) (time.Time, error) {
	ms, err := find.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && ms <= c.Now.UnixMilli() {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms).UTC(), err
}

// Grant exempts a person from now on, in place of an earlier exemption; 0 ends it. It says until when. Fault: ErrSpan.
func (e Exemptions) Grant(ctx context.Context, c *call.Call, userID string, lasts time.Duration) (until time.Time, err error) {
	if lasts < 0 || lasts > 0 && lasts < time.Minute || lasts > Longest {
		return time.Time{}, ErrSpan
	}
	was, err := e.Until(ctx, c, userID)
	if err != nil {
		return time.Time{}, err
	}
	if lasts == 0 {
		err = e.Drop(ctx, c, userID)
	} else {
		until = time.UnixMilli(c.Now.Add(lasts).UnixMilli()).UTC()
		_, err = put.Do(ctx, c.Tx, c.Tenant.ID, userID, until.UnixMilli(), c.User())
	}
	if c.Event != nil {
		call.Changed(c.Event, "ExemptUntil", text(was), text(until))
	}
	return until, err
}

func text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Drop forgets a person's exemption.
func (Exemptions) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep removes exemptions of all tenants that ended before a time.
func (Exemptions) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweep.Run(ctx, db, before.UnixMilli())
}
