package redrock

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// aggregates are the functions over many rows.
var aggregates = set("count", "min", "max", "sum", "avg")

// scalars are the functions over one row, with the least and the greatest number of arguments.
var scalars = map[string][2]int{
	"coalesce": {1, 50}, "ifnull": {2, 2}, "upper": {1, 1}, "lower": {1, 1}, "length": {1, 1}, "substr": {2, 3}, "substring": {2, 3}, "trim": {1, 2},
	"ltrim": {1, 2}, "rtrim": {1, 2}, "replace": {3, 3}, "abs": {1, 1}, "round": {1, 2}, "nullif": {2, 2},
	"datefunc": {1, 2}, "datetime": {0, 8}, "date": {0, 8}, "time": {0, 8}, "iplookup": {2, 2},
}

func functionNames() []string {
	return sorted(slices.Concat(slices.Collect(maps.Keys(aggregates)), slices.Collect(maps.Keys(scalars))))
}

func (c *compiler) call(e *Call, sc *scope) (frag, error) {
	if aggregates[e.Name] {
		return c.aggregateCall(e, sc)
	}
	n, ok := scalars[e.Name]
	if !ok {
		return frag{}, errAt(e.At, CodeFunction, "no such function: %s%s", e.At.token, suggest(e.Name, functionNames()))
	}
	if e.Star || e.Distinct {
		return frag{}, errAt(e.At, CodeFunction, "%s takes neither * nor DISTINCT", e.Name)
	}
	if len(e.Args) < n[0] || len(e.Args) > n[1] {
		return frag{}, errAt(e.At, CodeFunction, "wrong number of arguments for %s: %d", e.Name, len(e.Args))
	}
	switch e.Name {
	case "datefunc":
		return c.dateFunc(e)
	case "datetime":
		return c.clock(e, "2006-01-02 15:04:05")
	case "date":
		return c.clock(e, "2006-01-02")
	case "time":
		return c.clock(e, "15:04:05")
	}
	args := make([]frag, len(e.Args))
	for i, a := range e.Args {
		var err error
		if args[i], err = c.expr(a, sc); err != nil {
			return frag{}, err
		}
	}
	switch e.Name {
	case "coalesce", "ifnull":
		return c.coalesce(e, args)
	case "nullif":
		l, r, err := c.pair(e, args[0], args[1], true)
		if err != nil {
			return l, err
		}
		return sqlf(args[0].typ, "(CASE WHEN %s = %s THEN NULL ELSE %s END)", l, r, args[0]), nil
	case "abs", "round":
		return c.number(e, args)
	case "iplookup":
		return c.ipLookup(e, args)
	}
	return c.textCall(e, args)
}

func (c *compiler) coalesce(e *Call, args []frag) (frag, error) {
	typ, err := c.unify(e, e.Name, args)
	if err != nil {
		return frag{}, err
	}
	if len(args) == 1 {
		return sqlf(typ, "(%s)", args[0]), nil
	}
	return sqlf(typ, "COALESCE(%s)", join(typ, ", ", args)), nil
}

// text is f as an operand of a function over texts.
func (c *compiler) text(e Expr, f frag) (frag, error) {
	x, ok := c.as(f, Text)
	if !ok {
		hint := ""
		if f.typ == Double {
			hint = "; use round first and compare numbers"
		}
		return f, errAt(e.at(), CodeType, "%s cannot be used as a text%s", f.typ, hint)
	}
	return x, nil
}

func (c *compiler) textCall(e *Call, args []frag) (frag, error) {
	texts := len(args)
	if strings.HasPrefix(e.Name, "substr") {
		texts = 1
	}
	for i := range texts {
		var err error
		if args[i], err = c.text(e.Args[i], args[i]); err != nil {
			return frag{}, err
		}
	}
	switch e.Name {
	case "upper", "lower":
		return c.lower(e.Name, args[0]), nil
	case "length":
		return sqlf(Integer, c.choose("length(%s)", "length(%s)::bigint"), args[0]), nil
	case "replace":
		f := sqlf(Text, "replace(%s)", join(Text, ", ", args))
		if c.pg && (args[1].lit == nil || args[1].lit.s == "") { // SQLite replaces an empty text by nothing at all, not even by null
			f = sqlf(Text, "(CASE WHEN %s = '' THEN %s ELSE %s END)", args[1], args[0], f)
		}
		return f, nil
	case "trim", "ltrim", "rtrim":
		name := e.Name
		if c.pg && name == "trim" {
			name = "btrim"
		}
		return sqlf(Text, name+"(%s)", join(Text, ", ", args)), nil
	}
	return c.substr(e, args)
}

func (c *compiler) choose(sqlite, postgres string) string {
	if c.pg {
		return postgres
	}
	return sqlite
}

// maxPlace bounds the numbers of substr: both engines take it as a 32 bit number.
const maxPlace = 1 << 30

// substr emits SQLite's substr, whose negative start counts from the end.
func (c *compiler) substr(e *Call, args []frag) (frag, error) {
	var n [2]int64
	for i, a := range args[1:] {
		if a.lit != nil && a.typ == Text {
			a, _ = c.as(a, Integer)
		}
		if a.lit == nil || a.typ != Integer || a.lit.i > maxPlace || a.lit.i < -maxPlace || i == 1 && a.lit.i < 0 {
			return frag{}, errAt(e.Args[i+1].at(), CodeFunction, "substr takes a written whole number for the start, and one from 0 for the length")
		}
		n[i] = a.lit.i
	}
	place := func(i int64) frag {
		f := c.literal(literal{typ: Integer, i: i})
		if c.pg {
			f = sqlf(Integer, "%s::integer", f)
		}
		return f
	}
	start := place(n[0])
	switch {
	case c.pg && n[0] < 0 && len(args) == 2:
		return sqlf(Text, "right(%s, %s)", args[0], place(-n[0])), nil
	case c.pg && n[0] < 0:
		start = sqlf(Integer, "(length(%s) + 1 + %s)", args[0], start)
	}
	if len(args) == 2 {
		return sqlf(Text, "substr(%s, %s)", args[0], start), nil
	}
	return sqlf(Text, "substr(%s, %s, %s)", args[0], start, place(n[1])), nil
}

func (c *compiler) number(e *Call, args []frag) (frag, error) {
	x, err := c.arithmetic(e.Args[0], args[0])
	if err != nil {
		return x, err
	}
	if e.Name == "abs" {
		return sqlf(x.typ, "abs(%s)", x), nil
	}
	places := int64(0)
	if len(args) == 2 {
		if args[1].lit == nil || args[1].typ != Integer || args[1].lit.i < 0 || args[1].lit.i > 15 {
			return x, errAt(e.Args[1].at(), CodeFunction, "round takes a written number of places from 0 to 15")
		}
		places = args[1].lit.i
	}
	n := frag{sql: strconv.FormatInt(places, 10), typ: Integer}
	return sqlf(Double, c.choose("round(%s, %s)", "round((%s)::numeric, %s)::double precision"), x, n), nil
}

// ipLookup resolves IPLookup(column, 'country_name') to the country that was stored with the address.
func (c *compiler) ipLookup(e *Call, args []frag) (frag, error) {
	if args[1].lit == nil || args[1].typ != Text || !same(args[1].lit.s, "country_name") {
		return frag{}, errAt(e.Args[1].at(), CodeFunction, "IPLookup knows 'country_name' only")
	}
	if args[0].country == "" {
		return frag{}, errAt(e.Args[0].at(), CodeFunction, "IPLookup takes a column with an address, such as FromIPAddress of Event")
	}
	return frag{sql: args[0].country, typ: Text}, nil
}
