package change_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// heard collects what a node's watchers are told.
type heard struct {
	mu    sync.Mutex
	items []string
}

func (h *heard) add(item string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.items = append(h.items, item)
}

func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.items
	h.items = nil
	return out
}

func node(db *dbx.DB) (*change.Log, *heard) {
	l, h := &change.Log{DB: db}, &heard{}
	l.Watch("user", h.add)
	return l, h
}

func put(t *testing.T, db *dbx.DB, l *change.Log, item string, then error) (sequence int64) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *dbx.Tx) (err error) {
		c := &call.Call{Tx: tx, Now: time.Now(), Rand: rand.Reader}
		if sequence, err = l.Mark(t.Context(), c, "user", item); err != nil {
			return err
		}
		return then
	})
	if !errors.Is(err, then) {
		t.Fatal(err)
	}
	return sequence
}

func poll(t *testing.T, l *change.Log) {
	t.Helper()
	if err := l.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, dbxtest.Fresh(t, e)) })
	}
}

func TestTwoNodes(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		a, ha := node(db)
		b, hb := node(db)
		poll(t, a)
		poll(t, b)
		if got := hb.take(); !slices.Equal(got, []string{change.Reset}) {
			t.Fatalf("the first poll told %q", got)
		}
		ha.take()
		put(t, db, a, "T/1", nil)
		if got := ha.take(); !slices.Equal(got, []string{"T/1"}) {
			t.Fatalf("the writing node heard %q when the write returned", got)
		}
		put(t, db, a, "T/lost", errors.New("rolled back"))
		sequence := put(t, db, a, "T/2", nil)
		ha.take()
		if db.Engine() == dbx.Postgres && (b.Saw(sequence) || !a.Saw(sequence)) {
			t.Error("before b polled: Saw")
		}
		poll(t, b)
		if got := slices.Sorted(slices.Values(hb.take())); !slices.Equal(got, []string{"T/1", "T/2"}) { // of one millisecond, so in any order
			t.Fatalf("the other node heard %q", got)
		}
		if !b.Saw(sequence) || !b.Saw(0) {
			t.Error("after b polled: Saw")
		}
		poll(t, a)
		poll(t, b)
		if got := append(ha.take(), hb.take()...); len(got) > 0 {
			t.Fatalf("told again: %q", got)
		}
	})
}

// A transaction that commits after later ones were seen must not be missed.
func TestLateCommit(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.Postgres)
	a, _ := node(db)
	b, hb := node(db)
	poll(t, b)
	hb.take()
	inside, finish, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- db.Write(context.Background(), func(tx *dbx.Tx) error {
			c := &call.Call{Tx: tx, Now: time.Now().Add(-time.Hour), Rand: rand.Reader} // a request that began long ago
			err := a.Put(t.Context(), c, "user", "T/late")
			inside <- true
			<-finish
			return err
		})
	}()
	<-inside
	time.Sleep(2 * time.Second) // longer than a glance looks back
	put(t, db, a, "T/early", nil)
	poll(t, b)
	close(finish)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for range 4 { // the next poll through the whole overlap is among them
		poll(t, b)
	}
	if got := hb.take(); !slices.Equal(got, []string{"T/early", "T/late"}) {
		t.Fatalf("heard %q", got)
	}
}

func TestFresh(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.Postgres)
	l, _ := node(db)
	if l.Fresh() {
		t.Fatal("fresh before the first poll")
	}
	poll(t, l)
	if !l.Fresh() {
		t.Fatal("not fresh after a poll")
	}
	time.Sleep(2100 * time.Millisecond)
	if l.Fresh() {
		t.Fatal("fresh two seconds after the last poll")
	}
}

func TestResetAfterGap(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		a, _ := node(db)
		b, hb := node(db)
		poll(t, b)
		hb.take()
		b.Sleep(20 * time.Second)
		put(t, db, a, "T/1", nil)
		poll(t, b)
		if got := hb.take(); !slices.Equal(got, []string{change.Reset}) {
			t.Fatalf("after a gap: %q", got)
		}
		put(t, db, a, "T/2", nil)
		poll(t, b)
		if got := hb.take(); !slices.Equal(got, []string{"T/2"}) {
			t.Fatalf("after the reset: %q", got)
		}
	})
}

func TestRun(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		a, _ := node(db)
		b, hb := node(db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		time.Sleep(300 * time.Millisecond)
		hb.take()
		start := time.Now()
		put(t, db, a, "T/1", nil)
		for len(hb.take()) == 0 {
			if time.Since(start) > 3*time.Second {
				t.Fatal("the other node heard nothing")
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Logf("heard after %v", time.Since(start).Round(time.Millisecond))
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

var count = dbx.Q[int64]("change_test.count", `SELECT COUNT(*) FROM change`)

func TestTidy(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		old := &change.Log{DB: db, Now: func() time.Time { return time.Now().Add(-2 * time.Hour) }}
		l, _ := node(db)
		put(t, db, old, "T/old", nil)
		put(t, db, l, "T/new", nil)
		if err := l.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int64
		if err := db.Read(t.Context(), func(tx *dbx.Tx) (err error) { n, err = count.One(t.Context(), tx); return err }); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	})
}

func TestItems(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.SQLite)
	l, _ := node(db)
	for _, item := range []string{change.Reset, string(make([]byte, 600))} {
		put(t, db, l, item, change.ErrItem)
	}
}

func BenchmarkPoll(b *testing.B) {
	for _, e := range dbxtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			l := &change.Log{DB: dbxtest.Fresh(b, e)}
			for b.Loop() {
				if err := l.Poll(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
