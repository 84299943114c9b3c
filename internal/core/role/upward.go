package role

import (
	"context"
	"crypto/rand"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// few is how many roles are read at once rather than those alone that somebody is in.
const few = 300

// upOf is every role that somebody is in whatever the windows, by themselves or by nesting. The tenant goes along from row to row:
// told it once more for each table, PostgreSQL plans for a tenant of average size, and goes through all roles of a large one. And the
// role Everybody is named without being looked up: as every tenant has one, it takes a role of that id for thousands.
const upOf = `WITH RECURSIVE up(tenant, id) AS (SELECT m.tenant, m.role FROM role_member m WHERE m.tenant = ? AND m.kind = 'User' AND m.member = ?
	UNION SELECT u.tenant, 'Everybody' FROM users u WHERE u.tenant = ? AND u.id = ? AND u.everybody
	UNION SELECT n.tenant, n.role FROM up CROSS JOIN role_member n WHERE n.tenant = up.tenant AND n.kind = 'Role' AND n.member = up.id) `

var (
	// someRoles counts no further than few.
	someRoles = dbx.Q[int64]("role.some", `SELECT count(*) FROM (SELECT id FROM role WHERE tenant = ? LIMIT 301) r`)

	upRoles = dbx.Q[Role]("role.upRoles", upOf+`SELECT r.id, r.name, r.description, r.kind, r.built_in, r.org, r.created, r.changed, r.version
		FROM up CROSS JOIN role r WHERE r.tenant = up.tenant AND r.id = up.id`)
	upRights = dbx.Q[rightRow]("role.upRights", upOf+`SELECT g.role, g.path, g.since, g.until FROM up CROSS JOIN role_right g
		WHERE g.tenant = up.tenant AND g.role = up.id`)
	upNested = dbx.Q[nestRow]("role.upNested", upOf+`SELECT n.role, n.member, n.since, n.until FROM up CROSS JOIN role_member n
		WHERE n.tenant = up.tenant AND n.kind = 'Role' AND n.member = up.id`)
)

// upward gives the tenant's roles, or at least those that somebody is in: where many roles would have to be read, the others are
// read in the background.
func (r *Roles) upward(ctx context.Context, c *call.Call, version int64, userID string) (*snapshot, error) {
	if s := r.cache.get(c.Tenant.ID, version); s != nil {
		return s, nil
	}
	if r.DB == nil || c.Tx.Writable() && c.Wrote != 0 {
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
	return r.part(ctx, c, version, userID)
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

// part reads the roles that somebody is in, with their rights. It is never kept.
func (r *Roles) part(ctx context.Context, c *call.Call, version int64, userID string) (*snapshot, error) {
	of := []any{c.Tenant.ID, userID, c.Tenant.ID, userID}
	roles, err := upRoles.All(ctx, c.Tx, of...)
	if err != nil {
		return nil, err
	}
	nested, err := upNested.All(ctx, c.Tx, of...)
	if err != nil {
		return nil, err
	}
	given, err := upRights.All(ctx, c.Tx, of...)
	if err != nil {
		return nil, err
	}
	return r.assemble(ctx, c, version, roles, nested, given)
}
