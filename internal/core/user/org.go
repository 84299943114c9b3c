package user

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
)

var leaveOrg = dbx.E("user.leaveOrg", `UPDATE users SET org = '', changed = ?, version = version + 1 WHERE tenant = ? AND org = ?`)

// LeaveOrg takes everybody out of an organization and says how many they were. Whoever calls it publishes that callers of
// the tenant changed (topic "role").
func (d *Directory) LeaveOrg(ctx context.Context, c *call.Call, org string) (int64, error) {
	n, err := leaveOrg.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, org)
	if err != nil || n == 0 {
		return n, err
	}
	if err := d.others(ctx, c); err != nil {
		return n, err
	}
	return n, d.stored(ctx, c, &User{Org: org}, &User{Changed: c.Now.UnixMilli(), Version: 1})
}
