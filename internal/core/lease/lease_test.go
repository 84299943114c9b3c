package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func node(db *dbx.DB, name string) *lease.Leases {
	return &lease.Leases{DB: db, Node: name, Log: slog.New(slog.DiscardHandler)}
}

func each(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, dbxtest.Fresh(t, e)) })
	}
}

const ttl = 600 * time.Millisecond

func TestOneLeader(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		var now, most, terms atomic.Int32
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for _, name := range []string{"a", "b", "c", "d"} {
			l := node(db, name)
			wg.Go(func() {
				for ctx.Err() == nil {
					if err := l.Hold(ctx, "x", ttl, func(ctx context.Context) error {
						most.Store(max(most.Load(), now.Add(1)))
						defer now.Add(-1)
						time.Sleep(20 * time.Millisecond)
						terms.Add(1)
						return db.Write(ctx, func(tx *dbx.Tx) error { return lease.Fence(ctx, tx) })
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for begin := time.Now(); terms.Load() < 10 && time.Since(begin) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		}
		cancel()
		wg.Wait()
		if most.Load() != 1 || terms.Load() < 10 {
			t.Errorf("%d leaders at once, %d terms", most.Load(), terms.Load())
		}
	})
}

func TestRenewed(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		err := node(db, "a").Hold(t.Context(), "x", ttl, func(ctx context.Context) error {
			other, cancel := context.WithTimeout(t.Context(), 3*ttl)
			defer cancel()
			if err := node(db, "b").Hold(other, "x", ttl, func(context.Context) error { return errors.New("taken while held") }); err != nil {
				return err
			}
			return ctx.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// A node that was suspended finds that another leads: its context ends, Fence refuses, and it waits to lead again.
func TestLost(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		terms := 0
		err := node(db, "a").Hold(t.Context(), "x", ttl, func(ctx context.Context) error {
			if terms++; terms == 2 {
				return errors.New("again")
			}
			if _, err := db.SQL().Exec("UPDATE lease SET holder = 'b', term = term + 1"); err != nil {
				t.Fatal(err)
			}
			if err := db.Write(t.Context(), func(tx *dbx.Tx) error { return lease.Fence(ctx, tx) }); !errors.Is(err, lease.ErrLost) {
				t.Error("Fence:", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
				t.Error("the work goes on")
			}
			if !errors.Is(context.Cause(ctx), lease.ErrLost) {
				t.Error(context.Cause(ctx))
			}
			return ctx.Err()
		})
		if terms != 2 || err == nil || err.Error() != "again" {
			t.Fatal(terms, err)
		}
	})
}

// A holder that cannot renew gives up before the lease ends, so that nobody else has it meanwhile.
func TestStoreGone(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.SQLite)
	ended := errors.New("ended")
	terms := 0
	if err := node(db, "a").Hold(t.Context(), "x", ttl, func(ctx context.Context) error {
		if terms++; terms == 2 {
			return ended
		}
		begin, release := time.Now(), make(chan bool)
		go db.Write(context.Background(), func(*dbx.Tx) error { <-release; return nil })
		<-ctx.Done()
		if took := time.Since(begin); took >= ttl || !errors.Is(context.Cause(ctx), lease.ErrLost) {
			t.Errorf("after %v: %v", took, context.Cause(ctx))
		}
		close(release)
		return nil
	}); !errors.Is(err, ended) {
		t.Fatal(err)
	}
}

func TestFenceOutside(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.SQLite)
	if err := db.Write(t.Context(), func(tx *dbx.Tx) error { return lease.Fence(t.Context(), tx) }); !errors.Is(err, lease.ErrLost) {
		t.Fatal(err)
	}
}
