package outbound

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/dbx"
	"limen/internal/fault"
)

type readyRow struct {
	Tenant   string `db:"tenant"`
	App      string `db:"app"`
	Failures int64  `db:"failures"`
}

// account is a receipt, and what is still to be done.
type account struct {
	ID      string `db:"id"`
	App     string `db:"app"`
	Kind    string `db:"kind"`
	Object  string `db:"object"`
	Name    string `db:"name"`
	Org     string `db:"org"`
	Remote  string `db:"remote"`
	ETag    string `db:"etag"`
	Sent    string `db:"sent"`
	There   string `db:"there"`
	Version int64  `db:"version"`
	State   string `db:"state"`
	Class   string `db:"class"`
	Error   string `db:"error"`
	Tries   int64  `db:"tries"`
	Tried   int64  `db:"tried"`
	Acked   int64  `db:"acked"`
	Token   string `db:"token"`
	Due     int64  `db:"due"`
	Held    int64  `db:"held"`
	Created int64  `db:"created"`
	Changed int64  `db:"changed"`
}

const accountColumns = `id, app, kind, object, name, org, remote, etag, sent, there, version, state, class, error, tries, tried, acked, token, due, held, created, changed`

var (
	ready = dbx.Q[readyRow]("outbound.ready", `SELECT t.tenant AS tenant, t.app AS app, t.failures AS failures FROM outbound_target t WHERE t.enabled AND t.hold <= ?
		AND EXISTS (SELECT 1 FROM outbound_account a WHERE a.tenant = t.tenant AND a.app = t.app AND a.due > 0 AND a.due <= ? AND a.held <= ?)`)
	enabled = dbx.Q[int64]("outbound.enabled", `SELECT COUNT(*) FROM outbound_target WHERE enabled`)
	// The outer conditions are needed on PostgreSQL, as with the outbox.
	claim = dbx.W[account]("outbound.claim", `UPDATE outbound_account SET holder = ?, held = ?, tries = tries + 1, tried = ?
		WHERE tenant = ? AND app = ? AND due > 0 AND due <= ? AND held <= ? AND id IN
			(SELECT id FROM outbound_account WHERE tenant = ? AND app = ? AND due > 0 AND due <= ? AND held <= ? ORDER BY due LIMIT ?)
		RETURNING `+accountColumns)
	release = dbx.E("outbound.release", `UPDATE outbound_account SET holder = '', held = 0, tries = tries - 1 WHERE tenant = ? AND id = ? AND holder = ? AND held = ?`)
	settle  = dbx.E("outbound.settle", `UPDATE outbound_account SET name = ?, org = ?, remote = ?, etag = ?, sent = ?, there = ?, version = ?, state = ?, class = ?,
		error = ?, tries = ?, acked = ?, due = CASE WHEN token = ? THEN ? ELSE due END, holder = '', held = 0, changed = ?
		WHERE tenant = ? AND id = ? AND holder = ? AND held = ?`)
	dropAccount = dbx.E("outbound.drop_account", `DELETE FROM outbound_account WHERE tenant = ? AND id = ? AND holder = ? AND held = ? AND token = ?`)
	serves      = dbx.E("outbound.serves", `UPDATE outbound_target SET failures = 0, class = '', error = '' WHERE tenant = ? AND app = ? AND failures > 0`)
	fails       = dbx.E("outbound.fails", `UPDATE outbound_target SET failures = failures + ?, hold = CASE WHEN hold > ? THEN hold ELSE ? END, class = ?, error = ?
		WHERE tenant = ? AND app = ?`)
)

// How a service that does not serve is spared.
const (
	broken  = 3 // failures in a row, after which one account at a time is tried
	longest = 15 * time.Minute
	slowest = time.Hour // between tries of one account
)

// work takes accounts that are due, until ctx ends.
func (o *Outbound) work(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	failing := false
	for ctx.Err() == nil {
		var rows []readyRow
		err := o.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			now := o.now().UnixMilli()
			if rows, err = ready.All(ctx, tx, now, now, now); err != nil {
				return err
			}
			n, err := enabled.One(ctx, tx)
			o.some.Store(n > 0)
			return err
		})
		if err != nil && !failing && ctx.Err() == nil {
			o.log().Warn("accounts to be provisioned cannot be read", slog.String("error", err.Error()))
		}
		failing = err != nil
		for _, r := range rows {
			if o.begin(r) {
				wg.Go(func() {
					defer o.end(r)
					o.drain(ctx, r)
				})
			}
		}
		sleep(ctx, o.due, o.pace())
	}
}

