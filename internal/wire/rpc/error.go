package rpc

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrKind says what is wrong with a request, so that the surface can choose a fault.
type ErrKind uint8

// The kinds of error.
const (
	Malformed ErrKind = iota + 1 // the bytes are not readable, even leniently, or text holds U+0000; Text has the original's words where clients know them
	Type                         // the value of Field does not fit its type
	Twice                        // Field is given twice, in different case or with different values
	TooDeep                      // nested deeper than MaxDepth
	TooMany                      // more members and elements than MaxKeys
	NoArgs                       // nothing bound although the operation takes parameters
)

// Error is a request that cannot be bound. Text is a public sentence; it holds no values except single characters.
type Error struct {
	Kind   ErrKind
	Field  string // path of the parameter in the struct's spelling ("Args.PageSize", "Users[2].Name"); empty when unknown
	Text   string
	Offset int64 // byte offset into the body, or into the text of the parameter that holds JSON
}

// Error is the public sentence.
func (e *Error) Error() string { return e.Text }

// ErrNoArgs is for surfaces that find that Bind matched nothing where an operation needs something
// (authentication.yaml, first entry, errors).
var ErrNoArgs = &Error{Kind: NoArgs, Text: "Unexpected null arguments passed to the server."}

// malformed reports what is wrong at s.pos in the form "<what> Path '...', line L, position P.".
func (s *scanner) malformed(what string) *Error {
	line, column := s.place()
	text := what + " Path '" + s.location() + "', line " + strconv.Itoa(line) + ", position " + strconv.Itoa(column) + "."
	return &Error{Kind: Malformed, Field: s.field(), Text: text, Offset: int64(s.pos)}
}

// unexpected reports the character at s.pos where a value should start or go on.
func (s *scanner) unexpected() *Error {
	if s.pos >= len(s.src) {
		return s.ended()
	}
	return s.malformed("Unexpected character encountered while parsing value: " + s.char() + ".")
}

// ended reports that the body stops in the middle.
func (s *scanner) ended() *Error {
	s.pos = len(s.src)
	return s.malformed("The JSON text ends before it is complete.")
}

// char is the character at s.pos for an error text.
func (s *scanner) char() string {
	_, n := utf8.DecodeRuneInString(s.src[s.pos:])
	return s.src[s.pos : s.pos+n]
}

// place is the line (from 1) and the column (from 0, in UTF-16 units) of s.pos, counted as the original's reader does:
// an error before any token at the start of a line is in line 0.
func (s *scanner) place() (line, column int) {
	line = 1
	for i, r := range s.src[:s.pos] {
		switch {
		case r == '\n', r == '\r' && (i+1 >= len(s.src) || s.src[i+1] != '\n'):
			line++
			column = 0
		case r >= 0x10000:
			column += 2
		default:
			column++
		}
	}
	if !s.begun && column == 0 {
		line = 0
	}
	return line, column
}

// location is the path of the last token in the client's spelling. A container that has just been opened is not part of
// it, and an element belongs to it once it is complete: so does the original count.
func (s *scanner) location() string {
	var b strings.Builder
	for _, g := range s.path {
		switch {
		case g.object && !g.started, !g.object && g.n < 0:
		case !g.object:
			b.WriteString("[" + strconv.Itoa(g.n) + "]")
		case strings.ContainsAny(g.key, ". '/\"[]()\t\n\r\f\b\\\u0085\u2028\u2029"):
			b.WriteString("['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(g.key) + "']")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(g.key)
		}
	}
	return b.String()
}

// field is the path of the current parameter in the struct's spelling.
func (s *scanner) field() string {
	var b strings.Builder
	b.WriteString(s.root)
	for _, g := range s.path {
		if !g.object {
			if g.n >= 0 {
				b.WriteString("[" + strconv.Itoa(g.n) + "]")
			}
			continue
		}
		name := g.field
		if name == "" {
			name = g.key
		}
		if name == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

// wrong reports that the current parameter does not fit; why completes "Parameter X ...".
func (s *scanner) wrong(why string) *Error {
	f := s.field()
	text := "Parameter " + f + " " + why + "."
	if f == "" {
		text = "The request " + why + "."
	}
	return &Error{Kind: Type, Field: f, Text: text, Offset: int64(s.pos)}
}

// hasNUL looks for U+0000, which PostgreSQL keeps in no text: it is refused before anything else sees it.
func hasNUL(text string) bool { return strings.IndexByte(text, 0) >= 0 }

// nul reports text of the current parameter with U+0000 in it.
func (s *scanner) nul() *Error {
	e := s.wrong("may not hold the character U+0000")
	e.Kind = Malformed
	return e
}

func (s *scanner) twice(how string, args ...any) *Error {
	f := s.field()
	return &Error{Kind: Twice, Field: f, Text: fmt.Sprintf("Parameter %s is given twice, %s.", f, fmt.Sprintf(how, args...)), Offset: int64(s.pos)}
}
