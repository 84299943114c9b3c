package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// plain is bound alike by encoding/json.
type plain struct {
	ID      string
	Flag    bool
	N       int64
	Small   int8
	U       uint64
	F       float64
	Maybe   *bool
	Users   []string
	Args    paging
	Many    []paging
	Columns map[string]string
	Values  map[string]any
	Any     any
	Filter  json.RawMessage
}

// FuzzBind checks that no input panics or goes past the limits, that errors are typed, and that JSON which encoding/json
// accepts for the same struct gives the same values.
func FuzzBind(f *testing.F) {
	f.Add("", "application/json", createUser)
	f.Add("ID=x&users=a&users=b&args={PageSize:'5'}", form, `{'id':'x',Flag:True,}`)
	f.Add("n=%35", form, "id=a%40b&Name=c+d&flag=1")
	f.Add("", "text/plain; charset=iso-8859-1", "{\"ID\":\"\xfc\"}")
	f.Add("", "", "\uFEFF/**/[{role:'a'},]//")
	f.Add("", "", `{"Values":{"a":[1,{"b":undefined}],"a":[1,{}]},"Any":None,"Filter":{"x":'\ud83d\ude00',"l":[[]]}}`)
	f.Add("", "", `{"args":{"Deeper":{"Deeper":{"limit":1e1}}},"Many":[{"FilterBy":["a"]},null],"Maybe":null,"N":-9007199254740993}`)
	f.Add("", "", "\xff\xfe{\x00}\x00")
	f.Add("id=%00", "", `{"Users":["a\u0000"],"Values":{"a\u0000":"\u0000"}}`)
	f.Fuzz(func(t *testing.T, query, contentType, body string) {
		r := Request{Query: query, ContentType: contentType, Body: []byte(body), MaxDepth: 6, MaxKeys: 40}
		for _, into := range []any{new(shape), new(grants), new(newUser)} {
			_, err := Bind(r, into)
			if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Text == "" || e.Kind == 0 || e.Offset < 0) {
				t.Fatalf("error %#v", err)
			}
			if err == nil {
				within(t, reflect.ValueOf(into))
			}
		}
		differ(t, body)
	})
}

// within checks that what was bound respects the limits of FuzzBind and is clean text.
func within(t *testing.T, v reflect.Value) {
	total := 0
	var walk func(v reflect.Value, depth int)
	walk = func(v reflect.Value, depth int) {
		if depth > 6 {
			t.Fatalf("bound deeper than the limit: %+v", v)
		}
		switch v.Kind() {
		case reflect.String:
			if !utf8.ValidString(v.String()) || hasNUL(v.String()) {
				t.Fatalf("text that is not UTF-8, or has U+0000: %q", v)
			}
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem(), depth)
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Field(i); v.Type().Field(i).IsExported() {
					d := depth + 1
					if v.Type().Field(i).Anonymous {
						d = depth
					}
					walk(f, d-optional(v))
				}
			}
		case reflect.Slice:
			if raw, ok := v.Interface().(json.RawMessage); ok {
				if raw != nil && (!json.Valid(raw) || hasNUL(string(raw))) {
					t.Fatalf("raw value is not JSON: %s", raw)
				}
				return
			}
			total += v.Len()
			for i := range v.Len() {
				walk(v.Index(i), depth+1)
			}
		case reflect.Map:
			total += v.Len()
			for it := v.MapRange(); it.Next(); {
				walk(it.Key(), depth)
				walk(it.Value(), depth+1)
			}
		}
	}
	walk(v, 0)
	if total > 40 {
		t.Fatalf("%d elements bound, the limit is 40", total)
	}
}

// optional is the depth that an Optional struct adds in Go but not on the wire.
func optional(v reflect.Value) int {
	if v.CanAddr() {
		if _, ok := v.Addr().Interface().(Optional); ok {
			return 1
		}
	}
	return 0
}

// differ compares Bind with encoding/json where the latter accepts the body.
func differ(t *testing.T, body string) {
	folds := strings.ToLower(body)        // encoding/json also matches the long s and the Kelvin sign with s and k
	if strings.Contains(body, `\u0000`) { // encoding/json lets it pass
		return
	}
	if !utf8.ValidString(body) || strings.ContainsAny(body, "\u017F\u212A") || strings.Contains(folds, "017f") || strings.Contains(folds, "212a") {
		return
	}
	var want, got plain
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	if d.Decode(&want) != nil || d.More() || !json.Valid([]byte(body)) {
		return
	}
	_, err := Bind(Request{Body: []byte(body)}, &got)
	if e, ok := errors.AsType[*Error](err); ok && (e.Kind == Twice || e.Kind == TooDeep || e.Kind == TooMany) {
		return
	}
	if err != nil {
		t.Fatalf("encoding/json takes it, Bind says: %v", err)
	}
	if !sameJSON(got.Filter, want.Filter) {
		t.Fatalf("raw value\n got %s\nwant %s", got.Filter, want.Filter)
	}
	got.Filter, want.Filter = nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %+v\nwant %+v", got, want)
	}
}

func sameJSON(a, b json.RawMessage) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	read := func(raw []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return errDate
		}
		return v
	}
	return reflect.DeepEqual(read(a), read(b))
}
