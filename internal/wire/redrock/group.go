package redrock

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// grouping is the level above GROUP BY and aggregates. What it needs of the rows beneath is projected by an inner SELECT under plain
// names, so that keys of groups compare as columns: parameters in two copies of an expression would make them two expressions.
type grouping struct {
	c     *compiler
	rows  *scope // the level beneath
	alias string // of the inner SELECT
	inner []frag // columns of the inner SELECT
	names map[string]string
	keys  []groupKey
	kinds map[reflect.Type]bool // of the syntax of the keys
	best  *key                  // order in which the row of the only min or max comes first
	ranks bool                  // something takes its value from that row
}

type groupKey struct {
	match string // key of the fragment beneath
	value frag   // the column above
}

func (c *compiler) grouping(s *Select, rows *scope) (*grouping, error) {
	g := &grouping{c: c, rows: rows, alias: c.alias(), names: map[string]string{}, kinds: map[reflect.Type]bool{}}
	for _, e := range s.Group {
		f, e, err := c.groupTerm(e, rows)
		if err != nil {
			return nil, err
		}
		if f.typ == untyped {
			f, _ = c.as(f, Text)
		}
		value := f
		if f.nocase {
			value = c.lower("lower", f)
		}
		ref := g.project(value)
		if !f.nocase {
			ref.origin = f.origin
		}
		g.keys = append(g.keys, groupKey{match: value.key(), value: ref})
		g.kinds[reflect.TypeOf(e)] = true
	}
	return g, g.extreme(s)
}

// groupTerm is a column, else an alias, else a position in the list, else an expression.
func (c *compiler) groupTerm(e Expr, rows *scope) (frag, Expr, error) {
	if n, ok := e.(*Int); ok {
		it, err := position(n, rows.items, "GROUP BY")
		if err != nil {
			return frag{}, e, err
		}
		inner := *rows
		inner.items = nil
		inner.clause = "GROUP BY"
		f, err := c.expr(it.expr, &inner)
		return f, it.expr, err
	}
	if n, ok := e.(*Name); ok {
		if col, _ := rows.find(n); col == nil && n.Table == "" {
			if it := rows.aliased(n.Column); it != nil {
				inner := *rows
				inner.items = nil
				inner.clause = "GROUP BY"
				f, err := c.expr(it.expr, &inner)
				return f, it.expr, err
			}
		}
	}
	scope := *rows
	scope.clause = "GROUP BY"
	f, err := c.expr(e, &scope)
	return f, e, err
}

func position(n *Int, items []*item, clause string) (*item, error) {
	if n.Value < 1 || n.Value > int64(len(items)) {
		return nil, errAt(n.At, CodeSyntax, "%s %d: the list has %d columns", clause, n.Value, len(items))
	}
	return items[n.Value-1], nil
}

// project makes f a column of the inner SELECT and returns it as seen from above.
func (g *grouping) project(f frag) frag {
	k := f.key()
	if g.names[k] == "" {
		g.inner = append(g.inner, f)
		g.names[k] = "a" + strconv.Itoa(len(g.inner))
	}
	return frag{sql: g.alias + "." + g.names[k], typ: f.typ}
}

// match recognizes an expression that is a key of the group.
func (g *grouping) match(e Expr, sc *scope) (frag, bool) {
	if !g.kinds[reflect.TypeOf(e)] {
		return frag{}, false
	}
	rows := *g.rows
	rows.items = sc.items
	rows.clause = "GROUP BY"
	f, err := g.c.expr(e, &rows)
	if err != nil {
		return frag{}, false
	}
	k := f.key()
	for _, key := range g.keys {
		if key.match == k {
			return key.value, true
		}
	}
	return frag{}, false
}

// bare is a column beside aggregates that is no key. Beside a single min or max it has the value of the row where that is found, as in
// SQLite; otherwise SQLite answers with any row's value, and we with the least, so that both engines say the same.
func (g *grouping) bare(col *column) frag {
	for _, key := range g.keys {
		if key.match == col.value.key() {
			return key.value
		}
	}
	f := g.project(col.value)
	if g.best != nil {
		g.ranks = true
		f = frag{sql: "CASE WHEN " + g.alias + ".w = 1 THEN " + f.sql + " END", typ: f.typ}
	}
	f = g.c.least(f)
	f.origin = col.value.origin
	return f
}

// extreme finds the only min or max of s, if it has just one.
func (g *grouping) extreme(s *Select) error {
	var found *Call
	for _, e := range s.above() {
		for _, x := range calls(e, nil) {
			if x.Name != "min" && x.Name != "max" || len(x.Args) != 1 {
				continue
			}
			if found != nil && text(found) != text(x) {
				return nil
			}
			found = x
		}
	}
	if found == nil {
		return nil
	}
	rows := *g.rows
	rows.clause = "another aggregate"
	f, err := g.c.expr(found.Args[0], &rows)
	if err != nil {
		return err
	}
	if f.typ == untyped {
		f, _ = g.c.as(f, Text)
	}
	g.best = &key{value: f, desc: found.Name == "max", nulls: 2}
	return nil
}

