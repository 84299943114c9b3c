package audit

import (
	"context"

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
