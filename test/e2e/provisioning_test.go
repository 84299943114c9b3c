package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"limen/test/rig"
)

// foreign is an installation that people of another one are provisioned to.
type foreign struct {
	site
	token string // of whoever provisions there
}

// newForeign gives whoever provisions a token, and credentials of a client.
func newForeign(t *testing.T, engine string) *foreign {
	t.Helper()
	f := &foreign{}
	f.Server = start(t, engine, rig.Options{})
	f.anyone, f.admin = client(t, f.Server), admin(t, f.Server)
	var hr string
	must(t, f.admin, "/CDirectoryService/CreateUser", object{"Name": "hr@limen", "Mail": "hr@example.com", "Password": password, "ServiceUser": true, "OauthClient": true}, &hr)
	must(t, f.admin, "/Roles/StoreRole", object{"Name": "Provisioning", "Users": []string{"hr@limen"}}, nil)
	must(t, f.admin, "/Roles/AssignSuperRights", []object{{"Role": "Provisioning", "Path": "/lib/rights/dsman.json"}, {"Role": "Provisioning", "Path": "/lib/rights/roleman.json"}}, nil)
	var made struct{ Token string }
	must(t, f.admin, "/UserMgmt/CreateProvisioningToken", object{"ID": "hr@limen", "Name": "first", "Days": 1}, &made)
	f.token = made.Token
	var apps []struct {
		Key string `json:"_RowKey"`
	}
	must(t, f.admin, "/SaasManage/ImportAppFromTemplate", object{"ID": []string{"OAuth2ServerClient"}}, &apps)
	must(t, f.admin, "/SaasManage/UpdateApplicationDE", object{
		"_RowKey": apps[0].Key, "Name": "Provisioning", "ServiceName": "scim",
		"OAuthProfile": object{"AllowedAuth": "ClientCreds", "MustBeOauthClient": true, "KnownScopes": []object{{"Scope": "scim", "AllowedRest": []string{"scim*"}}}},
	}, nil)
	must(t, f.admin, "/SaasManage/SetApplicationPermissions", object{"ID": apps[0].Key, "Grants": []object{{"PType": "User", "PrincipalId": hr, "Rights": "View,Execute"}}}, nil)
	return f
}

// account is somebody there, as SCIM tells it; nil where there is nobody.
func (f *foreign) account(t *testing.T, name string) object {
	t.Helper()
	list, _ := f.scim(t, http.MethodGet, "/Users?filter="+url.QueryEscape(fmt.Sprintf("userName eq %q", name)), "")["Resources"].([]any)
	if len(list) == 0 {
		return nil
	}
	return list[0].(object)
}

func (f *foreign) scim(t *testing.T, method, path, body string) object {
	t.Helper()
	r := f.request(t, method, "/scim/v2"+path, body)
	r.Header.Set("Content-Type", "application/scim+json")
	r.Header.Set("Authorization", "Bearer "+f.token)
	status, out := f.send(t, r)
	if status >= http.StatusBadRequest {
		t.Fatal(path, status, out)
	}
	return out
}

// connected is an installation with an application whose people have accounts at another one.
type connected struct {
	*foreign
	here *rig.Client
	app  string
}

func connect(t *testing.T, here *rig.Server, f *foreign) *connected {
	t.Helper()
	c := &connected{foreign: f, here: admin(t, here)}
	var apps []struct {
		Key string `json:"_RowKey"`
	}
	must(t, c.here, "/SaasManage/ImportAppFromTemplate", object{"ID": []string{"Generic OpenID Connect"}}, &apps)
	c.app = apps[0].Key
	must(t, c.here, "/Roles/StoreRole", object{"Name": "Wiki"}, nil)
	must(t, c.here, "/SaasManage/SetApplicationPermissions", object{"ID": c.app, "Grants": []object{{"Principal": "Wiki", "PType": "Role", "Rights": "View,Execute"}}}, nil)
	c.target(t, object{"Secret": f.token})
	return c
}

// target names the other installation as where the application's people are provisioned to.
func (c *connected) target(t *testing.T, more object) {
	t.Helper()
	o := object{
		"_RowKey": c.app, "BaseURL": c.URL + "/scim/v2", "Enabled": true, "OnDelete": "Delete",
		"Groups": []object{{"Role": "Wiki", "Name": "wiki-writers"}},
	}
	for k, v := range more {
		o[k] = v
	}
	must(t, c.here, "/Provisioning/SetTarget", o, nil)
	var tried struct {
		Success bool
		Error   string
	}
	must(t, c.here, "/Provisioning/TestTarget", object{"_RowKey": c.app}, &tried)
	if !tried.Success {
		t.Fatal(tried)
	}
}

