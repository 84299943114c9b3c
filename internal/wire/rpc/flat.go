package rpc

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// flat is how a struct of texts, whole numbers, booleans and times is written without encoding/json, which takes three
// times as long. Most results are such structs.
type flat []member

// member is a field of a flat struct.
type member struct {
	key   []byte // what stands before the value: a brace or comma, the name and a colon
	index int
	kind  kind
}

var flats sync.Map // reflect.Type: flat, nil when encoding/json writes the type

// appendFlat writes v as encoding/json does; false when v is no flat struct.
func appendFlat(dst []byte, v any) ([]byte, bool) {
	t := reflect.TypeOf(v)
	if t.Kind() != reflect.Struct {
		return dst, false
	}
	known, ok := flats.Load(t)
	if !ok {
		known, _ = flats.LoadOrStore(t, flatOf(t))
	}
	f := known.(flat)
	if f == nil {
		return dst, false
	}
	s := reflect.ValueOf(v)
	for _, m := range f {
		dst = append(dst, m.key...)
		switch at := s.Field(m.index); m.kind {
		case kString:
			dst = appendString(dst, at.String())
		case kBool:
			dst = strconv.AppendBool(dst, at.Bool())
		case kInt:
			dst = strconv.AppendInt(dst, at.Int(), 10)
		case kTime:
			dst, _ = at.Interface().(Time).AppendJSON(dst) // never fails
		}
	}
	return append(dst, '}'), true
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func marshals(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshaler) || p.Implements(textMarshaler)
}

// flatOf is nil for a type with anything that needs encoding/json: an option in a tag, a part with fields of its own, or a
// type with a way of its own.
func flatOf(t reflect.Type) flat {
	if marshals(t) {
		return nil
	}
	var out flat
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			return nil
		}
		if !f.IsExported() {
			continue
		}
		name := f.Tag.Get("json")
		if name == "" || strings.Trim(name, letters) != "" {
			return nil
		}
		k, ok := flatKind(f.Type)
		if !ok {
			return nil
		}
		before := byte(',')
		if out == nil {
			before = '{'
		}
		out = append(out, member{append(appendString([]byte{before}, name), ':'), i, k})
	}
	return out
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

func flatKind(t reflect.Type) (kind, bool) {
	if t == reflect.TypeFor[Time]() {
		return kTime, true
	}
	if marshals(t) {
		return 0, false
	}
	switch t.Kind() {
	case reflect.String:
		return kString, t != reflect.TypeFor[json.Number]()
	case reflect.Bool:
		return kBool, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return kInt, true
	}
	return 0, false
}
