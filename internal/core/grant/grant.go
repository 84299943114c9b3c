// Package grant is what a decision allows: everything of the tenant, the members of some organizations and all below
// them, some rows, or nothing. Functions that list, find or change take a grant and put it into their SQL, so that delegated
// administration cannot be forgotten.
package grant

import "slices"

// Grant is the extent of an allowed call. The zero value allows nothing.
type Grant struct {
	all  bool
	orgs []string
	rows []string
	tree map[string]string // organization -> the one above it
}

// All allows everything in the tenant.
func All() Grant { return Grant{all: true} }

// Orgs allows the objects that belong to the organizations, or to any below these; the tree tells which organization is
// above which. However many are below, the grant holds those given only.
func Orgs(tree map[string]string, ids ...string) Grant {
	return Grant{orgs: slices.Sorted(slices.Values(ids)), tree: tree}
}

// Rows allows the objects with these ids.
func Rows(ids ...string) Grant { return Grant{rows: slices.Sorted(slices.Values(ids))} }

// Or allows what either allows.
func (g Grant) Or(o Grant) Grant {
	switch {
	case g.all || o.all:
		return All()
	case g.Nothing():
		return o
	case o.Nothing():
		return g
	}
	out := Grant{orgs: merge(g.orgs, o.orgs), rows: merge(g.rows, o.rows), tree: g.tree}
	if out.tree == nil {
		out.tree = o.tree
	}
	return out
}

func merge(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// Everything says whether the whole tenant is allowed.
func (g Grant) Everything() bool { return g.all }

// Nothing says whether nothing is allowed.
func (g Grant) Nothing() bool { return !g.all && len(g.orgs) == 0 && len(g.rows) == 0 }

// Orgs are the organizations allowed, sorted, without those that are so because they are below one; read only.
func (g Grant) Orgs() []string { return g.orgs }

// Rows are the single objects allowed, sorted; read only.
func (g Grant) Rows() []string { return g.rows }

// Allows says whether the object row, which belongs to organization org (empty: to none), is allowed.
func (g Grant) Allows(row, org string) bool {
	if g.all {
		return true
	}
	if _, ok := slices.BinarySearch(g.rows, row); ok && row != "" {
		return true
	}
	for n := 0; org != "" && len(g.orgs) > 0 && n < maxDepth; n++ {
		if _, ok := slices.BinarySearch(g.orgs, org); ok {
			return true
		}
		org = g.tree[org]
	}
	return false
}

// Most says whether organizations that are allowed may have a good part of the tenant's people: more than one organization in
// twenty is allowed, as far as a sample of them tells.
func (g Grant) Most() bool {
	seen, in := 0, 0
	for org := range g.tree {
		if g.Allows("", org) {
			in++
		}
		if seen++; seen == sample {
			break
		}
	}
	return in*20 > seen
}

// sample is how many organizations tell of all.
const sample = 400

// maxDepth ends walks up a tree that is none.
const maxDepth = 100
