package vault

import (
	"context"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of logons of those whose password is right.
var (
	ErrInterface = fault.New(fault.Denied, "vault.interface", "The user is not authorized to use this interface.")
	ErrMethod    = fault.New(fault.Denied, "vault.method", "The user cannot log on by this method.")
	ErrHours     = fault.New(fault.Denied, "vault.hours", "The user cannot log on at this time of the day.")
	ErrSessions  = fault.New(fault.Denied, "vault.sessions", "The user has as many concurrent sessions as a user may have.")
)

// Methods of logon.
const (
	LogonCyberArk = "cyberark"
	LogonRadius   = "radius"
	LogonPKI      = "pki"   // by a certificate, whose authority says where the login name is
	LogonPKIPN    = "pkipn" // by one that has a user principal name
)

// MaxSessions is how many sessions a user has at once, where they are to go on.
const MaxSessions = 300

// May says whether somebody whose password is right may log on by a method now. Faults: ErrMethodOff, ErrInterface, ErrMethod, ErrHours.
func (v *Vault) May(ctx context.Context, c *call.Call, u user.User, method string) error {
	if err := Open(ctx, c, method); err != nil {
		return err
	}
	p, err := profileOf(ctx, c, u)
	switch {
	case err != nil:
		return err
	case !p.uses(own):
		return ErrInterface
	case method != LogonRadius && !slices.Contains(parted(p.Methods), ByPassword):
		return ErrMethod
	case !p.open(int64(c.Now.UTC().Hour())):
		return ErrHours
	}
	return nil
}

var (
	opened        = dbx.Q[string]("vault.sessions", `SELECT session FROM vault_session WHERE tenant = ? AND user_id = ?`)
	note          = dbx.E("vault.note", `INSERT INTO vault_session (tenant, user_id, session, expires) VALUES (?, ?, ?, ?)`)
	sweepSessions = dbx.S("vault.sweep_sessions", "vault_session", "tenant, user_id, session", "expires < ?")
)

// Opened takes note of a new session. Unless the others are to go on, those that were opened here before end. Fault: ErrSessions.
func (v *Vault) Opened(ctx context.Context, c *call.Call, userID, session string, expires int64, concurrent bool) error {
	before, err := opened.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return err
	}
	if len(before) > 0 {
		if err := v.others(ctx, c, userID, before, concurrent); err != nil {
			return err
		}
	}
	_, err = note.Do(ctx, c.Tx, c.Tenant.ID, userID, session, expires)
	return err
}

// others ends the sessions that somebody opened here before, or wants there to be room for one more.
func (v *Vault) others(ctx context.Context, c *call.Call, userID string, before []string, concurrent bool) error {
	all, err := v.Sessions.List(ctx, c, userID)
	if err != nil {
		return err
	}
	n := 0
	for _, s := range all {
		if !slices.Contains(before, s.ID) {
			continue
		}
		if n++; !concurrent {
			if err := v.Sessions.End(ctx, c, s.ID); err != nil {
				return err
			}
		}
	}
	if concurrent && n >= MaxSessions {
		return ErrSessions
	}
	return nil
}

// Sweep forgets, in all tenants, which sessions were opened here that ended before a time.
func Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepSessions.Run(ctx, db, before.UnixMilli())
}
