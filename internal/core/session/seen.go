package session

import (
	"context"
	"sync"
	"time"

	"limen/internal/dbx"
)

// Last-seen times are flushed in batches: a session is written at most once in a tenth of its idle time, half a minute
// at most, so that a busy caller costs no write each call and an idle one still ends in time.
const (
	flushEvery = 5 * time.Second
	flushBatch = 500
	maxGranule = int64(30_000)
	maxDirty   = 500_000
)

type dirty struct {
	mu   sync.Mutex
	list map[*entry]struct{}
}

var (
	seenRow  = dbx.E("session.seen", `UPDATE session SET seen = ? WHERE tenant = ? AND id = ? AND seen < ? AND ended = 0`)
	sweepRow = dbx.S("session.sweep", "session", "tenant, id", "expires < ?")
)

func (s *Sessions) touch(e *entry, now int64) {
	if now > e.seen.Load() {
		e.seen.Store(now)
	}
	stored := e.stored.Load()
	if now-stored < min(maxGranule, e.idle/10) || !e.stored.CompareAndSwap(stored, now) {
		return
	}
	s.dirty.mu.Lock()
	defer s.dirty.mu.Unlock()
	if s.dirty.list == nil {
		s.dirty.list = map[*entry]struct{}{}
	}
	if len(s.dirty.list) < maxDirty {
		s.dirty.list[e] = struct{}{}
	}
}

// Run flushes last-seen times until ctx ends, and once more then.
func (s *Sessions) Run(ctx context.Context) error {
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.Flush(context.WithoutCancel(ctx))
		case <-t.C:
			_ = s.Flush(ctx) // what failed stays noted and is tried at the next tick
		}
	}
}

// Flush writes the last-seen times that are not yet stored.
func (s *Sessions) Flush(ctx context.Context) error {
	s.dirty.mu.Lock()
	list := make([]*entry, 0, len(s.dirty.list))
	for e := range s.dirty.list {
		list = append(list, e)
	}
	s.dirty.list = nil
	s.dirty.mu.Unlock()
	for len(list) > 0 {
		n := min(len(list), flushBatch)
		if err := s.store(ctx, list[:n]); err != nil {
			s.again(list)
			return err
		}
		list = list[n:]
	}
	return nil
}

func (s *Sessions) store(ctx context.Context, batch []*entry) error {
	return s.DB.Write(ctx, func(tx *dbx.Tx) error {
		for _, e := range batch {
			at := e.seen.Load()
			if err := seenRow.Later(ctx, tx, at, e.tenant, e.caller.Session, at); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Sessions) again(list []*entry) {
	s.dirty.mu.Lock()
	defer s.dirty.mu.Unlock()
	if s.dirty.list == nil {
		s.dirty.list = map[*entry]struct{}{}
	}
	for _, e := range list {
		s.dirty.list[e] = struct{}{}
	}
}

// Sweep removes the rows of sessions that ended before a time, of all tenants.
func (s *Sessions) Sweep(ctx context.Context, before time.Time) error {
	return sweepRow.Run(ctx, s.DB, before.UnixMilli())
}
