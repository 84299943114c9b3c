package redrock

import (
	"strconv"
	"strings"
)

// known turns a literal into the type of what it stands beside.
func (c *compiler) known(l literal, to Type) (literal, bool) {
	if l.typ == to || l.typ == untyped {
		return l, true
	}
	switch {
	case to == Time && l.typ == Text:
		ms, ok := c.moment(l)
		return literal{typ: Time, i: ms}, ok
	case to == Bool && l.typ == Text:
		switch strings.ToLower(strings.TrimSpace(l.s)) {
		case "true", "1":
			return boolean(true), true
		case "false", "0":
			return boolean(false), true
		}
	case to == Bool && l.typ == Integer:
		return boolean(l.i == 1), l.i == 0 || l.i == 1
	case to == Integer && l.typ == Bool:
		return literal{typ: Integer, i: l.i}, true
	case to == Integer && l.typ == Text:
		i, err := strconv.ParseInt(strings.TrimSpace(l.s), 10, 64)
		return literal{typ: Integer, i: i}, err == nil
	case to == Double && l.typ != Time && l.typ != Bool:
		f, ok := l.number()
		return literal{typ: Double, f: f}, ok
	case (to == Text || to == Object) && l.typ == Text:
		return l, true
	case (to == Text || to == Object) && l.typ == Integer:
		return literal{typ: Text, s: strconv.FormatInt(l.i, 10)}, true
	case (to == Text || to == Object) && l.typ == Double:
		return literal{typ: Text, s: strconv.FormatFloat(l.f, 'g', 15, 64)}, true
	}
	return l, false
}

// as converts f to a type, where the dialect allows it.
func (c *compiler) as(f frag, to Type) (frag, bool) {
	if f.typ == to {
		return f, true
	}
	if f.lit != nil {
		if f.lit.typ == untyped {
			return c.null(to), true
		}
		l, ok := c.known(*f.lit, to)
		return c.literal(l), ok
	}
	switch {
	case f.typ == untyped:
		f.typ = to
		return f, true
	case to == Integer && f.typ == Bool:
		if c.pg {
			return sqlf(Integer, "(%s)::integer::bigint", f), true
		}
		return sqlf(Integer, "(%s)", f), true
	case to == Double && f.typ == Integer:
		if c.pg {
			return sqlf(Double, "(%s)::double precision", f), true
		}
		return sqlf(Double, "CAST(%s AS REAL)", f), true
	case to == Double && f.typ == Bool:
		i, _ := c.as(f, Integer)
		return c.as(i, Double)
	case to == Bool && (f.typ == Integer || f.typ == Double):
		return sqlf(Bool, "(%s <> 0)", f), true
	case to == Text && f.typ == Object, to == Object && f.typ == Text:
		f.typ = to
		return f, true
	case to == Text && f.typ == Integer:
		return sqlf(Text, "CAST(%s AS TEXT)", f), true
	case to == Text && f.typ == Bool:
		i, _ := c.as(f, Integer)
		return c.as(i, Text)
	}
	return f, false
}

// condition is f as the value of WHERE, ON, HAVING, AND, OR, NOT or WHEN.
func (c *compiler) condition(e Expr, f frag) (frag, error) {
	if f.lit != nil && f.lit.typ == Integer {
		return c.literal(boolean(f.lit.i != 0)), nil
	}
	b, ok := c.as(f, Bool)
	if !ok {
		return f, errAt(e.at(), CodeType, "%s is not a condition; compare it with something", f.typ)
	}
	return b, nil
}

// common finds the type that all of the list can take: that of the columns and computed values, which literals then follow, or else one
// that is wide enough for the literals too.
func (c *compiler) common(list []frag) (Type, bool) {
	fits := func(to Type, ok bool) bool {
		for _, f := range list {
			if _, can := c.as(f, to); !can && to != untyped {
				return false
			}
		}
		return ok
	}
	computed := func(f frag) bool { return f.lit == nil }
	to, ok := widest(list, computed)
	if to != untyped && fits(to, ok) {
		return to, true
	}
	to, ok = widest(list, func(frag) bool { return true })
	return to, fits(to, ok)
}

// widest is the least type that holds all chosen values, not counting NULL.
func widest(list []frag, choose func(frag) bool) (Type, bool) {
	to, all := untyped, true
	for _, f := range list {
		switch {
		case f.typ == untyped || f.lit != nil && f.lit.typ == untyped || !choose(f):
		case to == untyped:
			to = f.typ
		default:
			wide, ok := wider(to, f.typ)
			to, all = wide, all && ok
		}
	}
	return to, all
}

