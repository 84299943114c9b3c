// Package oath is the mechanism OATH: codes of an authenticator app or token, by time (TOTP, RFC 6238) or by count
// (HOTP, RFC 4226), and the profiles that hold their secrets.
package oath

import (
	"context"
	"encoding/base32"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of profiles.
var (
	ErrNotFound  = fault.New(fault.NotFound, "oath.not_found", "The requested data or its dependent data was not found in the service.")
	ErrCode      = fault.New(fault.Denied, "oath.code", "The code is not right, or was used before.")
	ErrSecret    = fault.New(fault.Invalid, "oath.secret", "The secret is not valid base32 of 10 to 128 bytes.")
	ErrAlgorithm = fault.New(fault.Invalid, "oath.algorithm", "The algorithm must be SHA1, SHA256 or SHA512.")
	ErrDigits    = fault.New(fault.Invalid, "oath.digits", "A code has 6 to 8 digits.")
	ErrPeriod    = fault.New(fault.Invalid, "oath.period", "The period must be 15 to 300 seconds.")
	ErrSerial    = fault.New(fault.Exists, "oath.serial", "The token identifier is that of somebody else's token.")
	ErrCounter   = fault.New(fault.Invalid, "oath.counter", "The counter must be from 0 to 9007199254740992.")
)

// Profile is a secret that a person's authenticator shares with us.
type Profile struct {
	ID        string `db:"id"` // UUID
	User      string `db:"user_id"`
	Name      string `db:"name"`   // account name that the app shows
	Issuer    string `db:"issuer"` // who issued it, as the app shows it
	Secret    string `db:"secret"` // sealed
	Algorithm string `db:"algorithm"`
	Digits    int64  `db:"digits"`
	Period    int64  `db:"period"`    // seconds; 0: codes are counted (HOTP)
	LastStep  int64  `db:"last_step"` // of the last code accepted, by the token's clock
	Drift     int64  `db:"drift"`     // steps that the token's clock is ahead of ours
	Confirmed bool   `db:"confirmed"` // a first code has shown that the app has the secret
	Serial    string `db:"serial"`    // printed on the token; empty: none
	Imported  int64  `db:"imported"`  // ms since 1970 UTC; 0: not from a file
	Created   int64  `db:"created"`   // ms since 1970 UTC
	Version   int64  `db:"version"`
	// Own says that it is the product's own, which the person's enrolled authenticators carry (Own); SecretVersion rises with each new secret of it.
	Own           bool  `db:"own"`
	SecretVersion int64 `db:"secret_version"`
}

// Seed is what a profile is made of.
type Seed struct {
	Name, Issuer string
	Secret       string // base32, with or without padding and blanks
	Algorithm    string // SHA1 when empty
	Digits       int    // 6 when 0
	Counted      bool   // HOTP
	Period       int    // seconds, 30 when 0
	Counter      int64  // of the next code, HOTP
	Serial       string // printed on the token; empty: none
}

// Profiles are the OATH profiles of the call's tenant.
type Profiles struct{ Ring *crypt.Ring }

const columns = `id, user_id, name, issuer, secret, algorithm, digits, period, last_step, drift, confirmed, serial, imported, created, version, own, secret_version`

const insertText = `INSERT INTO oath_profile (tenant, ` + columns + `, serial_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, 1, ?) `

var (
	ofUser = dbx.Q[Profile]("oath.of_user", `SELECT `+columns+` FROM oath_profile WHERE tenant = ? AND user_id = ? AND own = ? ORDER BY created, id LIMIT 100`)
	byID   = dbx.Q[Profile]("oath.by_id", `SELECT `+columns+` FROM oath_profile WHERE tenant = ? AND user_id = ? AND id = ?`)
	owner  = dbx.Q[string]("oath.owner", `SELECT user_id FROM oath_profile WHERE tenant = ? AND id = ?`)
	insert = dbx.E("oath.insert", insertText+`ON CONFLICT (tenant, serial_key) WHERE serial_key <> '' DO NOTHING`)
	step   = dbx.E("oath.step", `UPDATE oath_profile SET last_step = ?, confirmed = ?, version = version + 1
		WHERE tenant = ? AND user_id = ? AND id = ? AND last_step < ?`)
	align = dbx.E("oath.align", `UPDATE oath_profile SET last_step = ?, drift = ?, version = version + 1
		WHERE tenant = ? AND user_id = ? AND id = ? AND last_step < ?`)
	pending = dbx.E("oath.pending", `DELETE FROM oath_profile WHERE tenant = ? AND user_id = ? AND confirmed = ? AND own = ?`)
	others  = dbx.E("oath.others", `DELETE FROM oath_profile WHERE tenant = ? AND user_id = ? AND id <> ? AND own = ?`)
	remove  = dbx.E("oath.remove", `DELETE FROM oath_profile WHERE tenant = ? AND user_id = ? AND id = ?`)
	drop    = dbx.E("oath.drop", `DELETE FROM oath_profile WHERE tenant = ? AND user_id = ? AND own = ?`)
)

// List gives a person's profiles but their own one, pending ones included, the oldest first. Secrets stay sealed.
func (p Profiles) List(ctx context.Context, c *call.Call, userID string) ([]Profile, error) {
	return ofUser.All(ctx, c.Tx, c.Tenant.ID, userID, false)
}

// Owner says whose profile it is; ErrNotFound when there is none.
func (p Profiles) Owner(ctx context.Context, c *call.Call, id string) (string, error) {
	userID, err := owner.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return "", ErrNotFound
	}
	return userID, err
}

