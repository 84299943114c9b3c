package redrock

import (
	"strings"
)

// ScriptKind is what the member Script of a call holds.
type ScriptKind uint8

// The kinds of scripts.
const (
	Query   ScriptKind = iota // SELECT ...
	Report                    // @@Name: a report that the product ships
	Library                   // @/lib/name.js(arg:'value', ...): a script that the product ships
)

// Script is a parsed Script member.
type Script struct {
	Kind   ScriptKind
	Name   string            // of the report, or path of the library script, such as /lib/get_superrights.js
	Args   map[string]string // of a library script
	Select *Select           // of a query
}

const (
	maxName   = 200 // characters of a report's or a library script's name
	maxArgs   = 20
	maxArgLen = 4000
)

// ParseScript reads any of the three kinds of scripts. Errors are *[Error]. An @<Name> token that the portal should have filled
// in is one: its value travels with the call for reports, not with this one.
func ParseScript(script string, limits Limits) (Script, error) {
	s := strings.TrimSpace(strings.TrimPrefix(script, "\ufeff"))
	switch {
	case strings.HasPrefix(s, "@@"):
		return report(s)
	case strings.HasPrefix(s, "@/"):
		return library(s)
	}
	q, err := Parse(script, limits)
	if err != nil {
		return Script{}, err
	}
	return Script{Kind: Query, Select: q}, nil
}

func report(s string) (Script, error) {
	name := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s[2:]), ";"))
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, control) {
		return Script{}, errAt(Pos{1, 1, shorten(s)}, CodeSyntax, "after @@ comes the name of a report")
	}
	return Script{Kind: Report, Name: name}, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }

func library(s string) (Script, error) {
	fail := func(text string) (Script, error) {
		return Script{}, errAt(Pos{1, 1, shorten(s)}, CodeSyntax, "%s; it looks like @/lib/name.js(argument:'value')", text)
	}
	open := strings.IndexByte(s, '(')
	if open < 0 {
		return fail("the call of a library script has no parentheses")
	}
	name := strings.TrimSpace(s[1:open])
	if len(name) > maxName || !libraryPath(name) {
		return fail("the path of the library script is not a plain one")
	}
	p := &argParser{s: s, at: open + 1}
	args, text := p.all()
	if text != "" {
		return fail(text)
	}
	return Script{Kind: Library, Name: name, Args: args}, nil
}

// libraryPath accepts /lib/ and words with slashes between, ending in .js.
func libraryPath(s string) bool {
	rest, ok := strings.CutPrefix(s, "/lib/")
	if !ok || !strings.HasSuffix(rest, ".js") {
		return false
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(rest, ".js"), "/") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool {
			return r != '_' && r != '-' && (r > 'z' || !digit(byte(r)) && !wordStart(byte(r)))
		}) {
			return false
		}
	}
	return true
}

// argParser reads name:'value' pairs up to the closing parenthesis and the end.
type argParser struct {
	s  string
	at int
}

func (p *argParser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

func (p *argParser) take(c byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *argParser) all() (map[string]string, string) {
	args := map[string]string{}
	if !p.take(')') {
		for {
			name := p.word()
			if name == "" || !p.take(':') {
				return nil, "an argument is a name, a colon and a value"
			}
			value, ok := p.value()
			if !ok || len(value) > maxArgLen || strings.ContainsRune(value, 0) {
				return nil, "the value of " + shorten(name) + " is not a text in quotes or a number"
			}
			if _, twice := args[name]; twice || len(args) == maxArgs {
				return nil, "an argument is there twice, or there are too many"
			}
			args[name] = value
			if p.take(')') {
				break
			}
			if !p.take(',') {
				return nil, "arguments have commas between"
			}
		}
	}
	p.take(';')
	if p.space(); p.at != len(p.s) {
		return nil, "something follows the call"
	}
	return args, ""
}

func (p *argParser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.s) && (wordStart(p.s[p.at]) || digit(p.s[p.at])) {
		p.at++
	}
	return p.s[start:p.at]
}

// value reads a text in single or double quotes, with the quote doubled or a backslash before it standing for itself, or a bare
// word or number.
func (p *argParser) value() (string, bool) {
	p.space()
	if p.at == len(p.s) {
		return "", false
	}
	end := p.s[p.at]
	if end != '\'' && end != '"' {
		start := p.at
		for p.at < len(p.s) && (wordStart(p.s[p.at]) || digit(p.s[p.at]) || p.s[p.at] == '-' || p.s[p.at] == '.') {
			p.at++
		}
		return p.s[start:p.at], p.at > start
	}
	var b strings.Builder
	for p.at++; p.at < len(p.s); p.at++ {
		c := p.s[p.at]
		next := byte(0)
		if p.at+1 < len(p.s) {
			next = p.s[p.at+1]
		}
		switch {
		case c == '\\' && (next == '\\' || next == end), c == end && next == end:
			b.WriteByte(next)
			p.at++
		case c == end:
			p.at++
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
