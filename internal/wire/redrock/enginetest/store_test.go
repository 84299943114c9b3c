package enginetest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/wire/redrock"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func catalogue(t testing.TB, tables ...redrock.Table) *redrock.Catalogue {
	t.Helper()
	if tables == nil {
		tables = redrock.Tables()
	}
	c, err := redrock.NewCatalogue(tables)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options() redrock.Options {
	return redrock.Options{Now: now, Fold: strings.ToLower, Source: func(t *redrock.Table) (string, []any) {
		return "(SELECT * FROM rr_" + strings.ToLower(t.Name) + " WHERE owner_tenant = ?)", []any{"acme"}
	}}
}

func compile(t rapid.TB, c *redrock.Catalogue, e redrock.Engine, o redrock.Options, script string) *redrock.Plan {
	t.Helper()
	s, err := redrock.Parse(script, redrock.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	p, err := redrock.Compile(s, c, e, o)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return p
}

// store is an engine under test.
type store struct {
	engine redrock.Engine
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
	out := []store{{redrock.SQLite, lite}}
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
	return append(out, store{redrock.Postgres, pg})
}

func (s store) exec(t testing.TB, text string, args ...any) {
	t.Helper()
	if _, err := s.db.Exec(s.text(text), args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// text is a statement with the engine's own placeholders.
func (s store) text(sql string) string {
	if s.engine == redrock.Postgres {
		return dollars(sql)
	}
	return sql
}

// create makes the relation of a table as the owners' views offer it, with tenant and folded keys.
func (s store) create(t testing.TB, table *redrock.Table, rows ...map[string]any) {
	t.Helper()
	defs := []string{"owner_tenant TEXT"}
	extra := map[string]string{}
	for i := range table.Columns {
		col := &table.Columns[i]
		if col.Fixed != "" || col.Empty {
			continue
		}
		kind := map[redrock.Type]string{redrock.Text: "TEXT", redrock.Object: "TEXT", redrock.Time: "BIGINT", redrock.Integer: "BIGINT", redrock.Bool: "BOOLEAN", redrock.Double: "DOUBLE PRECISION"}[col.Type]
		defs = append(defs, `"`+stored(col)+`" `+kind)
		if col.Fold {
			defs = append(defs, `"`+stored(col)+`_key" TEXT`)
			extra[stored(col)] = stored(col) + "_key"
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
			name := c
			if col := column(table, c); col != nil {
				name = stored(col)
			}
			cols, marks, args = append(cols, `"`+name+`"`), append(marks, "?"), append(args, v)
			if k := extra[name]; k != "" && v != nil {
				cols, marks, args = append(cols, k), append(marks, "?"), append(args, strings.ToLower(v.(string)))
			}
		}
		s.exec(t, "INSERT INTO "+name+" ("+strings.Join(cols, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", args...)
	}
}

// run answers p as lines of JSON, and the count over all pages.
func (s store) run(t rapid.TB, p *redrock.Plan) (lines []string, count int64) {
	t.Helper()
	lines, err := s.try(p)
	if err != nil {
		t.Fatalf("engine %d: %v\n%s\n%v", s.engine, err, p.SQL, p.Args)
	}
	if err := s.db.QueryRow(s.text(p.CountSQL), p.CountArgs...).Scan(&count); err != nil {
		t.Fatalf("engine %d: %v\n%s", s.engine, err, p.CountSQL)
	}
	return lines, count
}

func (s store) try(p *redrock.Plan) (lines []string, err error) {
	rows, err := s.db.Query(s.text(p.SQL), p.Args...)
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

// stored is the name of a column in the relation.
func stored(c *redrock.Column) string {
	if c.Stored != "" {
		return c.Stored
	}
	return strings.ToLower(c.Name)
}

func column(t *redrock.Table, name string) *redrock.Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// dollars numbers the placeholders of the fixtures' statements.
func dollars(text string) string {
	for n := 1; strings.Contains(text, "?"); n++ {
		text = strings.Replace(text, "?", "$"+strconv.Itoa(n), 1)
	}
	return text
}
