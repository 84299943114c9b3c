package dbx_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"limen/internal/dbx"
)

var sweepItems = dbx.S("test.sweep", "item", "tenant, id", "n < ?")

// TestSweep removes more rows than a batch has, and leaves what is not meant.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		if err := db.Write(t.Context(), func(tx *dbx.Tx) error {
			for i := range 1300 {
				if err := putItem.Later(t.Context(), tx, "a", fmt.Sprint("i", i), fmt.Sprint("i", i), true, i%13); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := sweepItems.Run(t.Context(), db, 12); err != nil {
			t.Fatal(err)
		}
		count(t, db, 100)
		if err := sweepItems.Run(t.Context(), db, 12); err != nil { // nothing is left
			t.Fatal(err)
		}
		count(t, db, 100)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		if err := sweepItems.Run(done, db, 13); err == nil {
			t.Error("a sweep goes on after its time")
		}
		count(t, db, 100)
	})
}

// TestBatches wants each batch in a transaction of its own, no larger than it may be, and what earlier ones did to stay when a later
// one fails.
func TestBatches(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		mine := errors.New("mine")
		left, sizes := 1300, []int{}
		err := db.Batches(t.Context(), func(tx *dbx.Tx, most int) (int64, error) {
			n := min(most, left)
			tx.After(func() { left, sizes = left-n, append(sizes, n) })
			if left == 1300 {
				return int64(n), late(tx, "1")
			}
			return int64(n), nil
		})
		if err != nil || fmt.Sprint(sizes) != "[500 500 300]" {
			t.Errorf("batches of %v, %v", sizes, err)
		}
		first := true
		err = db.Batches(t.Context(), func(tx *dbx.Tx, most int) (int64, error) {
			if !first {
				return 0, errors.Join(late(tx, "3"), mine)
			}
			tx.After(func() { first = false })
			return int64(most), late(tx, "2")
		})
		if !errors.Is(err, mine) {
			t.Error(err)
		}
		count(t, db, 2)
	})
}
