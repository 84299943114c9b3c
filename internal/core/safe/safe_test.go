package safe_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/grant"
	"limen/internal/core/key"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

type world struct {
	t      *testing.T
	db     *dbx.DB
	safes  *safe.Safes
	roles  *role.Roles
	users  *user.Directory
	orgs   *org.Orgs
	id     string
	now    time.Time
	caller *call.Caller
	event  *call.Event
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		index := &tenant.Index{DB: db, Changes: changes}
		if err := errors.Join(index.Start(t.Context()), changes.Poll(t.Context())); err != nil {
			t.Fatal(err)
		}
		roles := &role.Roles{Changes: changes}
		users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
		w := &world{
			t: t, db: db, roles: roles, users: users, orgs: &org.Orgs{People: users, Roles: roles}, now: time.Now().Truncate(time.Millisecond),
		}
		master, err := crypt.NewMaster(bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		keys := key.Keys{DB: db}
		w.safes = &safe.Safes{Roles: roles, Ring: &crypt.Ring{Master: master, Load: keys.Seals, Store: keys.AddSeal, Now: time.Now}}
		roles.Scopes, roles.Deleted = w.orgs.Scopes, append(roles.Deleted, w.orgs.RoleGone, safe.Gone)
		users.Gone = append(users.Gone, w.orgs.PersonGone, safe.Gone)
		w.orgs.Gone = append(w.orgs.Gone, safe.OrgGone)
		w.caller = root()
		all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: users.Move}
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			made, err := all.Create(ctx, c, tenant.New{Name: "Test"})
			w.id = made.ID
			return err
		})
		f(t, w)
	})
}

func root() *call.Caller {
	return &call.Caller{User: "root", Held: right.Held{Tenant: right.Of(right.System)}, Means: call.ByShell}
}

// granted is what the rule of operations on safes allows a caller.
func granted(c *call.Caller) grant.Grant {
	if c.Held.Everywhere(right.VaultManagement) {
		return grant.All()
	}
	return grant.Orgs(c.Held.Tree, c.Held.In(right.VaultManagement)...)
}

func (w *world) call(tx *dbx.Tx) *call.Call {
	w.event = &call.Event{}
	return &call.Call{Tenant: call.Tenant{ID: w.id}, Now: w.now, Rand: rand.Reader, Tx: tx, Caller: w.caller, Event: w.event, Grant: granted(w.caller)}
}

func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(context.Background(), func(tx *dbx.Tx) error { return f(context.Background(), w.call(tx)) })
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) read(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	if err := w.db.Read(context.Background(), func(tx *dbx.Tx) error { return f(context.Background(), w.call(tx)) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) org(name string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		o, err := w.orgs.Create(ctx, c, org.New{Name: name})
		id = o.ID
		return err
	})
	return id
}

func (w *world) user(name, in string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		u, err := w.users.Create(ctx, c, user.New{Name: name + "@" + strings.ToLower(w.id), Org: in})
		id = u.ID
		return err
	})
	return id
}

func (w *world) role(name, in string, members ...role.Member) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		r, err := w.roles.Create(ctx, c, role.New{Name: name, Org: in})
		id = r.ID
		return errors.Join(err, w.roles.Add(ctx, c, id, members...))
	})
	return id
}

// manager is a person who holds Vault Management over an organization, or over the tenant; until when: zero is without end.
func (w *world) manager(name, over string, until time.Time) (id string) {
	w.t.Helper()
	id = w.user(name, over)
	r := w.role(name+" role", over, role.Member{Kind: role.User, ID: id, Until: until})
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		return w.roles.Assign(ctx, c, r, role.Given{Path: right.VaultManagement.Info().Path})
	})
	return id
}

// as makes somebody the caller, with what they hold by now.
func (w *world) as(userID string) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		m, err := w.roles.Of(ctx, c, userID)
		w.caller = &call.Caller{User: userID, Roles: m.Roles, Held: m.Held}
		return err
	})
}

func (w *world) create(want error, in string, n safe.Settings) (s safe.Safe) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) (err error) {
		s, err = w.safes.Create(ctx, c, in, n)
		return err
	})
	return s
}

func (w *world) change(want error, name string, n safe.Settings) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		_, err := w.safes.Change(ctx, c, name, n, anySafe)
		return err
	})
}

func anySafe(safe.Safe) error     { return nil }
func anyMember(safe.Member) error { return nil }

func (w *world) add(want error, name, kind, who string, g safe.Given) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		_, err := w.safes.Add(ctx, c, name, kind, who, g)
		return err
	})
}

