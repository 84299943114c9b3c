// Package mfa is the RPC dialect's operations on what people prove themselves with (mfa.yaml): passwords, security
// questions, the one-time codes of authenticator apps and tokens, the keys of FIDO2 authenticators, and devices that are asked.
package mfa

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/phone"
	"limen/internal/core/factor/question"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/scan"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/tokenfile"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// MFA is the operations.
type MFA struct {
	People    *user.Directory
	Roles     *role.Roles
	Settings  *setting.Store
	Sessions  *session.Sessions
	Passwords password.Passwords
	Questions question.Questions
	Profiles  oath.Profiles
	Keys      passkey.Keys
	Tokens    *tokenfile.Files
	PINs      phone.Pins
	// LeastPIN is how many digits a person's PIN has at least; 0: nobody says.
	LeastPIN func(ctx context.Context, c *call.Call, userID string) (int, error)
	Logins   *login.Logins

	Authenticators authenticator.Devices
	Scans          scan.Scans
	// Enrolment says what a person's policies are about enrolling devices: whether they may, and whether they are told of it.
	Enrolment func(ctx context.Context, c *call.Call, userID string) (may, tell bool, err error)
	// Notify writes a notice to a person, in c.Tx; nil: nobody is told.
	Notify func(ctx context.Context, c *call.Call, u user.User, what login.Notice) error
	// Keep makes a change to what somebody signs in with: lockout.ErrLastWay when no system administrator could sign in then.
	Keep func(ctx context.Context, c *call.Call, userID string, change func() error) error
	// Alone fails where the caller changes the factors of somebody else for whom the tenant wants two administrators.
	Alone func(ctx context.Context, c *call.Call, userID string) error
}

// Faults of this surface.
var (
	ErrWait   = login.ErrGuesses
	ErrSystem = fault.New(fault.Denied, "factor.system", "Only system administrators may change the factors of a system administrator.")
	ErrMany   = fault.New(fault.TooLarge, "factor.many", "Too many profiles in one call.")
)

var (
	manage = op.Has(right.UserManagement)
	either = op.Any(op.Self, manage)
)

// Ops declares them.
func (m MFA) Ops() []op.Op {
	return identity.Guarded(slices.Concat(
		m.passwords(), m.offered(), m.answers(), m.profiles(), m.owns(), m.carried(), m.otps(), m.codes(), m.tokens(), m.files(), m.pins(), m.keys(), m.authenticators(), m.asked(), m.scanned(),
		m.subscribing(), m.recoveryCodes(), m.networkPasswords(),
	))
}

func (m MFA) passwords() []op.Op {
	guess := []*fault.Error{password.ErrWrong, password.ErrChanged, ErrWait, fault.ErrMissing}
	rules := []*fault.Error{password.ErrPolicy, password.ErrWeak, password.ErrCommon, password.ErrUsed, password.ErrTooYoung}
	return []op.Op{
		op.New(op.Spec{
			Path: "/Core/GeneratePassword", Allow: op.Authenticated, Effect: op.Read,
			Faults: []*fault.Error{password.ErrLength, user.ErrNotFound},
		}, m.GeneratePassword),
		op.Prepared(op.Spec{
			Path: "/UserMgmt/ChangeUserPassword", Allow: op.Self, Effect: op.Write, Audit: audit.PasswordChange, Rate: op.Guess,
			Faults: append(rules, guess...),
		}, m.hashChange, m.ChangeUserPassword),
		op.Prepared(op.Spec{
			Path: "/UserMgmt/VerifyPassword", Allow: op.Self, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess, Faults: guess,
		}, m.hashCheck, m.VerifyPassword),
	}
}

func (m MFA) offered() []op.Op {
	find := []*fault.Error{question.ErrNotFound, fault.ErrMissing}
	return []op.Op{
		op.New(op.Spec{
			Path: "/TenantConfig/SetAdminSecurityQuestion", Allow: op.System, Effect: op.Serial, Audit: audit.SecurityQuestion,
			Invar:  "no two questions on offer have the same text in the same culture, and there are no more than the limit",
			Faults: append([]*fault.Error{question.ErrExists, question.ErrTooMany, fault.ErrInvalid}, find...),
		}, m.SetAdminSecurityQuestion),
		op.New(op.Spec{
			Path: "/TenantConfig/DeleteAdminSecurityQuestion", Allow: op.System, Effect: op.Write, Audit: audit.SecurityQuestion, Faults: find,
		}, m.DeleteAdminSecurityQuestion),
		op.New(op.Spec{Path: "/TenantConfig/GetAdminSecurityQuestion", Allow: op.System, Effect: op.Read, Faults: find}, m.GetAdminSecurityQuestion),
		op.New(op.Spec{Path: "/TenantConfig/GetAdminSecurityQuestions", Allow: op.System, Effect: op.Read}, m.GetAdminSecurityQuestions),
	}
}

func (m MFA) answers() []op.Op {
	rules := []*fault.Error{
		question.ErrNotFound, question.ErrShort, question.ErrSame, question.ErrTooMany, question.ErrTooFew, question.ErrAnswer,
		fault.ErrBlank, fault.ErrInvalid,
	}
	whose := []*fault.Error{user.ErrNotFound, ErrSystem, user.ErrStronger, lockout.ErrLastWay, session.ErrStale, login.ErrForbidden, fault.ErrMissing}
	return []op.Op{
		op.New(op.Spec{
			Path: "/UserMgmt/GetSecurityQuestions", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound},
		}, m.GetSecurityQuestions),
		op.Prepared(op.Spec{
			Path: "/UserMgmt/UpdateSecurityQuestions", Allow: either, Effect: op.Serial, Audit: audit.SecurityQuestion,
			Invar:  "nobody answers more questions than the tenant allows, fewer than it demands, or one of them twice",
			Faults: append(rules, whose...),
		}, m.hashAnswers, m.UpdateSecurityQuestions),
		op.New(op.Spec{
			Path: "/UserMgmt/ResetSecurityQuestions", Allow: either, Effect: op.Write, Audit: audit.FactorReset, Faults: whose,
		}, m.ResetSecurityQuestions),
	}
}

