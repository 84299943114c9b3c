package org_test

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
	"limen/internal/core/grant"
	"limen/internal/core/org"
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
	orgs   *org.Orgs
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
		roles := &role.Roles{Changes: changes}
		users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
		w := &world{t: t, db: db, roles: roles, users: users, orgs: &org.Orgs{People: users, Roles: roles}, now: time.Now().Truncate(time.Millisecond)}
		roles.Scopes, roles.Deleted = w.orgs.Scopes, append(roles.Deleted, w.orgs.RoleGone)
		users.Gone = append(users.Gone, w.orgs.PersonGone)
		w.caller = &call.Caller{User: "root", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: users.Move}
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			made, err := all.Create(ctx, c, tenant.New{Name: "Test"})
			w.id = made.ID
			return err
		})
		f(t, w)
	})
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

func (w *world) org(want error, name, parent string) (id string) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		o, err := w.orgs.Create(ctx, c, org.New{Name: name, Parent: parent})
		id = o.ID
		return err
	})
	return id
}

func (w *world) change(want error, id string, ch org.Change) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		_, err := w.orgs.Change(ctx, c, id, ch)
		return err
	})
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

func (w *world) role(name, in string, rights ...right.Right) (id string) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		r, err := w.roles.Create(ctx, c, role.New{Name: name, Org: in})
		id = r.ID
		for _, g := range rights {
			err = errors.Join(err, w.roles.Assign(ctx, c, id, role.Given{Path: g.Info().Path}))
		}
		return err
	})
	return id
}

func (w *world) held(userID string) (h right.Held) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		m, err := w.roles.Of(ctx, c, userID)
		h = m.Held
		return err
	})
	return h
}

func (w *world) paths() string {
	var out []string
	w.read(func(ctx context.Context, c *call.Call) error {
		rows, err := w.orgs.List(ctx, c, grant.All())
		out = nil
		for _, r := range rows {
			out = append(out, r.Path)
		}
		return err
	})
	return strings.Join(out, " ")
}

func ptr(s string) *string { return &s }

func person(id string) org.Principal { return org.Principal{Kind: role.User, ID: id} }
func roled(id string) org.Principal  { return org.Principal{Kind: role.Sub, ID: id} }

func TestTree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sales := w.org(nil, "Sales", "")
		east := w.org(nil, " East ", "/sales")
		desk := w.org(nil, "Desk", east)
		it := w.org(nil, "IT", "/")
		w.org(org.ErrNameTaken, "EAST", sales)
		w.org(org.ErrNameTaken, "sales", "")
		w.org(nil, "East", it) // among its siblings only
		w.org(org.ErrNotFound, "x", "/nowhere")
		w.org(fault.ErrBlank, " ", "")
		w.org(fault.ErrInvalid, "a/b", "")
		w.org(fault.ErrInvalid, strings.Repeat("x", 101), "")
		w.change(nil, sales, org.Change{Name: ptr("Vertrieb"), Description: ptr("d")})
		if got := w.paths(); got != "/IT /IT/East /Vertrieb /Vertrieb/East /Vertrieb/East/Desk" {
			t.Error(got)
		}
		w.change(org.ErrCycle, sales, org.Change{Parent: ptr(desk)})
		w.change(org.ErrCycle, sales, org.Change{Parent: ptr(sales)})
		w.change(org.ErrNameTaken, east, org.Change{Parent: ptr("/it")})
		w.change(org.ErrNotFound, "none", org.Change{Name: ptr("x")})
		w.change(nil, east, org.Change{Parent: ptr("IT"), Name: ptr("east two")})
		if got := w.paths(); got != "/IT /IT/East /IT/east two /IT/east two/Desk /Vertrieb" {
			t.Error(got)
		}
		if ch := w.event.Changes["Path"]; ch.Old == ch.New {
			w.change(nil, east, org.Change{Name: ptr("East Two")}) // only the case
		}
		w.write(org.ErrBelow, func(ctx context.Context, c *call.Call) error { return w.orgs.Delete(ctx, c, it) })
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.orgs.Delete(ctx, c, desk) })
		deep := ""
		for range 9 {
			deep = w.org(nil, "d", deep)
		}
		w.org(nil, "d", deep)
		w.change(org.ErrDeep, it, org.Change{Parent: ptr(deep)})
	})
}

