package acl_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/change"
	"limen/internal/core/collection"
	"limen/internal/core/policy"
	"limen/internal/core/report"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// thing is a table of the tests alone, with rows that carry entries and are in sets: here each role is a thing.
var thing = acl.Table{
	Name: "Thing", Set: true, Direct: true, Exists: true, Govern: []right.Right{right.VaultManagement}, See: []right.Right{right.ReadSystem},
	Bits: []acl.Bit{
		{Name: "View", Mask: acl.View}, {Name: "Edit", Mask: acl.Edit}, {Name: "Delete", Mask: acl.Delete}, {Name: "Grant", Mask: acl.Grant},
		{Name: "Last", Mask: 1 << 63},
	},
	Rows: dbx.L[acl.Row]("acl_test.things", `SELECT id, name, '' AS org, '' AS object FROM role WHERE tenant = ?`),
}

type world struct {
	t      *testing.T
	db     *dbx.DB
	lists  *acl.Lists
	sets   *collection.Sets
	roles  *role.Roles
	users  *user.Directory
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
		reports, err := report.New(db)
		if err != nil {
			t.Fatal(err)
		}
		roles := &role.Roles{Changes: changes}
		lists := &acl.Lists{Roles: roles, Tables: append(acl.Tables(), thing)}
		w := &world{
			t: t, db: db, roles: roles, lists: lists, now: time.Now().Truncate(time.Millisecond),
			sets:  &collection.Sets{Lists: lists, Reports: reports, Policies: &policy.Policies{Roles: roles, Changes: changes}},
			users: &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles},
		}
		w.caller = root()
		all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: w.users.Move}
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

func (w *world) call(tx *dbx.Tx) *call.Call {
	w.event = &call.Event{}
	return &call.Call{Tenant: call.Tenant{ID: w.id}, Now: w.now, Rand: rand.Reader, Tx: tx, Caller: w.caller, Event: w.event}
}

func (w *world) write(want error, f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { return f(w.t.Context(), w.call(tx)) })
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) read(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) error { return f(w.t.Context(), w.call(tx)) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) user(name string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		u, err := w.users.Create(ctx, c, user.New{Name: name + "@" + strings.ToLower(w.id), Everybody: true})
		id = u.ID
		return err
	})
	return id
}

func (w *world) role(name string, members ...role.Member) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		r, err := w.roles.Create(ctx, c, role.New{Name: name})
		id = r.ID
		return errors.Join(err, w.roles.Add(ctx, c, id, members...))
	})
	return id
}

func (w *world) set(object, name string) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		s, err := w.sets.Create(ctx, c, collection.New{Object: object, Name: name})
		id = s.ID
		return err
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

func (w *world) object(table, key string) (o acl.Object) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		t, err := w.lists.Table(table)
		if err != nil {
			return err
		}
		o, err = w.lists.Find(ctx, c, t, key)
		return err
	})
	return o
}

func (w *world) permit(want error, o acl.Object, gs ...acl.Given) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error { return w.lists.Permit(ctx, c, o, gs...) })
}

func (w *world) permitMembers(want error, o acl.Object, gs ...acl.Given) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error { return w.lists.PermitMembers(ctx, c, o, gs...) })
}

func (w *world) shift(want error, set string, add ...string) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		var ms []collection.Member
		for _, key := range add {
			ms = append(ms, collection.Member{Table: thing.Name, Key: key})
		}
		return w.sets.Shift(ctx, c, set, ms, nil)
	})
}

// rights wants somebody's rights on a row to be these, and lists to agree.
func (w *world) rights(userID string, o acl.Object, want acl.Mask) {
	w.t.Helper()
	before := w.caller
	defer func() { w.caller = before }()
	w.as(userID)
	w.read(func(ctx context.Context, c *call.Call) error {
		got, err := w.lists.Rights(ctx, c, o)
		if err != nil {
			return err
		}
		if got != want {
			w.t.Errorf("rights %v, want %v", o.Table.Names(got), o.Table.Names(want))
		}
		seen, err := w.lists.Viewable(ctx, c, o.Table, []string{"nothing", o.ID})
		if err != nil {
			return err
		}
		if len(seen) == 1 != want.Has(acl.View) {
			w.t.Errorf("viewable %v with %v", seen, o.Table.Names(want))
		}
		if o.Table.Name == acl.Collections {
			all, err := w.sets.List(ctx, c, collection.Filter{})
			if err != nil {
				return err
			}
			in := slices.ContainsFunc(all, func(s collection.Set) bool { return s.ID == o.ID })
			if in != want.Has(acl.View) {
				w.t.Errorf("listed %v with %v", in, o.Table.Names(want))
			}
			w.reported(c, o, want.Has(acl.View))
		}
		return nil
	})
}