// join makes somebody who may use the application.
func (c *connected) join(t *testing.T, name string) (id string) {
	t.Helper()
	must(t, c.here, "/CDirectoryService/CreateUser", object{"Name": name + "@limen", "Mail": name + "@example.com", "DisplayName": name}, &id)
	must(t, c.here, "/Roles/UpdateRole", object{"Name": "Wiki", "Users": object{"Add": []string{id}}}, nil)
	return id
}

// trusting has a program trust the authority of another one.
func trusting(s *rig.Server) []string {
	return []string{"LIMEN_ALLOW_NETWORK=127.0.0.0/8", "SSL_CERT_FILE=" + s.CA}
}

// TestProvisioningToAnother provisions people of one installation to another one, by a token and by credentials of a client: who comes,
// changes, is disabled, leaves a group or the application, or is deleted.
func TestProvisioningToAnother(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		f := newForeign(t, engine)
		c := connect(t, start(t, engine, rig.Options{Env: trusting(f.Server)}), f)
		until := func(what string, is func(anna object) bool) {
			t.Helper()
			eventually(t, 30*time.Second, what, func() bool { return is(f.account(t, "anna@limen")) })
		}
		id := c.join(t, "anna")
		until("Anna is there", func(o object) bool { return o != nil && o["externalId"] == id && o["active"] == true })
		until("she is in the group", func(o object) bool {
			groups, _ := o["groups"].([]any)
			for _, g := range groups {
				if g.(object)["display"] == "wiki-writers" {
					return true
				}
			}
			return false
		})
		c.target(t, object{"Authentication": "ClientCredentials", "TokenURL": f.URL + "/oauth2/token/scim", "ClientId": "hr@limen", "Secret": password, "Scope": "scim"})
		must(t, c.here, "/CDirectoryService/ChangeUser", object{"ID": id, "DisplayName": "Anna of Wiki"}, nil)
		until("her new name", func(o object) bool { return o["displayName"] == "Anna of Wiki" })
		f.scim(t, http.MethodPatch, "/Users/"+f.account(t, "anna@limen")["id"].(string), `{"Operations":[{"op":"replace","path":"displayName","value":"Mallory"}]}`)
		must(t, c.here, "/Provisioning/StartRun", object{"_RowKey": c.app, "Mode": "Compare", "Repair": []string{"differs"}}, nil)
		until("what differs is put right", func(o object) bool { return o["displayName"] == "Anna of Wiki" })
		must(t, c.here, "/Roles/UpdateRole", object{"Name": "Wiki", "Users": object{"Delete": []string{id}}}, nil)
		until("who may not use it is disabled", func(o object) bool { return o["active"] == false })
		must(t, c.here, "/UserMgmt/RemoveUsers", object{"Users": []string{id}}, nil)
		until("who is deleted is removed", func(o object) bool { return o == nil })
	})
}

// TestProvisioningSurvivesItsNode kills one of two nodes while it provisions, and the other one goes on: everybody has one account, and a
// receipt that says so.
func TestProvisioningSurvivesItsNode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		const many = 60
		f := newForeign(t, engine)
		first := start(t, engine, rig.Options{Env: trusting(f.Server)})
		c := connect(t, first, f)
		second := first // an embedded store has one node: it starts again
		if engine == "PostgreSQL" {
			second = secondNode(t, first, f)
			c.here = admin(t, second)
		}
		for i := range many {
			c.join(t, fmt.Sprintf("p%d", i))
		}
		eventually(t, time.Minute, "some are there", func() bool { return f.account(t, "p5@limen") != nil })
		first.Kill()
		if second == first {
			if err := first.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.here = admin(t, first)
		}
		// What the dead node was at is free when its lease ends, a minute later. The group is acknowledged as well; the administrator's name is
		// somebody else's there.
		eventually(t, 3*time.Minute, "everybody's account is acknowledged", func() bool {
			var shown struct{ Accounts map[string]int }
			must(t, c.here, "/Provisioning/GetTarget", object{"_RowKey": c.app}, &shown)
			return shown.Accounts["acknowledged"] == many+1 && shown.Accounts["waiting"] == 0
		})
		list := f.scim(t, http.MethodGet, "/Users?count=1&filter="+url.QueryEscape(`userName sw "p" and externalId pr`), "")
		if got := list["totalResults"]; got != float64(many) {
			t.Errorf("%v accounts, and not %d", got, many)
		}
	})
}

// secondNode is another node on the same database.
func secondNode(t *testing.T, first *rig.Server, f *foreign) *rig.Server {
	t.Helper()
	data := filepath.Join(t.TempDir(), "second")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(first.Data, "master.key"), filepath.Join(data, "master.key"))
	s, err := rig.New(rig.Options{Binary: first.Binary, Data: data, DB: first.DB, Env: trusting(f.Server)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Admin, s.Password = first.Admin, first.Password
	return s
}
