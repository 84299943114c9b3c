package scim_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/wire/scim"
)

func TestReadQuery(t *testing.T) {
	for text, want := range map[string]scim.Query{
		``: {Start: 1, Count: -1}, `startIndex=0&count=-3`: {Start: 1}, `STARTINDEX=11&itemsPerPage=10`: {Start: 11, Count: 10},
		`count=5&itemsPerPage=10`: {Start: 1, Count: 5}, `cursor=&count=2`: {Start: 1, Count: 2, ByCursor: true},
		`filter=a%20eq%20%22x%22&sortBy=userName&sortOrder=Descending`: {Start: 1, Count: -1, Filter: `a eq "x"`, SortBy: "userName", Desc: true},
		`attributes=a,%20b&attributes=c&excludedAttributes=d`:          {Start: 1, Count: -1, Attributes: []string{"a", "b", "c"}, Excluded: []string{"d"}},
	} {
		v, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := scim.ReadQuery(v)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Error(text, err, d)
		}
	}
	_, err := scim.ReadQuery(url.Values{"count": {"x"}})
	fails(t, err, scim.InvalidCount)
	_, err = scim.ReadQuery(url.Values{"startIndex": {"x"}})
	fails(t, err, scim.InvalidValue)
	got, err := scim.ReadSearch([]byte(`{"schemas":["` + scim.SearchURN + `"],"Filter":"a pr","startIndex":2,"count":"3","attributes":["a","b"],"cursor":""}`))
	if d := cmp.Diff(scim.Query{Filter: "a pr", Start: 2, Count: 3, Attributes: []string{"a", "b"}, ByCursor: true}, got); d != "" || err != nil {
		t.Error(err, d)
	}
	_, err = scim.ReadSearch([]byte(`{"filter":["a"]}`))
	fails(t, err, scim.InvalidSyntax)
}

func TestCursor(t *testing.T) {
	q := scim.Query{Filter: "title pr", SortBy: "title", ByCursor: true}
	if key, err := q.Behind(2); key != nil || err != nil {
		t.Fatal(key, err)
	}
	next := q
	next.Cursor = q.NextCursor([]string{"a\x00", "b"})
	if key, err := next.Behind(1, 2); err != nil || !slices.Equal(key, []string{"a\x00", "b"}) {
		t.Fatal(key, err)
	}
	other := next
	other.Desc = true
	long := next
	long.Cursor = strings.Repeat("a", 9000)
	for _, q := range []scim.Query{other, long, {Cursor: "x!"}, {Cursor: "AAAA"}} {
		_, err := q.Behind(2)
		fails(t, err, scim.InvalidCursor)
	}
	_, err := next.Behind(3)
	fails(t, err, scim.InvalidCursor)
}

func TestBulk(t *testing.T) {
	b, err := scim.ReadBulk([]byte(`{"failOnErrors":1,"Operations":[
		{"method":"post","path":"/Users","bulkId":"q1","data":{"userName":"A"}},
		{"method":"POST","path":"/Groups","bulkId":"q2","data":{"displayName":"G","members":[{"type":"User","value":"bulkId:q1"}]}},
		{"method":"PATCH","path":"/Groups/bulkId:q2","version":"W/\"1\"","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:q1\"]"}]}},
		{"method":"DELETE","path":"/Users/7"}]}`), 10)
	if err != nil || b.FailOn != 1 || len(b.Ops) != 4 {
		t.Fatalf("%+v %v", b, err)
	}
	for i, want := range [][]string{nil, {"q1"}, {"q1", "q2"}, nil} {
		if got := b.Ops[i].Needs(); !slices.Equal(got, want) {
			t.Error(i, got)
		}
	}
	got := b.Ops[2].With(map[string]string{"q1": "u-1", "q2": "g-2"})
	if got.Path != "/Groups/g-2" || written(t, got.Data) != `{"Operations":[{"op":"remove","path":"members[value eq \"u-1\"]"}]}` || len(got.Needs()) != 0 {
		t.Errorf("%+v", got)
	}
	if got := b.Ops[1].With(nil); !slices.Equal(got.Needs(), []string{"q1"}) {
		t.Errorf("%+v", got)
	}
	for text, kind := range map[string]string{
		`{}`: scim.InvalidSyntax, `{"Operations":[7]}`: scim.InvalidSyntax, `{"Operations":[{"method":"GET","path":"/Users"}]}`: scim.InvalidSyntax,
		`{"Operations":[{"method":"POST","path":"/Users","data":{}}]}`: scim.InvalidSyntax, `{"Operations":[{"method":"DELETE","path":"Users/1"}]}`: scim.InvalidPath,
		`{"failOnErrors":-1,"Operations":[{"method":"DELETE","path":"/Users/1"}]}`:                                               scim.InvalidSyntax,
		`{"Operations":[{"method":"DELETE","path":"/Users/1"},{"method":"DELETE","path":"/Users/1"}]}`:                           scim.TooMany,
		`{"Operations":[{"method":"DELETE","path":"/Users/1","bulkId":"a"},{"method":"DELETE","path":"/Users/1","bulkId":"a"}]}`: "2",
	} {
		most := 1
		if kind == "2" {
			most, kind = 2, scim.InvalidSyntax
		}
		_, err := scim.ReadBulk([]byte(text), most)
		fails(t, err, kind)
	}
}

func TestList(t *testing.T) {
	l := scim.NewList(scim.Query{Start: 3, Count: 2}, 9, "", nil)
	if got := written(t, l); got != `{"schemas":["`+scim.ListURN+`"],"totalResults":9,"itemsPerPage":0,"startIndex":3,"Resources":[]}` {
		t.Error(got)
	}
	if got := written(t, scim.NewFailure(404, "", "gone")); got != `{"schemas":["`+scim.ErrorURN+`"],"status":"404","detail":"gone"}` {
		t.Error(got)
	}
}
