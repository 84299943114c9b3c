package redrock

import (
	"reflect"
	"strconv"
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
	return g, nil
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

// bare is a column beside aggregates that is no key: SQLite answers with any row's value, we with the least, so that both engines say the same.
func (g *grouping) bare(col *column) frag {
	for _, key := range g.keys {
		if key.match == col.value.key() {
			return key.value
		}
	}
	return g.c.least(g.project(col.value))
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
func counts(e Expr) bool {
	if c, ok := e.(*Call); ok && aggregates[c.Name] {
		return true
	}
	for _, x := range children(e) {
		if counts(x) {
			return true
		}
	}
	return false
}

// grouped says whether s works on groups.
func (s *Select) grouped() bool {
	if len(s.Group) > 0 {
		return true
	}
	for _, it := range s.Items {
		if it.Expr != nil && counts(it.Expr) {
			return true
		}
	}
	for _, o := range s.Order {
		if counts(o.Expr) {
			return true
		}
	}
	return s.Having != nil && counts(s.Having)
}
