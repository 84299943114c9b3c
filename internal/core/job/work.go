package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"limen/internal/dbx"
	"limen/internal/fault"
)

type due struct {
	Kind string `db:"kind"`
	Due  int64  `db:"due"`
}

type claimed struct {
	ID      string `db:"id"`
	Tenant  string `db:"tenant"`
	Kind    string `db:"kind"`
	Payload string `db:"payload"`
	Cursor  string `db:"cursor"`
	User    string `db:"by_user"`
	Done    int64  `db:"done"`
	Total   int64  `db:"total"`
	Message string `db:"message"`
	Cancel  bool   `db:"cancel"`
	Tries   int    `db:"tries"`
}

var (
	kinds = dbx.Q[due]("job.kinds", `SELECT kind, MIN(due) AS due FROM job WHERE state IN ('waiting', 'running') GROUP BY kind`)
	// The outer conditions are needed on PostgreSQL: of two nodes that pick the same row the second waits for the first, and
	// then looks at these again, but not at the inner SELECT.
	claim = dbx.W[claimed]("job.claim", `UPDATE job SET state = 'running', holder = ?, held = ?, due = ?, tries = tries + 1,
		started = CASE WHEN started = 0 THEN ? ELSE started END
		WHERE state IN ('waiting', 'running') AND due <= ? AND id IN
			(SELECT id FROM job WHERE kind = ? AND state IN ('waiting', 'running') AND due <= ? ORDER BY due LIMIT ?)
		RETURNING id, tenant, kind, payload, cursor, by_user, done, total, message, cancel, tries`)
	finish = dbx.E("job.finish", `UPDATE job SET state = ?, done = ?, total = ?, message = ?, result = ?, payload = '', ended = ?,
		holder = '', held = 0 WHERE tenant = ? AND id = ? AND state = 'running' AND holder = ? AND tries = ?`)
	unclaim = dbx.E("job.unclaim", `UPDATE job SET state = 'waiting', due = ?, done = ?, total = ?, message = ?, tries = tries - 1,
		holder = '', held = 0 WHERE tenant = ? AND id = ? AND state = 'running' AND holder = ? AND tries = ?`)
	tidy = dbx.S("job.tidy", "job", "id", "state IN ('done', 'failed', 'cancelled') AND ended < ?")
)

// How long a node sleeps at most. Jobs started here wake it; those of other nodes, or of the command line on the same SQLite file,
// are found by looking.
const (
	lookPostgres = time.Second
	lookSQLite   = 5 * time.Second
	keep         = 30 * 24 * time.Hour
)

// Run runs jobs and sweeps until ctx ends. What runs then is given back, to go on elsewhere or after the next start.
func (j *Jobs) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if len(j.sweeps) > 0 {
		wg.Go(func() { j.lead(ctx) })
	}
	workers := j.Slots()
	busy := make(chan struct{}, workers)
	failing := false
	for ctx.Err() == nil {
		rows, wait, err := j.claim(ctx, workers-len(busy))
		if err != nil && !failing && ctx.Err() == nil {
			j.log().Warn("jobs cannot be read", slog.String("error", err.Error()))
		}
		failing = err != nil
		for _, row := range rows {
			busy <- struct{}{}
			wg.Go(func() {
				defer func() { <-busy; j.wake() }()
				j.work(ctx, row)
			})
		}
		if len(rows) == 0 {
			j.sleep(ctx, wait)
		}
	}
	return nil
}

// Slots is how many jobs this node runs at once.
func (j *Jobs) Slots() int { return cmp.Or(j.Workers, 4) }

// claim leases up to n jobs that are due, and says how long there is nothing to do.
func (j *Jobs) claim(ctx context.Context, n int) (rows []claimed, wait time.Duration, err error) {
	wait = lookPostgres
	if j.DB.Engine() == dbx.SQLite {
		wait = lookSQLite
	}
	if n <= 0 {
		return nil, wait, nil // a worker that becomes free wakes
	}
	var all []due
	if err := j.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		all, err = kinds.All(ctx, tx)
		return err
	}); err != nil {
		return nil, wait, err
	}
	now := j.now().UnixMilli()
	held := now + cmp.Or(j.Lease, 30*time.Second).Milliseconds()
	for _, k := range all {
		if j.typeOf(k.Kind).Run == nil || n == 0 {
			continue
		}
		if k.Due > now {
			wait = min(wait, time.Duration(k.Due-now)*time.Millisecond)
			continue
		}
		var some []claimed
		err := j.DB.Write(ctx, func(tx *dbx.Tx) (err error) {
			some, err = claim.All(ctx, tx, j.self(), held, held, now, now, k.Kind, now, n)
			return err
		})
		if err != nil {
			return rows, wait, err
		}
		rows, n = append(rows, some...), n-len(some)
	}
	return rows, wait, nil
}

