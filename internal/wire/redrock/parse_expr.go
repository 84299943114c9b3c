package redrock

import "strings"

// reserved words cannot be an alias without AS, nor a table without quotes.
var reserved = set("select", "from", "where", "group", "order", "having", "limit", "offset", "union", "except", "intersect", "join", "inner", "left",
	"right", "full", "cross", "natural", "outer", "on", "using", "as", "and", "or", "not", "in", "is", "isnull", "notnull", "like", "glob", "regexp",
	"match", "ilike", "similar", "between", "null", "case", "when", "then", "else", "end", "distinct", "collate", "asc", "desc", "nulls", "escape",
	"window", "fetch", "for", "by")

// opening words begin an expression and are therefore never the name of a column without quotes.
var opening = set("case", "not", "null", "select", "exists", "distinct", "cast")

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}

// startsExpr says whether t can begin an expression, for words that are names in one place and keywords in another.
func startsExpr(t token) bool {
	switch t.kind {
	case kindEnd:
		return false
	case kindSign:
		return t.text == "(" || t.text == "-" || t.text == "+" || t.text == "*"
	case kindWord:
		return !reserved[fold(t.text)] || opening[fold(t.text)]
	}
	return true
}

func (p *parser) node(at Pos) error {
	if p.nodes++; p.nodes > p.limits.Expressions {
		return errAt(at, CodeLimit, "the script holds more than %d expressions", p.limits.Expressions)
	}
	return nil
}

// maxHeight bounds the tree that an engine has to take; SQLite refuses trees of more than 1000.
const maxHeight = 120

// expr reads an expression and refuses one whose tree is too high, such as a long chain of ||.
func (p *parser) expr() (Expr, error) {
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if height(e) > maxHeight {
		return nil, errAt(e.at(), CodeLimit, "the expression is nested or chained deeper than %d", maxHeight)
	}
	return e, nil
}

func (p *parser) or() (Expr, error)  { return p.logic("OR", p.and) }
func (p *parser) and() (Expr, error) { return p.logic("AND", p.not) }

func (p *parser) logic(op string, next func() (Expr, error)) (Expr, error) {
	at := p.peek().pos
	e, err := next()
	if err != nil || !p.peek().word(op) {
		return e, err
	}
	l := &Logic{At: at, Op: op}
	for add := e; ; {
		if inner, ok := add.(*Logic); ok && inner.Op == op { // parentheses around a chain of the same kind mean nothing
			l.X = append(l.X, inner.X...)
		} else {
			l.X = append(l.X, add)
		}
		if !p.words(op) {
			return l, p.node(at)
		}
		if add, err = next(); err != nil {
			return nil, err
		}
	}
}

func (p *parser) not() (Expr, error) {
	t := p.peek()
	if !t.word("not") {
		return p.equality()
	}
	if p.after(1).word("exists") {
		return nil, errAt(t.pos, CodeUnsupported, "EXISTS is not supported; use IN (SELECT ...) or a JOIN")
	}
	p.take()
	if err := p.enter(t.pos); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.not()
	if err != nil {
		return nil, err
	}
	return &Unary{At: t.pos, Op: "NOT", X: x}, p.node(t.pos)
}

// equality reads the signs that bind loosest among comparisons, as SQLite ranks them.
func (p *parser) equality() (Expr, error) {
	e, err := p.inequality()
	for err == nil {
		t := p.peek()
		switch {
		case p.sign("="), p.sign("=="):
			e, err = p.right(t, "=", e, p.inequality)
		case p.sign("<>"), p.sign("!="):
			e, err = p.right(t, "<>", e, p.inequality)
		case t.word("isnull"), t.word("notnull"):
			p.take()
			op := "IS"
			if t.word("notnull") {
				op = "IS NOT"
			}
			e, err = &Binary{At: t.pos, Op: op, L: e, R: &Null{At: t.pos}}, p.node(t.pos)
		case p.words("not", "null"):
			e, err = &Binary{At: t.pos, Op: "IS NOT", L: e, R: &Null{At: t.pos}}, p.node(t.pos)
		case p.words("is"):
			e, err = p.is(t, e)
		case t.word("in"), t.word("like"), t.word("between"), t.word("not") && p.after(1).kind == kindWord && predicate[fold(p.after(1).text)]:
			e, err = p.predicate(e)
		case t.kind == kindWord && foreign[fold(t.text)] && startsExpr(p.after(1)):
			return nil, errAt(t.pos, CodeUnsupported, "%s is not supported; use LIKE", strings.ToUpper(t.text))
		default:
			return e, nil
		}
	}
	return nil, err
}

