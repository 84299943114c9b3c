package roles_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/user"
)

// answer is what an operation says.
type answer struct {
	Success   bool `json:"success"`
	Result    json.RawMessage
	MessageID string
}

func post(t *testing.T, s *apptest.Site, token, path, body string) (a answer) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		t.Fatal(path, err, string(b))
	}
	return a
}

// Who manages the roles of an organization makes and changes roles of that and those below it, of people who belong there.
func TestRolesOfAnOrganization(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		manager, outside := s.Person(t, "manager"), s.Person(t, "outside")
		inside := s.Person(t, "inside")
		s.Do(t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
			top, err := s.App.Orgs.Create(ctx, c, org.New{Name: "Sales"})
			if err != nil {
				return err
			}
			if _, err := s.App.Orgs.Create(ctx, c, org.New{Name: "Ghana", Parent: top.ID}); err != nil {
				return err
			}
			held := org.Held{Principal: org.Principal{Kind: "User", ID: manager.ID}, Rights: []right.Right{right.RoleManagement}}
			if err := s.App.Orgs.Permit(ctx, c, top.ID, []org.Held{held}, nil); err != nil {
				return err
			}
			_, err = s.App.People.Change(ctx, c, inside.ID, user.Change{Org: &top.ID})
			return err
		})
		admin, token := s.TokenOf(t, "admin"), s.SignedIn(t, manager.ID)
		key := func(a answer) string {
			t.Helper()
			var made struct {
				ID string `json:"_RowKey"`
			}
			if err := json.Unmarshal(a.Result, &made); err != nil || !a.Success {
				t.Fatal(err, a)
			}
			return made.ID
		}
		everywhere := key(post(t, s, admin, "/Roles/StoreRole", `{"Name":"Everywhere"}`))
		own := key(post(t, s, token, "/Roles/StoreRole", `{"Name":"Sellers","Users":["`+inside.Name+`"]}`))
		below := key(post(t, s, token, "/Roles/StoreRole", `{"Name":"Sellers in Ghana","OrgPath":"/Sales/Ghana"}`))
		if got := string(post(t, s, token, "/Roles/GetRole", `{"Name":"`+own+`"}`).Result); !strings.Contains(got, `"OrgPath":"/Sales"`) {
			t.Error(got)
		}
		for _, x := range []struct{ path, body, want string }{
			{"/Roles/GetRole", `{"Name":"` + everywhere + `"}`, "auth.denied"},
			{"/Roles/GetRoleMembers", `{"Name":"Everybody"}`, "auth.denied"},
			{"/Roles/UpdateRole", `{"Name":"` + everywhere + `","NewName":"x"}`, "auth.denied"},
			{"/SaasManage/DeleteRole", `{"Name":"` + everywhere + `"}`, "auth.denied"},
			{"/SaasManage/DeleteRoles", `["` + everywhere + `"]`, "role.not_found"},
			{"/SaasManage/AddUsersAndGroupsToRole", `{"Name":"` + own + `","Users":["` + outside.Name + `"]}`, "role.member_not_found"},
			{"/SaasManage/AddUsersAndGroupsToRole", `{"Name":"` + own + `","Roles":["` + everywhere + `"]}`, "role.member_not_found"},
			{"/SaasManage/AddUsersAndGroupsToRole", `{"Name":"` + everywhere + `","Users":["` + inside.ID + `"]}`, "auth.denied"},
			{"/SaasManage/AddUsersAndGroupsToRole", `{"Name":"` + own + `","Users":["` + inside.ID + `"],"Roles":["Sellers in Ghana"]}`, ""},
			{"/SaasManage/RemoveUsersAndGroupsFromRole", `{"Name":"` + own + `","Users":["` + outside.ID + `"]}`, "role.member_not_found"},
			{"/Roles/AssignSuperRights", `[{"Role":"` + own + `","Path":"/lib/rights/dsman.json"}]`, "role.right_not_held"},
			{"/Roles/AssignSuperRights", `[{"Role":"` + own + `","Path":"/lib/rights/roleman.json"}]`, ""}, // over the organization
			{"/Roles/AssignSuperRights", `[{"Role":"` + everywhere + `","Path":"/lib/rights/roleman.json"}]`, "role.not_found"},
			{"/Roles/StoreRole", `{"Name":"x","OrgPath":"/Elsewhere"}`, "org.not_found"},
			{"/SaasManage/DeleteRole", `{"Name":"` + below + `"}`, ""},
		} {
			if got := post(t, s, token, x.path, x.body); got.MessageID != x.want {
				t.Errorf("%s %s: %q, want %q", x.path, x.body, got.MessageID, x.want)
			}
		}
		// A person of elsewhere in a role of the organization is not shown.
		if got := post(t, s, admin, "/SaasManage/AddUsersAndGroupsToRole", `{"Name":"`+own+`","Users":["`+outside.ID+`"]}`); !got.Success {
			t.Error(got)
		}
		got := string(post(t, s, token, "/Roles/GetRoleMembers", `{"Name":"`+own+`"}`).Result)
		if strings.Contains(got, outside.ID) || !strings.Contains(got, inside.ID) || !strings.Contains(got, `"FullCount":1`) {
			t.Error(got)
		}
	})
}
