package scim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Op is what a filter says.
type Op string

// The operators (RFC 7644 section 3.4.2.2).
const (
	And    Op = "and"
	Or     Op = "or"
	Not    Op = "not"
	Within Op = "[]" // of the values of an attribute, one meets the filter: emails[type eq "work"]
	Pr     Op = "pr"
	Eq     Op = "eq"
	Ne     Op = "ne"
	Co     Op = "co"
	Sw     Op = "sw"
	Ew     Op = "ew"
	Gt     Op = "gt"
	Ge     Op = "ge"
	Lt     Op = "lt"
	Le     Op = "le"
)

// Filter is a filter. Parse leaves At and Arg empty, which Type.Filter fills.
type Filter struct {
	Op   Op
	Of   []Filter // of and, or: two at least; of not and []: one
	Name string   // of the attribute, as it was written
	lit  literal

	At  Path // of the attribute
	Arg any  // what it is compared with: string, bool, float64 or time.Time
}

// literal is a value as it was written.
type literal struct {
	kind byte // quoted, word, or nothing
	text string
}

const (
	quoted byte = '"'
	word   byte = 'w'
)

// ParseFilter reads a filter. Operators and the words and, or, not are taken in any case; values that should stand in quotes and
// do not are taken as well, as clients send them (scim.yaml, head).
func ParseFilter(text string) (Filter, error) {
	p := parser{s: text}
	if len(text) > maxFilter {
		return Filter{}, bad(InvalidFilter, "a filter may have %d bytes", maxFilter)
	}
	if !utf8.ValidString(text) {
		return Filter{}, bad(InvalidFilter, "the filter is not text")
	}
	f, err := p.or(0)
	if err == nil && p.i < len(p.s) {
		err = p.fail("%q is not expected", p.rest())
	}
	return f, err
}

type parser struct {
	s     string
	i     int
	terms int
}

func (p *parser) fail(format string, args ...any) error {
	return bad(InvalidFilter, "the filter cannot be read: "+format, args...)
}

// rest is what is left, cut short for people.
func (p *parser) rest() string {
	r := p.s[p.i:]
	for i := range r {
		if i > 40 {
			return r[:i]
		}
	}
	return r
}

func (p *parser) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t' || p.s[p.i] == '\n' || p.s[p.i] == '\r') {
		p.i++
	}
}

// sign takes one character, if it comes next.
func (p *parser) sign(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// peek is the word that comes next, up to space or a bracket.
func (p *parser) peek() string {
	p.space()
	end := p.i
	for end < len(p.s) && !strings.ContainsRune(" \t\r\n()[]\"", rune(p.s[end])) {
		end++
	}
	return p.s[p.i:end]
}

// key takes a word, if it comes next.
func (p *parser) key(w string) bool {
	if !strings.EqualFold(p.peek(), w) {
		return false
	}
	p.i += len(w)
	return true
}

func (p *parser) or(depth int) (Filter, error) { return p.chain(Or, depth, p.and) }

func (p *parser) and(depth int) (Filter, error) { return p.chain(And, depth, p.one) }

func (p *parser) chain(with Op, depth int, next func(int) (Filter, error)) (Filter, error) {
	f, err := next(depth)
	if err != nil || !p.key(string(with)) {
		return f, err
	}
	out := Filter{Op: with, Of: []Filter{f}}
	for {
		if f, err = next(depth); err != nil {
			return f, err
		}
		out.Of = append(out.Of, f)
		if !p.key(string(with)) {
			return out, nil
		}
	}
}

func (p *parser) one(depth int) (Filter, error) {
	if depth > maxDepth {
		return Filter{}, p.fail("it is too deep")
	}
	start := p.i
	if p.key("not") && p.sign('(') {
		f, err := p.inside(depth, ')')
		return Filter{Op: Not, Of: []Filter{f}}, err
	}
	p.i = start
	if p.sign('(') {
		return p.inside(depth, ')')
	}
	return p.term(depth)
}

// inside reads what stands in brackets whose first is read.
func (p *parser) inside(depth int, end byte) (Filter, error) {
	f, err := p.or(depth + 1)
	if err == nil && !p.sign(end) {
		err = p.fail("%q is missing at %q", end, p.rest())
	}
	return f, err
}

// term reads a comparison or a value filter, which may have a comparison of a sub-attribute behind it.
func (p *parser) term(depth int) (Filter, error) {
	if p.terms++; p.terms > maxTerms {
		return Filter{}, p.fail("it has more than %d comparisons", maxTerms)
	}
	name := p.peek()
	if !isName(name) {
		return Filter{}, p.fail("an attribute is missing at %q", p.rest())
	}
	p.i += len(name)
	if p.i >= len(p.s) || p.s[p.i] != '[' {
		return p.compare(name)
	}
	p.i++
	in, err := p.inside(depth, ']')
	if err != nil {
		return in, err
	}
	if sub, ok := strings.CutPrefix(p.peek(), "."); ok && isName(sub) && p.i < len(p.s) && p.s[p.i] == '.' {
		p.i += 1 + len(sub)
		f, err := p.compare(sub)
		return Filter{Op: Within, Name: name, Of: []Filter{{Op: And, Of: []Filter{in, f}}}}, err
	}
	return Filter{Op: Within, Name: name, Of: []Filter{in}}, nil
}

// isName says whether s can be the name of an attribute, with its URN and a sub-attribute (RFC 7644 figure 1).
func isName(s string) bool {
	if s == "" || !letter(s[0]) && s[0] != '$' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && !strings.ContainsRune("-_:.$", rune(c)) {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func (p *parser) compare(name string) (Filter, error) {
	w := p.peek()
	op := Op(strings.ToLower(w))
	switch op {
	case Pr:
		p.i += len(w)
		return Filter{Op: Pr, Name: name}, nil
	case Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le:
		p.i += len(w)
	default:
		return Filter{}, p.fail("%q is no operator", w)
	}
	v, err := p.value()
	return Filter{Op: op, Name: name, lit: v}, err
}

func (p *parser) value() (literal, error) {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == '"' {
		return p.text()
	}
	return p.bare()
}

// text reads a JSON text.
func (p *parser) text() (literal, error) {
	end := p.i + 1
	for end < len(p.s) && p.s[end] != '"' {
		if p.s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(p.s) {
		return literal{}, p.fail("a quotation mark is missing")
	}
	var s string
	if err := json.Unmarshal([]byte(p.s[p.i:end+1]), &s); err != nil {
		return literal{}, p.fail("%s is no text", p.rest())
	}
	p.i = end + 1
	if p.i < len(p.s) && !strings.ContainsRune(" \t\r\n)]", rune(p.s[p.i])) {
		return literal{}, p.fail("%q is not expected", p.rest())
	}
	return literal{quoted, s}, nil
}

// bare reads a number, true, false, null, or words that should stand in quotes: up to a bracket or a word that joins. A word
// that compares is none of them: something is missing before it.
func (p *parser) bare() (literal, error) {
	start, end := p.i, p.i
	for {
		w := p.peek()
		if w == "" || end > start && (strings.EqualFold(w, "and") || strings.EqualFold(w, "or")) {
			break
		}
		switch Op(strings.ToLower(w)) {
		case Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le, Pr:
			if end > start {
				return literal{}, p.fail("%q is not expected", p.rest())
			}
		}
		p.i += len(w)
		end = p.i
	}
	if end == start {
		return literal{}, p.fail("a value is missing at %q", p.rest())
	}
	p.i = end
	return literal{word, p.s[start:end]}, nil
}
