package redrock

import (
	"strings"
)

// scope is what names can mean at one place of a statement.
type scope struct {
	sources []*source
	// items are the columns of the SELECT list, whose aliases other clauses may use; nil inside the list itself.
	items  []*item
	group  *grouping // set above GROUP BY and aggregates
	clause string    // for complaints
}

// source is a table of FROM.
type source struct {
	names []string // what may stand before the dot
	table *Table   // nil for a derived table
	cols  []column // with refs that include the alias of the source
	sort  []key    // order of a derived table
	ties  []key
}

// column is a column of a source, or of the result of a SELECT; ref, fold and country are SQL.
type column struct {
	name    string
	hidden  bool
	value   frag
	fold    string
	country string
}

// in is the column as seen from outside a SELECT that is given the alias t.
func (col column) in(t string) frag {
	f := col.value
	f.sql, f.args, f.lit = t+"."+col.value.sql, nil, nil
	f.fold, f.country, f.nocase = "", "", false
	if col.fold != "" {
		f.fold = t + "." + col.fold
	}
	if col.country != "" {
		f.country = t + "." + col.country
	}
	return f
}

// key is a term of an order.
type key struct {
	value frag
	desc  bool
	nulls uint8
	// filled keys are never null, or only in rows of a LEFT JOIN that no other row ties with. They need no word about nulls, which
	// would keep PostgreSQL from its index.
	filled bool
}

func (k key) in(t string) key {
	k.value = frag{sql: t + "." + k.value.sql, typ: k.value.typ}
	return k
}

// find looks a name up among the tables, the exact spelling first: Event has both ID and Id.
func (sc *scope) find(e *Name) (*column, error) {
	for _, equal := range []func(a, b string) bool{func(a, b string) bool { return a == b }, same} {
		var hit *column
		for _, s := range sc.sources {
			if e.Table != "" && !s.named(e.Table) {
				continue
			}
			for i := range s.cols {
				if !equal(s.cols[i].name, e.Column) {
					continue
				}
				if hit != nil {
					return nil, errAt(e.At, CodeAmbiguous, "the column %s is in more than one table; write the table in front of it", shorten(e.Column))
				}
				hit = &s.cols[i]
				break
			}
		}
		if hit != nil {
			return hit, nil
		}
	}
	return nil, nil
}

func (s *source) named(name string) bool {
	for _, n := range s.names {
		if same(n, name) {
			return true
		}
	}
	return false
}

// aliased finds the item with an alias.
func (sc *scope) aliased(name string) *item {
	for _, equal := range []func(a, b string) bool{func(a, b string) bool { return a == b }, same} {
		for _, it := range sc.items {
			if it.alias != "" && equal(it.alias, name) {
				return it
			}
		}
	}
	return nil
}

// name resolves a column, then an alias, then TRUE and FALSE, then a text in double quotes.
func (c *compiler) name(e *Name, sc *scope) (frag, error) {
	col, err := sc.find(e)
	if err != nil {
		return frag{}, err
	}
	if col != nil {
		if sc.group != nil {
			return sc.group.bare(col), nil
		}
		return col.value, nil
	}
	if e.Table == "" {
		if it := sc.aliased(e.Column); it != nil {
			inner := *sc
			inner.items = nil
			return c.expr(it.expr, &inner)
		}
		if !e.Quoted && (same(e.Column, "true") || same(e.Column, "false")) {
			return c.literal(boolean(same(e.Column, "true"))), nil
		}
		if e.Quoted {
			return c.literal(literal{typ: Text, s: e.Column}), nil
		}
	}
	return frag{}, sc.unknown(e)
}

func (sc *scope) unknown(e *Name) error {
	if len(sc.sources) == 0 {
		return errAt(e.At, CodeColumn, "no such column: %s; there is no table to take it from", shorten(e.Column))
	}
	var tables, near []string
	known := false
	for _, s := range sc.sources {
		if e.Table != "" && !s.named(e.Table) {
			continue
		}
		known = true
		if len(s.names) > 0 {
			tables = append(tables, s.names[0])
		}
		for _, col := range s.cols {
			near = append(near, col.name)
		}
	}
	if !known {
		return errAt(e.At, CodeTable, "no table %s in FROM; it is there under its alias, if it has one", shorten(e.Table))
	}
	where := "in the derived table"
	if len(tables) == 1 {
		where = "in table " + tables[0]
	} else if len(tables) > 1 {
		where = "in tables " + strings.Join(tables, ", ")
	}
	return errAt(e.At, CodeColumn, "no such column: %s %s%s", shorten(e.Column), where, suggest(e.Column, near))
}

