package org

import (
	"context"
	"slices"
	"strings"
	"sync"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/fold"
)

// tree is a tenant's organizations and what is held over them, at one version. It is never changed.
type tree struct {
	version int64
	byID    map[string]Org
	byPath  map[string]string // folded path -> id
	above   right.Tree
	held    map[role.Holder][]role.Scope
}

// cache keeps one tree per tenant.
type cache struct {
	mu sync.Mutex
	of map[string]*tree
}

// maxTenants bounds the cache; beyond it an arbitrary tenant is forgotten.
const maxTenants = 4096

func (ca *cache) get(tenant string, version int64) *tree {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if t := ca.of[tenant]; t != nil && t.version == version {
		return t
	}
	return nil
}

func (ca *cache) put(tenant string, t *tree) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if old := ca.of[tenant]; old != nil && old.version >= t.version {
		return
	}
	if ca.of == nil {
		ca.of = map[string]*tree{}
	}
	for k := range ca.of {
		if len(ca.of) < maxTenants {
			break
		}
		delete(ca.of, k)
	}
	ca.of[tenant] = t
}

// tree gives the organizations as the transaction sees them, with their names.
func (o *Orgs) tree(ctx context.Context, c *call.Call) (*tree, error) {
	return o.cache.find(ctx, c, func(t *tree) error {
		rows, err := all.All(ctx, c.Tx, c.Tenant.ID)
		if err == nil {
			*t = *plant(rows)
		}
		return err
	})
}

// bare gives the tree without names, and what is held over it.
func (o *Orgs) bare(ctx context.Context, c *call.Call) (*tree, error) {
	return o.shapes.find(ctx, c, func(t *tree) error {
		rows, err := parents.All(ctx, c.Tx, c.Tenant.ID)
		if err != nil {
			return err
		}
		t.above = make(right.Tree, len(rows))
		for _, r := range rows {
			t.above[r.ID] = r.Parent
		}
		held, err := allRights.All(ctx, c.Tx, c.Tenant.ID)
		t.held = scopes(held)
		return err
	})
}

// find gives the tree at the version that the transaction sees, which load reads when it is not kept.
func (ca *cache) find(ctx context.Context, c *call.Call, load func(t *tree) error) (*tree, error) {
	v, err := at(ctx, c)
	if err != nil {
		return nil, err
	}
	if t := ca.get(c.Tenant.ID, v); t != nil {
		return t, nil
	}
	t := &tree{}
	if err := load(t); err != nil {
		return nil, err
	}
	t.version = v
	// What a transaction that may still be rolled back has written must not be found by others.
	if !c.Tx.Writable() {
		ca.put(c.Tenant.ID, t)
	}
	return t, nil
}

// at is the version of the tree that the transaction sees.
func at(ctx context.Context, c *call.Call) (int64, error) {
	v, err := version.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil || len(v) == 0 {
		return 0, err
	}
	return v[0], nil
}

func scopes(rows []scopeRow) map[role.Holder][]role.Scope {
	out := map[role.Holder][]role.Scope{}
	for _, r := range rows {
		if known := right.Parse(r.Path); known != right.None {
			who := role.Holder{Kind: r.Kind, ID: r.Principal}
			out[who] = append(out[who], role.Scope{Org: r.Org, Right: known, Since: r.Since, Until: r.Until})
		}
	}
	return out
}

func plant(rows []Org) *tree {
	t := &tree{byID: make(map[string]Org, len(rows)), byPath: make(map[string]string, len(rows)), above: make(right.Tree, len(rows))}
	for _, r := range rows {
		t.byID[r.ID] = r
		t.byPath[fold.Key(r.Path)] = r.ID
		t.above[r.ID] = r.Parent
	}
	return t
}

// find finds an organization by its id or its path, in which the first slash may be left out; false when there is none.
func (t *tree) find(ref string) (Org, bool) {
	ref = strings.TrimSpace(ref)
	if org, ok := t.byID[strings.ToLower(ref)]; ok {
		return org, true
	}
	id, ok := t.byPath[fold.Key("/"+strings.Trim(ref, "/"))]
	return t.byID[id], ok
}

// none says whether a reference means no organization.
func none(ref string) bool { return strings.Trim(ref, " /") == "" }

// place puts an organization below a parent and makes its path.
func (t *tree) place(org *Org, parent string) error {
	org.Parent, org.Path, org.Trail = "", "/"+org.Name, org.ID+"/"
	if !none(parent) {
		p, ok := t.find(parent)
		switch {
		case !ok:
			return ErrNotFound.At("Parent")
		case org.ID != "" && t.above.Within(p.ID, org.ID):
			return ErrCycle.At("Parent")
		}
		org.Parent, org.Path, org.Trail = p.ID, p.Path+"/"+org.Name, p.Trail+org.ID+"/"
	}
	if strings.Count(org.Path, "/")+t.height(org.ID) > maxDepth {
		return ErrDeep.Say("Organizations can be %d levels deep at most.", maxDepth)
	}
	if id, taken := t.byPath[fold.Key(org.Path)]; taken && id != org.ID {
		return ErrNameTaken.At("Name").Say("Organization %s already exists.", org.Path)
	}
	return nil
}

// height is how many levels are below an organization.
func (t *tree) height(id string) int {
	most := 0
	if id == "" || t.byID[id].ID == "" {
		return 0
	}
	for b := range t.byID {
		up := 0
		for above := range t.above.Up(b) {
			if above == id {
				most = max(most, up)
			}
			up++
		}
	}
	return most
}

// tops are those of the organizations that are below no other of them.
func tops(above right.Tree, ids []string) []string {
	var out []string
	for _, id := range ids {
		parent, ok := above[id]
		if ok && !slices.ContainsFunc(ids, func(other string) bool { return other != "" && above.Within(parent, other) }) {
			out = append(out, id)
		}
	}
	return out
}