func (m MFA) profiles() []op.Op {
	seed := []*fault.Error{
		user.ErrNotFound, ErrSystem, user.ErrStronger, session.ErrStale, login.ErrForbidden, oath.ErrSecret, oath.ErrAlgorithm, oath.ErrDigits, oath.ErrPeriod, oath.ErrCounter,
		fault.ErrMissing, fault.ErrInvalid,
	}
	return []op.Op{
		op.New(op.Spec{Path: "/Oath/GetProfileList", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound}}, m.GetProfileList),
		op.Prepared(op.Spec{
			Path: "/Oath/AddOrUpdateProfile", Allow: manage, Effect: op.Write, Audit: audit.FactorEnroll, Faults: seed,
		}, m.keysForProfile, m.AddOrUpdateProfile),
		op.New(op.Spec{
			Path: "/Oath/DeleteProfiles", Allow: op.Any(op.Authenticated, manage), Effect: op.Write, Audit: audit.FactorRemove,
			Faults: []*fault.Error{oath.ErrNotFound, ErrSystem, user.ErrStronger, lockout.ErrLastWay, session.ErrStale, login.ErrForbidden, ErrMany, fault.ErrMissing},
		}, m.DeleteProfiles),
	}
}

func (m MFA) codes() []op.Op {
	guess := []*fault.Error{oath.ErrCode, oath.ErrNotFound, ErrWait, fault.ErrMissing}
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/Mobile/GetUserThirdPartyOtp", Setup: true, Allow: op.Self, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Costly,
			Faults: []*fault.Error{session.ErrStale, login.ErrForbidden},
		}, m.keysForEnrolment, m.GetUserThirdPartyOtp),
		op.New(op.Spec{
			Path: "/Mobile/ValidateAndSetUserThirdPartyOtp", Setup: true, Allow: op.Self, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Guess,
			Faults: append([]*fault.Error{session.ErrStale, login.ErrForbidden}, guess...),
		}, m.ValidateAndSetUserThirdPartyOtp),
		op.New(op.Spec{
			Path: "/Oath/ValidateOtpCode", Allow: op.Self, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: append([]*fault.Error{session.ErrStale, login.ErrForbidden}, guess...),
		}, m.ValidateOtpCode),
		op.Prepared(op.Spec{
			Path: "/Security/SubmitOathOtpCode", Allow: either, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: append([]*fault.Error{user.ErrNotFound, login.ErrLink, ErrSystem, user.ErrStronger}, guess...),
		}, m.checkCode, m.SubmitOathOtpCode),
	}
}

func (m MFA) tokens() []op.Op {
	faults := []*fault.Error{oath.ErrNotFound, user.ErrNotFound, ErrSystem, user.ErrStronger, fault.ErrMissing}
	return []op.Op{
		op.New(op.Spec{
			Path: "/Oath/UpdateProfileCounter", Allow: either, Effect: op.Write, Audit: audit.FactorChange,
			Faults: append([]*fault.Error{oath.ErrBack, oath.ErrCounter, oath.ErrTimed}, faults...),
		}, m.UpdateProfileCounter),
		op.New(op.Spec{
			Path: "/Oath/ResynchronizeOathToken", Paths: []string{"/Oath/ResychronizeOathToken"}, Allow: either, Effect: op.Write,
			Audit: audit.FactorChange, Rate: op.Guess, Faults: append([]*fault.Error{oath.ErrCode, ErrWait}, faults...),
		}, m.ResynchronizeOathToken),
	}
}

// person is the user that an input is about, once it is resolved.
type person struct{ found user.User }

// Target is who the call is about.
func (p *person) Target() op.Target { return op.Target{ID: p.found.ID, Org: p.found.Org} }

// find resolves a UUID or login name; empty is the caller.
func (p *person) find(ctx context.Context, c *op.Call, ref string) (err error) {
	if strings.TrimSpace(ref) == "" {
		ref = c.User()
	}
	p.found, err = user.Find(ctx, c, ref)
	return err
}

// oneself is an input that is about its caller.
type oneself struct{ person }

// Resolve finds the caller.
func (o *oneself) Resolve(ctx context.Context, c *op.Call) error { return o.find(ctx, c, "") }

// about fills the event with whom it is about.
func about(c *op.Call, p user.User) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = p.ID, "User", p.Name, p.ID, p.Name
}

// guard keeps those who are no system administrators from changing what one signs in with: one's own factors, or those of
// the person who answers instead. Nor may anybody change those of somebody who holds rights that they lack.
func (m MFA) guard(ctx context.Context, c *op.Call, userID string) error {
	return m.Roles.Guard(ctx, c, userID, ErrSystem, user.ErrStronger)
}

// vary is guard for what enrols, replaces or removes factors.
func (m MFA) vary(ctx context.Context, c *op.Call, userID string, part login.Part) error {
	if err := m.guard(ctx, c, userID); err != nil {
		return err
	}
	if err := m.Alone(ctx, c, userID); err != nil {
		return err
	}
	return m.own(ctx, c, userID, part)
}

// own allows one's own change only shortly after a proof of who one is, and of what policies want besides.
func (m MFA) own(ctx context.Context, c *op.Call, userID string, part login.Part) error {
	if err := m.Logins.Own(ctx, c, userID, part); err != nil {
		return err
	}
	return m.Sessions.Recent(ctx, c, userID)
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}
