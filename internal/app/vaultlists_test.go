package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"limen/internal/app/apptest"
)

// vault asks the Vault's dialect.
func (b *branches) vault(token, method, path string, out any) (status int, text string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site.URL+"/PasswordVault/"+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.site.Host
	r.Header.Set("Authorization", token)
	res, err := b.site.HTTP.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && out != nil && res.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, out)
	}
	if err != nil {
		b.t.Fatalf("%s: %v, %s", path, err, body)
	}
	return res.StatusCode, string(body)
}

// Lists of the Vault's dialect give exactly those users and groups that single reads give to the same caller; and who may not read
// somebody is told the same as where there is nobody.
func TestVaultListsEqualSingleReads(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		callers := map[string]int{
			"of this": 5, "of parent": 6, "of child": 2, "of foreign": 2, "reads this": 5, "roles of this": 1, "this": 1, "plain": 1,
			"holder Read Only User Management": -1, "holder User Management": -1, "admin": -1,
		}
		for who := range callers {
			b.token(who) // before everybody is counted: some are made here
		}
		users, groups := b.vaultUsers("admin"), b.vaultGroups("admin")
		for who, n := range callers {
			token := b.token(who)
			read := func(what string, all []int) (out []int) {
				_, none := b.vault(token, http.MethodGet, "API/"+what+"/987654321", nil)
				for _, id := range all {
					status, text := b.vault(token, http.MethodGet, fmt.Sprintf("API/%s/%d", what, id), nil)
					if status == http.StatusOK {
						out = append(out, id)
					} else if text != none {
						t.Errorf("%s knows of %s %d: %s, and of none %s", who, what, id, text, none)
					}
				}
				return out
			}
			single, listed := read("Users", users), b.vaultUsers(who)
			if n >= 0 && len(single) != n || n < 0 && len(single) != len(users) {
				t.Errorf("%s reads %d users, want %d", who, len(single), n)
			}
			if len(single) == 1 { // oneself, whom no list has
				single = listed
			}
			if own := slices.DeleteFunc(slices.Clone(single), func(id int) bool { return slices.Contains(listed, id) }); len(own) > 1 || len(listed)+len(own) != len(single) {
				t.Errorf("%s lists %v and reads %v", who, listed, single)
			}
			if single, listed := read("UserGroups", groups), b.vaultGroups(who); !slices.Equal(single, listed) {
				t.Errorf("%s lists the groups %v and reads %v", who, listed, single)
			}
		}
	})
}

// vaultUsers are the numbers of users that somebody lists.
func (b *branches) vaultUsers(who string) []int {
	b.t.Helper()
	var out struct{ Users []struct{ ID int } }
	b.vault(b.token(who), http.MethodGet, "API/Users", &out)
	var ids []int
	for _, u := range out.Users {
		ids = append(ids, u.ID)
	}
	slices.Sort(ids)
	return ids
}

// vaultGroups are the numbers of groups that somebody lists.
func (b *branches) vaultGroups(who string) []int {
	b.t.Helper()
	var out struct{ Value []struct{ ID int } }
	b.vault(b.token(who), http.MethodGet, "API/UserGroups", &out)
	var ids []int
	for _, g := range out.Value {
		ids = append(ids, g.ID)
	}
	slices.Sort(ids)
	return ids
}
