package people_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
)

// Pages of those who belong to the workspace and of guests together are in one order, with nobody twice or left out.
func TestPagesMixGuests(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		vars := apptest.Workspaces(t, s, "")
		for n, name := range []string{"boss", "guest1", "guest2", "guest3"} {
			if n > 0 {
				vars[name] = s.Person(t, name).ID
			}
			s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
				mail := fmt.Sprintf("%c%s@example.org", 'm'+rune(n*5%4), name)
				u, err := s.App.People.Change(ctx, c, vars[name], user.Change{Mail: &mail, Display: new(fmt.Sprintf("%c Name", 'C'+rune(n*7%5)))})
				if err == nil && n > 0 {
					_, err = s.App.Workspaces.Invite(ctx, c, vars["nord"], workspace.Invitation{Mail: u.Mail, Lasts: time.Hour})
				}
				return err
			})
		}
		end := map[string]string{"accessExpirationTime": "2999-01-01T00:00:00Z"} // of somebody who belongs there, which is noted where guests are
		if status, answer := s.Call(t, vars["bossToken"], http.MethodPut, "/uauth/users/"+vars["miaId"]+"/access-time", end); status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		list := func(query string) (out []string, total int) {
			status, answer := s.Call(t, vars["bossToken"], http.MethodGet, "/uauth/users/listing?"+query, nil)
			var in struct {
				Data []struct{ Email string }
				Meta struct{ TotalCount int }
			}
			if status != http.StatusOK || json.Unmarshal(answer, &in) != nil {
				t.Fatalf("%s: %d %s", query, status, answer)
			}
			for _, u := range in.Data {
				out = append(out, u.Email)
			}
			return out, in.Meta.TotalCount
		}
		for _, query := range []string{"sortBy=EMAIL:ASC", "sortBy=EMAIL:DESC", "sortBy=NAME:ASC", "sortBy=NAME:DESC", "sortBy=CREATED:ASC", "search=guest", "status=PENDING"} {
			whole, total := list("limit=100&" + query)
			want := 6
			if !strings.HasPrefix(query, "sortBy") {
				want = 3
			}
			if len(whole) != want || total != want {
				t.Errorf("%s: %d of %d, want %d", query, len(whole), total, want)
			}
			var paged []string
			for page := 1; page <= total+1; page++ {
				some, _ := list(fmt.Sprintf("limit=1&page=%d&%s", page, query))
				paged = append(paged, some...)
			}
			if !slices.Equal(paged, whole) {
				t.Errorf("%s: %v by pages, %v at once", query, paged, whole)
			}
			up, down := slices.IsSorted(whole), slices.IsSortedFunc(whole, func(a, b string) int { return strings.Compare(b, a) })
			if query == "sortBy=EMAIL:ASC" && !up || query == "sortBy=EMAIL:DESC" && !down {
				t.Errorf("%s: %v", query, whole)
			}
		}
	})
}