// wider is the type that holds values of both.
func wider(a, b Type) (Type, bool) {
	number := func(t Type) int {
		switch t {
		case Bool:
			return 1
		case Integer:
			return 2
		case Double:
			return 3
		}
		return 0
	}
	na, nb := number(a), number(b)
	switch {
	case a == b:
		return a, true
	case na > 0 && nb > 0 && na > nb:
		return a, true
	case na > 0 && nb > 0:
		return b, true
	case (a == Text || a == Object) && (b == Text || b == Object):
		return Text, true
	case a == Text && (b == Integer || b == Bool), b == Text && (a == Integer || a == Bool):
		return Text, true
	}
	return a, false
}

// unify converts the whole list to its common type.
func (c *compiler) unify(e Expr, what string, list []frag) (Type, error) {
	to, ok := c.common(list)
	if !ok {
		return to, errAt(e.at(), CodeType, "%s mixes values that have no common type", what)
	}
	if to == untyped {
		to = Text
	}
	for i := range list {
		list[i], _ = c.as(list[i], to)
	}
	return to, nil
}

// pair makes two operands of a comparison comparable.
func (c *compiler) pair(e Expr, l, r frag, equality bool) (frag, frag, error) {
	if l.typ != r.typ {
		var ok bool
		if l, r, ok = c.meet(l, r); !ok {
			return l, r, mismatch(e, l, r)
		}
	}
	if l.typ != Text && l.typ != Object {
		return l, r, nil
	}
	lower := func(f frag) frag { return c.lower("lower", f) }
	switch {
	case equality && l.fold != "" && r.fold != "":
		return frag{sql: l.fold, typ: Text}, frag{sql: r.fold, typ: Text}, nil
	case equality && l.fold != "" && r.lit != nil && r.lit.typ == Text:
		return frag{sql: l.fold, typ: Text}, c.literal(literal{typ: Text, s: c.opt.Fold(r.lit.s)}), nil
	case equality && r.fold != "" && l.lit != nil && l.lit.typ == Text:
		return c.literal(literal{typ: Text, s: c.opt.Fold(l.lit.s)}), frag{sql: r.fold, typ: Text}, nil
	case l.nocase || r.nocase:
		return lower(l), lower(r), nil
	}
	return l, r, nil
}

// meet brings two operands of different types to one.
func (c *compiler) meet(l, r frag) (frag, frag, bool) {
	if l.lit == nil || r.lit != nil && r.typ != Text { // the literal follows the column; of two literals the text follows
		if x, ok := c.as(r, l.typ); ok && (r.lit != nil || r.typ == untyped) {
			return l, x, true
		}
	}
	if r.lit == nil || l.lit != nil {
		if x, ok := c.as(l, r.typ); ok && (l.lit != nil || l.typ == untyped) {
			return x, r, true
		}
	}
	if wide, ok := wider(l.typ, r.typ); ok && wide != Text {
		x, ok1 := c.as(l, wide)
		y, ok2 := c.as(r, wide)
		return x, y, ok1 && ok2
	} else if ok && l.typ != Integer && r.typ != Integer && l.typ != Bool && r.typ != Bool {
		l.typ, r.typ = Text, Text
		return l, r, true
	}
	return l, r, false
}

func mismatch(e Expr, l, r frag) error {
	if l.lit != nil && r.lit == nil {
		l, r = r, l
	}
	if r.lit != nil && r.typ == Text && l.typ != Text {
		hint := ""
		switch l.typ {
		case Time:
			hint = "; write a date such as '2016-08-26 11:00' or DateFunc('now', -7)"
		case Bool:
			hint = "; write 1 or 0"
		}
		return errAt(e.at(), CodeType, "%s cannot be compared with the text %s%s", l.typ, quote(shorten(r.lit.s)), hint)
	}
	return errAt(e.at(), CodeType, "%s cannot be compared with %s", l.typ, r.typ)
}

// binary pins the order of texts to that of their bytes, on PostgreSQL; SQLite has no other.
func (c *compiler) binary(f frag) frag {
	if !c.pg || f.typ != Text && f.typ != Object {
		return f
	}
	return sqlf(f.typ, `%s COLLATE "C"`, f)
}

// lower folds ASCII letters only, on both engines.
func (c *compiler) lower(name string, f frag) frag {
	if c.pg {
		return sqlf(Text, name+`(%s COLLATE "C")`, f)
	}
	return sqlf(Text, name+"(%s)", f)
}
