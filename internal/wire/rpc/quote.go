package rpc

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
