package workspace

import (
	"context"
	"crypto/sha256"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Stands is for how long a device stands in for the second factor.
const Stands = 8 * time.Hour

// Bounds of the texts by which clients name devices. Short ones could be guessed.
const (
	MinDevice = 16
	MaxDevice = 256
)

var (
	putDevice = dbx.E("workspace.putDevice", `INSERT INTO workspace_device (tenant, user_id, hash, until) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, hash) DO UPDATE SET until = excluded.until`)
	findDevice = dbx.Q[int64]("workspace.findDevice", `SELECT until FROM workspace_device WHERE tenant = ? AND user_id = ? AND hash = ? AND until > ?`)
	trimDevice = dbx.E("workspace.trimDevice", `DELETE FROM workspace_device WHERE tenant = ? AND user_id = ? AND hash IN
		(SELECT hash FROM workspace_device WHERE tenant = ? AND user_id = ? ORDER BY until DESC, hash LIMIT 1000 OFFSET 20)`)
	sweepDevice = dbx.S("workspace.sweepDevice", "workspace_device", "tenant, user_id, hash", "until < ?")
)

// deviceHash binds a device to its person: of another one it is another value.
func deviceHash(userID, device string) []byte {
	sum := sha256.Sum256([]byte(userID + "\x00" + device))
	return sum[:]
}

// KeepDevice notes that a person passed everything on a device. One whose name is too short to be secret is not kept.
func KeepDevice(ctx context.Context, c *call.Call, userID, device string) error {
	if len(device) < MinDevice || len(device) > MaxDevice {
		return nil
	}
	if err := putDevice.Later(ctx, c.Tx, c.Tenant.ID, userID, deviceHash(userID, device), c.Now.Add(Stands).UnixMilli()); err != nil {
		return err
	}
	return trimDevice.Later(ctx, c.Tx, c.Tenant.ID, userID, c.Tenant.ID, userID)
}

// KnownDevice says whether a device stands in for the second factor of a person, which they showed there after a time.
func KnownDevice(ctx context.Context, c *call.Call, userID, device string, after time.Time) (bool, error) {
	if len(device) < MinDevice || len(device) > MaxDevice {
		return false, nil
	}
	rows, err := findDevice.All(ctx, c.Tx, c.Tenant.ID, userID, deviceHash(userID, device), max(c.Now.UnixMilli(), after.Add(Stands).UnixMilli()))
	return len(rows) > 0, err
}

// ForgetDevices makes all devices of a person unknown: after another password, or when they are shut out.
func (w *Workspaces) ForgetDevices(ctx context.Context, c *call.Call, userID string) error {
	_, err := goneDevice.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// SweepDevices removes devices of all tenants whose time was over before a time.
func SweepDevices(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepDevice.Run(ctx, db, before.UnixMilli())
}