// reported wants a set to be in reports, or not to be.
func (w *world) reported(c *call.Call, o acl.Object, want bool) {
	w.t.Helper()
	reports, err := report.New(w.db)
	if err != nil {
		w.t.Fatal(err)
	}
	reports.Lists = w.lists
	a, err := reports.Run(w.t.Context(), c, report.Ask{Script: "SELECT ID FROM Sets WHERE ID = '" + o.ID + "'"})
	if err != nil {
		w.t.Fatal(err)
	}
	if (len(a.Rows) == 1) != want {
		w.t.Errorf("a report has %v, want %v", a.Rows, want)
	}
}

func person(id string, m acl.Mask) acl.Given {
	return acl.Given{Kind: role.User, Principal: id, Mask: m}
}

func members(id string, m acl.Mask) acl.Given {
	return acl.Given{Kind: role.Sub, Principal: id, Mask: m}
}

// Rights add up: of entries for oneself and for roles, of sets, and of administrative rights; windows are kept.
func TestRightsAddUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, ben, carl := w.user("anna"), w.user("ben"), w.user("carl")
		inner := w.role("inner", role.Member{Kind: role.User, ID: anna})
		outer := w.role("outer", role.Member{Kind: role.Sub, ID: inner})
		box := w.object("thing", w.role("box"))
		w.rights(anna, box, 0)
		w.permit(nil, box, person(anna, acl.View), members(outer, acl.Edit), members(role.Everybody, 1<<63))
		w.rights(anna, box, acl.View|acl.Edit|1<<63)
		w.rights(ben, box, 1<<63)

		w.permit(nil, box, members(role.Everybody, 0), acl.Given{Kind: role.User, Principal: ben, Mask: acl.View, Since: w.now.Add(time.Hour), Until: w.now.Add(2 * time.Hour)})
		w.rights(ben, box, 0)
		begin := w.now
		w.now = begin.Add(time.Hour)
		w.rights(ben, box, acl.View)
		w.now = begin.Add(2 * time.Hour)
		w.rights(ben, box, 0)

		set := w.object(acl.Collections, w.set("Thing", "Boxes"))
		w.permitMembers(nil, set, person(ben, acl.View|acl.Delete))
		w.rights(ben, box, 0)
		w.shift(nil, set.ID, box.ID, box.ID)
		w.rights(ben, box, acl.View|acl.Delete)
		w.rights(ben, set, 0)
		w.permit(nil, set, members(outer, acl.View))
		w.rights(anna, set, acl.View)

		vault := w.role("vault", role.Member{Kind: role.User, ID: carl})
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.roles.Assign(ctx, c, vault, role.Given{Path: "/lib/rights/monitor.json"})
		})
		w.rights(carl, box, acl.View)
		w.rights(carl, set, acl.View)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.roles.Assign(ctx, c, vault, role.Given{Path: "/lib/rights/vaultman.json"})
		})
		w.rights(carl, box, thing.Full())
		w.rights(carl, set, set.Table.Full())
		users := w.object(acl.Collections, w.set(acl.User, "People"))
		w.rights(carl, users, 0)

		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return errors.Join(w.lists.Gone(ctx, c, anna), w.sets.RowGone(ctx, c, "Thing", box.ID))
		})
		w.rights(anna, box, acl.Edit)
		w.rights(ben, box, 0)
	})
}

