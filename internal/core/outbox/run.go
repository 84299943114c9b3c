package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"limen/internal/dbx"
)

type claimed struct {
	ID      string `db:"id"`
	Tenant  string `db:"tenant"`
	Dedup   string `db:"dedup"`
	Payload string `db:"payload"`
	Created int64  `db:"created"`
	Expires int64  `db:"expires"`
	Tries   int    `db:"tries"`
}

var (
	// The outer conditions are needed on PostgreSQL: of two workers that pick the same row the second waits for the first,
	// and then looks at these again, but not at the inner SELECT.
	claim = dbx.W[claimed]("outbox.claim", `UPDATE outbox SET holder = ?, held = ?, due = ?, tries = tries + 1
		WHERE state = 'waiting' AND due <= ? AND id IN
			(SELECT id FROM outbox WHERE topic = ? AND state = 'waiting' AND due <= ? ORDER BY due LIMIT ?)
		RETURNING id, tenant, dedup, payload, created, expires, tries`)
	next = dbx.Q[int64]("outbox.next", `SELECT due FROM outbox WHERE topic = ? AND state = 'waiting' ORDER BY due LIMIT 1`)
	done = dbx.E("outbox.done", `UPDATE outbox SET state = 'done', payload = '', error = '', ended = ?, holder = '', held = 0
		WHERE tenant = ? AND id = ? AND state = 'waiting' AND holder = ? AND tries = ?`)
	again = dbx.E("outbox.again", `UPDATE outbox SET due = ?, error = ?, holder = '', held = 0
		WHERE tenant = ? AND id = ? AND state = 'waiting' AND holder = ? AND tries = ?`)
	dead = dbx.E("outbox.dead", `UPDATE outbox SET state = 'dead', error = ?, ended = ?, holder = '', held = 0
		WHERE tenant = ? AND id = ? AND state = 'waiting' AND holder = ? AND tries = ?`)
	unclaim = dbx.E("outbox.unclaim", `UPDATE outbox SET due = ?, tries = tries - 1, holder = '', held = 0
		WHERE tenant = ? AND id = ? AND state = 'waiting' AND holder = ? AND tries = ?`)
	tidyDone = dbx.S("outbox.tidy_done", "outbox", "id", "state <> 'waiting' AND state = ? AND ended < ?")
)

// How long a lane sleeps at most. Rows of this process wake it; those of other nodes, or of the command line on the same
// SQLite file, are found by looking.
const (
	lookPostgres = time.Second
	lookSQLite   = 5 * time.Second
)

// lane delivers one topic; topics do not wait for each other.
type lane struct {
	o      *Outbox
	topic  string
	handle Handler
	wake   chan struct{}
}

func (l *lane) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends; deliveries under way are then waited for, and end early with their ctx.
func (o *Outbox) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, l := range o.lanes {
		wg.Go(func() { l.run(ctx) })
	}
	wg.Wait()
	return nil
}

func (l *lane) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	workers := cmp.Or(l.o.Workers, 4)
	free := make(chan struct{}, workers)
	failing := false
	for ctx.Err() == nil {
		rows, wait, err := l.claim(ctx, workers-len(free))
		if ctx.Err() != nil {
			for _, r := range rows {
				l.o.giveBack(ctx, r)
			}
			return
		}
		if err != nil && !failing {
			l.o.log().Warn("deliveries cannot be read", slog.String("topic", l.topic), slog.String("error", err.Error()))
		}
		failing = err != nil
		for _, r := range rows {
			free <- struct{}{}
			wg.Go(func() {
				defer func() { <-free; l.poke() }()
				l.o.deliver(ctx, l, r)
			})
		}
		if len(rows) > 0 && len(free) < workers {
			continue
		}
		l.sleep(ctx, wait)
	}
}

// claim leases up to n rows that are due, and says how long there is nothing to do.
func (l *lane) claim(ctx context.Context, n int) (rows []claimed, wait time.Duration, err error) {
	look := lookPostgres
	if l.o.DB.Engine() == dbx.SQLite {
		look = lookSQLite
	}
	if n <= 0 {
		return nil, look, nil // a worker that becomes free pokes
	}
	now := l.o.now().UnixMilli()
	until := now + cmp.Or(l.o.Lease, time.Minute).Milliseconds()
	// Looking first keeps an idle node from opening write transactions.
	err = l.o.DB.Read(ctx, func(tx *dbx.Tx) error {
		wait = look
		due, err := next.One(ctx, tx, l.topic)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil
		}
		wait = min(look, time.Duration(due-now)*time.Millisecond)
		return err
	})
	if err != nil || wait > 0 {
		return nil, max(wait, time.Millisecond), err
	}
	err = l.o.DB.Write(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = claim.All(ctx, tx, l.o.self(), until, until, now, l.topic, now, n)
		return err
	})
	if err != nil {
		return nil, look, err
	}
	return rows, time.Millisecond, nil
}