// begin takes a target for this node's own, and end gives it free.
func (o *Outbound) begin(r readyRow) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{r.Tenant, r.App}
	if o.busy[key] {
		return false
	}
	o.busy[key] = true
	return true
}

func (o *Outbound) end(r readyRow) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.busy, [2]string{r.Tenant, r.App})
}

// drain works on the accounts of a target until none is due, or the service fails.
func (o *Outbound) drain(ctx context.Context, r readyRow) {
	for ctx.Err() == nil {
		n := cmp.Or(o.Workers, 4)
		if r.Failures >= broken {
			n = 1
		}
		t, rows, err := o.claim(ctx, r, n)
		if err != nil || len(rows) == 0 {
			if err != nil && ctx.Err() == nil {
				o.log().Warn("accounts to be provisioned cannot be taken", slog.String("error", err.Error()))
			}
			return
		}
		var wg sync.WaitGroup
		bad := make([]bool, len(rows))
		for i, a := range rows {
			wg.Go(func() { bad[i] = o.one(ctx, t, a) })
		}
		wg.Wait()
		for _, b := range bad {
			if b {
				return // it is asked again when its time has come
			}
		}
		r.Failures = 0
	}
}

// claim leases up to n accounts of a target.
func (o *Outbound) claim(ctx context.Context, r readyRow, n int) (t Target, rows []account, err error) {
	now := o.now()
	held := now.Add(o.lease()).UnixMilli()
	err = o.DB.Write(ctx, func(tx *dbx.Tx) error {
		c := o.Call(r.Tenant)
		c.Tx = tx
		t, err = of(ctx, c, r.App)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		ms := now.UnixMilli()
		if err != nil || !t.Enabled || t.Hold > ms {
			return err
		}
		rows, err = claim.All(ctx, tx, o.holder, held, ms, r.Tenant, r.App, ms, ms, r.Tenant, r.App, ms, ms, n)
		return err
	})
	return t, rows, err
}

func (o *Outbound) lease() time.Duration { return cmp.Or(o.Lease, time.Minute) }

// one works on an account, and says whether the service failed.
func (o *Outbound) one(ctx context.Context, t Target, a account) (bad bool) {
	was := a
	limited, cancel := context.WithTimeout(ctx, o.lease()-o.lease()/10)
	defer cancel()
	d, err := o.try(limited, &t, &a)
	if ctx.Err() != nil && err != nil {
		o.giveBack(ctx, t, a)
		return true
	}
	f, _ := errors.AsType[*failure](err)
	if err != nil && f == nil {
		f = internal(err)
	}
	nerr := o.Write(context.WithoutCancel(ctx), t.tenant, func(ctx context.Context, c *call.Call) error { return o.settle(ctx, c, &t, was, a, f, d) })
	if nerr != nil {
		// The lease runs out, and what the service has by then is found there.
		o.log().Warn("the end of provisioning an account could not be noted", slog.String("account", a.ID), slog.String("error", nerr.Error()))
		return true
	}
	return f != nil && f.ofService()
}

// internal makes a failure of what went wrong here.
func internal(err error) *failure {
	fa := fault.Of(err)
	switch {
	case errors.Is(err, errMapping):
		return &failure{class: Mapping, why: fa.Public}
	case fa.Kind == fault.Limited || fa.Kind == fault.Unavailable:
		return &failure{class: Limited, why: fa.Public, after: time.Duration(fa.After) * time.Second}
	}
	return &failure{class: Limited, why: fa.Public}
}

// done is what was done about an account.
type done struct {
	events []*call.Event
	roles  []string // of a person
}

