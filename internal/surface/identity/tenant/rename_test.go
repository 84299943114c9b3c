package tenant_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	core "limen/internal/core/tenant"
	"limen/internal/core/user"
)

// ask posts a body as the administrator.
func ask(t *testing.T, s *apptest.Site, path, body string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Authorization", "Bearer "+s.TokenOf(t, "admin"))
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A suffix that has more users than one transaction renames is moved by a job; until it ends both suffixes are there.
func TestRenamingASuffixWithManyUsers(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		const more = 2*core.MoveBatch + 10
		for n := 0; n < more; n += 500 {
			site.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
				for i := n; i < min(n+500, more); i++ {
					if _, err := s.App.People.Create(ctx, c, user.New{Name: fmt.Sprintf("u%d@%s", i, site.Suffix)}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		to := "new." + site.Suffix
		if got := ask(t, site, "/Core/StoreAlias", `{"alias":"`+to+`","oldName":"`+site.Suffix+`"}`); !strings.HasPrefix(got, `{"success":true`) {
			t.Fatal(got)
		}
		until := time.Now().Add(30 * time.Second)
		for strings.Contains(ask(t, site, "/Core/GetAliasesForTenant", ""), `"Key":"`+site.Suffix+`"`) {
			if time.Now().After(until) {
				t.Fatal("the old suffix is still there")
			}
			time.Sleep(20 * time.Millisecond)
		}
		for _, name := range []string{"u0", fmt.Sprint("u", more-1), "plain", "admin"} {
			got := ask(t, site, "/CDirectoryService/GetUserByName", `{"username":"`+name+"@"+to+`"}`)
			if !strings.HasPrefix(got, `{"success":true`) {
				t.Error(name, got)
			}
		}
		for !strings.Contains(site.Events(t), audit.JobEnd+" success Job") {
			if time.Now().After(until) {
				t.Fatal("the job left no event")
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// Each of several suffixes that are deleted has an event of its own.
func TestDeletingSeveralSuffixes(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		var names []string
		for _, l := range []string{"a", "b", "c"} {
			name := l + "." + site.Suffix
			names = append(names, name)
			ask(t, site, "/Core/StoreAlias", `{"alias":"`+name+`"}`)
		}
		site.DropEvents()
		if got := ask(t, site, "/Core/DeleteAliases", `["`+strings.Join(names, `","`)+`"]`); !strings.HasPrefix(got, `{"success":true`) {
			t.Fatal(got)
		}
		events := site.Events(t)
		for _, name := range names {
			if strings.Count(events, audit.SuffixDelete+" success Suffix "+name+"\n") != 1 {
				t.Errorf("%s: %s", name, events)
			}
		}
	})
}
