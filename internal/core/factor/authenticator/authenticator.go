// Package authenticator is the mechanism OTP: a device of a person's that is asked whether it is they who sign in, and shows codes
// where it cannot be asked.
//
// A device is enrolled with the public half of a key pair that was made on it, and that it does not give away. Whatever it says is
// signed with the other half, so that nobody answers in its place, be it with a session of the person's. A sign-in shows a number
// that the device is not told: who approves has to enter it, and so has the sign-in before them.
package authenticator

import (
	"context"
	"crypto/ecdsa"
	"encoding/base32"
	"errors"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of authenticators.
var (
	ErrNotFound  = fault.New(fault.NotFound, "authenticator.not_found", "The requested data or its dependent data was not found in the service.")
	ErrKey       = fault.New(fault.Invalid, "authenticator.key", "The public key must be the SubjectPublicKeyInfo of a key on the curve P-256, in base64.")
	ErrSignature = fault.New(fault.Denied, "authenticator.signature", "The authenticator is not enrolled, or its signature is not right.")
	ErrTooMany   = fault.New(fault.Conflict, "authenticator.too_many", "You have enrolled as many authenticators as you may have.")
	ErrForbidden = fault.New(fault.Denied, "authenticator.forbidden", "Your policies do not let you enrol an authenticator.")
)

// Limits.
const (
	MaxDevices = 10  // of one person
	MaxPage    = 500 // of a list
	maxName    = 100 // bytes
)

// Device is an authenticator of somebody. Times are milliseconds since 1970 UTC.
type Device struct {
	ID       string `db:"id"` // UUID
	User     string `db:"user_id"`
	Name     string `db:"name"`
	Platform string `db:"platform"`
	Public   []byte `db:"public_key"` // SubjectPublicKeyInfo
	Secret   string `db:"secret"`     // of its codes, sealed
	LastStep int64  `db:"last_step"`
	Created  int64  `db:"created"`
	Used     int64  `db:"used"` // 0: never
}

// Tell makes an event one about the device, which is or was that of a person with this id and name.
func (d Device) Tell(e *call.Event, userID, login string) {
	e.Target, e.Kind, e.Name, e.User, e.Login = d.ID, "Authenticator", d.Name, userID, login
	if d.Platform != "" {
		e.Set("Platform", d.Platform)
	}
}

// Devices are those of the people of the call's tenant. Its fields are set before use.
type Devices struct {
	Ring *crypt.Ring
	// Country is where an address is, as an ISO 3166-1 alpha-2 code; empty when unknown. Nil: always unknown.
	Country func(ip netip.Addr) string
	// Send promises a message to a device, in c.Tx; it is of no use after until. Nil: none are sent.
	Send func(ctx context.Context, c *call.Call, p Push, until time.Time) error
	// Many says whether all devices of a person are told, or the one used last; nil: all are.
	Many func(ctx context.Context, c *call.Call, userID string) (bool, error)
}

const columns = `id, user_id, name, platform, public_key, secret, last_step, created, used`

var (
	ofUser = dbx.Q[Device]("authenticator.of_user", `SELECT `+columns+` FROM authenticator WHERE tenant = ? AND user_id = ? ORDER BY created, id LIMIT 50`)
	byID   = dbx.Q[Device]("authenticator.by_id", `SELECT `+columns+` FROM authenticator WHERE tenant = ? AND id = ?`)
	insert = dbx.E("authenticator.insert", `INSERT INTO authenticator (tenant, `+columns+`, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`)
	remove = dbx.E("authenticator.remove", `DELETE FROM authenticator WHERE tenant = ? AND user_id = ? AND id = ?`)
	drop   = dbx.E("authenticator.drop", `DELETE FROM authenticator WHERE tenant = ? AND user_id = ?`)
)

// List gives a person's authenticators, the oldest first. Secrets stay sealed.
func (Devices) List(ctx context.Context, c *call.Call, userID string) ([]Device, error) {
	return ofUser.All(ctx, c.Tx, c.Tenant.ID, userID)
}

// Find gives an authenticator; ErrNotFound when there is none.
func (Devices) Find(ctx context.Context, c *call.Call, id string) (Device, error) {
	if id == "" || len(id) > maxName {
		return Device{}, ErrNotFound
	}
	d, err := byID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return d, err
}

// New is an authenticator to be enrolled.
type New struct {
	Name      string // by which its owner knows it, required
	Platform  string
	PublicKey string // SubjectPublicKeyInfo in base64
	Signature string // over EnrollMessage
}

// Enrolled is an authenticator that was enrolled, with what it needs to show codes. The secret is not told again.
type Enrolled struct {
	Device Device
	Secret string // base32
}

// The codes of authenticators: RFC 6238 with SHA-1, as every authenticator can.
const (
	Digits    = 6
	Period    = 30 // seconds
	Algorithm = "SHA1"
)

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Enroll gives a person an authenticator, which shows by a signature that it has the key. The tenant's keys of factor.PurposeOATH must
// have been made. Faults: ErrKey, ErrSignature, ErrTooMany, and those of the names.
func (v Devices) Enroll(ctx context.Context, c *call.Call, userID string, n New) (Enrolled, error) {
	n.Name, n.Platform = strings.TrimSpace(n.Name), strings.TrimSpace(n.Platform)
	if err := errors.Join(named("Name", n.Name), named("Platform", n.Platform)); err != nil {
		return Enrolled{}, fault.Of(err)
	}
	public, key, err := parseKey(n.PublicKey)
	if err != nil {
		return Enrolled{}, err
	}
	if !signed(key, EnrollMessage(c.Tenant.ID, userID, n.PublicKey), n.Signature) {
		return Enrolled{}, ErrSignature
	}
	have, err := v.List(ctx, c, userID)
	if err != nil {
		return Enrolled{}, err
	}
	if len(have) >= MaxDevices {
		return Enrolled{}, ErrTooMany
	}
	return v.add(ctx, c, Device{ID: c.NewID(), User: userID, Name: n.Name, Platform: n.Platform, Public: public, Created: c.Now.UnixMilli()})
}

// named wants a text that can be shown on one line.
func named(field, text string) error {
	if len(text) > maxName || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fault.Bad(field, "may have %d bytes and no control characters", maxName)
	}
	return nil
}

