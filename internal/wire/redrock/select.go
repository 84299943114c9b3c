package redrock

import (
	"strconv"
)

// compiler turns one statement into SQL.
type compiler struct {
	cat    *Catalogue
	opt    Options
	pg     bool
	limits Limits
	names  int
	nested int // SELECTs around the one at hand
	tables []string
	work   int // bytes written so far
}

// alias is a fresh name for a relation.
func (c *compiler) alias() string {
	c.names++
	return "t" + strconv.Itoa(c.names)
}

func (c *compiler) use(table string) {
	for _, t := range c.tables {
		if t == table {
			return
		}
	}
	c.tables = append(c.tables, table)
}

// item is a column of the SELECT list after * is expanded.
type item struct {
	alias string
	expr  Expr
	value frag
	key   string // of value
	name  string
	ref   string // its column in the result
}

// result is a compiled SELECT: its columns, order and ties are names of columns of frag.
type result struct {
	frag
	cols    []column
	first   []key // the caller's SortBy
	sort    []key
	ties    []key
	grouped bool
}

// level is where the result's columns are computed: rows, groups, or rows of a DISTINCT.
type level struct {
	c    *compiler
	sc   *scope
	list []frag
	// distinct is the scope above DISTINCT; nil without it.
	distinct *scope
}

// add puts a column into the list under a new name.
func (l *level) add(prefix string, f frag) string {
	name := prefix + strconv.Itoa(len(l.list)+1)
	l.list = append(l.list, sqlf(f.typ, "%s AS "+name, f))
	return name
}

func (c *compiler) query(s *Select, sortBy []Order) (*result, error) {
	sources, from, err := c.from(s)
	if err != nil {
		return nil, err
	}
	items, err := c.items(s, sources)
	if err != nil {
		return nil, err
	}
	rows := &scope{sources: sources, items: items}
	where := frag{}
	if s.Where != nil {
		sc := *rows
		sc.clause = "WHERE"
		if where, err = c.expr(s.Where, &sc); err != nil {
			return nil, err
		}
		if where, err = c.condition(s.Where, where); err != nil {
			return nil, err
		}
		where = sqlf(untyped, " WHERE %s", where)
	}
	if len(s.From) > 0 {
		from = sqlf(untyped, " FROM %s%s", from, where)
	} else {
		from = where
	}
	r := &result{grouped: s.grouped()}
	l := &level{c: c, sc: rows}
	tail := func() frag { return from }
	if r.grouped {
		if tail, err = c.above(s, l, from); err != nil {
			return nil, err
		}
	} else if s.Having != nil {
		return nil, errAt(s.Having.at(), CodeAggregate, "HAVING needs GROUP BY or an aggregate; use WHERE")
	}
	if err := c.columns(r, l, items, s.Distinct); err != nil {
		return nil, err
	}
	if s.Distinct {
		above := c.distinct(r, l, tail)
		tail = func() frag { return above }
	}
	if err := c.order(s, r, l, sortBy); err != nil {
		return nil, err
	}
	r.frag = sqlf(untyped, "SELECT %s%s", join(untyped, ", ", l.list), tail())
	if s.Limit != nil && (*s.Limit >= 0 || s.Offset > 0) {
		c.limit(s, r)
	}
	r.frag, err = c.bounded(&Null{At: s.At}, r.frag)
	return r, err
}

// items expands * and checks the list.
func (c *compiler) items(s *Select, sources []*source) ([]*item, error) {
	var out []*item
	for _, it := range s.Items {
		if !it.Star {
			out = append(out, &item{alias: it.Alias, expr: it.Expr})
		} else {
			hit := false
			for _, src := range sources {
				if it.Table != "" && !src.named(it.Table) {
					continue
				}
				hit = true
				for _, col := range src.cols {
					if !col.hidden {
						out = append(out, &item{expr: &direct{col: col, At: it.At}})
					}
				}
			}
			if !hit {
				return nil, errAt(it.At, CodeTable, "there is no table for * to stand for")
			}
		}
		if len(out) > c.limits.Columns {
			return nil, errAt(it.At, CodeLimit, "more than %d columns are selected", c.limits.Columns)
		}
	}
	return out, nil
}

