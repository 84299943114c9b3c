package org_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// clock lets a world's organizations turn, by its clock.
func (w *world) clock() {
	w.orgs.DB = w.db
	w.users.Stored = append(w.users.Stored, w.orgs.Stored)
	w.orgs.Act = func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error {
		return w.db.Write(ctx, func(tx *dbx.Tx) error {
			return f(ctx, &call.Call{
				Tenant: call.Tenant{ID: tenant}, Now: w.now, Rand: rand.Reader, Tx: tx, Event: &call.Event{Type: kind},
				Caller: &call.Caller{Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}},
			})
		})
	}
}

func (w *world) turn(later time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(later)
	for range 2 { // a second node finds nothing left to do
		if err := w.orgs.Turn(w.t.Context(), w.now); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) in(what, id, want string) {
	w.t.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		u, err := w.users.ByID(ctx, c, id)
		if u.Org != want {
			w.t.Errorf("%s: in %q, want %q", what, u.Org, want)
		}
		return err
	})
}

// place puts a person into an organization from and until so much later; 0: at once, and for good.
func (w *world) place(want error, in string, from, until time.Duration, ps ...org.Principal) {
	w.t.Helper()
	term := role.Term{Reason: "a project"}
	if from != 0 {
		term.Since = w.now.Add(from)
	}
	if until != 0 {
		term.Until = w.now.Add(until)
	}
	w.write(want, func(ctx context.Context, c *call.Call) error { return w.orgs.Join(ctx, c, in, ps, nil, term) })
}

func TestPeopleReturnFromAnOrganization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock()
		a, b, other := w.org(nil, "A", ""), w.org(nil, "B", ""), w.org(nil, "C", "")
		anna, ben := w.user("anna", a), w.user("ben", "")
		w.place(nil, b, 0, time.Hour, person(anna), person(ben))
		w.in("at once", anna, b)
		w.turn(time.Hour - time.Millisecond)
		w.in("up to the end", anna, b)
		w.turn(time.Millisecond)
		w.in("behind the end", anna, a)
		w.in("who was in none", ben, "")

		w.place(nil, b, time.Hour, 2*time.Hour, person(anna))
		w.in("planned", anna, a)
		w.turn(time.Hour)
		w.in("begun", anna, b)
		w.turn(time.Hour)
		w.in("ended", anna, a)

		w.place(nil, b, time.Hour, 2*time.Hour, person(anna))
		w.turn(3 * time.Hour) // no server ran meanwhile
		w.in("gone by", anna, a)

		w.place(nil, b, time.Hour, 0, person(ben)) // from then on for good
		w.turn(time.Hour)
		w.in("for good", ben, b)
		w.place(org.ErrHome, b, 0, time.Hour, person(ben))

		// From one to another, longer: home stays home.
		w.place(nil, b, 0, time.Hour, person(anna))
		w.place(nil, other, 0, 2*time.Hour, person(anna))
		w.in("elsewhere", anna, other)
		w.turn(time.Hour)
		w.in("still there", anna, other)
		w.place(org.ErrHome, a, 0, time.Hour, person(anna))
		w.turn(time.Hour)
		w.in("home at last", anna, a)

		w.place(org.ErrRoleStay, b, 0, time.Hour, roled(w.role("r", "", right.UserManagement)))
		w.place(org.ErrMember, b, 0, time.Hour, person("nobody"))
	})
}

// What is done meanwhile counts: whoever is moved for good does not return, whoever is taken out returns at once, and nobody
// returns to what is gone.
func TestTimesInAnOrganizationGiveWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock()
		a, b, other := w.org(nil, "A", ""), w.org(nil, "B", ""), w.org(nil, "C", "")
		begin := func(name string) string {
			id := w.user(name, a)
			w.place(nil, b, 0, time.Hour, person(id))
			return id
		}
		moved, joined, left, planned, stayed := begin("moved"), begin("joined"), begin("left"), w.user("planned", a), begin("stayed")
		w.place(nil, b, time.Hour, 2*time.Hour, person(planned))
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			_, err := w.users.Change(ctx, c, moved, user.Change{Org: &other})
			return err
		})
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			return w.orgs.Join(ctx, c, b, []org.Principal{person(joined)}, []org.Principal{person(left), person(planned)}, role.Term{})
		})
		w.in("taken out", left, a)
		w.turn(time.Hour)
		w.in("moved for good", moved, other)
		w.in("joined for good", joined, b)
		w.in("taken back before it began", planned, a)
		w.in("as all others", stayed, a)

		there, homeless := begin("there"), w.user("homeless", other)
		w.place(nil, a, 0, time.Hour, person(homeless))
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.orgs.Delete(ctx, c, b) })
		w.in("the organization is gone", there, a)
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.orgs.Delete(ctx, c, other) })
		w.turn(time.Hour)
		w.in("home is gone", homeless, "")
		w.place(nil, a, time.Hour, 2*time.Hour, person(homeless))
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.users.Delete(ctx, c, homeless) })
		w.turn(3 * time.Hour)
	})
}

// Who administers for a time lends people for no longer, and no time is made longer by them either.
func TestNobodyLendsPeopleForLongerThanTheyMay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock()
		a, b := w.org(nil, "A", ""), w.org(nil, "B", "")
		anna, desk, passing := w.user("anna", a), w.user("desk", ""), w.user("passing", "")
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			if err := w.orgs.Appoint(ctx, c, b, appointees(person(desk)), nil); err != nil {
				return err
			}
			return w.roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: passing, Until: w.now.Add(2 * time.Hour)})
		})
		shell := w.caller
		w.caller = &call.Caller{User: passing, Held: right.Held{Tenant: right.Of(right.System)}}
		w.place(role.ErrNotHeld, b, time.Minute, 0, person(anna))
		w.place(role.ErrNotHeld, b, 0, 3*time.Hour, person(anna))
		w.place(nil, b, 0, time.Hour, person(anna))
		w.in("for as long as they may", anna, b)
		w.place(role.ErrNotHeld, b, 0, 3*time.Hour, person(anna))
		w.caller = shell
		w.place(nil, b, 0, 3*time.Hour, person(anna))
		w.turn(2 * time.Hour)
		w.in("made longer by who may", anna, b)
		w.turn(time.Hour)
		w.in("over", anna, a)
	})
}
