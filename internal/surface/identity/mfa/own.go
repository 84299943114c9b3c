package mfa

import (
	"context"
	"strconv"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// owns declares what is done to the product's own OATH profile of a person.
func (m MFA) owns() []op.Op {
	whose := []*fault.Error{user.ErrNotFound, ErrSystem, user.ErrStronger, session.ErrStale, login.ErrForbidden}
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/Oath/CreateIdaptiveOathProfile", Paths: []string{"/Oath/CreateCentrifyOathProfile"}, Allow: either, Effect: op.Write,
			Audit: audit.FactorEnroll, Faults: whose,
		}, m.keysForOwn, m.CreateIdaptiveOathProfile),
		op.Prepared(op.Spec{
			Path: "/Oath/ResetIdaptiveOathProfile", Paths: []string{"/Oath/ResetCentrifyOathProfile"}, Allow: either, Effect: op.Write,
			Audit: audit.FactorChange, Faults: append([]*fault.Error{oath.ErrNotFound, oath.ErrVersion}, whose...),
		}, m.keysForOwn, m.ResetIdaptiveOathProfile),
		op.Prepared(op.Spec{
			Path: "/Oath/SaveDefaultIdaptiveProfile", Allow: manage, Effect: op.Write, Audit: audit.SettingChange,
			Faults: []*fault.Error{op.ErrDenied, setting.ErrValue, fault.ErrMissing},
		}, m.prepareDefaults, m.SaveDefaultIdaptiveProfile),
		op.New(op.Spec{
			Path: "/Oath/SetResponseParametersToEntity", Allow: op.Self, Effect: op.Write, Audit: audit.FactorChange,
			Faults: []*fault.Error{
				oath.ErrNotFound, oath.ErrVersion, oath.ErrDigits, oath.ErrPeriod, oath.ErrCounter, oath.ErrTimed, oath.ErrCounted, oath.ErrBack,
				session.ErrStale, login.ErrForbidden, fault.ErrMissing, fault.ErrInvalid,
			},
		}, m.SetResponseParametersToEntity),
	}
}

// OwnProfileOf names whose own profile it is about.
type OwnProfileOf struct {
	// UserUuid is the person's UUID or login name; the caller when absent.
	UserUuid string `json:"UserUuid" also:"ID,uuid"`
	person
}

// Resolve finds the user.
func (o *OwnProfileOf) Resolve(ctx context.Context, c *op.Call) error {
	return o.find(ctx, c, o.UserUuid)
}

func (m MFA) keysForOwn(ctx context.Context, c *op.Call, _ OwnProfileOf) (op.None, error) {
	return op.None{}, m.Profiles.Ring.Ensure(ctx, c.Tenant.ID, factor.PurposeOATH)
}

// ownSeed is what an own profile of somebody's is made like.
func (m MFA) ownSeed(ctx context.Context, c *op.Call, p user.User) (oath.Seed, error) {
	v, err := m.Settings.Get(ctx, c)
	if err != nil {
		return oath.Seed{}, err
	}
	s := oath.Seed{
		Name: p.Name, Issuer: v.Oath.Issuer, Algorithm: v.Oath.Algorithm, Digits: v.Oath.Digits, Period: v.Oath.Period,
		Counted: v.Oath.Type == counted,
	}
	if s.Counted {
		s.Counter = int64(v.Oath.Counter)
	}
	if s.Issuer == "" {
		s.Issuer, err = m.Settings.Issuer(ctx, c)
	}
	return s, err
}

// CreateIdaptiveOathProfile makes sure that somebody has the product's own OATH profile, and does nothing else: one's own, or that of
// somebody whom one administers. It is made as SaveDefaultIdaptiveProfile says, of a secret that nobody knows until an authenticator of
// the person's asks for it (GetProfileListForDevice). Its codes are taken where those of their authenticators are (mechanism OTP).
// mfa.yaml n 55, deprecated.yaml n 517.
func (m MFA) CreateIdaptiveOathProfile(ctx context.Context, c *op.Call, in OwnProfileOf, _ op.None) (Profile, error) {
	about(c, in.found)
	out, made, err := m.ownOf(ctx, c, in.found)
	if err == nil && made {
		err = m.vary(ctx, c, in.found.ID, login.OwnOATH)
	}
	if err != nil {
		return Profile{}, err
	}
	enrolled(c.Event, in.found, out)
	return shown(out), nil
}

// ResetIdaptiveOathProfile gives somebody's own profile a new secret: codes of the old one are of no use any more, and the person's
// authenticators fetch the new one (SecretVersion rises). mfa.yaml n 61, deprecated.yaml n 518.
func (m MFA) ResetIdaptiveOathProfile(ctx context.Context, c *op.Call, in OwnProfileOf, _ op.None) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnOATH); err != nil {
		return op.None{}, err
	}
	now, err := m.Profiles.RenewOwn(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	enrolled(c.Event, in.found, now)
	c.Event.Change("SecretVersion", now.SecretVersion-1, now.SecretVersion)
	return op.None{}, nil
}