var (
	predicate = set("in", "like", "between", "glob", "regexp", "match", "ilike", "similar")
	foreign   = set("glob", "regexp", "match", "ilike", "similar")
)

func (p *parser) is(t token, e Expr) (Expr, error) {
	op := "IS"
	if p.words("not") {
		op = "IS NOT"
	}
	if p.peek().word("distinct") {
		return nil, errAt(p.peek().pos, CodeUnsupported, "IS DISTINCT FROM is not supported; use IS NOT")
	}
	return p.right(t, op, e, p.inequality)
}

func (p *parser) right(t token, op string, l Expr, next func() (Expr, error)) (Expr, error) {
	r, err := next()
	if err != nil {
		return nil, err
	}
	return &Binary{At: t.pos, Op: op, L: l, R: r}, p.node(t.pos)
}

// predicate reads [NOT] IN, LIKE, BETWEEN after e.
func (p *parser) predicate(e Expr) (Expr, error) {
	t := p.peek()
	not := p.words("not")
	if err := p.node(t.pos); err != nil {
		return nil, err
	}
	switch w := p.take(); fold(w.text) {
	case "in":
		return p.in(&In{At: t.pos, Not: not, X: e})
	case "like":
		pattern, err := p.inequality()
		if err != nil {
			return nil, err
		}
		l := &Like{At: t.pos, Not: not, X: e, Pattern: pattern}
		if p.words("escape") {
			l.Escape, err = p.inequality()
		}
		return l, err
	case "between":
		a, err := p.inequality()
		if err != nil {
			return nil, err
		}
		if !p.words("and") {
			return nil, p.unexpected("expected AND of BETWEEN")
		}
		b, err := p.inequality()
		return &Between{At: t.pos, Not: not, X: e, A: a, B: b}, err
	default:
		return nil, errAt(w.pos, CodeUnsupported, "%s is not supported; use LIKE", strings.ToUpper(w.text))
	}
}

func (p *parser) in(e *In) (Expr, error) {
	if err := p.need("(", "after IN"); err != nil {
		return nil, err
	}
	if err := p.enter(e.At); err != nil {
		return nil, err
	}
	defer p.leave()
	var err error
	switch {
	case p.peek().word("select"):
		e.Query, err = p.query()
	case p.peek().sign(")"):
	default:
		e.List, err = p.list()
	}
	if err != nil {
		return nil, err
	}
	return e, p.need(")", "after the list of IN")
}

func (p *parser) inequality() (Expr, error) { return p.chain(p.sum, "<", "<=", ">", ">=") }
func (p *parser) sum() (Expr, error)        { return p.chain(p.product, "+", "-") }
func (p *parser) product() (Expr, error)    { return p.chain(p.concat, "*", "/", "%") }
func (p *parser) concat() (Expr, error)     { return p.chain(p.collate, "||") }

// chain reads operators of one rank, from the left.
func (p *parser) chain(next func() (Expr, error), signs ...string) (Expr, error) {
	e, err := next()
loop:
	for err == nil {
		for _, s := range signs {
			if t := p.peek(); p.sign(s) {
				e, err = p.right(t, s, e, next)
				continue loop
			}
		}
		return e, nil
	}
	return nil, err
}

func (p *parser) collate() (Expr, error) {
	e, err := p.unary()
	for err == nil {
		t := p.peek()
		if !t.word("collate") {
			return e, nil
		}
		p.take()
		switch w := p.take(); {
		case w.kind != kindWord && w.kind != kindQuoted && w.kind != kindName:
			return nil, errAt(w.pos, CodeSyntax, "expected NOCASE or BINARY after COLLATE, found %s", w.pos.token)
		case same(w.text, "nocase"), same(w.text, "binary"):
			e, err = &Collate{At: t.pos, X: e, Name: strings.ToUpper(w.text)}, p.node(t.pos)
		default:
			return nil, errAt(w.pos, CodeUnsupported, "COLLATE knows NOCASE and BINARY, not %s", w.pos.token)
		}
	}
	return nil, err
}

func (p *parser) unary() (Expr, error) {
	t := p.peek()
	if !t.sign("-") && !t.sign("+") {
		return p.primary()
	}
	p.take()
	if err := p.enter(t.pos); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &Unary{At: t.pos, Op: t.text, X: x}, p.node(t.pos)
}

