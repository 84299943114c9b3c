package signin_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/number"
	"limen/internal/core/provision"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", apptest.Workspaces, func(t *testing.T, s *apptest.Site, name string) map[string]string {
		switch name {
		case "VerifyMFA":
			return twice(t, s)
		case "LogOut", "LoginProfile", "RefreshProfile", "CheckPermissions":
			return keys(t, s)
		}
		return nil
	})
}

// twice is somebody who signs in with a code by mail besides the password.
func twice(t *testing.T, s *apptest.Site) map[string]string {
	s.Set(t, "Authentication.Challenges", "UP;OATH,EMAIL")
	p := s.Person(t, "twice")
	s.Settle(t, p.ID, s.Org(t, "Twice", ""), "")
	return map[string]string{"twice": p.ID, "twiceId": s.Number(t, number.User, p.ID), "twiceName": p.Name}
}

// keys are an API key of a service user who reads people of a workspace, a token by it, and a token that is for provisioning.
func keys(t *testing.T, s *apptest.Site) map[string]string {
	vars := map[string]string{}
	at := s.Org(t, "Keys", "")
	reads := s.RoleIn(t, "Key readers", at, right.ReadUsers)
	s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
		u, err := s.App.People.Create(ctx, c, user.New{Name: "robot@" + s.Suffix, Org: at, Service: true})
		if err != nil {
			return err
		}
		if err := s.App.Roles.Add(ctx, c, reads, role.Member{Kind: role.User, ID: u.ID}); err != nil {
			return err
		}
		d := provision.Directory{People: s.App.People, Roles: s.App.Roles}
		for name, realm := range map[string]string{"apiKey": provision.RealmWorkspace, "scimToken": provision.RealmSCIM} {
			if _, vars[name], err = d.MakeToken(ctx, c, u, realm, name, 1e12); err != nil {
				return err
			}
		}
		return nil
	})
	status, answer := s.Call(t, "", http.MethodPost, "/v4/auth/login/profile", map[string]string{"apiKey": vars["apiKey"]})
	var in struct{ Token string }
	if status != http.StatusOK || json.Unmarshal(answer, &in) != nil {
		t.Fatalf("the key does not open: %d %s", status, answer)
	}
	vars["keyToken"] = in.Token
	return vars
}