// Begin makes a pending profile with a new secret, in place of an earlier pending one, and gives the address that the
// app reads from a QR code (otpauth). Confirm makes it count.
func (p Profiles) Begin(ctx context.Context, c *call.Call, userID, account, issuer string) (Profile, string, error) {
	secret, err := newSecret(c)
	if err != nil {
		return Profile{}, "", err
	}
	s := Seed{Name: account, Issuer: issuer, Secret: secret, Algorithm: "SHA1", Digits: 6, Period: 30}
	if _, err := pending.Do(ctx, c.Tx, c.Tenant.ID, userID, false, false); err != nil {
		return Profile{}, "", err
	}
	made, err := p.add(ctx, c, userID, s, false)
	return made, s.uri(), err
}

// Set gives a person a profile that counts at once, in place of every other (mfa.yaml n 54).
func (p Profiles) Set(ctx context.Context, c *call.Call, userID string, s Seed) (Profile, error) {
	if err := s.check(); err != nil {
		return Profile{}, err
	}
	if err := p.Drop(ctx, c, userID); err != nil {
		return Profile{}, err
	}
	return p.add(ctx, c, userID, s, true)
}

func (p Profiles) add(ctx context.Context, c *call.Call, userID string, s Seed, confirmed bool) (Profile, error) {
	if err := s.check(); err != nil {
		return Profile{}, err
	}
	made := s.profile()
	made.ID, made.User, made.Confirmed, made.Created, made.Version = c.NewID(), userID, confirmed, c.Now.UnixMilli(), 1
	return made, p.insert(ctx, c, &made, s.Secret)
}

// profile is what a seed says of a profile.
func (s Seed) profile() Profile {
	made := Profile{
		Name: s.Name, Issuer: s.Issuer, Algorithm: s.Algorithm, Digits: int64(s.Digits), Period: int64(s.Period), Serial: s.Serial,
	}
	if s.Counted {
		made.Period, made.LastStep = 0, s.Counter-1
	}
	return made
}

// insert seals the secret and writes the row. ErrSerial when another one has the serial number.
func (p Profiles) insert(ctx context.Context, c *call.Call, made *Profile, secret string) error {
	n, err := p.write(ctx, c, insert, made, secret)
	if err == nil && n == 0 {
		err = ErrSerial
	}
	return err
}

