// Package scope turns what a grant allows into conditions on rows that belong to organizations. A condition names the
// organizations that the grant is about, and the store finds those below them (view org_below), so that it does not grow with
// the tree.
package scope

import (
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// View pairs every organization with itself and each below it: columns tenant, above and below.
const View = "org_below"

var below = dbx.Q[string]("scope.below", `SELECT below FROM org_below WHERE tenant = ? AND above = ANY(?)`)

// Below holds where the column has one of the organizations, or one below them.
func Below(column, tenant string, orgs ...string) dbx.Clause {
	if len(orgs) == 0 {
		return dbx.Or()
	}
	return dbx.InQuery(column, below, tenant, orgs)
}

// Allowed keeps a list within a grant, by the columns of a row's organization and of its id.
func Allowed(g grant.Grant, tenant, org, id string) dbx.Clause {
	switch {
	case g.Everything():
		return dbx.Clause{}
	case len(g.Rows()) == 0:
		return Below(org, tenant, g.Orgs()...)
	case len(g.Orgs()) == 0:
		return dbx.In(id, g.Rows()...)
	}
	return dbx.Or(Below(org, tenant, g.Orgs()...), dbx.In(id, g.Rows()...))
}
