package app_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/oath"
	"limen/internal/core/lockout"
	"limen/internal/core/profile"
	"limen/internal/core/role"
	"limen/internal/core/setting"
	"limen/internal/core/user"
)

// The last system administrator who can sign in does not lose the way in: not the authenticator that everybody must have, nor
// the address to which codes go. Whoever is not the last one may.
func TestLastWayIn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		for _, way := range []struct {
			challenge, path string
			in              map[string]any
		}{
			{"OATH", "/Oath/DeleteProfiles", map[string]any{}},
			{"EMAIL", "/CDirectoryService/ChangeUser", map[string]any{"Mail": ""}},
			{"SMS", "/CDirectoryService/ChangeUser", map[string]any{"MobileNumber": ""}},
		} {
			site := s.Tenant(t)
			b := &branches{t: t, site: site}
			ids := map[string]string{}
			second := site.Person(t, "second")
			for _, id := range []string{site.Admin.ID, second.ID} {
				ids[id] = enrolled(t, b, id)
			}
			only(t, site, way.challenge)
			try := func(id, want string) {
				t.Helper()
				way.in["ID"], way.in["Uuids"] = id, []string{ids[id]}
				if got := b.ask(b.token("admin"), way.path, way.in); got.Success != (want == "") || got.MessageID != want {
					t.Errorf("%s by %s: %v %q, want %q", way.challenge, way.path, got.Success, got.MessageID, want)
				}
			}
			try(site.Admin.ID, lockout.ErrLastWay.Code)
			b.do(audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
				return s.App.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: second.ID})
			})
			try(second.ID, "")
			try(site.Admin.ID, lockout.ErrLastWay.Code)
		}
	})
}

// enrolled gives somebody an authenticator and a mobile number, and answers the id of the first.
func enrolled(t *testing.T, b *branches, id string) string {
	t.Helper()
	mobile, mail := "+1 650 253 0000", id+"@example.com"
	given := map[string]any{"UserPrincipalName": id, "SecretKey": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
	if a := b.ask(b.token("admin"), "/Oath/AddOrUpdateProfile", map[string]any{"UserProfile": given}); !a.Success {
		t.Fatal(a.MessageID)
	}
	b.do(audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := b.site.App.People.Change(ctx, c, id, user.Change{Mobile: &mobile, Mail: &mail})
		return err
	})
	var profiles []oath.Profile
	b.read(func(ctx context.Context, c *call.Call) (err error) {
		profiles, err = b.site.App.OATH.List(ctx, c, id)
		return err
	})
	return profiles[0].ID
}

// only has everybody sign in by one challenge.
func only(t *testing.T, s *apptest.Site, challenge string) {
	t.Helper()
	var made profile.Profile
	s.Do(t, audit.ProfileCreate, func(ctx context.Context, c *call.Call) (err error) {
		made, err = s.App.Profiles.Save(ctx, c, profile.Profile{Name: challenge, Challenges: [][]string{{challenge}}})
		return err
	})
	c := s.App.Shell(s.ID)
	ready, err := s.App.Values.Prepare(t.Context(), c, setting.Set("Authentication.Profile", made.ID))
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.SettingChange, func(ctx context.Context, c *call.Call) error { return s.App.Values.Write(ctx, c, ready) })
}

// A program that administers the tenant shuts no person out either: the profile by which all sign in is one that a system
// administrator who is a person can follow.
func TestProgramsLeaveAWayForPeople(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		b := &branches{t: t, site: site}
		robot := site.Person(t, "robot")
		var codes profile.Profile
		b.do(audit.UserChange, func(ctx context.Context, c *call.Call) (err error) {
			if _, err = s.App.People.Change(ctx, c, robot.ID, user.Change{Service: new(true)}); err != nil {
				return err
			}
			if err = s.App.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: robot.ID}); err != nil {
				return err
			}
			codes, err = s.App.Profiles.Save(ctx, c, profile.Profile{Name: "codes", Challenges: [][]string{{"OATH"}}})
			return err
		})
		set := func(want string) {
			t.Helper()
			got := b.ask(site.SignedIn(t, robot.ID), "/Core/SetTenantConfig", map[string]any{"key": "Authentication.Profile", "value": codes.ID})
			if got.Success != (want == "") || got.MessageID != want {
				t.Errorf("%v %q, want %q", got.Success, got.MessageID, want)
			}
		}
		set(setting.ErrValue.Code)
		enrolled(t, b, site.Plain.ID) // who administers nothing
		set(setting.ErrValue.Code)
		enrolled(t, b, site.Admin.ID)
		set("")
	})
}
