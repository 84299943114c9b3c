package redrock

import (
	"strconv"
	"strings"
)

// String is the canonical form of s: keywords in capitals, one space, parentheses only where needed, names quoted only where
// they were. Parsing it again gives the same tree.
func (s *Select) String() string {
	var p printer
	p.query(s)
	return p.b.String()
}

// text is the canonical form of e, by which answers name an expression without alias.
func text(e Expr) string {
	var p printer
	p.expr(e, 0)
	return p.b.String()
}

type printer struct{ b strings.Builder }

func (p *printer) put(list ...string) {
	for _, s := range list {
		p.b.WriteString(s)
	}
}

func (p *printer) query(s *Select) {
	p.put("SELECT ")
	if s.Distinct {
		p.put("DISTINCT ")
	}
	for i, it := range s.Items {
		p.comma(i)
		switch {
		case it.Star && it.Table != "":
			p.put(ident(it.Table), ".*")
		case it.Star:
			p.put("*")
		default:
			p.expr(it.Expr, 0)
			p.alias(it.Alias)
		}
	}
	for i, f := range s.From {
		p.put(joinText(i, f))
		if f.Query != nil {
			p.put("(")
			p.query(f.Query)
			p.put(")")
		} else {
			p.put(ident(f.Table))
		}
		p.alias(f.Alias)
		if f.On != nil {
			p.put(" ON ")
			p.expr(f.On, 0)
		}
	}
	p.tail(s)
}

func (p *printer) tail(s *Select) {
	if s.Where != nil {
		p.put(" WHERE ")
		p.expr(s.Where, 0)
	}
	for i, g := range s.Group {
		if i == 0 {
			p.put(" GROUP BY ")
		}
		p.comma(i)
		p.expr(g, 0)
	}
	if s.Having != nil {
		p.put(" HAVING ")
		p.expr(s.Having, 0)
	}
	for i, o := range s.Order {
		if i == 0 {
			p.put(" ORDER BY ")
		}
		p.comma(i)
		p.expr(o.Expr, 0)
		if o.Desc {
			p.put(" DESC")
		}
		p.put([...]string{"", " NULLS FIRST", " NULLS LAST"}[o.Nulls])
	}
	if s.Limit != nil {
		p.put(" LIMIT ", strconv.FormatInt(*s.Limit, 10))
		if s.Offset > 0 {
			p.put(" OFFSET ", strconv.FormatInt(s.Offset, 10))
		}
	}
}

func joinText(i int, f From) string {
	switch {
	case i == 0:
		return " FROM "
	case f.Join == Inner:
		return " JOIN "
	case f.Join == Left:
		return " LEFT JOIN "
	}
	return ", "
}

func (p *printer) comma(i int) {
	if i > 0 {
		p.put(", ")
	}
}

func (p *printer) alias(a string) {
	if a != "" {
		p.put(" AS ", ident(a))
	}
}

// ident is a name that is always quoted, for places where a name is the only reading.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// short is ident without the quotes where they are not needed.
func short(s string) string {
	if word(s) {
		return s
	}
	return ident(s)
}

