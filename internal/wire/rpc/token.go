package rpc

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// token is the kind of a scalar.
type token uint8

const (
	undefined token = iota // JavaScript's undefined: as if the member were not there
	null
	boolean
	number
	text
)

// scalar is a value without parts. Text is decoded for text and as written for boolean and number.
type scalar struct {
	token token
	text  string
}

// segment is one open container on the way to the current value.
type segment struct {
	object  bool
	started bool   // a member name was read
	n       int    // index of the last element begun or complete, -1 before the first
	key     string // the member's name as the client spells it
	field   string // and as the struct spells it
}

// scanner reads lenient JSON. It works on a string so that values can be parts of it instead of copies.
type scanner struct {
	src      string
	pos      int
	begun    bool // a token was read
	copies   bool // values are copied, because src is too large to be kept alive by one of them
	path     []segment
	scratch  []byte
	maxDepth int
	maxKeys  int
	keys     int // members and elements so far
}

// copyAbove is the size of a body in bytes above which values are copied out of it.
const copyAbove = 4 << 10

// load makes src the text that is read.
func (s *scanner) load(src string) {
	s.src, s.pos, s.begun, s.copies = src, 0, false, len(src) > copyAbove
}

// cut gives part of src as a value.
func (s *scanner) cut(from, to int) string {
	if s.copies {
		return strings.Clone(s.src[from:to])
	}
	return s.src[from:to]
}

// space skips white space and comments and reports whether anything follows.
func (s *scanner) space() (more bool, err error) {
	if s.pos < len(s.src) && s.src[s.pos] > ' ' && s.src[s.pos] != '/' && s.src[s.pos] < utf8.RuneSelf {
		return true, nil
	}
	return s.skip()
}

func (s *scanner) skip() (more bool, err error) {
	for s.pos < len(s.src) {
		switch c := s.src[s.pos]; {
		case c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f':
			s.pos++
		case c == '/':
			if err := s.comment(); err != nil {
				return false, err
			}
		case c < utf8.RuneSelf:
			return true, nil
		default:
			r, n := utf8.DecodeRuneInString(s.src[s.pos:])
			if !unicode.IsSpace(r) && (r != '\uFEFF' || s.pos != 0) {
				return true, nil
			}
			s.pos += n
		}
	}
	return false, nil
}

// comment skips // to the end of the line and /* to */.
func (s *scanner) comment() error {
	rest := s.src[s.pos:]
	switch {
	case strings.HasPrefix(rest, "//"):
		if n := strings.IndexAny(rest, "\r\n"); n >= 0 {
			s.pos += n
		} else {
			s.pos = len(s.src)
		}
		return nil
	case strings.HasPrefix(rest, "/*"):
		n := strings.Index(rest[2:], "*/")
		if n < 0 {
			return s.ended()
		}
		s.pos += n + 4
		return nil
	}
	return s.unexpected()
}

// push opens a container whose bracket is at s.pos.
func (s *scanner) push(object bool) error {
	s.done()
	if len(s.path) >= s.maxDepth {
		return &Error{Kind: TooDeep, Field: s.field(), Offset: int64(s.pos), Text: fmt.Sprintf("The request is nested deeper than %d levels.", s.maxDepth)}
	}
	s.pos++
	s.path = append(s.path, segment{object: object, n: -1})
	return nil
}

func (s *scanner) pop() { s.path = s.path[:len(s.path)-1] }

// done counts a token; in an array it is the next element.
func (s *scanner) done() {
	s.begun = true
	if n := len(s.path); n > 0 {
		s.path[n-1].n++
	}
}

// count admits one more member or element.
func (s *scanner) count() error {
	if s.keys++; s.keys > s.maxKeys {
		return &Error{Kind: TooMany, Offset: int64(s.pos), Text: fmt.Sprintf("The request has more than %d values.", s.maxKeys)}
	}
	return nil
}

// next stands before the next member or element of a container that ends with end. It reports false when the end was
// read. A comma before the end is tolerated, two in a row are not.
func (s *scanner) next(end byte, first bool) (bool, error) {
	more, err := s.space()
	if err != nil || !more {
		return false, s.orEnded(err)
	}
	if !first && s.src[s.pos] == ',' {
		s.pos++
		if more, err = s.space(); err != nil || !more {
			return false, s.orEnded(err)
		}
	} else if !first && s.src[s.pos] != end {
		return false, s.malformed("A comma or the end was expected after a value, not: " + s.char() + ".")
	}
	if s.src[s.pos] == end {
		s.pos++
		s.pop()
		return false, nil
	}
	return true, s.count()
}

func (s *scanner) orEnded(err error) error {
	if err != nil {
		return err
	}
	return s.ended()
}

// member reads a member's name and the colon and stands before the value.
func (s *scanner) member() (string, error) {
	var key string
	var err error
	if c := s.src[s.pos]; c == '"' || c == '\'' {
		if key, err = s.quoted(true); err != nil {
			return "", err
		}
	} else if key = s.identifier(); key == "" {
		return "", s.malformed("A property name cannot start with: " + s.char() + ".")
	}
	g := &s.path[len(s.path)-1]
	g.key, g.field, g.started = key, "", true
	more, err := s.space()
	if err != nil || !more {
		return "", s.orEnded(err)
	}
	if s.src[s.pos] != ':' {
		return "", s.malformed("A colon was expected after a property name, not: " + s.char() + ".")
	}
	s.pos++
	if more, err = s.space(); err != nil || !more {
		return "", s.orEnded(err)
	}
	return key, nil
}

