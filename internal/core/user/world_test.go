package user_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// world is a tenant of its own in a store that tests share.
type world struct {
	t      testing.TB
	db     *dbx.DB
	users  *user.Directory
	roles  *role.Roles
	all    *tenant.Tenants
	tenant string
	suffix string
	now    time.Time
	caller *call.Caller
	event  *call.Event // of the last write
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, build(t, db)) })
}

func build(t testing.TB, db *dbx.DB) *world {
	changes := &change.Log{DB: db}
	index := &tenant.Index{DB: db, Changes: changes, Domain: "id.example.com"}
	if err := index.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := changes.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	roles := &role.Roles{Changes: changes}
	users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
	users.Watch()
	w := &world{
		t: t, db: db, users: users, roles: roles, now: time.Now(),
		all:    &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: users.Move},
		caller: &call.Caller{User: "00000000-0000-7000-8000-000000000001", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}},
	}
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		made, err := w.all.Create(ctx, c, tenant.New{Name: "Test"})
		w.tenant = made.ID
		return err
	})
	w.suffix = "s" + w.tenant + ".test"
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		return w.all.SetSuffix(ctx, c, tenant.Suffix{Name: w.suffix, Cds: true})
	})
	return w
}

func (w *world) call(tx *dbx.Tx) *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: w.tenant}, Now: w.now, Rand: rand.Reader, Tx: tx, Caller: w.caller}
}

// write runs f in a transaction; f must end with want.
func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		c := w.call(tx)
		c.Event = &call.Event{}
		w.event = c.Event
		return f(w.t.Context(), c)
	})
	expect(w.t, err, want)
}

func (w *world) read(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	expect(w.t, w.db.Read(w.t.Context(), func(tx *dbx.Tx) error { return f(w.t.Context(), w.call(tx)) }), nil)
}

func (w *world) add(name string, also ...func(*user.New)) (out user.User) {
	w.t.Helper()
	w.now = w.now.Add(time.Millisecond) // so that ids follow each other
	n := user.New{Name: name + "@" + w.suffix, Mail: "m@example.com", Everybody: true}
	for _, f := range also {
		f(&n)
	}
	w.write(nil, func(ctx context.Context, c *call.Call) (err error) {
		out, err = w.users.Create(ctx, c, n)
		return err
	})
	return out
}

func system(n *user.New) { n.System = true }

func (w *world) get(id string) (u user.User) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) (err error) {
		u, err = w.users.ByID(ctx, c, id)
		return err
	})
	return u
}
