package user

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
)

type thereRow struct {
	ID string `db:"id"`
}

var there = dbx.L[thereRow]("user.there", `SELECT id FROM users WHERE tenant = ?`)

// Insert writes the rows of many new users, at most 500, and waits for the store once. errs tells for each why there is none,
// with the faults of Create; Settle follows for those who are there.
func (d *Directory) Insert(ctx context.Context, c *call.Call, ns []New) (us []User, errs []error, err error) {
	us, errs = make([]User, len(ns)), make([]error, len(ns))
	ids := make([]string, 0, len(ns))
	for i, n := range ns {
		if us[i], errs[i] = d.ready(ctx, c, n); errs[i] != nil {
			continue
		}
		if err := insert.Later(ctx, c.Tx, append(us[i].values(), c.Tenant.ID)...); err != nil {
			return nil, nil, err
		}
		ids = append(ids, us[i].ID)
	}
	rows, err := there.Rows(ctx, c.Tx, dbx.In("id", ids...), nil, len(ids)+1, c.Tenant.ID)
	if err != nil {
		return nil, nil, err
	}
	in := make(map[string]bool, len(rows))
	for _, r := range rows {
		in[r.ID] = true
	}
	for i := range us {
		if errs[i] == nil && !in[us[i].ID] {
			errs[i] = ErrNameTaken.At("Name").Say("User %s already exists.", us[i].Name)
		}
	}
	return us, errs, nil
}