// sees wants the caller to list safes and to find the same ones singly.
func (w *world) sees(names ...string) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		var got []string
		p := safe.Pick{Order: []dbx.Order{{Column: "name_key"}}, Limit: 1}
		for { // page by page
			rows, err := w.safes.Pick(ctx, c, c.Grant, p)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			got = append(got, rows[0].Name)
			p.After = rows[0].Column(p.Order)
		}
		n, err := w.safes.Picked(ctx, c, c.Grant, dbx.Clause{})
		if err != nil {
			return err
		}
		p = safe.Pick{Order: p.Order, Offset: int64(len(names)) - 1, Limit: 10}
		last, err := w.safes.Pick(ctx, c, c.Grant, p)
		if !slices.Equal(got, names) || int(n) != len(names) || len(names) > 0 && (len(last) != 1 || last[0].Name != names[len(names)-1]) {
			w.t.Errorf("%v, %d of them, %v at the end; want %v", got, n, last, names)
		}
		for _, name := range []string{"North", "South", "Tenant"} {
			_, err := w.safes.Find(ctx, c, strings.ToUpper(name))
			if found := err == nil; found != slices.Contains(names, name) || err != nil && !errors.Is(err, safe.ErrNotFound) {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		return err
	})
}

func TestSafes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		north, south := w.org("North"), w.org("South")
		all, here := w.manager("all", "", time.Time{}), w.manager("here", north, time.Time{})
		anna, berta := w.user("anna", north), w.user("berta", south)
		w.as(all)
		w.create(nil, "", safe.Settings{Name: "Tenant"})
		w.create(nil, south, safe.Settings{Name: "South", Owner: berta})
		w.sees("South", "Tenant")
		w.as(here)
		w.sees()
		w.create(safe.ErrDenied, south, safe.Settings{Name: "x"})
		w.create(safe.ErrDenied, "", safe.Settings{Name: "x"})
		w.create(safe.ErrOwner, north, safe.Settings{Name: "x", Owner: berta})
		w.create(safe.ErrNameTaken, north, safe.Settings{Name: "tenant"})
		for _, name := range []string{"", " x", "a/b", "a\nb", "a:b", "a.b", strings.Repeat("x", 29), "\xff"} {
			w.create(safe.ErrName, north, safe.Settings{Name: name})
		}
		w.create(safe.ErrText, north, safe.Settings{Name: "x", Description: strings.Repeat("x", 101)})
		w.create(safe.ErrRetention, north, safe.Settings{Name: "x", Retention: 3651})
		w.create(nil, north, safe.Settings{Name: "North", Owner: "ANNA@" + strings.ToLower(w.id), Retention: 3})
		w.sees("North")
		w.change(safe.ErrNotFound, "South", safe.Settings{Name: "Mine"})
		w.as(anna) // who holds nothing but what she owns
		w.sees("North")
		w.change(nil, "north", safe.Settings{Name: "North", Description: "hers"})
		w.change(safe.ErrOwner, "north", safe.Settings{Name: "North", Owner: berta})
		w.as(berta)
		w.sees("South")
		w.as(all)
		w.change(nil, "North", safe.Settings{Name: "North", Owner: berta})
		if ch := w.event.Changes; ch["Owner"].Old == ch["Owner"].New || ch["Description"].Old != "hers" {
			t.Errorf("%+v", ch)
		}
		w.as(anna)
		w.sees()
		w.as(berta)
		w.sees("North", "South")
		w.caller = root()
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, berta) })
		w.as(all)
		w.sees("North", "South", "Tenant")
		w.read(func(ctx context.Context, c *call.Call) error {
			v, err := w.safes.Find(ctx, c, "South")
			if v.Owner != "" || v.Rights.Has(safe.RetrieveAccounts) || !v.Leads {
				t.Errorf("%+v", v)
			}
			return err
		})
		w.as(here)
		w.write(safe.ErrNotFound, func(ctx context.Context, c *call.Call) error { return w.safes.Delete(ctx, c, "South", anySafe) })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.safes.Delete(ctx, c, "North", anySafe) })
		w.sees()
		w.caller = root()
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			if err := w.users.Delete(ctx, c, here); err != nil {
				return err
			}
			return safe.OrgGone(ctx, c, south)
		})
		w.as(all)
		w.read(func(ctx context.Context, c *call.Call) error {
			v, err := w.safes.Find(ctx, c, "South")
			if v.Org != "" {
				t.Errorf("%+v", v)
			}
			return err
		})
	})
}

