package outbox_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/outbox"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

const tenant = "ABC1234"

// quiet is for tests that provoke failures by the hundred.
var quiet = slog.New(slog.DiscardHandler)

// node is a node's outbox. Sealing is reversible here and bound to tenant and row, as the key ring's is.
func node(db *dbx.DB, name string) *outbox.Outbox {
	mark := func(tenant, aad string) string { return "sealed:" + tenant + ":" + aad + ":" }
	return &outbox.Outbox{DB: db, Node: name, Backoff: 5 * time.Millisecond,
		Seal: func(_ context.Context, tenant string, plain []byte, aad string) (string, error) {
			return mark(tenant, aad) + string(plain), nil
		},
		Open: func(_ context.Context, tenant, sealed, aad string) ([]byte, error) {
			m := mark(tenant, aad)
			if len(sealed) < len(m) || sealed[:len(m)] != m {
				return nil, errors.New("does not open")
			}
			return []byte(sealed[len(m):]), nil
		}}
}

func each(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, dbxtest.Fresh(t, e)) })
	}
}

func inside(t *testing.T, db *dbx.DB, f func(c *call.Call) error) error {
	t.Helper()
	return db.Write(t.Context(), func(tx *dbx.Tx) error {
		return f(&call.Call{Tenant: call.Tenant{ID: tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx})
	})
}

func put(t *testing.T, db *dbx.DB, o *outbox.Outbox, d outbox.Delivery) {
	t.Helper()
	if err := inside(t, db, func(c *call.Call) error { return o.Put(t.Context(), c, d) }); err != nil {
		t.Fatal(err)
	}
}

// start runs nodes until the test ends or stop is called.
func start(t *testing.T, nodes ...*outbox.Outbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, o := range nodes {
		wg.Go(func() {
			if err := o.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

func list(t *testing.T, db *dbx.DB, o *outbox.Outbox) map[string]outbox.Entry {
	t.Helper()
	out := map[string]outbox.Entry{}
	if err := inside(t, db, func(c *call.Call) error {
		clear(out)
		after := ""
		for {
			page, err := o.List(t.Context(), c, grant.All(), after, 100)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, e := range page {
				if _, ok := out[e.Key]; ok || after != "" && e.ID >= after {
					t.Errorf("%s is out of order", e.ID)
				}
				out[e.Key], after = e, e.ID
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatal("waited in vain:", what)
		}
	}
}

type letter struct{ To string }

func TestDeliverAfterCommit(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		o := node(db, "n1")
		got := make(chan outbox.Delivery, 10)
		o.Handle("mail", func(_ context.Context, d outbox.Delivery) error { got <- d; return nil })
		start(t, o)
		time.Sleep(50 * time.Millisecond)
		failed := errors.New("rolled back")
		if err := inside(t, db, func(c *call.Call) error {
			return errors.Join(o.Put(t.Context(), c, outbox.Delivery{Topic: "mail", Key: "lost", Payload: letter{}}), failed)
		}); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		begin := time.Now()
		put(t, db, o, outbox.Delivery{Topic: "mail", Key: "a", Payload: letter{"ann"}})
		put(t, db, o, outbox.Delivery{Topic: "mail", Key: "a", Payload: letter{"ann, again"}})
		d := <-got
		if took := time.Since(begin); took > 400*time.Millisecond {
			t.Errorf("woken after %v", took)
		}
		var l letter
		if err := d.Into(&l); err != nil || l.To != "ann" || d.Key != "a" || d.Tenant != tenant || d.Try != 1 || d.ID == "" {
			t.Fatalf("%+v %+v %v", d, l, err)
		}
		await(t, "done", func() bool { return list(t, db, o)["a"].State == outbox.Done })
		put(t, db, o, outbox.Delivery{Topic: "mail", Key: "a", Payload: letter{"ann, after it was done"}})
		put(t, db, o, outbox.Delivery{Topic: "mail", Key: "later", Due: time.Now().Add(300 * time.Millisecond)})
		if d = <-got; d.Key != "later" || time.Since(d.Created) < 250*time.Millisecond {
			t.Fatalf("%+v", d)
		}
		if n := len(list(t, db, o)); n != 2 {
			t.Fatal(n, "rows")
		}
	})
}

// A thousand deliveries with failures of every kind, on two nodes: the receiver, who knows ids, sees each exactly once.
func TestThousand(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		const total = 1000
		var mu sync.Mutex
		received, busy := map[string]int{}, map[string]bool{}
		repeats, failures := 0, 0
		handle := func(_ context.Context, d outbox.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			if busy[d.ID] {
				t.Error("delivered twice at once:", d.ID)
			}
			busy[d.ID] = true
			mu.Unlock()
			time.Sleep(mrand.N(time.Millisecond))
			mu.Lock()
			busy[d.ID] = false
			fate := mrand.N(10)
			if fate == 0 {
				failures++
				return errors.New("not received")
			}
			if fate == 1 {
				panic("not received")
			}
			if received[d.Key]++; received[d.Key] > 1 {
				repeats++ // the receiver knows the id and ignores it
			}
			if fate == 2 {
				return errors.New("received, but the answer was lost")
			}
			return nil
		}
		a, b := node(db, "a"), node(db, "b")
		for _, o := range []*outbox.Outbox{a, b} {
			o.Workers = 16
			o.Log = quiet
			o.Handle("mail", handle)
		}
		start(t, a, b)
		var wg sync.WaitGroup
		for w := range 10 {
			wg.Go(func() {
				for i := range total / 10 {
					put(t, db, a, outbox.Delivery{Topic: "mail", Key: fmt.Sprintf("%d-%d", w, i)})
				}
			})
		}
		wg.Wait()
		await(t, "all done", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(received) == total
		})
		await(t, "all noted", func() bool {
			for _, e := range list(t, db, a) {
				if e.State == outbox.Waiting {
					return false
				}
			}
			return true
		})
		rows := list(t, db, a)
		for key, e := range rows {
			if e.State != outbox.Done || received[key] == 0 {
				t.Errorf("%s: %+v, received %d times", key, e, received[key])
			}
		}
		if len(rows) != total || failures == 0 || repeats == 0 {
			t.Errorf("%d rows, %d failures, %d repeats", len(rows), failures, repeats)
		}
	})
}

// A worker that dies between the delivery and the note of it: another delivers again, with the same id, after the lease.
func TestWorkerDies(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		dying, heir := node(db, "dying"), node(db, "heir")
		dying.Lease, heir.Lease = 500*time.Millisecond, 500*time.Millisecond
		dying.Workers = 1 // so that it cannot take its own row over
		ids, dead := make(chan string, 2), make(chan bool)
		dying.Handle("mail", func(_ context.Context, d outbox.Delivery) error {
			ids <- d.ID
			<-dead // never comes back while the test looks
			return nil
		})
		stopDying := start(t, dying)
		put(t, db, dying, outbox.Delivery{Topic: "mail", Key: "a"})
		first, begin := <-ids, time.Now()
		tries := 0
		heir.Handle("mail", func(_ context.Context, d outbox.Delivery) error { tries = d.Try; ids <- d.ID; return nil })
		start(t, heir)
		second := <-ids
		if first != second || tries != 2 {
			t.Errorf("ids %s and %s, try %d", first, second, tries)
		}
		if took := time.Since(begin); took < 400*time.Millisecond {
			t.Errorf("taken over after %v, within the lease", took)
		}
		await(t, "done", func() bool { return list(t, db, heir)["a"].State == outbox.Done })
		before := list(t, db, heir)["a"]
		close(dead)
		stopDying()
		if e := list(t, db, heir)["a"]; e != before || e.Tries != 2 {
			t.Errorf("the dead worker's late note changed it: %+v", e)
		}
	})
}

