package schema_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/schema"
)

// columns lists what the store has, as "table.column". Views count as tables.
func columns(t *testing.T, db *dbx.DB) []string {
	t.Helper()
	text := `SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'`
	if db.Engine() == dbx.Postgres {
		text = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := db.SQL().Query(text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(s, "schema_") {
			out = append(out, s)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func TestEnginesAgree(t *testing.T) {
	for name, set := range map[string]schema.Set{"program": {}, "first": {Files: os.DirFS("testdata/first")}} {
		t.Run(name, func(t *testing.T) {
			var seen [2][]string
			for _, e := range dbxtest.Engines {
				db := dbxtest.Bare(t, e)
				apply, version := set.Apply, set.Version
				if set.Files == nil {
					apply, version = schema.Apply, schema.Version
				}
				from, to, err := apply(t.Context(), db)
				if err != nil || from != 0 || to == 0 {
					t.Fatal(e, from, to, err)
				}
				again, still, err := apply(t.Context(), db)
				if err != nil || again != to || still != to {
					t.Fatal(e, again, still, err)
				}
				if v, err := version(t.Context(), db); err != nil || v != to {
					t.Fatal(e, v, err)
				}
				seen[e] = columns(t, db)
			}
			if len(seen[0]) == 0 || !slices.Equal(seen[0], seen[1]) {
				t.Errorf("SQLite has\n%s\nand PostgreSQL\n%s", seen[0], seen[1])
			}
		})
	}
}

func TestNodesStartAtOnce(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			address := dbxtest.Address(t, e, false)
			var wg sync.WaitGroup
			var mu sync.Mutex
			firsts := 0
			for range 4 {
				wg.Go(func() {
					db, err := dbx.Open(t.Context(), address, dbx.Options{Conns: 2, Readers: 1})
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					from, to, err := schema.Set{Files: os.DirFS("testdata/first")}.Apply(t.Context(), db)
					if err != nil || to != 2 {
						t.Error(from, to, err)
					}
					mu.Lock()
					defer mu.Unlock()
					if from == 0 {
						firsts++
					}
				})
			}
			wg.Wait()
			if firsts == 0 {
				t.Error("nobody saw the empty store")
			}
		})
	}
}

// A later version leaves what an earlier one wrote.
func TestRowsOfOlderVersions(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Bare(t, e)
			first, err := os.ReadFile("testdata/first/0001_thing.sql")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir+"/0001_thing.sql", first)
			set := schema.Set{Files: os.DirFS(dir)}
			if _, _, err := set.Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			if _, err := db.SQL().Exec(`INSERT INTO thing (tenant, id, name, name_key, created) VALUES ('a', '1', 'X', 'x', 5)`); err != nil {
				t.Fatal(err)
			}
			if _, to, err := (schema.Set{Files: os.DirFS("testdata/first")}).Apply(t.Context(), db); err != nil || to != 2 {
				t.Fatal(to, err)
			}
			var active bool
			var extra string
			var label *string
			err = db.SQL().QueryRow(`SELECT active, extra, label FROM thing WHERE tenant = 'a'`).Scan(&active, &extra, &label)
			if err != nil || !active || extra != "{}" || label != nil {
				t.Error(active, extra, label, err)
			}
			// The version before starts beside the new one and leaves the newer store alone.
			if _, to, err := set.Apply(t.Context(), db); err != nil || to != 2 {
				t.Error(to, err)
			}
		})
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"CREATE TABLE a (id {{nonsense}});":  "0001_x.sql:1: no macro {{nonsense}}",
		"-- +limen sqlite\nSELECT 1;":        "0001_x.sql: a block for sqlite does not end",
		"SELECT 1;\n-- +limen end":           `0001_x.sql:2: "-- +limen end" is out of place`,
		"-- +goose Down\nDROP TABLE a;":      "files only go forward",
		"CREATE TABLE a (id TEXT);\nNOT SQL": "",
	} {
		dir := t.TempDir()
		write(t, dir+"/0001_x.sql", []byte(text))
		db := dbxtest.Bare(t, dbx.SQLite)
		_, _, err := schema.Set{Files: os.DirFS(dir)}.Apply(context.Background(), db)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if c := columns(t, db); len(c) != 0 {
			t.Errorf("%s left %s", text, fmt.Sprint(c))
		}
	}
}

// The usual start asks one question over the store's own connections: migrations have a pool of their own, and connecting
// to PostgreSQL takes longer than the rest.
func TestNothingToDo(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Fresh(t, e)
			from, to, err := schema.Apply(t.Context(), db)
			if want, _ := schema.Latest(); err != nil || from != want || to != want {
				t.Fatal(from, to, err)
			}
			if n := db.SQL().Stats().OpenConnections; n != 0 {
				t.Error(n, "connections of the pool for migrations are open")
			}
			if _, err := db.SQL().Exec("DELETE FROM schema_version"); err != nil {
				t.Fatal(err)
			}
			if from, to, err = schema.Apply(t.Context(), db); err == nil {
				t.Error("tables without a version are taken for right", from, to)
			}
		})
	}
}