// Tenants have nothing of each other's safes.
func TestTenantsAreApart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.as(w.manager("all", "", time.Time{}))
		w.create(nil, "", safe.Settings{Name: "Tenant"})
		w.sees("Tenant")
		id := w.id
		w.id = "OTHER"
		w.sees()
		w.id = id
		w.sees("Tenant")
	})
}

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		north := w.org("North")
		all, here := w.manager("all", "", time.Time{}), w.manager("here", north, w.now.Add(time.Hour))
		anna, berta, carla := w.user("anna", north), w.user("berta", north), w.user("carla", "")
		club := w.role("club", north, role.Member{Kind: role.User, ID: berta, Until: w.now.Add(time.Hour)})
		w.as(all)
		w.create(nil, north, safe.Settings{Name: "North", Owner: anna})
		w.as(berta)
		w.add(safe.ErrNotFound, "North", role.User, berta, safe.Given{Rights: safe.ListAccounts})
		w.as(here)
		w.add(safe.ErrPrincipal, "North", role.User, carla, safe.Given{Rights: safe.ListAccounts})
		w.add(safe.ErrPrincipal, "North", role.Sub, "nothing", safe.Given{Rights: safe.ListAccounts})
		w.add(safe.ErrNothing, "North", role.User, berta, safe.Given{})
		w.add(safe.ErrRight, "North", role.User, berta, safe.Given{Rights: 1 << 40})
		w.add(safe.ErrUntil, "North", role.User, berta, safe.Given{Rights: safe.ListAccounts, Until: w.now.UnixMilli()})
		w.add(safe.ErrNotHeld, "North", role.User, berta, safe.Given{Rights: safe.ListAccounts}) // who administers for an hour
		w.add(nil, "North", role.User, berta, safe.Given{Rights: safe.ListAccounts, Until: w.now.Add(time.Hour).UnixMilli()})
		w.add(safe.ErrMember, "North", role.User, berta, safe.Given{Rights: safe.ListAccounts, Until: w.now.Add(time.Hour).UnixMilli()})
		w.as(berta)
		w.sees("North")
		w.add(safe.ErrDenied, "North", role.User, berta, safe.Given{Rights: safe.AddAccounts})
		w.read(func(ctx context.Context, c *call.Call) error {
			n, err := w.safes.CountMembers(ctx, c, c.Grant, dbx.Clause{})
			if n != 0 {
				t.Errorf("%d members are told to who may not see them", n)
			}
			if _, err := w.safes.Member(ctx, c, "North", anna); !errors.Is(err, safe.ErrNoMember) {
				t.Error(err)
			}
			return err
		})
		w.as(all)
		w.add(nil, "North", role.Sub, club, safe.Given{Rights: safe.ManageSafeMembers | safe.UseAccounts})
		w.as(berta) // who manages the members by the role, for an hour
		put := func(want error, who string, g safe.Given) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				_, err := w.safes.Put(ctx, c, "North", who, g, anyMember)
				return err
			})
		}
		soon := w.now.Add(time.Hour).UnixMilli()
		put(safe.ErrNotHeld, berta, safe.Given{Rights: safe.ListAccounts | safe.RetrieveAccounts, Until: soon})
		put(safe.ErrNotHeld, berta, safe.Given{Rights: safe.ListAccounts | safe.UseAccounts})
		put(safe.ErrNotHeld, berta, safe.Given{Rights: safe.UseAccounts}) // which the role gives her for an hour
		put(nil, "BERTA@"+strings.ToLower(w.id), safe.Given{Rights: safe.ListAccounts | safe.UseAccounts, Until: soon})
		put(safe.ErrOwns, anna, safe.Given{Rights: safe.ListAccounts, Until: soon})
		put(safe.ErrNoMember, carla, safe.Given{Rights: safe.ListAccounts, Until: soon})
		w.read(func(ctx context.Context, c *call.Call) error {
			ms, err := w.safes.Members(ctx, c, c.Grant, safe.Pick{Order: []dbx.Order{{Column: "safe_key"}, {Column: "who_key"}, {Column: "kind"}, {Column: "principal"}}, Limit: 10})
			var told []string
			for _, m := range ms {
				told = append(told, strings.Split(m.Name, "@")[0]+": "+m.Rights().String())
			}
			if got := strings.Join(told[1:], "; "); len(ms) != 3 || ms[0].Rights() != safe.Full || got != "berta: UseAccounts ListAccounts; club: UseAccounts ManageSafeMembers" {
				t.Errorf("%v", told)
			}
			return err
		})
		w.now = w.now.Add(2 * time.Hour) // when what she was given has ended, and her time in the role
		w.as(berta)
		w.sees()
		w.as(all)
		w.read(func(ctx context.Context, c *call.Call) error {
			if m, err := w.safes.Member(ctx, c, "North", berta); !errors.Is(err, safe.ErrNoMember) {
				t.Errorf("%+v %v", m, err)
			}
			return nil
		})
		w.now = w.now.Add(-2 * time.Hour)
		w.as(berta)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.safes.Remove(ctx, c, "North", berta, anyMember)
		})
		w.as(berta)
		w.sees("North")
		w.caller = root()
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, club) })
		w.as(berta)
		w.sees()
	})
}
