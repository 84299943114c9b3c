package mfa

import (
	"context"
	"errors"
	"strconv"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// carried declares what tells authenticators the secret that they carry.
func (m MFA) carried() []op.Op {
	faults := []*fault.Error{op.ErrDenied, authenticator.ErrSignature, authenticator.ErrClock, session.ErrStale, login.ErrForbidden, fault.ErrMissing}
	return []op.Op{
		op.New(op.Spec{
			Path: "/Oath/GetProfileListForDevice", Allow: op.Self, Effect: op.Write, Audit: audit.FactorChange, Rate: op.Guess, Faults: faults,
		}, m.GetProfileListForDevice),
		op.Prepared(op.Spec{
			Path: "/IosAppRest/OtpEnroll", Allow: op.Self, Effect: op.Write, Audit: audit.FactorChange, Rate: op.Guess, Faults: faults,
		}, m.keysForCarrier, m.OtpEnroll),
	}
}

// Carrier is an authenticator of the caller's that asks what it is to carry.
type Carrier struct {
	// DeviceID is the authenticator's Id, required.
	DeviceID string `json:"DeviceID" also:"udid"`
	// Time is the device's clock, in ms since 1970 UTC; it may be two minutes off.
	Time int64 `json:"Time"`
	// Signature is over the lines "limen authenticator 1", "secret", the tenant's id, DeviceID and Time, as that of an enrolment. Needed unless the
	// setting OathProfile.SeedBySession is on.
	Signature string `json:"Signature"`
	oneself
}

// Check wants the device.
func (d *Carrier) Check() error { return required("DeviceID", d.DeviceID) }

// CarriedProfile is a profile with its secret, as an authenticator carries it.
type CarriedProfile struct {
	// OathProfileUuid is its id.
	OathProfileUuid string `json:"OathProfileUuid"`
	// OathType is TOTP for codes by time, HOTP for codes by count.
	OathType string `json:"OathType"`
	// AccountName is the person's login name.
	AccountName string `json:"AccountName"`
	// Issuer is who issued it.
	Issuer string `json:"Issuer"`
	// SecretKey is the secret, in base32.
	SecretKey string `json:"SecretKey"`
	// Period is for how many seconds a code of a TOTP profile is shown; 0 for HOTP.
	Period int64 `json:"Period"`
	// Digits is how long a code is.
	Digits int64 `json:"Digits"`
	// Counter is the count of the next code of an HOTP profile; 0 for TOTP.
	Counter int64 `json:"Counter"`
	// HmacAlgorithm is SHA1, SHA256 or SHA512.
	HmacAlgorithm string `json:"HmacAlgorithm"`
	// SecretVersion rises with each new secret of the profile.
	SecretVersion int64 `json:"SecretVersion"`
	// IsCma is true: the profile is the product's own. Secrets of others are told nobody.
	IsCma bool `json:"IsCma"`
}

// carry shows the person's authenticator that is a device of the caller's: by its signature, or where the tenant wants no more by a fresh session.
func (m MFA) carry(ctx context.Context, c *op.Call, in Carrier) (authenticator.Device, error) {
	about(c, in.found)
	d, err := m.Authenticators.Find(ctx, c, in.DeviceID)
	if errors.Is(err, authenticator.ErrNotFound) || err == nil && d.User != in.found.ID {
		err = op.ErrDenied
	}
	if err != nil {
		return d, err
	}
	d.Tell(c.Event, in.found.ID, in.found.Name)
	v, err := m.Settings.Get(ctx, c)
	if err != nil {
		return d, err
	}
	if in.Signature == "" && v.Oath.SeedBySession {
		return d, m.own(ctx, c, in.found.ID, login.OwnOATH)
	}
	return m.Authenticators.Caller(ctx, c, d.ID, in.Time, authenticator.SecretMessage(c.Tenant.ID, d.ID, in.Time), in.Signature)
}

// told is a person's own profile with its secret; the event says that it was told.
func (m MFA) told(ctx context.Context, c *op.Call, p oath.Profile) (CarriedProfile, error) {
	secret, err := m.Profiles.Secret(ctx, c, p)
	s := shown(p)
	c.Event.Set("OathProfile", p.ID)
	c.Event.Set("SecretVersion", p.SecretVersion)
	return CarriedProfile{
		p.ID, s.OathType, s.AccountName, s.Issuer, secret, s.Period, s.Digits, s.Counter, s.HmacAlgorithm, p.SecretVersion, s.IsCma,
	}, err
}

// GetProfileListForDevice tells an authenticator of the caller's the profile that it carries, with its secret: the product's own, where the person
// has it (CreateIdaptiveOathProfile). It takes the authenticator's signature besides the session, so that a session alone, stolen
// perhaps, learns no secret; with the setting OathProfile.SeedBySession a session with a recent proof does. Secrets of other makers' apps and tokens
// are told nobody. mfa.yaml n 60.
func (m MFA) GetProfileListForDevice(ctx context.Context, c *op.Call, in Carrier) ([]CarriedProfile, error) {
	out := []CarriedProfile{}
	if _, err := m.carry(ctx, c, in); err != nil {
		return out, err
	}
	p, err := m.Profiles.Own(ctx, c, in.found.ID)
	if errors.Is(err, oath.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	one, err := m.told(ctx, c, p)
	return append(out, one), err
}

// OtpEnrolment is what an authenticator gets when it is set up for codes: its profile, and once more under the names of older apps.
type OtpEnrolment struct {
	CarriedProfile
	// Status is Success.
	Status string `json:"Status"`
	// OTPKey is the secret, in base32.
	OTPKey string `json:"OTPKey"`
	// OTPKeyVersion is SecretVersion as a text.
	OTPKeyVersion string `json:"OTPKeyVersion"`
	// OTPCodeMinLength is how long a code is.
	OTPCodeMinLength int64 `json:"OTPCodeMinLength"`
	// OTPCodeExpiryInterval is for how many seconds a code of a TOTP profile is shown; 0 for HOTP.
	OTPCodeExpiryInterval int64 `json:"OTPCodeExpiryInterval"`
}

func (m MFA) keysForCarrier(ctx context.Context, c *op.Call, _ Carrier) (op.None, error) {
	return op.None{}, m.Profiles.Ring.Ensure(ctx, c.Tenant.ID, factor.PurposeOATH)
}

// OtpEnroll sets an authenticator of the caller's up for codes: it makes their own profile where there is none, and tells the device its
// secret as GetProfileListForDevice does, to the same callers. mfa.yaml, /IosAppRest/OtpEnroll.
func (m MFA) OtpEnroll(ctx context.Context, c *op.Call, in Carrier, _ op.None) (OtpEnrolment, error) {
	if _, err := m.carry(ctx, c, in); err != nil {
		return OtpEnrolment{}, err
	}
	p, _, err := m.ownOf(ctx, c, in.found)
	if err != nil {
		return OtpEnrolment{}, err
	}
	one, err := m.told(ctx, c, p)
	return OtpEnrolment{one, "Success", one.SecretKey, strconv.FormatInt(one.SecretVersion, 10), one.Digits, one.Period}, err
}

// ownOf is a person's own profile, made where there is none.
func (m MFA) ownOf(ctx context.Context, c *op.Call, p user.User) (out oath.Profile, made bool, err error) {
	like, err := m.ownSeed(ctx, c, p)
	if err != nil {
		return out, false, err
	}
	out, made, err = m.Profiles.EnsureOwn(ctx, c, p.ID, like)
	c.Event.Set("Made", made)
	return out, made, err
}
