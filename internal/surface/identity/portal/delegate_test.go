package portal_test

import (
	"context"
	"errors"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	core "limen/internal/core/portal"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity/portal"
)

// Administrators of an organization see what is assigned to the people in it, and hand over from and to them alone.
func TestOrganizationsBoundAdministrators(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		var one string
		people := map[string]user.User{}
		site.Do(t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
			made, err := s.App.Orgs.Create(ctx, c, org.New{Name: "One"})
			one = made.ID
			return err
		})
		for name, in := range map[string]string{"in": one, "heir": one, "out": ""} {
			site.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
				people[name], err = s.App.People.Create(ctx, c, user.New{Name: name + "@" + site.Suffix, Mail: name + "@example.com", Org: in, Everybody: true})
				return err
			})
		}
		run := func(want error, path string, in any) {
			t.Helper()
			c := s.App.Shell(site.ID)
			var err error
			if c.Tenant, err = s.App.Index.ByID(t.Context(), site.ID); err != nil {
				t.Fatal(err)
			}
			held := right.Held{Orgs: map[string]right.Set{one: right.Of(right.UserManagement, right.ApplicationManagement)}}
			c.Caller = &call.Caller{User: site.Plain.ID, Name: site.Plain.Name, Means: call.BySession, Held: held}
			for _, o := range s.App.Kernel.Ops() {
				if o.Path != path {
					continue
				}
				if _, err := s.App.Kernel.Run(t.Context(), &o, c, in); want == nil && err != nil || want != nil && !errors.Is(err, want) {
					t.Errorf("%s %+v: got %v, want %v", path, in, err, want)
				}
				return
			}
			t.Fatal("no operation ", path)
		}
		run(nil, "/UPRest/GetUPData", &portal.Whose{Username: people["in"].ID})
		run(op.ErrDenied, "/UPRest/GetUPData", &portal.Whose{Username: people["out"].ID})
		run(nil, "/UPRest/GetResultantAppsForUser", &portal.Resultant{UserUUID: people["in"].ID})
		run(op.ErrDenied, "/UPRest/GetResultantAppsForUser", &portal.Resultant{UserUUID: people["out"].ID})
		hand := func(want error, from, to string) {
			t.Helper()
			run(want, "/SaasManage/TransferOwnership", &portal.Transfer{Users: []string{people[from].ID}, TargetUser: people[to].ID})
		}
		hand(user.ErrNotFound, "out", "heir")
		hand(user.ErrNotFound, "in", "out")
		hand(core.ErrTransferOff, "in", "heir") // reached, and for the policy to decide
	})
}
