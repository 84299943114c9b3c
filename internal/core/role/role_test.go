package role_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

type world struct {
	t      *testing.T
	db     *dbx.DB
	roles  *role.Roles
	users  *user.Directory
	id     string
	now    time.Time
	caller *call.Caller
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		index := &tenant.Index{DB: db, Changes: changes}
		if err := errors.Join(index.Start(t.Context()), changes.Poll(t.Context())); err != nil {
			t.Fatal(err)
		}
		roles := &role.Roles{Changes: changes}
		w := &world{t: t, db: db, roles: roles, now: time.Now().Truncate(time.Millisecond), users: &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}}
		w.caller = &call.Caller{User: "root", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: w.users.Move}
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			made, err := all.Create(ctx, c, tenant.New{Name: "Test"})
			w.id = made.ID
			return err
		})
		f(t, w)
	})
}

func (w *world) call(tx *dbx.Tx) *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: w.id}, Now: w.now, Rand: rand.Reader, Tx: tx, Caller: w.caller, Event: &call.Event{}}
}

func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { return f(w.t.Context(), w.call(tx)) })
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) user(name string, also ...func(*user.New)) (id string) {
	w.t.Helper()
	n := user.New{Name: name + "@" + strings.ToLower(w.id), Everybody: true}
	for _, f := range also {
		f(&n)
	}
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		u, err := w.users.Create(ctx, c, n)
		id = u.ID
		return err
	})
	return id
}

func (w *world) role(name string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		r, err := w.roles.Create(ctx, c, role.New{Name: name})
		id = r.ID
		return err
	})
	return id
}

func (w *world) add(want error, to string, ms ...role.Member) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error { return w.roles.Add(ctx, c, to, ms...) })
}

func (w *world) remove(want error, from string, ms ...role.Member) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error { return w.roles.Remove(ctx, c, from, ms...) })
}

func (w *world) assign(want error, to string, gs ...role.Given) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error { return w.roles.Assign(ctx, c, to, gs...) })
}

func (w *world) of(id string) (m role.Membership) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) (err error) {
		m, err = w.roles.Of(w.t.Context(), w.call(tx), id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func person(id string) role.Member { return role.Member{Kind: role.User, ID: id} }
func sub(id string) role.Member    { return role.Member{Kind: role.Sub, ID: id} }

const (
	userman = "/lib/rights/dsman.json"
	roleman = "/lib/rights/roleman.json"
)

func TestOf(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.user("anna")
		alone := w.user("svc", func(n *user.New) { n.Service = true })
		inner, outer, other := w.role("inner"), w.role("outer"), w.role("other")
		w.add(nil, inner, person(u))
		w.add(nil, outer, sub(inner))
		w.assign(nil, outer, role.Given{Path: "user MANAGEMENT"}, role.Given{Path: "ServiceRight/pCloudShowTile"})
		w.assign(nil, other, role.Given{Path: roleman})
		m := w.of(u)
		want := []string{role.Everybody, inner, outer}
		slices.Sort(want)
		if !slices.Equal(m.Roles, want) || m.Held.Tenant != right.Of(right.UserManagement) || !m.Until.IsZero() {
			t.Fatalf("%+v, want %v", m, want)
		}
		if m := w.of(alone); len(m.Roles) != 0 || m.Held.Tenant != 0 {
			t.Errorf("%+v", m)
		}
		w.remove(nil, outer, sub(inner))
		if m := w.of(u); len(m.Roles) != 2 || m.Held.Tenant != 0 {
			t.Errorf("after the nesting is gone: %+v", m)
		}
		w.add(nil, role.System, sub(inner))
		if m := w.of(u); !m.Held.System() {
			t.Errorf("a nested system administrator: %+v", m)
		}
		err := w.db.Read(t.Context(), func(tx *dbx.Tx) error {
			_, err := w.roles.Of(t.Context(), w.call(tx), "nobody")
			return err
		})
		if !errors.Is(err, role.ErrMember) {
			t.Error(err)
		}
	})
}

func TestWindows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, r, outer := w.user("anna"), w.role("r"), w.role("outer")
		start := w.now
		at := func(h int) time.Time { return start.Add(time.Duration(h) * time.Hour).UTC() }
		w.add(nil, r, role.Member{Kind: role.User, ID: u, Since: at(1), Until: at(5)})
		w.add(nil, outer, role.Member{Kind: role.Sub, ID: r, Until: at(3)})
		w.assign(nil, r, role.Given{Path: userman, Since: at(2), Until: at(4)})
		for h, want := range []struct {
			roles int
			right bool
			until time.Time
		}{
			{1, false, at(1)}, {3, false, at(2)}, {3, true, at(3)}, {2, true, at(4)}, {2, false, at(5)}, {1, false, time.Time{}},
		} {
			w.now = at(h)
			m := w.of(u)
			if len(m.Roles) != want.roles || m.Held.Everywhere(right.UserManagement) != want.right || !m.Until.Equal(want.until) {
				t.Errorf("at hour %d: %+v, want %+v", h, m, want)
			}
		}
		w.add(fault.ErrInvalid, r, role.Member{Kind: role.User, ID: u, Since: at(2), Until: at(1)})
	})
}

