package provision

import (
	"testing"

	"limen/internal/wire/scim"
)

func TestFolded(t *testing.T) {
	for _, x := range []struct {
		op      scim.Op
		s, want string
	}{
		{scim.Eq, " Anna ", "anna"}, {scim.Sw, "Anna ", "anna "}, {scim.Sw, " anna", " anna"}, {scim.Ew, " Berg", " berg"}, {scim.Ew, "berg ", "berg "},
		{scim.Co, " a ", " a "}, {scim.Co, " ", " "}, {scim.Sw, " ", " "}, {scim.Eq, " ", ""}, {scim.Gt, "b ", "b"}, {scim.Co, "", ""},
	} {
		if got := folded(x.op, x.s); got != x.want {
			t.Errorf("%s %q: %q, and not %q", x.op, x.s, got, x.want)
		}
	}
}

// TestSought wants the value that is certain, and none where others may meet the filter.
func TestSought(t *testing.T) {
	leaf := func(op scim.Op, name, arg string) scim.Filter {
		return scim.Filter{Op: op, At: scim.Path{Attr: &scim.Attribute{Name: name}}, Arg: arg}
	}
	a, b, kind := leaf(scim.Eq, "value", "A@x"), leaf(scim.Co, "value", "b"), leaf(scim.Eq, "type", "work")
	join := func(op scim.Op, of ...scim.Filter) scim.Filter { return scim.Filter{Op: op, Of: of} }
	for want, fs := range map[string][]scim.Filter{
		"a@x": {a, join(scim.And, kind, a), join(scim.And, b, join(scim.And, kind, a))},
		"":    {b, kind, join(scim.Or, a, kind), join(scim.Not, a), join(scim.And, kind, b), leaf(scim.Ne, "value", "a@x")},
	} {
		for _, f := range fs {
			if got := sought(f); got != want {
				t.Errorf("%+v: %q, and not %q", f, got, want)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	for list, want := range map[string]bool{
		"": true, "*": true, `W/"3"`: true, `"3"`: true, `W/"2", W/"3"`: true, `W/"2"`: false, `3`: false, `W/"33"`: false,
	} {
		if Matches(list, `W/"3"`) != want {
			t.Error(list)
		}
	}
}

func TestBeyond(t *testing.T) {
	was := scim.Object{"userName": "a", "displayName": "A", "name": scim.Object{"givenName": "A"}, "title": "T"}
	for want, now := range map[string]scim.Object{
		"":         {"userName": "a", "displayName": "B", "title": "T", "locale": "de"},
		"title":    {"userName": "a", "title": "Boss"},
		"userName": {"userName": "b", "title": "T"},
		"active":   {"userName": "a", "title": "T", "active": false},
	} {
		if got := beyond(was, now); got != want {
			t.Errorf("%v: %q, and not %q", now, got, want)
		}
	}
	if beyond(was, scim.Object{"userName": "a"}) != "title" {
		t.Error("a title may be taken away")
	}
}
