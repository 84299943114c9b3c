package rpc

import (
	"encoding/json"
	"strings"
	"testing"
)

type opt[T any] struct {
	State string // "", "null" or "value"
	Value T
}

func (o *opt[T]) SetNull() { o.State = "null" }
func (o *opt[T]) Ptr() any { o.State = "value"; return &o.Value }

type newUser struct {
	Name, Mail, Password, DisplayName, Description, MobileNumber string
	InEverybodyRole                                              opt[bool]
	ServiceUser, OauthClient, SendEmailInvite, VerifyEmail       bool
	State                                                        string `json:"state"`
	Limit                                                        int64
}

const createUser = `{"Name":"anna@example.org","Mail":"anna@example.org","Password":"correct horse","DisplayName":"Anna Berg",
"Description":"a user","MobileNumber":"+4915112345678","InEverybodyRole":"true","ServiceUser":false,"OauthClient":"False",
"SendEmailInvite":true,"VerifyEmail":0,"state":"None"}`

func TestBindCreateUser(t *testing.T) {
	var u newUser
	n, err := Bind(Request{Body: []byte(createUser)}, &u)
	if err != nil || n != 12 {
		t.Fatal(n, err)
	}
	want := newUser{Name: "anna@example.org", Mail: "anna@example.org", Password: "correct horse", DisplayName: "Anna Berg",
		Description: "a user", MobileNumber: "+4915112345678", InEverybodyRole: opt[bool]{"value", true}, SendEmailInvite: true, State: "None"}
	if u != want {
		t.Fatalf("%+v", u)
	}
}

func BenchmarkBindCreateUser(b *testing.B) {
	b.ReportAllocs()
	body := []byte(createUser)
	for b.Loop() {
		var u newUser
		if _, err := Bind(Request{Body: body, ContentType: "application/json"}, &u); err != nil {
			b.Fatal(err)
		}
	}
}

// The yardstick: encoding/json with the same fields and a body it can read.
func BenchmarkStandardLibrary(b *testing.B) {
	b.ReportAllocs()
	body := []byte(strings.NewReplacer(`"true"`, "true", `"False"`, "false", `:0`, ":false").Replace(createUser))
	for b.Loop() {
		var u struct {
			Name, Mail, Password, DisplayName, Description, MobileNumber            string
			InEverybodyRole, ServiceUser, OauthClient, SendEmailInvite, VerifyEmail bool
			State                                                                   string `json:"state"`
		}
		if err := json.Unmarshal(body, &u); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBindEmpty(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var u newUser
		if _, err := Bind(Request{}, &u); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBindQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var u newUser
		if _, err := Bind(Request{Query: "name=anna%40example.org"}, &u); err != nil {
			b.Fatal(err)
		}
	}
}
