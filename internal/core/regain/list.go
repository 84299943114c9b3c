package regain

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

var openRows = dbx.L[Regain]("regain.list", `SELECT `+columns+` FROM regain WHERE tenant = ? AND ended = 0`)

// List lists what is under way of people's accounts, by their UUIDs: of those whom the grant allows, behind one of them.
func (r *Regains) List(ctx context.Context, c *call.Call, g grant.Grant, after string, limit int) ([]Regain, error) {
	where := []dbx.Clause{user.Among(c, g, "user_id", dbx.Clause{})}
	if after != "" {
		where = append(where, dbx.Gt("user_id", after))
	}
	return openRows.Rows(ctx, c.Tx, dbx.And(where...), []dbx.Order{{Column: "user_id"}}, limit, c.Tenant.ID)
}
