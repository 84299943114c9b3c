package domain

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/dbx"
)

// batch is how many domains one turn of Recheck looks at.
const batch = 100

// errTurned says that a domain is no longer what it was when its proof was looked for.
var errTurned = errors.New("domain: changed meanwhile")

// Recheck looks again for proofs that have not been looked for since Every, up to 100 of all tenants. One that has not been
// found for Grace is lost, and the domain's people are guests. Whoever publishes the code again has to verify the domain anew.
func (d *Domains) Recheck(ctx context.Context, now time.Time) error {
	var rows []dueRow
	err := d.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = due.All(ctx, tx, now.Add(-Every).UnixMilli(), batch)
		return err
	})
	for _, r := range rows {
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		missing := d.look(ctx, r.Domain, r.Method)
		err = errors.Join(err, d.noteLook(ctx, r, missing != nil, now))
	}
	return err
}

// noteLook keeps what a look has found.
func (d *Domains) noteLook(ctx context.Context, r dueRow, missing bool, now time.Time) error {
	at, failing := now.UnixMilli(), int64(0)
	if missing {
		failing = at
		if r.Failing != 0 {
			failing = r.Failing
		}
	}
	if missing && at-failing >= Grace.Milliseconds() {
		err := d.Act(ctx, r.Tenant, audit.DomainLost, func(ctx context.Context, c *call.Call) error { return d.lose(ctx, c, r.Domain, at) })
		if errors.Is(err, errTurned) {
			return nil
		}
		return err
	}
	return d.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := looked.Do(ctx, tx, at, failing, r.Tenant, r.Org, r.Name, r.Code)
		return err
	})
}

func (d *Domains) lose(ctx context.Context, c *call.Call, was Domain, at int64) error {
	now, err := lock.One(ctx, c.Tx, c.Tenant.ID, was.Org, was.Name)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (now.State != Verified || now.Checked != was.Checked || now.Code != was.Code) {
		return errTurned
	}
	if err != nil {
		return err
	}
	noted(c, now)
	c.Event.Set("FailingSince", time.UnixMilli(now.Failing).UTC().Format(time.RFC3339))
	call.Changed(c.Event, "State", now.State, Lost)
	now.State, now.CodeUntil, now.Checked = Lost, 0, at
	return put(ctx, c, now)
}

// Sweep removes codes of all tenants that expired long ago and never proved anything.
func (d *Domains) Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	return db.Batches(ctx, func(tx *dbx.Tx, most int) (int64, error) {
		rows, err := old.All(ctx, tx, now.Add(-keepOld).UnixMilli(), most)
		for _, r := range rows {
			c := &call.Call{Tenant: call.Tenant{ID: r.Tenant}, Now: now, Tx: tx}
			err = errors.Join(err, drop(ctx, c, r.Domain))
		}
		return int64(len(rows)), err
	})
}
