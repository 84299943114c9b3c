package redrock

import (
	"strings"
	"unicode/utf8"
)

// like emits [NOT] LIKE, which ignores the case of ASCII letters on both engines.
func (c *compiler) like(e *Like, sc *scope) (frag, error) {
	x, err := c.expr(e.X, sc)
	if err != nil {
		return x, err
	}
	if x, err = c.text(e.X, x); err != nil {
		return x, err
	}
	p, err := c.expr(e.Pattern, sc)
	if err != nil {
		return p, err
	}
	if p, err = c.text(e.Pattern, p); err != nil {
		return p, err
	}
	if e.Escape == nil {
		return negate(e.Not, c.within(e, x, p, c.likes(x, p, ""))), nil
	}
	if p, err = c.escaped(e, p); err != nil {
		return p, err
	}
	return negate(e.Not, c.likes(x, p, likeEscape)), nil
}

// likeEscape is the escape sign of all patterns that we write ourselves.
const likeEscape = "!"

// likes is x LIKE p; the pattern of escape "" has no escape sign.
func (c *compiler) likes(x, p frag, escape string) frag {
	switch {
	case c.pg:
		return sqlf(Bool, `(%s COLLATE "C" ILIKE %s ESCAPE '`+escape+`')`, x, p)
	case escape == "":
		return sqlf(Bool, "(%s LIKE %s)", x, p)
	}
	return sqlf(Bool, "(%s LIKE %s ESCAPE '"+escape+"')", x, p)
}

// escaped rewrites a pattern from the script's escape sign to ours: engines differ on a sign that stands before
// an ordinary letter or at the end.
func (c *compiler) escaped(e *Like, p frag) (frag, error) {
	lit, err := c.constant(e.Escape, "ESCAPE")
	if err != nil {
		return p, err
	}
	if lit.typ != Text || utf8.RuneCountInString(lit.s) != 1 {
		return p, errAt(e.Escape.at(), CodeSyntax, "ESCAPE takes a text of one character")
	}
	if p.lit == nil || p.lit.typ != Text {
		return p, errAt(e.Pattern.at(), CodeUnsupported, "a pattern with ESCAPE must be a written text")
	}
	sign, _ := utf8.DecodeRuneInString(lit.s)
	var b strings.Builder
	pending := false
	for _, r := range p.lit.s {
		switch {
		case pending:
			pending = false
			b.WriteString(plainPattern(string(r)))
		case r == sign:
			pending = true
		case string(r) == likeEscape:
			b.WriteString(likeEscape + likeEscape)
		default:
			b.WriteRune(r)
		}
	}
	if pending {
		return p, errAt(e.Pattern.at(), CodeSyntax, "the pattern ends with its ESCAPE character")
	}
	return c.literal(literal{typ: Text, s: b.String()}), nil
}

// plainPattern is the pattern that matches s only.
func plainPattern(s string) string {
	return strings.NewReplacer(likeEscape, likeEscape+likeEscape, "%", likeEscape+"%", "_", likeEscape+"_").Replace(s)
}

// within adds to like what it implies of the folded column, so that an index narrows the search: the key begins with the
// pattern's letters up to the first sign. The last of them is left out, since a combining mark behind it may have become
// one with it in the key.
func (c *compiler) within(e *Like, x, p, like frag) frag {
	if e.Not || x.fold == "" || p.lit == nil || p.lit.typ != Text {
		return like
	}
	prefix := p.lit.s
	if i := strings.IndexAny(prefix, "%_"); i >= 0 {
		prefix = prefix[:i]
	}
	if len(prefix) < 2 || prefix[0] <= ' ' {
		return like
	}
	for i := range len(prefix) {
		if prefix[i] >= utf8.RuneSelf {
			return like
		}
	}
	from := strings.ToLower(prefix[:len(prefix)-1])
	to := from[:len(from)-1] + string(from[len(from)-1]+1)
	key := frag{sql: x.fold, typ: Text}
	return sqlf(Bool, "(%s >= %s AND %s < %s AND %s)", key, c.literal(literal{typ: Text, s: from}), key, c.literal(literal{typ: Text, s: to}), like)
}
