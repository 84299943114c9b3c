package dbx

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Clause is a condition on the columns of a List, built at run time. Columns are checked against the row struct and
// values are parameters, so a clause may be made of what a client sent. The zero Clause holds for every row.
type Clause struct {
	op     clauseOp
	column string
	values []any
	order  []Order
	subs   []Clause
	query  *statement
	shape  *listShape // of listOp
	of     string     // its column
	sift   bool
}

type clauseOp uint8

const (
	always clauseOp = iota
	compareOp
	inOp
	prefixOp
	containsOp
	suffixOp
	nullOp
	andOp
	orOp
	notOp
	queryOp
	listOp
	afterOp
)

// Order is a column to sort by. Text sorts by its bytes, NULL sorts before everything (last when Desc).
type Order struct {
	Column string
	Desc   bool
}

func relation(op, column string, v any) Clause {
	return Clause{op: compareOp, column: column, values: []any{op, v}}
}

// Eq holds where the column has the value; a nil value never matches (see IsNull).
func Eq(column string, v any) Clause { return relation("=", column, v) }

// Ne holds where the column has another value; NULL never matches.
func Ne(column string, v any) Clause { return relation("<>", column, v) }

// Lt holds where the column is less than v.
func Lt(column string, v any) Clause { return relation("<", column, v) }

// Le holds where the column is less than v or equal.
func Le(column string, v any) Clause { return relation("<=", column, v) }

// Gt holds where the column is greater than v.
func Gt(column string, v any) Clause { return relation(">", column, v) }

// Ge holds where the column is greater than v or equal.
func Ge(column string, v any) Clause { return relation(">=", column, v) }

// In holds where the column has one of the values, of which there may be 1000; none matches nothing.
func In[T any](column string, values ...T) Clause {
	c := Clause{op: inOp, column: column}
	for _, v := range values {
		c.values = append(c.values, v)
	}
	return c
}

// InQuery holds where the column has one of the values that a declared query gives for args. That a query may have
// "= ANY(?)" lets it find very many from a list.
func InQuery(column string, q Query[string], args ...any) Clause {
	return Clause{op: queryOp, column: column, query: q.s, values: args}
}

// InList holds where the column has one of the values that another list has in its column of, in the rows that meet where. args
// are for the placeholders of that list's declared text.
func InList[R any](column string, l List[R], of string, where Clause, args ...any) Clause {
	return Clause{op: listOp, column: column, query: l.s, shape: l.shape, of: of, subs: []Clause{where}, values: args}
}

// Sifting is a clause of InQuery or InList that is tested on rows found by other clauses, or by the order of the list; no index on its
// column is used. It is for conditions that most rows meet.
func (c Clause) Sifting() Clause {
	c.sift = true
	return c
}

// Prefix holds where the text of the column begins with s, case included. It uses an index on the column.
func Prefix(column, s string) Clause { return Clause{op: prefixOp, column: column, values: []any{s}} }

// Contains holds where the text of the column has s in it, case included. It reads every row that the rest leaves.
func Contains(column, s string) Clause {
	return Clause{op: containsOp, column: column, values: []any{s}}
}

// Suffix holds where the text of the column ends with s, case included. It reads every row that the rest leaves.
func Suffix(column, s string) Clause {
	return Clause{op: suffixOp, column: column, values: []any{s}}
}

// IsNull holds where the column has no value.
func IsNull(column string) Clause { return Clause{op: nullOp, column: column} }

// And holds where all hold; of none, everywhere.
func And(c ...Clause) Clause { return Clause{op: andOp, subs: c} }

// Or holds where one holds; of none, nowhere.
func Or(c ...Clause) Clause { return Clause{op: orOp, subs: c} }

// Not holds where c does not. What is NULL makes c neither true nor false, and then Not does not hold either.
func Not(c Clause) Clause { return Clause{op: notOp, subs: []Clause{c}} }

// After holds for the rows behind the one with the given values, in the given order: the next page by key. The columns
// together must be unique and none may be NULL.
func After(order []Order, values ...any) Clause {
	return Clause{op: afterOp, order: order, values: values}
}

// emitter writes clauses as SQL with ? placeholders.
type emitter struct {
	b       strings.Builder
	args    []any
	list    *listShape
	engine  Engine
	pieces  int
	long    bool // has a list of more than longIn values
	problem error
}

// The bounds of a clause tree, which may come from a client's filter.
const (
	maxPieces = 500
	maxIn     = 1000
	longIn    = 8
	maxDepth  = 50
)

func (e *emitter) fail(format string, args ...any) {
	if e.problem == nil {
		e.problem = fmt.Errorf(format, args...)
	}
}

func (e *emitter) column(name string) string {
	c, ok := e.list.columns[name]
	if !ok {
		e.fail("no column %q to compare or sort by", name)
	}
	return c.expr
}

func (e *emitter) value(v any) {
	e.b.WriteByte('?')
	e.args = append(e.args, v)
}

func (e *emitter) clause(c Clause, depth int) {
	if e.pieces++; e.pieces > maxPieces || depth > maxDepth {
		e.fail("the condition is too large")
		return
	}
	switch c.op {
	case always:
		e.b.WriteString("1 = 1")
	case compareOp:
		e.b.WriteString(e.column(c.column) + " " + c.values[0].(string) + " ")
		e.value(c.values[1])
	case inOp:
		e.in(c)
	case prefixOp:
		e.prefix(c)
	case containsOp:
		e.contains(c)
	case suffixOp:
		e.suffix(c)
	case nullOp:
		e.b.WriteString(e.column(c.column) + " IS NULL")
	case queryOp:
		e.inQuery(c)
	case listOp:
		e.inList(c, depth)
	case andOp:
		e.join(c.subs, " AND ", "1 = 1", depth)
	case orOp:
		e.join(c.subs, " OR ", "1 = 0", depth)
	case notOp:
		e.b.WriteString("NOT (")
		e.clause(c.subs[0], depth+1)
		e.b.WriteByte(')')
	case afterOp:
		e.after(c)
	}
}

