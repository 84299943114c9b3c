package redrock

import (
	"fmt"
	"strconv"
	"strings"
)

// frag is emitted SQL with ? placeholders and the values for them, in order. No text of the script is ever part of sql.
type frag struct {
	sql  string
	args []any
	typ  Type

	lit     *literal // set when the value is known now
	filled  bool     // a column that is never null
	nocase  bool     // COLLATE NOCASE was written
	fold    string   // SQL of the folded form of a column, empty: none
	country string   // SQL of the country of a column with an address, empty: none
	origin  *origin  // the column of a table that passes through unchanged
}

// origin is the dictionary entry behind an output column.
type origin struct {
	table  *Table
	column *Column
}

// literal is a value known at compile time: i for Integer, Time and Bool (0, 1), f for Double, s for Text.
type literal struct {
	typ Type
	s   string
	i   int64
	f   float64
}

// number reads a literal number, or a text of one.
func (l literal) number() (float64, bool) {
	switch l.typ {
	case Integer:
		return float64(l.i), true
	case Double:
		return l.f, true
	case Text:
		f, err := strconv.ParseFloat(strings.TrimSpace(l.s), 64)
		return f, err == nil && f == f
	}
	return 0, false
}

// key tells fragments of equal meaning apart from others.
func (f frag) key() string {
	if len(f.args) == 0 {
		return f.sql
	}
	return f.sql + fmt.Sprintf("\x00%#v", f.args)
}

// sqlf builds a fragment from a format whose %s are fragments, in the order of their places.
func sqlf(typ Type, format string, parts ...frag) frag {
	texts := make([]any, len(parts))
	var args []any
	for i, p := range parts {
		texts[i] = p.sql
		args = append(args, p.args...)
	}
	return frag{sql: fmt.Sprintf(format, texts...), args: args, typ: typ}
}

func join(typ Type, sep string, parts []frag) frag {
	texts := make([]string, len(parts))
	var args []any
	for i, p := range parts {
		texts[i] = p.sql
		args = append(args, p.args...)
	}
	return frag{sql: strings.Join(texts, sep), args: args, typ: typ}
}

const (
	maxSQL   = 1 << 20  // bytes of the text that one script becomes; some constructs repeat their operands
	maxBound = 30000    // values bound to it; SQLite takes 32766
	maxWork  = 64 << 20 // bytes written on the way: aliases and operands that repeat each other could cost hours
)

// bounded refuses a script that grows beyond what the engines take, or costs too much here.
func (c *compiler) bounded(e Expr, f frag) (frag, error) {
	if len(f.sql) > maxSQL || len(f.args) > maxBound {
		return frag{}, errAt(e.at(), CodeLimit, "the script is too complex")
	}
	return f, c.spend(e, f)
}

// spend counts the writing of f.
func (c *compiler) spend(e Expr, f frag) error {
	if c.work += len(f.sql) + 16*len(f.args) + 100; c.work > maxWork {
		return errAt(e.at(), CodeLimit, "the script is too complex")
	}
	return nil
}

// literal emits a value.
func (c *compiler) literal(l literal) frag {
	f := frag{typ: l.typ, lit: &l}
	switch l.typ {
	case Text:
		f.sql, f.args = "?", []any{l.s}
		if c.pg {
			f.sql = "?::text"
		}
	case Double:
		f.sql, f.args = "?", []any{l.f}
		if c.pg {
			f.sql = "?::double precision"
		}
	case Bool:
		f.sql = strconv.FormatInt(l.i, 10)
		if c.pg {
			f.sql = [...]string{"FALSE", "TRUE"}[l.i]
		}
	case Integer, Time:
		f.sql = strconv.FormatInt(l.i, 10)
		switch {
		case c.pg:
			f.sql = "(" + f.sql + ")::bigint"
		case l.i < 0:
			f.sql = "(" + f.sql + ")"
		}
	default:
		return c.null(untyped)
	}
	return f
}

func (c *compiler) null(t Type) frag {
	f := frag{sql: "NULL", typ: t, lit: &literal{typ: untyped}}
	if c.pg {
		f.sql = "NULL::" + pgType(t)
	}
	return f
}

func pgType(t Type) string {
	switch t {
	case Bool:
		return "boolean"
	case Time, Integer:
		return "bigint"
	case Double:
		return "double precision"
	}
	return "text"
}

func boolean(b bool) literal {
	if b {
		return literal{typ: Bool, i: 1}
	}
	return literal{typ: Bool}
}
