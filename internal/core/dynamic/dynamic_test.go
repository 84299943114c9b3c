package dynamic_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/dynamic"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
)

var errDeath = fault.New(fault.Invalid, "script.died", "The script ended the process that it ran in.")

// TestOnlyReadersRun changes one attribute of one person: of two scripts the one that reads it runs, once, for that person.
func TestOnlyReadersRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(5)
		sales, third := w.set("Sales", having("department_", "Sales")), w.set("Third", having("floor_", "3"))
		if got := w.settle(); got["Sales"] != 5 || got["Third"] != 5 {
			t.Errorf("at first: %v", got)
		}
		w.put(ids[1], "department_", "Sales")
		if got := w.settle(); got["Sales"] != 1 || got["Third"] != 0 {
			t.Errorf("after a change of department: %v", got)
		}
		w.put(ids[2], "FLOOR_", "3")
		if got := w.settle(); got["Sales"] != 0 || got["Third"] != 1 {
			t.Errorf("after a change of floor: %v", got)
		}
		w.put(ids[2], "floor_", "3") // the same again may be noted, and changes nothing
		w.settle()
		w.want(sales, ids[1])
		w.want(third, ids[2])
		w.write(func(ctx context.Context, c *call.Call) error {
			mail := "new@example.com"
			_, err := w.people.Change(ctx, c, ids[0], user.Change{Mail: &mail})
			return err
		})
		if got := w.settle(); len(got) != 0 {
			t.Errorf("after a change that nobody reads: %v", got)
		}
		if n := w.count(audit.RoleMembers); n != 2 {
			t.Errorf("%d events of members", n)
		}
	})
}

// TestBatches has everybody judged a hundred at a time, each once, and goes on where another server stopped.
func TestBatches(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(250)
		r := w.set("All", func(dynamic.Person) (bool, []string, error) { return true, nil, nil })
		for range 2 {
			if _, err := w.scripts.Turn(t.Context(), w.tenant); err != nil {
				t.Fatal(err)
			}
		}
		w.mu.Lock()
		at, runs := w.of(r).Judged, w.runs["All"]
		w.mu.Unlock()
		if at == "" || runs < 200 { // the people themselves are due too, as they are new
			t.Errorf("after two batches the pass is at %q, and %d were judged", at, runs)
		}
		w.settle()
		if is := w.of(r); is.Done != is.Wanted || is.Pass != 0 || is.Judged != "" {
			t.Errorf("the pass has not ended: %+v", is)
		}
		for _, n := range w.sizes {
			if n > 100 {
				t.Errorf("a batch has %d people", n)
			}
		}
		w.want(r, ids...)
		w.sizes = nil
		w.write(func(ctx context.Context, c *call.Call) error { return w.scripts.Set(ctx, c, r, "All") })
		if got := w.settle(); got["All"] != 250 || !slices.Equal(w.sizes, []int{100, 100, 50}) {
			t.Errorf("a pass judged %v in batches of %v", got, w.sizes)
		}
	})
}

// TestWishesGather has many changes of nobody in particular ask for one pass, and a wish that comes during a pass for another.
func TestWishesGather(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.many(3)
		r := w.set("Staff", func(dynamic.Person) (bool, []string, error) { return false, []string{"(roles)"}, nil })
		w.settle()
		moved := func() {
			w.write(func(ctx context.Context, c *call.Call) error { return w.scripts.Moved(ctx, c, "") })
		}
		for range 5 {
			moved()
		}
		if got := w.settle(); got["Staff"] != 3 {
			t.Errorf("five changes: %v", got)
		}
		moved()
		w.mu.Lock()
		w.meddle = moved
		w.mu.Unlock()
		if got := w.settle(); got["Staff"] != 6 {
			t.Errorf("a change during the pass: %v", got)
		}
		if is := w.of(r); is.Done != is.Wanted {
			t.Errorf("%+v", is)
		}
	})
}

// TestFailureKeepsMembersAndIsTriedAgain has a script fail for one person of a batch.
func TestFailureKeepsMembersAndIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(3)
		w.put(ids[0], "department_", "Sales")
		r := w.set("Sales", having("department_", "Sales"))
		w.settle()
		w.want(r, ids[0])
		broken := true
		w.code["Sales"] = func(p dynamic.Person) (bool, []string, error) {
			if p.ID == ids[0] && broken {
				return false, []string{"department_"}, errors.New("no luck")
			}
			return p.Properties["department_"] == "Sales", []string{"department_"}, nil
		}
		w.put(ids[0], "department_", "Law")
		w.put(ids[1], "department_", "Sales")
		w.settle()
		w.want(r, ids[0], ids[1])
		is := w.of(r)
		if !strings.Contains(is.Error, "no luck") || is.Wanted == is.Done || is.Tries != 1 {
			t.Errorf("nothing follows the failure: %+v", is)
		}
		if len(w.told) != 1 || w.count(audit.RoleScriptFail) != 1 {
			t.Errorf("administrators were told %q", w.told)
		}
		w.soon(r)
		w.settle()
		if is = w.of(r); is.Error == "" || is.Tries != 2 || len(w.told) != 1 {
			t.Errorf("after the second failure: %+v, told %q", is, w.told)
		}
		broken = false
		w.soon(r)
		w.settle()
		if is = w.of(r); is.Error != "" || is.Tries != 0 || is.Wanted != is.Done {
			t.Errorf("after the failure has passed: %+v", is)
		}
		w.want(r, ids[1])
	})
}

