package rpc

import (
	"bytes"
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// drop reads a value that nobody wants.
func (b *binder) drop() error {
	c := b.src[b.pos]
	if c != '{' && c != '[' {
		_, err := b.scalar(false)
		return err
	}
	if err := b.push(c == '{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := b.next(c+2, first) // '{'+2 == '}' and '['+2 == ']'
		if err != nil || !more {
			return err
		}
		if c == '{' {
			if _, err := b.member(); err != nil {
				return err
			}
		}
		if err := b.drop(); err != nil {
			return err
		}
	}
}

// any reads a value of any shape: nil, bool, string, json.Number (so that digits survive), []any, map[string]any.
func (b *binder) any() (any, error) {
	switch b.src[b.pos] {
	case '{':
		m := map[string]any{}
		return m, b.anyMembers(m)
	case '[':
		l := []any{}
		err := b.anyElements(&l)
		return l, err
	}
	s, err := b.scalar(true)
	if err != nil {
		return nil, err
	}
	return s.any(), nil
}

func (b *binder) anyElements(l *[]any) error {
	if err := b.push(false); err != nil {
		return err
	}
	for {
		more, err := b.next(']', len(*l) == 0)
		if err != nil || !more {
			return err
		}
		elem, err := b.any()
		if err != nil {
			return err
		}
		*l = append(*l, elem)
	}
}

func (b *binder) anyMembers(m map[string]any) error {
	if err := b.push(true); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := b.next('}', first)
		if err != nil || !more {
			return err
		}
		key, err := b.member()
		if err != nil {
			return err
		}
		missing := b.src[b.pos] == 'u'
		elem, err := b.any()
		if err != nil {
			return err
		}
		if missing {
			continue
		}
		if was, ok := m[key]; ok && !reflect.DeepEqual(was, elem) {
			return b.twice("with different values")
		}
		m[key] = elem
	}
}

func (s scalar) any() any {
	switch s.token {
	case boolean:
		return s.text[0]|0x20 == 't'
	case number:
		return json.Number(s.text)
	case text:
		return s.text
	}
	return nil
}

// append writes a scalar as JSON.
func (s scalar) append(dst []byte) []byte {
	switch s.token {
	case boolean:
		if s.text[0]|0x20 == 't' {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case number:
		return append(dst, s.text...)
	case text:
		return appendString(dst, s.text)
	}
	return append(dst, "null"...)
}

// Canonical reads one value of lenient JSON and writes it as plain JSON. It is for parameters that hold JSON in text,
// such as the filters of DirectoryServiceQuery, which some clients write as Python dicts (directories.yaml). Errors are
// of type *Error.
func Canonical(s string) (json.RawMessage, error) {
	if !utf8.ValidString(s) {
		return nil, &Error{Kind: Malformed, Text: "The text is not valid UTF-8."}
	}
	var b binder
	b.maxDepth, b.maxKeys = DefaultDepth, DefaultKeys
	b.load(s)
	more, err := b.space()
	if err != nil || !more {
		return nil, b.orEnded(err)
	}
	raw, err := b.canonical()
	if err != nil {
		return nil, err
	}
	return raw, b.end()
}

// canonical reads a value and writes it as plain JSON: members in their order, numbers as written, no spaces.
func (b *binder) canonical() ([]byte, error) {
	from := len(b.out)
	if err := b.copy(); err != nil {
		return nil, err
	}
	raw := bytes.Clone(b.out[from:])
	b.out = b.out[:from]
	return raw, nil
}

// copy appends the value at the scanner's position to out.
func (b *binder) copy() error {
	switch b.src[b.pos] {
	case '{':
		return b.copyMembers()
	case '[':
		return b.copyElements()
	}
	s, err := b.scalar(true)
	if err == nil {
		b.out = s.append(b.out)
	}
	return err
}

func (b *binder) copyElements() error {
	if err := b.push(false); err != nil {
		return err
	}
	b.out = append(b.out, '[')
	for first := true; ; first = false {
		more, err := b.next(']', first)
		if err != nil {
			return err
		}
		if !more {
			b.out = append(b.out, ']')
			return nil
		}
		if !first {
			b.out = append(b.out, ',')
		}
		if err := b.copy(); err != nil {
			return err
		}
	}
}

// span is a part of out.
type span struct{ from, to int }

func (b *binder) copyMembers() error {
	if err := b.push(true); err != nil {
		return err
	}
	b.out = append(b.out, '{')
	seen := map[string]span{}
	for first := true; ; first = false {
		more, err := b.next('}', first)
		if err != nil {
			return err
		}
		if !more {
			b.out = append(b.out, '}')
			return nil
		}
		key, err := b.member()
		if err != nil {
			return err
		}
		start := len(b.out)
		if len(seen) > 0 {
			b.out = append(b.out, ',')
		}
		b.out = append(appendString(b.out, key), ':')
		missing := b.src[b.pos] == 'u'
		from := len(b.out)
		if err := b.copy(); err != nil {
			return err
		}
		was, ok := seen[key]
		switch {
		case missing:
			b.out = b.out[:start]
		case !ok:
			seen[key] = span{from, len(b.out)}
		case !bytes.Equal(b.out[was.from:was.to], b.out[from:]):
			return b.twice("with different values")
		default:
			b.out = b.out[:start]
		}
	}
}