// try works on an account; what it is then is in a, also where it fails.
func (o *Outbound) try(ctx context.Context, t *Target, a *account) (d done, err error) {
	defer func() {
		if v := recover(); v != nil {
			o.log().Error("provisioning an account panicked", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	if a.Kind == KindGroup {
		d.events, err = o.group(ctx, t, a)
		return d, err
	}
	return o.person(ctx, t, a)
}

// settle notes how an account is, unless its lease was lost meanwhile.
func (o *Outbound) settle(ctx context.Context, c *call.Call, t *Target, was, a account, f *failure, d done) error {
	now := o.now().UnixMilli()
	if f == nil && a.There == "" && a.Remote == "" {
		for _, e := range d.events {
			o.record(c, t, &a, e)
		}
		_, err := dropAccount.Do(ctx, c.Tx, t.tenant, a.ID, o.holder, was.Held, was.Token)
		if err == nil {
			err = o.giveFree(ctx, c, t, was)
		}
		return err
	}
	due := int64(0)
	a.State, a.Class, a.Error = Acknowledged, "", ""
	if f == nil {
		a.Tries, a.Acked = 0, now
	} else {
		a.State, a.Class, a.Error = Waiting, f.class, clip(f.why)
		switch {
		case f.passing():
			due = now + o.again(a.Tries, f).Milliseconds()
		case f.class == Taken:
			a.State = Conflict
		default:
			a.State = Failed
		}
	}
	n, err := settle.Do(ctx, c.Tx, a.Name, a.Org, a.Remote, a.ETag, a.Sent, a.There, a.Version, a.State, a.Class, a.Error, a.Tries, a.Acked, was.Token, due, now,
		t.tenant, a.ID, o.holder, was.Held)
	if err != nil || n == 0 {
		return err
	}
	for _, e := range d.events {
		o.record(c, t, &a, e)
	}
	if f != nil && (a.State != was.State || a.Class != was.Class) {
		o.record(c, t, &a, &call.Event{Type: audit.ProvisionAccount, Outcome: "failed", Reason: "outbound." + f.class, Fields: map[string]any{"Exception": a.Error}})
	}
	if a.Kind == KindUser && f == nil {
		if err := o.join(ctx, c, t, &a, d.roles); err != nil {
			return err
		}
	}
	return o.served(ctx, c, t, f)
}

// giveFree ends the lease of an account that somebody has changed meanwhile.
func (o *Outbound) giveFree(ctx context.Context, c *call.Call, t *Target, was account) error {
	_, err := release.Do(ctx, c.Tx, t.tenant, was.ID, o.holder, was.Held)
	return err
}

func (o *Outbound) record(c *call.Call, t *Target, a *account, e *call.Event) {
	to := c.Record(e.Type)
	to.Outcome, to.Reason, to.Fields, to.Changes = cmp.Or(e.Outcome, "success"), e.Reason, e.Fields, e.Changes
	to.Target, to.Kind, to.Name = t.App, "Application", a.Name
	if a.Kind == KindUser {
		to.User = a.Object
	}
	to.Set("Remote", a.Remote)
}

// served notes whether the service serves.
func (o *Outbound) served(ctx context.Context, c *call.Call, t *Target, f *failure) error {
	if f == nil || !f.ofService() {
		if t.Failures == 0 {
			return nil
		}
		_, err := serves.Do(ctx, c.Tx, t.tenant, t.App)
		return err
	}
	n, hold := int64(1), int64(0)
	switch {
	case f.class == Throttled:
		n, hold = 0, o.now().Add(f.after).UnixMilli()
	case f.class == Unproved || t.Failures+1 >= broken:
		hold = o.now().Add(backoff(cmp.Or(o.Backoff, 5*time.Second), t.Failures+1, longest)).UnixMilli()
	}
	_, err := fails.Do(ctx, c.Tx, n, hold, hold, f.class, clip(f.why), t.tenant, t.App)
	return err
}

// again is how long an account waits after a try that failed.
func (o *Outbound) again(tries int64, f *failure) time.Duration {
	if f.after > 0 {
		return f.after
	}
	return backoff(cmp.Or(o.Backoff, 5*time.Second), tries, slowest)
}

func backoff(base time.Duration, n int64, most time.Duration) time.Duration {
	d := most
	if n < 20 {
		d = min(base<<(max(n, 1)-1), most)
	}
	// A fifth more or less, so that what failed together does not come back together.
	return d - d/5 + mrand.N(2*d/5+1)
}

// giveBack ends the lease on an account because this node stops. A request may be on its way: the next try looks for what it made.
func (o *Outbound) giveBack(ctx context.Context, t Target, a account) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := o.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := free.Do(ctx, tx, t.tenant, a.ID, o.holder, a.Held)
		return err
	})
	if err != nil {
		o.log().Warn("an account could not be given back", slog.String("account", a.ID), slog.String("error", err.Error()))
	}
}

var free = dbx.E("outbound.free", `UPDATE outbound_account SET holder = '', held = 0 WHERE tenant = ? AND id = ? AND holder = ? AND held = ?`)
