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