func (p Profiles) write(ctx context.Context, c *call.Call, by dbx.Exec, made *Profile, secret string) (int64, error) {
	sealed, err := p.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeOATH, []byte(secret), aad(*made))
	if err != nil {
		return 0, err
	}
	made.Secret = sealed
	return by.Do(ctx, c.Tx, c.Tenant.ID, made.ID, made.User, made.Name, made.Issuer, made.Secret, made.Algorithm,
		made.Digits, made.Period, made.LastStep, made.Drift, made.Confirmed, made.Serial, made.Imported, made.Created, made.Own, fold.Key(made.Serial))
}

func aad(p Profile) string { return "oath/" + p.User + "/" + p.ID }

// Confirm takes a code against a profile: ErrCode when it is wrong or was used. A right code makes a pending profile
// count, and with it the person's only one: there is one third-party authenticator a person.
func (p Profiles) Confirm(ctx context.Context, c *call.Call, userID, id, code string) error {
	found, err := byID.One(ctx, c.Tx, c.Tenant.ID, userID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	at, ok, err := p.match(ctx, c, found, code)
	if err != nil {
		return err
	}
	if !ok {
		return ErrCode
	}
	n, err := step.Do(ctx, c.Tx, at, true, c.Tenant.ID, userID, id, at)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrCode
	}
	if found.Confirmed {
		return nil
	}
	_, err = others.Do(ctx, c.Tx, c.Tenant.ID, userID, id, false)
	return err
}

// Delete removes one profile; ErrNotFound when the person has none of that id.
func (p Profiles) Delete(ctx context.Context, c *call.Call, userID, id string) error {
	n, err := remove.Do(ctx, c.Tx, c.Tenant.ID, userID, id)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// Drop removes every profile of a person but their own one.
func (p Profiles) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID, false)
	return err
}

// MaxCounter is the greatest count that a profile may begin with: the codes looked ahead for must be counted as well.
const MaxCounter = 1 << 53

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// check fills in what was left out and says what is wrong.
func (s *Seed) check() error {
	s.Secret = strings.ToUpper(strings.TrimRight(strings.NewReplacer(" ", "", "-", "").Replace(s.Secret), "="))
	raw, err := encoding.DecodeString(s.Secret)
	if err != nil || len(raw) < 10 || len(raw) > 128 {
		return ErrSecret
	}
	s.Algorithm = strings.ToUpper(strings.ReplaceAll(s.Algorithm, "-", ""))
	if s.Algorithm == "" {
		s.Algorithm = "SHA1"
	}
	if s.Digits == 0 {
		s.Digits = 6
	}
	if s.Period == 0 {
		s.Period = 30
	}
	switch {
	case algorithms[s.Algorithm] == nil:
		return ErrAlgorithm
	case s.Digits < 6 || s.Digits > 8:
		return ErrDigits
	case !s.Counted && (s.Period < 15 || s.Period > 300):
		return ErrPeriod
	case s.Counter < 0 || s.Counter > maxCounter:
		return ErrCounter
	case s.Counter > MaxCounter:
		return ErrCounter.Say("The counter may be at most %d.", MaxCounter)
	case len(s.Serial) > MaxSerial:
		return fault.Bad("TokenIdentifier", "is too long")
	case len(s.Name) > 254 || len(s.Issuer) > 200:
		return fault.Bad("AccountName", "is too long")
	}
	return nil
}

// uri is the address that authenticator apps read.
func (s Seed) uri() string {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") } // apps take + as it is
	label := escape(s.Issuer) + ":" + escape(s.Name)
	q := "secret=" + s.Secret + "&issuer=" + escape(s.Issuer) + "&algorithm=" + s.Algorithm +
		"&digits=" + strconv.Itoa(s.Digits) + "&period=" + strconv.Itoa(s.Period)
	return "otpauth://totp/" + label + "?" + q
}
