package rpc

import (
	"reflect"
	"slices"
	"strings"
)

// body binds a JSON body: an object, a bare array, or one of the ways to say nothing.
func (b *binder) body(p *plan, v reflect.Value, body string) error {
	b.load(body)
	more, err := b.space()
	if err != nil || !more {
		return err
	}
	switch c := b.src[b.pos]; {
	case c == '{':
		err = b.object(p, v)
	case c == '[' && p.array >= 0:
		b.root = p.fields[p.array].name
		err = b.put(&p.fields[p.array], v, p.array, given{source: inBody, key: p.fields[p.array].name})
	case c == '[':
		return b.wrong("must be an object, not a list")
	default:
		err = b.lone(p, v)
	}
	if err != nil {
		return err
	}
	return b.end()
}

// lone reads a body that is a scalar: one of the ways to say nothing, or the one element of a list.
func (b *binder) lone(p *plan, v reflect.Value) error {
	s, err := b.scalar(true)
	if err != nil || s.token <= null || s.blank() {
		return err
	}
	if p.array < 0 || !p.fields[p.array].plan.bare().one {
		return b.wrong("must be an object")
	}
	f := &p.fields[p.array]
	if was := b.marks[p.array].source; was != nowhere {
		return b.bothWays(f, was)
	}
	b.marks[p.array] = mark{key: f.name, source: inBody}
	_, err = b.assign(f.plan, f.of(v), s)
	return err
}

// object binds the body's object to the struct, or to the one element of the list that takes the bare array.
func (b *binder) object(p *plan, v reflect.Value) error {
	from, keys := b.pos, b.keys
	if err := b.members(p, v, 0); err != nil {
		return err
	}
	if p.array < 0 || b.marks[p.array].source == inBody {
		return nil
	}
	f := &p.fields[p.array]
	inner := f.plan.bare()
	if !inner.one || inner.elem.kind != kStruct {
		return nil
	}
	to := b.pos
	b.pos, b.keys = from, keys
	list := reflect.MakeSlice(inner.typ, 1, 1)
	at := b.reserve(len(inner.elem.fields))
	if err := b.members(inner.elem, list.Index(0), at); err != nil {
		return err
	}
	found := slices.ContainsFunc(b.marks[at:], func(m mark) bool { return m.source != nowhere })
	b.marks = b.marks[:at]
	b.pos = to
	if was := b.marks[p.array].source; found && was != nowhere {
		return b.bothWays(f, was)
	} else if found {
		_, target := unwrap(f.plan, f.of(v))
		target.Set(list)
		b.marks[p.array] = mark{key: f.name, source: inBody}
	}
	return nil
}

// bothWays refuses a list that is given elsewhere and as its one element in the body.
func (b *binder) bothWays(f *field, was source) error {
	b.path = append(b.path[:0], segment{object: true, started: true, key: f.name, field: f.name})
	return b.twice("in %s and in %s", sourceNames[was], sourceNames[inBody])
}

// end refuses anything after the body's value.
func (b *binder) end() error {
	more, err := b.space()
	if err == nil && more {
		err = b.malformed("Nothing may follow the value, but there is: " + b.char() + ".")
	}
	return err
}

func mediaType(header string) string {
	media, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// looksLikeJSON tells JSON under a form's content type from a form.
func looksLikeJSON(body string) bool {
	t := strings.TrimSpace(strings.TrimPrefix(body, "\uFEFF"))
	switch t {
	case "", "null", "None", "undefined":
		return true
	}
	return strings.IndexByte("{['\"/", t[0]) >= 0
}
