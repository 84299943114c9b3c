package roles_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/number"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// Somebody whose roles are limited sees no more by anything that they may do themselves: by their own role, another one, or a new one.
// Who is in several roles sees what these see together.
func TestNobodyWidensWhatTheySee(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		type object = map[string]any
		ask := func(token, method, path string, body any, want int) (out struct {
			ID           int64
			Email, Phone *string
			FirstName    *string
			Data         []any
		}) {
			t.Helper()
			status, answer := s.Call(t, token, method, path, body)
			if status != want {
				t.Fatalf("%s %s answers %d, want %d: %s", method, path, status, want, answer)
			}
			_ = json.Unmarshal(answer, &out)
			return out
		}
		boss, mia := vars["bossToken"], "/uauth/users/"+vars["miaId"]
		sees := func(email, name bool) {
			t.Helper()
			got := ask(boss, http.MethodGet, mia, nil, 200)
			if (got.Email != nil) != email || (got.FirstName != nil) != name {
				t.Errorf("boss sees the address %v and the name %v", got.Email != nil, got.FirstName != nil)
			}
		}
		sees(true, true)
		ask(boss, http.MethodPost, "/uauth/roles/"+vars["chiefsId"]+"/pii", object{"attributes": []string{"email"}}, 200)
		sees(true, false)
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, vars["mia"], user.Change{Display: new("Zora")})
			return err
		})
		for search, want := range map[string]int{"zora": 0, "mia@": 1} {
			if got := ask(boss, http.MethodGet, "/uauth/users/listing/autocomplete?search="+search, nil, 200).Data; len(got) != want {
				t.Errorf("boss finds %d by %s, want %d", len(got), search, want)
			}
		}
		for who, roleID := range map[string]string{"another role": vars["readersId"], "a role without rights": vars["helpersId"]} {
			if status, answer := s.Call(t, boss, http.MethodPost, "/uauth/users/"+vars["bossId"], object{"roleIds": []json.Number{json.Number(vars["chiefsId"]), json.Number(roleID)}}); status == 200 {
				t.Errorf("%s: %s", who, answer)
			}
		}
		group := ask(boss, http.MethodPost, "/uauth/roles/role-group", object{"name": "Teams"}, 200)
		made := ask(boss, http.MethodPost, "/uauth/roles/role", object{"name": "Lookers", "groupId": group.ID, "permissions": []object{{"name": "settings_users", "read": true}}}, 200)
		ask(boss, http.MethodPost, "/uauth/users/"+vars["bossId"], object{"roleIds": []any{json.Number(vars["chiefsId"]), made.ID}}, 200)
		sees(true, false)
		wide := s.RoleIn(t, "Wide", vars["nord"], right.ReadUsers)
		ask(vars["rootToken"], http.MethodPost, "/uauth/roles/"+s.Number(t, number.Role, wide)+"/pii", object{"attributes": []string{"firstName", "lastName"}}, 200)
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Add(ctx, c, wide, role.Member{Kind: role.User, ID: vars["boss"]})
		})
		sees(true, true)
	})
}
