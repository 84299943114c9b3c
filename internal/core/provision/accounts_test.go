package provision

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/safe"
	"limen/internal/wire/scim"
)

func sample(t testing.TB) scim.Object {
	a := safe.Account{Ref: "1_1", Details: safe.Details{Name: "root", Type: "password", Folder: "Root"}, SafeName: "Servers"}
	if err := a.SetProperties([]safe.Property{{Key: "username", Value: "root"}, {Key: "port", Value: "22"}}); err != nil {
		t.Fatal(err)
	}
	return account(&call.Call{}, a).Object
}

// Whatever a client sends of an account: what is kept in the open, and told in events, has nothing of what came as its secret.
func FuzzData(f *testing.F) {
	for _, body := range []string{
		`{"name":"x","type":"key","urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData":{"safe":"S","password":"HORSE","properties":[{"key":"SECRET","value":"HORSE"},{"key":"a"}]}}`,
		`{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData.properties","value":[{"key":"Password","value":"HORSE"}]}]}`,
		`{"Operations":[{"op":"replace","path":"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData:properties[key eq \"port\"].key","value":"secret"}]}`,
		`{"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData"},{"op":"add","path":"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData:properties","value":{"key":"x"}}]}`,
		`{"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData:properties","value":[{"value":"22"}]}]}`,
		`{"Operations":[{"op":"add","value":{"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData":{"properties":[{"key":" secret","value":"HORSE"}]}}}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		read, err := Data.Read([]byte(body))
		patched, bad := patchedData(sample(t), []byte(body))
		for _, got := range []struct {
			o   scim.Object
			err error
		}{{read, err}, {patched, bad}} {
			if got.err != nil {
				continue
			}
			plain, err := disclosed(got.o)
			if err != nil {
				continue
			}
			d, err := described(got.o)
			if err != nil {
				continue
			}
			for _, p := range d.Properties() {
				if key := strings.ToLower(strings.TrimSpace(p.Key)); key == "secret" || key == "password" {
					t.Errorf("the property %q stays in the open, and the secret is %q", p.Key, plain)
				}
			}
			if b, err := json.Marshal(got.o); err != nil || strings.Contains(string(b), `"password":`) {
				t.Errorf("%s %v", b, err)
			}
		}
	})
}

// Properties are added and removed by their keys, whatever their values.
func TestPropertiesGoByKeys(t *testing.T) {
	const at = `"path":"urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData.properties"`
	for ops, want := range map[string][]safe.Property{
		`{"op":"add",` + at + `,"value":[{"key":"retries","value":"22"}]}`: {{Key: "username", Value: "root"}, {Key: "port", Value: "22"}, {Key: "retries", Value: "22"}},
		`{"op":"add",` + at + `,"value":{"key":"PORT","value":"2222"}}`:    {{Key: "username", Value: "root"}, {Key: "PORT", Value: "2222"}},
		`{"op":"remove",` + at + `,"value":[{"key":"Port","value":"1"}]}`:  {{Key: "username", Value: "root"}},
		`{"op":"remove",` + at + `}`:                                       {},
		`{"op":"replace",` + at + `,"value":[{"key":"a","value":"b"}]}`:    {{Key: "a", Value: "b"}},
	} {
		o, err := patchedData(sample(t), []byte(`{"Operations":[`+ops+`]}`))
		if err != nil {
			t.Fatal(ops, err)
		}
		d, err := described(o)
		if got := d.Properties(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %v, want %v", ops, got, err, want)
		}
	}
}
