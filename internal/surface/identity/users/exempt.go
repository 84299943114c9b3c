package users

import (
	"context"
	"strconv"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/exemption"
	"limen/internal/core/passcode"
	"limen/internal/core/post"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// helping declares what the help desk does for people.
func (u Users) helping() []op.Op {
	desk := op.Any(manage, op.Has(right.IdentityVerification))
	return []op.Op{
		op.New(op.Spec{
			Path: "/CDirectoryService/ExemptUserFromMfa", Allow: op.Any(manage, op.Has(right.MfaUnlock)), Effect: op.Write, Audit: audit.FactorBypass,
			Faults: []*fault.Error{user.ErrNotFound, exemption.ErrSpan, ErrSelf, ErrSystem, user.ErrStronger, fault.ErrMissing, fault.ErrInvalid},
		}, u.ExemptUserFromMfa),
		op.Prepared(op.Spec{
			Path: "/CDirectoryService/SendIdentityVerificationOTP", Allow: desk, Effect: op.Write, Audit: audit.IdentityCode, Rate: op.Costly,
			Faults: []*fault.Error{user.ErrNotFound, passcode.ErrSends, post.ErrNoMail, post.ErrNoMobile, fault.ErrMissing, fault.ErrInvalid},
		}, codeKeys[IdentityMessage](u), u.SendIdentityVerificationOTP),
		op.Prepared(op.Spec{
			Path: "/CDirectoryService/VerifyIdentityOTP", Allow: desk, Effect: op.Write, Audit: audit.IdentityCode, Rate: op.Guess,
			Faults: []*fault.Error{user.ErrNotFound, passcode.ErrNone, passcode.ErrTries, fault.ErrMissing},
		}, codeKeys[IdentityAnswer](u), u.VerifyIdentityOTP),
	}
}

// codeKeys makes the tenant's key of codes before the transaction.
func codeKeys[In any](u Users) func(context.Context, *op.Call, In) (op.None, error) {
	return func(ctx context.Context, c *op.Call, _ In) (op.None, error) {
		return op.None{}, u.Passcodes.Ensure(ctx, c.Tenant.ID)
	}
}

// MfaExemption exempts somebody from further factors.
type MfaExemption struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	// Timespan is for how many minutes, or hh:mm:ss; ten minutes when absent. 0 ends an exemption.
	Timespan string `json:"timespan"`
	person
}

// Check reads the time.
func (m *MfaExemption) Check() error {
	if err := required("ID", m.ID); err != nil {
		return err
	}
	_, err := m.lasts()
	return err
}

// Resolve finds the user.
func (m *MfaExemption) Resolve(ctx context.Context, c *op.Call) error { return m.find(ctx, c, m.ID) }

// lasts reads minutes, or hours, minutes and seconds.
func (m *MfaExemption) lasts() (time.Duration, error) {
	text := strings.TrimSpace(m.Timespan)
	if text == "" {
		return 10 * time.Minute, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) != 1 && len(parts) != 3 {
		return 0, errSpan
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || v > 100_000 {
			return 0, errSpan
		}
		n[i] = v
	}
	if len(parts) == 1 {
		n = [3]int{0, n[0], 0}
	}
	return time.Duration(n[0])*time.Hour + time.Duration(n[1])*time.Minute + time.Duration(n[2])*time.Second, nil
}

var errSpan = fault.Bad("timespan", "must be a number of minutes, or hh:mm:ss")

// ExemptUserFromMfa lets a user sign in without further factors for a while: what a sign-in asks for first is all it asks for
// until then. It ends by itself, at once with 0, and a further call begins it anew; the longest is 24 hours. The user is told
// by mail.
//
// Nobody exempts themselves, and only who holds all rights of a user exempts them. A session that such a sign-in opens is of
// the level Normal, and the device does not become one on which factors are not asked for. users.yaml n 122.
func (u Users) ExemptUserFromMfa(ctx context.Context, c *op.Call, in MfaExemption) (op.None, error) {
	lasts, err := in.lasts()
	if err != nil {
		return op.None{}, err
	}
	if in.found.ID == c.User() && lasts > 0 {
		return op.None{}, ErrSelf
	}
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	if err := u.Alone(ctx, c, in.found.ID); lasts > 0 && err != nil {
		return op.None{}, err
	}
	invited(c, in.found)
	until, err := u.Exemptions.Grant(ctx, c, in.found.ID, lasts)
	if err != nil || until.IsZero() {
		return op.None{}, err
	}
	return op.None{}, u.Exempted(ctx, c, in.found, until)
}

// IdentityMessage asks for a code to be sent.
type IdentityMessage struct {
	// UUID is the user's UUID or login name, required.
	UUID string `json:"UUID" also:"ID"`
	// Channel is Email, the default, or SMS.
	Channel string `json:"Channel"`
	person
}

// Check wants the user, and a channel that there is.
func (m *IdentityMessage) Check() error {
	if err := required("UUID", m.UUID); err != nil {
		return err
	}
	switch strings.ToLower(m.Channel) {
	case "", "email", "sms":
		return nil
	}
	return fault.Bad("Channel", "must be Email or SMS")
}

// Resolve finds the user.
func (m *IdentityMessage) Resolve(ctx context.Context, c *op.Call) error {
	return m.find(ctx, c, m.UUID)
}

// SendIdentityVerificationOTP sends a user a code that they read out to the help desk, in place of one sent before, and answers
// true. The code is good for as long as sign-in codes are, and once. lifecycle.yaml n 567.
func (u Users) SendIdentityVerificationOTP(ctx context.Context, c *op.Call, in IdentityMessage, _ op.None) (bool, error) {
	invited(c, in.found)
	c.Event.Set("Channel", strings.ToLower(in.Channel))
	err := u.Passcodes.Send(ctx, c, in.found, strings.EqualFold(in.Channel, "SMS"))
	return err == nil, err
}

// IdentityAnswer is what somebody on the telephone reads out.
type IdentityAnswer struct {
	// UUID is the user's UUID or login name, required.
	UUID string `json:"UUID" also:"ID"`
	// OTP is the code, required; spaces and dashes do not matter.
	OTP string `json:"OTP" also:"code"`
	person
}

// Check wants both.
func (a *IdentityAnswer) Check() error {
	if err := required("UUID", a.UUID); err != nil {
		return err
	}
	return required("OTP", a.OTP)
}

// Resolve finds the user.
func (a *IdentityAnswer) Resolve(ctx context.Context, c *op.Call) error {
	return a.find(ctx, c, a.UUID)
}

// VerifyIdentityOTP says whether a code is the one that SendIdentityVerificationOTP sent to a user, and takes it out of use
// when it is. After five wrong ones another one must be sent. users.yaml n 128.
func (u Users) VerifyIdentityOTP(ctx context.Context, c *op.Call, in IdentityAnswer, _ op.None) (bool, error) {
	invited(c, in.found)
	ok, err := u.Passcodes.Check(ctx, c, in.found.ID, in.OTP)
	c.Event.Set("Verified", ok)
	return ok, err
}