func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		o := node(db, "n1")
		o.Tries, o.Log = 3, quiet
		var mu sync.Mutex
		died := map[string]string{}
		o.Died = func(_ context.Context, _ *dbx.Tx, d outbox.Delivery, why string) error {
			mu.Lock()
			defer mu.Unlock()
			died[d.Key] = why
			return nil
		}
		times := map[string][]time.Time{}
		heal := false
		o.Handle("sms", func(_ context.Context, d outbox.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			times[d.Key] = append(times[d.Key], time.Now())
			switch {
			case heal:
				return nil
			case d.Key == "permanent":
				return fmt.Errorf("wrapped: %w", outbox.Permanent(errors.New("no such number")))
			case d.Key == "later" && d.Try == 1:
				return outbox.RetryAfter(600*time.Millisecond, errors.New("busy"))
			case d.Key == "fault" && d.Try == 1:
				return fault.New(fault.Limited, "sms.limited", "").RetryAfter(1)
			case d.Key == "never":
				return errors.New("down\x00\xff")
			}
			return nil
		})
		soon := time.Now().Add(time.Hour)
		for _, key := range []string{"permanent", "later", "fault", "never"} {
			put(t, db, o, outbox.Delivery{Topic: "sms", Key: key, Payload: letter{"x"}, Expires: soon})
		}
		put(t, db, o, outbox.Delivery{Topic: "sms", Key: "expired", Expires: time.Now().Add(-time.Second)})
		start(t, o)
		await(t, "all ended", func() bool {
			for _, e := range list(t, db, o) {
				if e.State == outbox.Waiting {
					return false
				}
			}
			return true
		})
		mu.Lock()
		rows := list(t, db, o)
		for key, want := range map[string]struct {
			state string
			tries int
			gap   time.Duration
		}{"permanent": {outbox.Dead, 1, 0}, "later": {outbox.Done, 2, 600 * time.Millisecond}, "fault": {outbox.Done, 2, time.Second},
			"never": {outbox.Dead, 3, 0}, "expired": {outbox.Dead, 0, 0}} {
			if rows[key].State != want.state || len(times[key]) != want.tries {
				t.Errorf("%s: %+v after %d tries", key, rows[key], len(times[key]))
			}
			if ts := times[key]; len(ts) == 2 && ts[1].Sub(ts[0]) < want.gap {
				t.Errorf("%s: again after %v", key, ts[1].Sub(ts[0]))
			}
		}
		if died["permanent"] != "wrapped: no such number" || died["never"] != "down??" || len(died) != 3 {
			t.Errorf("%q", died)
		}
		heal = true
		mu.Unlock()
		retry := func(key string, g grant.Grant) error {
			return inside(t, db, func(c *call.Call) error { return o.Retry(t.Context(), c, g, rows[key].ID) })
		}
		for key, want := range map[string]error{"later": outbox.ErrNotDead, "expired": outbox.ErrExpired, "": outbox.ErrNotFound} {
			if err := retry(key, grant.All()); !errors.Is(err, want) {
				t.Errorf("Retry %s: %v", key, err)
			}
		}
		if err := retry("never", grant.Rows("other")); !errors.Is(err, outbox.ErrNotFound) {
			t.Error(err)
		}
		if err := retry("never", grant.All()); err != nil {
			t.Fatal(err)
		}
		await(t, "retried", func() bool { return list(t, db, o)["never"].State == outbox.Done })
		if err := inside(t, db, func(c *call.Call) error {
			for g, want := range map[string]int{"all": 2, "rows": 1, "orgs": 0} {
				by := map[string]grant.Grant{"all": grant.All(), "rows": grant.Rows(rows["permanent"].ID, rows["later"].ID), "orgs": grant.Orgs(nil, "o1")}[g]
				if dead, err := o.Dead(t.Context(), c, by, "", 10); err != nil || len(dead) != want {
					t.Errorf("Dead for %s: %v %v", g, dead, err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStopGivesBack(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		o := node(db, "n1")
		begun := make(chan bool)
		o.Handle("mail", func(ctx context.Context, _ outbox.Delivery) error { begun <- true; <-ctx.Done(); return ctx.Err() })
		stop := start(t, o)
		put(t, db, o, outbox.Delivery{Topic: "mail", Key: "a"})
		<-begun
		stop()
		if e := list(t, db, o)["a"]; e.State != outbox.Waiting || e.Tries != 0 || e.Due > time.Now().UnixMilli() {
			t.Fatalf("%+v", e)
		}
	})
}

var payloads = dbx.Q[string]("outbox_test.payload", `SELECT payload FROM outbox WHERE tenant = ?`)

func TestTidy(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		o := node(db, "n1")
		o.Handle("mail", func(context.Context, outbox.Delivery) error { return nil })
		put(t, db, o, outbox.Delivery{Topic: "mail", Key: "a", Payload: letter{"secret"}})
		put(t, db, o, outbox.Delivery{Topic: "unhandled", Key: "b"})
		start(t, o)
		await(t, "done", func() bool { return list(t, db, o)["a"].State == outbox.Done })
		if err := inside(t, db, func(c *call.Call) error {
			all, err := payloads.All(t.Context(), c.Tx, tenant)
			if len(all) != 2 || all[0] != "" && all[1] != "" {
				t.Errorf("the payload stays after the delivery: %q", all)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		late := node(db, "late")
		late.Now = func() time.Time { return time.Now().Add(8 * 24 * time.Hour) }
		if err := late.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := list(t, db, o); len(rows) != 1 || rows["b"].State != outbox.Waiting {
			t.Fatalf("%+v", rows)
		}
	})
}

func TestLimits(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.SQLite)
	o := node(db, "n1")
	for want, d := range map[error]outbox.Delivery{outbox.ErrTopic: {}, outbox.ErrKey: {Topic: "mail", Key: string(make([]byte, 501))},
		outbox.ErrPayload: {Topic: "mail", Payload: make([]byte, 600<<10)}} {
		if err := inside(t, db, func(c *call.Call) error { return o.Put(t.Context(), c, d) }); !errors.Is(err, want) {
			t.Error(err)
		}
	}
	if err := (outbox.Delivery{}).Into(new(letter)); !errors.Is(err, outbox.ErrPayload) {
		t.Error(err)
	}
}
