package policy

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// LongestRecovery is the longest time for which somebody is let in past all rules.
const LongestRecovery = 24 * time.Hour

// ErrSpan is a time that no recovery may last.
var ErrSpan = fault.New(fault.Invalid, "recovery.span", "A recovery lasts between one minute and 24 hours; 0 ends it.")

type recoveryRow struct {
	User  string `db:"user_id"`
	Until int64  `db:"until"`
}

var (
	allRecoveries = dbx.Q[recoveryRow]("policy.recoveries", `SELECT user_id, until FROM policy_recovery WHERE tenant = ?`)
	putRecovery   = dbx.E("policy.put_recovery", `INSERT INTO policy_recovery (tenant, user_id, until) VALUES (?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET until = excluded.until`)
	endRecoveries = dbx.E("policy.end_recoveries", `DELETE FROM policy_recovery WHERE tenant = ? AND (user_id = ? OR until <= ?)`)
)

func recoveries(ctx context.Context, tx *dbx.Tx, tenant string) (map[string]int64, error) {
	rows, err := allRecoveries.All(ctx, tx, tenant)
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.User] = r.Until
	}
	return out, err
}

// Recover lets somebody sign in with the password alone from now on, whatever policy sets, profiles and settings ask for; 0 ends
// that. It is for whoever owns the machine. It says until when. ErrSpan.
func (p *Policies) Recover(ctx context.Context, c *call.Call, userID string, lasts time.Duration) (until time.Time, err error) {
	if lasts < 0 || lasts > 0 && lasts < time.Minute || lasts > LongestRecovery {
		return time.Time{}, ErrSpan
	}
	s, err := p.lock(ctx, c)
	if err != nil {
		return time.Time{}, err
	}
	if _, err := endRecoveries.Do(ctx, c.Tx, c.Tenant.ID, userID, c.Now.UnixMilli()); err != nil {
		return time.Time{}, err
	}
	if lasts > 0 {
		until = time.UnixMilli(c.Now.Add(lasts).UnixMilli()).UTC()
		if _, err := putRecovery.Do(ctx, c.Tx, c.Tenant.ID, userID, until.UnixMilli()); err != nil {
			return time.Time{}, err
		}
	}
	return until, p.touched(ctx, c, s.Stamp)
}

// Recovering is core/login's Rescued.
func (p *Policies) Recovering(ctx context.Context, c *call.Call, userID string) (bool, error) {
	s, err := p.now(ctx, c)
	return err == nil && userID != "" && s.recovers[userID] > c.Now.UnixMilli(), err
}
