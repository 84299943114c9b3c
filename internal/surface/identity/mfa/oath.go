package mfa

import (
	"context"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Types of profiles.
const (
	timed   = "TOTP"
	counted = "HOTP"
)

// ProfilesOf asks for somebody's profiles.
type ProfilesOf struct {
	// UserUuid is the user's UUID or login name; the caller's own when absent.
	UserUuid string `json:"UserUuid" also:"ID,Uuid"`
	person
}

// Resolve finds the user.
func (p *ProfilesOf) Resolve(ctx context.Context, c *op.Call) error {
	return p.find(ctx, c, p.UserUuid)
}

// Profile is an authenticator app or token of somebody, without its secret.
type Profile struct {
	// OathProfileUuid is its id.
	OathProfileUuid string `json:"OathProfileUuid"`
	// AccountName is the account that the app shows.
	AccountName string `json:"AccountName"`
	// Issuer is who issued it, as the app shows it.
	Issuer string `json:"Issuer"`
	// OathType is TOTP for codes by time, HOTP for codes by count.
	OathType string `json:"OathType"`
	// Digits is how long a code is.
	Digits int64 `json:"Digits"`
	// Period is for how many seconds a code of a TOTP profile is shown; 0 for HOTP.
	Period int64 `json:"Period"`
	// Counter is the count of the next code of an HOTP profile; 0 for TOTP.
	Counter int64 `json:"Counter"`
	// HmacAlgorithm is SHA1, SHA256 or SHA512.
	HmacAlgorithm string `json:"HmacAlgorithm"`
	// IsCma is true for the product's own profile, which the person's enrolled authenticators carry.
	IsCma bool `json:"IsCma"`
}

func shown(p oath.Profile) Profile {
	out := Profile{
		OathProfileUuid: p.ID, AccountName: p.Name, Issuer: p.Issuer, OathType: timed, Digits: p.Digits, Period: p.Period, HmacAlgorithm: p.Algorithm,
		IsCma: p.Own,
	}
	if p.Period == 0 {
		out.OathType, out.Counter = counted, p.LastStep+1
	}
	return out
}

// GetProfileList lists the authenticators that somebody has enrolled, as a bare array. Secrets are never shown, and
// enrolments that were not finished are left out. mfa.yaml n 59.
func (m MFA) GetProfileList(ctx context.Context, c *op.Call, in ProfilesOf) ([]Profile, error) {
	all, err := m.Profiles.All(ctx, c, in.found.ID)
	out := []Profile{}
	for _, p := range all {
		if p.Confirmed {
			out = append(out, shown(p))
		}
	}
	return out, err
}

// NewProfile is what an authenticator is made of.
type NewProfile struct {
	// UserPrincipalName is the login name or UUID of the person who has the authenticator, required.
	UserPrincipalName string `json:"UserPrincipalName"`
	// AccountName is the account that the app shows; absent: the login name.
	AccountName string `json:"AccountName"`
	// SecretKey is the secret of 10 to 128 bytes, required: base32, or hexadecimal where it is no base32.
	SecretKey string `json:"SecretKey"`
	// Issuer is who issued it; absent: the organization.
	Issuer string `json:"Issuer"`
	// Algorithm is SHA1, SHA256 or SHA512; absent: SHA1.
	Algorithm string `json:"Algorithm"`
	// Digits is 6, 7 or 8; absent: 6.
	Digits int `json:"Digits"`
	// Type is TOTP for codes by time, HOTP for codes by count; absent: TOTP.
	Type string `json:"Type"`
	// Period is for how many seconds a code of a TOTP profile is shown, 15 to 300; absent: 30.
	Period int `json:"Period"`
	// Counter is the count of the next code of an HOTP profile.
	Counter int64 `json:"Counter"`
}

// ProfileChange gives somebody an authenticator.
type ProfileChange struct {
	// UserProfile is the authenticator and whose it is, required.
	UserProfile NewProfile `json:"UserProfile"`
	person
}

// Check wants a person, a secret and a type.
func (p *ProfileChange) Check() error {
	if err := required("UserPrincipalName", p.UserProfile.UserPrincipalName); err != nil {
		return err
	}
	if err := required("SecretKey", p.UserProfile.SecretKey); err != nil {
		return err
	}
	switch strings.ToUpper(strings.TrimSpace(p.UserProfile.Type)) {
	case "", timed, counted:
		return nil
	}
	return fault.Bad("Type", "must be TOTP or HOTP")
}

// Resolve finds the user.
func (p *ProfileChange) Resolve(ctx context.Context, c *op.Call) error {
	return p.find(ctx, c, p.UserProfile.UserPrincipalName)
}

func (p *ProfileChange) seed(issuer string) oath.Seed {
	n := p.UserProfile
	s := oath.Seed{
		Name: strings.TrimSpace(n.AccountName), Issuer: strings.TrimSpace(n.Issuer), Secret: secret(n.SecretKey), Algorithm: strings.TrimSpace(n.Algorithm),
		Digits: n.Digits, Period: n.Period, Counter: n.Counter, Counted: strings.EqualFold(strings.TrimSpace(n.Type), counted),
	}
	if s.Name == "" {
		s.Name = p.found.Name
	}
	if s.Issuer == "" {
		s.Issuer = issuer
	}
	return s
}

// secret makes base32 of a hexadecimal secret, as makers of tokens list them. What may be either is base32; of twenty
// random bytes in hexadecimal one in a hundred thousand looks so.
func secret(text string) string {
	text = strings.ToUpper(strings.TrimSpace(text))
	raw, err := hex.DecodeString(text)
	if err != nil || !strings.ContainsAny(text, "0189") {
		return text
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
}

// keysForProfile makes the key that secrets are sealed with, which cannot happen inside a transaction.
func (m MFA) keysForProfile(ctx context.Context, c *op.Call, _ ProfileChange) (op.None, error) {
	return op.None{}, m.Profiles.Ring.Ensure(ctx, c.Tenant.ID, factor.PurposeOATH)
}

// enrolled makes the event one about somebody's profile.
func enrolled(e *call.Event, p user.User, of oath.Profile) {
	e.Target, e.Kind, e.Name, e.User, e.Login = of.ID, "OathProfile", of.Name, p.ID, p.Name
}

// AddOrUpdateProfile gives somebody an authenticator whose secret is known, such as a hardware token, in place of any that
// they had. mfa.yaml n 54.
func (m MFA) AddOrUpdateProfile(ctx context.Context, c *op.Call, in ProfileChange, _ op.None) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnOATH); err != nil {
		return op.None{}, err
	}
	issuer, err := m.Settings.Issuer(ctx, c)
	if err != nil {
		return op.None{}, err
	}
	made, err := m.Profiles.Set(ctx, c, in.found.ID, in.seed(issuer))
	if err != nil {
		return op.None{}, err
	}
	enrolled(c.Event, in.found, made)
	return op.None{}, nil
}

