package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestProvisioning has a client sign in with its credentials for the scope scim, as products that provision do, and manage people.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		w := newSite(t, engine)
		var hr string
		must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "hr@limen", "Mail": "hr@example.com", "Password": password, "ServiceUser": true, "OauthClient": true}, &hr)
		must(t, w.admin, "/Roles/StoreRole", object{"Name": "Provisioning", "Users": []string{"hr@limen"}}, nil)
		must(t, w.admin, "/Roles/AssignSuperRights", []object{{"Role": "Provisioning", "Path": "/lib/rights/dsman.json"}}, nil)
		var made []struct {
			Key string `json:"_RowKey"`
		}
		must(t, w.admin, "/SaasManage/ImportAppFromTemplate", object{"ID": []string{"OAuth2ServerClient"}}, &made)
		must(t, w.admin, "/SaasManage/UpdateApplicationDE", object{
			"_RowKey": made[0].Key, "Name": "Provisioning", "ServiceName": "scim",
			"OAuthProfile": object{
				"AllowedAuth": "ClientCreds", "MustBeOauthClient": true, "TokenLifetimeString": "0.01:00:00",
				"KnownScopes": []object{{"Scope": "scim", "AllowedRest": []string{"scim*"}}, {"Scope": "core", "AllowedRest": []string{"core.*"}}},
			},
		}, nil)
		must(t, w.admin, "/SaasManage/SetApplicationPermissions", object{"ID": made[0].Key, "Grants": []object{{"PType": "User", "PrincipalId": hr, "Rights": "View,Execute"}}}, nil)
		token := func(scope string) string {
			form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
			r := w.request(t, http.MethodPost, "/oauth2/token/scim", form.Encode())
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth("hr@limen", password)
			status, body := w.send(t, r)
			if status != http.StatusOK {
				t.Fatal(status, body)
			}
			return body["access_token"].(string)
		}
		able := token("SCIM")
		scim := func(by, method, path, body string) (int, object) {
			r := w.request(t, method, path, body)
			r.Header.Set("Content-Type", "application/scim+json")
			r.Header.Set("Authorization", "Bearer "+by)
			return w.send(t, r)
		}
		status, person := scim(able, http.MethodPost, "/scim/v2/Users", `{"userName":"anna@limen","name":{"givenName":"Anna"},"externalId":"7"}`)
		if status != http.StatusCreated {
			t.Fatal(status, person)
		}
		at := "/scim/Users/" + person["id"].(string)
		for _, x := range []struct {
			by, method, path, body string
			want                   int
		}{
			{able, http.MethodPatch, at, `{"Operations":[{"op":"replace","path":"active","value":false}]}`, http.StatusOK},
			{able, http.MethodGet, "/scim/v2/Users?filter=" + url.QueryEscape(`externalId eq "7"`), "", http.StatusOK},
			{able, http.MethodGet, "/scim/Groups", "", http.StatusUnauthorized},                   // no right
			{able, http.MethodPost, "/CDirectoryService/GetUsers", "{}", http.StatusUnauthorized}, // not of the scope
			{token("core"), http.MethodGet, at, "", http.StatusUnauthorized},
			{able + "x", http.MethodGet, at, "", http.StatusUnauthorized},
			{able, http.MethodDelete, at, "", http.StatusNoContent},
			{able, http.MethodGet, at, "", http.StatusNotFound},
		} {
			if got, body := scim(x.by, x.method, x.path, x.body); got != x.want {
				t.Errorf("%s %s: %d %v, and not %d", x.method, x.path, got, body, x.want)
			}
		}
	})
}

func (w *site) request(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.anyone.Base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *site) send(t *testing.T, r *http.Request) (int, object) {
	t.Helper()
	res, err := w.anyone.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := object{}
	if len(text) > 0 && json.Unmarshal(text, &out) != nil {
		t.Fatalf("%d %.300s", res.StatusCode, text)
	}
	return res.StatusCode, out
}
