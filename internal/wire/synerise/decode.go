package synerise

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Source is a request.
type Source struct {
	Path  map[string]string // values of the path's segments
	Query url.Values
	Body  []byte
	Plain bool // the request has no body by its method: all that is not in the path is in the query
}

// Decode fills in, a pointer to a struct, by the names of its fields' tags json: from the path what the path has, from the query
// what has the tag in:"query" or, of requests without bodies, everything, and the rest from the body, which may be empty. What is
// not known is ignored. Path and query may hold texts, numbers, truth values, and numbers joined by commas.
func Decode(in any, from Source) error {
	v := reflect.ValueOf(in).Elem()
	if body := bytes.TrimSpace(from.Body); !from.Plain && len(body) > 0 {
		if err := decodeBody(in, body); err != nil {
			return err
		}
	}
	return fill(v, from)
}

func decodeBody(in any, body []byte) error {
	if !utf8.Valid(body) {
		return bad("", "is no text in UTF-8")
	}
	err := json.Unmarshal(body, in)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return bad("", "must be %s", kindOf(wrong.Type))
		}
		return bad(called(reflect.TypeOf(in).Elem(), wrong.Field), "must be %s", kindOf(wrong.Type))
	}
	if err != nil {
		return bad("", "is no JSON")
	}
	return nil
}

// called is the name of a field as clients know it, without the structs that it is embedded by.
func called(t reflect.Type, field string) string {
	head, rest, more := strings.Cut(field, ".")
	if f, ok := t.FieldByName(head); more && ok && f.Anonymous {
		return called(f.Type, rest)
	}
	return field
}

// kindOf says in words what a field takes.
func kindOf(t reflect.Type) string {
	if t == nil {
		return "of another type"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Float64:
		return "a number"
	}
	return "of another type"
}

// fill takes what the path and the query hold. What is in the path is taken from there alone.
func fill(v reflect.Value, from Source) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			if err := fill(v.Field(i), from); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		text, there := from.Path[name]
		if !there && (from.Plain || f.Tag.Get("in") == "query") {
			there, text = from.Query.Has(name), from.Query.Get(name)
		}
		if f.Tag.Get("in") == "query" && !there || hasPath(from, name) {
			v.Field(i).SetZero() // whatever a body said
		}
		if there {
			if err := put(v.Field(i), name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func hasPath(from Source, name string) bool {
	_, ok := from.Path[name]
	return ok
}

// optional is a field that tells whether it was sent.
type optional interface{ Ptr() any }

// put reads a text into a field.
func put(v reflect.Value, name, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return bad(name, "must be a text in UTF-8")
	}
	if o, ok := v.Addr().Interface().(optional); ok {
		return put(reflect.ValueOf(o.Ptr()).Elem(), name, text)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return bad(name, "must be true or false")
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		if text == "" {
			return nil
		}
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return bad(name, "must be a number")
		}
		v.SetInt(n)
	case reflect.Slice:
		ids, err := IDs(name, text)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(ids))
	default:
		return bad(name, "cannot be sent so")
	}
	return nil
}

// secrets are parts of names of fields whose values are never sent back.
var secrets = []string{"password", "secret", "token", "code", "key"}

// Rejected is the value that a request sent in a field, for the answer that refuses it; nil where it sent none, where it is long, or
// where it may be a secret.
func Rejected(field string, from Source) any {
	name := strings.ToLower(field)
	for _, s := range secrets {
		if strings.Contains(name, s) {
			return nil
		}
	}
	if text, ok := from.Path[field]; ok {
		return short(text)
	}
	if from.Query.Has(field) {
		return short(from.Query.Get(field))
	}
	var sent map[string]any
	if from.Plain || len(from.Body) > maxRejected*16 || json.Unmarshal(from.Body, &sent) != nil {
		return nil
	}
	switch v := sent[field].(type) {
	case string:
		return short(v)
	case float64, bool:
		return v
	}
	return nil
}

// maxRejected is how many bytes of a refused value are sent back.
const maxRejected = 200

func short(text string) any {
	if len(text) > maxRejected || !utf8.ValidString(text) {
		return nil
	}
	return text
}
