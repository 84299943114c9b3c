package redrock_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/app/apptest"
)

// heavy takes far longer than a report may, and needs no right.
const heavy = `{"Script":"SELECT count(*) FROM DataDictionary a JOIN DataDictionary b ON a.ID <> b.ID JOIN DataDictionary c ON b.ID <> c.ID JOIN DataDictionary d ON c.ID <> d.ID WHERE a.ID > d.ID"}`

// Reports that take long, as many as somebody without rights cares to send, keep nobody else from working.
func TestHeavyReportsKeepNobodyOut(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		ask := func(ctx context.Context, token, path, body string) string {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = site.Host
			r.Header.Set("Authorization", "Bearer "+token)
			res, err := s.HTTP.Do(r)
			if err != nil {
				return err.Error()
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			return string(b)
		}
		plain, admin := site.TokenOf(t, "plain"), site.TokenOf(t, "admin")
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				if got := ask(ctx, plain, "/Redrock/Query", heavy); strings.Contains(got, `"success":true`) {
					t.Error("the heavy report is not heavy", got)
				}
			})
		}
		time.Sleep(500 * time.Millisecond) // until they run
		soon, done := context.WithTimeout(t.Context(), 8*time.Second)
		defer done()
		for path, body := range map[string]string{
			"/CDirectoryService/GetUserByName": `{"username":"` + site.Plain.Name + `"}`,
			"/Redrock/Query":                   `{"Script":"SELECT Username FROM User"}`,
		} {
			if got := ask(soon, admin, path, body); !strings.Contains(got, site.Plain.Name) {
				t.Errorf("%s: %s", path, got)
			}
		}
		stop()
		all.Wait()
	})
}
