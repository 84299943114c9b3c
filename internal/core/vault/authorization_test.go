package vault

import (
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
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// world is a tenant of its own, with organizations Sales and, below it, East.
type world struct {
	t                   *testing.T
	db                  *dbx.DB
	v                   *Vault
	tenant, sales, east string
	now                 time.Time
	root, caller        *call.Caller
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		changes := &change.Log{DB: db}
		index := &tenant.Index{DB: db, Changes: changes}
		if err := errors.Join(index.Start(t.Context()), changes.Poll(t.Context())); err != nil {
			t.Fatal(err)
		}
		roles := &role.Roles{Changes: changes}
		people := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
		orgs := &org.Orgs{People: people, Roles: roles}
		roles.Scopes, roles.Deleted = orgs.Scopes, append(roles.Deleted, orgs.RoleGone, RoleGone)
		people.Gone = append(people.Gone, Drop, orgs.PersonGone)
		w := &world{t: t, db: db, now: time.Now(), v: &Vault{People: people, Roles: roles, Orgs: orgs, Tenants: index, Throttle: throttle.Throttle{}}}
		w.root = &call.Caller{User: "root", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		w.caller = w.root
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			made, err := (&tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: people.Move}).Create(ctx, c, tenant.New{Name: "Test"})
			w.tenant = made.ID
			return err
		})
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			sales, err := orgs.Create(ctx, c, org.New{Name: "Sales"})
			if err != nil {
				return err
			}
			east, err := orgs.Create(ctx, c, org.New{Name: "East", Parent: sales.ID})
			w.sales, w.east = sales.ID, east.ID
			return err
		})
		f(t, w)
	})
}

func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		return f(w.t.Context(), &call.Call{
			Tenant: call.Tenant{ID: w.tenant}, Now: w.now, Rand: rand.Reader, Tx: tx, Caller: w.caller, Event: &call.Event{}, Grant: grant.All(),
		})
	})
	if !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) user(name, in string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		u, err := w.v.People.Create(ctx, c, user.New{Name: name + "@" + strings.ToLower(w.tenant), Org: in})
		id = u.ID
		return err
	})
	return id
}

// as lets somebody call from now on, with what they hold now.
func (w *world) as(id string) {
	w.t.Helper()
	w.caller = w.root
	if id == "" {
		return
	}
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		m, err := w.v.Roles.Of(ctx, c, id)
		w.caller = &call.Caller{User: id, Means: call.BySession, Roles: m.Roles, Held: m.Held}
		return err
	})
}

// give makes the authorizations of somebody those given.
func (w *world) give(want error, id string, names ...string) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		u, err := w.v.People.ByID(ctx, c, id)
		if err != nil {
			return err
		}
		return w.v.authorize(ctx, c, u, names)
	})
}

// has wants somebody to have authorizations.
func (w *world) has(id string, want ...string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		m, err := w.v.memberships(ctx, c, id)
		if got := m.authorizations(id); err == nil && !slices.Equal(got, append([]string{}, want...)) {
			w.t.Errorf("%v, want %v", got, want)
		}
		return err
	})
}

// holds says which rights somebody holds over an organization.
func (w *world) holds(id, in string, r right.Right) (yes bool) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		m, err := w.v.Roles.Of(ctx, c, id)
		yes = m.Held.Over(r, in)
		return err
	})
	return yes
}

// standing gives the role that stands for an authorization in an organization.
func (w *world) standing(name, in string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) (err error) {
		ids, err := stands.All(ctx, c.Tx, c.Tenant.ID, name, in)
		if err == nil && len(ids) == 1 {
			id = ids[0]
		}
		return err
	})
	if id == "" {
		w.t.Fatalf("nothing stands for %s in %q", name, in)
	}
	return id
}

// An authorization is the membership in one role of the person's organization, made once, and reaches what is there and below.
func TestAuthorize(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, bert := w.user("anna", w.sales), w.user("bert", w.sales)
		w.give(nil, anna, "AuditUsers", "ResetUsersPasswords")
		w.give(nil, bert, "AuditUsers")
		w.has(anna, "AuditUsers", "ResetUsersPasswords")
		w.has(bert, "AuditUsers")
		for in, want := range map[string]bool{w.sales: true, w.east: true, "": false} {
			if got := w.holds(anna, in, right.PasswordReset); got != want {
				t.Errorf("over %q: %v", in, got)
			}
		}
		w.give(nil, anna, "AuditUsers")
		w.has(anna, "AuditUsers")
		if w.holds(anna, w.sales, right.PasswordReset) {
			t.Error("what was taken is held")
		}
		of := w.standing("AuditUsers", w.sales)
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.v.Roles.Delete(ctx, c, of) })
		w.has(anna)
		w.give(nil, anna, "AuditUsers") // by a new role
		w.has(anna, "AuditUsers")
	})
}

// Who moves gets the authorizations at the new place, and loses them at the old one.
func TestAuthorizeMoved(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.user("anna", w.sales)
		w.give(nil, anna, "ResetUsersPasswords")
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			_, err := w.v.People.Change(ctx, c, anna, user.Change{Org: &w.east})
			return err
		})
		w.give(nil, anna, "ResetUsersPasswords")
		w.has(anna, "ResetUsersPasswords")
		if w.holds(anna, w.sales, right.PasswordReset) || !w.holds(anna, w.east, right.PasswordReset) {
			t.Error("the authorization stayed behind")
		}
	})
}

// Nobody gives or takes what they do not have.
func TestAuthorizeNotHeld(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		lead, anna, outside := w.user("lead", w.sales), w.user("anna", w.east), w.user("outside", "")
		w.give(nil, lead, "AddUpdateUsers", "AuditUsers")
		w.give(nil, outside, "AuditUsers")
		w.as(lead)
		w.give(nil, anna, "AuditUsers")
		w.has(anna, "AuditUsers")
		w.give(ErrNotGiven, anna, "AuditUsers", "ResetUsersPasswords") // which the right for users holds, and the authorization does not
		w.give(ErrNotGiven, anna, "BackupAllSafes")
		w.give(ErrNotGiven, outside)
		w.give(nil, anna)
		w.has(anna)
		w.as("")
		w.has(outside, "AuditUsers")
	})
}

// Somebody has given rights to the role that stands for an authorization: whoever has the authorization alone, by another role, does not
// hand these on.
func TestAuthorizeWidened(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		lead, first, anna := w.user("lead", ""), w.user("first", w.sales), w.user("anna", w.sales)
		w.give(nil, lead, "AddUpdateUsers", "AuditUsers")
		w.give(nil, first, "AuditUsers") // by which the role of Sales is there
		of := w.standing("AuditUsers", w.sales)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.v.Roles.Assign(ctx, c, of, role.Given{Path: right.ReportManagement.Info().Path})
		})
		w.as(lead)
		w.give(role.ErrNotHeld, anna, "AuditUsers")
		w.has(anna)
		if w.holds(anna, w.sales, right.ReportManagement) {
			t.Error("a right that nobody who held it gave")
		}
		w.as("")
		w.give(nil, anna, "AuditUsers")
		w.has(anna, "AuditUsers")
	})
}

// System administrators have all authorizations, and keep them.
func TestAuthorizeSystem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna := w.user("anna", "")
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.v.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: anna})
		})
		w.has(anna, every...)
		w.give(nil, anna)
		w.has(anna, every...)
	})
}
