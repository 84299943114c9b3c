package mfa_test

import (
	"encoding/json"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
)

// carry has the administrator's new device carry their own profile, and gives that with its secret.
func carry(t *testing.T, s *apptest.Site) carriedProfile {
	t.Helper()
	admin := pageOf(t, s, "admin")
	d := admin.enroll(s.Admin.ID, "Phone")
	var out carriedProfile
	if e := admin.post("/IosAppRest/OtpEnroll", secretCall(s, d, time.Now())); !e.Success || json.Unmarshal(e.Result, &out) != nil {
		t.Fatal(e.Message)
	}
	return out
}

// coded has two sign-ins of the administrator's wait, the newer with the number and the code of now and of the next step.
func coded(t *testing.T, s *apptest.Site) map[string]string {
	p := carry(t, s)
	vars := map[string]string{"profile": p.OathProfileUuid, "code": at(t, p.SecretKey, 0), "next": at(t, p.SecretKey, 1)}
	_, older := asked(t, s)
	_, vars["number"] = asked(t, s)
	vars["bad"] = map[bool]string{true: "11", false: "10"}[older == "10"]
	return vars
}

// An app of the dialect's approves a sign-in with a code of the shared profile and the number, which the sign-in's own answer could be as well; a
// refusal ends the sign-in. A wrong code does neither, and counts.
func TestCodesApprove(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		p := carry(t, site)
		admin, nobody := pageOf(t, site, "admin"), client{t, site, ""}
		say := func(code, accepted, number string) string {
			t.Helper()
			return admin.post("/IosAppRest/SubmitOtpCode", object{
				"otpCode": code, "oathProfileUuid": p.OathProfileUuid, "userAccepted": accepted, "challengeAnswer": number,
			}).MessageID
		}
		poll, number := asked(t, site)
		if id := say(at(t, p.SecretKey, -9), "True", number); id != oath.ErrCode.Code {
			t.Error("an old code:", id)
		}
		if id := say(at(t, p.SecretKey, 0), "True", number); id != "" {
			t.Fatal(id)
		}
		var out struct{ Summary, Auth string }
		nobody.must("/Security/AdvanceAuthentication", poll, &out)
		if out.Summary != "LoginSuccess" || out.Auth == "" {
			t.Errorf("%+v", out)
		}
		poll, number = asked(t, site)
		if id := say(at(t, p.SecretKey, 0), "True", number); id != oath.ErrCode.Code {
			t.Error("a code twice:", id)
		}
		if id := say(at(t, p.SecretKey, 1), "False", ""); id != "" {
			t.Error("a refusal:", id)
		}
		var over struct {
			Success bool
			Result  struct{ Summary string }
		}
		_, raw := site.Call(t, "", "POST", "/Security/AdvanceAuthentication", poll)
		if err := json.Unmarshal(raw, &over); err != nil || over.Success || over.Result.Summary != "Failure" {
			t.Errorf("%s %v", raw, err)
		}
		if id := say(at(t, p.SecretKey, 1), "True", number); id != oath.ErrCode.Code && id != authenticator.ErrAsk.Code {
			t.Error("after the end:", id)
		}
	})
}
