package redrock

import (
	"strings"
)

// Parse reads one SELECT statement of the dialect. It looks at form only; [Compile] resolves names and types.
// Errors are *[Error].
func Parse(script string, limits Limits) (*Select, error) {
	l := limits.filled()
	tokens, err := lex(script, l)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, limits: l}
	s, err := p.statement()
	if err != nil {
		return nil, err
	}
	return s, nil
}

type parser struct {
	tokens []token
	at     int
	limits Limits
	depth  int
	nodes  int
	tables int
}

func (p *parser) peek() token { return p.tokens[p.at] }

// after is the token n places behind the next one.
func (p *parser) after(n int) token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != kindEnd {
		p.at++
	}
	return t
}

func (t token) word(w string) bool { return t.kind == kindWord && same(t.text, w) }
func (t token) sign(s string) bool { return t.kind == kindSign && t.text == s }

// words takes the given keywords when all of them come next.
func (p *parser) words(list ...string) bool {
	for i, w := range list {
		if !p.after(i).word(w) {
			return false
		}
	}
	p.at += len(list)
	return true
}

func (p *parser) sign(s string) bool {
	if p.peek().sign(s) {
		p.at++
		return true
	}
	return false
}

func (p *parser) need(s string, why string) error {
	if p.sign(s) {
		return nil
	}
	return p.unexpected("expected %s %s", s, why)
}

func (p *parser) unexpected(format string, args ...any) error {
	t := p.peek()
	e := errAt(t.pos, CodeSyntax, format, args...)
	e.Text += ", found " + t.pos.token
	return e
}

