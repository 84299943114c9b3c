package job

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// Sweep is work that one node of all does again and again, such as removing what is old. Each has a goroutine of its own; a
// sweep that takes longer than Every begins again right after its end. A new leader begins with each of them within a tenth of Every,
// so they must not mind being done too soon.
type Sweep struct {
	Name  string
	Every time.Duration
	Run   func(ctx context.Context) error
}

const (
	sweepLease = "sweeps"
	sweepTime  = time.Minute
)

// Sweep adds a sweep.
func (j *Jobs) Sweep(s Sweep) { j.sweeps = append(j.sweeps, s) }

// lead runs the sweeps while this node has the lease.
func (j *Jobs) lead(ctx context.Context) {
	_ = j.Leases.Hold(ctx, sweepLease, sweepTime, func(ctx context.Context) error { // sweep never gives an error
		var wg sync.WaitGroup
		for _, s := range j.sweeps {
			wg.Go(func() { j.sweep(ctx, s) })
		}
		wg.Wait()
		return nil
	})
}

// sweep runs one sweep until ctx ends.
func (j *Jobs) sweep(ctx context.Context, s Sweep) {
	wait := rand.N(s.Every/10 + 1)
	for {
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		start := time.Now()
		if err := try(ctx, s); err != nil && ctx.Err() == nil {
			j.log().Error("a sweep failed", slog.String("sweep", s.Name), slog.String("error", err.Error()))
		}
		wait = max(s.Every-time.Since(start), time.Millisecond)
	}
}

func try(ctx context.Context, s Sweep) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return s.Run(ctx)
}
