package roles_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/op"
	"limen/internal/surface/identity/roles"
)

// asks sends a call as a person whose session is known to the node, at a time that is not the machine's.
func asks(t *testing.T, s *apptest.Site, token string, at time.Time, path string, in any) error {
	t.Helper()
	c := s.App.Shell(s.ID)
	c.Caller, c.Tenant, c.Now = nil, call.Tenant{}, at
	caller, tenantID, err := s.App.Sessions.Identify(context.Background(), c, token)
	if err != nil {
		t.Fatal(err)
	}
	c.Caller, c.Tenant = &caller, call.Tenant{ID: tenantID}
	o, ok := s.App.Kernel.Find("POST", path)
	if !ok {
		t.Fatal(path)
	}
	_, err = s.App.Kernel.Run(context.Background(), &o, c, in)
	return err
}

// What is given for a time ends with the millisecond, whatever nodes remember of sessions.
func TestRightsEndByThemselves(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		person := s.Person(t, "temp")
		start := time.Now().Truncate(time.Millisecond)
		at := func(d time.Duration) time.Time { return start.Add(d) }
		var inner, outer role.Role
		s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) (err error) {
			if inner, err = s.App.Roles.Create(ctx, c, role.New{Name: "Inner"}); err != nil {
				return err
			}
			outer, err = s.App.Roles.Create(ctx, c, role.New{Name: "Outer"})
			return err
		})
		// A window around the membership of the person, of the nesting and of the right: they hold it from 3 to 5 minutes.
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			if err := s.App.Roles.Add(ctx, c, inner.ID, role.Member{Kind: role.User, ID: person.ID, Since: at(time.Minute), Until: at(7 * time.Minute)}); err != nil {
				return err
			}
			if err := s.App.Roles.Add(ctx, c, outer.ID, role.Member{Kind: role.Sub, ID: inner.ID, Since: at(2 * time.Minute), Until: at(5 * time.Minute)}); err != nil {
				return err
			}
			return s.App.Roles.Assign(ctx, c, outer.ID, role.Given{Path: right.RoleManagement.Info().Path, Since: at(3 * time.Minute), Until: at(6 * time.Minute)})
		})
		token := s.SignedIn(t, person.ID)
		for _, x := range []struct {
			at   time.Duration
			want bool
		}{
			{0, false}, {time.Minute, false}, {2 * time.Minute, false}, {3*time.Minute - time.Millisecond, false},
			{3 * time.Minute, true}, {4 * time.Minute, true}, {5*time.Minute - time.Millisecond, true},
			{5 * time.Minute, false}, {6 * time.Minute, false}, {8 * time.Minute, false},
		} {
			// Twice: once from the store, once from memory.
			for range 2 {
				err := asks(t, s, token, at(x.at), "/Roles/GetRole", &roles.RoleRef{Name: outer.ID, SuppressPrincipalsList: true})
				if x.want && err != nil || !x.want && !strings.Contains(fmt.Sprint(err), op.ErrDenied.Code) {
					t.Errorf("%v after the start: %v, want it to be allowed: %v", x.at, err, x.want)
				}
			}
		}
	})
}
