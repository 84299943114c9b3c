package rpc

import (
	"encoding/json"
	"net/url"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// clean is any text that may be bound.
var clean = rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "\x00", "") })

var pagings = rapid.Custom(func(t *rapid.T) paging {
	return paging{
		PageNumber: rapid.Int().Draw(t, "PageNumber"), PageSize: rapid.Int().Draw(t, "PageSize"), Limit: rapid.IntRange(-2, 2).Draw(t, "Limit"),
		SortBy: clean.Draw(t, "SortBy"), Ascending: rapid.Bool().Draw(t, "Ascending"), FilterBy: rapid.SliceOfN(clean, 0, 3).Draw(t, "FilterBy"),
	}
})

var plains = rapid.Custom(func(t *rapid.T) plain {
	return plain{
		ID: clean.Draw(t, "ID"), Flag: rapid.Bool().Draw(t, "Flag"), N: rapid.Int64().Draw(t, "N"), Small: rapid.Int8().Draw(t, "Small"),
		U: rapid.Uint64().Draw(t, "U"), F: rapid.Float64().Draw(t, "F"), Maybe: rapid.Ptr(rapid.Bool(), true).Draw(t, "Maybe"),
		Users: rapid.SliceOfN(clean, 0, 4).Draw(t, "Users"), Args: pagings.Draw(t, "Args"), Many: rapid.SliceOfN(pagings, 0, 3).Draw(t, "Many"),
		Columns: rapid.MapOfN(clean, clean, 0, 3).Draw(t, "Columns"),
		Values:  map[string]any{"x": rapid.Bool().Draw(t, "x")}, Any: clean.Draw(t, "Any"), Filter: json.RawMessage(`{"a":[1,"b"]}`),
	}
})

// Whatever is written as JSON, in any case of names and any of the tolerated spellings, is bound to the same values.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := plains.Draw(t, "plain")
		strict, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		d := json.NewDecoder(strings.NewReader(string(strict)))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		w := sloppy{T: t}
		w.value(tree, reflect.TypeFor[plain]())
		body := w.String()
		for _, text := range []string{string(strict), body} {
			var got plain
			if n, err := Bind(Request{Body: []byte(text)}, &got); err != nil || n != 14 || !reflect.DeepEqual(got, want) {
				t.Fatalf("%d %v\n%s\n got %+v\nwant %+v", n, err, text, got, want)
			}
		}
	})
}

// The scalars travel through a query or a form as well.
func TestRoundTripText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := plains.Draw(t, "plain")
		want := plain{ID: p.ID, Flag: p.Flag, N: p.N, Small: p.Small, U: p.U, F: p.F}
		if len(p.Users) > 1 {
			want.Users = []string{"u" + p.Users[0], "u" + p.Users[1]}
		}
		w := sloppy{T: t}
		values := url.Values{w.name("ID"): {p.ID}, w.name("Flag"): {strconv.FormatBool(p.Flag)}, w.name("N"): {strconv.FormatInt(p.N, 10)},
			w.name("Small"): {strconv.Itoa(int(p.Small))}, w.name("U"): {strconv.FormatUint(p.U, 10)}, w.name("F"): {strconv.FormatFloat(p.F, 'g', -1, 64)}, w.name("Users"): want.Users}
		for _, r := range []Request{{Query: values.Encode()}, {ContentType: form, Body: []byte(values.Encode())}, {Form: values}} {
			var got plain
			if _, err := Bind(r, &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v\n%+v\n got %+v\nwant %+v", err, r, got, want)
			}
		}
	})
}

// sloppy writes JSON as careless clients do.
type sloppy struct {
	*rapid.T
	strings.Builder
}

func (w *sloppy) chance(label string) bool { return rapid.IntRange(0, 3).Draw(w.T, label) == 0 }

func (w *sloppy) space() {
	w.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "\r\n\t", "/* , */", "// }\n", "\u00a0"}).Draw(w.T, "space"))
}

func (w *sloppy) name(s string) string {
	switch rapid.IntRange(0, 2).Draw(w.T, "case") {
	case 0:
		return strings.ToLower(s)
	case 1:
		return strings.ToUpper(s)
	}
	return s
}

// value writes v, which is bound to a type t.
func (w *sloppy) value(v any, t reflect.Type) {
	w.space()
	switch v := v.(type) {
	case nil:
		w.WriteString(rapid.SampledFrom([]string{"null", "None"}).Draw(w.T, "null"))
	case bool:
		s := strconv.FormatBool(v)
		if w.chance("Python") {
			s = strings.ToUpper(s[:1]) + s[1:]
		}
		w.scalar(s, t)
	case json.Number:
		w.scalar(v.String(), t)
	case string:
		w.text(v)
	case []any:
		w.WriteByte('[')
		for i, e := range v {
			w.value(e, elem(t))
			w.comma(i == len(v)-1)
		}
		w.WriteByte(']')
	case map[string]any:
		w.members(v, t)
	}
	w.space()
}

func (w *sloppy) members(m map[string]any, t reflect.Type) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	w.WriteByte('{')
	for i, k := range keys {
		w.space()
		inner := elem(t)
		if t.Kind() != reflect.Struct {
			w.text(k)
		} else {
			f, _ := t.FieldByName(k)
			inner = f.Type
			if spelled := w.name(k); w.chance("bare") {
				w.WriteString(spelled)
			} else {
				w.text(spelled)
			}
		}
		w.space()
		w.WriteByte(':')
		w.value(m[k], inner)
		w.comma(i == len(keys)-1)
	}
	w.WriteByte('}')
}

func (w *sloppy) comma(last bool) {
	if !last || w.chance("trailing comma") {
		w.WriteByte(',')
	}
}

// scalar writes a number or boolean, perhaps as text where the type tells the reader what it is.
func (w *sloppy) scalar(s string, t reflect.Type) {
	if t.Kind() != reflect.Interface && t != rawType && w.chance("as text") {
		w.text(s)
		return
	}
	w.WriteString(s)
}

func (w *sloppy) text(s string) {
	b := string(appendString(nil, s))
	if w.chance("single quotes") {
		b = "'" + strings.ReplaceAll(strings.ReplaceAll(b[1:len(b)-1], `\"`, `"`), `'`, `\'`) + "'"
	}
	w.WriteString(b)
}

func elem(t reflect.Type) reflect.Type {
	if k := t.Kind(); (k == reflect.Slice || k == reflect.Map || k == reflect.Pointer) && t != rawType {
		return t.Elem()
	}
	return t
}
