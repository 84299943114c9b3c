package dbx

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// List is a declared SELECT that gets its conditions, its order and its length when it runs.
type List[R any] struct {
	s     *statement
	shape *listShape
}

// listShape is the declared text cut where clauses go.
type listShape struct {
	head    string // SELECT ... FROM ...
	from    string // FROM ...
	where   string // the declared condition, or empty
	columns map[string]listColumn
}

// listColumn is one column of the select list.
type listColumn struct {
	expr     string
	nullable bool
}

// L declares a List: "SELECT columns FROM tables", with joins and a WHERE if need be, and nothing behind it. The
// declared text may have ? for values that every run gives, the tenant first of all. R has a db tag for every column.
func L[R any](name, text string) List[R] {
	var cut *listShape
	s := declare(1, name, text, reflect.TypeFor[R](), func(sh shape) (err error) {
		cut, err = listShapeOf(text, sh, reflect.TypeFor[R]())
		return err
	})
	s.facts.List = true
	return List[R]{s, cut}
}

// By gives the list with further columns of its tables, such as "u.name_key", that conditions and orders may name although
// they are not read. They are NOT NULL.
func (l List[R]) By(columns ...string) List[R] {
	sh := *l.shape
	sh.columns = maps.Clone(sh.columns)
	for _, c := range columns {
		sh.columns[c[strings.LastIndexByte(c, '.')+1:]] = listColumn{expr: c}
	}
	return List[R]{l.s, &sh}
}

func listShapeOf(text string, sh shape, row reflect.Type) (*listShape, error) {
	fields, err := fieldsOf(row)
	if err != nil {
		return nil, err
	}
	if fields == nil {
		return nil, fmt.Errorf("a list needs a struct with db tags")
	}
	ls := &listShape{columns: map[string]listColumn{}}
	items, from, where := []string{}, -1, -1
	begin := -1
	for _, t := range sh.tokens {
		if t.depth > 0 {
			continue
		}
		w := ""
		if t.kind == word {
			w = strings.ToUpper(text[t.from:t.to])
		}
		switch {
		case begin < 0:
			if w != "SELECT" {
				return nil, fmt.Errorf("a list starts with SELECT")
			}
			begin = t.to
		case from < 0 && (w == "FROM" || text[t.from:t.to] == ","):
			items = append(items, strings.TrimSpace(text[begin:t.from]))
			if begin = t.to; w == "FROM" {
				from = t.from
			}
		case from < 0 && t.kind == param, w == "GROUP", w == "ORDER", w == "LIMIT", w == "UNION", w == "DISTINCT", w == "HAVING", w == "FOR", w == "EXCEPT", w == "INTERSECT", w == "WINDOW":
			return nil, fmt.Errorf("a list is SELECT columns FROM tables, with a WHERE at most")
		case w == "WHERE" && where < 0:
			where = t.to
			ls.head, ls.from = text[:t.from], text[from:t.from]
		}
	}
	switch {
	case from < 0:
		return nil, fmt.Errorf("a list has a FROM")
	case where < 0:
		ls.head, ls.from = text, text[from:]
	default:
		ls.where = strings.TrimSpace(text[where:])
	}
	return ls, ls.fit(items, fields)
}

// fit finds the expression behind every db tag.
func (ls *listShape) fit(items []string, fields []field) error {
	for _, item := range items {
		expr, name := item, item
		words := strings.Fields(item)
		if n := len(words); n > 2 && strings.EqualFold(words[n-2], "AS") {
			name = words[n-1]
			expr = strings.TrimSpace(strings.TrimSuffix(item, name))
			expr = strings.TrimSpace(expr[:len(expr)-2])
		} else if dot := strings.LastIndexByte(item, '.'); dot >= 0 {
			name = item[dot+1:]
		}
		name = strings.Trim(name, `"`)
		for _, f := range fields {
			if f.column == name {
				if !isName(expr) {
					expr = "(" + expr + ")"
				}
				ls.columns[name] = listColumn{expr, nullable(f.typ)}
			}
		}
		if _, ok := ls.columns[name]; !ok {
			return fmt.Errorf("no field has the tag db:%q", name)
		}
	}
	return nil
}

func isName(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && s[i] != '.' && s[i] != '"' {
			return false
		}
	}
	return true
}

