package script

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"limen/internal/fault"
)

func fair(slots int) *queue {
	return &queue{
		now: time.Now, slots: slots, share: 30 * time.Second,
		running: map[string]int{}, line: map[string][]chan struct{}{}, spent: map[account]spending{},
	}
}

// TestNobodyHasAllChildren has a tenant with slow scripts fill the queue: another tenant's batch does not wait at all, and two
// others that do wait are served in turn, whoever asked more often.
func TestNobodyHasAllChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, order := fair(2), make(chan string, 100)
		run := func(tenant string, takes time.Duration) {
			go func() {
				if err := q.enter(t.Context(), tenant); err != nil {
					t.Error(err)
					return
				}
				order <- tenant
				time.Sleep(takes)
				q.leave(tenant)
			}()
			synctest.Wait()
		}
		for range 20 {
			run("hostile", 15*time.Second)
		}
		began := time.Now()
		run("other", time.Second)
		if len(order) != 2 || time.Since(began) != 0 {
			t.Errorf("%d batches have begun after %v", len(order), time.Since(began))
		}
		for range 3 {
			run("third", time.Second)
		}
		time.Sleep(4*time.Second + time.Millisecond)
		synctest.Wait()
		if n := len(order); n != 5 { // hostile, other, and three of the third one after another
			t.Errorf("%d batches have begun", n)
		}
		time.Sleep(20 * 15 * time.Second)
		if n := len(order); n != 24 {
			t.Errorf("%d batches have begun in the end", n)
		}
	})
}

// TestWhoLeavesTheQueue wants a caller who gives up to hold nobody up.
func TestWhoLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := fair(1)
		if err := q.enter(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.enter(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		q.leave("a")
		if err := q.enter(t.Context(), "c"); err != nil || q.busy != 1 || len(q.line) != 0 || len(q.waiting) != 0 {
			t.Error(err, q.busy, q.line, q.waiting)
		}
	})
}

func TestShareComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := fair(2)
		q.spend("a", false, 29*time.Second)
		if d := q.over("a", false); d != 0 {
			t.Error("below the share:", d)
		}
		q.spend("a", false, 16*time.Second) // 15 s above it
		wait := q.over("a", false)
		if wait < 30*time.Second || wait > 35*time.Second || q.over("b", false) != 0 {
			t.Error(wait, q.over("b", false))
		}
		time.Sleep(wait)
		if d := q.over("a", false); d != 0 {
			t.Error("after the wait:", d)
		}
		time.Sleep(2 * time.Minute)
		q.spend("b", false, time.Second)
		if len(q.spent) != 1 {
			t.Error("what has come back is still kept:", q.spent)
		}
	})
}

// TestBulkLeavesHalf has bulk work use all that it may: single work goes on, bulk work of others too, and what single work uses
// keeps nobody's bulk work from its half unless the whole is used up.
func TestBulkLeavesHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := fair(2)
		q.spend("a", true, 15*time.Second)
		if wait := q.over("a", true); wait < time.Second || wait > 5*time.Second {
			t.Error("bulk work that has used its half waits", wait)
		}
		if q.over("a", false) != 0 || q.over("b", true) != 0 {
			t.Error("somebody else waits for it:", q.over("a", false), q.over("b", true))
		}
		time.Sleep(time.Minute)
		q.spend("a", false, 20*time.Second)
		if wait := q.over("a", true); wait != 0 {
			t.Error("bulk work that has used nothing waits", wait)
		}
		q.spend("a", true, 10*time.Second)
		if q.over("a", false) == 0 || q.over("a", true) == 0 {
			t.Error("there is more than the share")
		}
		time.Sleep(2 * time.Minute)
		for range 60 { // bulk work by itself, for five minutes
			time.Sleep(5 * time.Second)
			if q.over("a", true) == 0 {
				q.spend("a", true, 5*time.Second)
			}
			if q.over("a", false) != 0 {
				t.Fatal("bulk work took more than its half")
			}
		}
	})
}

// TestSlowScriptsUseUpTheirShare runs a real one: its tenant is told to wait, and another tenant is not.
func TestSlowScriptsUseUpTheirShare(t *testing.T) {
	p := pool(t)
	p.Share = 100 * time.Millisecond
	loop := Batch{Tenant: "slow", Script: "for (;;);", People: []Person{anna}, Roles: known}
	if _, err := p.Run(t.Context(), loop); err != nil {
		t.Fatal(err)
	}
	_, err := p.Run(t.Context(), loop)
	if f := fault.Of(err); !errors.Is(err, ErrShare) || f.After < 1 {
		t.Error(err)
	}
	loop.Tenant, loop.Script = "quick", "return true"
	if out, err := p.Run(t.Context(), loop); err != nil || out[0].Member == nil || !*out[0].Member {
		t.Error(out, err)
	}
}
