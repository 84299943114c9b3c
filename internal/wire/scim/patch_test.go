package scim_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"limen/internal/wire/scim"
)

// patched applies operations, a JSON list without its brackets, to a resource.
func patched(t *testing.T, to scim.Object, ops string) (scim.Object, error) {
	t.Helper()
	list, err := person.Patch([]byte(`{"schemas":["` + scim.PatchURN + `"],"Operations":[` + ops + `]}`))
	if err != nil {
		return nil, err
	}
	return person.Apply(to, list)
}

// TestPatch tries the forms of RFC 7644 section 3.5.2 and those of clients; want is what then holds.
func TestPatch(t *testing.T) {
	for ops, want := range map[string]string{
		`{"op":"add","path":"nickName","value":"Babs"}`:                                                  `nickName eq "Babs"`,
		`{"op":"add","value":{"emails":[{"value":"b@x.org","type":"other"}],"nickName":"B"}}`:            `nickName eq "B" and emails.value eq "b@x.org" and emails.value eq "babs@jensen.org"`,
		`{"op":"add","path":"emails","value":[{"value":"babs@jensen.org","type":"home","display":"B"}]}`: `emails[value eq "babs@jensen.org" and display eq "B"] and emails[primary eq true and type eq "work"]`,
		`{"op":"add","path":"emails","value":{"value":"n@x.org","primary":true}}`:                        `emails[value eq "n@x.org" and primary eq true] and emails[type eq "work" and primary eq false]`,
		`{"op":"replace","path":"emails[type eq \"home\"].primary","value":"True"}`:                      `emails[type eq "home" and primary eq true] and emails[type eq "work" and primary eq false]`,
		`{"op":"remove","path":"emails[type eq \"work\"]"}`:                                              `not (emails.value co "example") and emails.type eq "home"`,
		`{"op":"remove","path":"emails"}`:                                                                `not (emails pr)`,
		`{"op":"remove","path":"emails[type eq \"home\"].type"}`:                                         `emails[value eq "babs@jensen.org" and not (type pr)]`,
		`{"op":"replace","path":"emails","value":[{"value":"only@x.org"}]}`:                              `emails.value eq "only@x.org" and not (emails.value co "jensen")`,
		`{"op":"replace","path":"emails[value eq \"babs@jensen.org\"]","value":{"value":"c@x.org"}}`:     `emails[value eq "c@x.org" and not (type pr)] and emails.type eq "work"`,
		`{"op":"replace","path":"name.familyName","value":"New"}`:                                        `name.familyName eq "New" and name.givenName eq "Barbara"`,
		`{"op":"replace","path":"name","value":{"familyName":"New"}}`:                                    `name.familyName eq "New" and name.givenName eq "Barbara"`,
		`{"op":"replace","value":{"name.familyName":"New","active":"False"}}`:                            `name.familyName eq "New" and active eq false`,   // Entra ID
		`{"op":"Replace","path":"active","value":"False"}`:                                               `active eq false`,                                // Entra ID
		`{"op":"replace","value":{"active":false,"id":"7","schemas":["x"]}}`:                             `active eq false`,                                // Okta
		`{"op":"Add","path":"emails[type eq \"other\"].value","value":"o@x.org"}`:                        `emails[type eq "other" and value eq "o@x.org"]`, // Entra ID
		`{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Bonn"}`:                      `addresses[type eq "work" and locality eq "Bonn"]`,
		`{"op":"Replace","path":"` + ent + `:department","value":"Sales"}`:                               ent + `:department eq "Sales" and ` + ent + `:manager pr`,
		`{"op":"add","value":{"` + ent + `:department":"Sales","` + ent + `:manager":"m"}}`:              ent + `:department eq "Sales" and ` + ent + `:manager.value eq "m"`, // Entra ID
		`{"op":"replace","path":"` + ent + `:manager","value":{"value":"m"}}`:                            ent + `:manager.value eq "m"`,
		`{"op":"replace","path":"` + ent + `:manager.value","value":"m"}`:                                ent + `:manager.value eq "m"`,
		`{"op":"replace","path":"` + ent + `","value":{"department":"S"}}`:                               ent + `:department eq "S" and ` + ent + `:manager pr`,
		`{"op":"remove","path":"` + ent + `"}`:                                                           `not (` + ent + `:department pr)`,
		`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"T"}`:         `title eq "T"`,
		`{"op":"replace","path":"title","value":null}`:                                                   `not (title pr)`,
		`{"op":"replace","path":"title","value":"T"},{"op":"remove","path":"title"}`:                     `not (title pr)`,
		`{"op":"add","path":"members","value":[{"value":"1"},{"value":"2"}]},{"op":"add","path":"members","value":[{"value":"1"}]},{"op":"remove","path":"members[value eq \"2\"]"}`: `members.value eq "1" and not (members.value eq "2")`,
		`{"op":"add","path":"members","value":["1","2"]},{"op":"remove","path":"members","value":[{"value":"1","display":"x"}]}`:                                                     `members.value eq "2" and not (members.value eq "1")`,
		`{"op":"add","path":"tags","value":["a","b","a"]},{"op":"remove","path":"tags[value eq \"a\"]"}`:                                                                             `tags eq "b" and not (tags eq "a")`,
		`{"op":"add","path":"born","value":"Ulm"},{"op":"add","path":"born","value":"Ulm"}`:                                                                                          `born eq "Ulm"`,
		`{"op":"replace","path":"emails.display","value":"D"}`:                                                                                                                       `not (emails[not (display eq "D")])`,
		`{"op":"add","path":"password","value":"s"}`:                                                                                                                                 `password eq "s"`,
	} {
		got, err := patched(t, babs(t), ops)
		if err != nil {
			t.Errorf("%s: %v", ops, err)
			continue
		}
		f, err := person.Filter(want)
		if err != nil {
			t.Fatal(want, err)
		}
		if !f.Match(got) {
			t.Errorf("%s gives %s", ops, written(t, got))
		}
	}
}

