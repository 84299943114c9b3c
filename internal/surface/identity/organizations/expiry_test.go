package organizations_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/role"
	"limen/internal/op"
	"limen/internal/surface/identity/organizations"
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

// What is held over an organization for a time begins and ends with the millisecond, whatever nodes remember of sessions, by an
// office as by single rights, of people as of roles; and nobody hands on more than they hold themselves.
func TestRightsOverOrganizationsEndByThemselves(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		start := time.Now().Truncate(time.Millisecond)
		at := func(d time.Duration) time.Time { return start.Add(d) }
		term := role.Term{Since: at(3 * time.Minute), Until: at(5 * time.Minute), Reason: "a holiday"}
		office, single, through := s.Person(t, "office"), s.Person(t, "single"), s.Person(t, "through")
		var sales, below org.Org
		s.Do(t, audit.OrgChange, func(ctx context.Context, c *call.Call) (err error) {
			if sales, err = s.App.Orgs.Create(ctx, c, org.New{Name: "Sales"}); err != nil {
				return err
			}
			if below, err = s.App.Orgs.Create(ctx, c, org.New{Name: "East", Parent: sales.ID}); err != nil {
				return err
			}
			desk, err := s.App.Roles.Create(ctx, c, role.New{Name: "Desk"})
			if err != nil {
				return err
			}
			if err := s.App.Roles.Add(ctx, c, desk.ID, role.Member{Kind: role.User, ID: through.ID}); err != nil {
				return err
			}
			user, holder := org.Principal{Kind: role.User, ID: office.ID}, org.Principal{Kind: role.Sub, ID: desk.ID}
			if err := s.App.Orgs.Appoint(ctx, c, sales.ID, []org.Appointee{{Principal: user, Term: term}}, nil); err != nil {
				return err
			}
			return s.App.Orgs.Permit(ctx, c, sales.ID, []org.Held{
				{Principal: org.Principal{Kind: role.User, ID: single.ID}, Term: term, Rights: org.Rights[:1]}, {Principal: holder, Term: term, Rights: org.Rights[:1]},
			}, nil)
		})
		for _, who := range []apptest.Person{office, single, through} {
			token := s.SignedIn(t, who.ID)
			for _, x := range []struct {
				at   time.Duration
				want bool
			}{
				{0, false}, {3*time.Minute - time.Millisecond, false}, {3 * time.Minute, true}, {5*time.Minute - time.Millisecond, true}, {5 * time.Minute, false},
			} {
				for range 2 { // from the store, and from memory
					err := asks(t, s, token, at(x.at), "/Org/Get", &organizations.Ref{OrgID: below.ID})
					if x.want && err != nil || !x.want && !strings.Contains(fmt.Sprint(err), op.ErrDenied.Code) {
						t.Errorf("%s, %v after the start: %v, want it to be allowed: %v", who.Name, x.at, err, x.want)
					}
				}
			}
		}
		// A system administrator for a time appoints for no longer, and no other for good.
		passing := s.Person(t, "passing")
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: passing.ID, Until: at(10 * time.Minute)})
		})
		token := s.SignedIn(t, passing.ID)
		appoint := func(until time.Time) error {
			in := &organizations.Appointment{Ref: organizations.Ref{OrgID: sales.ID}, Grant: []organizations.Member{{ID: single.ID}}}
			if !until.IsZero() {
				in.Until = op.Some(until)
			}
			return asks(t, s, token, at(time.Minute), "/Org/UpdateAdministrators", in)
		}
		for until, want := range map[time.Time]string{{}: role.ErrNotHeld.Code, at(11 * time.Minute): role.ErrNotHeld.Code, at(10 * time.Minute): ""} {
			if err := appoint(until); (err == nil) != (want == "") || !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("until %v: %v, want %s", until, err, want)
			}
		}
	})
}
