package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// Worker is background work that runs as long as the server. Run returns soon after its context ends. A nil return
// before that means that there is nothing more to do; an error, or a panic, ends the server: a worker deals itself
// with failures that pass.
type Worker struct {
	Name string
	Run  func(ctx context.Context) error
}

// Group is the workers of a server, started together and stopped together.
type Group []Worker

type crew struct {
	cancel context.CancelFunc
	failed chan error // the first failure
	done   chan string
	names  map[string]int // of those that run
}

func (g Group) start(ctx context.Context, log *slog.Logger) *crew {
	ctx, cancel := context.WithCancel(ctx)
	c := &crew{cancel: cancel, failed: make(chan error, 1), done: make(chan string, len(g)), names: map[string]int{}}
	for _, w := range g {
		c.names[w.Name]++
		go func() {
			defer func() { c.done <- w.Name }()
			err := w.guarded(ctx)
			if err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return
			}
			log.Error("a worker has failed", "worker", w.Name, "error", err)
			select {
			case c.failed <- ErrWorker.Because(fmt.Errorf("%s: %w", w.Name, err)):
			default:
			}
		}()
	}
	return c
}

func (w Worker) guarded(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.Run(ctx)
}

// stop ends the workers and waits, but not longer than limit.
func (c *crew) stop(limit time.Duration) error {
	c.cancel()
	late := time.NewTimer(limit)
	defer late.Stop()
	running := 0
	for _, n := range c.names {
		running += n
	}
	for ; running > 0; running-- {
		select {
		case name := <-c.done:
			if c.names[name]--; c.names[name] == 0 {
				delete(c.names, name)
			}
		case <-late.C:
			var left []string
			for name := range c.names {
				left = append(left, name)
			}
			return ErrWorker.Because(fmt.Errorf("still running after %v: %s", limit, strings.Join(left, ", ")))
		}
	}
	return nil
}
