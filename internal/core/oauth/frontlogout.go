package oauth

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

var clientsIn = dbx.Q[struct {
	App    string `db:"app"`
	Client string `db:"client"`
	Wide   int64  `db:"wide"`
}]("oauth.clients_in", `SELECT DISTINCT app, client, wide FROM oauth_authorization WHERE tenant = ? AND session = ? AND session <> '' ORDER BY app, client, wide LIMIT 50`)

// FrontLogouts are the addresses that the browser is to load, in frames that nobody sees, when a session has been signed out of: those
// of its clients that have registered one (OpenID Connect Front-Channel Logout 1.0 section 2).
func (s *Server) FrontLogouts(ctx context.Context, c *call.Call, session string) (out []string, err error) {
	if session == "" || len(session) > 100 {
		return nil, nil
	}
	rows, err := clientsIn.All(ctx, c.Tx, c.Tenant.ID, session)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		a, err := s.App(ctx, c, r.App)
		a.Wide = r.Wide == 1
		var client Registration
		if err == nil {
			client, err = s.Registration(ctx, c, a, r.Client)
		}
		if err != nil && fault.Of(err).Kind == fault.Internal {
			return nil, err
		}
		if err != nil || client.FrontLogoutURI == "" {
			continue
		}
		address := client.FrontLogoutURI
		if client.FrontLogoutSession {
			address = wire.Location(address, wire.Query, []wire.Pair{{Name: "iss", Value: a.Issuer(c.Tenant.Host)}, {Name: "sid", Value: session}})
		}
		out = append(out, address)
	}
	return out, nil
}
