package dbx_test

import (
	"testing"
	"time"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

var (
	grownAll  = dbx.Q[string]("dbx_test.grown", `SELECT p.topic FROM change c JOIN change p ON p.id = c.id WHERE c.topic = ? ORDER BY p.topic`).Anew()
	grownFill = dbx.E("dbx_test.grow", `INSERT INTO change (at, id, topic, item) VALUES (?, ?, ?, '')`)
)

// A statement that is planned anew gives the same rows, alone and behind statements that were put off.
func TestAnew(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		topic := t.Name() + time.Now().String()
		for n := range 8 {
			err := db.Write(t.Context(), func(tx *dbx.Tx) error {
				if err := grownFill.Later(t.Context(), tx, int64(n), topic+string(rune('a'+n)), topic); err != nil {
					return err
				}
				rows, err := grownAll.All(t.Context(), tx, topic)
				if err == nil && len(rows) != n+1 {
					t.Errorf("%d rows, not %d", len(rows), n+1)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
