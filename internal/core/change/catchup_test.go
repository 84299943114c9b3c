package change_test

import (
	"sync"
	"testing"
	"time"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// Strangers send whatever sequence they like. They must not queue up before those who wrote, nor before the poll on which
// the trust in caches rests: however many wait, the next poll serves them all.
func TestMadeUpSequencesShareAPoll(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		if db.Engine() == dbx.SQLite {
			return // a single node knows all it wrote
		}
		l, _ := node(db)
		poll(t, l)
		before := l.Polls()
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				if err := l.CatchUp(t.Context(), time.Now().UnixMilli()<<20|int64(i)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := l.Polls() - before; n == 0 || n > 20 {
			t.Errorf("%d polls for 200 who asked at once", n)
		}
		before = l.Polls()
		if err := l.CatchUp(t.Context(), time.Now().Add(time.Hour).UnixMilli()<<20); err != nil || l.Polls() != before {
			t.Error("a poll for what is to be written in an hour", err)
		}
		other, _ := node(db)
		poll(t, other)
		sequence := put(t, db, other, "ABC1234/late", nil)
		if err := l.CatchUp(t.Context(), sequence); err != nil || !l.Saw(sequence) {
			t.Error("what was written elsewhere is not known", err)
		}
	})
}
