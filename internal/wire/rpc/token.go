package rpc

import (
	"fmt"
	"strings"
	"unicode"
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
	root     string // the parameter that a bare array stands for
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
		if hasNUL(key) {
			return "", s.malformed("A property name may not hold the character U+0000.")
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
	if v.token == text && hasNUL(v.text) {
		return v, s.nul()
	}
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
