package throttle_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

var tenants atomic.Int64

type world struct {
	t   *testing.T
	db  *dbx.DB
	id  string
	now time.Time
	throttle.Throttle
}

func build(t *testing.T, db *dbx.DB) *world {
	return &world{t: t, db: db, id: fmt.Sprintf("THR%04d", tenants.Add(1)), now: time.Now(), Throttle: throttle.Throttle{
		Limits: func(context.Context, *call.Call, throttle.Kind) (throttle.Limits, error) {
			return throttle.Limits{Free: 2, Lock: 6, Network: 12, MaxDelay: 4 * time.Second}, nil
		},
	}}
}

func (w *world) tx(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	c := &call.Call{Tenant: call.Tenant{ID: w.id}, Now: w.now, Rand: rand.Reader, Client: call.Client{UserAgent: "x"}}
	if err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { c.Tx = tx; return f(w.t.Context(), c) }); err != nil {
		w.t.Error(err)
	}
}

func (w *world) try(a throttle.Attempt, right bool) (out throttle.Outcome) {
	w.t.Helper()
	w.tx(func(ctx context.Context, c *call.Call) (err error) { out, err = w.Count(ctx, c, a, right); return err })
	return out
}

func (w *world) wait(a throttle.Attempt) (d time.Duration) {
	w.t.Helper()
	w.tx(func(ctx context.Context, c *call.Call) (err error) { d, err = w.Wait(ctx, c, a); return err })
	return d
}

func from(ip string) throttle.Attempt {
	return throttle.Attempt{Kind: throttle.Password, Login: "alice@x", IP: netip.MustParseAddr(ip)}
}

func TestDelaysThenLock(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		a := from("192.0.2.1")
		for i, want := range []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second, 30 * time.Minute} {
			out := w.try(a, false)
			if !out.Allowed || out.Wait != want || out.Locked != (i == 5) || w.wait(a) != want {
				t.Fatal(i, out, w.wait(a))
			}
			if want > 0 {
				before := out.Wait
				if out := w.try(a, true); out.Allowed || out.Wait != before {
					t.Fatal("a right answer during a refusal", out)
				}
				if out := w.try(a, false); out.Allowed || out.Wait != before {
					t.Fatal("trying on prolongs it", out)
				}
			}
			w.now = w.now.Add(want)
		}
		if out := w.try(a, false); !out.Allowed || out.Wait != 0 {
			t.Fatal("the lock has ended and counting starts again", out)
		}
		if out := w.try(a, true); !out.Allowed || w.wait(a) != 0 {
			t.Fatal(out)
		}
	})
}

// Whoever guesses from elsewhere must not keep the person out on a device they have used.
func TestStrangersCannotLockOut(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		hash := throttle.DeviceHash("cookie")
		w.tx(func(ctx context.Context, c *call.Call) error {
			unknown, err := w.Remember(ctx, c, "alice", hash)
			if err != nil || !unknown {
				t.Fatal(unknown, err)
			}
			if unknown, err = w.Remember(ctx, c, "alice", hash); err != nil || unknown {
				t.Fatal(unknown, err)
			}
			for _, q := range []struct {
				age  time.Duration
				want bool
			}{{time.Hour, true}, {-time.Hour, false}} {
				if got, err := w.Remembered(ctx, c, "alice", hash, w.now.Add(-q.age)); got != q.want || err != nil {
					t.Fatal(q, got, err)
				}
			}
			for _, q := range []struct {
				user string
				hash []byte
				want bool
			}{{"alice", hash, true}, {"bob", hash, false}, {"alice", throttle.DeviceHash("other"), false}, {"", hash, false}, {"alice", nil, false}} {
				if got, err := w.Known(ctx, c, q.user, q.hash); err != nil || (got != nil) != q.want {
					t.Fatal(q, got, err)
				}
			}
			return nil
		})
		own := from("198.51.100.7")
		own.Device = hash
		for i := range 200 { // a botnet, and the person's own network among it
			w.try(from(fmt.Sprintf("203.0.113.%d", i)), false)
			w.try(from("198.51.100.7"), false)
			if wait := w.wait(own); wait != 0 {
				t.Fatal("the person waits", wait)
			}
		}
		if w.wait(from("192.0.2.200")) == 0 {
			t.Fatal("a stranger does not wait")
		}
		if out := w.try(own, true); !out.Allowed {
			t.Fatal(out)
		}
		for range 6 { // the device itself may be in wrong hands
			w.now = w.now.Add(5 * time.Second)
			w.try(own, false)
		}
		if w.wait(own) == 0 {
			t.Fatal("the device has no counter")
		}
		w.tx(func(ctx context.Context, c *call.Call) error { return w.ForgetDevices(ctx, c, "alice") })
		w.tx(func(ctx context.Context, c *call.Call) error {
			if got, err := w.Known(ctx, c, "alice", hash); got != nil || err != nil {
				t.Fatal(got, err)
			}
			return nil
		})
	})
}

