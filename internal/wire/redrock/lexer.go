package redrock

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a script, both numbers from 1; Column counts characters.
type Pos struct {
	Line, Column int
	token        string
}

type kind uint8

const (
	kindEnd    kind = iota
	kindWord        // name or keyword
	kindQuoted      // "text": a name, or text when no column has it
	kindName        // [name] or `name`: always a name
	kindText        // 'text'
	kindInt
	kindFloat
	kindSign
)

type token struct {
	kind kind
	text string // unquoted
	pos  Pos
	i    int64
	f    float64
}

// Limits bound what a script may hold. A zero member means its default.
type Limits struct {
	Script      int // bytes of the script; 65536
	Depth       int // nesting of parentheses, CASE and SELECT; 60
	Tables      int // tables and derived tables; 16
	Expressions int // nodes of the tree; 8000
	Literals    int // texts and numbers; 5000
	Columns     int // columns of one SELECT after * is expanded; 500
}

func (l Limits) filled() Limits {
	set := func(p *int, d int) {
		if *p <= 0 {
			*p = d
		}
	}
	set(&l.Script, 64<<10)
	set(&l.Depth, 60)
	set(&l.Tables, 16)
	set(&l.Expressions, 8000)
	set(&l.Literals, 5000)
	set(&l.Columns, 500)
	return l
}

type lexer struct {
	src          string
	at           int
	line, column int
}

func lex(src string, l Limits) ([]token, error) {
	if len(src) > l.Script {
		return nil, errAt(Pos{}, CodeLimit, "the script is longer than %d bytes", l.Script)
	}
	x := &lexer{src: src, line: 1, column: 1}
	if i := strings.IndexByte(src, 0); i >= 0 {
		x.skip(i)
		return nil, errAt(x.pos("NUL"), CodeSyntax, "the script holds a NUL character")
	}
	if !utf8.ValidString(src) {
		return nil, errAt(Pos{}, CodeSyntax, "the script is not valid UTF-8")
	}
	var out []token
	literals := 0
	for {
		if err := x.space(); err != nil {
			return nil, err
		}
		t, err := x.next()
		if err != nil {
			return nil, err
		}
		if t.kind >= kindText && t.kind <= kindFloat || t.kind == kindQuoted {
			if literals++; literals > l.Literals {
				return nil, errAt(t.pos, CodeLimit, "the script holds more than %d texts and numbers", l.Literals)
			}
		}
		out = append(out, t)
		if t.kind == kindEnd {
			return out, nil
		}
	}
}

func (x *lexer) pos(text string) Pos { return Pos{x.line, x.column, shorten(text)} }

// skip goes n bytes on and keeps count of lines and columns.
func (x *lexer) skip(n int) string {
	s := x.src[x.at : x.at+n]
	x.at += n
	for _, r := range s {
		if r == '\n' {
			x.line, x.column = x.line+1, 1
		} else {
			x.column++
		}
	}
	return s
}

func (x *lexer) rest() string { return x.src[x.at:] }

// space skips white space and comments.
func (x *lexer) space() error {
	for x.at < len(x.src) {
		r := x.rest()
		switch {
		case strings.IndexByte(" \t\r\n\f\v", r[0]) >= 0:
			x.skip(1)
		case strings.HasPrefix(r, "\u00a0"), strings.HasPrefix(r, "\ufeff"): // pasted from a page; leading byte order mark
			_, n := utf8.DecodeRuneInString(r)
			x.skip(n)
		case strings.HasPrefix(r, "--"):
			n := strings.IndexByte(r, '\n')
			if n < 0 {
				n = len(r)
			}
			x.skip(n)
		case strings.HasPrefix(r, "/*"):
			n := strings.Index(r[2:], "*/")
			if n < 0 {
				return errAt(x.pos("/*"), CodeSyntax, "the comment /* has no end")
			}
			x.skip(n + 4)
		default:
			return nil
		}
	}
	return nil
}