func TestRightsReachDownAndNoFurther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		top := w.org(nil, "Top", "")
		mid, side := w.org(nil, "Mid", top), w.org(nil, "Side", top)
		low := w.org(nil, "Low", mid)
		anna, ben := w.user("anna", ""), w.user("ben", mid)
		appoint := func(want error, id string, grants, revokes []org.Principal) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				return w.orgs.Appoint(ctx, c, id, appointees(grants...), revokes)
			})
		}
		permit := func(want error, id string, g, r []org.Held) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error { return w.orgs.Permit(ctx, c, id, g, r) })
		}
		holds := func(who string, want map[string]right.Set) {
			t.Helper()
			if h := w.held(who); h.Tenant != 0 || fmt.Sprint(h.Orgs) != fmt.Sprint(want) && len(h.Orgs)+len(want) > 0 {
				t.Errorf("holds %v over the tenant and %v, want %v", h.Tenant, h.Orgs, want)
			}
		}
		appoint(nil, mid, []org.Principal{person(anna)}, nil)
		appoint(nil, side, []org.Principal{person(anna)}, nil) // several organizations
		all := org.Default()
		holds(anna, map[string]right.Set{mid: all, side: all})
		if h := w.held(anna); h.At(low) != all || h.At(top) != 0 || !h.Over(right.MfaUnlock, low) {
			t.Error("rights do not reach down, or reach up", h)
		}
		holds(ben, nil)
		// Who holds something keeps exactly that as an administrator.
		unlock := []org.Held{{Principal: person(ben), Rights: []right.Right{right.MfaUnlock}}}
		permit(nil, low, unlock, nil)
		appoint(nil, low, []org.Principal{person(ben)}, nil)
		holds(ben, map[string]right.Set{low: right.Of(right.MfaUnlock)})
		permit(nil, low, nil, unlock)
		holds(ben, nil) // taking never gives
		// A moved organization takes along who administers what is above.
		w.change(nil, low, org.Change{Parent: ptr(side)})
		appoint(nil, mid, nil, []org.Principal{person(anna)})
		holds(anna, map[string]right.Set{side: all})
		if h := w.held(anna); h.At(low) != all || h.At(mid) != 0 {
			t.Error("rights do not follow a move", h)
		}
		// Roles: as holders, and by the organization that they belong to.
		desk, inside := w.role("desk", ""), w.role("inside", mid, right.UserManagement)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return errors.Join(w.roles.Add(ctx, c, desk, role.Member{Kind: role.User, ID: ben}), w.roles.Add(ctx, c, inside, role.Member{Kind: role.User, ID: ben}))
		})
		permit(nil, low, []org.Held{{Principal: roled(desk), Rights: []right.Right{right.ReadUsers}}}, nil)
		holds(ben, map[string]right.Set{low: right.Of(right.ReadUsers), mid: right.Of(right.UserManagement)})
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, desk) })
		holds(ben, map[string]right.Set{mid: right.Of(right.UserManagement)})
		// A role's rights do not come loose.
		w.write(org.ErrRoles, func(ctx context.Context, c *call.Call) error { return w.orgs.Delete(ctx, c, mid) })
		// Everybody is nobody to give rights to.
		appoint(org.ErrMember, mid, []org.Principal{roled(role.Everybody)}, nil)
		appoint(org.ErrMember, mid, []org.Principal{person("nobody")}, nil)
		permit(org.ErrRight, mid, []org.Held{{Principal: person(ben), Rights: []right.Right{right.System}}}, nil)
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, anna) })
		w.read(func(ctx context.Context, c *call.Call) error {
			held, err := w.orgs.Permissions(ctx, c, side)
			admins, err2 := w.orgs.Administrators(ctx, c, side)
			if len(held)+len(admins) != 0 {
				t.Error("who is gone still holds", held, admins)
			}
			return errors.Join(err, err2)
		})
	})
}

