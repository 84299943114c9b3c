package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"limen/bench/load"
	"limen/internal/dbx"
)

const (
	addPath    = "/SaasManage/AddUsersAndGroupsToRole"
	removePath = "/SaasManage/RemoveUsersAndGroupsFromRole"
)

var (
	rawJoin = dbx.E("bench.join", `INSERT INTO role_member (tenant, role, kind, member, name_key, since, until, reason, granter)
		VALUES (?, 'bench', 'User', ?, ?, 0, 0, '', '') ON CONFLICT (tenant, role, kind, member) DO NOTHING`)
	rawLeave = dbx.E("bench.leave", `DELETE FROM role_member WHERE tenant = ? AND role = 'bench' AND kind = 'User' AND member = ?`)
)

// memberAdd puts people into the crowd one by one, and by many callers at once. All have left again when it ends.
func memberAdd(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	var out []row
	for _, callers := range []int{1, 64} {
		var next atomic.Int64
		next.Store(int64(d.Crowd))
		l, o, err := b.versus(d.world, d.joins(ctx, callers, &next, rawJoin), d.moves(ctx, callers, addPath, &next))
		if err == nil {
			err = d.empty(ctx, int(next.Load()))
		}
		if err != nil {
			return out, err
		}
		what := "add a member to " + thousands(float64(d.Crowd))
		if callers > 1 {
			out = append(out, rate(fmt.Sprintf("%s, %d callers", what, callers), "one row in the store", l, o))
			continue
		}
		r := median(what, "one row in the store", l, o)
		r.aim = 0.005
		out = append(out, r)
	}
	return out, nil
}

// memberRemove takes people out of the crowd who were put there before.
func memberRemove(ctx context.Context, b *bench, w *world) ([]row, error) {
	d, err := w.big(ctx)
	if err != nil {
		return nil, err
	}
	var in, out atomic.Int64
	in.Store(int64(d.Crowd))
	out.Store(int64(d.Crowd))
	add := d.one(addPath)
	// Each takes out one who was put in just before, which is not measured.
	first := func() error { return d.once(ctx, add(int(in.Add(1)-1))) }
	remove := d.one(removePath)
	ours := after(ctx, d.addr, first, func(c *load.Conn) error {
		_, err := c.Succeed(remove(int(out.Add(1) - 1)))
		return err
	})
	var raw atomic.Int64
	l, o, err := b.versus(d.world, d.joins(ctx, 1, &raw, rawLeave), ours)
	if err != nil {
		return nil, err
	}
	r := median("remove a member of "+thousands(float64(d.Crowd)), "one row in the store", l, o)
	r.aim = 0.005
	return []row{r}, d.empty(ctx, int(in.Load()))
}

// one makes requests about single people and the crowd.
func (d *directory) one(path string) func(i int) []byte {
	return func(i int) []byte {
		return d.request(path, `{"Name":"`+d.crowd()+`","Users":["`+d.personID(i%d.People)+`"]}`)
	}
}

// once asks on a connection of its own.
func (d *directory) once(ctx context.Context, request []byte) error {
	c, err := load.Dial(ctx, d.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Succeed(request)
	return err
}

// moves makes a turn in which callers ask about one person after the other.
func (d *directory) moves(ctx context.Context, callers int, path string, next *atomic.Int64) turn {
	request := d.one(path)
	return d.asks(ctx, callers, func(int) []byte { return request(int(next.Add(1) - 1)) })
}

// joins makes a turn of callers who write or delete a membership each, in a transaction of its own.
func (d *directory) joins(ctx context.Context, callers int, next *atomic.Int64, e dbx.Exec) turn {
	return func(t time.Duration) (load.Sample, error) {
		return load.Calls(callers, t, func(int) error {
			args := []any{d.Tenant, newID(), "key"}
			if e == rawLeave {
				args = args[:2]
			}
			return d.app.DB.Write(ctx, func(tx *dbx.Tx) error {
				_, err := e.Do(ctx, tx, args...)
				return err
			})
		})
	}
}

// empty takes those out of the crowd who were added to it, up to the number next, and what was written raw.
func (d *directory) empty(ctx context.Context, next int) error {
	const some = 500
	c, err := load.Dial(ctx, d.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for from := d.Crowd; from < next; from += some {
		var ids string
		for i := from; i < min(next, from+some); i++ {
			if ids != "" {
				ids += ","
			}
			ids += `"` + d.personID(i%d.People) + `"`
		}
		if _, err := c.Succeed(d.request(removePath, `{"Name":"`+d.crowd()+`","Users":[`+ids+`]}`)); err != nil {
			return err
		}
	}
	return d.app.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := rawEmpty.Do(ctx, tx, d.Tenant)
		return err
	})
}

var rawEmpty = dbx.E("bench.empty", `DELETE FROM role_member WHERE tenant = ? AND role = 'bench'`)
