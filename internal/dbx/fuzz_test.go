package dbx_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// FuzzReport throws texts at the second fence alone: whatever comes, no value leaves a table that is not on the list, and
// nothing changes.
func FuzzReport(f *testing.F) {
	db := prepare(f, dbxtest.Bare(f, dbx.SQLite))
	for _, s := range []string{
		`CREATE VIEW item_view AS SELECT id, name, n, active FROM item`,
		`CREATE TABLE secret (id TEXT, value TEXT)`,
		`CREATE VIEW secret_view AS SELECT value FROM secret`,
		`INSERT INTO secret VALUES ('1', 'h1dden')`,
		`INSERT INTO item (tenant, id, name, active, n) VALUES ('a', 'i1', 'x', 1, 1)`,
	} {
		if _, err := db.SQL().Exec(s); err != nil {
			f.Fatal(err)
		}
	}
	for _, s := range []string{
		"SELECT * FROM item_view", "SELECT * FROM secret", "SELECT count(*) FROM secret_view",
		"WITH item_view AS (SELECT * FROM secret) SELECT * FROM item_view", `WITH "x"(a) AS MATERIALIZED (SELECT value FROM secret) SELECT a FROM x`,
		"SELECT id FROM item_view UNION ALL SELECT value FROM secret", "SELECT (SELECT value FROM secret LIMIT 1)", "VALUES (1), ('a')",
		"SELECT replace(id, 'i', (SELECT value FROM secret_view)) FROM item_view", "WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n FROM c) SELECT n FROM c",
		"SELECT 'item_view'.value FROM secret 'item_view'", "SELECT * FROM item_view NATURAL JOIN secret", "SELECT sql FROM sqlite_schema",
		"SELECT max(id) OVER (PARTITION BY n) FROM item_view", "WITH a AS (WITH item_view AS (SELECT value FROM secret) SELECT * FROM item_view) SELECT * FROM a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := db.Report(t.Context(), dbx.ReportQuery{SQL: s, Views: []string{"item_view"}, Timeout: 100 * time.Millisecond, MaxRows: 50})
		if err == nil && !strings.Contains(s, "h1dden") && strings.Contains(strings.ToLower(fmt.Sprint(r.Values)), "h1dden") {
			t.Fatalf("%q gave %v", s, r.Values)
		}
		n, err := db.Report(t.Context(), dbx.ReportQuery{SQL: "SELECT count(*) FROM item_view", Views: []string{"item_view"}})
		if err != nil || fmt.Sprint(n.Values) != "[[1]]" {
			t.Fatalf("after %q: %v %v", s, n, err)
		}
	})
}