// ProfileList names profiles.
type ProfileList struct {
	// Uuids are the ids of profiles, required; at most 100.
	Uuids []string `json:"Uuids" rpc:"array,one"`
}

// maxProfiles bounds the profiles of one call.
const maxProfiles = 100

// Check wants some.
func (l *ProfileList) Check() error {
	switch {
	case len(l.Uuids) == 0:
		return fault.Missing("Uuids")
	case len(l.Uuids) > maxProfiles:
		return ErrMany.Say("At most %d profiles can be deleted in one call.", maxProfiles)
	}
	return nil
}

// DeleteProfiles deletes authenticators, one's own or those of people whom one administers: all of them, or none. Their
// owners are not asked for codes any more. The last way in of the last system administrator stays. mfa.yaml n 56.
func (m MFA) DeleteProfiles(ctx context.Context, c *op.Call, in ProfileList) (op.None, error) {
	for i, id := range in.Uuids {
		id = strings.TrimSpace(id)
		p, err := m.owner(ctx, c, id)
		if err != nil {
			return op.None{}, err
		}
		e := c.Event
		if i > 0 {
			e = c.Record(audit.FactorRemove)
		}
		enrolled(e, p, oath.Profile{ID: id})
		if err := m.Keep(ctx, c, p.ID, func() error { return m.Profiles.Delete(ctx, c, p.ID, id) }); err != nil {
			return op.None{}, err
		}
	}
	return op.None{}, nil
}

// owner finds whose profile it is. Profiles of others look the same as those that do not exist, to callers who may not
// act on others.
func (m MFA) owner(ctx context.Context, c *op.Call, id string) (user.User, error) {
	userID, err := m.Profiles.Owner(ctx, c, id)
	if errors.Is(err, oath.ErrNotFound) && !c.Grant.Everything() {
		err = op.ErrDenied
	}
	if err != nil {
		return user.User{}, err
	}
	p, err := m.People.ByID(ctx, c, userID)
	if err != nil {
		return p, err
	}
	if !c.Grant.Allows(p.ID, p.Org) {
		return p, op.ErrDenied
	}
	return p, m.vary(ctx, c, p.ID, login.OwnOATH)
}