// Who changes entries needs Grant, and what changes; who adds to a set needs what the set gives.
func TestOnlyWhatIsHeldIsGiven(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		anna, ben := w.user("anna"), w.user("ben")
		box, set := w.object("Thing", w.role("box")), w.object(acl.Collections, w.set("Thing", "Boxes"))
		w.permit(nil, box, person(anna, acl.View|acl.Edit))
		w.as(anna)
		w.permit(acl.ErrNotHeld, box, person(ben, acl.View))
		w.caller = root()
		until := w.now.Add(time.Hour)
		w.permit(nil, box, acl.Given{Kind: role.User, Principal: anna, Mask: acl.View | acl.Edit | acl.Grant, Until: until}, person(ben, acl.Delete))
		w.as(anna)
		w.permit(acl.ErrNotHeld, box, person(ben, acl.View|acl.Delete))
		w.permit(acl.ErrNotHeld, box, acl.Given{Kind: role.User, Principal: ben, Mask: acl.View | acl.Delete, Until: until})
		w.permit(acl.ErrNotHeld, box, person(ben, 0))
		w.permit(acl.ErrNotHeld, box, acl.Given{Kind: role.User, Principal: anna, Mask: acl.View | acl.Edit | acl.Grant})
		w.caller = root()
		w.permit(nil, box, person(ben, 0))
		w.as(anna)
		w.permit(nil, box, acl.Given{Kind: role.User, Principal: ben, Mask: acl.View | acl.Edit, Until: until})
		if got := w.event.Changes["Permissions"]; !strings.Contains(got.New.(string), "User ben@") || strings.Contains(got.Old.(string), "User ben@") {
			t.Errorf("event %v", got)
		}
		w.permit(acl.ErrPrincipal, box, acl.Given{Kind: role.User, Principal: "nobody", Mask: acl.View, Until: until})
		w.permit(acl.ErrPrincipal, box, acl.Given{Kind: role.Group, Principal: ben, Mask: acl.View, Until: until})
		w.permit(acl.ErrRight, box, person(ben, 1<<20))

		// The set gives Ben what Anna may not give.
		w.caller = root()
		w.permit(nil, set, person(anna, acl.View|acl.Edit|acl.Grant))
		w.permitMembers(nil, set, person(ben, acl.Delete))
		w.as(anna)
		w.shift(acl.ErrNotHeld, set.ID, box.ID)
		w.caller = root()
		w.permitMembers(nil, set, acl.Given{Kind: role.User, Principal: ben, Mask: acl.Edit, Until: until})
		w.as(anna)
		w.shift(nil, set.ID, box.ID)
		w.permitMembers(acl.ErrNotHeld, set, person(ben, acl.Edit|acl.Delete))
		w.permitMembers(acl.ErrNotHeld, set, person(ben, acl.Edit))
		w.permitMembers(nil, set, acl.Given{Kind: role.User, Principal: ben, Mask: acl.Edit | acl.View, Until: until})
		w.as(ben)
		w.permit(acl.ErrNotHeld, set, person(ben, acl.View))
		w.shift(collection.ErrNotFound, set.ID, box.ID)
		w.caller = root()
		w.permit(acl.ErrNoEntries, w.object(acl.User, ben), person(anna, acl.View))
	})
}

// Bits have the contract's values, and names go there and back.
func TestMasks(t *testing.T) {
	of := map[string]acl.Table{}
	for _, x := range acl.Tables() {
		of[x.Name] = x
		for _, b := range x.Bits {
			if m, err := x.Parse(strings.ToUpper(b.Name)); err != nil || m != b.Mask {
				t.Errorf("%s %s: %v %v", x.Name, b.Name, m, err)
			}
		}
		if m, err := x.Parse(strings.Join(x.Names(x.Full()), ",")); err != nil || m != x.Full() || !m.Has(acl.Grant|acl.View|acl.Edit|acl.Delete) {
			t.Errorf("%s: %v %v", x.Name, m, err)
		}
	}
	app := of["Application"]
	if app.Full() != 2147483869 {
		t.Error(app.Full())
	}
	if m, _ := app.Parse(" view, run "); m != 132 || m.Digits() != strings.Repeat("0", 56)+"10000100" {
		t.Error(m, m.Digits())
	}
	if got := strings.Join(app.Names(28), " "); got != "View Admin ViewDetail" {
		t.Error(got)
	}
	if m, err := app.Parse("none"); m != 0 || err != nil {
		t.Error(m, err)
	}
	for _, bad := range []string{"", "Login", "View,", "None,View"} {
		if _, err := app.Parse(bad); !errors.Is(err, acl.ErrRight) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
