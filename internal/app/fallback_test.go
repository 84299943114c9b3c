package app_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"limen/internal/app/apptest"
)

// What is at no path, or takes no such method, is told in the form of the dialect to which it would belong.
func TestNothingAnswersInItsDialect(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		for _, x := range []struct {
			method, path, member string
			status               int
		}{
			{http.MethodGet, "/scim/v2/Nothing", "schemas", http.StatusNotFound},
			{http.MethodGet, "/SCIM/Nothing", "schemas", http.StatusNotFound},
			{http.MethodPost, "/scim/PrivilegedDataPermissions", "schemas", http.StatusMethodNotAllowed},
			{http.MethodDelete, "/scim/v2/Me", "schemas", http.StatusMethodNotAllowed},
			{http.MethodGet, "/uauth/nothing", "reason", http.StatusNotFound},
			{http.MethodPost, "/Area/Nothing", "MessageID", http.StatusNotFound},
		} {
			r, err := http.NewRequestWithContext(t.Context(), x.method, site.URL+x.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = site.Host
			res, err := site.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var out map[string]any
			err = json.NewDecoder(res.Body).Decode(&out)
			res.Body.Close()
			if err != nil || res.StatusCode != x.status || out[x.member] == nil {
				t.Errorf("%s %s: %d %v %v", x.method, x.path, res.StatusCode, out, err)
			}
		}
	})
}
