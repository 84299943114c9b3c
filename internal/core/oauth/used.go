package oauth

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/dbx"
)

type usedRow struct {
	App string `db:"app"`
}

var usedIn = dbx.Q[usedRow]("oauth.used_in", `SELECT DISTINCT app FROM oauth_authorization WHERE tenant = ? AND session = ? AND session <> '' ORDER BY app LIMIT 20`)

// Used are the names of the applications, at most twenty, that got something in a session. One that is gone is left out.
func (s *Server) Used(ctx context.Context, c *call.Call, sessionID string) (names []string, err error) {
	if sessionID == "" || len(sessionID) > 100 {
		return nil, nil
	}
	rows, err := usedIn.All(ctx, c.Tx, c.Tenant.ID, sessionID)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if a, err := s.App(ctx, c, r.App); err == nil && a.Name != "" {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}
