package rpc

import (
	"reflect"
	"strings"
)

// status is what a value turned out to be.
type status uint8

const (
	valued status = iota
	nulled
	absent // undefined: as if the member were not there
)

// given is one occurrence of a parameter: the value at the scanner's position for the body, text otherwise.
type given struct {
	source source
	key    string
	text   string
	isText bool
}

// members binds the object at the scanner's position to the struct v, whose marks start at index at.
func (b *binder) members(p *plan, v reflect.Value, at int) error {
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
		i := p.find(key)
		if i < 0 {
			if err := b.other(p, v, at, key); err != nil {
				return err
			}
			continue
		}
		f := &p.fields[i]
		b.path[len(b.path)-1].field = f.name
		if err := b.put(f, v, at+i, given{source: inBody, key: key}); err != nil {
			return err
		}
	}
}

// other takes a member that no field names: it is kept where a field takes the rest, else read and ignored.
func (b *binder) other(p *plan, v reflect.Value, at int, key string) error {
	if p.rest < 0 {
		return b.drop()
	}
	value, err := b.any()
	if err != nil {
		return err
	}
	f := &p.fields[p.rest]
	m := f.of(v).Addr().Interface().(*map[string]any)
	if *m == nil {
		*m = map[string]any{}
	}
	if was, twice := (*m)[key]; twice && !reflect.DeepEqual(was, value) {
		return b.twice("with different values")
	}
	(*m)[key] = value
	b.marks[at+p.rest] = mark{key: f.name, source: inBody}
	return nil
}

// put binds one occurrence of a parameter to its field in v; at is the index of its mark.
func (b *binder) put(f *field, v reflect.Value, at int, g given) error {
	was := b.marks[at]
	target := f.of(v)
	if was.source == nowhere || was.null && was.source != g.source {
		st, err := b.read(f.plan, target, &g)
		if err == nil && st != absent {
			b.marks[at] = mark{key: g.key, source: g.source, null: st == nulled}
		}
		return err
	}
	if was.source == g.source && was.key != g.key && strings.EqualFold(was.key, g.key) {
		return b.twice("as %q and as %q", was.key, g.key)
	}
	return b.again(f, target, was, g)
}

// again compares one more occurrence of a parameter with what is bound already. Repeated text adds to a list.
func (b *binder) again(f *field, target reflect.Value, was mark, g given) error {
	fresh := reflect.New(f.plan.typ).Elem()
	st, err := b.read(f.plan, fresh, &g)
	if err != nil || st == absent || st == nulled && was.source != g.source {
		return err
	}
	if g.isText && was.source == g.source && f.plan.bare().kind == kSlice && st == valued {
		_, more := unwrap(f.plan, fresh)
		_, list := unwrap(f.plan, target)
		list.Set(reflect.AppendSlice(list, more))
		return nil
	}
	if reflect.DeepEqual(fresh.Interface(), target.Interface()) {
		return nil
	}
	if was.source != g.source {
		return b.twice("in %s and in %s, with different values", sourceNames[was.source], sourceNames[g.source])
	}
	return b.twice("with different values")
}

func (b *binder) read(p *plan, v reflect.Value, g *given) (status, error) {
	if g.isText {
		return b.fromText(p, v, g.text)
	}
	return b.value(p, v)
}

// fromText binds a parameter that is given as text. Lists and objects may be written as JSON.
func (b *binder) fromText(p *plan, v reflect.Value, t string) (status, error) {
	s := scalar{token: text, text: t}
	switch inner := p.bare(); {
	case s.blank():
	case inner.kind == kStruct, inner.kind == kMap, inner.kind == kRaw, inner.kind == kJSON, inner.kind == kSlice:
		lead := strings.TrimLeft(t, " \t\r\n")[0]
		if lead == '{' || lead == '[' {
			return b.nested(p, v, t)
		}
		if inner.kind == kSlice && !inner.commas {
			return b.single(p, v, s)
		}
	}
	return b.assign(p, v, s)
}

// nested reads JSON inside of a text parameter.
func (b *binder) nested(p *plan, v reflect.Value, t string) (status, error) {
	src, pos, begun, copies := b.src, b.pos, b.begun, b.copies
	b.load(t)
	if _, err := b.space(); err != nil {
		return valued, err
	}
	st, err := b.value(p, v)
	if err == nil {
		err = b.end()
	}
	b.src, b.pos, b.begun, b.copies = src, pos, begun, copies
	return st, err
}

// mapping binds an object to a map. Its keys are data: they keep their case.
func (b *binder) mapping(p *plan, v reflect.Value) error {
	if err := b.push(true); err != nil {
		return err
	}
	m := reflect.MakeMap(p.typ)
	for first := true; ; first = false {
		more, err := b.next('}', first)
		if err != nil {
			return err
		}
		if !more {
			v.Set(m)
			return nil
		}
		key, err := b.member()
		if err != nil {
			return err
		}
		elem := reflect.New(p.elem.typ).Elem()
		st, err := b.value(p.elem, elem)
		if err != nil {
			return err
		}
		if st == absent {
			continue
		}
		k := reflect.ValueOf(key).Convert(p.typ.Key())
		if was := m.MapIndex(k); was.IsValid() && !reflect.DeepEqual(was.Interface(), elem.Interface()) {
			return b.twice("with different values")
		}
		m.SetMapIndex(k, elem)
	}
}

// list binds an array to a slice.
func (b *binder) list(p *plan, v reflect.Value) error {
	if err := b.push(false); err != nil {
		return err
	}
	l := reflect.New(p.typ).Elem()
	l.Set(reflect.MakeSlice(p.typ, 0, 0))
	for n := 0; ; n++ {
		more, err := b.next(']', n == 0)
		if err != nil {
			return err
		}
		if !more {
			v.Set(l)
			return nil
		}
		if n >= l.Cap() {
			l.Grow(1)
		}
		l.SetLen(n + 1)
		if _, err := b.value(p.elem, l.Index(n)); err != nil {
			return err
		}
	}
}
