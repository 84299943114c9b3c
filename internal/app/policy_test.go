package app_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/throttle"
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
