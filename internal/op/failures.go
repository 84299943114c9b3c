package op

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/fault"
)

// Denied is the event type of a refusal to read.
const Denied = "Cloud.Core.AccessDenied"

// Failures stores the events of refusals and failures after their rollback. That of a signed-in caller's change is written
// at once; those of strangers, and of reads, are gathered per source and kind and written once a second with their count,
// so that nobody can buy a disk write with each request.
type Failures struct {
	writing sync.Mutex // held while a batch is written: whoever flushes meanwhile waits for it
	mu      sync.Mutex
	pending map[failureKey]*failure
	dropped int64
}

type failureKey struct{ tenant, kind, reason, source, operation string }

type failure struct {
	kernel *Kernel
	call   call.Call
	event  call.Event
}

// maxPending bounds the memory that strangers can take; beyond it only a number is kept, and logged.
const maxPending = 10_000

// Note stores, or gathers, the event of a failed call. Bad input that changed nothing is no event.
func (fs *Failures) Note(ctx context.Context, k *Kernel, o *Op, c *Call, effect Effect, f *fault.Error) {
	kind := o.Audit
	switch {
	case c.Tenant.ID == "" || f.Kind == fault.Invalid || f.Kind == fault.TooLarge || f.Kind == fault.Limited:
		return
	case effect.writes():
	case f.Kind == fault.Denied:
		kind = Denied
	default:
		return
	}
	e := call.Event{ID: c.NewID(), Type: kind, Outcome: "failed", Reason: f.Code, Count: 1}
	if f.Kind == fault.Denied || f.Kind == fault.Unauthenticated {
		e.Outcome = "denied"
	}
	e.Set("Operation", o.Path)
	if c.Event != nil { // what Run had learnt of the target before it failed
		e.Target, e.Kind, e.Name, e.User, e.Login = c.Event.Target, c.Event.Kind, c.Event.Name, c.Event.User, c.Event.Login
	}
	if c.Caller != nil && effect.writes() {
		if err := k.note(context.WithoutCancel(ctx), c, &e); err != nil {
			k.Log.LogAttrs(ctx, slog.LevelError, "audit", slog.String("id", c.ID), slog.String("error", err.Error()))
		}
		return
	}
	fs.gather(k, o, c, e)
}

func (fs *Failures) gather(k *Kernel, o *Op, c *Call, e call.Event) {
	key := failureKey{c.Tenant.ID, e.Type, e.Reason, network(c), ""}
	if c.Caller != nil {
		key.source, key.operation = c.Caller.User, o.Path
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if old := fs.pending[key]; old != nil {
		old.event.Count++
		return
	}
	if len(fs.pending) >= maxPending {
		fs.dropped++
		return
	}
	if fs.pending == nil {
		fs.pending = map[failureKey]*failure{}
	}
	fs.pending[key] = &failure{k, *c, e}
}

// network is the part of an address that one stranger controls: a host in IPv4, a /64 in IPv6.
func network(c *Call) string {
	ip := c.Client.IP.Unmap()
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// Run writes what was gathered each second until ctx ends, and once more then.
func (fs *Failures) Run(ctx context.Context) error {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			fs.Flush(context.WithoutCancel(ctx))
			return nil
		case <-t.C:
			fs.Flush(ctx)
		}
	}
}

// Flush writes what was gathered, and returns when that of every earlier Flush is written too.
func (fs *Failures) Flush(ctx context.Context) {
	fs.writing.Lock()
	defer fs.writing.Unlock()
	fs.mu.Lock()
	batch, dropped := fs.pending, fs.dropped
	fs.pending, fs.dropped = nil, 0
	fs.mu.Unlock()
	for _, f := range batch {
		if err := f.kernel.note(ctx, &f.call, &f.event); err != nil {
			f.kernel.Log.LogAttrs(ctx, slog.LevelError, "audit", slog.String("error", err.Error()))
		}
		if dropped > 0 {
			f.kernel.Log.LogAttrs(ctx, slog.LevelWarn, "failures beyond the bound were only counted", slog.Int64("count", dropped))
			dropped = 0
		}
	}
}
