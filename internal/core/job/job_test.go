package job_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

const tenant = "ABC1234"

var quiet = slog.New(slog.DiscardHandler)

func node(db *dbx.DB, name string) *job.Jobs {
	return &job.Jobs{DB: db, Node: name, Log: quiet, Leases: &lease.Leases{DB: db, Node: name, Log: quiet},
		Seal: func(_ context.Context, tenant string, plain []byte, aad string) (string, error) {
			return tenant + aad + string(plain), nil
		},
		Open: func(_ context.Context, tenant, sealed, aad string) ([]byte, error) {
			return []byte(sealed[len(tenant+aad):]), nil
		}}
}

func each(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, dbxtest.Fresh(t, e)) })
	}
}

func inside(t *testing.T, db *dbx.DB, f func(c *call.Call) error) error {
	t.Helper()
	return db.Write(context.Background(), func(tx *dbx.Tx) error {
		return f(&call.Call{Tenant: call.Tenant{ID: tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Caller: &call.Caller{User: "u1"}})
	})
}

func begin(t *testing.T, db *dbx.DB, j *job.Jobs, what job.Job) (id string) {
	t.Helper()
	if err := inside(t, db, func(c *call.Call) (err error) { id, err = j.Start(t.Context(), c, what); return err }); err != nil {
		t.Fatal(err)
	}
	return id
}

func start(t *testing.T, nodes ...*job.Jobs) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, j := range nodes {
		wg.Go(func() {
			if err := j.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

func get(t *testing.T, db *dbx.DB, j *job.Jobs, id string) (i job.Info) {
	t.Helper()
	if err := inside(t, db, func(c *call.Call) (err error) { i, err = j.Get(t.Context(), c, grant.All(), id); return err }); err != nil {
		t.Fatal(err)
	}
	return i
}

func await(t *testing.T, db *dbx.DB, j *job.Jobs, id string, ok func(job.Info) bool) job.Info {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		i := get(t, db, j, id)
		if ok(i) {
			return i
		}
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("waited in vain: %+v", i)
		}
	}
}

func state(want string) func(job.Info) bool {
	return func(i job.Info) bool { return i.State == want }
}

func TestLife(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		j := node(db, "n1")
		j.Lease = 400 * time.Millisecond // progress is written each quarter of it
		next := make(chan bool)
		var recorded, ended atomic.Int32
		j.Record = func(context.Context, *call.Call) error { recorded.Add(1); return nil }
		j.Ended = func(_ context.Context, c *call.Call, i job.Info) error {
			if c.User() != "u1" || i.State != job.Done {
				t.Errorf("%+v %+v", c.Caller, i)
			}
			ended.Add(1)
			return nil
		}
		j.Handle("import", func(ctx context.Context, r *job.Run) error {
			var names []string
			if err := r.Payload(&names); err != nil || len(names) != 2 || r.User != "u1" || r.Tenant != tenant {
				t.Error(names, err, r)
			}
			r.Progress(1, 0, "half\x00 way")
			<-next
			r.Progress(2, 0, "all of it")
			r.Result("2 imported")
			return r.Do(ctx, "end", func(_ context.Context, c *call.Call) error {
				c.Record("x")
				return nil
			})
		})
		start(t, j)
		time.Sleep(20 * time.Millisecond)
		what := job.Job{Kind: "import", Unique: "one", Payload: []string{"a", "b"}, Total: 2}
		id := begin(t, db, j, what)
		if err := inside(t, db, func(c *call.Call) error {
			other, err := j.Start(t.Context(), c, what)
			if other != id || !errors.Is(err, job.ErrRunning) || fault.Of(err).Kind != fault.Exists {
				t.Errorf("a second start: %s, %v", other, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		i := await(t, db, j, id, func(i job.Info) bool { return i.Done == 1 })
		if i.State != job.Running || i.Total != 2 || i.Message != "half way" || i.Started == 0 || i.User != "u1" {
			t.Errorf("%+v", i)
		}
		next <- true
		i = await(t, db, j, id, state(job.Done))
		if i.Done != 2 || i.Message != "all of it" || i.Result != "2 imported" || i.Ended == 0 || i.Tries != 1 {
			t.Errorf("%+v", i)
		}
		if recorded.Load() != 2 || ended.Load() != 1 { // the piece, and the end
			t.Error(recorded.Load(), ended.Load())
		}
		again := begin(t, db, j, what) // the first has ended
		next <- true
		await(t, db, j, again, state(job.Done))
	})
}

// The work that must not be done twice: rows count how often each piece was done.
var (
	insert = dbx.E("job_test.insert", `INSERT INTO lease (name, holder, until, term) VALUES (?, 'piece', 0, 1)
		ON CONFLICT (name) DO UPDATE SET term = lease.term + 1`)
	counts = dbx.Q[int64]("job_test.counts", `SELECT term FROM lease WHERE holder = 'piece'`)
)

func once(t *testing.T, db *dbx.DB, total int) {
	t.Helper()
	if err := inside(t, db, func(c *call.Call) error {
		all, err := counts.All(t.Context(), c.Tx)
		if len(all) != total {
			t.Errorf("%d pieces were done, not %d", len(all), total)
		}
		for _, n := range all {
			if n != 1 {
				t.Errorf("a piece was done %d times", n)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// pieces does the pieces from the cursor on, one transaction each.
func pieces(ctx context.Context, r *job.Run, total int, before func(i int)) error {
	from := 0
	if r.Cursor() != "" {
		from, _ = strconv.Atoi(r.Cursor())
	}
	for i := from; i < total; i++ {
		before(i)
		err := r.Do(ctx, strconv.Itoa(i+1), func(ctx context.Context, c *call.Call) error {
			_, err := insert.Do(ctx, c.Tx, fmt.Sprint(r.ID, i))
			return err
		})
		if err != nil {
			return err
		}
		r.Progress(int64(i+1), int64(total), "")
	}
	return nil
}

// A node falls silent in the middle of a job. Another goes on from its cursor; when the first wakes up, it can do no more harm.
func TestTakeOver(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		silent, heir := node(db, "silent"), node(db, "heir")
		// The silent node believes in a long lease; its row says otherwise, as if it had been suspended for that long.
		silent.Lease, heir.Lease = time.Hour, time.Hour
		stuck, wake := make(chan bool, 1), make(chan bool)
		outcome := make(chan error, 1)
		silent.Handle("bulk", func(ctx context.Context, r *job.Run) error {
			err := pieces(ctx, r, 10, func(i int) {
				if i == 4 {
					stuck <- true
					<-wake
				}
			})
			outcome <- err
			return err
		})
		stop := start(t, silent)
		id := begin(t, db, silent, job.Job{Kind: "bulk"})
		<-stuck
		if _, err := db.SQL().Exec("UPDATE job SET due = 1"); err != nil {
			t.Fatal(err)
		}
		var from atomic.Value
		heir.Handle("bulk", func(ctx context.Context, r *job.Run) error {
			from.Store(r.Cursor())
			return pieces(ctx, r, 10, func(i int) {
				if i == 8 {
					close(wake)
					if err := <-outcome; !errors.Is(err, job.ErrLost) {
						t.Errorf("the silent node went on: %v", err)
					}
				}
			})
		})
		start(t, heir)
		i := await(t, db, heir, id, state(job.Done))
		if from.Load() != "4" || i.Tries != 2 || i.Done != 10 {
			t.Errorf("from %v: %+v", from.Load(), i)
		}
		stop()
		once(t, db, 10)
		if after := get(t, db, heir, id); after != i {
			t.Errorf("the silent node changed the job: %+v", after)
		}
	})
}

// A node that stops gives its job back; it goes on from the cursor, and nothing is done twice.
func TestStop(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		first, second := node(db, "first"), node(db, "second")
		half := make(chan bool, 1)
		first.Handle("bulk", func(ctx context.Context, r *job.Run) error {
			return pieces(ctx, r, 20, func(i int) {
				if i == 10 {
					half <- true
					<-ctx.Done()
				}
			})
		})
		stop := start(t, first)
		id := begin(t, db, first, job.Job{Kind: "bulk"})
		<-half
		stop()
		if i := get(t, db, first, id); i.State != job.Waiting || i.Tries != 0 || i.Done != 10 {
			t.Fatalf("%+v", i)
		}
		second.Handle("bulk", func(ctx context.Context, r *job.Run) error { return pieces(ctx, r, 20, func(int) {}) })
		start(t, second)
		if i := await(t, db, second, id, state(job.Done)); i.Done != 20 || i.Tries != 1 {
			t.Fatalf("%+v", i)
		}
		once(t, db, 20)
	})
}

func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		j, other := node(db, "n1"), node(db, "n2")
		j.Lease = time.Second
		running := make(chan bool, 1)
		j.Handle("long", func(ctx context.Context, r *job.Run) error {
			running <- true
			<-ctx.Done()
			if !r.Cancelled() || !errors.Is(context.Cause(ctx), job.ErrCancelled) {
				t.Error(context.Cause(ctx))
			}
			return ctx.Err()
		})
		stop := func(by *job.Jobs, g grant.Grant, id string) error {
			return inside(t, db, func(c *call.Call) error { return by.Cancel(t.Context(), c, g, id, "enough") })
		}
		waiting := begin(t, db, j, job.Job{Kind: "long"})
		if err := stop(j, grant.All(), waiting); err != nil {
			t.Fatal(err)
		}
		if i := get(t, db, j, waiting); i.State != job.Cancelled || i.Ended == 0 {
			t.Fatalf("%+v", i)
		}
		start(t, j)
		for _, by := range []*job.Jobs{j, other} { // the second learns of it with a heartbeat
			id := begin(t, db, j, job.Job{Kind: "long"})
			<-running
			if err := stop(by, grant.Rows("u2"), id); !errors.Is(err, job.ErrNotFound) {
				t.Error("by a stranger:", err)
			}
			if err := stop(by, grant.Rows("u1"), id); err != nil {
				t.Fatal(err)
			}
			await(t, db, j, id, state(job.Cancelled))
			if err := stop(by, grant.All(), id); !errors.Is(err, job.ErrEnded) {
				t.Error("again:", err)
			}
		}
	})
}

func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		j := node(db, "n1")
		j.Tries = 2
		ran := false
		j.Handle("error", func(context.Context, *job.Run) error { return errors.New("a secret cause") })
		j.Handle("fault", func(context.Context, *job.Run) error { return fault.Bad("Name", "is bad") })
		j.Handle("panic", func(context.Context, *job.Run) error { panic("x") })
		j.Handle("cursed", func(context.Context, *job.Run) error { ran = true; return nil })
		cursed := begin(t, db, j, job.Job{Kind: "cursed"})
		if _, err := db.SQL().Exec("UPDATE job SET tries = 2"); err != nil {
			t.Fatal(err)
		}
		start(t, j)
		for kind, want := range map[string]string{"error": fault.ErrInternal.Public, "fault": "Parameter Name is bad.", "panic": fault.ErrInternal.Public} {
			if i := await(t, db, j, begin(t, db, j, job.Job{Kind: kind}), state(job.Failed)); i.Message != want {
				t.Errorf("%s: %+v", kind, i)
			}
		}
		if i := await(t, db, j, cursed, state(job.Failed)); ran {
			t.Errorf("%+v", i)
		}
	})
}

