package provision

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/fold"
	"limen/internal/wire/scim"
)

// Whatever a client sends of a safe or of a member of one: nobody gets a right that was not named, or for a time that is none, and it is for one
// person or one group.
func FuzzSafes(f *testing.F) {
	for _, body := range []string{
		`{"name":"S","displayName":"Servers","description":"x","owner":{"value":"7"},"` + SafeURN + `":{"NumberOfDaysRetention":7,"ManagingCPM":"c"}}`,
		`{"user":{"value":"7"},"container":{"name":"S"},"rights":["UseAccounts","listaccounts"],"` + SafeMemberURN + `":{"membershipExpirationDate":1900000000}}`,
		`{"user":{"$ref":"/scim/Users/7"},"group":{"value":"g"},"container":{"$ref":"/scim/Containers/a%20b"},"rights":["Everything"]}`,
		`{"user":{"value":"7"},"container":{"name":"S"},"rights":["ListAccounts"],"` + SafeMemberURN + `":{"membershipExpirationDate":-1}}`,
		`{"Operations":[{"op":"add","path":"rights","value":["ManageSafe"]},{"op":"replace","path":"container.value","value":"T"}]}`,
	} {
		f.Add(body)
	}
	member, err := Permission.Read([]byte(`{"user":{"value":"7"},"container":{"value":"S"},"rights":["ListAccounts"]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if o, err := Container.Read([]byte(body)); err == nil {
			n := settings(o)
			for _, text := range []string{n.Name, n.Display, n.Description, n.Owner, n.Manager} {
				if !utf8.ValidString(text) {
					t.Errorf("%q", text)
				}
			}
		}
		if o, err := Permission.Read([]byte(body)); err == nil {
			holds(t, o)
		}
		ops, err := Permission.Patch([]byte(body))
		if err != nil {
			return
		}
		if o, err := Permission.Apply(member, ops); err == nil {
			holds(t, o)
		}
	})
}

func holds(t *testing.T, o scim.Object) {
	kind, who := principalOf(o)
	if (kind == "") != (who == "") || kind != "" && kind != role.User && kind != role.Sub {
		t.Errorf("%q %q", kind, who)
	}
	g, err := conceded(o)
	if err != nil {
		return
	}
	if g.Until < 0 || g.Until > math.MaxInt64/1000 || g.Rights&^safe.Full != 0 {
		t.Errorf("%+v", g)
	}
	named, _ := o["rights"].([]any)
	for _, right := range g.Rights.List() {
		if !slices.ContainsFunc(named, func(v any) bool { return fold.Key(strings.TrimSpace(texts(v))) == fold.Key(right) }) {
			t.Errorf("%s was not named: %v", right, named)
		}
	}
}
