package redrock

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Engine is the database that runs the SQL.
type Engine uint8

// The engines.
const (
	SQLite Engine = iota
	Postgres
)

// Args are the decoded Args of the call.
type Args struct {
	PageNumber  int      // from 1; less means 1
	PageSize    int      // rows of a page; 0: all
	Limit       int      // rows over all pages; 0: no cap
	SortBy      string   // columns with commas between; empty: the script's own order
	Ascending   bool     // direction of SortBy
	FilterBy    []string // columns of the answer that FilterValue is searched in
	FilterValue string   // kept are rows where a column contains it, ASCII without case; empty: all
}

// Options are what a script is compiled with.
type Options struct {
	Now  time.Time // of DateFunc('now') and its kin
	Args Args
	// MaxRows caps the rows of one answer, whatever page size was asked; 0: no cap. Pages are then of this size.
	MaxRows int
	// Source is the SQL of the relation that stands for a table, with ? placeholders and their values: a view's name or a SELECT in
	// parentheses that offers every column under its stored name, with tenant and grant forced in. Nil: Table.From.
	Source func(*Table) (sql string, args []any)
	// Fold makes the keys of columns with Fold (internal/fold.Key). Nil: such columns compare as they are.
	Fold func(string) string
	// Limits as given to Parse.
	Limits Limits
}

// Plan is a script ready to run. All SQL is made by this package and by Options.Source; nothing of the script's text is in it.
type Plan struct {
	SQL       string // rows of the asked page; the columns are those of Columns, in order; placeholders are ?
	Args      []any  // string, int64, float64 and what Source gave
	CountSQL  string // one number: rows over all pages
	CountArgs []any
	Columns   []OutColumn // alphabetical without case
	Tables    []string    // names of the tables the script reads, sorted
	Aggregate bool        // the script groups rows or counts
	Offset    int64       // rows before the page
	PageSize  int64       // most rows that the page can have; -1: no bound
}

// Compile resolves every name of s in c, checks types, and emits SQL for e. Errors are *[Error].
func Compile(s *Select, cat *Catalogue, e Engine, o Options) (*Plan, error) {
	c := &compiler{cat: cat, opt: o, pg: e == Postgres, limits: o.Limits.filled()}
	sortBy, err := o.Args.sortBy(c.limits)
	if err != nil {
		return nil, err
	}
	r, err := c.query(s, sortBy)
	if err != nil {
		return nil, err
	}
	p := &Plan{Tables: sorted(c.tables), Aggregate: r.grouped}
	cols := slices.Clone(r.cols)
	slices.SortStableFunc(cols, func(a, b column) int { return byName(a.name, b.name) })
	t := c.alias()
	var list []string
	for _, col := range cols {
		list = append(list, t+"."+col.value.sql)
		p.Columns = append(p.Columns, describe(col))
	}
	filter, err := c.filter(t, r.cols)
	if err != nil {
		return nil, err
	}
	from := sqlf(untyped, " FROM (%s) AS "+t+"%s", r.frag, filter)
	keys := slices.Concat(r.first, r.sort, r.ties)
	var capped string
	p.Offset, p.PageSize, capped = o.page()
	p.SQL = "SELECT " + strings.Join(list, ", ") + from.sql + c.orderBy(t, keys) + c.slice(p.PageSize, p.Offset)
	p.CountSQL = "SELECT count(*)" + from.sql
	if capped != "" {
		p.CountSQL = "SELECT count(*) FROM (SELECT 1 AS one" + from.sql + capped + ") AS " + c.alias()
	}
	p.Args, p.CountArgs = from.args, slices.Clone(from.args)
	return p, nil
}

