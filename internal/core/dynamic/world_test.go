package dynamic_test

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/change"
	"limen/internal/core/dynamic"
	"limen/internal/core/grant"
	"limen/internal/core/lease"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// world is a tenant of its own whose scripts are Go functions: what a script is called is its text.
type world struct {
	t          testing.TB
	db         *dbx.DB
	roles      *role.Roles
	people     *user.Directory
	attributes attribute.Attributes
	scripts    *dynamic.Scripts
	tenant     string
	suffix     string
	now        time.Time

	mu     sync.Mutex
	code   map[string]code
	runs   map[string]int // people whom a script judged
	sizes  []int          // of the batches
	events []string
	told   []string
	meddle func() // in the middle of the next batch
	fail   error  // that scripts cannot run
	passes error  // that they cannot judge everybody
	asked  int    // how often they were to
}

// code is a script: what it says of a person, and what it reads.
type code func(p dynamic.Person) (member bool, read []string, err error)

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
	w := &world{t: t, db: db, now: time.Now(), code: map[string]code{}, runs: map[string]int{}}
	w.roles = &role.Roles{Changes: changes}
	w.people = &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: w.roles}
	w.scripts = &dynamic.Scripts{
		DB: db, Roles: w.roles, Leases: &lease.Leases{DB: db}, Judge: w.judge,
		Write: func(_ context.Context, tenant string, f func(ctx context.Context, c *call.Call) error) error {
			return w.in(tenant, f)
		},
		Failed: func(_ context.Context, _ *call.Call, r role.Role, why string) error {
			w.told = append(w.told, r.Name+": "+why)
			return nil
		},
	}
	w.roles.Moved, w.people.Stored = w.scripts.Moved, append(w.people.Stored, w.scripts.Stored)
	w.roles.Deleted, w.people.Gone = append(w.roles.Deleted, w.scripts.Drop), append(w.people.Gone, w.scripts.Gone)
	w.attributes.Stored = w.scripts.Note
	all := &tenant.Tenants{Index: index, Changes: changes, Roles: w.roles, Move: w.people.Move}
	w.write(func(ctx context.Context, c *call.Call) error {
		made, err := all.Create(ctx, c, tenant.New{Name: "Test"})
		w.tenant, c.Tenant.ID = made.ID, made.ID
		if err == nil {
			w.suffix = "s" + made.ID + ".test"
			err = all.SetSuffix(ctx, c, tenant.Suffix{Name: w.suffix, Cds: true})
		}
		if err == nil {
			err = w.attributes.Replace(ctx, c, []attribute.Column{{Name: "department_", Type: attribute.Text}, {Name: "floor_", Type: attribute.Text}})
		}
		return err
	})
	return w
}

// write runs f in a transaction of the command line.
func (w *world) write(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	if err := w.in(w.tenant, f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) in(tenant string, f func(ctx context.Context, c *call.Call) error) error {
	var c *call.Call
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		c = &call.Call{
			Tenant: call.Tenant{ID: tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx,
			Caller: &call.Caller{User: "00000000-0000-7000-8000-000000000001", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}},
		}
		return f(w.t.Context(), c)
	})
	for _, e := range c.Also {
		w.events = append(w.events, e.Type)
	}
	return err
}

// judge is the engine.
func (w *world) judge(_ context.Context, b dynamic.Batch) ([]dynamic.Verdict, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return nil, w.fail
	}
	if b.Pass {
		if w.asked++; w.passes != nil {
			return nil, w.passes
		}
	}
	out := make([]dynamic.Verdict, len(b.People))
	for i, p := range b.People {
		in, read, err := w.code[b.Script](p)
		if err == errDeath { //nolint:errorlint // the very value
			return nil, errDeath
		}
		w.runs[b.Script]++
		if out[i].Read = read; err != nil {
			out[i].Error = err.Error()
		} else {
			out[i].Member = &in
		}
	}
	w.sizes = append(w.sizes, len(b.People))
	if f := w.meddle; f != nil {
		w.meddle = nil
		f()
	}
	return out, nil
}

// set gives a new dynamic role a script.
func (w *world) set(name string, f code) (r role.Role) {
	w.t.Helper()
	w.code[name] = f
	w.write(func(ctx context.Context, c *call.Call) (err error) {
		if r, err = w.roles.Create(ctx, c, role.New{Name: name, Kind: role.Dynamic}); err == nil {
			err = w.scripts.Set(ctx, c, r, name)
		}
		return err
	})
	return r
}

func (w *world) add(names ...string) (ids []string) {
	w.t.Helper()
	w.write(func(ctx context.Context, c *call.Call) error {
		ids = nil
		for _, name := range names {
			u, err := w.people.Create(ctx, c, user.New{Name: name + "@" + w.suffix, Mail: name + "@example.com", Everybody: true})
			if err != nil {
				return err
			}
			ids = append(ids, u.ID)
		}
		return nil
	})
	return ids
}

func (w *world) many(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "p" + strconv.Itoa(i)
	}
	return w.add(names...)
}

func (w *world) put(id, column string, value any) {
	w.t.Helper()
	w.write(func(ctx context.Context, c *call.Call) error {
		return w.attributes.Set(ctx, c, id, map[string]any{column: value}, false)
	})
}

// settle works until nothing is left to do, and says how many people each script judged for it.
func (w *world) settle() map[string]int {
	w.t.Helper()
	clear(w.runs)
	for range 200 {
		more, err := w.scripts.Turn(w.t.Context(), w.tenant)
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			return maps.Clone(w.runs)
		}
	}
	w.t.Fatal("there is no end of it")
	return nil
}

// members are the direct members of a role, by id.
func (w *world) members(r role.Role) (ids []string) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) error {
		rows, err := w.roles.Members(w.t.Context(), w.shell(tx), grant.All(), r.ID, role.After{}, 1000)
		ids = nil
		for _, m := range rows {
			ids = append(ids, m.ID)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

func (w *world) of(r role.Role) (is dynamic.Script) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) (err error) {
		is, err = w.scripts.Of(w.t.Context(), w.shell(tx), r.ID)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return is
}

func (w *world) shell(tx *dbx.Tx) *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: w.tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx}
}

func (w *world) want(r role.Role, ids ...string) {
	w.t.Helper()
	slices.Sort(ids)
	if got := w.members(r); !slices.Equal(got, ids) {
		w.t.Errorf("%s has the members %v, want %v", r.Name, got, ids)
	}
}

func (w *world) count(what string) (n int) {
	for _, e := range w.events {
		if e == what {
			n++
		}
	}
	return n
}

// having is a script that asks for one property's value.
func having(name string, value any) code {
	return func(p dynamic.Person) (bool, []string, error) {
		return p.Properties[name] == value, []string{name}, nil
	}
}
