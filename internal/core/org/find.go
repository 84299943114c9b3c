package org

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/scope"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// ByID finds an organization by its id; ErrNotFound when there is none. It needs nothing but the transaction, so that inputs
// can resolve which one they name.
func ByID(ctx context.Context, c *call.Call, id string) (Org, error) {
	if len(id) > 100 {
		return Org{}, ErrNotFound
	}
	rows, err := byID.All(ctx, c.Tx, c.Tenant.ID, fold.Key(id))
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Org{}, err
	}
	return rows[0], nil
}

// Find finds an organization by its id or its path, whatever the case; ErrNotFound when there is none.
func (o *Orgs) Find(ctx context.Context, c *call.Call, ref string) (Org, error) {
	if len(ref) > 4*maxDepth*(maxName+1) {
		return Org{}, ErrNotFound
	}
	ref = strings.TrimSpace(ref)
	found, err := ByID(ctx, c, ref)
	if !errors.Is(err, ErrNotFound) {
		return found, err
	}
	rows, err := byPath.All(ctx, c.Tx, c.Tenant.ID, fold.Key("/"+strings.Trim(ref, "/")))
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Org{}, err
	}
	return rows[0], nil
}

// Paths gives what finds the path of an organization by its id; empty for none.
func (o *Orgs) Paths(ctx context.Context, c *call.Call) (func(id string) string, error) {
	t, err := o.tree(ctx, c)
	if err != nil {
		return nil, err
	}
	return func(id string) string { return t.byID[id].Path }, nil
}

// Only gives the one organization that is meant by a caller with a grant who names none: the only one that the grant allows,
// those below it aside. False when there is none, or several.
func (o *Orgs) Only(ctx context.Context, c *call.Call, g grant.Grant) (id string, ok bool, err error) {
	t, err := o.bare(ctx, c)
	if err != nil {
		return "", false, err
	}
	most := tops(t.above, g.Orgs())
	if len(most) != 1 {
		return "", false, nil
	}
	return most[0], true, nil
}

// Listed is an organization as lists show it.
type Listed struct {
	Org
	Administrators []Admin
	Members        int64 // people
}

// List gives the organizations that the grant allows, by path.
func (o *Orgs) List(ctx context.Context, c *call.Call, g grant.Grant) ([]Listed, error) {
	rows, err := some.Rows(ctx, c.Tx, allowed(c, "id", g), nil, MaxOrgs, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	counts, err := members.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	n := map[string]int64{}
	for _, r := range counts {
		n[r.Org] = r.N
	}
	admins, err := o.admins(ctx, c, allowed(c, "org", g))
	if err != nil {
		return nil, err
	}
	out := make([]Listed, len(rows))
	for i, r := range rows {
		out[i] = Listed{r, admins[r.ID], n[r.ID]}
	}
	slices.SortFunc(out, func(a, b Listed) int { return cmp.Compare(fold.Key(a.Path), fold.Key(b.Path)) })
	return out, nil
}

func allowed(c *call.Call, column string, g grant.Grant) dbx.Clause {
	if g.Everything() {
		return dbx.Clause{}
	}
	return scope.Below(column, c.Tenant.ID, g.Orgs()...)
}

// Get gives one organization as lists show it.
func (o *Orgs) Get(ctx context.Context, c *call.Call, id string) (Listed, error) {
	org, err := ByID(ctx, c, id)
	if err != nil {
		return Listed{}, err
	}
	n, err := membersOf.One(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil {
		return Listed{}, err
	}
	admins, err := o.admins(ctx, c, dbx.Eq("org", id))
	return Listed{org, admins[id], n}, err
}

// RolesIn gives the roles of an organization by name.
func (o *Orgs) RolesIn(ctx context.Context, c *call.Call, id string) ([]role.Role, error) {
	every, err := o.Roles.List(ctx, c)
	return slices.DeleteFunc(every, func(r role.Role) bool { return r.Org != id }), err
}
