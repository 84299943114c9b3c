package mfa

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/throttle"
	"limen/internal/fault"
	"limen/internal/op"
)

// otps declares what apps of the dialect's answer sign-ins with.
func (m MFA) otps() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/IosAppRest/SubmitOtpCode", Allow: op.Self, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: []*fault.Error{oath.ErrCode, oath.ErrNotFound, authenticator.ErrAsk, authenticator.ErrNumber, login.ErrGuesses, fault.ErrMissing, fault.ErrInvalid},
		}, m.checkOtp, m.SubmitOtpCode),
	}
}

// OtpAnswer is an app's answer to a sign-in that waits.
type OtpAnswer struct {
	// OtpCode is the code that the caller's own profile gives now, required: it shows that a device of theirs answers, and not a session alone.
	OtpCode string `json:"otpCode"`
	// OathProfileUuid is the id of that profile, required.
	OathProfileUuid string `json:"oathProfileUuid"`
	// UserAccepted is True where the person says that it is they who sign in, and False where they refuse; required.
	UserAccepted op.Opt[bool] `json:"userAccepted"`
	// ChallengeAnswer is the number that the sign-in shows, as the person entered it; needed to approve.
	ChallengeAnswer string `json:"challengeAnswer"`
	// CommandUuid names the request; absent: the newest that waits.
	CommandUuid string `json:"CommandUuid"`
	// OptKeyVersion is the version of the profile's secret. It is taken and not needed: the server knows it.
	OptKeyVersion string `json:"optKeyVersion"`
	// OtpCodeExpiryInterval is for how many seconds the app shows a code. It is taken and not needed: the server knows it.
	OtpCodeExpiryInterval string `json:"otpCodeExpiryInterval"`
	// OtpTimestamp is the app's clock. It is taken and not needed: the server goes by its own.
	OtpTimestamp string `json:"otpTimestamp"`
	oneself
}

// Check wants the code, the profile, what the person says, and to approve the number.
func (o *OtpAnswer) Check() error {
	for _, one := range [][2]string{{"otpCode", o.OtpCode}, {"oathProfileUuid", o.OathProfileUuid}} {
		if err := required(one[0], one[1]); err != nil {
			return err
		}
	}
	yes, ok := o.UserAccepted.Get()
	if !ok {
		return fault.Missing("userAccepted")
	}
	if yes {
		return required("challengeAnswer", o.ChallengeAnswer)
	}
	return nil
}

func (m MFA) checkOtp(ctx context.Context, c *op.Call, in OtpAnswer) (v factor.Verdict, err error) {
	if err := m.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return v, err
	}
	err = c.Snapshot(ctx, func() error {
		own, err := m.Profiles.Own(ctx, c, in.found.ID)
		if err == nil && own.ID != strings.TrimSpace(in.OathProfileUuid) {
			err = oath.ErrNotFound
		}
		if err != nil {
			return err
		}
		return m.Logins.Free(ctx, c, throttle.Second, in.found)
	})
	if err != nil {
		return v, err
	}
	// Authenticators of the person's answer, so that the profile is worth nothing without one.
	return authenticator.Mechanism{Devices: m.Authenticators}.Check(ctx, c, factor.Person{ID: in.found.ID}, factor.Challenge{}, factor.Answer{Text: in.OtpCode})
}

// SubmitOtpCode approves a sign-in of the caller's that waits, or refuses it, with a code of the profile that their devices carry (OtpEnroll). A session
// alone approves nothing, and refuses nothing: the code is needed for both, counts once, and wrong ones count as failed second factors do. To
// approve, the number is needed that the sign-in shows; another one ends the sign-in, as a refusal does, and both are told to the person by
// mail. mfa.yaml, /IosAppRest/SubmitOtpCode.
func (m MFA) SubmitOtpCode(ctx context.Context, c *op.Call, in OtpAnswer, v factor.Verdict) (op.None, error) {
	about(c, in.found)
	ok, err := authenticator.Mechanism{Devices: m.Authenticators}.Commit(ctx, c, factor.Person{ID: in.found.ID}, &factor.Challenge{}, v)
	if err == nil {
		err = m.count(ctx, c, throttle.Second, in.found, ok, oath.ErrCode)
	}
	if err != nil {
		return op.None{}, err
	}
	a, err := m.Authenticators.Coded(ctx, c, in.found.ID, strings.TrimSpace(in.CommandUuid), in.UserAccepted.Or(false), in.ChallengeAnswer)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, m.settle(ctx, c, a)
}

// settle passes on what somebody answered to the sign-in that waits.
func (m MFA) settle(ctx context.Context, c *op.Call, a authenticator.Answered) error {
	a.Ask.Tell(c.Event, a.Device, a.Approved)
	err := m.Logins.Elsewhere(ctx, c, a.Talk, a.Mechanism, a.Approved)
	switch {
	case errors.Is(err, login.ErrLink):
		return authenticator.ErrAsk
	case err == nil && a.Wrong:
		return op.Refused(authenticator.ErrNumber)
	}
	return err
}
