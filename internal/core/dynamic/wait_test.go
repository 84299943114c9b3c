package dynamic_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/dynamic"
	"limen/internal/core/role"
)

// spent says that there is no time left for a while.
func spent(after int) error { return dynamic.ErrShare.RetryAfter(after) }

// dry has the time of the tenant's scripts be used up after the next batch.
func (w *world) dry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.runs)
	w.meddle = func() { w.fail = spent(20) }
}

// TestWhoChangesWaitsForTime has the time of a tenant's scripts be used up after the first of two: the tenant rests for as long as
// the engine says; then the other one judges who waits, and nobody else, and the first one is not asked again.
func TestWhoChangesWaitsForTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(3)
		a, b := w.set("A", having("department_", "Sales")), w.set("B", having("department_", "Sales"))
		w.settle()
		w.put(ids[0], "department_", "Sales")
		w.put(ids[1], "floor_", "3") // matters to nobody, and does not wait
		w.dry()
		w.scripts.Serve(t.Context(), w.tenant)
		if d := time.Until(w.scripts.Rests(w.tenant)); d < 15*time.Second || d > 20*time.Second {
			t.Errorf("the tenant rests for %v", d)
		}
		if n := w.due(); n != 1 || w.runs["A"]+w.runs["B"] != 1 {
			t.Errorf("%d wait after %v", n, w.runs)
		}
		first := "A"
		if w.runs["B"] > 0 {
			first = "B"
		}
		w.fail = nil
		if got := w.settle(); got[first] != 0 || got["A"]+got["B"] != 1 {
			t.Errorf("what was left after %s: %v", first, got)
		}
		w.want(a, ids[0])
		w.want(b, ids[0])
		for _, r := range []role.Role{a, b} {
			if is := w.of(r); is.Wanted != 1 {
				t.Errorf("everybody was judged: %+v", is)
			}
		}
	})
}

// TestWaitingAndChangingAgain changes somebody while they wait for the second script: what the first one has said holds no longer.
func TestWaitingAndChangingAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(1)
		a, b := w.set("A", having("department_", "Sales")), w.set("B", having("department_", "Sales"))
		w.settle()
		w.put(ids[0], "department_", "Sales")
		w.dry()
		w.scripts.Serve(t.Context(), w.tenant)
		w.put(ids[0], "department_", "Law")
		w.fail = nil
		if got := w.settle(); got["A"] != 1 || got["B"] != 1 {
			t.Errorf("after the second change: %v", got)
		}
		w.want(a)
		w.want(b)
	})
}

// TestWaitingWhileWindowCloses has somebody's role end while they wait for the second of two scripts that ask for it.
func TestWaitingWhileWindowCloses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(1)
		var staff role.Role
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			staff, err = w.roles.Create(ctx, c, role.New{Name: "Staff"})
			return err
		})
		in := func(p dynamic.Person) (bool, []string, error) {
			return slices.Contains(p.Roles, staff.ID), []string{"(roles)"}, nil
		}
		a, b := w.set("A", in), w.set("B", in)
		w.settle()
		ends := time.Now().Add(400 * time.Millisecond)
		w.write(func(ctx context.Context, c *call.Call) error {
			return w.roles.Add(ctx, c, staff.ID, role.Member{Kind: role.User, ID: ids[0], Until: ends})
		})
		w.dry()
		w.scripts.Serve(t.Context(), w.tenant)
		time.Sleep(time.Until(ends) + 5*time.Millisecond)
		w.fail = nil
		w.settle()
		w.want(a)
		w.want(b)
	})
}

// TestCrowdBecomesPass has more people wait than may: the script that they wait for judges everybody, and no other one does. Who
// changes next is not behind them.
func TestCrowdBecomesPass(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.scripts.MaxWait = 3
		ids := w.many(5)
		sales, third := w.set("Sales", having("department_", "Sales")), w.set("Third", having("floor_", "3"))
		w.settle()
		w.fail = spent(20)
		for n, id := range ids[:4] {
			w.put(id, "department_", "Sales")
			w.scripts.Serve(t.Context(), w.tenant)
			if is, due := w.of(sales), w.due(); n < 3 && (is.Wanted != 1 || due != n+1) || n == 3 && (is.Wanted != 2 || due != 0) {
				t.Errorf("of %d people %d wait: %+v", n+1, due, is)
			}
		}
		w.fail = nil
		if got := w.settle(); got["Sales"] != 5 || got["Third"] != 0 {
			t.Errorf("the passes: %v", got)
		}
		w.want(sales, ids[:4]...)
		w.want(third)
	})
}

// TestPassesLeaveTime has passes have used their half: who changes does not wait for it, and the pass goes on later where it was.
func TestPassesLeaveTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ids := w.many(2)
		r := w.set("Sales", having("department_", "Sales"))
		w.settle()
		w.passes = spent(20)
		w.write(func(ctx context.Context, c *call.Call) error { return w.scripts.Set(ctx, c, r, "Sales") })
		for _, id := range ids {
			w.put(id, "department_", "Sales")
			clear(w.runs)
			w.scripts.Serve(t.Context(), w.tenant)
			if until := w.scripts.Rests(w.tenant); !until.IsZero() || w.runs["Sales"] != 1 {
				t.Errorf("who changed waits until %v, %v", until, w.runs)
			}
		}
		w.want(r, ids...)
		w.mu.Lock()
		w.passes, w.asked = nil, 0
		w.mu.Unlock()
		w.scripts.Serve(t.Context(), w.tenant)
		if is := w.of(r); is.Wanted == is.Done || w.asked != 0 || w.listed() {
			t.Errorf("the pass did not wait: %+v", is)
		}
		w.scripts.Elapse(w.tenant, 20*time.Second)
		if !w.listed() {
			t.Error("the pass waits on")
		}
		w.settle()
		if is := w.of(r); is.Wanted != is.Done {
			t.Errorf("the pass has not ended: %+v", is)
		}
	})
}

// listed says whether Run would serve the tenant now.
func (w *world) listed() bool {
	w.t.Helper()
	ids, err := w.scripts.Due(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return slices.Contains(ids, w.tenant)
}

// due is how many people wait to be judged.
func (w *world) due() (n int) {
	w.t.Helper()
	err := w.db.SQL().QueryRow(`SELECT count(*) FROM role_script_person WHERE tenant = '` + w.tenant + `' AND due <> 0 AND user_id <> '*'`).Scan(&n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
