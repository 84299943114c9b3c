package rpc

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// kind is how a Go type is bound.
type kind uint8

const (
	kString kind = iota
	kBool
	kInt
	kUint
	kFloat
	kTime
	kStruct
	kSlice
	kMap
	kPtr
	kOpt  // has SetNull and Ptr
	kAny  // interface{}
	kRaw  // json.RawMessage
	kJSON // has UnmarshalJSON
	kText // has UnmarshalText
)

// Optional is the structural interface of types that tell absent (no method is called), null and a value apart.
type Optional interface {
	SetNull()
	Ptr() any // marks the value as given and returns a pointer to it
}

// plan is what is known of a type before any request: built once per type.
type plan struct {
	kind kind
	typ  reflect.Type
	elem *plan // of kSlice, kMap, kPtr and kOpt

	fields []field
	names  map[string]int // lower-case name or other name: index into fields
	array  int            // index of the field that takes a bare JSON array as the body, or -1
	rest   int            // index of the field that takes the members of the body's object that no field names, or -1

	commas bool // kSlice: text is a list with commas
	one    bool // kSlice: a value that is no list stands for a list of one
}

// field is one parameter of a struct.
type field struct {
	name  string
	index []int
	plan  *plan
}

// of is the field in the struct v.
func (f *field) of(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	return v.FieldByIndex(f.index)
}

// maxName is the length in bytes that no parameter name exceeds.
const maxName = 64

// find gives the index of the field that key names without regard to ASCII case, or -1.
func (p *plan) find(key string) int {
	if len(key) > maxName {
		return -1
	}
	var lower [maxName]byte
	for i := range len(key) {
		c := key[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	if i, ok := p.names[string(lower[:len(key)])]; ok {
		return i
	}
	return -1
}

var plans sync.Map // reflect.Type: *plan or error

// Check reports whether Bind can bind to the struct that into points to, so that a mistake in a type shows when the
// program starts and not with its first request.
func Check(into any) error {
	t := reflect.TypeOf(into)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("rpc: %v is no pointer to a struct", t)
	}
	_, err := planOf(t.Elem())
	return err
}

func planOf(t reflect.Type) (*plan, error) {
	known, ok := plans.Load(t)
	if !ok {
		p, err := (&planner{}).structure(t)
		if err != nil {
			known, _ = plans.LoadOrStore(t, err)
		} else {
			known, _ = plans.LoadOrStore(t, p)
		}
	}
	if p, ok := known.(*plan); ok {
		return p, nil
	}
	return nil, known.(error)
}

// planner builds plans; structs in the making are remembered so that types may contain themselves.
type planner struct{ open map[reflect.Type]*plan }

var (
	timeType  = reflect.TypeFor[time.Time]()
	stampType = reflect.TypeFor[Time]()
	rawType   = reflect.TypeFor[json.RawMessage]()
	optType   = reflect.TypeFor[Optional]()
	jsonType  = reflect.TypeFor[json.Unmarshaler]()
	textType  = reflect.TypeFor[encoding.TextUnmarshaler]()
	restType  = reflect.TypeFor[map[string]any]()
)

func (b *planner) plan(t reflect.Type) (*plan, error) {
	p := &plan{typ: t, array: -1, rest: -1}
	switch pointer := reflect.PointerTo(t); {
	case t == timeType || t == stampType:
		p.kind = kTime
		return p, nil
	case t == rawType:
		p.kind = kRaw
		return p, nil
	case pointer.Implements(optType):
		p.kind = kOpt
		inner := reflect.TypeOf(reflect.New(t).Interface().(Optional).Ptr())
		if inner == nil || inner.Kind() != reflect.Pointer {
			return nil, fmt.Errorf("rpc: Ptr of %v gives no pointer", t)
		}
		return b.container(p, inner.Elem())
	case t.Kind() != reflect.Pointer && pointer.Implements(jsonType):
		p.kind = kJSON
		return p, nil
	case t.Kind() != reflect.Pointer && pointer.Implements(textType):
		p.kind = kText
		return p, nil
	}
	switch t.Kind() {
	case reflect.String:
		p.kind = kString
	case reflect.Bool:
		p.kind = kBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		p.kind = kInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		p.kind = kUint
	case reflect.Float32, reflect.Float64:
		p.kind = kFloat
	case reflect.Struct:
		return b.structure(t)
	case reflect.Pointer:
		p.kind = kPtr
		return b.container(p, t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil, fmt.Errorf("rpc: bytes have no form in the dialect: %v", t)
		}
		p.kind = kSlice
		return b.container(p, t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("rpc: the keys of %v are no strings", t)
		}
		p.kind = kMap
		return b.container(p, t.Elem())
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return nil, fmt.Errorf("rpc: cannot bind to %v", t)
		}
		p.kind = kAny
	default:
		return nil, fmt.Errorf("rpc: cannot bind to %v", t)
	}
	return p, nil
}

