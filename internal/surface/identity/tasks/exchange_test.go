package tasks_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/right"
	"limen/internal/core/role"
)

// Each file has a role Sales with one member, the job {{done}} that wrote its members to a file, and {{later}}, an hour ahead.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, _ string) map[string]string {
		s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
			r, err := s.App.Roles.Create(ctx, c, role.New{Name: "Sales"})
			if err != nil {
				return err
			}
			return s.App.Roles.Add(ctx, c, r.ID, role.Member{Kind: role.User, ID: s.Plain.ID})
		})
		id := order(t, s, job.Asked{Type: "ExportDynamicRoleMembers", Args: job.Args{"RoleName": "Sales"}})
		ended(t, s, id)
		return map[string]string{"done": id, "later": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}
	})
}

// order starts a job as the site's administrator.
func order(t *testing.T, s *apptest.Site, a job.Asked) (id string) {
	t.Helper()
	s.Do(t, audit.JobStart, func(ctx context.Context, c *call.Call) (err error) {
		c.Caller = &call.Caller{User: s.Admin.ID, Name: s.Admin.Name, Held: right.Held{Tenant: right.Of(right.System)}}
		id, err = s.App.Jobs.Order(ctx, c, a)
		return err
	})
	return id
}

// ended waits for the end of a job.
func ended(t *testing.T, s *apptest.Site, id string) (i job.Info) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(5 * time.Millisecond) {
		c := s.App.Shell(s.ID)
		if err := c.Snapshot(t.Context(), func() (err error) { i, err = s.App.Jobs.Get(t.Context(), c, grant.All(), id); return err }); err != nil {
			t.Fatal(err)
		}
		if i.Ended != 0 {
			return i
		}
	}
	t.Fatalf("waited in vain for %+v", i)
	return i
}
