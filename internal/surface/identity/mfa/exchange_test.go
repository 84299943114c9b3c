package mfa_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/recovery"
)

// seed is the secret of the authenticator that plain has in exchanges.
const seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		switch name {
		case "GetProfileList", "DeleteProfiles", "ValidateOtpCode", "SubmitOathOtpCode":
			return codeApps(t, s)
		case "UpdateProfileCounter", "ResynchronizeOathToken":
			return token(t, s)
		case "CreateIdaptiveOathProfile":
			other := s.Person(t, "other")
			return map[string]string{"other": other.ID, "otherName": other.Name}
		case "ResetIdaptiveOathProfile", "SetResponseParametersToEntity":
			return ownProfiles(t, s)
		case "SubmitOtpCode":
			return coded(t, s)
		case "GetProfileListForDevice", "OtpEnroll":
			return carriers(t, s, name == "GetProfileListForDevice")
		case "GetImportProfileList":
			return hardware(t, s)
		case "ValidateAndSetUserThirdPartyOtp":
			return enrolment(t, s)
		case "GetRegistrationChallenge", "AnswerRegistrationChallenge", "GetU2fDevices", "GetU2fDevicesForUser", "DeleteU2fDevice", "DeleteU2fDevices":
			return fido(t, s)
		case "EnrollAuthenticator", "GetAuthenticators", "DeleteAuthenticator":
			return devices(t, s)
		case "GetRecoveryCodes", "DeleteRecoveryCodes":
			return printed(t, s)
		case "GetNetworkPassword", "DeleteNetworkPassword":
			return networked(t, s)
		case "GetWaiting":
			return waiting(t, s)
		case "SetPushSubscription":
			return subscriptions(t, s)
		case "ReadCode", "AnswerCode":
			return s.CodeExchange(t)
		case "AnswerAuthenticator":
			return replies(t, s)
		}
		return nil
	})
}

// at gives the code that a secret has some steps from now. Codes of now and of the next step are right for half a minute
// at least.
func at(t *testing.T, secret string, steps int64) string {
	t.Helper()
	code, err := oath.Code(secret, "SHA1", 6, time.Now().Unix()/30+steps)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// codeApps gives plain and the administrator authenticators.
func codeApps(t *testing.T, s *apptest.Site) map[string]string {
	vars := map[string]string{"code": at(t, seed, 0), "next": at(t, seed, 1), "old": at(t, seed, -9), "none": s.Person(t, "none").ID}
	ensure(t, s)
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		for name, userID := range map[string]string{"profile": s.Plain.ID, "adminProfile": s.Admin.ID} {
			made, err := s.App.OATH.Set(ctx, c, userID, oath.Seed{Name: name, Issuer: "Acme", Secret: seed})
			if err != nil {
				return err
			}
			vars[name] = made.ID
		}
		return nil
	})
	return vars
}

// token gives plain a token whose codes are counted, the administrator another one, and somebody an app.
func token(t *testing.T, s *apptest.Site) map[string]string {
	vars := map[string]string{"none": s.Person(t, "none").ID}
	ensure(t, s)
	for name, count := range map[string]int64{"pressed20": 20, "pressed21": 21, "pressed22": 22, "pressed300": 300, "pressed301": 301} {
		code, err := oath.Code(seed, "SHA1", 6, count)
		if err != nil {
			t.Fatal(err)
		}
		vars[name] = code
	}
	for _, ahead := range []int64{0, 1, 20, 21, 22} {
		vars[fmt.Sprint("ahead", ahead)] = at(t, seed, ahead)
	}
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		for name, p := range map[string]struct {
			userID  string
			counted bool
		}{"profile": {s.Plain.ID, true}, "adminProfile": {s.Admin.ID, true}, "timed": {vars["none"], false}} {
			made, err := s.App.OATH.Set(ctx, c, p.userID, oath.Seed{Name: name, Secret: seed, Counted: p.counted, Counter: 5})
			if err != nil {
				return err
			}
			vars[name] = made.ID
		}
		return nil
	})
	return vars
}

// enrolment begins to enrol an authenticator for plain.
func enrolment(t *testing.T, s *apptest.Site) map[string]string {
	vars := map[string]string{}
	ensure(t, s)
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		made, uri, err := s.App.OATH.Begin(ctx, c, s.Plain.ID, "plain", "Acme")
		if err != nil {
			return err
		}
		u, err := url.Parse(uri)
		if err != nil {
			return err
		}
		secret := u.Query().Get("secret")
		vars["profile"], vars["code"], vars["next"], vars["old"] = made.ID, at(t, secret, 0), at(t, secret, 1), at(t, secret, -9)
		return nil
	})
	return vars
}

func ensure(t *testing.T, s *apptest.Site) {
	if err := s.App.Ring.Ensure(t.Context(), s.ID, factor.Purposes...); err != nil {
		t.Fatal(err)
	}
}

// networked gives plain a network password.
func networked(t *testing.T, s *apptest.Site) map[string]string {
	s.Set(t, "Radius.NetworkPasswords", "true")
	ensure(t, s)
	p := s.App.Logins.Networks
	s.Do(t, audit.NetworkPassword, func(ctx context.Context, c *call.Call) error {
		n, err := p.Draw(ctx, c, s.Plain.ID)
		if err == nil {
			err = p.Put(ctx, c, s.Plain.ID, n)
		}
		return err
	})
	return nil
}

// hardware gives plain and somebody else tokens of a file.
func hardware(t *testing.T, s *apptest.Site) map[string]string {
	other := s.Person(t, "other")
	vars := map[string]string{"other": other.ID, "otherName": other.Name}
	ensure(t, s)
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		for userID, seed := range map[string]oath.Seed{
			s.Plain.ID: {Name: "plain", Issuer: "Acme", Secret: seed, Serial: "GT-1", Algorithm: "SHA256", Digits: 8, Period: 60},
			other.ID:   {Name: "other", Issuer: "Acme", Secret: seed, Serial: "GT-2", Counted: true, Counter: 5},
		} {
			made, err := s.App.OATH.Import(ctx, c, userID, seed)
			if err != nil {
				return err
			}
			vars[map[string]string{"GT-1": "one", "GT-2": "two"}[seed.Serial]] = made.ID
		}
		_, err := s.App.OATH.Set(ctx, c, s.Admin.ID, oath.Seed{Name: "not from a file", Secret: seed})
		return err
	})
	return vars
}

// printed gives plain recovery codes, of which one was used.
func printed(t *testing.T, s *apptest.Site) map[string]string {
	none := s.Person(t, "none")
	if err := s.App.Ring.Ensure(t.Context(), s.ID, factor.PurposeRecovery); err != nil {
		t.Fatal(err)
	}
	m, p := recovery.Mechanism{Codes: recovery.Codes{Ring: s.App.Ring}}, factor.Person{ID: s.Plain.ID}
	s.Do(t, audit.RecoveryCodes, func(ctx context.Context, c *call.Call) error {
		n, err := m.Codes.Draw(ctx, c, p.ID)
		if err == nil {
			err = m.Codes.Put(ctx, c, p.ID, n)
		}
		if err != nil {
			return err
		}
		v, err := m.Check(ctx, c, p, factor.Challenge{}, factor.Answer{Text: n.Codes[0]})
		if err == nil {
			_, err = m.Commit(ctx, c, p, &factor.Challenge{}, v)
		}
		return err
	})
	return map[string]string{"noneName": none.Name}
}