// identifier reads a bare name.
func (s *scanner) identifier() string {
	from := s.pos
	for s.pos < len(s.src) {
		r, n := utf8.DecodeRuneInString(s.src[s.pos:])
		if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		s.pos += n
	}
	return s.cut(from, s.pos)
}

// scalar reads a value that is neither object nor array. Without keep the text of strings is checked but not returned.
func (s *scanner) scalar(keep bool) (scalar, error) {
	var v scalar
	var err error
	switch c := s.src[s.pos]; {
	case c == '"' || c == '\'':
		v.token = text
		v.text, err = s.quoted(keep)
	case c == '-' || '0' <= c && c <= '9':
		v.token = number
		v.text, err = s.number()
	default:
		v, err = s.word()
	}
	if err != nil {
		return v, err
	}
	s.done()
	return v, nil
}

// word reads the bare words of JSON, and those that clients write in the manner of JavaScript and Python.
func (s *scanner) word() (scalar, error) {
	to := s.pos
	for to < len(s.src) && (s.src[to]|0x20 >= 'a' && s.src[to]|0x20 <= 'z') {
		to++
	}
	w := s.src[s.pos:to]
	v := scalar{token: boolean, text: w}
	switch w {
	case "true", "false", "True", "False":
	case "null", "None":
		v = scalar{token: null}
	case "undefined":
		v = scalar{token: undefined}
	default:
		return v, s.unexpected()
	}
	s.pos = to
	return v, s.delimited()
}

// delimited refuses 12abc, truefalse and the like.
func (s *scanner) delimited() error {
	if s.pos >= len(s.src) {
		return nil
	}
	switch c := s.src[s.pos]; {
	case c <= ' ' || c == ',' || c == '}' || c == ']' || c == '/':
		return nil
	case c >= utf8.RuneSelf:
		if r, _ := utf8.DecodeRuneInString(s.src[s.pos:]); unicode.IsSpace(r) {
			return nil
		}
	}
	return s.unexpected()
}

// number reads a number of JSON's grammar as written.
func (s *scanner) number() (string, error) {
	from := s.pos
	if s.src[s.pos] == '-' {
		s.pos++
	}
	if s.pos < len(s.src) && s.src[s.pos] == '0' {
		s.pos++
	} else if !s.digits() {
		return "", s.unexpected()
	}
	if s.pos < len(s.src) && s.src[s.pos] == '.' {
		s.pos++
		if !s.digits() {
			return "", s.unexpected()
		}
	}
	if s.pos < len(s.src) && s.src[s.pos]|0x20 == 'e' {
		s.pos++
		if s.pos < len(s.src) && (s.src[s.pos] == '+' || s.src[s.pos] == '-') {
			s.pos++
		}
		if !s.digits() {
			return "", s.unexpected()
		}
	}
	return s.cut(from, s.pos), s.delimited()
}

func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.src) && '0' <= s.src[s.pos] && s.src[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

// quoted reads a string in either kind of quotes. Control characters may stand in it as they are.
func (s *scanner) quoted(keep bool) (string, error) {
	quote := s.src[s.pos]
	from := s.pos + 1
	for i := from; i < len(s.src); i++ {
		if c := s.src[i]; c == quote {
			s.pos = i + 1
			if !keep {
				return "", nil
			}
			return s.cut(from, i), nil
		} else if c == '\\' {
			return s.escaped(quote, from, i, keep)
		}
	}
	return "", s.unterminated(quote)
}

func (s *scanner) unterminated(quote byte) *Error {
	s.pos = len(s.src)
	return s.malformed("Unterminated string. Expected delimiter: " + string(rune(quote)) + ".")
}

// escaped goes on with a string whose first backslash is at i.
func (s *scanner) escaped(quote byte, from, i int, keep bool) (string, error) {
	s.scratch = append(s.scratch[:0], s.src[from:i]...)
	s.pos = i
	for s.pos < len(s.src) {
		c := s.src[s.pos]
		s.pos++
		switch c {
		case quote:
			if !keep {
				return "", nil
			}
			return string(s.scratch), nil
		case '\\':
			if s.pos >= len(s.src) {
				return "", s.unterminated(quote)
			}
			if err := s.escape(); err != nil {
				return "", err
			}
		default:
			s.scratch = append(s.scratch, c)
		}
	}
	return "", s.unterminated(quote)
}

// escape reads what follows a backslash and appends the character to scratch.
func (s *scanner) escape() error {
	c := s.src[s.pos]
	switch c {
	case '"', '\'', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		s.pos++
		return s.unicode()
	default:
		char := s.char()
		s.pos += len(char)
		return s.malformed(`Bad JSON escape sequence: \` + char + ".")
	}
	s.pos++
	s.scratch = append(s.scratch, c)
	return nil
}

// unicode reads the four digits after \u and the other half of a surrogate pair; a half alone becomes U+FFFD.
func (s *scanner) unicode() error {
	r, ok := hex4(s.src[s.pos:])
	if !ok {
		return s.malformed(`Four hexadecimal digits must follow \u.`)
	}
	s.pos += 4
	if utf16.IsSurrogate(r) {
		pair := rune(utf8.RuneError)
		if rest := s.src[s.pos:]; strings.HasPrefix(rest, `\u`) {
			if low, ok := hex4(rest[2:]); ok {
				pair = utf16.DecodeRune(r, low)
			}
		}
		if r = pair; r != utf8.RuneError {
			s.pos += 6
		}
	}
	s.scratch = utf8.AppendRune(s.scratch, r)
	return nil
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for i := range 4 {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
