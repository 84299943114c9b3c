package audit

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/dbx"
)

// SignIn is the event of a sign-in's end, with what is needed to decide it anew.
type SignIn struct {
	ID     string `db:"id"`
	At     int64  `db:"at"`      // ms UTC
	User   string `db:"user_id"` // UUID; empty when nobody is known
	Fields string `db:"fields"`  // JSON object
}

// signIns are read in the order of the index event_type.
var signIns = dbx.L[SignIn]("audit.signins", `SELECT id, at, user_id, fields FROM event WHERE tenant = ? AND type = ?`)

// SignIns gives the events of one type since a time (ms UTC), the newest first, from behind one on (nil: from the newest).
func (l *Log) SignIns(ctx context.Context, c *call.Call, kind string, since int64, behind *SignIn, limit int) ([]SignIn, error) {
	where := dbx.Ge("at", since)
	if behind != nil {
		where = dbx.And(where, dbx.Le("at", behind.At), dbx.After(newest, behind.At, behind.ID))
	}
	return signIns.Rows(ctx, c.Tx, where, newest, limit, c.Tenant.ID, kind)
}

// Moment is when and from where something happened; the zero value: it did not, or nothing is kept of it.
type Moment struct {
	At int64  `db:"at"` // ms UTC
	IP string `db:"ip"`
}

var (
	lastOf = dbx.Q[Moment]("audit.lastOf", `SELECT at, ip FROM event WHERE tenant = ? AND user_id = ? AND type = ANY(?) ORDER BY at DESC, id DESC LIMIT 1`)
	since  = dbx.Q[int64]("audit.since", `SELECT COALESCE(sum(count), 0) FROM event WHERE tenant = ? AND user_id = ? AND type = ? AND at > ?`)
)

// LastSignIns gives a person's last sign-in, the last that failed, and how many failed since the last one that did not.
func LastSignIns(ctx context.Context, c *call.Call, userID string) (good, bad Moment, failed int64, err error) {
	if good, err = lastSignIn(ctx, c, userID, Login, ServiceLogin); err != nil {
		return good, bad, 0, err
	}
	if bad, err = lastSignIn(ctx, c, userID, LoginFail); err != nil {
		return good, bad, 0, err
	}
	failed, err = since.One(ctx, c.Tx, c.Tenant.ID, userID, LoginFail, good.At)
	return good, bad, failed, err
}

func lastSignIn(ctx context.Context, c *call.Call, userID string, kinds ...string) (Moment, error) {
	m, err := lastOf.One(ctx, c.Tx, c.Tenant.ID, userID, kinds)
	if errors.Is(err, dbx.ErrNoRow) {
		err = nil
	}
	return m, err
}