func (p *parser) primary() (Expr, error) {
	t := p.peek()
	if err := p.node(t.pos); err != nil {
		return nil, err
	}
	switch t.kind {
	case kindText:
		p.take()
		return &String{At: t.pos, Value: t.text}, nil
	case kindInt:
		p.take()
		return &Int{At: t.pos, Value: t.i}, nil
	case kindFloat:
		p.take()
		return &Float{At: t.pos, Value: t.f}, nil
	case kindQuoted, kindName:
		return p.name()
	case kindWord:
		return p.word()
	}
	if !p.sign("(") {
		return nil, p.unexpected("expected an expression")
	}
	if err := p.enter(t.pos); err != nil {
		return nil, err
	}
	defer p.leave()
	if p.peek().word("select") {
		return nil, errAt(p.peek().pos, CodeUnsupported, "a SELECT as a value is not supported; use IN (SELECT ...) or a JOIN")
	}
	e, err := p.expr()
	if err != nil {
		return nil, err
	}
	if p.peek().sign(",") {
		return nil, errAt(p.peek().pos, CodeUnsupported, "a list of values in parentheses is allowed after IN only")
	}
	return e, p.need(")", "at the end of the parenthesis")
}

// word reads what begins with a word: CASE, NULL, a call, or else a name, whatever keyword it looks like.
func (p *parser) word() (Expr, error) {
	t := p.peek()
	switch {
	case t.word("case"):
		return p.caseWhen()
	case t.word("null"):
		p.take()
		return &Null{At: t.pos}, nil
	case t.word("exists"), t.word("cast"):
		if p.after(1).sign("(") {
			return nil, errAt(t.pos, CodeUnsupported, "%s is not supported", strings.ToUpper(t.text))
		}
	case t.word("select"), t.word("distinct"):
		return nil, p.unexpected("expected an expression")
	}
	if p.after(1).sign("(") {
		return p.call()
	}
	return p.name()
}

func (p *parser) name() (Expr, error) {
	t := p.take()
	n := &Name{At: t.pos, Column: t.text, Quoted: t.kind == kindQuoted}
	if !p.peek().sign(".") {
		return n, nil
	}
	p.take()
	c := p.take()
	if c.kind != kindWord && c.kind != kindQuoted && c.kind != kindName || c.text == "" {
		return nil, errAt(c.pos, CodeSyntax, "expected a column after %s., found %s", shorten(t.text), c.pos.token)
	}
	if p.peek().sign(".") {
		return nil, errAt(p.peek().pos, CodeUnsupported, "a column has at most one table in front of it")
	}
	n.Table, n.Column, n.Quoted = t.text, c.text, false
	if n.Table == "" {
		return nil, errAt(t.pos, CodeSyntax, "a name cannot be empty")
	}
	return n, nil
}

func (p *parser) call() (Expr, error) {
	t := p.take()
	p.take()
	if err := p.enter(t.pos); err != nil {
		return nil, err
	}
	defer p.leave()
	c := &Call{At: t.pos, Name: fold(t.text)}
	switch {
	case p.sign("*"):
		c.Star = true
	case p.peek().sign(")"):
	default:
		c.Distinct = p.words("distinct")
		var err error
		if c.Args, err = p.list(); err != nil {
			return nil, err
		}
	}
	if err := p.need(")", "after the arguments of "+shorten(t.text)); err != nil {
		return nil, err
	}
	if n := p.peek(); n.word("over") && p.after(1).sign("(") || n.word("filter") && p.after(1).sign("(") {
		return nil, errAt(n.pos, CodeUnsupported, "%s is not supported", strings.ToUpper(n.text))
	}
	return c, nil
}

func (p *parser) caseWhen() (Expr, error) {
	t := p.take()
	if err := p.enter(t.pos); err != nil {
		return nil, err
	}
	defer p.leave()
	c := &Case{At: t.pos}
	var err error
	if !p.peek().word("when") {
		if c.X, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.words("when") {
		var w When
		if w.If, err = p.expr(); err != nil {
			return nil, err
		}
		if !p.words("then") {
			return nil, p.unexpected("expected THEN")
		}
		if w.Then, err = p.expr(); err != nil {
			return nil, err
		}
		c.When = append(c.When, w)
	}
	if len(c.When) == 0 {
		return nil, p.unexpected("expected WHEN")
	}
	if p.words("else") {
		if c.Else, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if !p.words("end") {
		return nil, p.unexpected("expected END of CASE")
	}
	return c, nil
}
