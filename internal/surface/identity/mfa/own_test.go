package mfa_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/factor/oath"
	"limen/internal/core/session"
)

// ownProfiles gives plain an own profile by time and a token, the administrator an own one by count, and somebody none.
func ownProfiles(t *testing.T, s *apptest.Site) map[string]string {
	other := s.Person(t, "other")
	vars := map[string]string{"other": other.ID, "otherName": other.Name}
	ensure(t, s)
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		mine, _, err := s.App.OATH.EnsureOwn(ctx, c, s.Plain.ID, oath.Seed{Name: s.Plain.Name, Issuer: "Acme"})
		if err != nil {
			return err
		}
		theirs, _, err := s.App.OATH.EnsureOwn(ctx, c, s.Admin.ID, oath.Seed{Name: s.Admin.Name, Issuer: "Acme", Counted: true, Counter: 5})
		if err != nil {
			return err
		}
		token, err := s.App.OATH.Set(ctx, c, s.Plain.ID, oath.Seed{Name: "token", Issuer: "Acme", Secret: seed})
		vars["profile"], vars["adminProfile"], vars["hardware"] = mine.ID, theirs.ID, token.ID
		return err
	})
	return vars
}

func secretCall(s *apptest.Site, d *authenticatortest.Device, at time.Time) object {
	ms := at.UnixMilli()
	return object{"DeviceID": d.ID, "Time": ms, "Signature": d.Sign(authenticator.SecretMessage(s.ID, d.ID, ms))}
}

// carriers gives plain an authenticator that asks for its secret, and an own profile.
func carriers(t *testing.T, s *apptest.Site, own bool) map[string]string {
	vars := map[string]string{}
	if own {
		vars = ownProfiles(t, s)
	}
	d := pageOf(t, s, "plain").enroll(s.Plain.ID, "Phone")
	now, old := secretCall(s, d, time.Now()), secretCall(s, d, time.Now().Add(-time.Hour))
	vars["device"], vars["time"], vars["signature"] = d.ID, fmt.Sprint(now["Time"]), now["Signature"].(string)
	vars["long"], vars["ago"] = fmt.Sprint(old["Time"]), old["Signature"].(string)
	vars["foreign"] = authenticatortest.New().Sign(authenticator.SecretMessage(s.ID, d.ID, now["Time"].(int64)))
	return vars
}

type carriedProfile struct {
	OathProfileUuid, SecretKey string
	SecretVersion              int64
	IsCma                      bool
}

// A session alone learns no secret, unless the tenant allows it; an old one learns none then either.
func TestSeedsNeedTheDevice(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		vars := ownProfiles(t, site)
		plain := pageOf(t, site, "plain")
		d := plain.enroll(site.Plain.ID, "Phone")
		var out []carriedProfile
		e := plain.post("/Oath/GetProfileListForDevice", secretCall(site, d, time.Now()))
		if !e.Success || json.Unmarshal(e.Result, &out) != nil || len(out) != 1 {
			t.Fatal(e.Message, out)
		}
		if out[0].OathProfileUuid != vars["profile"] || len(out[0].SecretKey) != 32 || !out[0].IsCma || out[0].SecretVersion != 1 {
			t.Errorf("%+v", out)
		}
		alone := object{"DeviceID": d.ID}
		for _, path := range []string{"/Oath/GetProfileListForDevice", "/IosAppRest/OtpEnroll"} {
			if e := plain.post(path, alone); e.MessageID != authenticator.ErrSignature.Code {
				t.Errorf("%s: %+v", path, e)
			}
		}
		site.Set(t, "OathProfile.SeedBySession", "true")
		for _, path := range []string{"/Oath/GetProfileListForDevice", "/IosAppRest/OtpEnroll"} {
			if e := plain.post(path, alone); !e.Success {
				t.Errorf("%s: %+v", path, e)
			}
			if e := stale(t, site).post(path, alone); e.MessageID != session.ErrStale.Code {
				t.Errorf("%s with an old session: %+v", path, e)
			}
		}
	})
}

// stale is plain in a session whose proof is long ago.
func stale(t *testing.T, site *apptest.Site) browser {
	old := browser{t: t, site: site, origin: "https://" + site.Host}
	site.Do(t, audit.Login, func(ctx context.Context, k *call.Call) (err error) {
		then := *k
		then.Now = k.Now.Add(-16 * time.Minute)
		old.token, _, err = site.App.Sessions.Create(ctx, &then, session.New{User: site.Plain.ID, Idle: time.Hour})
		return err
	})
	return old
}

// An old session makes, resets and reshapes no own profile.
func TestStaleSessionsLeaveOwnProfiles(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		if e := stale(t, site).post("/Oath/CreateIdaptiveOathProfile", object{}); e.MessageID != session.ErrStale.Code {
			t.Errorf("%+v", e)
		}
		vars := ownProfiles(t, site)
		if e := stale(t, site).post("/Oath/ResetIdaptiveOathProfile", object{}); e.MessageID != session.ErrStale.Code {
			t.Errorf("%+v", e)
		}
		e := stale(t, site).post("/Oath/SetResponseParametersToEntity", object{"OathProfileUuid": vars["profile"], "parameters": object{"Digits": 8}})
		if e.MessageID != session.ErrStale.Code {
			t.Errorf("%+v", e)
		}
		if e := stale(t, site).post("/Oath/CreateIdaptiveOathProfile", object{}); !e.Success {
			t.Errorf("what is there is said to an old session too: %+v", e)
		}
	})
}
