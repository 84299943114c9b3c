package role

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/dbx"
)

// maxPart bounds the edges and rights of one chunk of roles; a role has a few.
const maxPart = 100_000

// few is how many roles are read at once rather than those alone that somebody is in.
const few = 300

var (
	// someRoles counts no further than few.
	someRoles = dbx.Q[int64]("role.some", `SELECT count(*) FROM (SELECT id FROM role WHERE tenant = ? LIMIT 301) r`)

	partRoles  = dbx.L[Role]("role.partRoles", `SELECT `+columns+` FROM role WHERE tenant = ?`)
	partRights = dbx.L[rightRow]("role.partRights", `SELECT role, path, since, until FROM role_right WHERE tenant = ?`)
	partNested = dbx.L[nestRow]("role.partNested", `SELECT role, member, since, until FROM role_member WHERE tenant = ? AND kind = 'Role'`)
)

// upward gives the tenant's roles, or at least those that one is in by being in some of them: where many roles would have to
// be read, the others are read in the background.
func (r *Roles) upward(ctx context.Context, c *call.Call, version int64, roots []string) (*snapshot, error) {
	if s := r.cache.get(c.Tenant.ID, version); s != nil {
		return s, nil
	}
	if r.DB == nil || c.Tx.Writable() {
		return r.snapshot(ctx, c, version)
	}
	n, err := someRoles.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	if n <= few {
		return r.snapshot(ctx, c, version)
	}
	r.refresh(c.Tenant.ID)
	return r.part(ctx, c, version, roots)
}

// apart is the time between two readings of all roles of a tenant: while roles change often, reading the few that somebody is
// in costs less.
const apart = time.Second

// refresh reads a tenant's roles in the background, once at a time.
func (r *Roles) refresh(tenant string) {
	if _, busy := r.reading.LoadOrStore(tenant, true); busy {
		return
	}
	go func() {
		defer time.AfterFunc(apart, func() { r.reading.Delete(tenant) })
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = r.DB.Read(ctx, func(tx *dbx.Tx) error { // whoever needs them next tries again
			_, err := r.now(ctx, &call.Call{Tenant: call.Tenant{ID: tenant}, Tx: tx, Now: time.Now(), Rand: rand.Reader})
			return err
		})
	}()
}

// part reads some roles and those above them, with their rights. It is never kept.
func (r *Roles) part(ctx context.Context, c *call.Call, version int64, roots []string) (*snapshot, error) {
	s := &snapshot{version: version, roles: map[string]Role{}, parents: map[string][]edge{}, rights: map[string][]held{}}
	for level := slices.Clone(roots); len(level) > 0; {
		above := map[string]bool{}
		for some := range slices.Chunk(level, chunk) {
			if err := s.read(ctx, c, some, above); err != nil {
				return nil, err
			}
		}
		maps.DeleteFunc(above, func(id string, _ bool) bool { _, known := s.roles[id]; return known })
		level = slices.Sorted(maps.Keys(above))
	}
	if r.Scopes != nil {
		over, err := r.Scopes(ctx, c)
		if err != nil {
			return nil, err
		}
		s.scope(over)
	}
	return s, nil
}

// read adds roles and their rights, and notes those above them.
func (s *snapshot) read(ctx context.Context, c *call.Call, ids []string, above map[string]bool) error {
	roles, err := partRoles.Rows(ctx, c.Tx, dbx.In("id", ids...), nil, len(ids), c.Tenant.ID)
	if err != nil {
		return err
	}
	for _, row := range roles {
		s.roles[row.ID] = row
	}
	nested, err := partNested.Rows(ctx, c.Tx, dbx.In("member", ids...), nil, maxPart, c.Tenant.ID)
	if err != nil {
		return err
	}
	for _, n := range nested {
		s.parents[n.Member] = append(s.parents[n.Member], edge{n.Role, n.Since, n.Until})
		above[n.Role] = true
	}
	given, err := partRights.Rows(ctx, c.Tx, dbx.In("role", ids...), nil, maxPart, c.Tenant.ID)
	if err != nil {
		return err
	}
	for _, g := range given {
		s.rights[g.Role] = append(s.rights[g.Role], held{g.Path, right.Parse(g.Path), g.Since, g.Until})
	}
	return nil
}