// relation is the inner SELECT; where a column is taken from the row of the min or max, rows are numbered so that it is 1 in its group.
func (g *grouping) relation(from frag) frag {
	var order string
	if g.ranks {
		best := *g.best
		best.value = frag{sql: g.column(best.value), typ: best.value.typ}
		keys := []key{best}
		for _, src := range g.rows.sources {
			for _, k := range src.ties {
				k.value = frag{sql: g.column(k.value), typ: k.value.typ}
				keys = append(keys, k)
			}
		}
		order = g.c.orderBy(g.alias, keys)
	}
	inner := []frag{}
	for i, f := range g.inner {
		inner = append(inner, sqlf(f.typ, "%s AS a"+strconv.Itoa(i+1), f))
	}
	if len(inner) == 0 {
		inner = append(inner, frag{sql: "1 AS a0"})
	}
	out := sqlf(untyped, "(SELECT %s%s) AS "+g.alias, join(untyped, ", ", inner), from)
	if !g.ranks {
		return out
	}
	var parts []frag
	for _, k := range g.keys {
		parts = append(parts, k.value)
	}
	over := join(untyped, ", ", parts)
	if len(parts) > 0 {
		over.sql = "PARTITION BY " + over.sql
	}
	return sqlf(untyped, "(SELECT "+g.alias+".*, row_number() OVER (%s"+order+") AS w FROM %s) AS "+g.alias, over, out)
}

// column is the name of f in the inner SELECT.
func (g *grouping) column(f frag) string {
	return strings.TrimPrefix(g.project(f).sql, g.alias+".")
}

func (c *compiler) least(f frag) frag {
	if c.pg && f.typ == Bool {
		return sqlf(Bool, "bool_and(%s)", f)
	}
	return sqlf(f.typ, "min(%s)", c.binary(f))
}

func (c *compiler) greatest(f frag) frag {
	if c.pg && f.typ == Bool {
		return sqlf(Bool, "bool_or(%s)", f)
	}
	return sqlf(f.typ, "max(%s)", c.binary(f))
}

// aggregateCall emits count, min, max, sum or avg.
func (c *compiler) aggregateCall(e *Call, sc *scope) (frag, error) {
	g := sc.group
	if g == nil {
		return frag{}, errAt(e.At, CodeAggregate, "%s counts over rows and cannot stand in %s", e.Name, sc.clause)
	}
	if e.Star || len(e.Args) == 0 {
		if e.Name != "count" || e.Distinct {
			return frag{}, errAt(e.At, CodeFunction, "%s takes one argument", e.Name)
		}
		return frag{sql: "count(*)", typ: Integer}, nil
	}
	if len(e.Args) != 1 {
		return frag{}, errAt(e.At, CodeFunction, "%s takes one argument", e.Name)
	}
	rows := *g.rows
	rows.items = sc.items
	rows.clause = "another aggregate"
	f, err := c.expr(e.Args[0], &rows)
	if err != nil {
		return f, err
	}
	if f.typ == untyped {
		f, _ = c.as(f, Integer)
	}
	if e.Name == "sum" || e.Name == "avg" {
		if f, err = c.arithmetic(e.Args[0], f); err != nil {
			return f, err
		}
	}
	distinct := ""
	if e.Distinct {
		distinct = "DISTINCT "
	}
	x := g.project(f)
	switch e.Name {
	case "min":
		return c.least(x), nil
	case "max":
		return c.greatest(x), nil
	case "count":
		return sqlf(Integer, "count("+distinct+"%s)", x), nil
	case "avg":
		x, _ = c.as(x, Double)
		return sqlf(Double, "avg("+distinct+"%s)", x), nil
	}
	if x.typ == Integer && c.pg {
		return sqlf(Integer, "sum("+distinct+"%s)::bigint", x), nil
	}
	return sqlf(x.typ, "sum("+distinct+"%s)", x), nil
}

// counts says whether an aggregate stands in e.
func counts(e Expr) bool { return len(calls(e, nil)) > 0 }

// calls lists the aggregates in e.
func calls(e Expr, list []*Call) []*Call {
	if c, ok := e.(*Call); ok && aggregates[c.Name] {
		list = append(list, c)
	}
	for _, x := range children(e) {
		list = calls(x, list)
	}
	return list
}

// above lists the expressions that can hold aggregates.
func (s *Select) above() []Expr {
	var out []Expr
	for _, it := range s.Items {
		if it.Expr != nil {
			out = append(out, it.Expr)
		}
	}
	for _, o := range s.Order {
		out = append(out, o.Expr)
	}
	if s.Having != nil {
		out = append(out, s.Having)
	}
	return out
}

// grouped says whether s works on groups.
func (s *Select) grouped() bool {
	return len(s.Group) > 0 || slices.ContainsFunc(s.above(), counts)
}
