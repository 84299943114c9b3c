package mfa_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/right"
	"limen/internal/core/session"
	"limen/internal/op"
)

// wish is what a device of somebody's sends to be enrolled.
func wish(s *apptest.Site, userID, name string, d *authenticatortest.Device) map[string]any {
	return map[string]any{
		"Name": name, "Platform": "Android", "PublicKey": d.PublicKey(),
		"Signature": d.Sign(authenticator.EnrollMessage(s.ID, userID, d.PublicKey())),
	}
}

// enroll gives the caller a device.
func (b browser) enroll(userID, name string) *authenticatortest.Device {
	b.t.Helper()
	d := authenticatortest.New()
	var out struct{ Id, Secret string }
	if e := b.post("/Authenticator/Enroll", wish(b.site, userID, name, d)); !e.Success || json.Unmarshal(e.Result, &out) != nil {
		b.t.Fatal(e.Message)
	}
	d.ID, d.Secret = out.Id, out.Secret
	return d
}

// devices gives plain two authenticators and the administrator one, and has another one ready to be enrolled by plain.
func devices(t *testing.T, s *apptest.Site) map[string]string {
	plain, next := pageOf(t, s, "plain"), authenticatortest.New()
	in := wish(s, s.Plain.ID, "Phone", next)
	return map[string]string{
		"device": plain.enroll(s.Plain.ID, "Phone").ID, "second": plain.enroll(s.Plain.ID, "Tablet").ID,
		"adminDevice": pageOf(t, s, "admin").enroll(s.Admin.ID, "Phone").ID,
		"key":         next.PublicKey(), "signature": in["Signature"].(string),
		"foreign": next.Sign(authenticator.EnrollMessage(s.ID, s.Admin.ID, next.PublicKey())),
	}
}

// Enrolment by a stolen session without a recent proof: nothing is enrolled, and nothing revoked.
func TestStaleSessionsEnrollNoAuthenticator(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		d := pageOf(t, site, "plain").enroll(site.Plain.ID, "Phone")
		old := browser{t: t, site: site, origin: "https://" + site.Host}
		site.Do(t, audit.Login, func(ctx context.Context, k *call.Call) (err error) {
			then := *k
			then.Now = k.Now.Add(-16 * time.Minute)
			old.token, _, err = site.App.Sessions.Create(ctx, &then, session.New{User: site.Plain.ID, Idle: time.Hour})
			return err
		})
		for path, in := range map[string]any{
			"/Authenticator/Enroll":              wish(site, site.Plain.ID, "Mine", authenticatortest.New()),
			"/Authenticator/DeleteAuthenticator": map[string]any{"Id": d.ID},
		} {
			if e := old.post(path, in); e.MessageID != session.ErrStale.Code {
				t.Errorf("%s: %+v", path, e)
			}
		}
	})
}

// Policies say who may enrol a device.
func TestPoliciesForbidAuthenticators(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin, plain := pageOf(t, site, "admin"), pageOf(t, site, "plain")
		e := admin.post("/Policy/SavePolicyBlock3", map[string]any{
			"policy": map[string]any{
				"Path": "/Policy/Devices", "Newpolicy": true, "Version": 1, "Description": "",
				"Settings": map[string]any{"/Mobile/EnrollRules/Common/AllowEnrollment": "false"},
			},
			"plinks": []any{
				map[string]any{"Description": "", "PolicySet": "/Policy/Devices", "LinkType": "Global", "Priority": 1, "Params": []any{}, "Filters": []any{}, "Allowedpolicies": []any{}},
				map[string]any{"ID": "/Policy/Default Policy", "PolicySet": "/Policy/Default Policy", "LinkType": "Global", "Params": []any{}, "EnableCompliant": true},
			},
		})
		if !e.Success {
			t.Fatal(e.Message)
		}
		if e := plain.post("/Authenticator/Enroll", wish(site, site.Plain.ID, "Phone", authenticatortest.New())); e.MessageID != authenticator.ErrForbidden.Code {
			t.Errorf("%+v", e)
		}
	})
}

// Whoever manages the people of an organization sees their authenticators, and no others but their own.
func TestAuthenticatorsOfOrganizations(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		org := site.Org(t, "Works", "")
		lead, member, stranger := site.Person(t, "lead"), site.Person(t, "member"), site.Person(t, "stranger")
		site.Settle(t, lead.ID, "", site.RoleIn(t, "Leads", org, right.UserManagement))
		site.Settle(t, member.ID, org, "")
		theirs := map[string]string{}
		for name, id := range map[string]string{"lead": lead.ID, "member": member.ID, "stranger": stranger.ID} {
			theirs[name] = browser{t: t, site: site, token: site.SignedIn(t, id)}.enroll(id, "Phone").ID
		}
		b := browser{t: t, site: site, token: site.SignedIn(t, lead.ID)}
		var out struct {
			FullCount int
			Results   []struct{ Row struct{ Id string } }
		}
		if e := b.post("/Authenticator/GetAuthenticators", map[string]any{}); !e.Success || json.Unmarshal(e.Result, &out) != nil {
			t.Fatal(e)
		}
		got := map[string]bool{}
		for _, r := range out.Results {
			got[r.Row.Id] = true
		}
		if len(got) != 2 || !got[theirs["lead"]] || !got[theirs["member"]] || out.FullCount != 2 {
			t.Error(out)
		}
		if e := b.post("/Authenticator/DeleteAuthenticator", map[string]any{"Id": theirs["stranger"]}); e.MessageID != op.ErrDenied.Code {
			t.Error(e)
		}
		if e := b.post("/Authenticator/DeleteAuthenticator", map[string]any{"Id": theirs["member"]}); !e.Success {
			t.Error(e)
		}
	})
}
