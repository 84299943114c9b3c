package dbx

import (
	"context"
	"sync"
	"time"
)

// limit is a context that ends at a deadline and costs next to nothing until somebody asks for its channel: most
// members are done in microseconds, and a timer for each would be a good part of that.
type limit struct {
	at   time.Time
	once sync.Once
	done chan struct{}
	t    *time.Timer
}

func newLimit(d time.Duration) *limit { return &limit{at: time.Now().Add(d)} }

// Deadline is when the budget ends.
func (l *limit) Deadline() (time.Time, bool) { return l.at, true }

// Done is closed at the deadline.
func (l *limit) Done() <-chan struct{} {
	l.once.Do(func() {
		l.done = make(chan struct{})
		l.t = time.AfterFunc(time.Until(l.at), func() { close(l.done) })
	})
	return l.done
}

// Err is context.DeadlineExceeded after the deadline.
func (l *limit) Err() error {
	if time.Now().Before(l.at) {
		return nil
	}
	return context.DeadlineExceeded
}

// Value knows no keys.
func (l *limit) Value(any) any { return nil }

func (l *limit) stop() {
	if l.t != nil {
		l.t.Stop()
	}
}
