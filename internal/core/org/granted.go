package org

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Granted is a right that a person or role holds over an organization and all below it, with what is known of how.
type Granted struct {
	Org     string `db:"org"`
	Path    string `db:"path"`  // of the organization
	Right   string `db:"held"`  // path of the right
	Since   int64  `db:"since"` // ms since 1970 UTC; 0: from the beginning
	Until   int64  `db:"until"` // the same; 0: without end
	Reason  string `db:"reason"`
	Granter string `db:"granter"` // login name; empty when nobody is known
}

var grantedTo = dbx.Q[Granted]("org.grantedTo", `SELECT t.org AS org, o.path AS path, t.path AS held, t.since AS since, t.until AS until, t.reason AS reason,
	COALESCE(g.name, '') AS granter
	FROM org_right t JOIN org o ON o.tenant = t.tenant AND o.id = t.org LEFT JOIN users g ON g.tenant = t.tenant AND g.id = t.granter
	WHERE t.tenant = ? AND t.kind = ? AND t.principal = ? ORDER BY o.path_key, t.path`)

// GrantedTo lists what a person or role holds over organizations by itself.
func (o *Orgs) GrantedTo(ctx context.Context, c *call.Call, p Principal) ([]Granted, error) {
	return grantedTo.All(ctx, c.Tx, c.Tenant.ID, p.Kind, p.ID)
}
