package roles_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/number"
	"limen/internal/core/right"
	"limen/internal/core/rolegroup"
)

// Nord has the role groups Teams, with Helpers, and Empty (teamsId, emptyId), and a role Spares that nobody is in and that carries the
// management of people; half manages Nord's roles alone (halfToken).
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := apptest.Workspaces(t, s, name)
		s.Do(t, audit.RoleGroupCreate, func(ctx context.Context, c *call.Call) error {
			for key, name := range map[string]string{"teams": "Teams", "empty": "Empty"} {
				g, err := rolegroup.Create(ctx, c, vars["nord"], name)
				if err != nil {
					return err
				}
				vars[key] = g.ID
			}
			return rolegroup.Put(ctx, c, vars["nord"], vars["helpers"], vars["teams"])
		})
		for _, key := range []string{"teams", "empty"} {
			vars[key+"Id"] = s.Number(t, number.RoleGroup, vars[key])
		}
		vars["sparesId"] = s.Number(t, number.Role, s.RoleIn(t, "Spares", vars["nord"], right.UserManagement))
		half := s.Person(t, "half")
		s.Settle(t, half.ID, vars["nord"], s.RoleIn(t, "Halves", vars["nord"], right.RoleManagement))
		vars["halfToken"] = s.Enter(t, half.Name, "")
		return vars
	})
}
