package app_test

import (
	"context"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/script"
)

// What a script of an application said is remembered as long as it would see the same, and never where it asked for the time or failed.
func TestScriptsOfApplicationsAreRemembered(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		runs := 0
		code := &script.Scripts{
			People: s.App.People, Roles: s.App.Roles, Persons: s.App.Dynamic, Policies: s.App.Policies, Write: s.App.AppCode.Write,
			Judge: func(_ context.Context, b script.Batch) (script.Verdict, error) {
				runs++
				out := script.Verdict{Read: []string{"LoginUser.RoleNames"}}
				switch b.Text {
				case "clock":
					out.Read = append(out.Read, "(clock)")
				case "fails":
					out.Error = "no luck"
				}
				return out, nil
			},
		}
		ask := func(text, app string, scopes ...string) error {
			c := s.App.Shell(s.ID)
			_, err := code.Ask(t.Context(), c, script.Ask{Kind: script.Claims, Text: text, App: app, Name: app, Person: s.Plain.ID, Client: "client", Scopes: scopes})
			return err
		}
		for i, x := range []struct {
			text, app string
			scopes    []string
			want      int
		}{
			{"fine", "a", nil, 1}, {"fine", "a", nil, 1}, {"fine", "a", []string{"openid"}, 2}, {"fine", "b", nil, 3}, {"other", "a", nil, 4}, {"clock", "a", nil, 5}, {"clock", "a", nil, 6},
		} {
			if err := ask(x.text, x.app, x.scopes...); err != nil || runs != x.want {
				t.Errorf("%d: %v, %d runs, want %d", i, err, runs, x.want)
			}
		}
		s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
			r, err := s.App.Roles.Create(ctx, c, role.New{Name: "Sales"})
			if err != nil {
				return err
			}
			return s.App.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: s.Plain.ID})
		})
		if err := ask("fine", "a"); err != nil || runs != 7 {
			t.Error("another role:", err, runs)
		}
		s.DropEvents()
		for range 3 {
			if err := ask("fails", "a"); err == nil || !strings.Contains(err.Error(), script.ErrFailed.Code) {
				t.Error("a script that fails:", err)
			}
		}
		if n := strings.Count(s.Events(t), audit.AppScriptFail); n != 1 || runs != 10 {
			t.Errorf("%d events, %d runs", n, runs)
		}
	})
}