func quote(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// word says whether s reads as a name without quotes at the start of an expression.
func word(s string) bool {
	if s == "" || !wordStart(s[0]) || reserved[fold(s)] || opening[fold(s)] || fold(s) == "all" {
		return false
	}
	for i := range len(s) {
		if !wordStart(s[i]) && !digit(s[i]) && s[i] != '$' {
			return false
		}
	}
	return true
}

// The ranks of the operators, from the loosest.
const (
	rankOr = iota + 1
	rankAnd
	rankNot
	rankEqual
	rankOrder
	rankSum
	rankProduct
	rankConcat
	rankCollate
	rankUnary
)

var ranks = map[string]int{"=": rankEqual, "<>": rankEqual, "IS": rankEqual, "IS NOT": rankEqual, "<": rankOrder, "<=": rankOrder, ">": rankOrder,
	">=": rankOrder, "+": rankSum, "-": rankSum, "*": rankProduct, "/": rankProduct, "%": rankProduct, "||": rankConcat}

func rank(e Expr) int {
	switch e := e.(type) {
	case *Logic:
		if e.Op == "OR" {
			return rankOr
		}
		return rankAnd
	case *Unary:
		if e.Op == "NOT" {
			return rankNot
		}
		return rankUnary
	case *Binary:
		return ranks[e.Op]
	case *Like, *Between, *In:
		return rankEqual
	case *Collate:
		return rankCollate
	}
	return rankUnary + 1
}

// expr prints e, in parentheses when it binds looser than the place asks for.
func (p *printer) expr(e Expr, least int) {
	if rank(e) < least {
		p.put("(")
		defer p.put(")")
	}
	switch e := e.(type) {
	case *Name:
		p.name(e)
	case *String:
		p.put(quote(e.Value))
	case *Int:
		p.put(strconv.FormatInt(e.Value, 10))
	case *Float:
		s := strconv.FormatFloat(e.Value, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		p.put(s)
	case *Null:
		p.put("NULL")
	case *Unary:
		p.put(e.Op, " ")
		p.expr(e.X, rank(e))
	case *Binary:
		p.expr(e.L, rank(e))
		p.put(" ", e.Op, " ")
		p.expr(e.R, rank(e)+1)
	case *Logic:
		for i, x := range e.X {
			if i > 0 {
				p.put(" ", e.Op, " ")
			}
			p.expr(x, rank(e)+1)
		}
	case *Collate:
		p.expr(e.X, rankCollate)
		p.put(" COLLATE ", e.Name)
	case *Call:
		p.call(e)
	case *Case:
		p.caseWhen(e)
	default:
		p.predicate(e)
	}
}

func (p *printer) name(e *Name) {
	switch {
	case e.Table != "":
		p.put(short(e.Table), ".", short(e.Column))
	case e.Quoted:
		p.put(ident(e.Column))
	case word(e.Column):
		p.put(e.Column)
	default:
		p.put("`", strings.ReplaceAll(e.Column, "`", "``"), "`")
	}
}

func (p *printer) predicate(e Expr) {
	start := func(x Expr, not bool, op string) {
		p.expr(x, rankEqual)
		if not {
			p.put(" NOT")
		}
		p.put(op)
	}
	switch e := e.(type) {
	case *Like:
		start(e.X, e.Not, " LIKE ")
		p.expr(e.Pattern, rankOrder)
		if e.Escape != nil {
			p.put(" ESCAPE ")
			p.expr(e.Escape, rankOrder)
		}
	case *Between:
		start(e.X, e.Not, " BETWEEN ")
		p.expr(e.A, rankOrder)
		p.put(" AND ")
		p.expr(e.B, rankOrder)
	case *In:
		start(e.X, e.Not, " IN (")
		if e.Query != nil {
			p.query(e.Query)
		}
		for i, x := range e.List {
			p.comma(i)
			p.expr(x, 0)
		}
		p.put(")")
	}
}

func (p *printer) call(e *Call) {
	p.put(e.Name, "(")
	if e.Star {
		p.put("*")
	}
	if e.Distinct {
		p.put("DISTINCT ")
	}
	for i, a := range e.Args {
		p.comma(i)
		p.expr(a, 0)
	}
	p.put(")")
}

func (p *printer) caseWhen(e *Case) {
	p.put("CASE")
	if e.X != nil {
		p.put(" ")
		p.expr(e.X, 0)
	}
	for _, w := range e.When {
		p.put(" WHEN ")
		p.expr(w.If, 0)
		p.put(" THEN ")
		p.expr(w.Then, 0)
	}
	if e.Else != nil {
		p.put(" ELSE ")
		p.expr(e.Else, 0)
	}
	p.put(" END")
}