func TestListAndTidy(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		j := node(db, "n1")
		j.Handle("quick", func(context.Context, *job.Run) error { return nil })
		var ids []string
		for range 5 {
			ids = append(ids, begin(t, db, j, job.Job{Kind: "quick"}))
			time.Sleep(2 * time.Millisecond)
		}
		later := begin(t, db, j, job.Job{Kind: "quick", Due: time.Now().Add(time.Hour)})
		start(t, j)
		for _, id := range ids {
			await(t, db, j, id, state(job.Done))
		}
		if err := inside(t, db, func(c *call.Call) error {
			for g, want := range map[*grant.Grant]int{ptr(grant.All()): 6, ptr(grant.Rows("u1")): 6, ptr(grant.Rows(ids[0])): 1, ptr(grant.Grant{}): 0} {
				seen := map[string]bool{}
				for p := 1; ; p++ {
					page, err := j.List(t.Context(), c, *g, job.Query{Page: p, Limit: 4, Sort: "ended"})
					if err != nil {
						return err
					}
					for _, i := range page {
						seen[i.ID] = true
					}
					if len(page) == 0 {
						break
					}
				}
				if n, err := j.Count(t.Context(), c, *g, job.Query{}); len(seen) != want || int(n) != want || err != nil {
					t.Errorf("%+v sees %d jobs, counts %d, not %d: %v", *g, len(seen), n, want, err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		old := node(db, "old")
		old.Now = func() time.Time { return time.Now().Add(31 * 24 * time.Hour) }
		if err := old.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := inside(t, db, func(c *call.Call) error {
			left, err := j.List(t.Context(), c, grant.All(), job.Query{})
			if len(left) != 1 || left[0].ID != later {
				t.Errorf("%+v", left)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestSweeps(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		var now, most, runs atomic.Int32
		var by sync.Map
		nodes := []*job.Jobs{node(db, "a"), node(db, "b"), node(db, "c")}
		for _, j := range nodes {
			j.Sweep(job.Sweep{Name: "clean", Every: 10 * time.Millisecond, Run: func(context.Context) error {
				by.Store(j.Node, true)
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				time.Sleep(time.Millisecond)
				if runs.Add(1)%3 == 0 {
					panic("a sweep that panics goes on")
				}
				return errors.New("and so does one that fails")
			}})
		}
		start(t, nodes...)
		for begin := time.Now(); runs.Load() < 10; time.Sleep(time.Millisecond) {
			if time.Since(begin) > 20*time.Second {
				t.Fatal("no sweeps")
			}
		}
		n := 0
		by.Range(func(any, any) bool { n++; return true })
		if most.Load() != 1 || n != 1 {
			t.Errorf("%d at once, on %d nodes", most.Load(), n)
		}
	})
}

// Nodes that look for work at the same time never take the same job.
func TestManyNodes(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		const total = 200
		var runs atomic.Int32
		var nodes []*job.Jobs
		for _, name := range []string{"a", "b", "c"} {
			j := node(db, name)
			j.Handle("bulk", func(ctx context.Context, r *job.Run) error {
				runs.Add(1)
				return pieces(ctx, r, 1, func(int) {})
			})
			nodes = append(nodes, j)
		}
		var ids []string
		for i := range total {
			ids = append(ids, begin(t, db, nodes[i%3], job.Job{Kind: "bulk"}))
		}
		start(t, nodes...)
		for _, id := range ids {
			await(t, db, nodes[0], id, state(job.Done))
		}
		if runs.Load() != total {
			t.Errorf("%d runs of %d jobs", runs.Load(), total)
		}
		once(t, db, total)
	})
}