// maxRows is the most that one call of Rows gives.
const maxRows = 100_000

// Rows gives up to limit rows (at most 100000) that meet where, in the given order. args are for the placeholders of the
// declared text.
func (l List[R]) Rows(ctx context.Context, tx *Tx, where Clause, order []Order, limit int, args ...any) ([]R, error) {
	if limit <= 0 || limit > maxRows {
		return nil, misuse(l.s.name, "a limit of %d", limit)
	}
	e := emitter{list: l.shape, engine: tx.engine, args: args[:len(args):len(args)]}
	e.b.WriteString(l.shape.head)
	e.where(where)
	e.orderBy(order)
	e.b.WriteString(" LIMIT ")
	e.value(int64(limit))
	s, err := l.made(&e, reflect.TypeFor[R](), args)
	if err != nil {
		return nil, err
	}
	s.plan.Store(l.s.plan.Load())
	out, err := all[R](ctx, tx, s, e.args)
	if l.s.plan.Load() == nil {
		l.s.plan.Store(s.plan.Load())
	}
	return out, err
}

// At gives the row that has offset others before it; ErrNoRow when there are fewer. The engine steps over those before it
// without reading more of them than where and order need.
func (l List[R]) At(ctx context.Context, tx *Tx, where Clause, order []Order, offset int64, args ...any) (row R, err error) {
	if offset < 0 {
		return row, misuse(l.s.name, "an offset of %d", offset)
	}
	e := emitter{list: l.shape, engine: tx.engine, args: args[:len(args):len(args)]}
	e.b.WriteString(l.shape.head)
	e.where(where)
	e.orderBy(order)
	e.b.WriteString(" LIMIT 1 OFFSET ")
	e.value(offset)
	s, err := l.made(&e, reflect.TypeFor[R](), args)
	if err != nil {
		return row, err
	}
	return one[R](ctx, tx, s, e.args)
}

// Count counts the rows that meet where.
func (l List[R]) Count(ctx context.Context, tx *Tx, where Clause, args ...any) (int64, error) {
	e := emitter{list: l.shape, engine: tx.engine, args: args[:len(args):len(args)]}
	e.b.WriteString("SELECT count(*) " + l.shape.from)
	e.where(where)
	s, err := l.made(&e, reflect.TypeFor[int64](), args)
	if err != nil {
		return 0, err
	}
	return one[int64](ctx, tx, s, e.args)
}

func (e *emitter) where(c Clause) { e.whereBelow(c, 0) }

func (e *emitter) whereBelow(c Clause, depth int) {
	switch {
	case e.list.where != "" && c.op != always:
		e.b.WriteString(" WHERE (" + e.list.where + ") AND (")
		e.clause(c, depth)
		e.b.WriteByte(')')
	case e.list.where != "":
		e.b.WriteString(" WHERE " + e.list.where)
	case c.op != always:
		e.b.WriteString(" WHERE ")
		e.clause(c, depth)
	}
}

func (e *emitter) orderBy(order []Order) {
	for i, o := range order {
		if i == 0 {
			e.b.WriteString(" ORDER BY ")
		} else {
			e.b.WriteString(", ")
		}
		e.b.WriteString(e.column(o.Column))
		if o.Desc {
			e.b.WriteString(" DESC")
		}
		// Only where NULL can be: an index that PostgreSQL could use has its NULLs at the other end.
		if e.engine == Postgres && e.list.columns[o.Column].nullable {
			e.b.WriteString(map[bool]string{false: " NULLS FIRST", true: " NULLS LAST"}[o.Desc])
		}
	}
}

// made turns the emitted text into a statement for this run.
func (l List[R]) made(e *emitter, row reflect.Type, args []any) (*statement, error) {
	if len(args) != l.s.params {
		return nil, misuse(l.s.name, "%d values for %d placeholders", len(args), l.s.params)
	}
	if e.problem != nil {
		return nil, misuse(l.s.name, "%v", e.problem)
	}
	s := &statement{id: -1, name: l.s.name, params: len(e.args), row: row, anew: e.long}
	text := e.b.String()
	if e.engine == SQLite {
		s.text[SQLite] = text
		return s, nil
	}
	toks, err := lex(text)
	if err != nil {
		return nil, misuse(l.s.name, "%v", err)
	}
	s.text[Postgres] = dollar(text, toks)
	return s, nil
}
