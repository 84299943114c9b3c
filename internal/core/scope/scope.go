// Package scope turns what a grant allows into conditions on rows that belong to organizations. A condition names the
// organizations that the grant is about, and the store finds those below them (view org_below), so that it does not grow with
// the tree.
package scope

import (
	"strings"

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
	return allowed(g, Below(org, tenant, g.Orgs()...), id)
}

// Sorted is Allowed for a page of a list that has an index in its order: where a grant allows much, rows are taken in that
// order and sifted, instead of sorting all that it allows.
func Sorted(g grant.Grant, tenant, org, id string) dbx.Clause {
	in := Below(org, tenant, g.Orgs()...)
	if len(g.Orgs()) > 0 && g.Most() {
		in = in.Sifting()
	}
	return allowed(g, in, id)
}

func allowed(g grant.Grant, in dbx.Clause, id string) dbx.Clause {
	switch {
	case g.Everything():
		return dbx.Clause{}
	case len(g.Rows()) == 0:
		return in
	case len(g.Orgs()) == 0:
		return dbx.In(id, g.Rows()...)
	}
	return dbx.Or(in, dbx.In(id, g.Rows()...))
}

// Text is Below for reports, which are written as text. Its values are the tenant and the organizations.
func Text(engine dbx.Engine, column, tenant string, g grant.Grant) (string, []any) {
	args := []any{tenant}
	for _, id := range g.Orgs() {
		args = append(args, id)
	}
	list := strings.Repeat(", ?", len(g.Orgs()))
	query := "SELECT below FROM " + View + " WHERE tenant = ? AND above IN (" + strings.TrimPrefix(list, ", ") + ")"
	return dbx.Within(engine, column, query, g.Most()), args
}