func (x *lexer) next() (token, error) {
	r := x.rest()
	if r == "" {
		return token{kind: kindEnd, pos: x.pos("end of script")}, nil
	}
	c := r[0]
	switch {
	case c == '\'':
		return x.quoted(kindText, '\'')
	case c == '"':
		return x.quoted(kindQuoted, '"')
	case c == '`':
		return x.quoted(kindName, '`')
	case c == '[':
		return x.quoted(kindName, ']')
	case wordStart(c):
		n := 1
		for n < len(r) && (wordStart(r[n]) || digit(r[n]) || r[n] == '$') {
			n++
		}
		p := x.pos(r[:n])
		return token{kind: kindWord, text: x.skip(n), pos: p}, nil
	case digit(c), c == '.' && len(r) > 1 && digit(r[1]):
		return x.number()
	case strings.HasPrefix(r, "@<"):
		n := strings.IndexByte(r, '>')
		if n < 0 || n > 100 {
			n = 1
		}
		return token{}, errAt(x.pos(r[:n+1]), CodeParameter, "the parameter %s was not filled in before the script was sent", shorten(r[:n+1]))
	case strings.IndexByte("?:@#$", c) >= 0:
		return token{}, errAt(x.pos(r[:1]), CodeParameter, "the sign %s is not allowed: a script has no parameters", r[:1])
	}
	for _, s := range [...]string{"<>", "<=", ">=", "!=", "==", "||"} {
		if strings.HasPrefix(r, s) {
			p := x.pos(s)
			return token{kind: kindSign, text: x.skip(2), pos: p}, nil
		}
	}
	if strings.IndexByte("=<>+-*/%(),.;", c) >= 0 {
		p := x.pos(r[:1])
		return token{kind: kindSign, text: x.skip(1), pos: p}, nil
	}
	_, n := utf8.DecodeRuneInString(r)
	return token{}, errAt(x.pos(r[:n]), CodeSyntax, "unexpected character %s", strconv.Quote(r[:n]))
}

// quoted reads a text or name up to the closing sign; the sign doubled stands for itself.
func (x *lexer) quoted(k kind, end byte) (token, error) {
	r := x.rest()
	var b strings.Builder
	for n := 1; n < len(r); n++ {
		if r[n] != end {
			b.WriteByte(r[n])
			continue
		}
		if n+1 < len(r) && r[n+1] == end && end != ']' {
			b.WriteByte(end)
			n++
			continue
		}
		p := x.pos(r[:n+1])
		x.skip(n + 1)
		if k == kindName && b.Len() == 0 {
			return token{}, errAt(p, CodeSyntax, "a name cannot be empty")
		}
		return token{kind: k, text: b.String(), pos: p}, nil
	}
	return token{}, errAt(x.pos(r), CodeSyntax, "the text that starts with %s has no end", r[:1])
}

func (x *lexer) number() (token, error) {
	r := x.rest()
	n, float := 0, false
	digits := func() {
		for n < len(r) && digit(r[n]) {
			n++
		}
	}
	digits()
	if n < len(r) && r[n] == '.' {
		float = true
		n++
		digits()
	}
	if n < len(r) && (r[n] == 'e' || r[n] == 'E') {
		m := n
		if n++; n < len(r) && (r[n] == '+' || r[n] == '-') {
			n++
		}
		if n < len(r) && digit(r[n]) {
			float = true
			digits()
		} else {
			n = m
		}
	}
	if n < len(r) && (wordStart(r[n]) || r[n] == '$') {
		return token{}, errAt(x.pos(r[:n+1]), CodeSyntax, "%s... is neither a number nor a name", shorten(r[:n+1]))
	}
	p := x.pos(r[:n])
	text := x.skip(n)
	if !float {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return token{kind: kindInt, text: text, pos: p, i: i}, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return token{}, errAt(p, CodeSyntax, "the number %s is out of range", shorten(text))
	}
	return token{kind: kindFloat, text: text, pos: p, f: f}, nil
}

// wordStart: names of other alphabets are words too, as in SQLite; they just match no column of the catalogue.
func wordStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
