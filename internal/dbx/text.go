package dbx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// token is one lexical element of a statement; depth counts the parentheses around it.
type token struct {
	kind     tokenKind
	from, to int
	depth    int
}

type tokenKind uint8

const (
	word tokenKind = iota
	quoted
	param
	punct
)

// lex splits a statement into tokens. Comments are skipped, quoted text and identifiers are one token each.
func lex(s string) ([]token, error) {
	out := make([]token, 0, len(s)/4)
	depth := 0
	for i := 0; i < len(s); {
		c, from := s[i], i
		switch {
		case c == '\'' || c == '"':
			n := closing(s, i)
			if n < 0 {
				return nil, fmt.Errorf("unterminated %c", c)
			}
			out, i = append(out, token{quoted, from, n, depth}), n
		case strings.HasPrefix(s[i:], "--"):
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				n = len(s) - i
			}
			i += n
		case strings.HasPrefix(s[i:], "/*"):
			n := strings.Index(s[i+2:], "*/")
			if n < 0 {
				return nil, fmt.Errorf("unterminated comment")
			}
			i += n + 4
		case c == '?':
			i++
			out = append(out, token{param, from, i, depth})
		case c == ';' || c == '$' || c == '`' || c == '[':
			return nil, fmt.Errorf("%q does not belong into a declared statement", c)
		case isWord(c):
			for i < len(s) && isWord(s[i]) {
				i++
			}
			out = append(out, token{word, from, i, depth})
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
		default:
			if c == ')' {
				depth--
			}
			i++
			out = append(out, token{punct, from, i, depth})
			if c == '(' {
				depth++
			}
			if depth < 0 {
				return nil, fmt.Errorf("unbalanced parentheses")
			}
		}
	}
	if depth != 0 {
		return nil, fmt.Errorf("unbalanced parentheses")
	}
	return out, nil
}

// closing returns the index after the quoted element that starts at i, or -1; a doubled quote is part of it.
func closing(s string, i int) int {
	q := s[i]
	for i++; i < len(s); i++ {
		if s[i] != q {
			continue
		}
		if i+1 < len(s) && s[i+1] == q {
			i++
			continue
		}
		return i + 1
	}
	return -1
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// shape is what the lexer finds out about a statement.
type shape struct {
	lite, pg string // the text for each engine
	params   int
	writes   bool // INSERT, UPDATE or DELETE, also within WITH
	locks    bool // ends in FOR UPDATE
	returns  bool // has RETURNING, or is a SELECT
	tokens   []token
}

// shapeOf reads a declared statement. FOR UPDATE at the end is kept for PostgreSQL and dropped for SQLite, whose one
// writer needs no row locks.
func shapeOf(text string) (shape, error) {
	sh := shape{lite: text}
	toks, err := lex(text)
	if err != nil {
		return sh, err
	}
	if len(toks) == 0 {
		return sh, fmt.Errorf("empty statement")
	}
	sh.tokens = toks
	at := func(i int, words ...string) bool { // whether a token is one of some words
		return i >= 0 && i < len(toks) && toks[i].kind == word &&
			slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, text[toks[i].from:toks[i].to]) })
	}
	if !at(0, "SELECT", "VALUES", "WITH", "INSERT", "UPDATE", "DELETE") {
		return sh, fmt.Errorf("a statement starts with SELECT, VALUES, WITH, INSERT, UPDATE or DELETE")
	}
	sh.returns = at(0, "SELECT", "VALUES")
	for i := range toks {
		switch {
		case toks[i].kind == param:
			sh.params++
		case toks[i].kind != word:
		case at(i, "RETURNING") || toks[i].depth == 0 && at(i, "SELECT") && at(0, "WITH"):
			sh.returns = true
		case at(i, "INSERT"), at(i, "DELETE") && at(i+1, "FROM"):
			sh.writes = true
		case at(i, "UPDATE"):
			if !at(i-1, "FOR", "KEY", "DO") {
				sh.writes = true
			} else if !at(i-1, "DO") {
				sh.locks = true
				for !at(i, "FOR") && i > 0 {
					i--
				}
				sh.lite = strings.TrimRight(text[:toks[i].from], " \n\t\r")
			}
		}
	}
	sh.lite = litelists(sh.lite, toks)
	sh.pg = dollar(text, toks)
	return sh, nil
}

// litelists rewrites "= ANY(?)", whose value is a []string, for SQLite, which gets the list as JSON.
func litelists(s string, toks []token) string {
	var b strings.Builder
	last := 0
	for i := 0; i+4 < len(toks) && toks[i+4].to <= len(s); i++ {
		from, to := toks[i].from, toks[i+4].to
		if s[from] != '=' || !strings.EqualFold(s[toks[i+1].from:toks[i+1].to], "ANY") || toks[i+3].kind != param {
			continue
		}
		b.WriteString(s[last:from] + "IN (SELECT value FROM json_each(?))")
		last = to
	}
	return b.String() + s[last:]
}

// dollar rewrites the placeholders as $1, $2, ...
func dollar(s string, toks []token) string {
	var b strings.Builder
	last, n := 0, 0
	for _, t := range toks {
		if t.kind != param {
			continue
		}
		n++
		b.WriteString(s[last:t.from])
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		last = t.to
	}
	b.WriteString(s[last:])
	return b.String()
}
