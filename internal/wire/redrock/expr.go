package redrock

import "errors"

// expr checks e in a scope and emits it.
func (c *compiler) expr(e Expr, sc *scope) (frag, error) {
	if sc.group != nil {
		if f, ok := sc.group.match(e, sc); ok {
			return f, nil
		}
	}
	f, err := c.dispatch(e, sc)
	if err != nil {
		return f, err
	}
	return c.bounded(e, f)
}

func (c *compiler) dispatch(e Expr, sc *scope) (frag, error) {
	switch e := e.(type) {
	case *Name:
		return c.name(e, sc)
	case *direct:
		if sc.group != nil {
			return sc.group.bare(&e.col), nil
		}
		return e.col.value, nil
	case *String:
		return c.literal(literal{typ: Text, s: e.Value}), nil
	case *Int:
		return c.literal(literal{typ: Integer, i: e.Value}), nil
	case *Float:
		return c.literal(literal{typ: Double, f: e.Value}), nil
	case *Null:
		return c.null(untyped), nil
	case *Unary:
		return c.unary(e, sc)
	case *Binary:
		return c.operator(e, sc)
	case *Logic:
		return c.logic(e, sc)
	case *Like:
		return c.like(e, sc)
	case *Between:
		return c.between(e, sc)
	case *In:
		return c.in(e, sc)
	case *Case:
		return c.caseWhen(e, sc)
	case *Call:
		return c.call(e, sc)
	case *Collate:
		f, err := c.expr(e.X, sc)
		f.nocase = e.Name == "NOCASE"
		return f, err
	}
	return frag{}, errAt(e.at(), CodeUnsupported, "this expression is not supported")
}

// constant is the value of an argument that must be known before the query runs.
func (c *compiler) constant(e Expr, function string) (literal, error) {
	f, err := c.expr(e, &scope{clause: "an argument"})
	var column *Error
	if errors.As(err, &column) && column.Code == CodeColumn {
		err, f.lit = nil, nil
	}
	if err != nil {
		return literal{}, err
	}
	if f.lit == nil {
		return literal{}, errAt(e.at(), CodeFunction, "%s takes written texts and numbers, not columns or computed values", function)
	}
	return *f.lit, nil
}

func (c *compiler) unary(e *Unary, sc *scope) (frag, error) {
	x, err := c.expr(e.X, sc)
	if err != nil {
		return x, err
	}
	if e.Op == "NOT" {
		if x, err = c.condition(e.X, x); err != nil {
			return x, err
		}
		return sqlf(Bool, "(NOT %s)", x), nil
	}
	if x, err = c.arithmetic(e.X, x); err != nil {
		return x, err
	}
	switch {
	case e.Op == "+":
		x.origin, x.fold, x.country = nil, "", ""
		return x, nil
	case x.lit != nil && x.lit.typ == Integer:
		return c.literal(literal{typ: Integer, i: -x.lit.i}), nil
	case x.lit != nil && x.lit.typ == Double:
		return c.literal(literal{typ: Double, f: -x.lit.f}), nil
	}
	return sqlf(x.typ, "(- %s)", x), nil
}

// arithmetic is f as an operand of + - * / %.
func (c *compiler) arithmetic(e Expr, f frag) (frag, error) {
	if f.typ == Integer || f.typ == Double {
		return f, nil
	}
	if x, ok := c.as(f, Integer); ok && f.typ != Object {
		return x, nil
	}
	if x, ok := c.as(f, Double); ok && f.lit != nil {
		return x, nil
	}
	return f, errAt(e.at(), CodeType, "one cannot calculate with %s", f.typ)
}

func (c *compiler) operator(e *Binary, sc *scope) (frag, error) {
	l, err := c.expr(e.L, sc)
	if err != nil {
		return l, err
	}
	r, err := c.expr(e.R, sc)
	if err != nil {
		return r, err
	}
	switch e.Op {
	case "+", "-", "*", "/", "%":
		return c.calculate(e, l, r)
	case "||":
		if l, err = c.text(e.L, l); err != nil {
			return l, err
		}
		if r, err = c.text(e.R, r); err != nil {
			return r, err
		}
		return sqlf(Text, "(%s || %s)", l, r), nil
	case "IS", "IS NOT":
		return c.is(e, l, r)
	}
	return c.compare(e, e.Op, l, r)
}

func (c *compiler) calculate(e *Binary, l, r frag) (frag, error) {
	l, err := c.arithmetic(e.L, l)
	if err != nil {
		return l, err
	}
	if r, err = c.arithmetic(e.R, r); err != nil {
		return r, err
	}
	typ := Integer
	if l.typ == Double || r.typ == Double {
		typ = Double
		l, _ = c.as(l, Double)
		r, _ = c.as(r, Double)
	}
	switch e.Op {
	case "%":
		if typ == Double {
			return l, errAt(e.At, CodeType, "%% is for whole numbers")
		}
		return sqlf(typ, "(%s %% NULLIF(%s, 0))", l, r), nil
	case "/": // a division by zero is null, as in SQLite
		return sqlf(typ, "(%s / NULLIF(%s, 0))", l, r), nil
	}
	return sqlf(typ, "(%s "+e.Op+" %s)", l, r), nil
}

