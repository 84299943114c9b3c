package scim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/right"
)

// delegate is somebody who manages the safes of an organization.
type delegate struct {
	t     *testing.T
	s     *apptest.Site
	id    string
	token string
}

func delegated(t *testing.T, s *apptest.Site, name string) delegate {
	t.Helper()
	org, p := s.Org(t, name, ""), s.Person(t, strings.ToLower(name))
	s.Settle(t, p.ID, org, s.RoleIn(t, name+" managers", org, right.VaultManagement))
	return delegate{t, s, p.ID, s.SignedIn(t, p.ID)}
}

func (d delegate) must(status int, method, path string, body any) map[string]any {
	d.t.Helper()
	got, answer := d.s.Call(d.t, d.token, method, "/scim/v2"+path, body)
	out := map[string]any{}
	if len(answer) > 0 && json.Unmarshal(answer, &out) != nil || got != status {
		d.t.Fatalf("%s %s: %d %s, want %d", method, path, got, answer, status)
	}
	return out
}

// lists wants a list to have these ids.
func (d delegate) lists(path string, want ...string) {
	d.t.Helper()
	var got []string
	page := d.must(http.StatusOK, http.MethodGet, path, nil)
	for _, r := range page["Resources"].([]any) {
		got = append(got, r.(map[string]any)["id"].(string))
	}
	if slices.Sort(got); !slices.Equal(got, want) || int(page["totalResults"].(float64)) != len(want) {
		d.t.Errorf("%s: %v of %v, want %v", path, got, page["totalResults"], want)
	}
}

type object = map[string]any

const accountURN = "urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData"

// Who manages safes of one organization has those there, and of others what they are given as a member.
func TestSafesOfOrganizations(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		north, south := delegated(t, s, "North"), delegated(t, s, "South")
		admin := delegate{t, s, s.Admin.ID, s.TokenOf(t, "admin")}
		north.must(http.StatusCreated, http.MethodPost, "/Containers", object{"name": "N"})
		south.must(http.StatusCreated, http.MethodPost, "/Containers", object{"name": "S"})
		admin.must(http.StatusCreated, http.MethodPost, "/Containers", object{"name": "T"})
		account := south.must(http.StatusCreated, http.MethodPost, "/PrivilegedData", object{"name": "root", "type": "password", accountURN: object{"safe": "S", "password": "x"}})["id"].(string)
		admin.lists("/Containers?", "N", "S", "T")
		north.lists("/Containers?", "N")
		south.lists("/Containers?", "S")
		north.lists("/PrivilegedData?")
		north.lists("/ContainerPermissions?attributes=id", "N:north@"+s.Suffix)
		for _, found := range []string{"/Containers?filter=" + url.QueryEscape(`name eq "S"`), "/Containers?filter=" + url.QueryEscape(`privilegedData.display eq "root" or owner.value eq "`+south.id+`"`)} {
			north.lists(found)
		}
		for _, path := range []string{"/Containers/S", "/PrivilegedData/" + account, "/ContainerPermissions/S:" + south.id} {
			north.must(http.StatusNotFound, http.MethodGet, path, nil)
			north.must(http.StatusNotFound, http.MethodDelete, path, nil)
		}
		member := func(safe, id string, rights ...string) object {
			return object{"container": object{"value": safe}, "user": object{"value": id}, "rights": rights}
		}
		north.must(http.StatusNotFound, http.MethodPost, "/ContainerPermissions", member("S", north.id, "ListAccounts"))
		north.must(http.StatusNotFound, http.MethodPost, "/ContainerPermissions", member("N", south.id, "ListAccounts")) // who is none of theirs
		north.must(http.StatusNotFound, http.MethodPost, "/PrivilegedData", object{"name": "x", "type": "key", accountURN: object{"safe": "S"}})
		admin.must(http.StatusCreated, http.MethodPost, "/ContainerPermissions", member("S", north.id, "ListAccounts", "ManageSafeMembers"))
		north.lists("/Containers?", "N", "S")
		north.lists("/PrivilegedData?", account)
		at := "/ContainerPermissions/S:" + north.id
		north.must(http.StatusForbidden, http.MethodPut, at, member("S", north.id, "ListAccounts", "ManageSafeMembers", "RetrieveAccounts"))
		north.must(http.StatusForbidden, http.MethodPut, "/Containers/S", object{"name": "Mine"})
		north.must(http.StatusForbidden, http.MethodPatch, "/PrivilegedData/"+account, object{"Operations": []object{{"op": "replace", "path": "name", "value": "y"}}})
		north.must(http.StatusForbidden, http.MethodDelete, "/PrivilegedData/"+account, nil)
		north.must(http.StatusOK, http.MethodPut, at, member("S", north.id, "ListAccounts"))
		north.must(http.StatusForbidden, http.MethodDelete, at, nil)
		admin.must(http.StatusNoContent, http.MethodDelete, "/Users/"+north.id, nil)
		admin.lists("/ContainerPermissions?filter="+url.QueryEscape(`container.value eq "S"`), "S:south@"+s.Suffix)
		if owner := admin.must(http.StatusOK, http.MethodGet, "/Containers/N", nil)["owner"]; owner != nil {
			t.Errorf("a safe belongs to somebody who is gone: %v", owner)
		}
	})
}
