package dbx_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func TestReport(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		fill(t, db)
		for _, s := range []string{
			`CREATE VIEW item_view AS SELECT id, name, n, active FROM item WHERE tenant = 'a'`,
			`CREATE VIEW inner_view AS SELECT id, n FROM item`,
			`CREATE VIEW outer_view AS SELECT id, n FROM inner_view`,
			`CREATE TABLE secret (id TEXT, value TEXT)`,
			`INSERT INTO secret VALUES ('i1', 'hidden')`,
		} {
			if _, err := db.SQL().Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		views := []string{"item_view", "outer_view"}
		for range 2 {
			if err := db.EnsureReportRole(t.Context(), views); err != nil {
				t.Fatal(err)
			}
		}
		run := func(sql string, args ...any) (*dbx.Rows, error) {
			return db.Report(t.Context(), dbx.ReportQuery{SQL: sql, Args: args, Views: views, Timeout: 500 * time.Millisecond, MaxRows: 100})
		}
		for sql, want := range map[string]string{
			`SELECT id, n FROM item_view WHERE name = 'anna'`:                                                              "[[i0 0]]",
			`SELECT count(*) FROM item_view`:                                                                               "[[10]]",
			`SELECT upper(id) AS x, sum(n) FROM item_view GROUP BY id HAVING sum(n) > 2`:                                   "[[I9 3]]",
			`WITH x AS (SELECT id FROM item_view WHERE n = 3) SELECT count(*) FROM x`:                                      "[[1]]",
			`WITH x (y, z) AS (SELECT id, n FROM item_view WHERE n = 3) SELECT y FROM x`:                                   "[[i9]]",
			`SELECT "id" FROM "item_view" i WHERE EXISTS (SELECT 1 FROM outer_view o WHERE o.id = i.id) AND i.n IN (3, 4)`: "[[i9]]",
			`SELECT row_number() OVER (ORDER BY id), id FROM item_view ORDER BY 2 LIMIT 1`:                                 "[[1 i0]]",
			`SELECT count(*) FROM outer_view`:                                                                              "[[20]]",
			`SELECT 'secret (', id FROM item_view WHERE id = 'i1' -- pg_sleep(1)`:                                          "[[secret ( i1]]",
		} {
			r, err := run(sql)
			if err != nil || fmt.Sprint(r.Values) != want || len(r.Columns) != len(r.Values[0]) || len(r.Types) != len(r.Columns) {
				t.Errorf("%s: %+v %v", sql, r, err)
			}
		}
		if r, err := run(`SELECT id FROM item_view WHERE n = ? AND name <> ?`, int64(3), "x"); err != nil || len(r.Values) != 1 {
			t.Error(r, err)
		}
		for _, sql := range []string{
			`SELECT * FROM secret`,
			`SELECT count(*) FROM secret`,
			`SELECT id FROM item_view WHERE id IN (SELECT value FROM secret)`,
			`SELECT * FROM item`,
			`SELECT * FROM inner_view`,
			`SELECT (SELECT value FROM secret) FROM item_view`,
			`WITH item_view AS (SELECT * FROM secret) SELECT * FROM item_view`,
			`WITH "item_view" AS (SELECT * FROM secret) SELECT * FROM item_view`,
			`WITH ITEM_VIEW (a, b) AS (SELECT id, value FROM secret) SELECT * FROM item_view`,
			`WITH x AS (SELECT 1), item_view AS NOT MATERIALIZED (SELECT * FROM secret) SELECT * FROM item_view`,
			`WITH x AS (SELECT * FROM secret) SELECT * FROM x`,
			`SELECT * FROM (SELECT * FROM secret) item_view`,
			`SELECT item_view.value FROM secret AS item_view`,
			`SELECT item_view.id FROM item_view, secret`,
			`SELECT item_view.id FROM (item_view JOIN "secret" ON true)`,
			`SELECT item_view.id FROM item_view JOIN main.secret ON true`,
			`SELECT id FROM item_view WHERE 'a' IN secret`,
			`SELECT id FROM item_view WHERE id IN (SELECT "secret".value FROM main."secret")`,
			`SELECT * FROM item_view UNION SELECT 'a', value, 1, true FROM secret`,
			`SELECT * FROM sqlite_schema`,
			`DELETE FROM item`,
			`INSERT INTO secret SELECT id, id FROM item_view`,
			`WITH x AS (SELECT 1) DELETE FROM item`,
			`CREATE TABLE z (a TEXT)`,
			`PRAGMA table_info(secret)`,
			`SELECT * FROM pragma_table_info('secret')`,
			`SELECT load_extension('x')`,
			`SELECT "load_extension"('x')`,
			`SELECT randomblob(1000000000)`,
			`SELECT pg_sleep(1)`,
			`SELECT set_config('role', 'none', true)`,
			`SELECT query_to_xml('select * from secret', true, true, '')`,
			`SELECT id INTO copy FROM item_view`,
			`ATTACH DATABASE 'x' AS y`,
			`SELECT 1; DROP TABLE item`,
			`SELECT 1 FROM item_view FOR UPDATE`,
			`COMMIT`,
			`nonsense`,
			``,
		} {
			if r, err := run(sql); !errors.Is(err, dbx.ErrReportDenied) && !errors.Is(err, dbx.ErrReportQuery) {
				t.Errorf("%s: %+v %v", sql, r, err)
			}
		}
		start := time.Now()
		_, err := run(`WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000) SELECT count(*) FROM c`)
		if !errors.Is(err, dbx.ErrReportTime) || time.Since(start) > 3*time.Second {
			t.Error(err, time.Since(start))
		}
		_, err = run(`SELECT a.id FROM item_view a, item_view b, item_view c`)
		if !errors.Is(err, dbx.ErrReportRows) {
			t.Error(err)
		}
		// The connections are as good as before for everybody else.
		if _, err := run(`SELECT id FROM item_view`); err != nil {
			t.Error(err)
		}
		if err := db.Write(t.Context(), put("after")); err != nil {
			t.Error(err)
		}
		count(t, db, 11)
	})
}