func (c *compiler) is(e *Binary, l, r frag) (frag, error) {
	if r.lit != nil && r.lit.typ == untyped {
		return sqlf(Bool, "(%s "+e.Op+" NULL)", l), nil
	}
	l, r, err := c.pair(e, l, r, true)
	if err != nil {
		return l, err
	}
	op := e.Op
	if c.pg {
		op = map[string]string{"IS": "IS NOT DISTINCT FROM", "IS NOT": "IS DISTINCT FROM"}[op]
	}
	return sqlf(Bool, "(%s "+op+" %s)", l, r), nil
}

func (c *compiler) compare(e Expr, op string, l, r frag) (frag, error) {
	equality := op == "=" || op == "<>"
	l, r, err := c.pair(e, l, r, equality)
	if err != nil {
		return l, err
	}
	if !equality {
		l = c.binary(l)
	}
	return sqlf(Bool, "(%s "+op+" %s)", l, r), nil
}

func (c *compiler) logic(e *Logic, sc *scope) (frag, error) {
	parts := make([]frag, len(e.X))
	for i, x := range e.X {
		f, err := c.expr(x, sc)
		if err != nil {
			return f, err
		}
		if parts[i], err = c.condition(x, f); err != nil {
			return f, err
		}
	}
	return balanced(e.Op, parts), nil
}

// balanced ties a chain by halves: the engines bound the depth of a tree, and clients send chains of hundreds.
func balanced(op string, parts []frag) frag {
	if len(parts) == 1 {
		return parts[0]
	}
	m := len(parts) / 2
	return sqlf(Bool, "(%s "+op+" %s)", balanced(op, parts[:m]), balanced(op, parts[m:]))
}

func (c *compiler) between(e *Between, sc *scope) (frag, error) {
	x, err := c.expr(e.X, sc)
	if err != nil {
		return x, err
	}
	var ends [2]frag
	for i, b := range [...]Expr{e.A, e.B} {
		f, err := c.expr(b, sc)
		if err != nil {
			return f, err
		}
		if ends[i], err = c.compare(b, [...]string{">=", "<="}[i], x, f); err != nil {
			return f, err
		}
	}
	return negate(e.Not, sqlf(Bool, "(%s AND %s)", ends[0], ends[1])), nil
}

func negate(not bool, f frag) frag {
	if not {
		return sqlf(Bool, "(NOT %s)", f)
	}
	return f
}

func (c *compiler) in(e *In, sc *scope) (frag, error) {
	x, err := c.expr(e.X, sc)
	if err != nil {
		return x, err
	}
	if e.Query != nil {
		return c.inQuery(e, x)
	}
	if len(e.List) == 0 {
		return c.literal(boolean(e.Not)), nil
	}
	var left, right []frag
	alike := true
	for _, y := range e.List {
		f, err := c.expr(y, sc)
		if err != nil {
			return f, err
		}
		l, r, err := c.pair(y, x, f, true)
		if err != nil {
			return l, err
		}
		if err := c.spend(y, l); err != nil {
			return l, err
		}
		left, right = append(left, l), append(right, r)
		alike = alike && l.key() == left[0].key()
	}
	if alike {
		return negate(e.Not, sqlf(Bool, "(%s IN (%s))", left[0], join(untyped, ", ", right))), nil
	}
	for i := range left {
		left[i] = sqlf(Bool, "(%s = %s)", left[i], right[i])
	}
	return negate(e.Not, balanced("OR", left)), nil
}

func (c *compiler) inQuery(e *In, x frag) (frag, error) {
	q, err := c.inside(e.Query)
	if err != nil {
		return x, err
	}
	if len(q.cols) != 1 {
		return x, errAt(e.Query.At, CodeSyntax, "the SELECT after IN gives %d columns instead of one", len(q.cols))
	}
	t := c.alias()
	y := q.cols[0].in(t)
	l, r, err := c.pair(e, x, y, true)
	if err != nil {
		return x, err
	}
	return negate(e.Not, sqlf(Bool, "(%s IN (SELECT %s FROM (%s) AS "+t+"))", l, r, q.frag)), nil
}

func (c *compiler) caseWhen(e *Case, sc *scope) (frag, error) {
	var x frag
	var err error
	if e.X != nil {
		if x, err = c.expr(e.X, sc); err != nil {
			return x, err
		}
	}
	var ifs, thens []frag
	for _, w := range e.When {
		f, err := c.expr(w.If, sc)
		if err != nil {
			return f, err
		}
		if e.X != nil {
			if err = c.spend(w.If, x); err == nil {
				f, err = c.compare(w.If, "=", x, f)
			}
		} else {
			f, err = c.condition(w.If, f)
		}
		if err != nil {
			return f, err
		}
		t, err := c.expr(w.Then, sc)
		if err != nil {
			return t, err
		}
		ifs, thens = append(ifs, f), append(thens, t)
	}
	if e.Else != nil {
		f, err := c.expr(e.Else, sc)
		if err != nil {
			return f, err
		}
		thens = append(thens, f)
	}
	typ, err := c.unify(e, "CASE", thens)
	if err != nil {
		return x, err
	}
	out := frag{sql: "(CASE"}
	for i := range ifs {
		out = sqlf(typ, "%s WHEN %s THEN %s", out, ifs[i], thens[i])
	}
	if e.Else != nil {
		out = sqlf(typ, "%s ELSE %s", out, thens[len(ifs)])
	}
	return sqlf(typ, "%s END)", out), nil
}
