package user

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Report is somebody who reports to another.
type Report struct {
	ID      string `db:"id"`
	Name    string `db:"name"`
	NameKey string `db:"name_key"`
	Display string `db:"display"`
	Org     string `db:"org"`
}

var reports = dbx.L[Report]("user.reports", `SELECT id, name, name_key, display, org FROM users WHERE tenant = ? AND reports_to = ? AND reports_to <> ''`)

// Reports lists by name, as far as the grant allows, who reports to a person; limit at most.
func (d *Directory) Reports(ctx context.Context, c *call.Call, g grant.Grant, id string, limit int) ([]Report, error) {
	return reports.Rows(ctx, c.Tx, Allowed(c, g), []dbx.Order{{Column: "name_key"}}, limit, c.Tenant.ID, id)
}
