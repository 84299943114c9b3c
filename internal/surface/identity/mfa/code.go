package mfa

import (
	"context"
	"errors"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/throttle"
	"limen/internal/op"
	"limen/internal/wire/qrcode"
)

// Enrolment begins the enrolment of an authenticator.
type Enrolment struct {
	// DeviceId is not looked at: clients send null, or the text null.
	DeviceId string `json:"DeviceId"`
	oneself
}

// Begun is an enrolment to be finished with a first code.
type Begun struct {
	// UrlQr is the QR code that the app reads: a PNG image as a data URI. It holds the secret, which is not shown again.
	UrlQr string `json:"UrlQr"`
	// ProfileUuid is what ValidateAndSetUserThirdPartyOtp takes.
	ProfileUuid string `json:"ProfileUuid"`
}

func (m MFA) keysForEnrolment(ctx context.Context, c *op.Call, _ Enrolment) (op.None, error) {
	return op.None{}, m.Profiles.Ring.Ensure(ctx, c.Tenant.ID, factor.PurposeOATH)
}

// GetUserThirdPartyOtp begins to enrol the caller's authenticator app: it returns a QR code with a new secret.
//
// An authenticator enrolled before stays until ValidateAndSetUserThirdPartyOtp; an unfinished enrolment is replaced.
// mfa.yaml, /Mobile/GetUserThirdPartyOtp.
func (m MFA) GetUserThirdPartyOtp(ctx context.Context, c *op.Call, in Enrolment, _ op.None) (Begun, error) {
	if err := m.own(ctx, c, in.found.ID, login.OwnOATH); err != nil {
		return Begun{}, err
	}
	issuer, err := m.Settings.Issuer(ctx, c)
	if err != nil {
		return Begun{}, err
	}
	made, uri, err := m.Profiles.Begin(ctx, c, in.found.ID, in.found.Name, issuer)
	if err != nil {
		return Begun{}, err
	}
	enrolled(c.Event, in.found, made)
	c.Event.Set("Pending", true)
	image, err := qrcode.PNG(uri)
	return Begun{image, made.ID}, err
}

// ProfileCode is a code of one of the caller's profiles.
type ProfileCode struct {
	// OtpCode is the code that the app shows, required; blanks in it do not matter.
	OtpCode string `json:"otpCode"`
	// Uuid is the id of the profile, required.
	Uuid string `json:"uuid" also:"ProfileUuid"`
	oneself
}

// Check wants both.
func (p *ProfileCode) Check() error {
	if err := required("otpCode", p.OtpCode); err != nil {
		return err
	}
	return required("uuid", p.Uuid)
}

// ValidateAndSetUserThirdPartyOtp finishes the enrolment of the caller's authenticator app with its first code. It counts
// from then on, and replaces one enrolled before.
//
// A code counts once; wrong ones count as failed second factors do. mfa.yaml, /Mobile/ValidateAndSetUserThirdPartyOtp.
func (m MFA) ValidateAndSetUserThirdPartyOtp(ctx context.Context, c *op.Call, in ProfileCode) (op.None, error) {
	return op.None{}, m.confirm(ctx, c, in)
}

// CheckedCode is a code of one of the caller's profiles.
type CheckedCode struct {
	ProfileCode
	// UseOathDefaults is not looked at: period, digits and algorithm are the profile's.
	UseOathDefaults bool `json:"useOathDefaults"`
}

// ValidateOtpCode checks a code of one of the caller's profiles and answers true. A right code finishes an enrolment.
//
// A code counts once; wrong ones count as failed second factors do. mfa.yaml n 67.
func (m MFA) ValidateOtpCode(ctx context.Context, c *op.Call, in CheckedCode) (bool, error) {
	if err := m.confirm(ctx, c, in.ProfileCode); err != nil {
		return false, err
	}
	return true, nil
}

// confirm takes a code of a profile. The event tells an enrolment from a check.
func (m MFA) confirm(ctx context.Context, c *op.Call, in ProfileCode) error {
	about(c, in.found)
	all, err := m.Profiles.All(ctx, c, in.found.ID)
	if err != nil {
		return err
	}
	c.Event.Type = audit.LoginStep
	for _, p := range all {
		if p.ID == in.Uuid {
			enrolled(c.Event, in.found, p)
			if !p.Confirmed {
				c.Event.Type = audit.FactorEnroll
				if err := m.own(ctx, c, in.found.ID, login.OwnOATH); err != nil {
					return err
				}
			}
		}
	}
	if err := m.Logins.Free(ctx, c, throttle.Second, in.found); err != nil {
		return err
	}
	err = m.Profiles.Confirm(ctx, c, in.found.ID, in.Uuid, in.OtpCode)
	if err != nil && !errors.Is(err, oath.ErrCode) {
		return err
	}
	return m.count(ctx, c, throttle.Second, in.found, err == nil, oath.ErrCode)
}

// SubmittedCode is a code for a sign-in that waits.
type SubmittedCode struct {
	// OtpCode is the code that the app shows, required; blanks in it do not matter.
	OtpCode string `json:"otpCode"`
	// UserUuid is the UUID or login name of the person whose app shows it, required.
	UserUuid string `json:"userUuid"`
	person
}

// Check wants both.
func (s *SubmittedCode) Check() error {
	if err := required("otpCode", s.OtpCode); err != nil {
		return err
	}
	return required("userUuid", s.UserUuid)
}

// Resolve finds the user.
func (s *SubmittedCode) Resolve(ctx context.Context, c *op.Call) error {
	return s.find(ctx, c, s.UserUuid)
}

func (m MFA) checkCode(ctx context.Context, c *op.Call, in SubmittedCode) (factor.Verdict, error) {
	if err := m.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return factor.Verdict{}, err
	}
	err := c.Snapshot(ctx, func() error {
		if err := m.guard(ctx, c, in.found.ID); err != nil {
			return err
		}
		return m.Logins.Free(ctx, c, throttle.Second, in.found)
	})
	if err != nil {
		return factor.Verdict{}, err
	}
	return oath.Mechanism{Profiles: m.Profiles}.Check(ctx, c, factor.Person{ID: in.found.ID}, factor.Challenge{}, factor.Answer{Text: in.OtpCode})
}

// SubmitOathOtpCode checks a code of somebody's authenticator, and counts it in their sign-ins that wait for one, as an
// approval on a phone does.
//
// A code counts once; wrong ones count as failed second factors do. That nobody waits is no error. authentication.yaml n 8.
func (m MFA) SubmitOathOtpCode(ctx context.Context, c *op.Call, in SubmittedCode, v factor.Verdict) (op.None, error) {
	about(c, in.found)
	ok, err := oath.Mechanism{Profiles: m.Profiles}.Commit(ctx, c, factor.Person{ID: in.found.ID}, &factor.Challenge{}, v)
	if err != nil {
		return op.None{}, err
	}
	if err := m.count(ctx, c, throttle.Second, in.found, ok, oath.ErrCode); err != nil {
		return op.None{}, err
	}
	n, err := m.Logins.ApproveFactor(ctx, c, in.found.ID, factor.OATH)
	c.Event.Set("Approved", n)
	return op.None{}, err
}