// What a transaction that is rolled back had changed must never be found afterwards.
func TestRolledBackChangesAreNotKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, r := w.user("anna"), w.role("r")
		w.add(nil, r, person(u))
		w.write(errStop, func(ctx context.Context, c *call.Call) error {
			if err := w.roles.Assign(ctx, c, r, role.Given{Path: userman}); err != nil {
				return err
			}
			m, err := w.roles.Of(ctx, c, u)
			if !m.Held.Everywhere(right.UserManagement) {
				t.Error("a transaction sees its own writes")
			}
			return errors.Join(err, errStop)
		})
		if m := w.of(u); m.Held.Tenant != 0 {
			t.Fatalf("%+v", m)
		}
		w.assign(nil, r, role.Given{Path: roleman})
		if m := w.of(u); m.Held.Tenant != right.Of(right.RoleManagement) {
			t.Fatalf("%+v", m)
		}
	})
}

// What a transaction read that may write is kept once it is committed: not before, not where it was rolled back, and not where it wrote.
func TestWhatWritersReadIsKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, r := w.user("anna"), w.role("r")
		w.add(nil, r, person(u))
		fresh := &role.Roles{Changes: w.roles.Changes, DB: w.db}
		read := func(ctx context.Context, c *call.Call) error {
			_, err := fresh.Of(ctx, c, u)
			if fresh.Kept(w.id) != 0 {
				t.Error("what may still be rolled back is kept")
			}
			return err
		}
		w.write(errStop, func(ctx context.Context, c *call.Call) error { return errors.Join(read(ctx, c), errStop) })
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return errors.Join(read(ctx, c), fresh.Assign(ctx, c, r, role.Given{Path: userman}))
		})
		if fresh.Kept(w.id) != 0 {
			t.Error("what was read by a transaction that wrote is kept")
		}
		w.write(nil, read)
		if fresh.Kept(w.id) == 0 {
			t.Error("nothing is kept")
		}
		if m := w.of(u); !m.Held.Everywhere(right.UserManagement) {
			t.Errorf("%+v", m)
		}
	})
}

var errStop = errors.New("stop")

func TestNestingHasNoCycles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b, c := w.role("a"), w.role("b"), w.role("c")
		w.add(nil, a, sub(b))
		w.add(nil, b, role.Member{Kind: role.Sub, ID: c, Until: w.now.Add(time.Hour)})
		w.add(role.ErrCycle, c, sub(a))
		w.add(role.ErrCycle, a, sub(a))
		w.add(nil, a, sub(c))
		// Two nestings at once that would close a circle together.
		d, e := w.role("d"), w.role("e")
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, pair := range [][2]string{{d, e}, {e, d}} {
			wg.Go(func() {
				errs[i] = w.db.Write(t.Context(), func(tx *dbx.Tx) error { return w.roles.Add(t.Context(), w.call(tx), pair[0], sub(pair[1])) })
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Error(errs)
		}
	})
}

func TestWhoMayBeAdded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, r, nested := w.user("anna"), w.role("r"), w.role("nested")
		w.add(role.ErrEverybody, role.Everybody, person(u))
		w.add(role.ErrMember, r, person("nobody"))
		w.add(role.ErrMember, r, sub("nothing"))
		w.add(role.ErrEverybody, r, sub(role.Everybody))
		w.add(role.ErrNotFound, "none", person(u))
		w.add(fault.ErrInvalid, r, role.Member{Kind: "Thing", ID: u})
		w.add(nil, r, person(u))
		w.add(nil, r, person(u))
		w.remove(nil, r, person(u))
		w.remove(nil, r, person(u))
		w.add(nil, role.System, sub(nested), person(w.user("root")))
		managers := w.role("managers")
		w.assign(nil, managers, role.Given{Path: roleman})
		w.add(nil, managers, person(u))
		w.caller = &call.Caller{User: u, Held: right.Held{Tenant: right.Of(right.RoleManagement)}}
		w.add(role.ErrSystem, role.System, person(u))
		w.add(role.ErrSystem, nested, person(u))
		w.add(nil, r, person(u))
		w.assign(role.ErrNotHeld, r, role.Given{Path: userman})
		w.assign(nil, r, role.Given{Path: roleman})
		w.assign(role.ErrRight, r, role.Given{Path: "/lib/rights/nothing.json"})
		w.assign(role.ErrRight, r, role.Given{Path: "ServiceRight/"})
		w.write(role.ErrNotHeld, func(ctx context.Context, c *call.Call) error { return w.roles.Unassign(ctx, c, r, userman) })
		w.caller = nil
		w.add(role.ErrSystem, role.System, person(u))
	})
}

func TestTheLastAdministratorsRoleStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u, r := w.user("anna"), w.role("admins")
		w.add(nil, r, person(u))
		w.add(nil, role.System, sub(r))
		w.remove(role.ErrLast, role.System, sub(r))
		w.remove(role.ErrLast, r, person(u))
		w.write(role.ErrLast, func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, r) })
		// Somebody whose membership ends does not count.
		w.add(nil, role.System, role.Member{Kind: role.User, ID: w.user("temp"), Until: w.now.Add(time.Hour)})
		w.remove(role.ErrLast, r, person(u))
		w.add(nil, role.System, person(w.user("bert")))
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, r) })
		if m := w.of(u); len(m.Roles) != 1 {
			t.Errorf("%+v", m)
		}
	})
}

func TestManage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.role("Helpers")
		if strings.Contains(r, "-") || strings.Count(r, "_") != 4 {
			t.Error("the form of a role's id:", r)
		}
		create := func(want error, n role.New) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				_, err := w.roles.Create(ctx, c, n)
				return err
			})
		}
		create(role.ErrNameTaken, role.New{Name: " HELPERS "})
		create(role.ErrNameTaken, role.New{Name: "everybody"})
		create(fault.ErrBlank, role.New{Name: " "})
		create(fault.ErrInvalid, role.New{Name: "x\n" + "y"})
		create(fault.ErrInvalid, role.New{Name: "x", Kind: "Everybody"})
		rename := func(want error, id, name string) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error { return w.roles.Rename(ctx, c, id, name, "d") })
		}
		rename(nil, "helpers", "Helping Hands")
		rename(nil, r, "helping hands")
		rename(role.ErrNameTaken, r, "Everybody")
		rename(role.ErrBuiltIn, role.System, "Root")
		w.write(role.ErrBuiltIn, func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, role.System) })
		w.write(role.ErrBuiltIn, func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, role.Everybody) })
		w.assign(nil, r, role.Given{Path: userman}, role.Given{Path: userman, Reason: "again"})
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			all, err := w.roles.List(ctx, c)
			paths, err2 := w.roles.Rights(ctx, c, r)
			if len(all) != 3 || all[1].Name != "helping hands" || !slices.Equal(paths, []string{userman}) {
				t.Error(all, paths)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		dbxtest.Orgs(t, w.db, w.id, "o1")
		r := w.role("r")
		var ms []role.Member
		for i, name := range []string{"a", "b", "c", "d"} {
			w.now = w.now.Add(time.Millisecond)
			ms = append(ms, person(w.user(name, func(n *user.New) { n.Org = []string{"o1", "o2"}[i%2] })))
		}
		w.add(nil, r, append(ms, sub(w.role("s")))...)
		page := func(g grant.Grant, after role.After, limit int) (out string) {
			err := w.db.Read(t.Context(), func(tx *dbx.Tx) error {
				rows, err := w.roles.Members(t.Context(), w.call(tx), g, r, after, limit)
				out = ""
				for _, m := range rows {
					out += m.Name[:1]
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		for _, x := range []struct {
			g     grant.Grant
			after role.After
			want  string
		}{
			{grant.All(), role.After{}, "sab"},
			{grant.All(), role.After{Kind: role.User, ID: ms[1].ID}, "cd"},
			{grant.Orgs(nil, "o1"), role.After{}, "ac"},
			{grant.Rows(ms[3].ID), role.After{}, "d"},
			{grant.Grant{}, role.After{}, ""},
		} {
			if got := page(x.g, x.after, 3); got != x.want {
				t.Errorf("%+v: %s, want %s", x, got, x.want)
			}
		}
	})
}

func BenchmarkOf(b *testing.B) {
	db := dbxtest.Fresh(b, dbx.SQLite)
	changes := &change.Log{DB: db}
	index := &tenant.Index{DB: db, Changes: changes}
	roles := &role.Roles{Changes: changes}
	users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
	var id, who string
	in := func(tx *dbx.Tx) *call.Call {
		return &call.Call{Tenant: call.Tenant{ID: id}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Caller: &call.Caller{Means: call.ByShell}}
	}
	err := db.Write(b.Context(), func(tx *dbx.Tx) error {
		made, err := (&tenant.Tenants{Index: index, Changes: changes, Roles: roles}).Create(b.Context(), in(tx), tenant.New{Name: "T"})
		if err != nil {
			return err
		}
		id = made.ID
		u, err := users.Create(b.Context(), in(tx), user.New{Name: "a@" + id, Everybody: true, System: true})
		who = u.ID
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		err := db.Read(b.Context(), func(tx *dbx.Tx) error {
			_, err := roles.Of(b.Context(), in(tx), who)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
