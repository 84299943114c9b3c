package dbx_test

import (
	"context"
	"errors"
	"testing"

	"limen/internal/dbx"
)

func late(tx *dbx.Tx, id string) error {
	return putItem.Later(context.Background(), tx, "a", id, id, true, 1)
}

func TestLater(t *testing.T) {
	mine := errors.New("mine")
	each(t, func(t *testing.T, db *dbx.DB) {
		for _, x := range []struct {
			name string
			f    func(tx *dbx.Tx) error
			want error
			rows int // afterwards
		}{
			{"nothing", func(*dbx.Tx) error { return nil }, nil, 0},
			{"alone", func(tx *dbx.Tx) error { return late(tx, "1") }, nil, 1},
			{"seen by the next", func(tx *dbx.Tx) error {
				if err := errors.Join(late(tx, "2"), late(tx, "3")); err != nil {
					return err
				}
				n, err := bumpItem.One(t.Context(), tx, "a", "3")
				if n != 2 {
					t.Errorf("the row is at %d", n)
				}
				return err
			}, nil, 3},
			{"behind others", func(tx *dbx.Tx) error { return errors.Join(put("4")(tx), late(tx, "5")) }, nil, 5},
			{"failing at the end", func(tx *dbx.Tx) error {
				// On SQLite it fails at once.
				return errors.Join(put("6")(tx), late(tx, "1"))
			}, dbx.ErrExists, 5},
			{"failing at the next, unheeded", func(tx *dbx.Tx) error {
				_ = late(tx, "1")
				if put("8")(tx) == nil || late(tx, "9") == nil {
					t.Error("a failed transaction goes on")
				}
				return nil
			}, dbx.ErrExists, 5},
			{"given up", func(tx *dbx.Tx) error { return errors.Join(late(tx, "8"), mine) }, mine, 5},
			{"after all that", func(tx *dbx.Tx) error { return late(tx, "8") }, nil, 6},
		} {
			t.Run(x.name, func(t *testing.T) {
				if err := db.Write(t.Context(), x.f); !errors.Is(err, x.want) {
					t.Error(err)
				}
				count(t, db, x.rows)
			})
		}
	})
}
