package change

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"limen/internal/dbx"
)

// Run polls until ctx ends.
func (l *Log) Run(ctx context.Context) error {
	every := fastest
	if l.DB.Engine() == dbx.SQLite {
		every = slowest
	}
	poll, tidy := time.NewTicker(every), time.NewTicker(tidyEvery+rand.N(tidyEvery/5))
	defer poll.Stop()
	defer tidy.Stop()
	failing := false
	for {
		err := l.Poll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			l.log().Warn("changes cannot be read; caches are not trusted meanwhile", slog.String("error", err.Error()))
		case err == nil && failing:
			l.log().Info("changes can be read again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		case <-tidy.C:
			if err := l.Tidy(ctx); err != nil && ctx.Err() == nil {
				l.log().Warn("old changes cannot be removed", slog.String("error", err.Error()))
			}
		}
	}
}

// Poll looks once for what others changed. Run does so all the time.
//
// Three polls of four glance at the last moments, which is where nearly all commits are; the fourth goes through the whole
// overlap, for transactions that took long.
func (l *Log) Poll(ctx context.Context) error {
	l.polling.Lock()
	defer l.polling.Unlock()
	return l.poll(ctx)
}

// CatchUp polls at once when this node does not know the change with a sequence yet: whoever wrote it on another node
// reads it here. However many ask, there are at most fifty such polls a second and all who wait are served by the next
// one, so that made-up sequences cost little and hold up nobody; what lies further ahead than clocks differ is made up.
func (l *Log) CatchUp(ctx context.Context, sequence int64) error {
	if l.Saw(sequence) || sequence>>20 > l.now().Add(overlap).UnixMilli() {
		return nil
	}
	asked := time.Now()
	l.polling.Lock()
	defer l.polling.Unlock()
	if last := l.last.Load(); l.Saw(sequence) || last != nil && last.After(asked) {
		return nil
	}
	if last := l.last.Load(); last != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(last.Add(20 * time.Millisecond))):
		}
	}
	return l.poll(ctx)
}

func (l *Log) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	start, now := time.Now(), l.now()
	last := l.last.Load()
	reset := last == nil || start.Sub(*last) > overlap-6*time.Second
	back := overlap
	if l.polls%4 != 0 && !reset && start.Sub(*last) < glance/2 {
		back = glance
	}
	var rows []row
	err := l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = since.All(ctx, tx, now.Add(-back).UnixMilli(), most+1)
		return err
	})
	if err != nil {
		return err
	}
	l.polls++
	reset = reset || len(rows) > most
	fresh := l.take(rows, now, back == overlap)
	// The watchers run before Fresh says so: who trusts caches again must not find what should be forgotten.
	if reset {
		for topic := range l.watchers {
			l.tell(topic, Reset)
		}
	} else {
		for _, r := range fresh {
			l.tell(r.Topic, r.Item)
		}
	}
	l.last.Store(&start)
	l.advance(now, back == overlap)
	return nil
}

// take picks the rows that are news here.
func (l *Log) take(rows []row, now time.Time, whole bool) []row {
	l.mu.Lock()
	defer l.mu.Unlock()
	var fresh []row
	ahead := now.Add(skew).UnixMilli()
	for _, r := range rows {
		if !l.remember(r) {
			continue
		}
		fresh = append(fresh, r)
		if r.At > ahead {
			l.log().Warn("a change comes from the future: the clocks of the nodes differ", slog.Int64("ms", r.At-now.UnixMilli()))
			ahead = r.At + 1
		}
	}
	if whole {
		old := now.Add(-2 * overlap).UnixMilli()
		for id, at := range l.seen {
			if at < old {
				delete(l.seen, id)
			}
		}
		for s, at := range l.written {
			if at < old {
				delete(l.written, s)
			}
		}
	}
	return fresh
}

// advance moves the horizon, once the watchers have run.
func (l *Log) advance(now time.Time, whole bool) {
	if !whole {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.horizon = max(l.horizon, now.Add(-overlap).UnixMilli())
}

// Tidy removes rows that every node has read or given up long ago.
func (l *Log) Tidy(ctx context.Context) error {
	return forget.Run(ctx, l.DB, l.now().Add(-retention).UnixMilli())
}
