package invitations_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
)

// mailed waits for the tenant's mail to an address.
func mailed(t *testing.T, s *apptest.Site, to string) string {
	t.Helper()
	for range 2000 {
		for _, m := range s.App.Tray.To(to) {
			if m.Tenant == s.ID {
				return m.Text
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nothing was mailed to", to)
	return ""
}

var secret = regexp.MustCompile(`[\w-]{43}`)

// ask makes a call, and reads its answer.
func ask(t *testing.T, s *apptest.Site, token, method, path string, body any, want int) (out struct {
	ID                  int64
	Token               string
	BusinessProfileGUID string
	Consumer            struct{ BusinessProfileID *int64 }
	Data                []struct{ Status string }
	Roles               []struct{ Name string }
}) {
	t.Helper()
	status, answer := s.Call(t, token, method, path, body)
	if status != want {
		t.Fatalf("%s %s answers %d, want %d: %s", method, path, status, want, answer)
	}
	_ = json.Unmarshal(answer, &out)
	return out
}

// first chooses somebody's first password on the page of their link.
func first(t *testing.T, s *apptest.Site, token string) {
	t.Helper()
	form := url.Values{"token": {token}, "password": {apptest.Password}, "again": {apptest.Password}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/invitation", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal("the page answers", res.Status)
	}
}

// holds says which roles somebody is directly in.
func holds(t *testing.T, s *apptest.Site, userID string) []string {
	t.Helper()
	var out []string
	s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
		m, err := s.App.Roles.Of(ctx, c, userID)
		out = m.Roles
		return err
	})
	return out
}

// Somebody without an account comes in by the link of the mail, with the role that was promised; somebody with one by its code, once they are
// signed in, and not before.
func TestInvitedPeopleJoin(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		boss, list := vars["bossToken"], "/uauth/users/listing?search="
		invite := func(mail string) {
			ask(t, s, boss, http.MethodPost, "/uauth/users/invitations/invite", map[string]any{"email": mail, "roleIds": []json.Number{json.Number(vars["helpersId"])}}, 200)
		}
		mail := "o'neil+" + s.ID + "@nord.example"
		invite(mail)
		text := mailed(t, s, mail)
		if !strings.Contains(text, "/invitation?token=") || strings.Contains(text, "Nord") {
			t.Fatal(text)
		}
		name := "oneil+" + s.ID + "@" + s.Suffix
		signIn := map[string]any{"username": name, "password": apptest.Password}
		ask(t, s, "", http.MethodPost, "/uauth/auth/login/user", signIn, 401)
		first(t, s, secret.FindString(text))
		in := ask(t, s, "", http.MethodPost, "/uauth/auth/login/user", signIn, 200)
		if in.Consumer.BusinessProfileID == nil || fmt.Sprint(*in.Consumer.BusinessProfileID) != vars["nordId"] {
			t.Error("they are in no workspace")
		}
		if got := ask(t, s, boss, http.MethodGet, list+"neil", nil, 200); len(got.Data) != 1 || got.Data[0].Status != workspace.Active {
			t.Error(got.Data)
		}

		guest := "sven@example.com"
		invite(guest)
		text = mailed(t, s, guest)
		if strings.Contains(text, "http") || !strings.Contains(text, "Nord") {
			t.Fatal(text)
		}
		choose := map[string]any{"businessProfileGuid": vars["nord"]}
		ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/auth/login/user/business-profile", choose, 403)
		if slices.Contains(holds(t, s, vars["sven"]), vars["helpers"]) {
			t.Error("the role came before they joined")
		}
		ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/user/register/invitation/"+secret.FindString(text), nil, 200)
		ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/auth/login/user/business-profile", choose, 200)
		if !slices.Contains(holds(t, s, vars["sven"]), vars["helpers"]) {
			t.Error("the role did not come")
		}
	})
}

// What an inviter may not give any more when somebody joins is not given, and nobody invites into more than they hold.
func TestInvitationsGiveWhatTheInviterHolds(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		strong := s.RoleIn(t, "Devices", vars["nord"], right.DeviceManagement)
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error { // a role may come to carry more after it was promised
			return s.App.Roles.Remove(ctx, c, vars["readers"], role.Member{Kind: role.User, ID: vars["reader"]})
		})
		number := s.Number(t, "Role", strong)
		body := map[string]any{"email": "neu@nord.example", "roleIds": []json.Number{json.Number(number)}}
		ask(t, s, vars["bossToken"], http.MethodPost, "/uauth/users/invitations/invite", body, 403)

		code := invited(t, s, vars["boss"], vars["nord"], "sven@example.com", vars["helpers"], vars["readers"]).Code
		s.Do(t, audit.RoleRights, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Assign(ctx, c, vars["helpers"], role.Given{Path: right.DeviceManagement.Info().Path})
		})
		ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/user/register/invitation/"+code, nil, 200)
		if got := holds(t, s, vars["sven"]); slices.Contains(got, vars["helpers"]) || !slices.Contains(got, vars["readers"]) {
			t.Error(got)
		}
	})
}

