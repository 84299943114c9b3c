package rpc

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// bare is the plan behind pointers and optional types.
func (p *plan) bare() *plan {
	for p.kind == kOpt || p.kind == kPtr {
		p = p.elem
	}
	return p
}

// unwrap is the plain type behind pointers and optional types, and where to put its value, which is now given.
func unwrap(p *plan, v reflect.Value) (*plan, reflect.Value) {
	for {
		switch p.kind {
		case kOpt:
			v = reflect.ValueOf(v.Addr().Interface().(Optional).Ptr()).Elem()
		case kPtr:
			if v.IsNil() {
				v.Set(reflect.New(p.elem.typ))
			}
			v = v.Elem()
		default:
			return p, v
		}
		p = p.elem
	}
}

// blank reports text that means "nothing" wherever text itself is not wanted: clients send empty form fields, and the
// words of their own language.
func (s scalar) blank() bool {
	if s.token != text {
		return false
	}
	t := strings.TrimSpace(s.text)
	return t == "" || t == "null" || t == "undefined"
}

// value binds the value at the scanner's position to v.
func (b *binder) value(p *plan, v reflect.Value) (status, error) {
	if c := b.src[b.pos]; c == '{' || c == '[' {
		return valued, b.compound(p, v, c)
	}
	s, err := b.scalar(true)
	if err != nil {
		return valued, err
	}
	return b.assign(p, v, s)
}

// compound binds an object or array.
func (b *binder) compound(p *plan, v reflect.Value, open byte) error {
	switch p, v = unwrap(p, v); {
	case p.kind == kStruct && open == '{':
		at := b.reserve(len(p.fields))
		err := b.members(p, v, at)
		b.marks = b.marks[:at]
		return err
	case p.kind == kMap && open == '{':
		return b.mapping(p, v)
	case p.kind == kSlice && open == '[':
		return b.list(p, v)
	case p.kind == kSlice && p.one:
		l := reflect.MakeSlice(p.typ, 1, 1)
		v.Set(l)
		return b.compound(p.elem, l.Index(0), open)
	case p.kind == kAny:
		a, err := b.any()
		if err == nil {
			v.Set(reflect.ValueOf(a))
		}
		return err
	case p.kind == kRaw, p.kind == kJSON:
		raw, err := b.canonical()
		if err != nil {
			return err
		}
		return b.raw(p, v, raw)
	}
	b.done() // so that the error names this element
	return b.wrong(p.must())
}

// must completes "Parameter X ..." for a value of the wrong shape.
func (p *plan) must() string {
	switch p.bare().kind {
	case kString, kText:
		return "must be text"
	case kBool:
		return "must be true or false"
	case kInt, kUint:
		return "must be a whole number"
	case kFloat:
		return "must be a number"
	case kTime:
		return "must be a date"
	case kStruct, kMap:
		return "must be an object"
	case kSlice:
		return "must be a list"
	}
	return "is not valid"
}

// assign binds a scalar.
func (b *binder) assign(p *plan, v reflect.Value, s scalar) (status, error) {
	if s.token == undefined {
		return absent, nil
	}
	if s.token == null || s.blank() && !p.takesText() {
		b.null(p, v)
		return nulled, nil
	}
	if p, v = unwrap(p, v); p.kind == kSlice {
		return b.listed(p, v, s)
	}
	return valued, b.plain(p, v, s)
}

// takesText reports whether blank text is a value of its own.
func (p *plan) takesText() bool {
	switch p.bare().kind {
	case kString, kText, kAny, kRaw, kJSON:
		return true
	}
	return false
}

func (b *binder) null(p *plan, v reflect.Value) {
	switch p.kind {
	case kOpt:
		v.Addr().Interface().(Optional).SetNull()
	case kPtr, kSlice, kMap, kAny:
		v.SetZero()
	case kRaw:
		v.SetBytes([]byte("null"))
	}
}

// listed binds a scalar to a list, where the list's tag allows.
func (b *binder) listed(p *plan, v reflect.Value, s scalar) (status, error) {
	switch {
	case p.commas && s.token == text:
		l := reflect.MakeSlice(p.typ, 0, 0)
		for part := range strings.SplitSeq(s.text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			if err := b.count(); err != nil {
				return valued, err
			}
			elem := reflect.New(p.elem.typ).Elem()
			if _, err := b.assign(p.elem, elem, scalar{token: text, text: part}); err != nil {
				return valued, err
			}
			l = reflect.Append(l, elem)
		}
		v.Set(l)
		return valued, nil
	case p.one, p.commas:
		return b.single(p, v, s)
	}
	return valued, b.wrong(p.must())
}

// single makes a list of one.
func (b *binder) single(p *plan, v reflect.Value, s scalar) (status, error) {
	p, v = unwrap(p, v)
	l := reflect.MakeSlice(p.typ, 1, 1)
	_, err := b.assign(p.elem, l.Index(0), s)
	v.Set(l)
	return valued, err
}

// plain binds a boolean, number or text to a type without parts.
func (b *binder) plain(p *plan, v reflect.Value, s scalar) error {
	switch p.kind {
	case kString:
		v.SetString(s.text)
		return nil
	case kBool:
		if t, ok := truth(s.text); ok {
			v.SetBool(t)
			return nil
		}
	case kInt, kUint, kFloat:
		return b.numeric(p, v, s)
	case kTime:
		return b.time(p, v, s)
	case kAny:
		v.Set(reflect.ValueOf(s.any()))
		return nil
	case kRaw, kJSON:
		return b.raw(p, v, s.append(nil))
	case kText:
		if v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s.text)) == nil {
			return nil
		}
		return b.wrong("is not valid")
	}
	return b.wrong(p.must())
}

// raw hands canonical JSON to types that read it themselves.
func (b *binder) raw(p *plan, v reflect.Value, raw []byte) error {
	if p.kind == kRaw {
		v.SetBytes(raw)
		return nil
	}
	if v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw) != nil {
		return b.wrong("is not valid")
	}
	return nil
}

func (b *binder) time(p *plan, v reflect.Value, s scalar) error {
	if s.token == boolean {
		return b.wrong(p.must())
	}
	t := strings.TrimSpace(s.text)
	if s.token == number {
		t = whole(t)
	}
	at, err := ParseDate(t)
	if err != nil {
		return b.wrong(p.must())
	}
	switch d := v.Addr().Interface().(type) {
	case *time.Time:
		*d = at
	case *Time:
		*d = Time(at)
	}
	return nil
}
