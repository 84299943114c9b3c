package scim_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"limen/internal/wire/scim"
)

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "a"`, `not (emails[type eq "work" and value co "x"]) or title pr`, `title eq Help Desk and active eq true`,
		`emails[type eq "work"].value eq "x"`, ent + `:manager.value eq "x"`, `((rank gt 1.5e3))`, `nickName eq null`, `title eq "\u00e9\""`,
	} {
		f.Add(s)
	}
	o, err := person.Read([]byte(bjensen))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := person.Filter(text)
		if err != nil {
			fails(t, err, scim.InvalidFilter)
			return
		}
		both := scim.Filter{Op: scim.And, Of: []scim.Filter{got, {Op: scim.Not, Of: []scim.Filter{got}}}}
		if both.Match(o) {
			t.Fatalf("%q holds and does not", text)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{`title`, `emails[type eq "work"].value`, ent, ent + `:manager.value`, `name.familyName`, `tags[value eq "x"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := person.Path(text)
		if err != nil {
			fails(t, err, scim.InvalidPath)
			return
		}
		plain := p
		plain.Where = nil
		if again, err := person.Path(p.String()); err != nil || !reflect.DeepEqual(plain, again) {
			t.Fatalf("%q is %q, which is %+v %v", text, p, again, err)
		}
	})
}

func FuzzPatch(f *testing.F) {
	for _, s := range []string{
		`{"Operations":[{"op":"add","path":"emails[type eq \"other\"].value","value":"x"}]}`, `{"Operations":[{"op":"Replace","value":{"active":"False"}}]}`,
		`{"Operations":[{"op":"remove","path":"members","value":[{"value":"1"}]}]}`, `{"Operations":[{"op":"add","path":"` + ent + `:manager","value":"x"}]}`,
		`{"Operations":[{"op":"remove","path":"name.givenName"},{"op":"add","path":"tags","value":["a"]}]}`,
	} {
		f.Add([]byte(s))
	}
	o, err := person.Read([]byte(bjensen))
	if err != nil {
		f.Fatal(err)
	}
	before, err := json.Marshal(o)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ops, err := person.Patch(body)
		if err != nil {
			return
		}
		got, err := person.Apply(o, ops)
		if now := written(t, o); now != string(before) {
			t.Fatalf("it changed what it was applied to: %s", now)
		}
		if err != nil {
			return
		}
		// What comes out is a resource that can be sent back.
		if again, err := person.Fit(got); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%s\ngives %s\nwhich is read as %s %v", body, written(t, got), written(t, again), err)
		}
	})
}

// FuzzAnswers reads what services answer to clients.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"totalResults":"2","startIndex":1,"Resources":[{"id":"a"},{"id":7},{"id":".."},3]}`, `{"id":"x","meta":{"version":"W/\"1\""}}`,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","detail":"taken","status":"409"}`, `[]`, `{"Resources":{"id":"one"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := scim.ReadListing(body)
		if err == nil && (l.Total < 0 || l.Start < 0) {
			t.Fatal(l)
		}
		for _, r := range l.Resources {
			if id := scim.ResourceID(r); id == "." || id == ".." || len(id) > 500 {
				t.Fatal(id)
			}
		}
		o, id, err := scim.ReadResource(body)
		if err != nil && (o != nil || id != "") {
			t.Fatal(o, id)
		}
		scim.Version(nil, o)
		scim.ReadFailure(body)
	})
}

// FuzzDifferences makes of a resource another one by the operations that tell them apart.
func FuzzDifferences(f *testing.F) {
	f.Add([]byte(`{"a":1}`), []byte(`{"a":"2","name":{"x":"y"}}`))
	f.Add([]byte(`{"name":{"x":"y","z":"1"},"urn:a:B":{"c":"d"}}`), []byte(`{"name":{"x":"n"},"urn:a:B":{"c":{"e":"f"}},"list":[{"value":"1"}]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		from, _, err := scim.ReadResource(a)
		to, _, err2 := scim.ReadResource(b)
		if err != nil || err2 != nil {
			return
		}
		before := written(t, from)
		ds := scim.Differences(from, to)
		if written(t, from) != before {
			t.Fatal("it changed what it compares")
		}
		if len(scim.Differences(to, to)) > 0 {
			t.Fatal("a resource differs from itself")
		}
		for _, d := range ds {
			if d.Path == "" || d.Op == "remove" && d.Value != nil {
				t.Fatal(d)
			}
		}
	})
}
