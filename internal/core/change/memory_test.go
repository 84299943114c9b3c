package change_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
)

// recall is a memory of a node, and how often it had to read.
type recall struct {
	change.Memory[string, int]
	t     *testing.T
	db    *dbx.DB
	log   *change.Log
	value int
	reads int
}

func newRecall(t *testing.T, db *dbx.DB) *recall {
	l, _ := node(db)
	r := &recall{t: t, db: db, log: l}
	r.Log, r.Max = l, 3
	r.Watch(l.Watch, "user", "role")
	poll(t, l)
	return r
}

func (r *recall) call(tx *dbx.Tx) *call.Call {
	c := &call.Call{Tenant: call.Tenant{ID: "T"}, Tx: tx, Now: time.Now(), Rand: rand.Reader}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return r.db.Read(ctx, func(tx *dbx.Tx) error { c.Tx = tx; defer func() { c.Tx = nil }(); return f() })
	}
	return c
}

func (r *recall) get(c *call.Call, key string, until int64) int {
	r.t.Helper()
	v, err := r.Get(r.t.Context(), c, key, func() (change.Answer[int], error) {
		r.reads++
		return change.Answer[int]{Value: r.value, Of: []string{key, ""}, Until: until}, nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// want gets a key twice, and wants its value to be read so often.
func (r *recall) want(what, key string, reads int) {
	r.t.Helper()
	r.reads = 0
	for range 2 {
		if got := r.get(r.call(nil), key, 0); got != r.value && reads > 0 {
			r.t.Errorf("%s: %d", what, got)
		}
	}
	if r.reads != reads {
		r.t.Errorf("%s: read %d times, not %d", what, r.reads, reads)
	}
}

func TestMemory(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		here, there := newRecall(t, db), newRecall(t, db)
		for _, r := range []*recall{here, there} {
			r.want("first", "a", 1)
			r.want("remembered", "a", 0)
			r.want("another", "b", 1)
		}
		put(t, db, here.log, "T/a", nil)
		here.want("changed here", "a", 1)
		here.want("not changed", "b", 0)
		poll(t, there.log)
		there.want("changed on the other node", "a", 1)
		there.want("not changed", "b", 0)
		put(t, db, here.log, "T", nil)
		here.want("its tenant changed", "b", 1)
		put(t, db, here.log, "U/a", nil)
		put(t, db, here.log, "U", nil)
		put(t, db, here.log, "T/a", errors.New("rolled back"))
		here.want("another tenant changed", "a", 1)
		here.want("and again", "a", 0)
		here.log.Forget()
		here.want("all forgotten", "a", 1)

		here.reads = 0
		past := time.Now().Add(-time.Second).UnixMilli()
		here.get(here.call(nil), "c", past)
		here.get(here.call(nil), "c", past)
		if here.reads != 2 {
			t.Error("what is over is remembered")
		}
		for _, key := range []string{"d", "e", "f", "g"} {
			here.want("one of many", key, 1)
		}
	})
}

// What a change told while it was read must not be kept: it may be what was revoked.
func TestMemoryChangedWhileRead(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		r := newRecall(t, db)
		_, err := r.Get(t.Context(), r.call(nil), "a", func() (change.Answer[int], error) {
			put(t, db, r.log, "T/other", nil)
			return change.Answer[int]{Value: 7, Of: []string{"a"}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r.want("changed meanwhile", "a", 1)
	})
}

func TestMemoryInTransactions(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		r := newRecall(t, db)
		write := func(then error, f func(c *call.Call) error) {
			t.Helper()
			err := db.Write(t.Context(), func(tx *dbx.Tx) error { return errors.Join(f(r.call(tx)), then) })
			if then == nil && err != nil {
				t.Fatal(err)
			}
		}
		read := func(c *call.Call) error { r.get(c, "a", 0); return nil }
		if err := db.Read(t.Context(), func(tx *dbx.Tx) error { return read(r.call(tx)) }); err != nil {
			t.Fatal(err)
		}
		r.want("a snapshot of somebody else's", "a", 1)
		r.log.Forget()
		write(errors.New("rolled back"), read)
		r.want("rolled back", "a", 1)
		r.log.Forget()
		write(nil, read)
		r.want("committed", "a", 0)
		r.reads = 0
		write(nil, func(c *call.Call) error {
			if err := r.log.Put(t.Context(), c, "user", "T/a"); err != nil {
				return err
			}
			r.value = 8
			if got := r.get(c, "a", 0); got != 8 || r.reads != 1 {
				t.Errorf("a transaction that has changed it gets %d", got)
			}
			return nil
		})
		r.want("changed in the same transaction", "a", 1)
	})
}
