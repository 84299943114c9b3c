package redrock

import (
	"strconv"
	"strings"
)

// inside compiles a SELECT within another one.
func (c *compiler) inside(s *Select) (*result, error) {
	c.nested++
	defer func() { c.nested-- }()
	return c.query(s, nil)
}

// order computes the keys by which r is sorted: the caller's, the script's, and those that leave no two rows equal.
func (c *compiler) order(s *Select, r *result, l *level, sortBy []Order) error {
	for _, o := range sortBy {
		k, err := c.sortByTerm(r, l, o)
		if err != nil {
			return err
		}
		r.first = append(r.first, k)
	}
	for _, o := range s.Order {
		k, err := c.orderTerm(r, l, o)
		if err != nil {
			return err
		}
		r.sort = append(r.sort, k)
	}
	keep := func(prefix string, keys []key) (out []key) {
		for _, k := range keys {
			k.value = frag{sql: l.add(prefix, k.value), typ: k.value.typ}
			out = append(out, k)
		}
		return out
	}
	sources := l.sc.sources
	switch {
	case l.distinct != nil:
		for _, col := range r.cols {
			r.ties = append(r.ties, key{value: col.value})
		}
	case l.sc.group != nil:
		for _, k := range l.sc.group.keys {
			r.ties = append(r.ties, keep("x", []key{{value: k.value}})...)
		}
	default:
		if len(r.sort) == 0 && len(sources) == 1 { // the order of a derived table holds on
			r.sort = keep("k", sources[0].sort)
		}
		for _, src := range sources {
			r.ties = append(r.ties, keep("x", src.ties)...)
		}
	}
	return nil
}

// orderTerm is a position, an alias, a selected expression, or another expression.
func (c *compiler) orderTerm(r *result, l *level, o Order) (key, error) {
	k := key{desc: o.Desc, nulls: o.Nulls}
	e, nocase := o.Expr, false
	for col, ok := e.(*Collate); ok; col, ok = e.(*Collate) {
		e, nocase = col.X, nocase || col.Name == "NOCASE"
	}
	sc := *l.sc
	sc.clause = "ORDER BY"
	it, f, err := c.orderItem(e, &sc)
	if err != nil {
		return k, err
	}
	if it == nil {
		k := f.key()
		for _, x := range sc.items {
			if x.key == k {
				it = x
			}
		}
	}
	switch {
	case it != nil:
		f = it.value
	case l.distinct != nil:
		if f, err = c.expr(e, l.distinct); err != nil {
			return k, errAt(e.at(), CodeUnsupported, "with SELECT DISTINCT, ORDER BY can use the selected columns only")
		}
	}
	k.filled = f.filled
	if nocase && (f.typ == Text || f.typ == Object) {
		if l.distinct != nil && it != nil {
			f = frag{sql: l.distinct.sources[0].names[0] + "." + it.ref, typ: f.typ}
		}
		if f.fold != "" {
			f = frag{sql: f.fold, typ: Text}
		} else {
			f = c.lower("lower", f)
		}
		it = nil
	}
	if f.typ == untyped {
		f, _ = c.as(f, Text)
	}
	if it != nil {
		k.value = frag{sql: it.ref, typ: f.typ}
	} else {
		k.value = frag{sql: l.add("k", f), typ: f.typ}
	}
	return k, nil
}

func (c *compiler) orderItem(e Expr, sc *scope) (*item, frag, error) {
	switch n := e.(type) {
	case *Int:
		it, err := position(n, sc.items, "ORDER BY")
		return it, frag{}, err
	case *Name:
		if it := sc.aliased(n.Column); it != nil && n.Table == "" {
			return it, frag{}, nil
		}
	}
	f, err := c.expr(e, sc)
	return nil, f, err
}

// sortByTerm is a column of the answer, or else a column of the tables.
func (c *compiler) sortByTerm(r *result, l *level, o Order) (key, error) {
	e, nocase := o.Expr, false
	if col, ok := e.(*Collate); ok {
		e, nocase = col.X, col.Name == "NOCASE"
	}
	n, ok := e.(*Name)
	if !ok {
		return key{}, &Error{Code: CodeArgument, Text: "SortBy takes names of columns, separated by commas"}
	}
	if n.Table == "" {
		for _, it := range l.sc.items {
			if same(it.name, n.Column) {
				o.Expr = &Int{Value: int64(place(l.sc.items, it))}
				if nocase {
					o.Expr = &Collate{X: o.Expr, Name: "NOCASE"}
				}
				return c.orderTerm(r, l, o)
			}
		}
	}
	n = &Name{Table: n.Table, Column: n.Column}
	o.Expr = n
	if nocase {
		o.Expr = &Collate{X: n, Name: "NOCASE"}
	}
	k, err := c.orderTerm(r, l, o)
	if err != nil {
		return k, sortBy(err)
	}
	return k, nil
}

func place(items []*item, it *item) int {
	for i := range items {
		if items[i] == it {
			return i + 1
		}
	}
	return 0
}

// orderBy is the clause for keys of columns of the relation t.
func (c *compiler) orderBy(t string, keys []key) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, k := range keys {
		if seen[k.value.sql] {
			continue
		}
		seen[k.value.sql] = true
		word := ", "
		if b.Len() == 0 {
			word = " ORDER BY "
		}
		b.WriteString(word + c.binary(frag{sql: t + "." + k.value.sql, typ: k.value.typ}).sql)
		if k.desc {
			b.WriteString(" DESC")
		}
		switch {
		case k.filled:
		case k.nulls == 1, k.nulls == 0 && c.pg && !k.desc:
			b.WriteString(" NULLS FIRST")
		case k.nulls == 2, k.nulls == 0 && c.pg:
			b.WriteString(" NULLS LAST")
		}
	}
	return b.String()
}

// limit cuts r to what the script's LIMIT lets through, in the script's order.
func (c *compiler) limit(s *Select, r *result) {
	t := c.alias()
	r.frag = sqlf(untyped, "SELECT * FROM (%s) AS "+t, r.frag)
	r.sql += c.orderBy(t, append(append([]key{}, r.sort...), r.ties...)) + c.slice(*s.Limit, s.Offset)
}

// slice is LIMIT and OFFSET; a negative limit is none.
func (c *compiler) slice(limit, offset int64) string {
	out := ""
	switch {
	case limit >= 0:
		out = " LIMIT " + strconv.FormatInt(limit, 10)
	case offset > 0 && !c.pg:
		out = " LIMIT -1"
	}
	if offset > 0 {
		out += " OFFSET " + strconv.FormatInt(offset, 10)
	}
	return out
}
