package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"limen/test/rig"
)

// What clients of other dialects left in an older version's world. Worlds before schema 46 have none of it.

const (
	olderClientAt     = "client.txt" // the id of the OAuth client, whose secret is below
	olderClientSecret = "a-secret-of-the-wiki-itself"
)

// recordClients has an OAuth client registered, and what a client that provisions says of one of the people.
func recordClients(t *testing.T, a *rig.Client, to string) {
	var made []struct {
		Key string `json:"_RowKey"`
	}
	must(t, a, "/SaasManage/ImportAppFromTemplate", object{"ID": []string{"Generic OpenID Connect"}}, &made)
	must(t, a, "/SaasManage/UpdateApplicationDE", object{
		"_RowKey": made[0].Key, "Name": "Wiki", "ServiceName": "wiki",
		"OAuthProfile": object{"ClientIDType": 1, "ClientSecret": olderClientSecret, "Redirects": []string{callback}, "AllowedAuth": "AuthorizationCode", "KnownScopes": []object{}},
	}, nil)
	var app struct{ OAuthProfile struct{ ClientID string } }
	must(t, a, "/SaasManage/GetApplication", object{"_RowKey": made[0].Key}, &app)
	if err := os.WriteFile(filepath.Join(to, olderClientAt), []byte(app.OAuthProfile.ClientID), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, hr := olderProvisioner(t, a)
	found := olderScim(t, sc, http.MethodGet, `/scim/v2/Users?filter=`+url.QueryEscape(`userName eq "dora@limen"`), "")
	olderScim(t, sc, http.MethodPatch, "/scim/v2/Users/"+found, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"name.familyName","value":"Stone of HR"}]}`)
	must(t, a, "/UserMgmt/RemoveUsers", object{"Users": []string{hr}}, nil)
	must(t, a, "/SaasManage/DeleteRole", object{"Name": "Provisioning"}, nil)
}

// olderClients looks whether the present version still knows both.
func olderClients(t *testing.T, s *rig.Server, a *rig.Client, from string) {
	t.Helper()
	id, err := os.ReadFile(filepath.Join(from, olderClientAt))
	if os.IsNotExist(err) {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	c := client(t, s)
	for secret, want := range map[string]int{olderClientSecret: http.StatusOK, "another": http.StatusUnauthorized} {
		if a := submit(t, c, "/OAuth2/Introspect/wiki", url.Values{"token": {"none"}, "client_id": {string(id)}, "client_secret": {secret}}); a.Status != want {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	sc, _ := olderProvisioner(t, a)
	olderScim(t, sc, http.MethodGet, `/scim/v2/Users?filter=`+url.QueryEscape(`name.familyName eq "Stone of HR" and userName eq "dora@limen"`), "")
}

// olderProvisioner makes a client that provisions, and gives the id of its service user.
func olderProvisioner(t *testing.T, a *rig.Client) (c *rig.Client, id string) {
	t.Helper()
	must(t, a, "/CDirectoryService/CreateUser", object{"Name": "hr@limen", "Mail": "hr@example.com", "ServiceUser": true}, &id)
	must(t, a, "/Roles/StoreRole", object{"Name": "Provisioning", "Users": []string{"hr@limen"}}, nil)
	must(t, a, "/Roles/AssignSuperRights", []object{{"Role": "Provisioning", "Path": "/lib/rights/dsman.json"}}, nil)
	var token struct{ Token string }
	must(t, a, "/UserMgmt/CreateProvisioningToken", object{"ID": "hr@limen", "Name": "HR", "Days": 30}, &token)
	return a.As(token.Token), id
}

// olderScim asks as a client that provisions does, and gives the id of the only resource in the answer.
func olderScim(t *testing.T, c *rig.Client, method, path, body string) string {
	t.Helper()
	a, err := c.Do(t.Context(), method, path, http.Header{"Content-Type": {"application/scim+json"}}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		ID        string
		Resources []struct{ ID string }
	}
	if err := json.Unmarshal(a.Body, &out); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v %d %s", err, a.Status, a.Body)
	}
	if len(out.Resources) == 1 {
		return out.Resources[0].ID
	}
	if out.ID == "" {
		t.Fatalf("not one resource: %s", a.Body)
	}
	return out.ID
}
