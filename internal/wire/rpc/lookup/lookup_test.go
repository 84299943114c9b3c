package lookup_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/wire/rpc/lookup"
)

func is(field, value string) lookup.Query {
	return lookup.Query{Kind: lookup.Is, Field: field, Value: value}
}

func like(field, value string) lookup.Query {
	return lookup.Query{Kind: lookup.Like, Field: field, Value: value}
}

func both(of ...lookup.Query) lookup.Query   { return lookup.Query{Kind: lookup.All, Of: of} }
func either(of ...lookup.Query) lookup.Query { return lookup.Query{Kind: lookup.Any, Of: of} }

// Queries that clients were seen to send (directories.yaml, examples_seen).
var seen = map[string]lookup.Query{
	`{}`:                  {},
	`{"DisplayName":"x"}`: is("DisplayName", "x"),
	`{"_and":[{"_or":[{"DisplayName":{"_like":"x"}},{"givenName":{"_like":"x"}},{"sn":{"_like":"x"}},{"SystemName":{"_like":"x"}}]},{"ObjectType":"user"}]}`: both(
		either(like("DisplayName", "x"), like("givenName", "x"), like("sn", "x"), like("SystemName", "x")), is("ObjectType", "user")),
	`{"_or":[{"DisplayName":{"_like":"x"}}],"ObjectType":"user"}`:                          both(is("ObjectType", "user"), either(like("DisplayName", "x"))),
	`{"Name":{"_like":{"value":"x","ignoreCase":true}}}`:                                   like("Name", "x"),
	`{"_or":[{"Name":{"_eq":"x"}},{"_ID":{"_eq":"x"}}]}`:                                   either(is("Name", "x"), is("_ID", "x")),
	`{"_or":[{"_ID":{"_like":"x"}},{"Name":{"_like":{"value":"x","ignoreCase":"true"}}}]}`: either(like("_ID", "x"), like("Name", "x")),
	`{'Name': {'_eq': 'x'}}`:            is("Name", "x"),
	`{'Name': {'_eq': "O'Brien"}}`:      is("Name", "O'Brien"),
	`[{"DisplayName":"x"},{"EMail":7}]`: either(is("DisplayName", "x"), is("EMail", "7")),
	`{"_or":[]}`:                        either(),
	`{"Name":{"_like":"x","_eq":"xy"}}`: both(is("Name", "xy"), like("Name", "x")),
}

func TestParse(t *testing.T) {
	for text, want := range seen {
		got, err := lookup.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                              "no JSON",
		`"x"`:                           "no object",
		`{"Name":{"_like":"x"}`:         "no JSON",
		`{"Name":{"_like":"a"b"}}`:      "no JSON",
		`{"Name":{"_ne":"x"}}`:          `unknown operator "_ne"`,
		`{"_not":[{"Name":"x"}]}`:       `unknown operator "_not"`,
		`{"":"x"}`:                      "unknown operator",
		`{"Name":{}}`:                   "says nothing",
		`{"Name":null}`:                 "has null",
		`{"Name":["x"]}`:                "has a list",
		`{"Name":{"_like":{}}}`:         "no value",
		`{"_or":{"Name":"x"}}`:          "needs a list",
		`{"_or":["x"]}`:                 "has a single value",
		`{"a":"` + long(1001) + `"}`:    "more than 1000 bytes",
		`{"a":"` + long(64<<10) + `"}`:  "longer than",
		`[` + repeat(`{"a":"x"}`) + `]`: "more than 60 conditions",
		`[` + strings.TrimSuffix(strings.Repeat("{},", 61), ",") + `]`: "more than 60 conditions",
		nested(20): "nested deeper",
	} {
		_, err := lookup.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
}

func long(n int) string      { return strings.Repeat("x", n) }
func repeat(s string) string { return strings.TrimSuffix(strings.Repeat(s+",", 101), ",") }

func nested(n int) string {
	return strings.Repeat(`{"_or":[`, n) + `{"a":"x"}` + strings.Repeat(`]}`, n)
}

func TestExact(t *testing.T) {
	got, ok := either(like("Name", "x"), both(is("_ID", "y"), like("a", "z"))).Exact()
	if want := either(is("Name", "x"), both(is("_ID", "y"), is("a", "z"))); !ok || !cmp.Equal(got, want) {
		t.Errorf("%+v %v", got, ok)
	}
	if got, ok := both(is("Name", "x")).Exact(); ok || !cmp.Equal(got, both(is("Name", "x"))) {
		t.Errorf("%+v %v", got, ok)
	}
}

func FuzzParse(f *testing.F) {
	for text := range seen {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := lookup.Parse(text)
		if err != nil {
			return
		}
		if n, deep := measure(q); n > 100 || deep > 40 {
			t.Errorf("%d pieces, %d deep", n, deep)
		}
		exact, differs := q.Exact()
		if differs == cmp.Equal(exact, q) {
			t.Errorf("%+v: differs %v", q, differs)
		}
	})
}

func measure(q lookup.Query) (n, deep int) {
	n = 1
	for _, of := range q.Of {
		m, d := measure(of)
		n, deep = n+m, max(deep, d)
	}
	return n, deep + 1
}
