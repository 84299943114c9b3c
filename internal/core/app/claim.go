package app

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
)

type claimRow struct {
	App string `db:"app"`
	Own int64  `db:"own"`
}

var (
	claim   = dbx.E("app.claim", `INSERT INTO app_client (tenant, client, app, own) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, client, app) DO NOTHING`)
	unclaim = dbx.E("app.unclaim", `DELETE FROM app_client WHERE tenant = ? AND app = ?`)
	claimed = dbx.Q[claimRow]("app.claimed", `SELECT app, own FROM app_client WHERE tenant = ? AND client = ? ORDER BY own DESC, app LIMIT 2`)
)

// claims are the ids of the clients that an application alone decides on: its own, or those of its list.
func (it App) claims() (ids []string, own int64) {
	switch p := it.Profile; {
	case p == nil:
	case p.ClientID != "":
		return []string{p.ClientID}, 1
	case !p.MustBeOauthClient && p.ClientIDType == 0:
		return p.AllowedClients, 0
	}
	return nil, 0
}

// claim stores them, for who asks by the client alone.
func (it App) claim(ctx context.Context, c *call.Call) error {
	if _, err := unclaim.Do(ctx, c.Tx, c.Tenant.ID, it.ID); err != nil {
		return err
	}
	ids, own := it.claims()
	for _, id := range ids {
		if _, err := claim.Do(ctx, c.Tx, c.Tenant.ID, id, it.ID, own); err != nil {
			return err
		}
	}
	return nil
}

// Claimant is the id of the application that has a client: as its own, or as the only one that lists it. Empty where there is none. It
// runs inside a transaction or outside.
func (a *Apps) Claimant(ctx context.Context, c *call.Call, client string) (id string, err error) {
	var rows []claimRow
	err = c.Snapshot(ctx, func() (err error) { rows, err = claimed.All(ctx, c.Tx, c.Tenant.ID, client); return err })
	if err != nil || len(rows) == 0 || len(rows) > 1 && rows[0].Own == 0 {
		return "", err
	}
	return rows[0].App, nil
}
