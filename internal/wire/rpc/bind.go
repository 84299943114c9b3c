package rpc

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Request is where the parameters of one call come from.
type Request struct {
	Path        map[string]string // values taken from the path; may be nil
	Query       string            // the raw query string, without the question mark
	Form        url.Values        // text fields of a form that the caller has read already (multipart); may be nil
	ContentType string            // the header as sent
	Body        []byte            // JSON or an urlencoded form; not looked at under a multipart type
	MaxDepth    int               // levels of nesting; 0 means 32
	MaxKeys     int               // members and elements; 0 means 10,000
}

// Limits when a Request names none.
const (
	DefaultDepth = 32
	DefaultKeys  = 10_000
)

// Bind fills the struct that into points to from all sources of r and returns how many of its parameters were given.
// Fields of absent parameters keep what they hold. Errors are of type *Error, except when the struct itself cannot be
// bound to (see Check).
//
// A parameter is named by its field's json tag, or else by the field's name, and by the names of the tag also:"A,B".
// null leaves a plain field alone and empties pointers, lists and maps; for Optional fields it is a value of its own.
// Blank text given for anything but text is null. Tag rpc, for lists only: "commas" takes text as a list with commas,
// "one" takes a single value as a list of one, "array" takes a body that is a bare array (with "one" also a body that
// is a single element). Members that no field names are read, limited and ignored, unless a field of type map[string]any
// with the tag rpc:"rest" takes those of the body. Text with U+0000 is refused.
func Bind(r Request, into any) (matched int, err error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return 0, fmt.Errorf("rpc: %T is no pointer to a struct", into)
	}
	if len(r.Body) == 0 && r.Query == "" && len(r.Form) == 0 && len(r.Path) == 0 {
		return 0, nil
	}
	p, err := planOf(v.Elem().Type())
	if err != nil {
		return 0, err
	}
	b := binders.Get().(*binder)
	defer b.free()
	b.maxDepth, b.maxKeys = r.MaxDepth, r.MaxKeys
	if b.maxDepth <= 0 {
		b.maxDepth = DefaultDepth
	}
	if b.maxKeys <= 0 {
		b.maxKeys = DefaultKeys
	}
	b.reserve(len(p.fields))
	if err := b.sources(&r, p, v.Elem()); err != nil {
		return 0, err
	}
	for _, m := range b.marks[:len(p.fields)] {
		if m.source != nowhere {
			matched++
		}
	}
	return matched, nil
}

// source is where a parameter was given.
type source uint8

const (
	nowhere source = iota
	inPath
	inQuery
	inForm
	inBody
)

var sourceNames = [...]string{"nowhere", "the path", "the query", "the form", "the body"}

// mark remembers how a parameter was given, to tell when it is given again.
type mark struct {
	key    string // as the client spelled it
	source source
	null   bool
}

// binder is the state of one Bind.
type binder struct {
	scanner
	marks []mark // one per field of every open struct
	out   []byte // canonical JSON in the making
}

var binders = sync.Pool{New: func() any { return new(binder) }}

// free returns b to the pool without the request's data.
func (b *binder) free() {
	clear(b.marks[:cap(b.marks)])
	clear(b.path[:cap(b.path)])
	keep := binder{marks: b.marks[:0], out: b.out[:0]}
	keep.path, keep.scratch = b.path[:0], b.scratch[:0]
	clear(b.scratch[:cap(b.scratch)])
	clear(b.out[:cap(b.out)])
	if cap(keep.scratch)+cap(keep.out) > 64<<10 || cap(keep.marks) > 1<<10 {
		keep = binder{}
	}
	*b = keep
	binders.Put(b)
}

// reserve appends marks for n fields and returns the index of the first.
func (b *binder) reserve(n int) int {
	at := len(b.marks)
	b.marks = slices.Grow(b.marks, n)[:at+n]
	clear(b.marks[at:])
	return at
}

func (b *binder) sources(r *Request, p *plan, v reflect.Value) error {
	if err := b.texts(p, v, inPath, r.Path); err != nil {
		return err
	}
	if err := b.pairs(p, v, inQuery, r.Query); err != nil {
		return err
	}
	if err := b.form(p, v, r.Form); err != nil {
		return err
	}
	if len(r.Body) == 0 {
		return nil
	}
	media := mediaType(r.ContentType)
	if strings.HasPrefix(media, "multipart/") {
		return nil
	}
	body, err := decode(r.Body, r.ContentType)
	if err != nil {
		return err
	}
	if (media == "application/x-www-form-urlencoded" || media == "text/plain") && !looksLikeJSON(body) {
		return b.pairs(p, v, inBody, strings.TrimSpace(body))
	}
	return b.body(p, v, body)
}

// texts binds path values.
func (b *binder) texts(p *plan, v reflect.Value, from source, values map[string]string) error {
	for _, key := range sortedKeys(values) {
		if err := b.named(p, v, from, key, values[key]); err != nil {
			return err
		}
	}
	return nil
}

// form binds the values of a form that was read elsewhere.
func (b *binder) form(p *plan, v reflect.Value, values url.Values) error {
	for _, key := range sortedKeys(values) {
		for _, value := range values[key] {
			if err := b.named(p, v, inForm, key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// pairs binds a query string or an urlencoded form.
func (b *binder) pairs(p *plan, v reflect.Value, from source, raw string) error {
	for at := 0; at < len(raw); {
		pair, _, _ := strings.Cut(raw[at:], "&")
		offset := int64(at)
		at += len(pair) + 1
		if pair == "" {
			continue
		}
		k, t, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(t)
		if err != nil || err2 != nil {
			return &Error{Kind: Malformed, Field: key, Offset: offset, Text: "A percent sign must be followed by two hexadecimal digits in " + sourceNames[from] + "."}
		}
		if err := b.named(p, v, from, key, value); err != nil {
			return err
		}
	}
	return nil
}

// named binds one parameter that is given as text.
func (b *binder) named(p *plan, v reflect.Value, from source, key, value string) error {
	if err := b.count(); err != nil {
		return err
	}
	i := p.find(key)
	if i < 0 {
		return nil
	}
	f := &p.fields[i]
	b.path = append(b.path[:0], segment{object: true, started: true, n: -1, key: key, field: f.name})
	if !utf8.ValidString(value) {
		return &Error{Kind: Malformed, Field: f.name, Text: "Parameter " + f.name + " is not valid UTF-8."}
	}
	if hasNUL(value) {
		return b.nul()
	}
	err := b.put(f, v, i, given{source: from, key: key, text: value, isText: true})
	b.path = b.path[:0]
	return err
}
