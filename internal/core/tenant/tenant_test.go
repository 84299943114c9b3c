package tenant_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

type world struct {
	t     *testing.T
	db    *dbx.DB
	all   *tenant.Tenants
	users *user.Directory
	index *tenant.Index
}

// each gives every test a store of its own: Find speaks of the only tenant.
func each(t *testing.T, f func(t *testing.T, w *world)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Fresh(t, e)
			w := &world{t: t, db: db}
			w.all, w.users, w.index = node(t, db)
			f(t, w)
		})
	}
}

// node is one of the servers on a store.
func node(t *testing.T, db *dbx.DB) (*tenant.Tenants, *user.Directory, *tenant.Index) {
	changes := &change.Log{DB: db}
	index := &tenant.Index{DB: db, Changes: changes, Domain: "id.example.com", Port: 8443}
	if err := errors.Join(changes.Poll(t.Context()), index.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	roles := &role.Roles{Changes: changes}
	users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
	return &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: users.Move}, users, index
}

func (w *world) write(want error, id string, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		return f(w.t.Context(), &call.Call{Tenant: call.Tenant{ID: id}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Event: &call.Event{}})
	})
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) create(want error, n tenant.New) (id string) {
	w.t.Helper()
	w.write(want, "", func(ctx context.Context, c *call.Call) error {
		made, err := w.all.Create(ctx, c, n)
		id = made.ID
		return err
	})
	return id
}

func (w *world) find(h tenant.Hint, host string) string {
	w.t.Helper()
	if err := w.all.Changes.Poll(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	got, err := w.index.Find(w.t.Context(), h, host)
	if err != nil {
		return fault.Of(err).Code
	}
	return got.ID + " " + got.Host
}

func TestCreate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.create(nil, tenant.New{Name: "Acme"})
		if !tenant.IsID(id) {
			t.Error(id)
		}
		w.create(nil, tenant.New{ID: "abc1234", Name: "Beta", Suffix: "beta", Hosts: []string{"beta.example.com"}})
		w.create(tenant.ErrTaken, tenant.New{ID: "ABC1234", Name: "Beta"})
		w.create(tenant.ErrSuffixTaken, tenant.New{Name: "Gamma", Suffix: "BETA"})
		w.create(tenant.ErrHostTaken, tenant.New{Name: "Gamma", Hosts: []string{"Beta.Example.com"}})
		w.create(fault.ErrInvalid, tenant.New{ID: "ABC12345", Name: "Gamma"})
		w.create(fault.ErrInvalid, tenant.New{Name: "Gamma", Suffix: "xyz0001"})
		w.create(fault.ErrBlank, tenant.New{Name: " "})
		w.write(nil, id, func(ctx context.Context, c *call.Call) error {
			all, err := w.all.Suffixes(ctx, c)
			if len(all) != 1 || all[0].Name != strings.ToLower(id) || !all[0].Main || !all[0].Cds {
				t.Errorf("%+v", all)
			}
			return err
		})
	})
}

func TestFind(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if got := w.find(tenant.Hint{}, "anything"); got != "tenant.unknown" {
			t.Error("no tenant at all:", got)
		}
		w.create(nil, tenant.New{ID: "AAA0001", Name: "A", Suffix: "a.test", Hosts: []string{"a.example.com", "www.a.net"}})
		a, b := "AAA0001 a.example.com:8443", "BBB0002 b.example.com:8443"
		if got := w.find(tenant.Hint{Login: "x@nowhere"}, "anything"); got != a {
			t.Error("the only tenant:", got)
		}
		w.create(nil, tenant.New{ID: "BBB0002", Name: "B", Suffix: "b.test", Hosts: []string{"b.example.com", "www.b.net"}})
		for _, x := range []struct {
			h          tenant.Hint
			host, want string
		}{
			{tenant.Hint{Tenant: "bbb0002", Login: "x@a.test"}, "a.example.com", b},
			{tenant.Hint{Tenant: "B.example.com"}, "a.example.com", b},
			{tenant.Hint{Tenant: "https://B.example.com:8443/login?x=1"}, "a.example.com", b},
			{tenant.Hint{Tenant: "https://user@b.example.com"}, "a.example.com", b},
			{tenant.Hint{Tenant: "b.example.com/my"}, "a.example.com", b},
			{tenant.Hint{Tenant: "b"}, "a.example.com", b},
			{tenant.Hint{Tenant: "www"}, "a.example.com", "tenant.unknown"},
			{tenant.Hint{Tenant: "ccc0003"}, "a.example.com", "tenant.unknown"},
			{tenant.Hint{Login: "anna@B.TEST"}, "a.example.com:8443", b},
			{tenant.Hint{Login: "anna@elsewhere"}, "b.example.com:8443", b},
			{tenant.Hint{Login: "anna"}, "www.A.net", a},
			{tenant.Hint{}, "elsewhere", "tenant.unknown"},
			{tenant.Hint{}, "", "tenant.unknown"},
		} {
			if got := w.find(x.h, x.host); got != x.want {
				t.Errorf("%+v: %s, want %s", x, got, x.want)
			}
		}
		if got, err := w.index.ByID(t.Context(), "bbb0002"); err != nil || got.ID != "BBB0002" {
			t.Error(got, err)
		}
	})
}

