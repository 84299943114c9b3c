package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/demand"
	signin "limen/internal/core/login"
	"limen/internal/core/org"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// TestPolicySetsRule shows that what a policy set says about passwords and locks acts where passwords are chosen and guesses
// are counted, for a name that does not exist as for one that does.
func TestPolicySetsRule(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		ctx, c := t.Context(), s.App.Shell(site.ID)
		settings, err := s.App.Policies.Check(ctx, c, map[string]json.RawMessage{
			"/Core/Security/CDS/PasswordPolicy/MinLength": json.RawMessage(`"25"`), "/Core/Security/CDS/LockoutPolicy/Threshold": json.RawMessage(`2`),
		})
		if err != nil {
			t.Fatal(err)
		}
		site.Do(t, audit.PolicyChange, func(ctx context.Context, c *call.Call) error {
			in := policy.Save{Path: "/Policy/All", New: true, Settings: settings, Links: []policy.Listed{{Path: "All", Link: policy.Link{Type: policy.Global}}}}
			_, err := s.App.Policies.Save(ctx, c, in)
			return err
		})
		ch := password.Change{User: site.Plain.ID, Plain: "Tulip-Crane-77-Otter", Reset: true}
		if _, err = s.App.Passwords.Prepare(ctx, c, ch); err == nil || !strings.Contains(fault.Of(err).Public, "25 characters") {
			t.Error(err)
		}
		ch.Plain += "-Lemon-Fjord"
		if _, err = s.App.Passwords.Prepare(ctx, c, ch); err != nil {
			t.Error(err)
		}
		for _, name := range []string{site.Plain.Name, "nobody@" + site.Suffix} {
			for i, locked := range []bool{false, true} {
				var out throttle.Outcome
				site.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) (err error) {
					out, err = s.App.Throttle.Count(ctx, c, throttle.Attempt{Kind: throttle.Password, Login: name, IP: c.Client.IP}, false)
					return err
				})
				if out.Locked != locked {
					t.Errorf("%s: wrong password %d: %+v", name, i+1, out)
				}
			}
		}
	})
}

// TestOrganizationsDemand shows that what an organization demands of passwords, sign-ins and sessions acts on the people in it, beside
// the tenant's settings, and on nobody else.
func TestOrganizationsDemand(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		ctx, c := t.Context(), s.App.Shell(site.ID)
		var inside, outside user.User
		site.Do(t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
			made, err := s.App.Orgs.Create(ctx, c, org.New{Name: "Demanding"})
			if err != nil {
				return err
			}
			if inside, err = s.App.People.Create(ctx, c, user.New{Name: "inside@" + site.Suffix, Org: made.ID}); err != nil {
				return err
			}
			if outside, err = s.App.People.Create(ctx, c, user.New{Name: "outside@" + site.Suffix}); err != nil {
				return err
			}
			_, err = s.App.Demands.Demand(ctx, c, made.ID, demand.Rule{MinLength: 22, Digits: 3, Attempts: 2, Idle: 120, Expires: 30})
			return err
		})
		for plain, want := range map[string]string{"Tulip-Crane-777": "22 characters", "Tulip-Crane-77-Otter-Fjord": "3 digits", "Tulip-Crane-777-Otter-Fjord": ""} {
			_, err := s.App.Passwords.Prepare(ctx, c, password.Change{User: inside.ID, Plain: plain, Reset: true})
			if (err == nil) != (want == "") || err != nil && !strings.Contains(fault.Of(err).Public, want) {
				t.Errorf("%s: %v", plain, err)
			}
			if _, err := s.App.Passwords.Prepare(ctx, c, password.Change{User: outside.ID, Plain: plain, Reset: true}); err != nil {
				t.Errorf("somebody else's %s: %v", plain, err)
			}
		}
		for name, locked := range map[string]bool{inside.Name: true, outside.Name: false} {
			var out throttle.Outcome
			for range 2 {
				site.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) (err error) {
					out, err = s.App.Throttle.Count(ctx, c, throttle.Attempt{Kind: throttle.Password, Login: name, IP: c.Client.IP}, false)
					return err
				})
			}
			if out.Locked != locked {
				t.Errorf("%s: %+v", name, out)
			}
		}
		err := c.Snapshot(ctx, func() error {
			base := signin.Profile{Idle: time.Hour, PersistLife: time.Hour}
			in, err := s.App.Logins.Profile(ctx, c, inside, base)
			out, err2 := s.App.Logins.Profile(ctx, c, outside, base)
			if in.Idle != 2*time.Minute || in.PersistLife != 0 || out.Idle != time.Hour || out.PersistLife != time.Hour {
				t.Errorf("idle for %v, kept for %v; elsewhere %v, %v", in.Idle, in.PersistLife, out.Idle, out.PersistLife)
			}
			pol, err3 := s.App.Passwords.PolicyOf(ctx, c, inside.ID)
			if pol.MaxAge != 30*24*time.Hour {
				t.Errorf("%v", pol.MaxAge)
			}
			return errors.Join(err, err2, err3)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
