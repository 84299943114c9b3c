package op

import (
	"context"
	"sync"
	"time"
)

// deadline is a request's context that ends at a time, too. It starts a timer only once somebody asks for its channel:
// most calls have ended long before anybody waits for anything.
type deadline struct {
	context.Context // the request's

	at     time.Time
	mu     sync.Mutex
	timed  context.Context // with the timer; nil: nobody has asked
	cancel context.CancelFunc
	ended  bool
}

func newDeadline(ctx context.Context, d time.Duration) *deadline {
	return &deadline{Context: ctx, at: time.Now().Add(d)}
}

// Deadline is when the call ends.
func (d *deadline) Deadline() (time.Time, bool) {
	if at, ok := d.Context.Deadline(); ok && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done is closed at the end of the request, of the time, or of the call.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithDeadline(d.Context, d.at)
		if d.ended {
			d.cancel()
		}
	}
	return d.timed.Done()
}

// Err says why it has ended.
func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.timed != nil:
		return d.timed.Err()
	case d.ended:
		return context.Canceled
	case d.Context.Err() != nil:
		return d.Context.Err()
	case time.Now().Before(d.at):
		return nil
	}
	return context.DeadlineExceeded
}

// Value is the request's. Once there is a timer it is asked: by that package context knows whom to tell of the end, and
// needs no goroutine for each context made of this one.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	timed := d.timed
	d.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return d.Context.Value(key)
}

// end ends it with the call.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended = true; d.cancel != nil {
		d.cancel()
	}
}