func (p *parser) enter(at Pos) error {
	if p.depth++; p.depth > p.limits.Depth {
		return errAt(at, CodeLimit, "the script is nested deeper than %d", p.limits.Depth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// notSelect are words that begin statements of other kinds.
var notSelect = map[string]bool{
	"insert": true, "update": true, "delete": true, "replace": true, "create": true, "drop": true, "alter": true, "pragma": true, "attach": true,
	"detach": true, "vacuum": true, "begin": true, "commit": true, "rollback": true, "explain": true, "with": true, "values": true, "copy": true,
	"set": true, "grant": true, "revoke": true, "truncate": true, "merge": true, "call": true, "execute": true, "do": true, "analyze": true,
	"reindex": true, "savepoint": true, "release": true, "show": true,
}

func (p *parser) statement() (*Select, error) {
	first := p.peek()
	switch {
	case first.kind == kindEnd:
		return nil, errAt(first.pos, CodeSyntax, "the script is empty")
	case first.kind == kindWord && notSelect[fold(first.text)]:
		return nil, errAt(first.pos, CodeUnsupported, "only SELECT can be run, not %s", strings.ToUpper(first.text))
	}
	s, err := p.query()
	if err != nil {
		return nil, err
	}
	for p.sign(";") {
	}
	if t := p.peek(); t.kind != kindEnd {
		if p.at > 0 && p.tokens[p.at-1].sign(";") {
			return nil, errAt(t.pos, CodeUnsupported, "a script is one statement; another one starts with %s", t.pos.token)
		}
		return nil, p.unexpected("expected the end of the statement")
	}
	return s, nil
}

// query reads from SELECT to LIMIT.
func (p *parser) query() (*Select, error) {
	t := p.peek()
	if err := p.enter(t.pos); err != nil {
		return nil, err
	}
	defer p.leave()
	if !p.words("select") {
		return nil, p.unexpected("expected SELECT")
	}
	s := &Select{At: t.pos, limits: p.limits}
	if p.words("distinct") {
		s.Distinct = true
	} else if p.peek().word("all") && startsExpr(p.after(1)) {
		p.take()
	}
	for {
		item, err := p.item()
		if err != nil {
			return nil, err
		}
		if s.Items = append(s.Items, item); len(s.Items) > p.limits.Columns {
			return nil, errAt(item.At, CodeLimit, "more than %d columns are selected", p.limits.Columns)
		}
		if !p.sign(",") {
			break
		}
	}
	if p.words("from") {
		if err := p.from(s); err != nil {
			return nil, err
		}
	}
	if err := p.clauses(s); err != nil {
		return nil, err
	}
	for _, w := range [...]string{"union", "except", "intersect", "window", "fetch", "for"} {
		if t := p.peek(); t.word(w) {
			return nil, errAt(t.pos, CodeUnsupported, "%s is not supported: a script is one SELECT", strings.ToUpper(w))
		}
	}
	return s, nil
}

// maxTerms bounds GROUP BY and ORDER BY.
const maxTerms = 64

func (p *parser) clauses(s *Select) (err error) {
	if p.words("where") {
		if s.Where, err = p.expr(); err != nil {
			return err
		}
	}
	if p.words("group", "by") {
		at := p.peek().pos
		if s.Group, err = p.list(); err != nil {
			return err
		}
		if len(s.Group) > maxTerms {
			return errAt(at, CodeLimit, "GROUP BY has more than %d terms", maxTerms)
		}
	}
	if p.words("having") {
		if s.Having, err = p.expr(); err != nil {
			return err
		}
	}
	if p.words("order", "by") {
		for {
			o, err := p.order()
			if err != nil {
				return err
			}
			if s.Order = append(s.Order, o); len(s.Order) > maxTerms {
				return errAt(o.Expr.at(), CodeLimit, "ORDER BY has more than %d terms", maxTerms)
			}
			if !p.sign(",") {
				break
			}
		}
	}
	if p.words("limit") {
		return p.limit(s)
	}
	return nil
}

func (p *parser) order() (Order, error) {
	e, err := p.expr()
	if err != nil {
		return Order{}, err
	}
	o := Order{Expr: e}
	if !p.words("asc") {
		o.Desc = p.words("desc")
	}
	switch {
	case p.words("nulls", "first"):
		o.Nulls = 1
	case p.words("nulls", "last"):
		o.Nulls = 2
	}
	return o, nil
}

func (p *parser) limit(s *Select) error {
	a, err := p.whole()
	if err != nil {
		return err
	}
	s.Limit = &a
	switch {
	case p.words("offset"):
		s.Offset, err = p.whole()
	case p.sign(","):
		s.Offset = a
		if a, err = p.whole(); err == nil {
			s.Limit = &a
		}
	}
	s.Offset = max(s.Offset, 0)
	if *s.Limit < 0 {
		*s.Limit = -1
	}
	return err
}

func (p *parser) whole() (int64, error) {
	minus := p.sign("-")
	t := p.peek()
	if t.kind != kindInt {
		return 0, p.unexpected("expected a whole number")
	}
	p.take()
	if minus {
		return -t.i, nil
	}
	return t.i, nil
}

func (p *parser) item() (Item, error) {
	t := p.peek()
	if p.sign("*") {
		return Item{At: t.pos, Star: true}, nil
	}
	if (t.kind == kindWord || t.kind == kindQuoted || t.kind == kindName) && p.after(1).sign(".") && p.after(2).sign("*") {
		p.at += 3
		return Item{At: t.pos, Star: true, Table: t.text}, nil
	}
	e, err := p.expr()
	if err != nil {
		return Item{}, err
	}
	alias, err := p.alias(true)
	return Item{At: t.pos, Expr: e, Alias: alias}, err
}

// alias reads [AS] name. After AS any word will do, keywords too; without it only a word that begins no clause.
func (p *parser) alias(text bool) (string, error) {
	as := p.words("as")
	t := p.peek()
	switch {
	case t.kind == kindWord && (as || !reserved[fold(t.text)]), t.kind == kindQuoted, t.kind == kindName, t.kind == kindText && text:
		p.take()
		if t.text == "" {
			return "", errAt(t.pos, CodeSyntax, "an alias cannot be empty")
		}
		return t.text, nil
	case as:
		return "", p.unexpected("expected a name after AS")
	}
	return "", nil
}

func (p *parser) from(s *Select) error {
	join := Cross
	for {
		f, err := p.table()
		if err != nil {
			return err
		}
		f.Join = join
		if p.words("on") {
			if len(s.From) == 0 {
				return errAt(f.At, CodeSyntax, "ON belongs to a JOIN")
			}
			if f.On, err = p.expr(); err != nil {
				return err
			}
			if f.Join == Cross {
				f.Join = Inner
			}
		} else if f.Join == Inner {
			f.Join = Cross
		}
		if t := p.peek(); t.word("using") {
			return errAt(t.pos, CodeUnsupported, "USING is not supported; write JOIN ... ON a.x = b.x")
		}
		s.From = append(s.From, f)
		next, ok, err := p.join()
		if err != nil || !ok {
			return err
		}
		join = next
	}
}

// join reads what stands between two tables.
func (p *parser) join() (Join, bool, error) {
	t := p.peek()
	switch {
	case p.sign(","), p.words("cross", "join"):
		return Cross, true, nil
	case p.words("join"), p.words("inner", "join"):
		return Inner, true, nil
	case p.words("left", "join"), p.words("left", "outer", "join"):
		return Left, true, nil
	case t.word("right"), t.word("full"), t.word("natural"):
		return 0, false, errAt(t.pos, CodeUnsupported, "%s JOIN is not supported; use INNER JOIN or LEFT JOIN", strings.ToUpper(t.text))
	}
	return 0, false, nil
}

func (p *parser) table() (From, error) {
	t := p.peek()
	if p.tables++; p.tables > p.limits.Tables {
		return From{}, errAt(t.pos, CodeLimit, "the script names more than %d tables", p.limits.Tables)
	}
	f := From{At: t.pos}
	switch {
	case p.sign("("):
		q, err := p.query()
		if err != nil {
			return f, err
		}
		if err := p.need(")", "after the derived table"); err != nil {
			return f, err
		}
		f.Query = q
	case t.kind == kindWord && !reserved[fold(t.text)], t.kind == kindQuoted && t.text != "", t.kind == kindName:
		p.take()
		f.Table = t.text
		if p.peek().sign(".") {
			return f, errAt(p.peek().pos, CodeUnsupported, "a table has no schema in front of it")
		}
		if p.peek().sign("(") {
			return f, errAt(p.peek().pos, CodeUnsupported, "functions cannot be used as tables")
		}
	default:
		return f, p.unexpected("expected a table")
	}
	alias, err := p.alias(false)
	f.Alias = alias
	return f, err
}

func (p *parser) list() ([]Expr, error) {
	var out []Expr
	for {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if !p.sign(",") {
			return out, nil
		}
	}
}