// TestReportAgain runs reports that the connection has prepared before.
func TestReportAgain(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		fill(t, db)
		change := func(sql string) {
			t.Helper()
			if _, err := db.SQL().Exec(sql); err != nil {
				t.Fatal(err)
			}
		}
		run := func(sql string, views ...string) string {
			r, err := db.Report(t.Context(), dbx.ReportQuery{SQL: sql, Views: views})
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(r.Values)
		}
		change(`CREATE VIEW item_view AS SELECT id FROM item WHERE tenant = 'a'`)
		change(`CREATE VIEW other_view AS SELECT id FROM item WHERE tenant = 'a'`)
		if err := db.EnsureReportRole(t.Context(), []string{"item_view", "other_view"}); err != nil {
			t.Fatal(err)
		}
		const known = `SELECT id FROM item_view WHERE id <> 'i0' ORDER BY id LIMIT 1`
		for range 3 {
			if got := run(known, "item_view", "other_view"); got != "[[i1]]" {
				t.Fatal(got)
			}
		}
		if db.Engine() == dbx.SQLite { // elsewhere the role's grants decide
			for range 2 {
				if got := run(known, "other_view"); !strings.Contains(got, "report.denied") {
					t.Error("a report that was admitted for other views:", got)
				}
			}
		}
		for i := range 100 { // more than are kept
			if got := run(fmt.Sprintf("SELECT %d FROM item_view WHERE id = 'i0'", i), "item_view"); got != fmt.Sprintf("[[%d]]", i) {
				t.Fatal(got)
			}
		}
		change(`DROP VIEW item_view`)
		change(`CREATE VIEW item_view AS SELECT 'i2' AS id, 'i1' AS was FROM item WHERE tenant = 'a' AND id = 'i0'`)
		if err := db.EnsureReportRole(t.Context(), []string{"item_view", "other_view"}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := run(known, "item_view"); got != "[[i2]]" {
				t.Error("after the view was changed:", got)
			}
		}
	})
}

