package signin

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/core/number"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
)

// Verification is the second step of a sign-in. The first step's token is the bearer.
type Verification struct {
	// MfaType is TOTP_AUTHENTICATOR or EMAIL, in the query; required.
	MfaType string `json:"mfaType" in:"query"`
	// VerificationCode is the code. With EMAIL it may be absent: then a code is mailed, and the answer is that of the first step again.
	VerificationCode string `json:"verificationCode"`
	// DeviceID is as in the first step.
	DeviceID string `json:"deviceId"`

	token string
}

// maxCode is the length of a code that is looked at.
const maxCode = 64

// Check wants a method and a code.
func (v *Verification) Check() error {
	switch {
	case v.MfaType == "":
		return fault.Missing("mfaType")
	case v.mechanism() == "":
		return fault.Bad("mfaType", "must be TOTP_AUTHENTICATOR or EMAIL")
	case v.VerificationCode == "" && v.mechanism() != factor.Email:
		return fault.Missing("verificationCode")
	case len(v.VerificationCode) > maxCode:
		return fault.Bad("verificationCode", "may have %d bytes", maxCode)
	case len(v.DeviceID) > workspace.MaxDevice:
		return fault.Bad("deviceId", "may have %d bytes", workspace.MaxDevice)
	}
	return nil
}

func (v *Verification) mechanism() string {
	for _, m := range methods {
		if strings.EqualFold(m.name, v.MfaType) {
			return m.mechanism
		}
	}
	return ""
}

// answer is a second step on its way.
type answer struct {
	claims   workspace.Claims
	request  login.Request
	prepared login.Prepared
}

// checkCode finds the conversation of the first step's token, and looks at the code.
func (s SignIn) checkCode(ctx context.Context, c *op.Call, in Verification) (a answer, err error) {
	if err := s.Tokens.Ensure(ctx, c.Tenant.ID); err != nil {
		return a, err
	}
	claims, typ, err := s.Tokens.Verify(ctx, in.token, c.Now)
	if err != nil || typ != workspace.TypeStep || claims.Tenant != c.Tenant.ID {
		return a, ErrCode.Because(err)
	}
	a.claims = claims
	err = c.Snapshot(ctx, func() error {
		stage, err := s.Logins.Look(ctx, c, claims.Step)
		if err != nil {
			return err
		}
		id, _ := find(stage.Package, in.mechanism())
		a.request = login.Request{Session: claims.Step, Actions: []login.Action{{
			Do: login.DoAnswer, Mechanism: id, Answer: factor.Answer{Text: in.VerificationCode},
		}}}
		if in.VerificationCode == "" {
			a.request.Actions[0].Do = login.DoStart
		}
		return nil
	})
	if errors.Is(err, login.ErrFailed) {
		return a, ErrCode
	}
	if err == nil {
		a.prepared, err = s.Logins.Prepare(ctx, c, a.request)
	}
	return a, err
}

// VerifyMFA is the second step of a sign-in, with the first step's token as the bearer. A wrong code ends the sign-in, and counts as
// everywhere. synerise.yaml, POST /uauth/auth/login/user/mfa/verification.
func (s SignIn) VerifyMFA(ctx context.Context, c *op.Call, in Verification, a answer) (SignedIn, error) {
	r, err := s.Logins.Advance(ctx, c, a.request, a.prepared)
	if errors.Is(err, login.ErrFailed) {
		return SignedIn{}, op.Refused(ErrCode)
	}
	want := Choice{a.claims.Wanted, a.claims.Guid}
	switch {
	case err != nil:
		return SignedIn{}, err
	case r.Success != nil:
		if err := workspace.KeepDevice(ctx, c, r.Success.Person.ID, in.DeviceID); err != nil {
			return SignedIn{}, err
		}
		return s.enter(ctx, c, r.Success, want)
	}
	stage, err := s.Logins.Look(ctx, c, a.claims.Step)
	if err != nil {
		return SignedIn{}, err
	}
	if due := stage.Due(); len(due) > 0 && due[0].Name == factor.Reset {
		return SignedIn{}, op.Refused(login.ErrReplace)
	} else if len(due) > 0 && due[0].Name == factor.Consent {
		return SignedIn{}, op.Refused(login.ErrTerms)
	}
	return s.step(ctx, c, stage.Package, want)
}

// roles are the numbers of the caller's roles of a workspace.
func (s SignIn) roles(ctx context.Context, c *op.Call, at string) (string, error) {
	all, err := s.Workspaces.Orgs.RolesIn(ctx, c, at)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, r := range all {
		if slices.Contains(c.Caller.Roles, r.ID) {
			ids = append(ids, r.ID)
		}
	}
	of, err := number.Some(ctx, c, number.Role, ids...)
	var out []string
	for _, id := range ids {
		out = append(out, strconv.FormatInt(of[id], 10))
	}
	return strings.Join(out, ","), err
}