func (e *emitter) join(subs []Clause, with, none string, depth int) {
	if len(subs) == 0 {
		e.b.WriteString(none)
		return
	}
	for i, s := range subs {
		if i > 0 {
			e.b.WriteString(with)
		}
		e.b.WriteByte('(')
		e.clause(s, depth+1)
		e.b.WriteByte(')')
	}
}

// in pads the values to a power of two, so that few different texts are prepared.
func (e *emitter) in(c Clause) {
	n := len(c.values)
	if n == 0 {
		e.b.WriteString("1 = 0")
		return
	}
	if n > maxIn {
		e.fail("more than %d values", maxIn)
		return
	}
	e.long = e.long || n > longIn
	size := 1
	for size < n {
		size *= 2
	}
	e.b.WriteString(e.column(c.column) + " IN (")
	for i := range size {
		if i > 0 {
			e.b.WriteByte(',')
		}
		e.value(c.values[min(i, n-1)])
	}
	e.b.WriteByte(')')
}

func (e *emitter) inQuery(c Clause) {
	text := c.query.facts.Text
	if e.engine == SQLite {
		text = c.query.text[SQLite]
	}
	if len(c.values) != c.query.params {
		e.fail("%d values for %d placeholders of %s", len(c.values), c.query.params, c.query.name)
	}
	e.b.WriteString(Within(e.engine, e.column(c.column), text, c.sift))
	e.args = append(e.args, c.values...)
}

func (e *emitter) inList(c Clause, depth int) {
	if len(c.values) != c.query.params {
		e.fail("%d values for %d placeholders of %s", len(c.values), c.query.params, c.query.name)
		return
	}
	in := emitter{list: c.shape, engine: e.engine, pieces: e.pieces, args: c.values[:len(c.values):len(c.values)]}
	in.b.WriteString("SELECT " + in.column(c.of) + " " + c.shape.from)
	in.whereBelow(c.subs[0], depth+1)
	e.b.WriteString(Within(e.engine, e.column(c.column), in.b.String(), c.sift))
	e.args = append(e.args, in.args...)
	e.pieces, e.long = in.pieces, e.long || in.long
	if e.problem == nil {
		e.problem = in.problem
	}
}

// Within is the condition that a column has one of the values that a query gives: by an index on the column, or sifting rows
// that are found otherwise. PostgreSQL makes a join of IN, and cannot use an index for one beneath OR; of an array it can.
func Within(engine Engine, column, query string, sift bool) string {
	switch {
	case engine == SQLite && sift:
		return "+" + column + " IN (" + query + ")"
	case engine == SQLite:
		return column + " IN (" + query + ")"
	case sift:
		return "(" + column + " IN (" + query + ")) IS TRUE"
	}
	return column + " = ANY(ARRAY(" + query + "))"
}

func (e *emitter) prefix(c Clause) {
	s := c.values[0].(string)
	col := e.column(c.column)
	e.b.WriteString(col + " >= ")
	e.value(s)
	if end, ok := successor(s); ok {
		e.b.WriteString(" AND " + col + " < ")
		e.value(end)
	}
}

// successor is the least text greater than every text that begins with s; UTF-8 sorts as its code points do.
func successor(s string) (string, bool) {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		switch {
		case r == utf8.MaxRune:
			continue
		case r == 0xd7ff:
			r = 0xdfff
		}
		return s + string(r+1), true
	}
	return "", false
}

func (e *emitter) contains(c Clause) {
	col, s := e.column(c.column), c.values[0].(string)
	if e.engine == SQLite {
		e.b.WriteString("instr(" + col + ", ")
		e.value(s)
		e.b.WriteString(") > 0")
		return
	}
	e.b.WriteString(col + " LIKE ")
	e.value("%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%")
	e.b.WriteString(` ESCAPE '\'`)
}

func (e *emitter) suffix(c Clause) {
	col, s := e.column(c.column), c.values[0].(string)
	if s == "" {
		e.b.WriteString("1 = 1")
		return
	}
	n := strconv.Itoa(utf8.RuneCountInString(s))
	if e.engine == SQLite {
		e.b.WriteString("substr(" + col + ", -" + n + ") = ")
	} else {
		e.b.WriteString("right(" + col + ", " + n + ") = ")
	}
	e.value(s)
}

// after writes a bound on the first column, which an index can use, and the exact condition.
func (e *emitter) after(c Clause) {
	if len(c.order) == 0 || len(c.order) != len(c.values) {
		e.fail("%d values for a key of %d columns", len(c.values), len(c.order))
		return
	}
	if len(c.order) > 1 {
		e.beyond(c.order[0], "=", c.values[0])
		e.b.WriteString(" AND (")
	}
	for i, o := range c.order {
		e.beyond(o, "", c.values[i])
		if i < len(c.order)-1 {
			e.b.WriteString(" OR (" + e.column(o.Column) + " = ")
			e.value(c.values[i])
			e.b.WriteString(" AND (")
		}
	}
	if n := len(c.order) - 1; n > 0 {
		e.b.WriteString(strings.Repeat("))", n) + ")")
	}
}

func (e *emitter) beyond(o Order, or string, v any) {
	sign := " >"
	if o.Desc {
		sign = " <"
	}
	e.b.WriteString(e.column(o.Column) + sign + or + " ")
	e.value(v)
}
