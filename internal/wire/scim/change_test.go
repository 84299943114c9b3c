package scim_test

import (
	"reflect"
	"testing"

	"limen/internal/wire/scim"
)

// What tells two resources apart makes the one of the other, and leaves alone what neither has.
func TestDifferences(t *testing.T) {
	const urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for _, x := range []struct{ from, to, want string }{
		{`{"userName":"a"}`, `{"userName":"a","schemas":["x"]}`, `null`},
		{`{"userName":"a","title":"t"}`, `{"userName":"b"}`, `[{"op":"remove","path":"title"},{"op":"replace","path":"userName","value":"b"}]`},
		{`{"name":{"givenName":"A","familyName":"B"}}`, `{"name":{"givenName":"A","middleName":"C"}}`,
			`[{"op":"remove","path":"name.familyName"},{"op":"add","path":"name.middleName","value":"C"}]`},
		{`{}`, `{"name":{"givenName":"A"},"active":false}`, `[{"op":"add","path":"active","value":false},{"op":"add","path":"name.givenName","value":"A"}]`},
		{`{"` + urn + `":{"department":"d"}}`, `{"` + urn + `":{"department":"e","manager":{"value":"m"}}}`,
			`[{"op":"replace","path":"` + urn + `:department","value":"e"},{"op":"add","path":"` + urn + `:manager","value":{"value":"m"}}]`},
		{`{"emails":[{"value":"a"}]}`, `{"emails":[{"value":"b"}]}`, `[{"op":"replace","path":"emails","value":[{"value":"b"}]}]`},
		{`{"emails":[{"value":"a"}],"name":{"givenName":"A"}}`, `{"emails":[]}`, `[{"op":"remove","path":"emails"},{"op":"remove","path":"name"}]`},
	} {
		from, to := object(t, x.from), object(t, x.to)
		ds := scim.Differences(from, to)
		if got := written(t, ds); got != x.want {
			t.Errorf("%s -> %s: %s, want %s", x.from, x.to, got, x.want)
		}
		for _, d := range ds {
			scim.Assign(from, d.Path, d.Value)
		}
		delete(to, "schemas")
		if written(t, to) == `{"emails":[]}` {
			to = scim.Object{}
		}
		if !reflect.DeepEqual(from, to) {
			t.Errorf("%s -> %s: it becomes %s", x.from, x.to, written(t, from))
		}
	}
}

// What a service has beside what was sent is nothing that is missing.
func TestCovers(t *testing.T) {
	for _, x := range []struct{ sent, has, want string }{
		{`{"userName":"a","emails":[{"value":"x"}],"name":{"givenName":"A"}}`, `{"id":"1","username":"a","emails":[{"value":"y"},{"value":"x","primary":false}],"name":{"givenName":"A","formatted":"A"}}`, `null`},
		{`{"userName":"a","title":"t","nickName":""}`, `{"userName":"b"}`, `["title","userName"]`},
		{`{"active":true,"emails":[{"value":"x","type":"work"}]}`, `{"active":"True","emails":[{"value":"x","type":"home"}]}`, `["emails"]`},
		{`{"active":false}`, `{}`, `null`},
	} {
		if got := written(t, scim.Covers(object(t, x.sent), object(t, x.has))); got != x.want {
			t.Errorf("%s and %s: %s, want %s", x.sent, x.has, got, x.want)
		}
	}
}
