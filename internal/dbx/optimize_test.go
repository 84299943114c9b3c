package dbx_test

import (
	"testing"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func TestOptimizeGathersStatistics(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Bare(t, e)
			if _, err := db.SQL().Exec("CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT)"); err != nil {
				t.Fatal(err)
			}
			if _, err := db.SQL().Exec("CREATE INDEX t_b ON t (b)"); err != nil {
				t.Fatal(err)
			}
			if _, err := db.SQL().Exec("INSERT INTO t VALUES (1, 'x'), (2, 'y')"); err != nil {
				t.Fatal(err)
			}
			if err := db.Optimize(t.Context()); err != nil {
				t.Fatal(err)
			}
			if e != dbx.SQLite {
				return
			}
			var n int
			if err := db.SQL().QueryRow("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 't'").Scan(&n); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		})
	}
}