func TestBackup(t *testing.T) {
	db := lite(t, dbx.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	written, begun := make(chan int, 1), make(chan struct{})
	var once sync.Once
	wg.Go(func() {
		i := 0
		for ; ctx.Err() == nil; i += 2 {
			// Two rows at a time: a copy with an odd number is no snapshot.
			if err := db.Write(context.Background(), func(tx *dbx.Tx) error {
				return errors.Join(put(fmt.Sprint(i))(tx), put(fmt.Sprint(i+1))(tx))
			}); err != nil {
				t.Error(err)
			}
			once.Do(func() { close(begun) })
		}
		written <- i
	})
	dir := t.TempDir()
	path := filepath.Join(dir, "copy.db")
	<-begun
	if err := db.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	cancel()
	wg.Wait()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), path); !errors.Is(err, dbx.ErrBackupExists) {
		t.Error(err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the backup was overwritten")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Error(left)
	}
	twin, err := dbx.Open(t.Context(), "sqlite://"+path, dbx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer twin.Close()
	err = twin.Read(t.Context(), func(tx *dbx.Tx) error {
		n, err := items.Count(t.Context(), tx, dbx.Clause{}, "a")
		if all := <-written; n%2 != 0 || n == 0 || int(n) > all {
			t.Errorf("%d rows of %d", n, all)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := dbxtest.Bare(t, dbx.Postgres).Backup(t.Context(), path+"2"); !errors.Is(err, dbx.ErrBackupEngine) || !strings.Contains(dbx.ErrBackupEngine.Public, "pg_dump") {
		t.Error(err)
	}
}

func TestEach(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		fill(t, db)
		stop := errors.New("enough")
		err := db.Read(t.Context(), func(tx *dbx.Tx) error {
			n := 0
			err := itemsOf.Each(t.Context(), tx, func(it item) error {
				if _, err := itemByID.One(t.Context(), tx, "a", it.ID); !errors.Is(err, dbx.ErrMisuse) {
					t.Error("a statement within Each:", err)
				}
				if n++; n == 3 {
					return stop
				}
				return nil
			}, "a")
			if err != stop || n != 3 {
				t.Error(n, err)
			}
			// The transaction is still good.
			_, err = itemByID.One(t.Context(), tx, "a", "i1")
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// A role that is right already costs one question and changes nothing; what it may beyond the views is taken away.
func TestReportRoleStays(t *testing.T) {
	db := prepare(t, dbxtest.Bare(t, dbx.Postgres))
	change := func(sql string) {
		t.Helper()
		if _, err := db.SQL().Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(sql string) (out string) {
		t.Helper()
		if err := db.SQL().QueryRow(sql).Scan(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	ensure := func() {
		t.Helper()
		if err := db.EnsureReportRole(t.Context(), []string{"item_view"}); err != nil {
			t.Fatal(err)
		}
	}
	const version = `SELECT xmin::text FROM pg_class WHERE relname = 'item_view'`
	change(`CREATE VIEW item_view AS SELECT id FROM item`)
	ensure()
	role := ask(`SELECT a.grantee::regrole::text FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
		WHERE relname = 'item_view' AND a.grantee <> c.relowner`)
	before := ask(version)
	if ensure(); ask(version) != before {
		t.Error("the grants are made again")
	}
	may := func(table string) string {
		return ask(fmt.Sprintf(`SELECT has_table_privilege('%s', '%s', 'SELECT')::text`, role, table))
	}
	change(`GRANT SELECT ON item TO ` + role)
	if ensure(); may("item") != "false" || may("item_view") != "true" {
		t.Error("the table may still be read:", may("item"), may("item_view"))
	}
	change(`DROP VIEW item_view`)
	change(`CREATE VIEW item_view AS SELECT id FROM item`)
	if ensure(); may("item_view") != "true" {
		t.Error("the new view may not be read")
	}
	change(`CREATE VIEW more_view AS SELECT id FROM item`)
	if err := db.EnsureReportRole(t.Context(), []string{"item_view", "more_view"}); err != nil || may("more_view") != "true" {
		t.Error("another view may not be read:", err)
	}
}