func (b *planner) container(p *plan, elem reflect.Type) (*plan, error) {
	var err error
	p.elem, err = b.plan(elem)
	return p, err
}

func (b *planner) structure(t reflect.Type) (*plan, error) {
	if p := b.open[t]; p != nil {
		return p, nil
	}
	p := &plan{kind: kStruct, typ: t, names: map[string]int{}, array: -1, rest: -1}
	if b.open == nil {
		b.open = map[reflect.Type]*plan{}
	}
	b.open[t] = p
	return p, b.fields(p, t, nil)
}

// fields adds the fields of t, those of embedded structs included, to p.
func (b *planner) fields(p *plan, t reflect.Type, index []int) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(index[:len(index):len(index)], i)
		switch {
		case name == "-":
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && f.Type != timeType:
			if err := b.fields(p, f.Type, at); err != nil {
				return err
			}
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Pointer:
			return fmt.Errorf("rpc: %v embeds a pointer", t)
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		if err := b.field(p, f, name, at); err != nil {
			return fmt.Errorf("%w (field %s of %v)", err, f.Name, t)
		}
	}
	return nil
}

func (b *planner) field(p *plan, f reflect.StructField, name string, index []int) error {
	fp, err := b.plan(f.Type)
	if err != nil {
		return err
	}
	at := len(p.fields)
	if f.Tag.Get("rpc") == "rest" {
		if f.Type != restType || p.rest >= 0 {
			return fmt.Errorf("rpc: one %v takes the rest", restType)
		}
		p.rest = at
		p.fields = append(p.fields, field{name: name, index: index, plan: fp})
		return nil
	}
	if options := f.Tag.Get("rpc"); options != "" {
		if fp, err = fp.with(options); err != nil {
			return err
		}
		if hasOption(options, "array") {
			if p.array >= 0 {
				return fmt.Errorf("rpc: two fields take the bare array")
			}
			p.array = at
		}
	}
	p.fields = append(p.fields, field{name: name, index: index, plan: fp})
	names := []string{name}
	if also := f.Tag.Get("also"); also != "" {
		names = append(names, strings.Split(also, ",")...)
	}
	for _, n := range names {
		key := strings.ToLower(strings.TrimSpace(n))
		if _, taken := p.names[key]; taken || key == "" || len(key) > maxName {
			return fmt.Errorf("rpc: the name %q is taken, empty or too long", n)
		}
		p.names[key] = at
	}
	return nil
}

// with gives a copy of the plan of a list that takes the options of an rpc tag.
func (p *plan) with(options string) (*plan, error) {
	c := *p
	if p.kind == kOpt || p.kind == kPtr {
		elem, err := p.elem.with(options)
		c.elem = elem
		return &c, err
	}
	if p.kind != kSlice {
		return nil, fmt.Errorf("rpc: the tag %q is for lists", options)
	}
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "commas":
			c.commas = true
		case "one":
			c.one = true
		case "array":
		default:
			return nil, fmt.Errorf("rpc: unknown option %q", o)
		}
	}
	return &c, nil
}

func hasOption(options, want string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == want {
			return true
		}
	}
	return false
}
