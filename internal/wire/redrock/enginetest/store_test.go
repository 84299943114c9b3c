package redrock

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func catalogue(t testing.TB, tables ...Table) *Catalogue {
	t.Helper()
	if tables == nil {
		tables = Tables()
	}
	c, err := NewCatalogue(tables)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options() Options {
	return Options{Now: now, Fold: strings.ToLower, Source: func(t *Table) (string, []any) {
		return "(SELECT * FROM rr_" + strings.ToLower(t.Name) + " WHERE owner_tenant = ?)", []any{"acme"}
	}}
}

func compile(t rapid.TB, c *Catalogue, e Engine, o Options, script string) *Plan {
	t.Helper()
	s, err := Parse(script, Limits{})
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	p, err := Compile(s, c, e, o)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return p
}

// store is an engine under test.
type store struct {
	engine Engine
	db     *sql.DB
}

// stores opens SQLite, and PostgreSQL when LIMEN_TEST_POSTGRES has its address.
func stores(t testing.TB) []store {
	t.Helper()
	lite, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	lite.SetMaxOpenConns(1)
	t.Cleanup(func() { lite.Close() })
	out := []store{{SQLite, lite}}
	url := os.Getenv("LIMEN_TEST_POSTGRES")
	if url == "" {
		return out
	}
	pg, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	pg.SetMaxOpenConns(1) // the fixtures are temporary tables of one connection
	t.Cleanup(func() { pg.Close() })
	return append(out, store{Postgres, pg})
}

func (s store) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if s.engine == Postgres {
		text = dollars(text)
	}
	if _, err := s.db.Exec(text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// create makes the relation of a table as the owners' views offer it, with tenant and folded keys.
func (s store) create(t testing.TB, table *Table, rows ...map[string]any) {
	t.Helper()
	defs := []string{"owner_tenant TEXT"}
	extra := map[string]string{}
	for i := range table.Columns {
		col := &table.Columns[i]
		if col.Fixed != "" || col.Empty {
			continue
		}
		kind := map[Type]string{Text: "TEXT", Object: "TEXT", Time: "BIGINT", Integer: "BIGINT", Bool: "BOOLEAN", Double: "DOUBLE PRECISION"}[col.Type]
		defs = append(defs, `"`+col.stored()+`" `+kind)
		if col.Fold {
			defs = append(defs, `"`+col.stored()+`_key" TEXT`)
			extra[col.stored()] = col.stored() + "_key"
		}
		if col.Country != "" {
			defs = append(defs, `"`+col.Country+`" TEXT`)
		}
	}
	name := "rr_" + strings.ToLower(table.Name)
	s.exec(t, "CREATE TEMP TABLE "+name+" ("+strings.Join(defs, ", ")+")")
	for _, row := range rows {
		cols, marks, args := []string{"owner_tenant"}, []string{"?"}, []any{"acme"}
		for c, v := range row {
			if c == "owner" {
				args[0] = v
				continue
			}
			stored := c
			if col := table.column(c); col != nil {
				stored = col.stored()
			}
			cols, marks, args = append(cols, `"`+stored+`"`), append(marks, "?"), append(args, v)
			if k := extra[stored]; k != "" && v != nil {
				cols, marks, args = append(cols, k), append(marks, "?"), append(args, strings.ToLower(v.(string)))
			}
		}
		s.exec(t, "INSERT INTO "+name+" ("+strings.Join(cols, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
	}
}

// run answers p as lines of JSON, and the count over all pages.
func (s store) run(t rapid.TB, p *Plan) (lines []string, count int64) {
	t.Helper()
	lines, err := s.try(p)
	if err != nil {
		t.Fatalf("engine %d: %v\n%s\n%v", s.engine, err, p.SQL, p.Args)
	}
	if err := s.db.QueryRow(p.CountSQL, p.CountArgs...).Scan(&count); err != nil {
		t.Fatalf("engine %d: %v\n%s", s.engine, err, p.CountSQL)
	}
	return lines, count
}

func (s store) try(p *Plan) (lines []string, err error) {
	rows, err := s.db.Query(p.SQL, p.Args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		raw := make([]any, len(p.Columns))
		dst := make([]any, len(raw))
		for i := range raw {
			dst[i] = &raw[i]
		}
		if err := rows.Scan(dst...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, col := range p.Columns {
			if row[col.Name], err = col.Value(raw[i]); err != nil {
				return nil, fmt.Errorf("%w (%v)", err, raw[i])
			}
		}
		b, err := json.Marshal(row)
		if err != nil {
			return nil, err
		}
		lines = append(lines, string(b))
	}
	return lines, rows.Err()
}
