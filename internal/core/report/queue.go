package report

import (
	"context"
	"sync"
	"time"

	"limen/internal/fault"
)

// ErrBusy says that too many reports run.
var ErrBusy = fault.New(fault.Limited, "report.busy", "Too many queries are running. Please try again later.")

// How many reports run at once on a node, and of those one person's; how many of a person's wait for that, and how long.
// A report may take long and join a table with itself however often: without bounds a single caller would take every
// core, and on PostgreSQL every connection.
const (
	maxRunning = 6
	maxOfOne   = 3
	maxWaiting = 64
	patience   = 10 * time.Second
)

// queue lets reports run in turn. The zero value is ready.
type queue struct {
	mu      sync.Mutex
	running chan struct{}
	of      map[string]*waiter
}

// waiter is one person's reports.
type waiter struct {
	running chan struct{}
	count   int // running and waiting
}

// enter waits until a person's report may run; leave must be called after it. ErrBusy when that takes too long.
func (q *queue) enter(ctx context.Context, who string) (leave func(), err error) {
	w, err := q.join(who)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var held []chan struct{}
	leave = func() {
		for _, ch := range held {
			<-ch
		}
		q.quit(who, w)
	}
	for _, ch := range []chan struct{}{w.running, q.running} { // one's own first: who waits for that takes nobody's place
		select {
		case ch <- struct{}{}:
			held = append(held, ch)
			continue
		case <-timer.C:
			err = ErrBusy.RetryAfter(5)
		case <-ctx.Done():
			err = ctx.Err()
		}
		leave()
		return nil, err
	}
	return leave, nil
}

func (q *queue) join(who string) (*waiter, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.of == nil {
		q.of, q.running = map[string]*waiter{}, make(chan struct{}, maxRunning)
	}
	w := q.of[who]
	if w == nil {
		w = &waiter{running: make(chan struct{}, maxOfOne)}
		q.of[who] = w
	}
	if w.count >= maxOfOne+maxWaiting {
		return nil, ErrBusy.RetryAfter(5)
	}
	w.count++
	return w, nil
}

func (q *queue) quit(who string, w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.count--; w.count == 0 {
		delete(q.of, who)
	}
}