// A code dies when the person gets another address, and roles come by joining alone.
func TestInvitationsFollowTheAddress(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		code := invited(t, s, vars["boss"], vars["nord"], "sven@example.com", vars["helpers"]).Code
		give := map[string]any{"roleIds": []json.Number{json.Number(vars["helpersId"])}}
		ask(t, s, vars["bossToken"], http.MethodPost, "/uauth/users/"+vars["svenId"], give, 409)
		admin := s.TokenOf(t, "admin")
		ask(t, s, admin, http.MethodPost, "/CDirectoryService/ChangeUser", map[string]any{"ID": vars["sven"], "Mail": "other@example.com"}, 200)
		ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/user/register/invitation/"+code, nil, 404)
		ask(t, s, vars["bossToken"], http.MethodGet, "/uauth/users/"+vars["svenId"], nil, 404)
	})
}

// Who joined by belonging to the organization, and is moved out of it, is in the workspace no longer; a guest stays.
func TestWhoIsMovedIsOut(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		code := invited(t, s, vars["boss"], vars["nord"], "sven@example.com").Code
		ask(t, s, vars["svenToken"], http.MethodPost, "/uauth/user/register/invitation/"+code, nil, 200)
		neu := invited(t, s, vars["boss"], vars["nord"], "neu@nord.example")
		first(t, s, secret.FindString(neu.Link))
		number := s.Number(t, "User", neu.Person.ID)
		ask(t, s, vars["bossToken"], http.MethodGet, "/uauth/users/"+number, nil, 200)
		for _, id := range []string{neu.Person.ID, vars["sven"]} {
			s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
				none := ""
				_, err := s.App.People.Change(ctx, c, id, user.Change{Org: &none})
				return err
			})
		}
		ask(t, s, vars["bossToken"], http.MethodGet, "/uauth/users/"+number, nil, 404)
		ask(t, s, vars["bossToken"], http.MethodGet, "/uauth/users/"+vars["svenId"], nil, 200)
	})
}

// Where people are to be activated, who accepts an invitation is in the workspace without its roles, and cannot enter, until they are.
func TestJoiningWaitsForActivation(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		try := func(who, method, path string, body any) (int, string) {
			t.Helper()
			status, answer := s.Call(t, vars[who+"Token"], method, path, body)
			return status, string(answer)
		}
		done := func(who, method, path string, body any) {
			t.Helper()
			if status, answer := try(who, method, path, body); status != http.StatusOK {
				t.Fatalf("%s %s: %d %s", method, path, status, answer)
			}
		}
		mail := "sven.waits@" + s.Suffix
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Change(ctx, c, vars["sven"], user.Change{Mail: &mail})
			return err
		})
		done("boss", http.MethodPost, "/sauth/settings/general", map[string]any{"registrationType": "REQUIRE_ACTIVATION"})
		number, err := strconv.Atoi(vars["helpersId"])
		if err != nil {
			t.Fatal(err)
		}
		done("boss", http.MethodPost, "/uauth/users/invitations/invite", map[string]any{"email": mail, "roleIds": []int{number}})
		done("sven", http.MethodPost, "/uauth/user/register/invitation/"+s.Mailed(t, mail, secret), nil)
		one := "/uauth/users/" + vars["svenId"]
		if _, answer := try("boss", http.MethodGet, one, nil); !strings.Contains(answer, `"enabled":false`) || !strings.Contains(answer, `"roles":[]`) {
			t.Error("who waits:", answer)
		}
		choice := map[string]any{"businessProfileGuid": vars["nord"]}
		if status, answer := try("sven", http.MethodPost, "/uauth/auth/login/user/business-profile", choice); status != http.StatusForbidden {
			t.Error("who waits enters:", status, answer)
		}
		id, err := strconv.Atoi(vars["svenId"])
		if err != nil {
			t.Fatal(err)
		}
		done("boss", http.MethodPost, "/uauth/users/activate", map[string]any{"ids": []int{id}})
		if _, answer := try("boss", http.MethodGet, one, nil); !strings.Contains(answer, `"enabled":true`) || !strings.Contains(answer, "Helpers") {
			t.Error("who was activated:", answer)
		}
		done("sven", http.MethodPost, "/uauth/auth/login/user/business-profile", choice)
	})
}
