package throttle

import (
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// How many devices of a person are known; the one seen longest ago makes room. Those that came back are counted by themselves: a program that
// keeps no cookies is another device each time, and must not make the person's browsers unknown.
const (
	maxDevices = 50
	maxOnce    = 25
)

var (
	findDevice = dbx.Q[int64]("device.find", `SELECT seen FROM known_device WHERE tenant = ? AND user_id = ? AND hash = ?`)
	addDevice  = dbx.E("device.add", `INSERT INTO known_device (tenant, user_id, hash, agent, created, seen) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, hash) DO UPDATE SET agent = excluded.agent, seen = excluded.seen`)
	trimDevices = dbx.E("device.trim", `DELETE FROM known_device WHERE tenant = ? AND user_id = ? AND hash IN
		(SELECT hash FROM known_device WHERE tenant = ? AND user_id = ? AND seen > created ORDER BY seen DESC, hash LIMIT 1000 OFFSET ?)`)
	trimOnce = dbx.E("device.trimOnce", `DELETE FROM known_device WHERE tenant = ? AND user_id = ? AND hash IN
		(SELECT hash FROM known_device WHERE tenant = ? AND user_id = ? AND seen = created ORDER BY seen DESC, hash LIMIT 1000 OFFSET ?)`)
	dropDevices  = dbx.E("device.drop", `DELETE FROM known_device WHERE tenant = ? AND user_id = ?`)
	sweepDevices = dbx.S("device.sweep", "known_device", "tenant, user_id, hash", "seen < ?")
)

// DeviceHash is the form in which a device cookie is stored; nil for none.
func DeviceHash(cookie string) []byte {
	if cookie == "" || len(cookie) > 256 {
		return nil
	}
	return crypt.TokenHash(cookie)
}

// PlaceHash is how a program that keeps no cookies is recognised, roughly: by its name and its network. No device cookie has this hash.
func PlaceHash(c call.Client) []byte {
	return crypt.TokenHash("\x00" + Network(c.IP) + "\x00" + c.UserAgent)
}

// Known gives the hash back when the person has signed in completely on the device, else nil: what Attempt.Device takes.
func (t Throttle) Known(ctx context.Context, c *call.Call, userID string, hash []byte) ([]byte, error) {
	if userID == "" || len(hash) == 0 {
		return nil, nil
	}
	_, err := findDevice.One(ctx, c.Tx, c.Tenant.ID, userID, hash)
	if errors.Is(err, dbx.ErrNoRow) {
		return nil, nil
	}
	return hash, err
}

// Remembered says whether the person signed in completely on the device after a time.
func (t Throttle) Remembered(ctx context.Context, c *call.Call, userID string, hash []byte, after time.Time) (bool, error) {
	if userID == "" || len(hash) == 0 {
		return false, nil
	}
	seen, err := findDevice.One(ctx, c.Tx, c.Tenant.ID, userID, hash)
	if errors.Is(err, dbx.ErrNoRow) {
		return false, nil
	}
	return err == nil && seen > after.UnixMilli(), err
}

// Remember notes a complete sign-in on a device, and says whether the device was unknown before.
func (t Throttle) Remember(ctx context.Context, c *call.Call, userID string, hash []byte) (unknown bool, err error) {
	if len(hash) == 0 {
		return false, nil
	}
	known, err := t.Known(ctx, c, userID, hash)
	if err != nil {
		return false, err
	}
	agent, now := c.Client.UserAgent, c.Now.UnixMilli()
	if len(agent) > 300 {
		agent = strings.ToValidUTF8(agent[:300], "")
	}
	if err := addDevice.Later(ctx, c.Tx, c.Tenant.ID, userID, hash, agent, now, now); err != nil || known != nil {
		return false, err
	}
	if err := trimOnce.Later(ctx, c.Tx, c.Tenant.ID, userID, c.Tenant.ID, userID, maxOnce); err != nil {
		return false, err
	}
	return true, trimDevices.Later(ctx, c.Tx, c.Tenant.ID, userID, c.Tenant.ID, userID, maxDevices)
}

// ForgetDevices makes every device of a person unknown: after a reset of the password, or when the person is deleted.
func (t Throttle) ForgetDevices(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropDevices.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// SweepDevices removes devices of all tenants that were not seen since a time.
func (t Throttle) SweepDevices(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepDevices.Run(ctx, db, before.UnixMilli())
}
