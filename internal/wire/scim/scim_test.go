package scim_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/wire/scim"
)

func one(name string, kind scim.Kind) scim.Attribute { return scim.Attribute{Name: name, Kind: kind} }

var plural = []scim.Attribute{
	one("value", scim.String), one("display", scim.String), {Name: "type", Canonical: []string{"work", "home", "other"}},
	one("primary", scim.Boolean),
}

// person has an attribute of every kind.
var person = &scim.Type{
	Name: "User", Endpoint: "/Users", Schema: &scim.Schema{ID: "urn:ietf:params:scim:schemas:core:2.0:User", Name: "User", Attributes: []scim.Attribute{
		{Name: "userName", Required: true, Uniqueness: scim.Server},
		{Name: "name", Kind: scim.Complex, Sub: []scim.Attribute{one("formatted", scim.String), one("familyName", scim.String), one("givenName", scim.String)}},
		one("displayName", scim.String), one("nickName", scim.String), one("title", scim.String), one("userType", scim.String),
		one("active", scim.Boolean), {Name: "password", Mutability: scim.WriteOnly, Returned: scim.Never},
		{Name: "emails", Kind: scim.Complex, Multi: true, Sub: plural},
		{Name: "addresses", Kind: scim.Complex, Multi: true, Sub: append([]scim.Attribute{one("locality", scim.String), one("streetAddress", scim.String)}, plural[2:]...)},
		{Name: "members", Kind: scim.Complex, Multi: true, Sub: []scim.Attribute{{Name: "value", CaseExact: true, Required: true}, one("display", scim.String)}},
		{Name: "groups", Kind: scim.Complex, Multi: true, Mutability: scim.ReadOnly, Sub: []scim.Attribute{{Name: "value", Mutability: scim.ReadOnly}}},
		{Name: "born", Mutability: scim.Immutable}, {Name: "tags", Multi: true}, one("seen", scim.DateTime), one("rank", scim.Integer),
		{Name: "secretHint", Returned: scim.Request},
	}},
	Extensions: []*scim.Schema{{ID: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", Name: "Enterprise", Attributes: []scim.Attribute{
		one("employeeNumber", scim.String), one("department", scim.String),
		{Name: "manager", Kind: scim.Complex, Sub: []scim.Attribute{one("value", scim.String), {Name: "displayName", Mutability: scim.ReadOnly}}},
	}}},
}

const ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

