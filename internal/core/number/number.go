// Package number gives people, roles and organizations the small integers by which some dialects name them. A number is for
// good: it comes with the object, in the transaction that makes it, stays whatever happens to it, and is never given again. It
// names one object of the installation, so that no two kinds and no two tenants share one.
//
// Lists that show numbers join the table in their own statement:
//
//	JOIN object_number n ON n.tenant = u.tenant AND n.kind = 'User' AND n.object = u.id
package number

import (
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrNotFound says that nothing of the kind has such a number.
var ErrNotFound = fault.New(fault.NotFound, "number.not_found", "The requested data or its dependent data was not found in the service.")

// Kind is what a number stands for.
type Kind string

// The kinds, as they stand in the table.
const (
	User         Kind = "User"         // people and service users
	Role         Kind = "Role"         // roles, built-in ones too
	Organization Kind = "Organization" // organizations
	Domain       Kind = "Domain"       // mail domains of organizations
	RoleGroup    Kind = "RoleGroup"    // groups in which organizations sort their roles
	Safe         Kind = "Safe"         // safes that have had accounts
	Invitation   Kind = "Invitation"   // to organizations
)

// Max is the largest number that a client which reads 32 bits understands.
const Max = 1<<31 - 1

// chunk is how many objects one statement names.
const chunk = 500

type numbered struct {
	Number int64  `db:"number"`
	Object string `db:"object"`
}

type lacking struct {
	Tenant string `db:"tenant"`
	ID     string `db:"id"`
}

var (
	insert = dbx.E("number.insert", `INSERT INTO object_number (tenant, kind, object) VALUES (?, ?, ?) ON CONFLICT (tenant, kind, object) DO NOTHING`)
	remove = dbx.E("number.remove", `DELETE FROM object_number WHERE tenant = ? AND kind = ? AND object = ?`)
	object = dbx.Q[string]("number.object", `SELECT object FROM object_number WHERE tenant = ? AND kind = ? AND number = ?`)
	number = dbx.Q[int64]("number.number", `SELECT number FROM object_number WHERE tenant = ? AND kind = ? AND object = ?`)
	some   = dbx.L[numbered]("number.some", `SELECT number, object FROM object_number WHERE tenant = ? AND kind = ?`)

	lackUsers = dbx.Q[lacking]("number.lackUsers", `SELECT o.tenant AS tenant, o.id AS id FROM users o WHERE NOT EXISTS
		(SELECT 1 FROM object_number n WHERE n.tenant = o.tenant AND n.kind = 'User' AND n.object = o.id) LIMIT ?`).Anew()
	lackRoles = dbx.Q[lacking]("number.lackRoles", `SELECT o.tenant AS tenant, o.id AS id FROM role o WHERE NOT EXISTS
		(SELECT 1 FROM object_number n WHERE n.tenant = o.tenant AND n.kind = 'Role' AND n.object = o.id) LIMIT ?`).Anew()
	lackOrgs = dbx.Q[lacking]("number.lackOrgs", `SELECT o.tenant AS tenant, o.id AS id FROM org o WHERE NOT EXISTS
		(SELECT 1 FROM object_number n WHERE n.tenant = o.tenant AND n.kind = 'Organization' AND n.object = o.id) LIMIT ?`).Anew()
)

// Give numbers an object that is new. Nobody waits for the store: the number is there with what tx does next.
func Give(ctx context.Context, c *call.Call, k Kind, id string) error {
	return insert.Later(ctx, c.Tx, c.Tenant.ID, string(k), id)
}

// Drop forgets the number of an object that is deleted.
func Drop(ctx context.Context, c *call.Call, k Kind, id string) error {
	return remove.Later(ctx, c.Tx, c.Tenant.ID, string(k), id)
}

// Find gives the id of the object of the call's tenant that has a number; ErrNotFound when none of the kind has it.
func Find(ctx context.Context, c *call.Call, k Kind, n int64) (id string, err error) {
	id, err = object.One(ctx, c.Tx, c.Tenant.ID, string(k), n)
	if errors.Is(err, dbx.ErrNoRow) {
		return "", ErrNotFound
	}
	return id, err
}

// Of gives the number of an object; ErrNotFound when it has none.
func Of(ctx context.Context, c *call.Call, k Kind, id string) (int64, error) {
	n, err := number.One(ctx, c.Tx, c.Tenant.ID, string(k), id)
	if errors.Is(err, dbx.ErrNoRow) {
		return 0, ErrNotFound
	}
	return n, err
}

// Some gives the numbers of objects by their ids. Those that are not there are left out.
func Some(ctx context.Context, c *call.Call, k Kind, ids ...string) (map[string]int64, error) {
	out := make(map[string]int64, len(ids))
	for part := range slices.Chunk(ids, chunk) {
		rows, err := some.Rows(ctx, c.Tx, dbx.In("object", part...), nil, chunk, c.Tenant.ID, string(k))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Object] = r.Number
		}
	}
	return out, nil
}

// Objects gives the ids of the objects that have numbers, by these. Numbers that nothing of the kind has are left out.
func Objects(ctx context.Context, c *call.Call, k Kind, ns ...int64) (map[int64]string, error) {
	out := make(map[int64]string, len(ns))
	for part := range slices.Chunk(ns, chunk) {
		rows, err := some.Rows(ctx, c.Tx, dbx.In("number", part...), nil, chunk, c.Tenant.ID, string(k))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Number] = r.Object
		}
	}
	return out, nil
}

// Mend numbers, in all tenants, what a node of an older version has made beside this one, and says how much it was.
func Mend(ctx context.Context, db *dbx.DB) (total int, err error) {
	for kind, lack := range map[Kind]dbx.Query[lacking]{User: lackUsers, Role: lackRoles, Organization: lackOrgs} {
		for n := chunk; n == chunk; total += n {
			if n, err = mend(ctx, db, kind, lack); err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// mend numbers one chunk. It looks in a transaction that reads, as there is nothing to do but once after a new version.
func mend(ctx context.Context, db *dbx.DB, kind Kind, lack dbx.Query[lacking]) (int, error) {
	var rows []lacking
	err := db.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = lack.All(ctx, tx, chunk)
		return err
	})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return len(rows), db.Write(ctx, func(tx *dbx.Tx) error {
		for _, r := range rows {
			if err := insert.Later(ctx, tx, r.Tenant, string(kind), r.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
