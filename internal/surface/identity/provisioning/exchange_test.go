package provisioning_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/outbound"
	"limen/internal/core/outbound/outboundtest"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/wire/scim"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// TestExchanges plays the golden exchanges. There is an application wiki that Everybody may use; where it is provisioned already, a service has an account
// of the administrator's name. Holders of Report Management and of User Management administer the application, too.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		service, base := outboundtest.Serve(s.App.Outbound, strings.ReplaceAll(s.Suffix, ".", "-"))
		service.Have["Users"]["x"] = scim.Object{"id": "x", "userName": s.Admin.Name}
		s.TokenOf(t, "holder Report Management") // makes them
		s.TokenOf(t, "holder User Management")
		id := wiki(t, s)
		if name != "SetTarget" {
			provisioned(t, s, id, base)
		}
		out := map[string]string{"base": base, "app": id}
		if name == "StartRun" { // that the job ends is none of the exchange's events
			service.Wait = func(string, string) { time.Sleep(time.Second) }
		}
		if name == "GetFindings" || name == "Repair" {
			out["run"] = compared(t, s, id)
		}
		return out
	})
}

// compared compares what a service has, and waits until that is done.
func compared(t *testing.T, s *apptest.Site, id string) (run string) {
	t.Helper()
	s.Do(t, audit.ProvisionRun, func(ctx context.Context, c *call.Call) (err error) {
		run, err = s.App.Outbound.Start(ctx, c, grant.All(), id, outbound.Compare, nil)
		return err
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, state := s.App.Shell(s.ID), ""
		err := c.Snapshot(t.Context(), func() error {
			i, err := s.App.Jobs.Get(t.Context(), c, grant.All(), run)
			state = i.State
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if state == job.Done {
			return run
		}
	}
	t.Fatal("the comparison does not end")
	return ""
}

func wiki(t *testing.T, s *apptest.Site) (id string) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		id = it.ID
		gs := []acl.Given{{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute}}
		for _, r := range []right.Right{right.ReportManagement, right.UserManagement} {
			holder, err := s.App.People.ByName(ctx, c, "holder"+strconv.Itoa(int(r))+"@"+s.Suffix)
			if err != nil {
				return err
			}
			gs = append(gs, acl.Given{Kind: role.User, Principal: holder.ID, Mask: acl.View | acl.Edit})
		}
		return s.App.Apps.Permit(ctx, c, it.ID, gs...)
	})
	return id
}

// provisioned sets a target, and waits until everybody was sent.
func provisioned(t *testing.T, s *apptest.Site, id, base string) {
	t.Helper()
	s.Do(t, audit.ProvisionTarget, func(ctx context.Context, c *call.Call) error {
		w := outbound.Wish{Target: outbound.Target{Base: base, Auth: outbound.Bearer, Enabled: true}, Secret: "right"}
		if err := w.Check(); err != nil {
			return err
		}
		_, err := s.App.Outbound.Set(ctx, c, grant.All(), id, w)
		return err
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, done := s.App.Shell(s.ID), false
		err := c.Snapshot(t.Context(), func() error {
			target, err := s.App.Outbound.Get(t.Context(), c, grant.All(), id)
			if err != nil {
				return err
			}
			rs, err := s.App.Outbound.Receipts(t.Context(), c, grant.All(), id, outbound.Query{Limit: 100})
			done = !target.Looking && len(rs) == 4
			for _, r := range rs {
				done = done && !r.Pending
			}
			return err
		})
		if err != nil || done {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("the people are not provisioned")
		}
	}
}