func (j *Jobs) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-j.ring():
	case <-t.C:
	}
}

var errTries = fault.New(fault.Unavailable, "job.tries", "The server stopped too often while it ran this job.")

// work runs one job to its end.
func (j *Jobs) work(ctx context.Context, row claimed) {
	lease := cmp.Or(j.Lease, 30*time.Second)
	inner, end := context.WithCancelCause(ctx)
	defer end(nil)
	r := &Run{ID: row.ID, Tenant: row.Tenant, Kind: row.Kind, User: row.User, Try: row.Tries, j: j, cursor: row.Cursor, end: end,
		done: row.Done, total: row.Total, message: row.Message}
	j.mu.Lock()
	if j.running == nil {
		j.running = map[string]*Run{}
	}
	j.running[r.ID] = r
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.running, r.ID)
		j.mu.Unlock()
	}()
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { r.keep(beating, time.Now().Add(lease-lease/5)) })
	if row.Cancel {
		r.cancel()
	}
	err := j.handle(inner, r, row)
	stop()
	wg.Wait()
	j.settle(context.WithoutCancel(ctx), r, err, ctx.Err() != nil, errors.Is(context.Cause(inner), ErrLost))
}

// handle calls the handler.
func (j *Jobs) handle(ctx context.Context, r *Run, row claimed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			j.log().Error("a job panicked", slog.String("kind", r.Kind), slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	if row.Tries > cmp.Or(j.Tries, 5) {
		return errTries
	}
	if r.Cancelled() {
		return ErrCancelled
	}
	if r.payload, err = j.Open(ctx, row.Tenant, row.Payload, aad(row.ID)); err != nil {
		return err
	}
	return j.typeOf(r.Kind).Run(ctx, r)
}

// settle notes how a job ended.
func (j *Jobs) settle(ctx context.Context, r *Run, failure error, stopping, lost bool) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var err error
	switch {
	case lost:
		j.log().Warn("a job was taken over by another node", slog.String("job", r.ID))
	case failure == nil:
		err = j.finish(ctx, r, Done, "")
	case r.Cancelled():
		err = j.finish(ctx, r, Cancelled, "")
	case stopping:
		err = j.DB.Write(ctx, func(tx *dbx.Tx) error {
			done, total, message, _ := r.progress()
			_, err := unclaim.Do(ctx, tx, j.now().UnixMilli(), done, total, message, r.Tenant, r.ID, j.self(), r.Try)
			return err
		})
	default:
		f := fault.Of(failure)
		j.log().Warn("a job failed", slog.String("kind", r.Kind), slog.String("job", r.ID), slog.String("error", failure.Error()))
		err = j.finish(ctx, r, Failed, f.Public)
	}
	if err != nil {
		// The lease runs out, and the job goes on from its cursor.
		j.log().Warn("the end of a job could not be noted", slog.String("job", r.ID), slog.String("error", err.Error()))
	}
}

// finish ends a job; why, if given, takes the place of its last message.
func (j *Jobs) finish(ctx context.Context, r *Run, state, why string) error {
	done, total, message, result := r.progress()
	message = cmp.Or(clean(why, maxText), message)
	return j.DB.Write(ctx, func(tx *dbx.Tx) error {
		n, err := finish.Do(ctx, tx, state, done, total, message, result, j.now().UnixMilli(), r.Tenant, r.ID, j.self(), r.Try)
		if err != nil || n == 0 || j.Ended == nil {
			return err
		}
		c, err := j.call(ctx, tx, r)
		if err != nil {
			return err
		}
		i, err := get.One(ctx, tx, r.Tenant, r.ID)
		if err != nil {
			return err
		}
		if err := j.Ended(ctx, c, i); err != nil || j.Record == nil {
			return err
		}
		return j.Record(ctx, c)
	})
}

// Tidy removes jobs that ended long ago. It is meant for a sweep.
func (j *Jobs) Tidy(ctx context.Context) error {
	return tidy.Run(ctx, j.DB, j.now().Add(-cmp.Or(j.Keep, keep)).UnixMilli())
}
