package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

// Lists of sets and of their members give exactly what single reads give to the same caller.
func TestSetsEqualSingleReads(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		admin := b.token("admin")
		people := b.people()
		sets := b.sets(admin, people)
		for who, n := range map[string]int{"admin": 3, "plain": 1, "of this": 1, "of foreign": 1, "holder User Management": 3, "holder Role Management": 2, "this": 2} {
			token := b.token(who)
			var single []string
			for _, id := range sets {
				if b.ask(token, "/Collection/GetCollection", map[string]any{"ID": id}).Success {
					single = append(single, id)
				}
			}
			slices.Sort(single)
			if len(single) != n {
				t.Errorf("%s reads %d sets, want %d", who, len(single), n)
			}
			for _, list := range []string{"/Collection/GetObjectCollections", "/Collection/GetObjectCollectionsAndFilters"} {
				got := append(b.ids(b.ask(token, list, map[string]any{"ObjectType": "User"}), "ID"), b.ids(b.ask(token, list, map[string]any{"ObjectType": "Role"}), "ID")...)
				slices.Sort(got)
				if !slices.Equal(got, single) {
					t.Errorf("%s: %s lists %v and reads %v", list, who, got, single)
				}
			}
			if got := b.ids(b.ask(token, "/Redrock/Query", map[string]any{"Script": "SELECT ID FROM Sets"}), "ID"); !slices.Equal(got, single) {
				t.Errorf("%s reports %v and reads %v", who, got, single)
			}
			b.membersOfSet(who, token, sets["everybody"], people)
		}
	})
}

// sets makes one of everybody, which everybody may view, one of people and one of roles, which the person "this" may view.
func (b *branches) sets(admin string, people []string) map[string]string {
	out := map[string]string{}
	for name, of := range map[string]string{"everybody": "User", "people": "User", "roles": "Role"} {
		a := b.ask(admin, "/Collection/CreateManualCollection", map[string]any{"Name": name, "ObjectType": of})
		var id string
		if err := json.Unmarshal(a.Result, &id); err != nil {
			b.t.Fatal(a, err)
		}
		out[name] = id
	}
	var add []map[string]any
	for _, id := range people {
		add = append(add, map[string]any{"Table": "User", "Key": id})
	}
	grants := map[string]any{"everybody": map[string]any{"PrincipalId": "Everybody", "PType": "Role", "Rights": "View"}, "roles": map[string]any{"PrincipalId": b.id["this"], "PType": "User", "Rights": "View"}}
	for _, x := range []struct {
		path string
		in   map[string]any
	}{
		{"/Collection/UpdateMembersCollection", map[string]any{"ID": out["everybody"], "Add": add}},
		{"/Collection/SetCollectionPermissions", map[string]any{"ID": out["everybody"], "Grants": []any{grants["everybody"]}}},
		{"/Collection/SetCollectionPermissions", map[string]any{"ID": out["roles"], "Grants": []any{grants["roles"]}}},
	} {
		if a := b.ask(admin, x.path, x.in); !a.Success {
			b.t.Fatal(x.path, a)
		}
	}
	return out
}

// membersOfSet compares the members that a caller is shown of a set of everybody with the people that they may read.
func (b *branches) membersOfSet(who, token, set string, people []string) {
	b.t.Helper()
	var single []string
	for _, id := range people {
		if b.ask(token, "/CDirectoryService/GetUser", map[string]any{"ID": id}).Success {
			single = append(single, id)
		}
	}
	slices.Sort(single)
	var got []struct{ Key string }
	a := b.ask(token, "/Collection/GetMembers", map[string]any{"ID": set})
	if err := json.Unmarshal(a.Result, &got); err != nil {
		b.t.Fatal(who, a, err)
	}
	var keys []string
	for _, m := range got {
		keys = append(keys, m.Key)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, single) {
		b.t.Errorf("%s is shown the members\n%s\nand reads\n%s", who, strings.Join(keys, "\n"), strings.Join(single, "\n"))
	}
	if resolved := b.ids(b.ask(token, "/Collection/GetResolvedMembers", map[string]any{"ID": set}), "ID"); !slices.Equal(resolved, single) {
		b.t.Errorf("%s is shown the resolved members\n%v\nand reads\n%v", who, resolved, single)
	}
}