// A node learns of a change that another one made when it polls.
func TestOtherNodes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, other := node(t, w.db)
		w.create(nil, tenant.New{ID: "AAA0001", Name: "A", Suffix: "a.test"})
		if err := other.Changes.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := other.Find(t.Context(), tenant.Hint{Login: "x@a.test"}, ""); err != nil || got.ID != "AAA0001" {
			t.Error(got, err)
		}
	})
}

func TestSuffixes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.create(nil, tenant.New{Name: "A", Suffix: "a.test"})
		other := w.create(nil, tenant.New{Name: "B", Suffix: "b.test"})
		set := func(want error, s tenant.Suffix) {
			t.Helper()
			w.write(want, id, func(ctx context.Context, c *call.Call) error { return w.all.SetSuffix(ctx, c, s) })
		}
		set(nil, tenant.Suffix{Name: "one", Cds: true})
		set(nil, tenant.Suffix{Name: "ONE", Mapped: "corp.example.com"})
		set(tenant.ErrSuffixTaken, tenant.Suffix{Name: "B.test"})
		set(tenant.ErrSuffixMain, tenant.Suffix{Name: "a.test"})
		for _, bad := range []string{"a b", "a/b", "a@b", "abc1234", ".a", "a..b", "a.", strings.Repeat("x", 300), "a\x00"} {
			set(fault.ErrInvalid, tenant.Suffix{Name: bad})
		}
		set(fault.ErrBlank, tenant.Suffix{})
		set(nil, tenant.Suffix{Name: "größe_1+x-y", Cds: true})
		w.write(tenant.ErrSuffixMain, id, func(ctx context.Context, c *call.Call) error { return w.all.DeleteSuffix(ctx, c, "a.test") })
		w.write(tenant.ErrSuffix, id, func(ctx context.Context, c *call.Call) error { return w.all.DeleteSuffix(ctx, c, "b.test") })
		w.write(nil, id, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Create(ctx, c, user.New{Name: "u@GRÖSSE_1+x-y"})
			return err
		})
		w.write(tenant.ErrSuffixUsed, id, func(ctx context.Context, c *call.Call) error { return w.all.DeleteSuffix(ctx, c, "größe_1+x-y") })
		w.write(user.ErrSuffix, id, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Create(ctx, c, user.New{Name: "u@one"}) // stands for another directory
			return err
		})
		w.write(nil, id, func(ctx context.Context, c *call.Call) error { return w.all.DeleteSuffix(ctx, c, "one") })
		if got := w.find(tenant.Hint{Login: "x@a.test"}, ""); got != id+" " { // memory is up to date now
			t.Error(got)
		}
		w.write(tenant.ErrSuffix, other, func(ctx context.Context, c *call.Call) error {
			_, err := w.index.Suffix(ctx, c, "a.test")
			return err
		})
	})
}

func TestRename(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.create(nil, tenant.New{Name: "A", Suffix: "a.test"})
		w.create(nil, tenant.New{Name: "B", Suffix: "b.test"})
		rename := func(want error, from, to string) {
			t.Helper()
			w.write(want, id, func(ctx context.Context, c *call.Call) error {
				return w.all.RenameSuffix(ctx, c, from, tenant.Suffix{Name: to, Cds: true})
			})
		}
		rename(tenant.ErrSuffixTaken, "a.test", "b.test")
		rename(tenant.ErrSuffix, "b.test", "c.test")
		rename(nil, "a.test", "A.Test")
		rename(nil, "a.test", "c.test")
		w.write(nil, id, func(ctx context.Context, c *call.Call) error {
			all, err := w.all.Suffixes(ctx, c)
			if len(all) != 1 || all[0].Name != "c.test" || !all[0].Main {
				t.Errorf("%+v", all)
			}
			return err
		})
	})
}

