package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"limen/internal/app/apptest"
)

// scim asks by SCIM and gives the status and the answer.
func (b *branches) scim(token, path string) (int, map[string]any) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.site.URL+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.site.Host
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := b.site.HTTP.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		b.t.Fatal(path, err)
	}
	return res.StatusCode, out
}

// walk goes through all pages of a list and gives the ids; it wants totalResults to be how many there are.
func (b *branches) walk(token, path string, cursor bool) (ids []string) {
	b.t.Helper()
	total, next := 0, ""
	for len(ids) < 100 {
		at := fmt.Sprintf("%s&count=3&startIndex=%d", path, len(ids)+1)
		if cursor {
			at = fmt.Sprintf("%s&count=3&cursor=%s", path, url.QueryEscape(next))
		}
		status, page := b.scim(token, at)
		if status != http.StatusOK {
			b.t.Fatal(at, status, page)
		}
		rs, _ := page["Resources"].([]any)
		for _, r := range rs {
			ids = append(ids, r.(map[string]any)["id"].(string))
		}
		total = int(page["totalResults"].(float64))
		if next, _ = page["nextCursor"].(string); cursor && next == "" || !cursor && len(rs) < 3 {
			break
		}
	}
	if total != len(ids) {
		b.t.Errorf("%s: totalResults %d of %d", path, total, len(ids))
	}
	slices.Sort(ids)
	return ids
}

// Provisioning lists, searches and counts exactly what single reads give to the same caller.
func TestProvisioningListsEqualSingleReads(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		callers := []string{"of this", "of parent", "of child", "of foreign", "roles of this", "reads this", "this", "strong", "envoy", "plain", "admin", "holder User Management", "holder Role Management"}
		for _, who := range callers {
			b.token(who) // before everybody is counted: some are made here
		}
		everybody := b.people()
		seen := map[string]int{}
		for _, who := range callers {
			token := b.token(who)
			var single []string
			for _, id := range everybody {
				if status, _ := b.scim(token, "/scim/Users/"+id); status == http.StatusOK {
					single = append(single, id)
				}
			}
			seen[who] = len(single)
			status, _ := b.scim(token, "/scim/Users?count=0")
			if status != http.StatusOK {
				if len(single) > 0 {
					t.Errorf("%s reads %d people and may not list them: %d", who, len(single), status)
				}
				continue
			}
			for what, path := range map[string]string{
				"all": "/scim/Users?attributes=id", "sorted by a detail": "/scim/Users?attributes=id&sortBy=title", "backwards": "/scim/Users?attributes=id&sortOrder=descending",
				"found": "/scim/Users?attributes=id&filter=" + url.QueryEscape(`userName pr or title eq "x"`),
			} {
				for _, cursor := range []bool{false, true} {
					if got := b.walk(token, path, cursor); !slices.Equal(got, single) {
						t.Errorf("%s by %s, cursor %v: %s\nsingle reads: %s", what, who, cursor, b.names(got), b.names(single))
					}
				}
			}
		}
		if seen["of this"] < 3 || seen["of this"] >= seen["of parent"] || seen["of parent"] >= seen["admin"] || seen["plain"] != 0 || seen["admin"] != len(everybody) {
			t.Error(seen)
		}
	})
}
