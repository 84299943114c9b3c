package number_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// world is a tenant of its own in a store that tests share.
type world struct {
	t      *testing.T
	db     *dbx.DB
	users  *user.Directory
	roles  *role.Roles
	orgs   *org.Orgs
	tenant string
}

func build(t *testing.T, db *dbx.DB) *world {
	changes := &change.Log{DB: db}
	index := &tenant.Index{DB: db, Changes: changes}
	if err := errors.Join(index.Start(t.Context()), changes.Poll(t.Context())); err != nil {
		t.Fatal(err)
	}
	roles := &role.Roles{Changes: changes}
	users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
	w := &world{t: t, db: db, users: users, roles: roles, orgs: &org.Orgs{People: users, Roles: roles}}
	roles.Scopes = w.orgs.Scopes
	all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: users.Move}
	w.write(func(ctx context.Context, c *call.Call) error {
		made, err := all.Create(ctx, c, tenant.New{Name: "Test"})
		w.tenant = made.ID
		return err
	})
	w.write(func(ctx context.Context, c *call.Call) error {
		return all.SetSuffix(ctx, c, tenant.Suffix{Name: w.suffix(), Cds: true})
	})
	return w
}

func (w *world) suffix() string { return "s" + w.tenant + ".test" }

func (w *world) call(tx *dbx.Tx) *call.Call {
	root := &call.Caller{User: "root", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
	return &call.Call{Tenant: call.Tenant{ID: w.tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Caller: root}
}

func (w *world) write(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { return f(w.t.Context(), w.call(tx)) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) of(k number.Kind, id string) (n int64) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) (err error) {
		n, err = number.Of(w.t.Context(), w.call(tx), k, id)
		return err
	})
	if err != nil {
		w.t.Fatal(k, id, err)
	}
	return n
}

// find gives the id behind a number; empty when there is none.
func (w *world) find(k number.Kind, n int64) (id string) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) (err error) {
		id, err = number.Find(w.t.Context(), w.call(tx), k, n)
		return err
	})
	if err != nil && !errors.Is(err, number.ErrNotFound) {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) person(name string) (u user.User) {
	w.t.Helper()
	w.write(func(ctx context.Context, c *call.Call) (err error) {
		u, err = w.users.Create(ctx, c, user.New{Name: name + "@" + w.suffix(), Mail: "m@example.com"})
		return err
	})
	return u
}

// Whatever is made has a number of its own, whoever makes it; a number goes with its object, and does not come again.
func TestNumbersFollowTheirObjects(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		anne := w.person("anne")
		var several []user.User
		var made role.Role
		var unit org.Org
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			news := []user.New{{Name: "bert@" + w.suffix(), Mail: "m@example.com"}, {Name: "cleo@" + w.suffix(), Mail: "m@example.com"}}
			if several, _, err = w.users.Insert(ctx, c, news); err != nil {
				return err
			}
			for i, u := range several {
				if err := w.users.Settle(ctx, c, news[i], u); err != nil {
					return err
				}
			}
			if made, err = w.roles.Create(ctx, c, role.New{Name: "Auditors"}); err != nil {
				return err
			}
			unit, err = w.orgs.Create(ctx, c, org.New{Name: "Sales"})
			return err
		})
		ids := []string{anne.ID, several[0].ID, several[1].ID, made.ID, role.Everybody, role.System, unit.ID}
		kinds := []number.Kind{number.User, number.User, number.User, number.Role, number.Role, number.Role, number.Organization}
		var seen []int64
		for i, id := range ids {
			n := w.of(kinds[i], id)
			if n < 1 || n > number.Max || slices.Contains(seen, n) {
				t.Errorf("%s %s has %d beside %d", kinds[i], id, n, seen)
			}
			if got := w.find(kinds[i], n); got != id {
				t.Errorf("%d is %q, want %q", n, got, id)
			}
			seen = append(seen, n)
		}
		if other := build(t, db); other.find(number.User, seen[0]) != "" || w.find(number.Role, seen[0]) != "" {
			t.Error("a number is found for another tenant, or as another kind")
		}
		err := db.Read(t.Context(), func(tx *dbx.Tx) error {
			c := w.call(tx)
			some, err := number.Some(t.Context(), c, number.User, anne.ID, several[1].ID, made.ID, "none")
			if err != nil || len(some) != 2 || some[anne.ID] != seen[0] || some[several[1].ID] != seen[2] {
				t.Error(some, err)
			}
			objects, err := number.Objects(t.Context(), c, number.User, seen...)
			if err != nil || len(objects) != 3 || objects[seen[1]] != several[0].ID {
				t.Error(objects, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.write(func(ctx context.Context, c *call.Call) error {
			return errors.Join(w.users.Delete(ctx, c, several[1].ID), w.roles.Delete(ctx, c, made.ID), w.orgs.Delete(ctx, c, unit.ID))
		})
		for _, i := range []int{2, 3, 6} {
			if got := w.find(kinds[i], seen[i]); got != "" {
				t.Errorf("%d is still %s", seen[i], got)
			}
		}
		if n := w.of(number.User, w.person("dora").ID); n <= slices.Max(seen) {
			t.Errorf("%d comes after %d", n, seen)
		}
	})
}

// Transactions that make people wait for none of each other's numbers.
func TestMakersDoNotWait(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		if db.Engine() == dbx.SQLite {
			t.Skip("one writer at a time")
		}
		w := build(t, db)
		numbered, done := make(chan bool), make(chan bool)
		var wg sync.WaitGroup
		wg.Go(func() {
			w.write(func(ctx context.Context, c *call.Call) error {
				if err := number.Give(ctx, c, number.User, "open"); err != nil {
					return err
				}
				if _, err := number.Of(ctx, c, number.User, "open"); err != nil {
					return err
				}
				close(numbered)
				<-done
				return nil
			})
		})
		<-numbered
		w.person("meanwhile") // hangs when numbers come from a row that the other has locked
		close(done)
		wg.Wait()
	})
}

// What nodes of an older version make has no number until it is mended.
func TestMend(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		for i := range 600 {
			dbxtest.Orgs(t, db, w.tenant, fmt.Sprintf("o%d", i))
		}
		u := w.person("anne")
		w.write(func(ctx context.Context, c *call.Call) error { return number.Drop(ctx, c, number.User, u.ID) })
		if n, err := number.Mend(t.Context(), db); err != nil || n < 601 {
			t.Fatal(n, err)
		}
		if w.of(number.User, u.ID) == 0 || w.of(number.Organization, "o0") == w.of(number.Organization, "o599") {
			t.Error("not all are numbered")
		}
	})
}