// direct is a column that * stands for.
type direct struct {
	At  Pos
	col column
}

func (d *direct) at() Pos { return d.At }

// above moves l up to the level of groups and returns what stands behind its list.
func (c *compiler) above(s *Select, l *level, from frag) (func() frag, error) {
	g, err := c.grouping(s, l.sc)
	if err != nil {
		return nil, err
	}
	l.sc = &scope{sources: l.sc.sources, items: l.sc.items, group: g}
	having := frag{}
	if s.Having != nil {
		if having, err = c.expr(s.Having, l.sc); err != nil {
			return nil, err
		}
		if having, err = c.condition(s.Having, having); err != nil {
			return nil, err
		}
	}
	return func() frag {
		out := sqlf(untyped, " FROM %s", g.relation(from))
		for i, k := range g.keys {
			word := "%s, %s"
			if i == 0 {
				word = "%s GROUP BY %s"
			}
			out = sqlf(untyped, word, out, k.value)
		}
		if having.sql != "" {
			out = sqlf(untyped, "%s HAVING %s", out, having)
		}
		return out
	}, nil
}

// columns computes the list. A column that is there twice under one name is answered once; another one of the same name is told apart.
func (c *compiler) columns(r *result, l *level, items []*item, distinct bool) error {
	sc := *l.sc
	sc.items = nil
	sc.clause = "the list"
	seen := map[string]string{}
	for _, it := range items {
		f, err := c.expr(it.expr, &sc)
		if err != nil {
			return err
		}
		if f.typ == untyped {
			f, _ = c.as(f, Text)
		}
		it.value, it.key = f, f.key()
		it.name = itemName(it, &sc)
		k, there := seen[it.name]
		for n := 1; there && k != it.key; n++ {
			it.name = itemName(it, &sc) + ":" + strconv.Itoa(n)
			k, there = seen[it.name]
		}
		if there {
			for _, col := range r.cols {
				if col.name == it.name {
					it.ref = col.value.sql
				}
			}
			continue
		}
		seen[it.name] = it.key
		it.ref = l.add("o", f)
		col := column{name: it.name, value: frag{sql: it.ref, typ: f.typ, origin: f.origin, filled: f.filled}}
		if c.nested > 0 && !r.grouped && !distinct { // a query around this one may compare by them
			if f.fold != "" {
				col.fold = l.add("f", frag{sql: f.fold, typ: Text})
			}
			if f.country != "" {
				col.country = l.add("c", frag{sql: f.country, typ: Text})
			}
		}
		r.cols = append(r.cols, col)
	}
	return nil
}

// itemName is the alias, or the column's name in its table, or the text of the expression.
func itemName(it *item, sc *scope) string {
	if it.alias != "" {
		return it.alias
	}
	if d, ok := it.expr.(*direct); ok {
		return d.col.name
	}
	if n, ok := it.expr.(*Name); ok {
		if col, _ := sc.find(n); col != nil {
			return col.name
		}
		return n.Column
	}
	return text(it.expr)
}

// distinct closes the list under DISTINCT and moves l above it: an order can only use what is selected. The columns keep their names.
func (c *compiler) distinct(r *result, l *level, tail func() frag) frag {
	t := c.alias()
	out := sqlf(untyped, " FROM (SELECT DISTINCT %s%s) AS "+t, join(untyped, ", ", l.list), tail())
	src := &source{names: []string{t}}
	l.list = nil
	for _, col := range r.cols {
		v := col.in(t)
		src.cols = append(src.cols, column{name: col.name, value: v})
		l.add("o", v)
	}
	l.distinct = &scope{sources: []*source{src}, clause: "ORDER BY"}
	return out
}