// page is the first row and the number of rows of the page, and what caps the count.
func (o Options) page() (offset, size int64, capped string) {
	size = -1
	least := func(n int) {
		if n > 0 && (size < 0 || int64(n) < size) {
			size = int64(n)
		}
	}
	least(o.Args.PageSize)
	least(o.MaxRows)
	if page := int64(o.Args.PageNumber) - 1; page > 0 {
		switch {
		case size < 0: // everything was on the first page
			return 0, 0, ""
		case page > math.MaxInt64/size:
			offset = math.MaxInt64
		default:
			offset = page * size
		}
	}
	if limit := int64(o.Args.Limit); limit > 0 {
		capped = " LIMIT " + strconv.FormatInt(limit, 10)
		if left := max(limit-offset, 0); size < 0 || left < size {
			size = left
		}
	}
	return offset, size, capped
}

// sortBy parses SortBy; a term may carry its own direction.
func (a Args) sortBy(l Limits) ([]Order, error) {
	if strings.TrimSpace(a.SortBy) == "" {
		return nil, nil
	}
	tokens, err := lex(a.SortBy, l)
	if err != nil {
		return nil, sortBy(err)
	}
	p := &parser{tokens: tokens, limits: l}
	var out []Order
	for {
		at := p.at
		o, err := p.order()
		if err != nil {
			return nil, sortBy(err)
		}
		if last := p.tokens[p.at-1]; p.at == at+1 || !last.word("asc") && !last.word("desc") {
			o.Desc = !a.Ascending
		}
		if out = append(out, o); !p.sign(",") {
			break
		}
	}
	if p.peek().kind != kindEnd || len(out) > maxTerms {
		return nil, &Error{Code: CodeArgument, Text: "SortBy takes names of columns, separated by commas"}
	}
	return out, nil
}

// filter keeps rows where one of the columns contains the value.
func (c *compiler) filter(t string, cols []column) (frag, error) {
	a := c.opt.Args
	if len(a.FilterBy) == 0 || a.FilterValue == "" {
		return frag{}, nil
	}
	if len(a.FilterBy) > c.limits.Columns || len(a.FilterValue) > c.limits.Script/2 || strings.ContainsRune(a.FilterValue, 0) {
		return frag{}, &Error{Code: CodeArgument, Text: "FilterBy or FilterValue is too long, or holds a NUL character"}
	}
	pattern := c.literal(literal{typ: Text, s: "%" + plainPattern(strings.ToValidUTF8(a.FilterValue, "\ufffd")) + "%"})
	var any []frag
	for _, name := range a.FilterBy {
		i := slices.IndexFunc(cols, func(col column) bool { return same(col.name, strings.TrimSpace(name)) })
		if i < 0 {
			var have []string
			for _, col := range cols {
				have = append(have, col.name)
			}
			return frag{}, &Error{Code: CodeArgument, Text: "FilterBy: no such column in the answer: " + shorten(name) + suggest(name, have)}
		}
		if f, ok := c.as(cols[i].in(t), Text); ok { // dates and fractions contain no text
			any = append(any, c.likes(f, pattern, likeEscape))
		}
	}
	if len(any) == 0 {
		any = []frag{c.literal(boolean(false))}
	}
	return sqlf(untyped, " WHERE %s", balanced("OR", any)), nil
}

// describe is the entry of Columns.
func describe(col column) OutColumn {
	out := OutColumn{Name: col.name, DDName: col.name, Title: col.name, DDTitle: col.name, Type: col.value.typ, TableKey: NotAKey}
	o := col.value.origin
	if o == nil {
		return out
	}
	d := o.column
	out.DDName, out.DDTitle, out.Description, out.IsHidden, out.TableName = d.Name, d.title(), d.Description, d.Hidden, o.table.Name
	if col.name == d.Name {
		out.Title = out.DDTitle
	}
	switch d.Name {
	case o.table.Key:
		out.TableKey = Primary
	case o.table.Alternate:
		out.TableKey = Alternate
	}
	out.ForeignKey = o.table.Foreign[d.Name]
	return out
}

// sortBy says that an error is about SortBy.
func sortBy(err error) error {
	text := err.Error()
	if e, ok := errors.AsType[*Error](err); ok {
		text = e.Text
	}
	return &Error{Code: CodeArgument, Text: "SortBy: " + text}
}
