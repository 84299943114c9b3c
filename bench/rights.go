package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"limen/bench/load"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/dbx"
)

const (
	rightsPath = "/UserMgmt/GetUsersRolesAndAdministrativeRights"
	rsopPath   = "/Policy/GetRsop"
)

// rightsCached asks again and again for what one person holds: somebody at the inner end of a chain of roles.
func rightsCached(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	request := d.request(rightsPath, `{"ID":"`+d.personID(d.Depth-1)+`"}`)
	return d.compared(ctx, b, "rights of one person, cached", 0.001, d.ask(ctx, func() []byte { return request }))
}

// rightsCold asks for what people hold of whom nothing is in memory; then the same just after a role changed, when what is
// in memory of roles no longer holds.
func rightsCold(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	request := func() []byte { return d.request(rightsPath, `{"ID":"`+d.personID(rand.IntN(d.People))+`"}`) }
	out, err := d.compared(ctx, b, "rights of somebody else each time", 0.005, d.ask(ctx, request))
	if err != nil {
		return out, err
	}
	c := d.app.Shell(d.Tenant)
	change := func() error {
		return d.app.Write(ctx, c, audit.RoleChange, func(ctx context.Context) error { return d.app.Roles.Touch(ctx, c) })
	}
	more, err := d.compared(ctx, b, "rights after a role changed", 0.005, after(ctx, d.addr, change, func(c *load.Conn) error {
		_, err := c.Succeed(request())
		return err
	}))
	return append(out, more...), err
}

// resultant asks for what all policy sets say about people.
func resultant(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	return d.compared(ctx, b, "resultant policy", 0.001, d.ask(ctx, func() []byte {
		return d.request(rsopPath, `{"userid":"`+d.personID(rand.IntN(d.People))+`"}`)
	}))
}

// compared makes a row of the time of a call beside that of a point read.
func (d *directory) compared(ctx context.Context, b *bench, measure string, aim float64, ours turn) ([]row, error) {
	bare := func(t time.Duration) (load.Sample, error) {
		return load.Calls(1, t, func(int) error {
			return d.app.DB.Read(ctx, func(tx *dbx.Tx) error {
				_, err := point.One(ctx, tx, d.Tenant, d.name(rand.IntN(d.People)))
				return err
			})
		})
	}
	l, o, err := b.versus(d.world, bare, ours)
	if err != nil {
		return nil, err
	}
	r := median(measure, "point read in the store", l, o)
	r.aim = aim
	return []row{r}, nil
}

// memberPages goes to the first and the last page of the crowd; nestedPages to those of the outermost role around it.
func memberPages(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	return d.pages(ctx, b, "direct", d.crowd())
}

func nestedPages(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	return d.pages(ctx, b, fmt.Sprintf("%d deep", d.Depth), d.outer())
}

func (d *directory) pages(ctx context.Context, b *bench, how, roleID string) ([]row, error) {
	const size = 100
	all, err := d.members(ctx, roleID)
	if err != nil {
		return nil, err
	}
	last := all / size // the last one that is full
	page := func(n int64) turn {
		request := d.request("/Roles/GetPagedRoleMembers", fmt.Sprintf(`{"Name":"%s","PageNumber":%d,"PageSize":%d}`, roleID, n, size))
		return d.ask(ctx, func() []byte { return request })
	}
	bare := func(t time.Duration) (load.Sample, error) {
		return load.Calls(1, t, func(int) error {
			return d.app.DB.Read(ctx, func(tx *dbx.Tx) error {
				rows, err := joined.Rows(ctx, tx, dbx.Clause{}, []dbx.Order{{Column: "key"}}, size, d.Tenant, d.crowd())
				if err == nil && len(rows) != size {
					err = fmt.Errorf("%d of the crowd instead of %d", len(rows), size)
				}
				return err
			})
		})
	}
	l, o, err := b.versus(d.world, bare, page(1))
	if err != nil {
		return nil, err
	}
	first := median("first page of "+thousands(float64(all))+" members, "+how, "bare join of 100", l, o)
	if l, o, err = b.versus(d.world, page(1), page(last)); err != nil {
		return []row{first}, err
	}
	end := median("last page, "+how, "first page", l, o)
	end.ratio, end.bare, end.cpu = 1.2, 0, 0
	if l, o, err = b.versus(d.world, page(1), page(last/2)); err != nil {
		return []row{first, end}, err
	}
	middle := median("page in the middle, "+how, "first page", l, o)
	middle.bare, middle.cpu = 0, 0
	return []row{first, end, middle}, nil
}

type joinedRow struct {
	Key  string `db:"key"`
	ID   string `db:"id"`
	Name string `db:"name"`
	Org  string `db:"org"`
}

var joined = dbx.L[joinedRow]("bench.joined", `SELECT m.name_key AS key, u.id AS id, u.name AS name, u.org AS org FROM role_member m
	CROSS JOIN users u WHERE m.tenant = ? AND m.role = ? AND u.tenant = m.tenant AND u.id = m.member`)

// members counts the members of a role.
func (d *directory) members(ctx context.Context, roleID string) (n int64, err error) {
	err = d.app.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := d.app.Shell(d.Tenant)
		c.Tx = tx
		is, err := d.app.Roles.Get(ctx, c, roleID)
		if err == nil {
			_, n, err = d.app.Roles.Page(ctx, c, grant.All(), is, role.Query{Size: 1}, 1)
		}
		return err
	})
	return n, err
}
