package scim_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// bearer asks with a token as it is.
func (c client) bearer(token, method, path string) int {
	c.t.Helper()
	r, err := http.NewRequest(method, c.s.URL+path, http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.s.Host
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := c.s.HTTP.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized && strings.HasPrefix(path, "/scim") && res.Header.Get("WWW-Authenticate") == "" {
		c.t.Error("a 401 without WWW-Authenticate")
	}
	return res.StatusCode
}

// TestProvisioningTokens are good at SCIM alone, for what the service user may do, until they end or the service user does.
func TestProvisioningTokens(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		c := client{t: t, s: s}
		var hr user.User
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
			hr, err = s.App.People.Create(ctx, c, user.New{Name: "hr@" + s.Suffix, Service: true})
			return err
		})
		result := func(path string, body any) map[string]any {
			out := c.must(http.StatusOK, http.MethodPost, path, body)
			if out["success"] != true {
				t.Fatal(path, out)
			}
			in, _ := out["Result"].(map[string]any)
			return in
		}
		made := result("/UserMgmt/CreateProvisioningToken", map[string]any{"ID": hr.ID, "Name": "HR"})
		id, first := made["ID"].(string), made["Token"].(string)
		want := func(token string, status int, path string) {
			t.Helper()
			if got := c.bearer(token, http.MethodGet, path); got != status {
				t.Errorf("GET %s: %d, and not %d", path, got, status)
			}
		}
		want(first, http.StatusOK, "/scim/v2/Me")
		want(first, http.StatusUnauthorized, "/scim/v2/Users")
		s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
			r, err := s.App.Roles.Create(ctx, c, role.New{Name: "Provisioning"})
			if err == nil {
				err = s.App.Roles.Assign(ctx, c, r.ID, role.Given{Path: right.UserManagement.Info().Path})
			}
			if err == nil {
				err = s.App.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: hr.ID})
			}
			return err
		})
		want(first, http.StatusOK, "/scim/v2/Users")
		want(first, http.StatusUnauthorized, "/scim/v2/Groups")
		want(first, http.StatusUnauthorized, "/CDirectoryService/GetUsers")
		other := srv.Tenant(t)
		if got := (client{t: t, s: other}).bearer(first, http.MethodGet, "/scim/v2/Me"); got != http.StatusUnauthorized {
			t.Error("good for another tenant:", got)
		}
		want(first+"x", http.StatusUnauthorized, "/scim/v2/Me")
		second := result("/UserMgmt/RotateProvisioningToken", map[string]any{"TokenID": id, "OverlapDays": 1})["Token"].(string)
		want(first, http.StatusOK, "/scim/v2/Me")
		want(second, http.StatusOK, "/scim/v2/Me")
		third := result("/UserMgmt/RotateProvisioningToken", map[string]any{"TokenID": id, "OverlapDays": 0})["Token"].(string)
		want(first, http.StatusUnauthorized, "/scim/v2/Me")
		want(second, http.StatusUnauthorized, "/scim/v2/Me")
		want(third, http.StatusOK, "/scim/v2/Me")
		s.Do(t, audit.UserState, func(ctx context.Context, c *call.Call) error { return s.App.People.Suspend(ctx, c, hr.ID, true) })
		want(third, http.StatusUnauthorized, "/scim/v2/Me")
		s.Do(t, audit.UserState, func(ctx context.Context, c *call.Call) error { return s.App.People.Suspend(ctx, c, hr.ID, false) })
		want(third, http.StatusOK, "/scim/v2/Me")
		result("/UserMgmt/RevokeProvisioningToken", map[string]any{"TokenID": id})
		want(third, http.StatusUnauthorized, "/scim/v2/Me")
		last := result("/UserMgmt/CreateProvisioningToken", map[string]any{"ID": hr.ID, "Name": "HR"})["Token"].(string)
		s.Do(t, audit.UserDelete, func(ctx context.Context, c *call.Call) error { return s.App.People.Delete(ctx, c, hr.ID) })
		want(last, http.StatusUnauthorized, "/scim/v2/Me")
	})
}

// TestStrongerTokens: who may manage people has no power over the tokens of a service user that holds more.
func TestStrongerTokens(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		c := client{t: t, s: s}
		var hr, desk user.User
		var token string
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
			if hr, err = s.App.People.Create(ctx, c, user.New{Name: "hr@" + s.Suffix, Service: true}); err != nil {
				return err
			}
			if desk, err = s.App.People.Create(ctx, c, user.New{Name: "desk@" + s.Suffix, Mail: "desk@example.com"}); err != nil {
				return err
			}
			for id, held := range map[string][]right.Right{hr.ID: {right.UserManagement, right.RoleManagement}, desk.ID: {right.UserManagement}} {
				r, err := s.App.Roles.Create(ctx, c, role.New{Name: "of " + id})
				for _, one := range held {
					if err == nil {
						err = s.App.Roles.Assign(ctx, c, r.ID, role.Given{Path: one.Info().Path})
					}
				}
				if err == nil {
					err = s.App.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: id})
				}
				if err != nil {
					return err
				}
			}
			token, _, err = s.App.Sessions.Create(ctx, c, session.New{User: desk.ID})
			return err
		})
		made := c.must(http.StatusOK, http.MethodPost, "/UserMgmt/CreateProvisioningToken", map[string]any{"ID": hr.ID, "Name": "HR"})["Result"].(map[string]any)
		for path, body := range map[string]string{
			"CreateProvisioningToken": `{"ID":"` + hr.ID + `","Name":"mine"}`,
			"RotateProvisioningToken": `{"TokenID":"` + made["ID"].(string) + `"}`,
			"RevokeProvisioningToken": `{"TokenID":"` + made["ID"].(string) + `"}`,
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/UserMgmt/"+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(res.Body)
			if res.Body.Close(); err != nil || !strings.Contains(string(answer), `"success":false`) || !strings.Contains(string(answer), user.ErrStronger.Public) {
				t.Errorf("%s: %s %v", path, answer, err)
			}
		}
		if got := c.bearer(made["Token"].(string), http.MethodGet, "/scim/v2/Me"); got != http.StatusOK {
			t.Error("the token is gone:", got)
		}
	})
}
