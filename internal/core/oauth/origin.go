package oauth

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

var (
	addOrigin    = dbx.E("oauth.add_origin", `INSERT INTO oauth_origin (tenant, origin, client, app) VALUES (?, ?, ?, ?)`)
	dropOrigins  = dbx.E("oauth.drop_origins", `DELETE FROM oauth_origin WHERE tenant = ? AND client = ?`)
	originsGone  = dbx.E("oauth.origins_gone", `DELETE FROM oauth_origin WHERE tenant = ? AND app = ?`)
	appsOfOrigin = dbx.Q[string]("oauth.apps_of_origin", `SELECT DISTINCT app FROM oauth_origin WHERE tenant = ? AND origin = ? ORDER BY app LIMIT 100`)
)

// origins are those of the pages of a client that keeps no secret, and so may be one; a client with a secret has it on its server.
func origins(m wire.Metadata) (out []string) {
	if m.AuthMethod != wire.None {
		return nil
	}
	for _, uri := range m.Redirects {
		if o := wire.Origin(uri); o != "" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// keepOrigins stores the origins of a registered client, in place of those that it had.
func keepOrigins(ctx context.Context, c *call.Call, d Draft) error {
	if _, err := dropOrigins.Do(ctx, c.Tx, c.Tenant.ID, d.ID); err != nil {
		return err
	}
	for _, origin := range origins(d.Metadata) {
		if _, err := addOrigin.Do(ctx, c.Tx, c.Tenant.ID, origin, d.ID, d.App.ID); err != nil {
			return err
		}
	}
	return nil
}

// Shares says whether scripts of an origin may call the endpoints of an application's issuer, or of the tenant's where service is empty: those
// that the application names, and those of public clients, which are its own or registered. A browser asks before it says which client it
// is for, so the tenant's issuer is open to the origins of all. Cookies are never sent along.
func (s *Server) Shares(ctx context.Context, c *call.Call, service, origin string) (bool, error) {
	var a App
	var err error
	if service != "" {
		if a, err = s.App(ctx, c, service); err != nil || !a.Active {
			return false, err
		}
		if a.Profile.Shares(origin) {
			return true, nil
		}
	} else if s.Origin != nil {
		if ok, err := s.Origin(ctx, c, origin); err != nil || ok {
			return ok, err
		}
	}
	var apps []string
	err = c.Snapshot(ctx, func() (err error) { apps, err = appsOfOrigin.All(ctx, c.Tx, c.Tenant.ID, origin); return err })
	if service != "" {
		return slices.Contains(apps, a.ID), err
	}
	return len(apps) > 0, err
}
