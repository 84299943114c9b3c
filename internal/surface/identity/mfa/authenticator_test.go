package mfa_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"limen/internal/app/apptest"
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
		old := stale(t, site)
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

// asks gives the administrator an authenticator and sign-ins that ask it; what they show is in asks.
func asks(t *testing.T, s *apptest.Site, count int) (d *authenticatortest.Device, shown []authenticator.Ask, numbers []string) {
	t.Helper()
	d = pageOf(t, s, "admin").enroll(s.Admin.ID, "Phone")
	for range count {
		_, number := asked(t, s)
		numbers = append(numbers, number)
		waits := waitingFor(t, s, d)
		shown = append(shown, waits[0])
	}
	return d, shown, numbers
}

// asked begins a sign-in of the administrator that asks the authenticator.
func asked(t *testing.T, s *apptest.Site) (poll object, number string) {
	t.Helper()
	nobody := client{t, s, ""}
	var begun challenge
	nobody.must("/Security/StartAuthentication", object{"User": s.Admin.Name, "Version": "1.0"}, &begun)
	nobody.must("/Security/AdvanceAuthentication", object{
		"SessionId": begun.SessionID, "MechanismId": begun.mechanism(t, "UP"), "Action": "Answer", "Answer": apptest.Password,
	}, nil)
	var out struct{ Summary, GeneratedAuthValue string }
	otp := object{"SessionId": begun.SessionID, "MechanismId": begun.mechanism(t, "OTP"), "Action": "StartOOB"}
	nobody.must("/Security/AdvanceAuthentication", otp, &out)
	if out.Summary != "OobPending" || len(out.GeneratedAuthValue) != 2 {
		t.Fatalf("%+v", out)
	}
	otp["Action"] = "Poll"
	return otp, out.GeneratedAuthValue
}

// waitingFor is what a device is told that waits.
func waitingFor(t *testing.T, s *apptest.Site, d *authenticatortest.Device) []authenticator.Ask {
	t.Helper()
	var rows []struct {
		Id, Nonce, Account, Application, Place, Agent string
		Asked, Expires                                int64
	}
	client{t, s, ""}.must("/Authenticator/GetWaiting", waitingCall(s, d, time.Now()), &rows)
	out := make([]authenticator.Ask, len(rows))
	for i, r := range rows {
		out[i] = authenticator.Ask{ID: r.Id, Nonce: r.Nonce, Login: r.Account, App: r.Application, Place: r.Place, Agent: r.Agent, Created: r.Asked, Expires: r.Expires}
	}
	return out
}

func waitingCall(s *apptest.Site, d *authenticatortest.Device, at time.Time) object {
	ms := at.UnixMilli()
	return object{"Device": d.ID, "Time": ms, "Signature": d.Sign(authenticator.WaitingMessage(s.ID, d.ID, ms))}
}

func replyCall(s *apptest.Site, d *authenticatortest.Device, a authenticator.Ask, approve bool, number string) object {
	return object{
		"Device": d.ID, "Id": a.ID, "Approve": approve, "Number": number,
		"Signature": d.Sign(authenticator.AnswerMessage(s.ID, d.ID, a, approve, number)),
	}
}

// waiting has a sign-in of the administrator's wait for their device.
func waiting(t *testing.T, s *apptest.Site) map[string]string {
	d, _, _ := asks(t, s, 1)
	now, old := waitingCall(s, d, time.Now()), waitingCall(s, d, time.Now().Add(-time.Hour))
	return map[string]string{
		"device": d.ID, "time": fmt.Sprint(now["Time"]), "signature": now["Signature"].(string),
		"long": fmt.Sprint(old["Time"]), "ago": old["Signature"].(string),
	}
}

// replies has sign-ins of the administrator's wait, and their device's answers to them.
func replies(t *testing.T, s *apptest.Site) map[string]string {
	d, shown, numbers := asks(t, s, 3)
	bad := map[bool]string{true: "11", false: "10"}[numbers[2] == "10"]
	vars := map[string]string{"device": d.ID, "number": numbers[0], "bad": bad}
	for name, in := range map[string]object{
		"yes": replyCall(s, d, shown[0], true, numbers[0]), "no": replyCall(s, d, shown[1], false, ""), "wrong": replyCall(s, d, shown[2], true, bad),
	} {
		vars[name], vars[name+"Signature"] = in["Id"].(string), in["Signature"].(string)
	}
	return vars
}

// A sign-in waits by polls until it is approved elsewhere, and gets its session then.
func TestPushFinishesSignIn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		d := pageOf(t, site, "admin").enroll(site.Admin.ID, "Phone")
		poll, number := asked(t, site)
		nobody := client{t, site, ""}
		var out struct{ Summary, GeneratedAuthValue, Auth string }
		nobody.must("/Security/AdvanceAuthentication", poll, &out)
		if out.Summary != "OobPending" || out.GeneratedAuthValue != number {
			t.Fatalf("%+v", out)
		}
		nobody.must("/Authenticator/Answer", replyCall(site, d, waitingFor(t, site, d)[0], true, number), nil)
		nobody.must("/Security/AdvanceAuthentication", poll, &out)
		if out.Summary != "LoginSuccess" || out.Auth == "" {
			t.Fatalf("%+v", out)
		}
	})
}
