package app_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"limen/internal/app/apptest"
)

// entry is an object of a list of the Synerise dialect, whole and by its number.
type entry = map[string]any

// entries calls an operation that answers a list, of which all pages are read; none when it is refused.
func entries(t *testing.T, s *apptest.Site, token, path string) []entry {
	t.Helper()
	var out []entry
	for page := 1; ; page++ {
		status, answer := s.Call(t, token, http.MethodGet, path+"&limit=2&page="+strconv.Itoa(page), nil)
		var in struct {
			Data []entry
			Meta struct{ TotalCount, TotalPages int }
		}
		if status != http.StatusOK {
			return nil
		}
		if json.Unmarshal(answer, &in) != nil {
			t.Fatalf("%s: %s", path, answer)
		}
		out = append(out, in.Data...)
		if page >= in.Meta.TotalPages {
			if in.Meta.TotalPages > 0 && len(out) != in.Meta.TotalCount {
				t.Errorf("%s has %d entries and says %d", path, len(out), in.Meta.TotalCount)
			}
			return out
		}
	}
}

func numbers(all []entry) []string {
	out := []string{}
	for _, e := range all {
		if id, ok := e["id"].(float64); ok {
			out = append(out, strconv.Itoa(int(id)))
		}
	}
	slices.Sort(out)
	return out
}

// Lists of a workspace's users and roles give exactly those that single reads give to the same caller, with what they say of them; whoever
// has no token for a workspace, or no right over it, gets neither.
func TestWorkspaceListsEqualSingleReads(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		limit := entry{"attributes": []string{"firstName", "lastName"}}
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPost, "/uauth/roles/"+vars["readersId"]+"/pii", limit); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		single := func(token, path string, ids ...string) (out []entry) {
			for _, id := range ids {
				status, answer := s.Call(t, token, http.MethodGet, path+vars[id+"Id"], nil)
				var one entry
				if status == http.StatusOK && json.Unmarshal(answer, &one) == nil {
					out = append(out, one)
				}
			}
			return out
		}
		for who, want := range map[string]struct{ people, roles int }{"boss": {3, 3}, "reader": {3, 3}, "root": {3, 3}, "mia": {}, "sven": {1, 1}} {
			token := vars[who+"Token"]
			people := single(token, "/uauth/users/", "boss", "reader", "mia", "sven", "root")
			roles := single(token, "/uauth/roles/", "chiefs", "readers", "helpers", "suedchiefs")
			if len(people) != want.people || len(roles) != want.roles {
				t.Errorf("%s reads %d people and %d roles, want %+v", who, len(people), len(roles), want)
			}
			for _, path := range []string{"/uauth/users/listing?sortBy=CREATED:ASC", "/uauth/v2/users/listing?sortBy=CREATED:DESC"} {
				listed := entries(t, s, token, path)
				if !slices.Equal(numbers(listed), numbers(people)) {
					t.Errorf("%s lists %v by %s and reads %v", who, numbers(listed), path, numbers(people))
				}
				for _, one := range listed {
					if !slices.ContainsFunc(people, func(p entry) bool {
						p = maps.Clone(p)
						p["lastLogin"] = one["lastLogin"] // is written some time after a sign-in
						return reflect.DeepEqual(p, one)
					}) {
						t.Errorf("%s is told by %s what no single read tells: %v", who, path, one)
					}
				}
			}
			for _, name := range []string{"boss", "reader", "mia", "sven"} {
				for _, found := range entries(t, s, token, "/uauth/users/listing/autocomplete?search="+name) {
					if !slices.ContainsFunc(people, func(p entry) bool {
						return p["id"] == found["id"] && p["email"] == found["email"] && p["firstName"] == found["firstName"] && p["lastName"] == found["lastName"]
					}) {
						t.Errorf("%s is suggested what no single read tells: %v", who, found)
					}
				}
			}
			var sorted []entry
			for _, group := range entries(t, s, token, "/uauth/roles/listing?sortBy=NAME:ASC") {
				for _, one := range group["roles"].([]any) {
					sorted = append(sorted, one.(entry))
				}
			}
			if !slices.Equal(numbers(sorted), numbers(roles)) {
				t.Errorf("%s lists the roles %v and reads %v", who, numbers(sorted), numbers(roles))
			}
			for _, id := range numbers(entries(t, s, token, "/uauth/users/available-roles?")) {
				if !slices.Contains(numbers(roles), id) {
					t.Errorf("%s may give the role %s, and cannot read it", who, id)
				}
			}
		}
	})
}

// The workspaces that somebody is told of are those that they may enter.
func TestWorkspacesEqualThoseEntered(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		for who, want := range map[string]int{"boss": 2, "reader": 2, "root": 3, "mia": 1, "sven": 1} {
			token, entered := vars[who+"Token"], []string{}
			for _, at := range []string{"nord", "ost", "sued"} {
				status, answer := s.Call(t, token, http.MethodPost, "/uauth/auth/login/user/business-profile", map[string]any{"businessProfileGuid": vars[at]})
				if status == http.StatusOK {
					entered = append(entered, vars[at+"Id"])
				} else if status != http.StatusForbidden {
					t.Errorf("%d %s", status, answer)
				}
			}
			slices.Sort(entered)
			if len(entered) != want {
				t.Errorf("%s enters %d workspaces, want %d", who, len(entered), want)
			}
			if got := numbers(entries(t, s, token, "/business-profile-service/business-profiles?")); !slices.Equal(got, entered) {
				t.Errorf("%s is told of the workspaces %v and enters %v", who, got, entered)
			}
			for _, path := range []string{"/business-profile-service/organizations/business-profiles?", "/business-profile-service/organizations/business-profiles/with-identifiers?"} {
				for _, id := range numbers(entries(t, s, token, path)) {
					if !slices.Contains(entered, id) {
						t.Errorf("%s is told by %s of the workspace %s, and cannot enter it", who, path, id)
					}
				}
			}
		}
	})
}
