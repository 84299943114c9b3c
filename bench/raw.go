package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"limen/internal/dbx"
)

// raw writes the rows that an operation wrote, again and again: through the same store, with the same indexes, durability
// and grouping, without the operation, its checks and HTTP.
type raw struct {
	db     *dbx.DB
	rows   []rawRow
	unique []string // texts of the sample that each insert has of its own: ids, and the name
}

type rawRow struct {
	insert dbx.Exec
	values []any
	parts  [][]part // of the values, nil where the value stays
}

// part is a piece of a text: fixed, or the unique text of that index.
type part struct {
	text   string
	unique int // -1: text
}

// tableRows are a table's rows; records are keyed by all their values.
type tableRows struct {
	columns []string
	records map[string][]any
}

// tables lists the names, in the order in which they were made as far as the engine tells.
var tables = map[string]string{
	"sqlite":   `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' ORDER BY rootpage`,
	"postgres": `SELECT relname FROM pg_stat_user_tables WHERE relname NOT LIKE 'goose%' ORDER BY relid`,
}

// contents reads every table of a small store.
func contents(ctx context.Context, db *sql.DB, engine string) (map[string]tableRows, error) {
	names, err := strs(ctx, db, tables[engine])
	if err != nil {
		return nil, err
	}
	out := map[string]tableRows{}
	for _, name := range names {
		if out[name], err = readTable(ctx, db, name); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

func strs(ctx context.Context, db *sql.DB, query string) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func readTable(ctx context.Context, db *sql.DB, name string) (tableRows, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+name)
	if err != nil {
		return tableRows{}, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return tableRows{}, err
	}
	out := tableRows{columns, map[string][]any{}}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return tableRows{}, err
		}
		out.records[fmt.Sprintf("%#v", values)] = values
	}
	return out, rows.Err()
}

// newRaw finds the rows that are new. What each insert changes in them: every text that is a UUID and was in no row before,
// and local, the sampled person's name.
func newRaw(db *dbx.DB, engine string, before, after map[string]tableRows, local string) (*raw, error) {
	r := &raw{db: db, unique: []string{local}}
	known := map[string]bool{}
	for _, t := range before {
		for _, values := range t.records {
			for _, v := range values {
				if s, ok := v.(string); ok {
					known[s] = true
				}
			}
		}
	}
	for name, t := range after {
		for key, values := range t.records {
			if _, old := before[name].records[key]; old {
				continue
			}
			columns, values := counted(name, t.columns, values)
			insert := dbx.E(fmt.Sprintf("bench.raw.%s.%s.%d", engine, name, serial.Add(1)),
				"INSERT INTO "+name+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Repeat("?, ", len(values)-1)+"?)")
			r.rows = append(r.rows, rawRow{insert: insert, values: values})
			for _, v := range values {
				if s, ok := v.(string); ok && !known[s] && uuid.Validate(s) == nil {
					known[s] = true
					r.unique = append(r.unique, s)
				}
			}
		}
	}
	if len(r.rows) == 0 {
		return nil, errors.New("the sample wrote nothing")
	}
	for i := range r.rows {
		r.rows[i].cut(r.unique)
	}
	return r, nil
}

// counted leaves out what the engine counts by itself.
func counted(table string, columns []string, values []any) ([]string, []any) {
	if table != "object_number" {
		return columns, values
	}
	at := slices.Index(columns, "number")
	return slices.Delete(slices.Clone(columns), at, at+1), slices.Delete(slices.Clone(values), at, at+1)
}

// cut finds where values hold unique texts.
func (r *rawRow) cut(unique []string) {
	r.parts = make([][]part, len(r.values))
	for i, v := range r.values {
		s, ok := v.(string)
		if !ok {
			continue
		}
		parts, found := []part{{s, -1}}, false
		for u, text := range unique {
			var next []part
			for _, p := range parts {
				for p.unique < 0 {
					head, tail, ok := strings.Cut(p.text, text)
					if !ok {
						break
					}
					found = true
					next = append(next, part{head, -1}, part{"", u})
					p.text = tail
				}
				next = append(next, p)
			}
			parts = next
		}
		if found {
			r.parts[i] = parts
		}
	}
}

// fresh gives the values of the rows with texts of their own.
func (r *raw) fresh() [][]any {
	fresh := make([]string, len(r.unique))
	fresh[0] = fmt.Sprintf("raw%09d", serial.Add(1))
	for i := range fresh[1:] {
		fresh[i+1] = newID()
	}
	all := make([][]any, len(r.rows))
	for i := range r.rows {
		all[i] = r.rows[i].with(fresh)
	}
	return all
}

// insert writes the rows once, in one transaction. Like the program it waits for the answer to the first only.
func (r *raw) insert(ctx context.Context) error {
	all := r.fresh()
	return r.db.Write(ctx, func(tx *dbx.Tx) error {
		_, err := r.rows[0].insert.Do(ctx, tx, all[0]...)
		for i := 1; err == nil && i < len(r.rows); i++ {
			err = r.rows[i].insert.Later(ctx, tx, all[i]...)
		}
		return err
	})
}

func (r *rawRow) with(fresh []string) []any {
	out := make([]any, len(r.values))
	copy(out, r.values)
	for i, parts := range r.parts {
		if parts == nil {
			continue
		}
		var b strings.Builder
		for _, p := range parts {
			if p.unique >= 0 {
				b.WriteString(fresh[p.unique])
			} else {
				b.WriteString(p.text)
			}
		}
		out[i] = b.String()
	}
	return out
}
