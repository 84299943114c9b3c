package users_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/session"
	"limen/internal/core/setting"
)

const signInAgain = "Sign in again"

// opened gives a session of a person that was opened some time ago.
func opened(t *testing.T, site *apptest.Site, userID string, ago time.Duration) client {
	t.Helper()
	c := client{t: t, site: site}
	site.Do(t, audit.Login, func(ctx context.Context, k *call.Call) (err error) {
		then := *k
		then.Now = k.Now.Add(-ago)
		c.token, _, err = site.App.Sessions.Create(ctx, &then, session.New{User: userID, Idle: time.Hour})
		return err
	})
	return c
}

// A session that was stolen does not become the account: what proves who one is changes only shortly after a proof.
func TestStaleSessionsTakeNothingOver(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		own := map[string]string{
			"/CDirectoryService/ChangeUser Mail":          `{"Mail":"thief@example.com"}`,
			"/CDirectoryService/ChangeUser Mobile":        `{"MobileNumber":"+12065550123"}`,
			"/User/UpdateProfile":                         `{"ID":"` + site.Plain.ID + `","Mail":"thief@example.com","Columns":{}}`,
			"/Mobile/GetUserThirdPartyOtp":                `{}`,
			"/UserMgmt/UpdateSecurityQuestions":           `{"Added":[{"QuestionText":"Who are you?","Answer":"Somebody else"}]}`,
			"/UserMgmt/ResetSecurityQuestions":            `{"ID":"` + site.Plain.ID + `"}`,
			"/CDirectoryService/ChangeUser Mail and name": `{"Mail":"","DisplayName":"Nobody"}`,
		}
		old, fresh := opened(t, site, site.Plain.ID, 16*time.Minute), opened(t, site, site.Plain.ID, 14*time.Minute)
		for what, body := range own {
			path, _, _ := strings.Cut(what, " ")
			if e := old.post(path, body); e.Success || !strings.Contains(e.Message, signInAgain) {
				t.Errorf("%s: %+v", what, e)
			}
		}
		if e := old.post("/CDirectoryService/ChangeUser", `{"DisplayName":"Somebody","Mail":"`+site.Plain.Mail+`"}`); !e.Success {
			t.Error("a profile with the address that it has", e)
		}
		for what, body := range own {
			path, _, _ := strings.Cut(what, " ")
			if e := fresh.post(path, body); !e.Success {
				t.Errorf("%s shortly after signing in: %+v", what, e)
			}
		}
		never, err := s.App.Values.Prepare(t.Context(), s.App.Shell(site.ID), setting.Set("Session.ProofMinutes", "0"))
		if err != nil {
			t.Fatal(err)
		}
		site.Do(t, audit.SettingChange, func(ctx context.Context, c *call.Call) error { return s.App.Values.Write(ctx, c, never) })
		if e := old.post("/CDirectoryService/ChangeUser", `{"Mail":"never.asked@example.com"}`); !e.Success {
			t.Error("a tenant that never asks", e)
		}
	})
}

// An enrolment that was begun in time, and authenticators that are there, are beyond a stale session, too. Administrators
// are asked as everybody is, and set their own password where the old one is asked for.
func TestStaleAdministratorsTakeNothingOver(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		other := site.Person(t, "other")
		old, fresh := opened(t, site, site.Admin.ID, 16*time.Minute), opened(t, site, site.Admin.ID, 0)
		e := fresh.post("/Mobile/GetUserThirdPartyOtp", `{}`)
		begun, _ := e.Result.(map[string]any)["ProfileUuid"].(string)
		if !e.Success || begun == "" {
			t.Fatal(e)
		}
		for what, body := range map[string]string{
			"/Mobile/ValidateAndSetUserThirdPartyOtp": `{"otpCode":"000000","uuid":"` + begun + `"}`,
			"/Oath/ValidateOtpCode":                   `{"otpCode":"000000","uuid":"` + begun + `"}`,
			"/Oath/AddOrUpdateProfile":                `{"UserProfile":{"UserPrincipalName":"` + site.Admin.Name + `","SecretKey":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}}`,
			"/Oath/DeleteProfiles":                    `{"Uuids":["` + begun + `"]}`,
			"/CDirectoryService/ChangeUser":           `{"ID":"` + site.Admin.ID + `","CmaRedirectedUserUuid":"` + other.ID + `"}`,
		} {
			if e := old.post(what, body); e.Success || !strings.Contains(e.Message, signInAgain) {
				t.Errorf("%s: %+v", what, e)
			}
		}
		if e := old.post("/CDirectoryService/ChangeUser", `{"ID":"`+other.ID+`","Mail":"another@example.com"}`); !e.Success {
			t.Error("somebody else's account", e)
		}
		if e := fresh.post("/CDirectoryService/ChangeUser", `{"Password":"Purple-Staple-7-Wagon"}`); e.Success || !strings.Contains(e.Message, "ChangeUserPassword") {
			t.Error("an own password without the old one", e)
		}
		if e := fresh.post("/Oath/DeleteProfiles", `{"Uuids":["`+begun+`"]}`); !e.Success {
			t.Error(e)
		}
	})
}
