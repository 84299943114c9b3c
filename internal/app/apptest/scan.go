package apptest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
)

// Carry gives somebody an authenticator.
func (s *Site) Carry(t testing.TB, userID string) *authenticatortest.Device {
	t.Helper()
	if err := s.App.Ring.Ensure(t.Context(), s.ID, factor.Purposes...); err != nil {
		t.Fatal(err)
	}
	d := authenticatortest.New()
	s.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		made, err := s.App.Authenticators.Enroll(ctx, c, userID, authenticator.New{
			Name: "Phone", PublicKey: d.PublicKey(), Signature: d.Sign(authenticator.EnrollMessage(s.ID, userID, d.PublicKey())),
		})
		d.ID, d.Secret = made.Device.ID, made.Secret
		return err
	})
	return d
}

// Shown is a QR code that a program has shown.
type Shown struct {
	Guid, Talk   string // by which the program asks
	Code, Number string // that the person reads
}

// ShowCode has a program begin a sign-in by a QR code, where the tenant offers that.
func (s *Site) ShowCode(t testing.TB, guid string) Shown {
	t.Helper()
	s.Set(t, "Authentication.QRCode", "true")
	_, raw := s.Call(t, "", "POST", "/Security/StartQRCodeAuthentication", map[string]any{"guid": guid})
	var out struct {
		Result struct {
			SessionId, GeneratedAuthValue string
			Challenges                    []struct {
				Mechanisms []struct{ MechanismId string }
			}
		}
	}
	if err := json.Unmarshal(raw, &out); err != nil || len(out.Result.Challenges) == 0 {
		t.Fatalf("%s %v", raw, err)
	}
	return Shown{guid, out.Result.SessionId, out.Result.Challenges[0].Mechanisms[0].MechanismId, out.Result.GeneratedAuthValue}
}

// ReadCode is what a device sends to learn what a code is about.
func (s *Site) ReadCode(d *authenticatortest.Device, code string, at time.Time) map[string]any {
	ms := at.UnixMilli()
	return map[string]any{"Device": d.ID, "Time": ms, "Code": code, "Signature": d.Sign(authenticator.ReadMessage(s.ID, d.ID, ms, code))}
}

// AnswerCode reads a code with a device, and is what the device then sends to answer it.
func (s *Site) AnswerCode(t testing.TB, d *authenticatortest.Device, code string, approve bool, number string) map[string]any {
	t.Helper()
	_, raw := s.Call(t, "", "POST", "/Authenticator/ReadCode", s.ReadCode(d, code, time.Now()))
	var out struct {
		Success bool `json:"success"`
		Result  struct {
			Account, Application, Place, Agent string
			Asked                              int64
		}
	}
	if err := json.Unmarshal(raw, &out); err != nil || !out.Success {
		t.Fatalf("%s %v", raw, err)
	}
	a := authenticator.Ask{Login: out.Result.Account, App: out.Result.Application, Place: out.Result.Place, Created: out.Result.Asked}
	return map[string]any{
		"Device": d.ID, "Code": code, "Approve": approve, "Number": number,
		"Signature": d.Sign(authenticator.ConfirmMessage(s.ID, d.ID, code, a, approve, number)),
	}
}

// CodeExchange has the administrator's device read three codes: {{code}} with {{number}} and the answers {{yes}} and {{no}} of it, {{wrongCode}} to be
// answered with {{bad}}, and {{refusedCode}}.
func (s *Site) CodeExchange(t testing.TB) map[string]string {
	t.Helper()
	d := s.Carry(t, s.Admin.ID)
	now, old := time.Now(), time.Now().Add(-time.Hour)
	first := s.ShowCode(t, "0f8fad5b-d9cb-469f-a165-70867728950e")
	wrong, refused := s.ShowCode(t, "7c9e6679-7425-40de-944b-e07fc1f90ae7"), s.ShowCode(t, "550e8400-e29b-41d4-a716-446655440000")
	bad := map[bool]string{true: "11", false: "10"}[wrong.Number == "10"]
	signed := func(m map[string]any) string { return m["Signature"].(string) }
	read, ago := s.ReadCode(d, first.Code, now), s.ReadCode(d, first.Code, old)
	return map[string]string{
		"device": d.ID, "code": first.Code, "number": first.Number, "talk": first.Talk, "guid": first.Guid, "wrongCode": wrong.Code, "bad": bad,
		"refusedCode": refused.Code, "refusedTalk": refused.Talk, "refusedGuid": refused.Guid,
		"time": fmt.Sprint(read["Time"]), "readSignature": signed(read), "long": fmt.Sprint(ago["Time"]), "agoSignature": signed(ago),
		"yes": signed(s.AnswerCode(t, d, first.Code, true, first.Number)), "no": signed(s.AnswerCode(t, d, first.Code, false, "")),
		"wrong": signed(s.AnswerCode(t, d, wrong.Code, true, bad)), "refusal": signed(s.AnswerCode(t, d, refused.Code, false, "")),
	}
}