// soon lets the pass that follows a failure come at once.
func (w *world) soon(r role.Role) {
	w.t.Helper()
	if _, err := w.db.SQL().Exec(strings.NewReplacer("$t", w.tenant, "$r", r.ID).Replace(`UPDATE role_script SET due = 0 WHERE tenant = '$t' AND role = '$r'`)); err != nil {
		w.t.Fatal(err)
	}
}

// TestDeathIsOnePersons has a script end its process for one person: everybody else of the batch is judged.
func TestDeathIsOnePersons(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(100)
		r := w.set("All", func(p dynamic.Person) (bool, []string, error) {
			if p.ID == ids[37] {
				return false, nil, errDeath
			}
			return true, nil, nil
		})
		w.settle()
		w.want(r, slices.Delete(slices.Clone(ids), 37, 38)...)
		if is := w.of(r); is.Error == "" {
			t.Error("nobody hears of it")
		}
	})
}

// TestOutage has scripts be unavailable when everybody is to be judged: it is noted, administrators are told once, and when
// scripts run again everybody is judged.
func TestOutage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(2)
		w.fail = fault.New(fault.Unavailable, "script.off", "Scripts cannot run here.")
		w.put(ids[0], "department_", "Sales")
		r := w.set("Sales", having("department_", "Sales"))
		other := w.set("Other", having("floor_", "3"))
		for range 3 {
			w.scripts.Serve(t.Context(), w.tenant)
			if until := w.scripts.Rests(w.tenant); !until.After(time.Now()) {
				t.Error("it is tried again at once")
			}
		}
		for _, r := range []role.Role{r, other} {
			if is := w.of(r); is.Error != "Scripts cannot run here." || is.Wanted == is.Done {
				t.Errorf("%+v", is)
			}
		}
		if len(w.told) != 1 {
			t.Errorf("administrators were told %q", w.told)
		}
		w.want(r)
		w.fail = nil
		w.settle()
		w.want(r, ids[0])
		if is := w.of(r); is.Error != "" || is.Wanted != is.Done {
			t.Errorf("after the outage: %+v", is)
		}
	})
}

// TestChangeDuringTheRun has a person change while scripts judge them: in a way that matters, and in one that does not.
func TestChangeDuringTheRun(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(1)
		r := w.set("Sales", having("department_", "Sales"))
		w.settle()
		for _, column := range []string{"department_", "floor_"} {
			w.put(ids[0], "department_", "Law")
			w.settle()
			w.write(func(ctx context.Context, c *call.Call) error { return w.scripts.Set(ctx, c, r, "Sales") })
			if column == "floor_" {
				w.put(ids[0], "department_", "Sales")
			}
			w.mu.Lock()
			w.meddle = func() { w.put(ids[0], column, "Sales") }
			w.mu.Unlock()
			w.settle()
			w.want(r, ids[0])
		}
	})
}

// TestWindowsOpenAndClose has a script ask for a static role whose membership was there before the script, and ends.
func TestWindowsOpenAndClose(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(1)
		var staff role.Role
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			if staff, err = w.roles.Create(ctx, c, role.New{Name: "Staff"}); err != nil {
				return err
			}
			return w.roles.Add(ctx, c, staff.ID, role.Member{Kind: role.User, ID: ids[0], Until: c.Now.Add(700 * time.Millisecond)})
		})
		r := w.set("Working", func(p dynamic.Person) (bool, []string, error) {
			return slices.Contains(p.Roles, staff.ID), []string{"(roles)"}, nil
		})
		w.settle()
		w.want(r, ids[0])
		for end := time.Now().Add(10 * time.Second); len(w.members(r)) > 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			w.settle()
		}
		w.want(r)
	})
}

// TestSpellingOfNewColumns has a script ask for an attribute before there is one, in its own spelling.
func TestSpellingOfNewColumns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(1)
		r := w.set("Leads", func(p dynamic.Person) (bool, []string, error) {
			return p.Properties["lead_"] == true, []string{"LEAD_"}, nil
		})
		w.settle()
		w.write(func(ctx context.Context, c *call.Call) error {
			return w.attributes.Replace(ctx, c, []attribute.Column{{Name: "lead_", Type: attribute.Bool}})
		})
		w.settle()
		w.put(ids[0], "lead_", true)
		w.settle()
		w.want(r, ids[0])
	})
}

// TestClock has a script that reads the time judge everybody by the hour, and others not.
func TestClock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.many(2)
		w.set("Hours", func(dynamic.Person) (bool, []string, error) { return true, []string{"(clock)"}, nil })
		w.set("Sales", having("department_", "Sales"))
		w.settle()
		if err := w.scripts.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.settle(); got["Hours"] != 2 || got["Sales"] != 0 {
			t.Error(got)
		}
	})
}

// TestDeletedMidway deletes a person, and the role, while the script judges.
func TestDeletedMidway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(3)
		always := func(dynamic.Person) (bool, []string, error) { return true, nil, nil }
		r := w.set("All", always)
		w.mu.Lock()
		w.meddle = func() {
			w.write(func(ctx context.Context, c *call.Call) error { return w.people.Delete(ctx, c, ids[1]) })
		}
		w.mu.Unlock()
		w.settle()
		w.want(r, ids[0], ids[2])
		gone := w.set("Gone", always)
		w.mu.Lock()
		w.meddle = func() {
			w.write(func(ctx context.Context, c *call.Call) error { return w.roles.Delete(ctx, c, gone.ID) })
		}
		w.mu.Unlock()
		w.settle()
		if is := w.of(gone); is.Revision != 0 {
			t.Errorf("%+v", is)
		}
	})
}