// OwnDefaults is how own profiles are made from now on. What is absent stays.
type OwnDefaults struct {
	// Issuer is who issued it, as authenticators show it; empty: the organization. At most 200 bytes.
	Issuer op.Opt[string] `json:"Issuer"`
	// Algorithm is SHA1, SHA256 or SHA512.
	Algorithm op.Opt[string] `json:"Algorithm"`
	// Digits is 6, 7 or 8.
	Digits op.Opt[int] `json:"Digits"`
	// Type is TOTP for codes by time, HOTP for codes by count.
	Type op.Opt[string] `json:"Type"`
	// Period is for how many seconds a code by time is shown, 15 to 300.
	Period op.Opt[int] `json:"Period"`
	// Counter is the count of the first code by count, 0 to 9007199254740992.
	Counter op.Opt[int] `json:"Counter"`
}

func (d *OwnDefaults) pairs() (out []setting.Pair) {
	for _, one := range []struct {
		name string
		text op.Opt[string]
		fold bool
	}{{setting.OathIssuer, d.Issuer, false}, {setting.OathAlgorithm, d.Algorithm, true}, {setting.OathType, d.Type, true}} {
		if text, ok := one.text.Get(); ok {
			if one.fold {
				text = strings.ToUpper(text)
			}
			out = append(out, setting.Set(one.name, text))
		}
	}
	for _, one := range []struct {
		name   string
		number op.Opt[int]
	}{{setting.OathDigits, d.Digits}, {setting.OathPeriod, d.Period}, {setting.OathCounter, d.Counter}} {
		if n, ok := one.number.Get(); ok {
			out = append(out, setting.Set(one.name, strconv.Itoa(n)))
		}
	}
	return out
}

// Check wants something to be said.
func (d *OwnDefaults) Check() error {
	if len(d.pairs()) == 0 {
		return fault.Missing("Issuer")
	}
	return nil
}

func (m MFA) prepareDefaults(ctx context.Context, c *op.Call, in OwnDefaults) (setting.Ready, error) {
	return m.Settings.Prepare(ctx, c, in.pairs()...)
}

// SaveDefaultIdaptiveProfile says how own profiles are made that are made afterwards (settings OathProfile.*). It takes the right over
// everybody, not that over some organizations. mfa.yaml n 63.
func (m MFA) SaveDefaultIdaptiveProfile(ctx context.Context, c *op.Call, _ OwnDefaults, ready setting.Ready) (op.None, error) {
	if !c.Grant.Everything() {
		return op.None{}, op.ErrDenied
	}
	return op.None{}, m.Settings.Write(ctx, c, ready)
}

// ResponseParameters are what an authenticator says of the profile that it carries; what is absent or 0 stays.
type ResponseParameters struct {
	// SecretVersion is that of the secret which it carries: the call is refused where the profile has another one by now.
	SecretVersion int64 `json:"SecretVersion"`
	// Counter is the count of the next code of an HOTP profile, which only moves forward.
	Counter int64 `json:"Counter"`
	// Period is for how many seconds a code of a TOTP profile is shown, 15 to 300.
	Period int64 `json:"Period"`
	// Digits is 6, 7 or 8.
	Digits int64 `json:"Digits"`
}

// ProfileParameters changes the caller's own profile.
type ProfileParameters struct {
	// OathProfileUuid is the id of the caller's own profile, required.
	OathProfileUuid string `json:"OathProfileUuid" also:"Uuid"`
	// Parameters is what is said of it, required.
	Parameters op.Opt[ResponseParameters] `json:"parameters"`
	oneself
}

// Check wants both.
func (p *ProfileParameters) Check() error {
	if _, ok := p.Parameters.Get(); !ok {
		return fault.Missing("parameters")
	}
	return required("OathProfileUuid", p.OathProfileUuid)
}

// SetResponseParametersToEntity changes the form of the caller's own profile to what their authenticator makes: digits, period, counter. It takes
// a recent proof of who they are, touches no secret, and no profile of other makers' apps or tokens. mfa.yaml n 64.
func (m MFA) SetResponseParametersToEntity(ctx context.Context, c *op.Call, in ProfileParameters) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnOATH); err != nil {
		return op.None{}, err
	}
	to := in.Parameters.Or(ResponseParameters{})
	was, now, err := m.Profiles.Reshape(ctx, c, in.found.ID, strings.TrimSpace(in.OathProfileUuid), oath.Shape{
		Digits: to.Digits, Period: to.Period, Counter: to.Counter, Version: to.SecretVersion,
	})
	if err != nil {
		return op.None{}, err
	}
	enrolled(c.Event, in.found, now)
	for name, one := range map[string][2]int64{
		"Digits": {was.Digits, now.Digits}, "Period": {was.Period, now.Period}, "Counter": {shown(was).Counter, shown(now).Counter},
	} {
		if one[0] != one[1] {
			c.Event.Change(name, one[0], one[1])
		}
	}
	return op.None{}, nil
}
