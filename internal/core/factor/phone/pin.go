package phone

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrPIN is a PIN that is not taken.
var ErrPIN = fault.New(fault.Invalid, "phone.pin", "The PIN must have 4 to 16 digits, which are not all the same and do not follow one another.")

// Sizes of a PIN.
const (
	minPIN = 4
	maxPIN = 16
)

// Pins are the PINs of the people of the call's tenant.
type Pins struct{ Hasher *crypt.Hasher }

var (
	hashOf = dbx.Q[string]("phone.pin_of", `SELECT hash FROM phone_pin WHERE tenant = ? AND user_id = ?`)
	setPIN = dbx.E("phone.set_pin", `INSERT INTO phone_pin (tenant, user_id, hash, changed) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET hash = excluded.hash, changed = excluded.changed`)
	dropPIN = dbx.E("phone.drop_pin", `DELETE FROM phone_pin WHERE tenant = ? AND user_id = ?`)
)

// CheckPIN wants digits, at least as many as least and four, that are harder to guess than a run.
func CheckPIN(pin string, least int) error {
	if len(pin) < max(minPIN, least) || len(pin) > max(maxPIN, least) {
		if least > minPIN {
			return ErrPIN.Say("The PIN must have at least %d digits.", least)
		}
		return ErrPIN
	}
	same, up, down := true, true, true
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return ErrPIN
		}
		if i > 0 {
			step := (int(pin[i]) - int(pin[i-1]) + 10) % 10
			same, up, down = same && step == 0, up && step == 1, down && step == 9
		}
	}
	if same || up || down {
		return ErrPIN
	}
	return nil
}

// Hash makes what is stored of a PIN; outside transactions.
func (p Pins) Hash(ctx context.Context, pin string) (string, error) { return p.Hasher.Hash(ctx, pin) }

// Set gives a person a PIN, of which it takes the hash.
func (Pins) Set(ctx context.Context, c *call.Call, userID, hash string) error {
	_, err := setPIN.Do(ctx, c.Tx, c.Tenant.ID, userID, hash, c.Now.UnixMilli())
	return err
}

// Of gives the hash of a person's PIN; empty when they have none.
func (Pins) Of(ctx context.Context, c *call.Call, userID string) (string, error) {
	hash, err := hashOf.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return "", nil
	}
	return hash, err
}

// Drop forgets the PIN of somebody.
func (Pins) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropPIN.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
