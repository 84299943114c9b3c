package vault

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Use is how many users are of a type.
type Use struct {
	Type string `db:"user_type"`
	N    int64  `db:"n"`
}

var used = dbx.Q[Use]("vault.used", `SELECT `+kindOf+` AS user_type, COUNT(*) AS n FROM users u
	LEFT JOIN vault_user v ON v.tenant = u.tenant AND v.user_id = u.id WHERE u.tenant = ? GROUP BY 1`)

// Uses counts the tenant's users, of every type that there is.
func Uses(ctx context.Context, c *call.Call) ([]Use, error) {
	rows, err := used.All(ctx, c.Tx, c.Tenant.ID)
	var out []Use
	for _, t := range Types {
		out = append(out, Use{Type: t.Name})
		if i := slices.IndexFunc(rows, func(u Use) bool { return u.Type == t.Name }); i >= 0 {
			out[len(out)-1].N = rows[i].N
		}
	}
	return out, err
}
