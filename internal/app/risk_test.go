package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

// Who writes other addresses into X-Forwarded-For, and is no proxy that is trusted, is at the address that they come from: their failures count there, and
// their sign-in is rated by that.
func TestForgedAddressesCountNothingForRisk(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		site.Set(t, "Risk.Spread", "3")
		login := func(n int, name, password string) {
			body, err := json.Marshal(map[string]string{"user": name, "password": password})
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.URL+"/Security/Login", strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = site.Host
			r.Header.Set("X-IDAP-NATIVE-CLIENT", "true")
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", n))
			a, err := site.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			a.Body.Close()
		}
		for n := range 3 {
			login(n, fmt.Sprintf("n%d@%s", n, site.Suffix), "wrong")
		}
		site.DropEvents()
		login(9, site.Admin.Name, site.Admin.Password)
		events := site.Events(t)
		if !strings.Contains(events, "NetworkFailures: 3 failed attempts") || !strings.Contains(events, `"IP":"127.0.0.1"`) {
			t.Error(events)
		}
		_, raw := site.Call(t, site.TokenOf(t, "admin"), http.MethodPost, "/Redrock/Query",
			map[string]string{"Script": "SELECT Username, RiskLevel FROM User WHERE RiskLevel IS NOT NULL"})
		if strings.Count(string(raw), `"RiskLevel":"Medium"`) != 1 {
			t.Errorf("%s", raw)
		}
	})
}