func (v Devices) add(ctx context.Context, c *call.Call, d Device) (Enrolled, error) {
	raw := make([]byte, 20) // RFC 4226 section 4, R6 recommends 160 bits
	if _, err := io.ReadFull(c.Rand, raw); err != nil {
		return Enrolled{}, err
	}
	secret := encoding.EncodeToString(raw)
	var err error
	if d.Secret, err = v.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeOATH, []byte(secret), aad(d)); err != nil {
		return Enrolled{}, err
	}
	_, err = insert.Do(ctx, c.Tx, c.Tenant.ID, d.ID, d.User, d.Name, d.Platform, d.Public, d.Secret, d.LastStep, d.Created, d.Used)
	return Enrolled{d, secret}, err
}

func aad(d Device) string { return "authenticator/" + d.User + "/" + d.ID }

// Delete revokes an authenticator; ErrNotFound when the person has none of that id. It may know the secret of the person's own profile, which
// gets another one, and goes with the last authenticator.
func (v Devices) Delete(ctx context.Context, c *call.Call, userID, id string) error {
	n, err := remove.Do(ctx, c.Tx, c.Tenant.ID, userID, id)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	if _, err = dropPush.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
		return err
	}
	return v.unshare(ctx, c, userID)
}

// unshare takes the person's own profile from an authenticator that they have no more.
func (v Devices) unshare(ctx context.Context, c *call.Call, userID string) error {
	left, err := v.List(ctx, c, userID)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return v.profiles().DropOwn(ctx, c, userID)
	}
	if _, err = v.profiles().RenewOwn(ctx, c, userID); errors.Is(err, oath.ErrNotFound) {
		return nil
	}
	return err
}

func (v Devices) profiles() oath.Profiles { return oath.Profiles{Ring: v.Ring} }

// Drop revokes all that somebody has enrolled.
func (v Devices) Drop(ctx context.Context, c *call.Call, userID string) error {
	if _, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
		return err
	}
	if _, err := dropAll.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
		return err
	}
	if _, err := dropAsks.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
		return err
	}
	return v.profiles().DropOwn(ctx, c, userID)
}

// Owned is an authenticator in a list of many people's.
type Owned struct {
	ID       string `db:"id"`
	User     string `db:"user_id"`
	Login    string `db:"login"` // name of its owner
	Org      string `db:"org"`   // of its owner
	Name     string `db:"name"`
	Platform string `db:"platform"`
	Created  int64  `db:"created"`
	Used     int64  `db:"used"`
}

var owned = dbx.L[Owned]("authenticator.owned", `SELECT a.id, a.user_id, u.name AS login, u.org AS org, a.name, a.platform, a.created, a.used
	FROM authenticator a JOIN users u ON u.tenant = a.tenant AND u.id = a.user_id WHERE a.tenant = ?`)

// All gives authenticators of those people whom the grant allows, by their ids, the first behind one; and how many there are in all.
func (Devices) All(ctx context.Context, c *call.Call, g grant.Grant, after string) ([]Owned, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	may := user.AllowedBy(c, g, "org", "user_id")
	total, err := owned.Count(ctx, c.Tx, may, c.Tenant.ID)
	if err != nil {
		return nil, 0, err
	}
	order := []dbx.Order{{Column: "id"}}
	if after != "" {
		may = dbx.And(may, dbx.After(order, after))
	}
	out, err := owned.Rows(ctx, c.Tx, may, order, MaxPage, c.Tenant.ID)
	return out, total, err
}

// key is the public key of a device.
func (d Device) key() (*ecdsa.PublicKey, error) { return readKey(d.Public) }
