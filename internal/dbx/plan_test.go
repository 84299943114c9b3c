//go:build !modernc

package dbx_test

import (
	"context"
	"path/filepath"
	"testing"

	"limen/internal/dbx"
)

// What a statement is bound to must not have the engine plan it anew, statistics or not.
func TestPlansAreKept(t *testing.T) {
	db, err := dbx.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "x.db"), dbx.Options{Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	must := func(text string) {
		t.Helper()
		if _, err := db.SQL().ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	must("CREATE TABLE x (a TEXT NOT NULL, k TEXT NOT NULL)")
	must("CREATE INDEX x_k ON x (a, k)")
	must("INSERT INTO x WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT 'a' || (i % 3), 'k' || i FROM n")
	must("ANALYZE")
	for _, text := range []string{"SELECT k FROM x WHERE a = ? AND k > ? AND k < ? ORDER BY k LIMIT ?", "SELECT k FROM x WHERE a = ? AND k > ? AND k LIKE ? LIMIT ?"} {
		for _, prefix := range []string{"k1", "k5", "k12"} {
			err := db.Read(t.Context(), func(tx *dbx.Tx) error {
				var got string
				return dbx.Get(context.Background(), tx, &got, text, "a1", prefix, prefix+"z", int64(len(prefix)))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := dbx.Replanned(db, text); n != 0 {
			t.Errorf("%s was planned anew %d times", text, n)
		}
	}
}