func TestNetworks(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		spray := func(ip string, i int) throttle.Attempt {
			return throttle.Attempt{Kind: throttle.Password, Login: fmt.Sprintf("u%d@x", i), IP: netip.MustParseAddr(ip)}
		}
		for i := range 12 {
			if i == 6 {
				own := spray("2001:db8::9", 99)
				if !w.try(own, true).Allowed {
					t.Fatal("refused too early")
				}
			}
			w.try(spray("2001:db8::1", i), false)
		}
		if w.wait(spray("2001:db8::2", 50)) == 0 {
			t.Fatal("the neighbour of the /64 goes free, or a success washed the counter")
		}
		for _, other := range []string{"2001:db8:0:1::1", "192.0.2.1"} {
			if w.wait(spray(other, 50)) != 0 {
				t.Fatal("another network waits", other)
			}
		}
		second := spray("2001:db8::2", 50)
		second.Kind = throttle.Second
		if w.wait(second) != 0 {
			t.Fatal("the second factor has a counter of its own")
		}
	})
}

// A company behind one address asks for many codes; a flood from it is stopped all the same.
func TestManySends(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		n := 0
		for ; n < 1000; n++ {
			a := throttle.Attempt{Kind: throttle.Send, Login: fmt.Sprintf("u%d@x", n), IP: netip.MustParseAddr("192.0.2.1")}
			if !w.try(a, false).Allowed {
				break
			}
		}
		if n != 12*20 {
			t.Fatal(n, "messages were allowed")
		}
	})
}

// Guesses at the same time must not slip through between the look at the counter and the count.
func TestParallelGuesses(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if w.try(from("192.0.2.1"), false).Allowed {
					allowed.Add(1)
				}
			})
		}
		wg.Wait()
		if n := allowed.Load(); n != 3 { // two free, and the one that begins the first delay
			t.Fatal(n, "guesses were allowed")
		}
	})
}

func TestClearAndSweep(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		for range 3 {
			w.try(from("192.0.2.1"), false)
		}
		w.tx(func(ctx context.Context, c *call.Call) error { return w.Clear(ctx, c, "ALICE@x") })
		if w.wait(from("192.0.2.1")) != 0 {
			t.Fatal("not cleared")
		}
		for range 3 {
			w.try(from("192.0.2.1"), false)
		}
		if err := w.Sweep(t.Context(), db, w.now.Add(-time.Hour)); err != nil || w.wait(from("192.0.2.1")) == 0 {
			t.Fatal("swept what still counts", err)
		}
		if err := w.Sweep(t.Context(), db, w.now.Add(time.Hour)); err != nil || w.wait(from("192.0.2.1")) != 0 {
			t.Fatal("not swept", err)
		}
		if err := w.SweepDevices(t.Context(), db, w.now.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := throttle.Network(netip.MustParseAddr(in)); got != want {
			t.Error(in, got)
		}
	}
	if throttle.Network(netip.Addr{}) == "" {
		t.Error("an unknown address is counted, too")
	}
}