// A suffix with more users than a transaction changes goes on by Later.
func TestLargeRename(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.create(nil, tenant.New{Name: "A", Suffix: "a.test"})
		const n = tenant.MoveBatch + 3
		for from := 0; from < n; from += 200 {
			w.write(nil, id, func(ctx context.Context, c *call.Call) error {
				for i := from; i < min(from+200, n); i++ {
					if _, err := w.users.Create(ctx, c, user.New{Name: fmt.Sprintf("u%d@a.test", i)}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		later := 0
		w.all.Later = func(context.Context, *call.Call, string, string) error { later++; return nil }
		w.write(nil, id, func(ctx context.Context, c *call.Call) error {
			return w.all.RenameSuffix(ctx, c, "a.test", tenant.Suffix{Name: "b.test", Cds: true})
		})
		for _, want := range []bool{true, true} {
			w.write(nil, id, func(ctx context.Context, c *call.Call) error {
				done, err := w.all.MoveOn(ctx, c, "a.test", "b.test")
				if done != want {
					t.Error("done:", done)
				}
				return err
			})
		}
		w.write(nil, id, func(ctx context.Context, c *call.Call) error {
			all, err := w.all.Suffixes(ctx, c)
			if later != 1 || len(all) != 1 || all[0].Name != "b.test" {
				t.Error(later, all)
			}
			_, err2 := w.users.ByName(ctx, c, "u1002@b.test")
			return errors.Join(err, err2)
		})
	})
}

func TestHosts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.create(nil, tenant.New{ID: "AAA0001", Name: "A", Hosts: []string{"a.example.com"}})
		w.create(nil, tenant.New{Name: "B", Hosts: []string{"b.id.example.com"}})
		add := func(want error, prefix string) {
			t.Helper()
			w.write(want, id, func(ctx context.Context, c *call.Call) error {
				name, err := w.all.AddHost(ctx, c, prefix)
				if err == nil && name != "acme.id.example.com" {
					t.Error(name)
				}
				return err
			})
		}
		add(nil, "ACME")
		for _, bad := range []string{"", "a.b", "-a", "a_b", "ä", strings.Repeat("a", 64)} {
			add(fault.ErrInvalid, bad)
		}
		add(tenant.ErrHostTaken, "www")
		add(tenant.ErrHostTaken, "b")
		do := func(want error, f func(ctx context.Context, c *call.Call) error) { t.Helper(); w.write(want, id, f) }
		do(tenant.ErrHost, func(ctx context.Context, c *call.Call) error { return w.all.Prefer(ctx, c, "b.id.example.com") })
		do(nil, func(ctx context.Context, c *call.Call) error { return w.all.Prefer(ctx, c, "Acme.id.example.com:8443") })
		if got := w.find(tenant.Hint{Tenant: id}, ""); got != "AAA0001 acme.id.example.com:8443" {
			t.Error(got)
		}
		do(tenant.ErrHostSystem, func(ctx context.Context, c *call.Call) error { return w.all.DeleteHost(ctx, c, "a.example.com") })
		do(nil, func(ctx context.Context, c *call.Call) error { return w.all.DeleteHost(ctx, c, "acme.id.example.com") })
		if got := w.find(tenant.Hint{Tenant: id}, ""); got != "AAA0001 a.example.com:8443" {
			t.Error(got)
		}
		do(nil, func(ctx context.Context, c *call.Call) error {
			all, err := w.all.Hosts(ctx, c)
			if len(all) != 1 || !slices.ContainsFunc(all, func(h tenant.Host) bool { return h.Preferred && !h.Custom }) {
				t.Errorf("%+v", all)
			}
			return err
		})
	})
}

func TestOldest(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		oldest := func() string {
			t.Helper()
			if err := w.all.Changes.Poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			id, err := w.index.Oldest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		if id := oldest(); id != "" {
			t.Error("without tenants:", id)
		}
		for i, id := range []string{"XYZ0002", "ABC0001", "XYZ0001"} {
			w.write(nil, "", func(ctx context.Context, c *call.Call) error {
				c.Now = c.Now.Add(time.Duration(i) * time.Hour)
				_, err := w.all.Create(ctx, c, tenant.New{ID: id, Name: "Acme"})
				return err
			})
			if got := oldest(); got != "XYZ0002" {
				t.Error("after", id, "it is", got)
			}
		}
	})
}