func (l *lane) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-l.wake:
	case <-t.C:
	}
}

// deliver makes one try and notes how it ended.
func (o *Outbox) deliver(ctx context.Context, l *lane, r claimed) {
	d := Delivery{ID: r.ID, Tenant: r.Tenant, Topic: l.topic, Key: r.Dedup, Try: r.Tries, Created: time.UnixMilli(r.Created)}
	if r.Expires > 0 {
		d.Expires = time.UnixMilli(r.Expires)
	}
	err := o.try(ctx, l.handle, &d, r)
	if err != nil && ctx.Err() != nil {
		o.giveBack(ctx, r)
		return
	}
	if nerr := o.settle(context.WithoutCancel(ctx), d, r, err); nerr != nil {
		// The lease runs out and the delivery is made again, with the same id.
		o.log().Warn("the end of a delivery could not be noted", slog.String("id", r.ID), slog.String("error", nerr.Error()))
	}
}

var errExpired = errors.New("expired before it could be delivered")

// try calls the handler with a deadline before the lease's end.
func (o *Outbox) try(ctx context.Context, f Handler, d *Delivery, r claimed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			o.log().Error("a delivery panicked", slog.String("topic", d.Topic), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	if r.Expires > 0 && r.Expires <= o.now().UnixMilli() {
		return Permanent(errExpired)
	}
	plain, err := o.Open(ctx, r.Tenant, r.Payload, aad(r.ID))
	if err != nil {
		return err
	}
	d.Payload = json.RawMessage(plain)
	lease := cmp.Or(o.Lease, time.Minute)
	ctx, cancel := context.WithTimeout(ctx, lease-lease/10)
	defer cancel()
	return f(ctx, *d)
}

// settle notes how a try ended, unless the lease was lost meanwhile.
func (o *Outbox) settle(ctx context.Context, d Delivery, r claimed, failure error) error {
	return o.DB.Write(ctx, func(tx *dbx.Tx) error {
		now := o.now()
		if failure == nil {
			_, err := done.Do(ctx, tx, now.UnixMilli(), r.Tenant, r.ID, o.self(), r.Tries)
			return err
		}
		why, due := reason(failure), now.Add(o.wait(r.Tries, failure)).UnixMilli()
		_, forGood := errors.AsType[permanent](failure)
		if r.Expires > 0 && due >= r.Expires && !forGood {
			forGood, why = true, "expired; last: "+why
		}
		if !forGood && r.Tries < cmp.Or(o.Tries, 20) {
			_, err := again.Do(ctx, tx, due, why, r.Tenant, r.ID, o.self(), r.Tries)
			return err
		}
		n, err := dead.Do(ctx, tx, why, now.UnixMilli(), r.Tenant, r.ID, o.self(), r.Tries)
		if err != nil || n == 0 {
			return err
		}
		o.log().Warn("a delivery was given up", slog.String("topic", d.Topic), slog.String("id", d.ID), slog.String("error", why))
		if o.Died == nil {
			return nil
		}
		return o.Died(ctx, tx, d, why)
	})
}

// giveBack ends the lease on a row that was not delivered because this node stops; the try does not count.
func (o *Outbox) giveBack(ctx context.Context, r claimed) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := o.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := unclaim.Do(ctx, tx, o.now().UnixMilli(), r.Tenant, r.ID, o.self(), r.Tries)
		return err
	})
	if err != nil {
		o.log().Warn("a delivery could not be given back", slog.String("id", r.ID), slog.String("error", err.Error()))
	}
}

// Tidy removes rows that ended long ago. It is meant for a sweep.
func (o *Outbox) Tidy(ctx context.Context) error {
	for state, keep := range map[string]time.Duration{Done: cmp.Or(o.KeepDone, 7*24*time.Hour), Dead: cmp.Or(o.KeepDead, 30*24*time.Hour)} {
		if err := tidyDone.Run(ctx, o.DB, state, o.now().Add(-keep).UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}