func TestBadPatch(t *testing.T) {
	for ops, kind := range map[string]string{
		``: scim.InvalidSyntax, `7`: scim.InvalidSyntax, `{"op":"move","path":"title"}`: scim.InvalidSyntax, `{"op":"remove"}`: scim.NoTarget,
		`{"op":"add","value":"x"}`: scim.InvalidSyntax, `{"op":"add","path":"noSuch","value":"x"}`: scim.InvalidPath, `{"op":"add","path":7,"value":"x"}`: scim.InvalidPath,
		`{"op":"replace","value":{"noSuch":1}}`: scim.InvalidPath, `{"op":"replace","path":"id","value":"x"}`: scim.Mutability,
		`{"op":"add","path":"groups","value":[{"value":"g"}]}`: scim.Mutability, `{"op":"remove","path":"meta.version"}`: scim.Mutability,
		`{"op":"replace","path":"emails[type eq \"other\"].value","value":"x"}`: scim.NoTarget, `{"op":"remove","path":"emails[type eq \"other\"]"}`: scim.NoTarget,
		`{"op":"replace","path":"emails[type eq]","value":"x"}`: scim.InvalidPath, `{"op":"replace","path":"emails[type eq \"work\"].nope","value":"x"}`: scim.InvalidPath,
		`{"op":"replace","path":"title[value eq \"x\"]","value":"x"}`: scim.InvalidPath, `{"op":"replace","path":"active","value":"perhaps"}`: scim.InvalidValue,
		`{"op":"add","path":"title"}`: scim.InvalidValue, `{"op":"remove","path":"userName"}`: scim.InvalidValue,
		`{"op":"add","path":"born","value":"Ulm"},{"op":"replace","path":"born","value":"Bonn"}`: scim.Mutability,
		`{"op":"add","path":"members","value":[{"display":"x"}]}`:                                scim.InvalidValue, `{"op":"add","path":"` + ent + `","value":"x"}`: scim.InvalidValue,
		`{"op":"add","path":"emails[type eq \"a\" or type eq \"b\"].value","value":"x"}`: scim.InvalidPath + "|" + scim.NoTarget,
	} {
		o := babs(t)
		before := written(t, o)
		got, err := patched(t, o, ops)
		if err == nil {
			t.Errorf("%s gives %s", ops, written(t, got))
			continue
		}
		for want := range strings.SplitSeq(kind, "|") {
			if !strings.Contains(kind, "|") {
				fails(t, err, want)
			}
		}
		if written(t, o) != before {
			t.Errorf("%s: what failed changed the resource", ops)
		}
	}
}

func TestFitAndPatchAgree(t *testing.T) {
	o := babs(t)
	again, err := person.Fit(o)
	if err != nil || !reflect.DeepEqual(o, again) {
		t.Fatal(written(t, again), err)
	}
	body, err := json.Marshal(scim.Object{"Operations": []any{scim.Object{"op": "replace", "value": o}}})
	if err != nil {
		t.Fatal(err)
	}
	ops, err := person.Patch(body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := person.Apply(scim.Object{}, ops); err != nil || !reflect.DeepEqual(o, got) {
		t.Fatal(written(t, got), err)
	}
}