func appointees(ps ...org.Principal) (out []org.Appointee) {
	for _, p := range ps {
		out = append(out, org.Appointee{Principal: p})
	}
	return out
}

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.org(nil, "A", ""), w.org(nil, "B", "")
		anna, ben, r := w.user("anna", a), w.user("ben", ""), w.role("r", "")
		join := func(want error, id string, add, remove []org.Principal) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				return w.orgs.Join(ctx, c, id, add, remove, role.Term{})
			})
		}
		join(nil, b, []org.Principal{person(anna), person(ben), roled(r)}, nil)
		join(org.ErrElsewhere, a, nil, []org.Principal{person(anna)})
		join(org.ErrMember, a, []org.Principal{person("nobody")}, nil)
		join(org.ErrMember, a, []org.Principal{roled("nobody")}, nil)
		join(role.ErrBuiltIn, a, []org.Principal{roled(role.System)}, nil)
		join(nil, b, nil, []org.Principal{person(ben)})
		w.read(func(ctx context.Context, c *call.Call) error {
			one, err := w.orgs.Get(ctx, c, b)
			roles, err2 := w.orgs.RolesIn(ctx, c, b)
			if one.Members != 1 || len(roles) != 1 || roles[0].ID != r {
				t.Error(one, roles)
			}
			some, err3 := w.orgs.List(ctx, c, grant.Orgs(nil, a))
			if len(some) != 1 || some[0].ID != a {
				t.Error(some)
			}
			return errors.Join(err, err2, err3)
		})
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.orgs.Delete(ctx, c, b) })
		w.read(func(ctx context.Context, c *call.Call) error {
			u, err := w.users.ByID(ctx, c, anna)
			x, err2 := w.roles.Get(ctx, c, r)
			if u.Org != "" || x.Org != "" {
				t.Error("still in an organization that is gone", u.Org, x.Org)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestNobodyRaisesTheirOwnRights(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.org(nil, "A", ""), w.org(nil, "B", "")
		me := w.user("me", a)
		tenantWide, inA, inB := w.role("wide", "", right.UserManagement), w.role("in a", a, right.UserManagement), w.role("in b", b, right.UserManagement)
		holder := w.role("administers b", "")
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return errors.Join(w.orgs.Appoint(ctx, c, a, appointees(person(me)), nil), w.orgs.Appoint(ctx, c, b, appointees(roled(holder)), nil))
		})
		root := w.caller
		w.caller = &call.Caller{User: me, Held: w.held(me)}
		add := func(want error, to string) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				return w.roles.Add(ctx, c, to, role.Member{Kind: role.User, ID: me})
			})
		}
		add(role.ErrNotHeld, tenantWide)
		add(role.ErrNotHeld, inB)
		add(role.ErrNotHeld, holder)
		add(nil, inA)
		give := func(want error, to string, r right.Right) {
			t.Helper()
			w.write(want, func(ctx context.Context, c *call.Call) error {
				return w.roles.Assign(ctx, c, to, role.Given{Path: r.Info().Path})
			})
		}
		give(nil, inA, right.MfaUnlock)
		give(role.ErrNotHeld, inA, right.ReportManagement)
		give(role.ErrNotHeld, inB, right.MfaUnlock)
		give(role.ErrNotHeld, tenantWide, right.MfaUnlock)
		w.write(role.ErrNotHeld, func(ctx context.Context, c *call.Call) error { return w.roles.SetOrg(ctx, c, inA, "") })
		if h := w.held(me); h.Tenant != 0 || slices.Sorted(slices.Values(h.In(right.UserManagement)))[0] != a || len(h.Orgs) != 1 {
			t.Error(h)
		}
		// Stronger is who holds anything elsewhere, by roles or directly.
		w.caller = root
		other, peer, lent := w.user("other", a), w.user("peer", a), w.user("lent", a)
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Change(ctx, c, lent, user.Change{MfaUser: &other})
			return errors.Join(err, w.orgs.Appoint(ctx, c, b, appointees(person(lent)), nil), w.orgs.Appoint(ctx, c, a, appointees(person(peer)), nil))
		})
		w.caller = &call.Caller{User: me, Held: w.held(me)}
		for id, want := range map[string]bool{lent: true, other: true, peer: false} {
			w.read(func(ctx context.Context, c *call.Call) error {
				got, err := w.roles.Stronger(ctx, c, id)
				if got != want {
					t.Errorf("%s: stronger is %v", id, got)
				}
				return err
			})
		}
	})
}