// from builds the sources and the SQL after FROM.
func (c *compiler) from(s *Select) ([]*source, frag, error) {
	var sources []*source
	var out frag
	for i := range s.From {
		f := &s.From[i]
		src, rel, err := c.relation(f)
		if err != nil {
			return nil, out, err
		}
		if f.Join == Left {
			for i := range src.cols {
				src.cols[i].value.filled = false
			}
		}
		sources = append(sources, src)
		switch {
		case i == 0:
			out = rel
			continue
		case f.Join == Cross:
			out = sqlf(untyped, "%s CROSS JOIN %s", out, rel)
			continue
		}
		on := c.literal(boolean(true))
		if f.On != nil {
			if on, err = c.expr(f.On, &scope{sources: sources, clause: "ON"}); err != nil {
				return nil, out, err
			}
			if on, err = c.condition(f.On, on); err != nil {
				return nil, out, err
			}
		}
		word := "%s INNER JOIN %s ON %s"
		if f.Join == Left {
			word = "%s LEFT JOIN %s ON %s"
		}
		out = sqlf(untyped, word, out, rel, on)
	}
	return sources, out, nil
}

func (c *compiler) relation(f *From) (*source, frag, error) {
	t := c.alias()
	if f.Query != nil {
		q, err := c.inside(f.Query)
		if err != nil {
			return nil, frag{}, err
		}
		src := &source{}
		if f.Alias != "" {
			src.names = []string{f.Alias}
		}
		for _, col := range q.cols {
			v := col.in(t)
			src.cols = append(src.cols, column{name: col.name, value: v})
		}
		for _, k := range q.sort {
			src.sort = append(src.sort, k.in(t))
		}
		for _, k := range q.ties {
			src.ties = append(src.ties, k.in(t))
		}
		return src, sqlf(untyped, "(%s) AS "+t, q.frag), nil
	}
	table := c.cat.Table(f.Table)
	if table == nil {
		return nil, frag{}, errAt(f.At, CodeTable, "no such table: %s%s; the tables are %s", shorten(f.Table), suggest(f.Table, c.cat.Tables()),
			strings.Join(c.cat.Tables(), ", "))
	}
	c.use(table.Name)
	rel := frag{sql: table.From}
	switch {
	case table.Dictionary:
		rel = c.cat.dictionary()
	case c.opt.Source != nil:
		rel.sql, rel.args = c.opt.Source(table)
	}
	src := &source{table: table, names: []string{table.Name, f.Table}}
	if f.Alias != "" {
		src.names = []string{f.Alias}
	}
	for i := range table.Columns {
		src.cols = append(src.cols, c.stored(t, table, &table.Columns[i]))
	}
	if table.Natural != "" {
		src.ties = append(src.ties, key{value: c.stored(t, table, table.column(table.Natural)).value, filled: table.column(table.Natural).Filled})
	}
	src.ties = append(src.ties, key{value: c.stored(t, table, table.column(table.Key)).value, filled: true})
	return src, sqlf(untyped, "%s AS "+t, rel), nil
}

// stored is a column of a table whose relation has the alias t.
func (c *compiler) stored(t string, table *Table, col *Column) column {
	var f frag
	switch {
	case col.Fixed != "":
		f = c.literal(literal{typ: Text, s: col.Fixed})
		f.lit = nil
		f.typ = col.Type
	case col.Empty:
		f = c.null(col.Type)
		f.lit = nil
	default:
		f = frag{sql: t + `."` + col.stored() + `"`, typ: col.Type}
		if col.Fold && c.opt.Fold != nil {
			f.fold = t + `."` + col.stored() + `_key"`
		}
		if col.Country != "" {
			f.country = t + `."` + col.Country + `"`
		}
	}
	f.filled = !col.Empty && (col.Filled || col.Name == table.Key)
	f.origin = &origin{table, col}
	return column{name: col.Name, hidden: col.Hidden, value: f}
}
