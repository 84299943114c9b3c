package role

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
)

// snapshot is what a tenant's roles are at one version: all but the people in them. It is never changed.
type snapshot struct {
	version int64
	roles   map[string]Role
	list    []Role            // the same by name; see List
	parents map[string][]edge // role -> the roles it is a member of
	members map[string][]edge // role -> the roles that are members of it; see children
	rights  map[string][]held
	tree    right.Tree         // of the organizations
	scopes  map[holder][]Scope // what is held over organizations
}

// holder is a person or role that holds something over an organization.
type holder = Holder

type edge struct {
	to           string
	since, until int64
}

type held struct {
	path         string
	right        right.Right // None for rights of other services
	since, until int64
}

// cache keeps one snapshot per tenant.
type cache struct {
	mu sync.Mutex
	of map[string]*snapshot
}

// maxTenants bounds the cache; beyond it an arbitrary tenant is forgotten.
const maxTenants = 4096

func (ca *cache) get(tenant string, version int64) *snapshot {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if s := ca.of[tenant]; s != nil && s.version == version {
		return s
	}
	return nil
}

func (ca *cache) put(tenant string, s *snapshot) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if old := ca.of[tenant]; old != nil && old.version >= s.version {
		return
	}
	if ca.of == nil {
		ca.of = map[string]*snapshot{}
	}
	for k := range ca.of {
		if len(ca.of) < maxTenants {
			break
		}
		delete(ca.of, k)
	}
	ca.of[tenant] = s
}

// Forget drops what is kept in memory, all of which can be read again.
func (r *Roles) Forget() {
	r.cache.mu.Lock()
	r.cache.of = nil
	r.cache.mu.Unlock()
	r.unions.mu.Lock()
	r.unions.of, r.unions.kept = nil, 0
	r.unions.mu.Unlock()
	r.anchors.mu.Lock()
	r.anchors.of, r.anchors.kept = nil, 0
	r.anchors.mu.Unlock()
}

// snapshot gives the tenant's roles at the version that the transaction saw.
func (r *Roles) snapshot(ctx context.Context, c *call.Call, version int64) (*snapshot, error) {
	if s := r.cache.get(c.Tenant.ID, version); s != nil {
		return s, nil
	}
	s, err := r.load(ctx, c, version)
	if err != nil {
		return nil, err
	}
	if !c.Tx.Writable() {
		r.cache.put(c.Tenant.ID, s)
		return s, nil
	}
	return s, r.keep(ctx, c, s)
}

// keep remembers what a transaction read that may write, once it is committed: what is rolled back must not be found by others. And only
// what it read of one version: each of its statements may see later commits.
func (r *Roles) keep(ctx context.Context, c *call.Call, s *snapshot) error {
	if c.Tx.Latest() {
		if v, err := version.One(ctx, c.Tx, c.Tenant.ID); err != nil || v != s.version {
			return err
		}
	}
	c.Tx.After(func() {
		if c.Wrote == 0 {
			r.cache.put(c.Tenant.ID, s)
		}
	})
	return nil
}

// now gives the snapshot as the transaction sees it.
func (r *Roles) now(ctx context.Context, c *call.Call) (*snapshot, error) {
	v, err := version.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return r.snapshot(ctx, c, v)
}

// load reads all roles.
func (r *Roles) load(ctx context.Context, c *call.Call, version int64) (*snapshot, error) {
	roles, err := allRoles.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	nested, err := nesting.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	given, err := allRights.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return r.assemble(ctx, c, version, roles, nested, given)
}

// assemble makes a snapshot of what was read, and adds what is held over organizations.
func (r *Roles) assemble(ctx context.Context, c *call.Call, version int64, roles []Role, nested []nestRow, given []rightRow) (*snapshot, error) {
	s := &snapshot{
		version: version, list: roles, roles: make(map[string]Role, len(roles)),
		parents: map[string][]edge{}, members: map[string][]edge{}, rights: map[string][]held{},
	}
	for _, row := range roles {
		s.roles[row.ID] = row
	}
	for _, n := range nested {
		s.parents[n.Member] = append(s.parents[n.Member], edge{n.Role, n.Since, n.Until})
		s.members[n.Role] = append(s.members[n.Role], edge{n.Member, n.Since, n.Until})
	}
	for _, g := range given {
		s.rights[g.Role] = append(s.rights[g.Role], held{g.Path, right.Parse(g.Path), g.Since, g.Until})
	}
	if r.Scopes == nil {
		return s, nil
	}
	over, err := r.Scopes(ctx, c)
	s.tree, s.scopes = over.Tree, over.Held
	return s, err
}

// walk gathers the roles that a person is in.
type walk struct {
	s      *snapshot
	now    int64
	in     map[string]bool
	people []string // whose rights over organizations count besides the roles'
	always bool     // windows do not matter
	next   int64    // the nearest from or until ahead; 0: none
}

// during says whether a window is open, and notes when that changes.
func (w *walk) during(since, until int64) bool {
	for _, t := range [2]int64{since, until} {
		if t > w.now && (w.next == 0 || t < w.next) {
			w.next = t
		}
	}
	return w.always || since <= w.now && (until == 0 || w.now < until)
}

// enter adds a role and those it is nested in.
func (w *walk) enter(role string) {
	todo := []string{role}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, known := w.s.roles[id]; w.in[id] || !known {
			continue
		}
		w.in[id] = true
		for _, e := range w.s.parents[id] {
			if w.during(e.since, e.until) {
				todo = append(todo, e.to)
			}
		}
	}
}

func (w *walk) membership() Membership {
	m := Membership{Roles: slices.Sorted(maps.Keys(w.in))}
	for _, id := range m.Roles {
		if id == System {
			m.Held.Tenant |= right.Of(right.System)
		}
		for _, h := range w.s.rights[id] {
			switch org := w.s.roles[id].Org; {
			case !w.during(h.since, h.until) || h.right == right.None:
			case org != "":
				m.Held.Add(org, right.Of(h.right))
			default:
				m.Held.Tenant |= right.Of(h.right)
			}
		}
		w.hold(&m.Held, holder{Sub, id})
	}
	for _, id := range w.people {
		w.hold(&m.Held, holder{User, id})
	}
	if m.Held.Orgs != nil {
		m.Held.Tree = w.s.tree
	}
	if w.next != 0 {
		m.Until = time.UnixMilli(w.next).UTC()
	}
	return m
}

// hold adds what somebody holds over organizations.
func (w *walk) hold(h *right.Held, who holder) {
	for _, o := range w.s.scopes[who] {
		if w.during(o.Since, o.Until) {
			h.Add(o.Org, right.Of(o.Right))
		}
	}
}

// into lists the roles whose members are members of target, target included; without regard to windows when always.
func (s *snapshot) into(target string, now int64, always bool) map[string]bool {
	children, out, todo := s.children(), map[string]bool{}, []string{target}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if out[id] {
			continue
		}
		out[id] = true
		for _, e := range children[id] {
			if always || e.since <= now && e.until == 0 {
				todo = append(todo, e.to)
			}
		}
	}
	return out
}

// children gives the roles that are members of each role. A snapshot that was changed has none kept.
func (s *snapshot) children() map[string][]edge {
	if s.members != nil {
		return s.members
	}
	out := map[string][]edge{}
	for child, es := range s.parents {
		for _, e := range es {
			out[e.to] = append(out[e.to], edge{child, e.since, e.until})
		}
	}
	return out
}
