package login

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/dbx"
)

type passRow struct {
	Revision int64 `db:"revision"`
	At       int64 `db:"at"`
}

// A pass belongs to a device on which the person is known, and the store removes it with that (schema 0012): what makes
// devices unknown ends passes.
var (
	findPass = dbx.Q[passRow]("login.find_pass", `SELECT revision, at FROM device_pass WHERE tenant = ? AND user_id = ? AND hash = ? AND profile = ?`)
	putPass  = dbx.E("login.put_pass", `INSERT INTO device_pass (tenant, user_id, hash, profile, revision, at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, hash, profile) DO UPDATE SET revision = excluded.revision, at = excluded.at`)
)

// skip leaves the later challenges out on a device that stands in for them.
func (l *Logins) skip(ctx context.Context, c *call.Call, s *state, p Profile) error {
	if len(s.Challenges) < 2 {
		return nil
	}
	ok, err := l.standsIn(ctx, c, s, p, c.Client.Device)
	if ok && err == nil {
		s.Challenges, s.Skipped = s.Challenges[:1], true
	}
	return err
}

// standsIn says whether the later challenges were passed on a device not long ago: those of this authentication profile as
// it is now, or any, where settings decide.
func (l *Logins) standsIn(ctx context.Context, c *call.Call, s *state, p Profile, device string) (bool, error) {
	hash := throttle.DeviceHash(device)
	if p.ID == "" {
		if p.RememberFor <= 0 {
			return false, nil
		}
		return l.Throttle.Remembered(ctx, c, s.User, hash, c.Now.Add(-p.RememberFor))
	}
	if p.PassFor <= 0 || s.User == "" {
		return false, nil
	}
	known, err := l.Throttle.Known(ctx, c, s.User, hash)
	if err != nil || known == nil {
		return false, err
	}
	row, err := findPass.One(ctx, c.Tx, c.Tenant.ID, s.User, hash, p.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return false, nil
	}
	return err == nil && row.Revision == p.Revision && row.At > c.Now.Add(-p.PassFor).UnixMilli(), err
}

// noLonger says whether the device that stood in for the later challenges does so no more, although it did when the
// conversation began: what has happened since may be why.
func (t *turn) noLonger(ctx context.Context) (bool, error) {
	if !t.s.Skipped {
		return false, nil
	}
	known, err := t.Throttle.Known(ctx, t.c, t.person.ID, throttle.DeviceHash(t.s.Device))
	return known == nil, err
}

// notePass notes that the later challenges of an authentication profile were passed on the device, which is known by now.
func (t *turn) notePass(ctx context.Context) error {
	// A new password that was due is not among what was passed.
	if t.s.Profile == "" || t.s.Skipped || t.s.Recovery || len(t.s.Passed) < 2 {
		return nil
	}
	hash := throttle.DeviceHash(t.s.Device)
	return putPass.Later(ctx, t.c.Tx, t.c.Tenant.ID, t.person.ID, hash, t.s.Profile, t.s.Revision, t.c.Now.UnixMilli())
}