func object(t *testing.T, text string) scim.Object {
	t.Helper()
	var out scim.Object
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func written(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fails says of which type an error is.
func fails(t *testing.T, err error, kind string) {
	t.Helper()
	e, ok := errors.AsType[*scim.Error](err)
	if !ok || e.Type != kind {
		t.Errorf("got %v, want %s", err, kind)
	}
}

const bjensen = `{"userName":"bjensen@example.com","name":{"familyName":"Jensen","givenName":"Barbara"},"displayName":"Babs O'Malley","title":"Tour Guide",
	"userType":"Employee","active":true,"seen":"2012-05-13T04:42:34.000Z","rank":7,
	"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home","value":"babs@jensen.org"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Tours","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`

func babs(t *testing.T) scim.Object {
	t.Helper()
	o, err := person.Read([]byte(bjensen))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestFilters are those of RFC 7644 figure 2, and what clients send beside them.
func TestFilters(t *testing.T) {
	for text, want := range map[string]bool{
		`userName eq "bjensen@example.com"`: true, `userName Eq "BJENSEN@example.COM"`: true, `name.familyName co "O'Malley"`: false,
		`displayName co "O'Malley"`: true, `userName sw "B"`: true, `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"`: true,
		`title pr`: true, `nickName pr`: false, `seen gt "2011-05-13T04:42:34Z"`: true, `seen ge "2012-05-13T04:42:34Z"`: true,
		`seen lt "2011-05-13T04:42:34Z"`: false, `seen le "2012-05-13T06:42:34+02:00"`: true, `title pr and userType eq "Employee"`: true,
		`title pr or userType eq "Intern"`: true, `rank gt 6`: true, `rank eq 7`: true, `rank le 6.5`: false,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`: true,
		`userType ne "Employee" and not (emails co "example.com" or emails.value co "x.org")`:   false,
		`userType eq "Employee" and (emails.type eq "work")`:                                    true,
		`userType eq "Employee" and emails[type eq "work" and value co "@example.com"]`:         true,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"]`:             false, // no such attribute
		`emails[type eq "home" and value co "@example.com"]`:                                    false,
		`emails[type eq "home"].value eq "babs@jensen.org"`:                                     true,
		`emails[type eq "work"].value eq "babs@jensen.org"`:                                     false,
		ent + `:department eq "tours"`:                                                          true,
		ent + `:manager.value eq "26118915-6090-4610-87e4-49d8ca9f808d"`:                        true,
		`active eq true`: true, `active eq "True"`: true, `active ne true`: false, `active eq False`: false, `nickName eq null`: true, `title ne null`: true,
		`nickName ne "x"`: true, `not (title pr)`: false, `NOT(nickName pr) AND title PR`: true, `title ew "guide"`: true,
		// Values without quotes (scim.yaml, head).
		`title eq Tour Guide`: true, `(title eq Tour Guide)`: true, `title eq Tour Guide and active eq true`: true, `userType eq Employee or title eq x`: true,
		// and before or.
		`title eq "x" and title eq "y" or userType eq "Employee"`: true, `userType eq "Employee" or title eq "x" and title eq "y"`: true,
		`title eq "a\"b"`: false,
	} {
		f, err := person.Filter(text)
		if err != nil {
			if want {
				t.Errorf("%s: %v", text, err)
			}
			fails(t, err, scim.InvalidFilter)
			continue
		}
		if got := f.Match(babs(t)); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func TestBadFilters(t *testing.T) {
	deep := ""
	for range 30 {
		deep += "("
	}
	for _, text := range []string{
		``, ` `, `userName`, `userName eq`, `userName eq "x`, `userName zz "x"`, `eq "x"`, `(userName eq "x"`, `userName eq "x")`, `userName eq "x" userName pr`,
		`userName eq "x"and`, `userName eq "x" and`, `not userName eq "x"`, `emails[type eq "work"`, `emails[]`, `userName[value eq "x"]`, `noSuch eq "x"`,
		`emails.noSuch eq "x"`, `emails[noSuch eq "x"]`, `active gt true`, `active co "t"`, `active eq "maybe"`, `seen eq "yesterday"`, `seen co "2012"`, `rank eq "x"`,
		`name eq "x"`, `userName eq a eq b`, `userName eq "\x"`, deep + `title pr`, "title eq \"\xff\"", `userName pr pr`, ent + ` eq "x"`, `title eq (x)`,
	} {
		if f, err := person.Filter(text); err == nil {
			t.Errorf("%q is read as %+v", text, f)
		} else {
			fails(t, err, scim.InvalidFilter)
		}
	}
}

func TestRead(t *testing.T) {
	o, err := person.Read([]byte(`{"SCHEMAS":["x"],"USERNAME":"a","id":"7","groups":[{"value":"g"}],"active":"False","noSuch":{"a":1},"nickName":null,"tags":"t",
		"emails":{"value":"a@b","TYPE":"WORK","primary":"true","noSuch":1},"seen":"2012-05-13T06:42:34+02:00","rank":"12",
		"URN:ietf:params:scim:schemas:extension:enterprise:2.0:user":{"Manager":"m","employeeNumber":701984}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"active":false,"emails":[{"primary":true,"type":"work","value":"a@b"}],"rank":12,"seen":"2012-05-13T04:42:34.000Z","tags":["t"],` +
		`"` + ent + `":{"employeeNumber":"701984","manager":{"value":"m"}},"userName":"a"}`
	if d := cmp.Diff(want, written(t, o)); d != "" {
		t.Error(d)
	}
	for text, kind := range map[string]string{
		`[]`: scim.InvalidSyntax, `{`: scim.InvalidSyntax, `null`: scim.InvalidSyntax, `{} {}`: scim.InvalidSyntax, ``: scim.InvalidSyntax,
		`{"title":"x"}`: scim.InvalidValue, `{"userName":""}`: "", `{"userName":"a","USERNAME":"b"}`: scim.InvalidSyntax, `{"userName":["a","b"]}`: scim.InvalidValue,
		`{"userName":"a","active":"yes"}`: scim.InvalidValue, `{"userName":"a","active":1}`: scim.InvalidValue, `{"userName":"a","title":true}`: scim.InvalidValue,
		`{"userName":"a","name":"x"}`: scim.InvalidValue, `{"userName":"a","emails":[{"type":"nowhere"}]}`: scim.InvalidValue, `{"userName":"a","rank":1.5}`: scim.InvalidValue,
		`{"userName":"a","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`: scim.InvalidValue, `{"userName":"a","seen":"x"}`: scim.InvalidValue,
		`{"userName":"a","members":[{"display":"x"}]}`: scim.InvalidValue, `{"userName":"a","` + ent + `":7}`: scim.InvalidSyntax, `{"userName":"a","rank":true}`: scim.InvalidValue,
	} {
		if _, err := person.Read([]byte(text)); (err == nil) != (kind == "") {
			t.Errorf("%s: %v", text, err)
		} else if err != nil {
			fails(t, err, kind)
		}
	}
}

func TestShow(t *testing.T) {
	o := babs(t)
	o["password"], o["id"], o["secretHint"] = "x", "7", "y"
	const urn = `"urn:ietf:params:scim:schemas:core:2.0:User"`
	for _, c := range []struct{ attributes, excluded, want string }{
		{"userName", "", `{"id":"7","schemas":[` + urn + `],"userName":"bjensen@example.com"}`},
		{"password,noSuch", "", `{"id":"7","schemas":[` + urn + `]}`},
		{"NAME.familyname, emails.value", "", `{"emails":[{"value":"bjensen@example.com"},{"value":"babs@jensen.org"}],"id":"7","name":{"familyName":"Jensen"},"schemas":[` + urn + `]}`},
		{ent, "", `{"id":"7","schemas":[` + urn + `,"` + ent + `"],"` + ent + `":{"department":"Tours","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d"}}}`},
		{ent + ":department,secretHint", "", `{"id":"7","schemas":[` + urn + `,"` + ent + `"],"secretHint":"y","` + ent + `":{"department":"Tours"}}`},
		{"", "id,schemas,emails,name.givenName,active,title,userType,displayName,seen,rank," + ent, `{"id":"7","name":{"familyName":"Jensen"},"schemas":[` + urn + `],"userName":"bjensen@example.com"}`},
	} {
		if d := cmp.Diff(c.want, written(t, person.Show(o, person.Select(nonEmpty(c.attributes), nonEmpty(c.excluded))))); d != "" {
			t.Errorf("%+v: %s", c, d)
		}
	}
	s := person.Select([]string{"emails.value"}, nil)
	if !s.Wants(nil, "emails") || s.Wants(nil, "groups") || !(scim.Selection{}).Wants(nil, "groups") || person.Select(nil, []string{"groups"}).Wants(nil, "groups") ||
		!person.Select(nil, []string{"groups.value"}).Wants(nil, "groups") {
		t.Error("what is wanted is not told")
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func TestDocument(t *testing.T) {
	doc := object(t, written(t, person.Schema.Document("/x")))
	as := doc["attributes"].([]any)
	want := object(t, `{"name":"userName","type":"string","multiValued":false,"description":"","required":true,"caseExact":false,"mutability":"readWrite",
		"returned":"default","uniqueness":"server"}`)
	if d := cmp.Diff(want, as[0]); d != "" {
		t.Error(d)
	}
	mails := as[8].(scim.Object)
	if sub := mails["subAttributes"].([]any); len(sub) != 4 || len(sub[2].(scim.Object)["canonicalValues"].([]any)) != 3 || mails["multiValued"] != true {
		t.Error(mails)
	}
	if typ := object(t, written(t, person.Document("/y"))); typ["endpoint"] != "/Users" || len(typ["schemaExtensions"].([]any)) != 1 {
		t.Error(typ)
	}
}
