// Package lease elects one node among many for work that must not be done twice at once. A lease is a row that its holder renews;
// when the holder is gone, another takes it after its end, under a new term.
//
// Clocks may differ by less than a third of a lease. Where even a clock gone wrong must not let two nodes write, the work calls
// Fence in its transactions: it holds the row and looks at the term.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"time"

	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrLost ends the context of work whose lease was lost, and is Fence's answer then.
var ErrLost = fault.New(fault.Conflict, "lease.lost", "Another server has taken over this work.")

// Leases takes and renews leases. Its exported fields are set in internal/app.
type Leases struct {
	DB   *dbx.DB
	Now  func() time.Time // time.Now when nil
	Log  *slog.Logger     // slog.Default when nil
	Node string           // name of this node, for people

	once sync.Once
	self string
}

type held struct {
	name, holder string
	term         int64
}

type key struct{}

var (
	// Taking a lease that is free, or has ended, begins a term.
	take = dbx.W[int64]("lease.take", `INSERT INTO lease (name, holder, until, term) VALUES (?, ?, ?, 1)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, term = lease.term + 1
		WHERE lease.until <= ?
		RETURNING term`)
	renew = dbx.E("lease.renew", `UPDATE lease SET until = ? WHERE name = ? AND holder = ? AND term = ?`)
	leave = dbx.E("lease.leave", `UPDATE lease SET until = 0 WHERE name = ? AND holder = ? AND term = ?`)
	end   = dbx.Q[int64]("lease.end", `SELECT until FROM lease WHERE name = ?`)
	fence = dbx.Q[int64]("lease.fence", `SELECT term FROM lease WHERE name = ? AND holder = ? AND term = ? FOR UPDATE`)
)

// Hold waits for the lease and runs f while it has it. f's context ends when the lease is lost, with ErrLost as its
// cause; Hold then waits for the lease again. It ends with f's answer when f ends by itself, and with nil when ctx ends.
func (l *Leases) Hold(ctx context.Context, name string, ttl time.Duration, f func(ctx context.Context) error) error {
	for ctx.Err() == nil {
		h, until, ok := l.wait(ctx, name, ttl)
		if !ok {
			return nil
		}
		lost, err := l.run(ctx, h, until, ttl, f)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the end of the process is no failure
		case !lost:
			return err
		}
		l.log().Warn("a lease was lost", slog.String("lease", name))
	}
	return nil
}

// wait tries until the lease is taken or ctx ends. until is when it must be given up, on this process's own clock.
func (l *Leases) wait(ctx context.Context, name string, ttl time.Duration) (h held, until time.Time, ok bool) {
	failing := false
	for {
		start := time.Now()
		h, err := l.try(ctx, name, ttl)
		if err == nil && h.term > 0 {
			return h, start.Add(ttl - ttl/3), true
		}
		if err != nil && ctx.Err() == nil && !failing {
			l.log().Warn("a lease cannot be taken", slog.String("lease", name), slog.String("error", err.Error()))
		}
		failing = err != nil
		if !sleep(ctx, ttl/4+mrand.N(ttl/8+1)) {
			return h, until, false
		}
	}
}

// try takes the lease if it is free. It looks first, so that waiting nodes do not write.
func (l *Leases) try(ctx context.Context, name string, ttl time.Duration) (h held, err error) {
	var until int64
	err = l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		until, err = end.One(ctx, tx, name)
		return err
	})
	now := l.now().UnixMilli()
	if err != nil && !errors.Is(err, dbx.ErrNoRow) || err == nil && until > now {
		return h, err
	}
	h = held{name: name, holder: l.holder()}
	err = l.DB.Write(ctx, func(tx *dbx.Tx) (err error) {
		h.term, err = take.One(ctx, tx, name, h.holder, now+ttl.Milliseconds(), now)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil
		}
		return err
	})
	return h, err
}

// run runs f beside the renewal.
func (l *Leases) run(ctx context.Context, h held, until time.Time, ttl time.Duration, f func(context.Context) error) (lost bool, err error) {
	inner, cancel := context.WithCancelCause(context.WithValue(ctx, key{}, h))
	defer cancel(nil)
	renewing, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if !l.keep(renewing, h, until, ttl) {
			cancel(ErrLost)
		}
	})
	defer func() {
		stop()
		wg.Wait()
		if lost = errors.Is(context.Cause(inner), ErrLost); !lost {
			l.release(ctx, h)
		}
	}()
	return false, f(inner)
}

// keep renews until ctx ends (true) or the lease is lost (false).
func (l *Leases) keep(ctx context.Context, h held, until time.Time, ttl time.Duration) bool {
	for {
		if !sleep(ctx, min(ttl/4, time.Until(until))) {
			return true
		}
		start := time.Now()
		if !start.Before(until) {
			return false
		}
		var n int64
		limited, cancel := context.WithDeadline(ctx, until)
		err := l.DB.Write(limited, func(tx *dbx.Tx) (err error) {
			n, err = renew.Do(limited, tx, l.now().Add(ttl).UnixMilli(), h.name, h.holder, h.term)
			return err
		})
		cancel()
		switch {
		case ctx.Err() != nil:
			return true
		case err == nil && n == 0:
			return false
		case err == nil:
			until = start.Add(ttl - ttl/3)
		}
	}
}

func (l *Leases) release(ctx context.Context, h held) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := l.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := leave.Do(ctx, tx, h.name, h.holder, h.term)
		return err
	})
	if err != nil {
		l.log().Warn("a lease could not be given back", slog.String("lease", h.name), slog.String("error", err.Error()))
	}
}

// Fence is called within a transaction of work that Hold runs, with that work's ctx. It answers ErrLost when another node has
// taken the lease, and keeps others from taking it until the transaction ends.
func Fence(ctx context.Context, tx *dbx.Tx) error {
	h, ok := ctx.Value(key{}).(held)
	if !ok {
		return ErrLost.Because(errors.New("the context is not that of Hold"))
	}
	_, err := fence.One(ctx, tx, h.name, h.holder, h.term)
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrLost
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(max(d, 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (l *Leases) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func (l *Leases) log() *slog.Logger {
	if l.Log != nil {
		return l.Log
	}
	return slog.Default()
}

// holder names this process, so that a lease of an earlier one under the same node name is not taken for its own.
func (l *Leases) holder() string {
	l.once.Do(func() { l.self = l.Node + "/" + rand.Text() })
	return l.self
}
