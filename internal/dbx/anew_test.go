package dbx_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"limen/internal/dbx"
)

// TestLongListsArePlannedAnew asks with a short and a long list of values, more often than PostgreSQL needs to settle on one plan for
// all: the short one is prepared for good, the long one is not. It may be the first statement of a transaction, and have others
// before it that wait.
func TestLongListsArePlannedAnew(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		ids := make([]string, 9)
		for i := range ids {
			ids[i] = fmt.Sprint("i", i)
		}
		ask := func(tx *dbx.Tx, ids []string, want int) error {
			rows, err := namedIDs.Rows(t.Context(), tx, dbx.In("id", ids...), nil, 100, "a")
			if err == nil && len(rows) != want {
				err = fmt.Errorf("%d rows of %d", len(rows), want)
			}
			return err
		}
		for n := range 8 {
			if err := db.Read(t.Context(), func(tx *dbx.Tx) error {
				return errors.Join(ask(tx, ids, n), ask(tx, ids, n), ask(tx, ids[:8], n))
			}); err != nil {
				t.Fatal(err)
			}
			if err := db.Write(t.Context(), func(tx *dbx.Tx) error {
				return errors.Join(late(tx, ids[n]), ask(tx, ids, n+1), ask(tx, ids[:8], n+1))
			}); err != nil {
				t.Fatal(err)
			}
		}
		for text, want := range map[string]bool{"%LIMIT $10": true, "%LIMIT $18": false} {
			if db.Engine() == dbx.SQLite {
				break
			}
			if err := db.Read(t.Context(), func(tx *dbx.Tx) error {
				var n int64
				err := dbx.Get(context.Background(), tx, &n, `SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '`+text+`' AND statement LIKE '% IN (%'`)
				if (n > 0) != want {
					t.Errorf("%s: %d statements are prepared", text, n)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		err := db.Write(t.Context(), func(tx *dbx.Tx) error {
			_ = late(tx, ids[0]) // on SQLite it fails at once
			if ask(tx, ids, 8) == nil {
				t.Error("what waited has failed, and the list says nothing of it")
			}
			return nil
		})
		if !errors.Is(err, dbx.ErrExists) {
			t.Error(err)
		}
	})
}
