package user

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type knownRow struct {
	Key string `db:"name_key"`
}

// wideKnown is how many names one statement looks for.
const wideKnown = 500

var known = dbx.L[knownRow]("user.known", `SELECT name_key FROM users WHERE tenant = ?`)

// Known says which of many login names are taken, by fold.Key of the name. It is made for lists of thousands.
func (d *Directory) Known(ctx context.Context, c *call.Call, names []string) (map[string]bool, error) {
	out := map[string]bool{}
	for len(names) > 0 {
		n := min(len(names), wideKnown)
		keys := make([]string, n)
		for i, name := range names[:n] {
			keys[i] = fold.Key(name)
		}
		names = names[n:]
		rows, err := known.Rows(ctx, c.Tx, dbx.In("name_key", keys...), nil, n, c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Key] = true
		}
	}
	return out, nil
}
