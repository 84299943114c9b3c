package session_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/right"
	"limen/internal/core/session"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
	"limen/internal/schema"
)

type world struct {
	t      testing.TB
	db     *dbx.DB
	tenant string
	now    time.Time
	*session.Sessions

	mu     sync.Mutex
	people map[string]session.Holder
	reads  atomic.Int64
}

var tenants atomic.Int64

func build(t testing.TB, db *dbx.DB) *world {
	w := &world{t: t, db: db, tenant: fmt.Sprintf("SES%04d", tenants.Add(1)), now: time.Now(), people: map[string]session.Holder{
		"alice": {Name: "alice@x", Roles: []string{"Everybody"}, Held: right.Held{Tenant: right.Of(right.ReadUsers)}},
		"bob":   {Name: "bob@x"},
	}}
	w.Sessions = &session.Sessions{DB: db, Holder: func(_ context.Context, c *call.Call, id string) (session.Holder, error) {
		w.reads.Add(1)
		w.mu.Lock()
		defer w.mu.Unlock()
		h, ok := w.people[id]
		if !ok || c.Tenant.ID != w.tenant {
			return h, fault.New(fault.NotFound, "user.not_found", "")
		}
		return h, nil
	}}
	return w
}

func (w *world) call() *call.Call {
	c := &call.Call{Tenant: call.Tenant{ID: w.tenant}, Now: w.now, Rand: rand.Reader}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return w.db.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	return c
}

func (w *world) write(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	c := w.call()
	if err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { c.Tx = tx; return f(w.t.Context(), c) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) open(n session.New) (token string, s session.Session) {
	w.t.Helper()
	w.write(func(ctx context.Context, c *call.Call) (err error) {
		token, s, err = w.Create(ctx, c, n)
		return err
	})
	return token, s
}

func (w *world) who(token string) (call.Caller, error) {
	c := w.call()
	c.Tenant = call.Tenant{}
	who, tenant, err := w.Identify(w.t.Context(), c, token)
	if err == nil && tenant != w.tenant || c.Tenant.ID != "" {
		w.t.Helper()
		w.t.Fatal("tenant", tenant, c.Tenant)
	}
	return who, err
}

func (w *world) refused(token string) {
	w.t.Helper()
	if _, err := w.who(token); !errors.Is(err, session.ErrNone) {
		w.t.Fatal("not refused:", err)
	}
}

func (w *world) accepted(token string) call.Caller {
	w.t.Helper()
	c, err := w.who(token)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestIdentify(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		token, s := w.open(session.New{User: "alice", Level: session.High, Factors: []string{"UP", "OATH"}, Device: []byte{1}})
		for range 3 {
			who := w.accepted(token)
			if who.User != "alice" || who.Name != "alice@x" || who.Session != s.ID || who.Level != "High" || who.Means != call.BySession ||
				!who.Held.Everywhere(right.ReadUsers) || len(who.Roles) != 1 {
				t.Fatalf("%+v", who)
			}
		}
		if n := w.reads.Load(); n != 1 {
			t.Fatalf("the person was read %d times", n)
		}
		if c, _, err := w.IdentifyID(t.Context(), w.call(), w.tenant, s.ID); err != nil || c.User != "alice" || w.reads.Load() != 1 {
			t.Fatal("by id", c, err)
		}
		for _, bad := range []string{"", "x", token + "0", token[1:], string(make([]byte, 5000))} {
			w.refused(bad)
		}
		if _, _, err := w.IdentifyID(t.Context(), w.call(), "OTH0001", s.ID); !errors.Is(err, session.ErrNone) {
			t.Fatal("another tenant's session", err)
		}
	})
}

func TestRevocation(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		token, s := w.open(session.New{User: "alice"})
		other, o := w.open(session.New{User: "alice"})
		bob, _ := w.open(session.New{User: "bob"})
		for _, tok := range []string{token, other, bob} {
			w.accepted(tok)
		}
		w.write(func(ctx context.Context, c *call.Call) error { return w.End(ctx, c, s.ID) })
		w.refused(token)
		w.accepted(other)
		var n int64
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			n, err = w.EndAll(ctx, c, "alice", o.ID)
			return err
		})
		if n != 0 {
			t.Fatal("ended the one kept", n)
		}
		w.accepted(other)
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			n, err = w.EndAll(ctx, c, "alice", "")
			return err
		})
		w.refused(other)
		w.accepted(bob)
		if n != 1 {
			t.Fatal(n)
		}
	})
}

// The change log of another node tells of a session's end, of a person's or of the roles'; before that the answer comes
// from memory.
func TestChangesElsewhere(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		watchers := map[string]func(string){}
		w.Watch(func(topic string, f func(string)) { watchers[topic] = f })
		token, s := w.open(session.New{User: "alice"})
		set := func(h session.Holder) { w.mu.Lock(); w.people["alice"] = h; w.mu.Unlock() }
		for topic, item := range map[string]string{"role": w.tenant, "user": w.tenant + "/alice", "session": w.tenant + "/" + s.ID} {
			for _, item := range []string{item, "*"} {
				set(session.Holder{Name: "before"})
				w.Sessions.Watch(func(tp string, f func(string)) { f("*") })
				w.accepted(token)
				set(session.Holder{Name: "after"})
				if who := w.accepted(token); who.Name != "before" {
					t.Fatal("not from memory", topic)
				}
				watchers[topic](item)
				if who := w.accepted(token); who.Name != "after" {
					t.Fatal("still from memory:", topic, item)
				}
			}
		}
		set(session.Holder{Name: "alice", Barred: true})
		watchers["user"](w.tenant + "/alice")
		w.refused(token)
		delete(w.people, "alice")
		w.refused(token)
	})
}

func TestNotFreshReadsTheStore(t *testing.T) {
	w := build(t, dbxtest.Fresh(t, dbx.SQLite))
	fresh := true
	w.Fresh = func() bool { return fresh }
	token, _ := w.open(session.New{User: "alice"})
	w.accepted(token)
	fresh = false
	w.accepted(token)
	w.accepted(token)
	if n := w.reads.Load(); n != 3 {
		t.Fatal(n)
	}
	w.people["alice"] = session.Holder{Barred: true}
	w.refused(token)
}

func TestLifetimes(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		start := w.now
		token, _ := w.open(session.New{User: "alice", Idle: time.Minute, Life: 5 * time.Minute})
		for m := range 9 { // in use, it lives
			w.now = start.Add(time.Duration(m) * 30 * time.Second)
			w.accepted(token)
		}
		w.now = start.Add(5*time.Minute - time.Millisecond)
		w.accepted(token)
		w.now = start.Add(5 * time.Minute)
		w.refused(token)

		w.now = start
		token, _ = w.open(session.New{User: "alice", Idle: time.Minute, Life: time.Hour})
		w.accepted(token)
		w.now = start.Add(time.Minute)
		w.refused(token)

		// Used on this node, idle on the other: the other learns from the store.
		w.now = start
		token, _ = w.open(session.New{User: "alice", Idle: time.Minute, Life: time.Hour})
		other := build(t, db)
		other.tenant, other.now = w.tenant, start
		other.accepted(token)
		w.now = start.Add(40 * time.Second)
		w.accepted(token)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		other.now = start.Add(80 * time.Second)
		other.accepted(token)
	})
}

// What a right or an account ends at is not answered from memory afterwards.
func TestUntil(t *testing.T) {
	w := build(t, dbxtest.Fresh(t, dbx.SQLite))
	w.people["alice"] = session.Holder{Name: "helper", Until: w.now.Add(10 * time.Second)}
	token, _ := w.open(session.New{User: "alice"})
	w.accepted(token)
	w.people["alice"] = session.Holder{Name: "plain"}
	w.now = w.now.Add(9 * time.Second)
	if who := w.accepted(token); who.Name != "helper" {
		t.Fatal(who.Name)
	}
	w.now = w.now.Add(time.Second)
	if who := w.accepted(token); who.Name != "plain" {
		t.Fatal(who.Name)
	}
}

func TestRotate(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		token, s := w.open(session.New{User: "alice"})
		if who := w.accepted(token); !who.Proved.Equal(w.now.Truncate(time.Millisecond)) {
			t.Fatal("proved at", who.Proved)
		}
		w.now = w.now.Add(10 * time.Minute)
		var next string
		w.write(func(ctx context.Context, c *call.Call) (err error) {
			next, err = w.Rotate(ctx, c, s.ID, session.High, []string{"UP", "EMAIL"})
			return err
		})
		w.refused(token)
		if who := w.accepted(next); who.Level != session.High || who.Session != s.ID {
			t.Fatal(who)
		} else if !who.Proved.Equal(w.now.Truncate(time.Millisecond)) {
			t.Fatal("a step-up is no proof", who.Proved)
		}
		w.write(func(ctx context.Context, c *call.Call) error {
			if list, err := w.List(ctx, c, "alice"); err != nil || len(list) != 1 || list[0].Factors != "UP,EMAIL" {
				t.Fatal(list, err)
			}
			if err := w.End(ctx, c, s.ID); err != nil {
				return err
			}
			if _, err := w.Rotate(ctx, c, s.ID, session.High, nil); !errors.Is(err, session.ErrUnknown) {
				t.Fatal("rotated what has ended", err)
			}
			_, err := w.Find(ctx, c, s.ID)
			if !errors.Is(err, session.ErrUnknown) {
				t.Fatal(err)
			}
			list, err := w.List(ctx, c, "alice")
			if len(list) != 0 {
				t.Fatal(list)
			}
			return err
		})
	})
}

func TestSweep(t *testing.T) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		w := build(t, db)
		_, s := w.open(session.New{User: "alice", Life: time.Minute})
		token, _ := w.open(session.New{User: "alice", Life: time.Hour})
		if err := w.Sweep(t.Context(), w.now.Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.accepted(token)
		w.write(func(ctx context.Context, c *call.Call) error {
			if _, err := w.Find(ctx, c, s.ID); !errors.Is(err, session.ErrUnknown) {
				t.Fatal("the old one is still there", err)
			}
			return nil
		})
	})
}

func TestMemoryIsBounded(t *testing.T) {
	w := build(t, dbxtest.Fresh(t, dbx.SQLite))
	w.Max = 3
	var tokens []string
	for range 8 {
		token, _ := w.open(session.New{User: "alice"})
		w.accepted(token)
		tokens = append(tokens, token)
	}
	w.reads.Store(0)
	for _, token := range tokens {
		w.accepted(token)
	}
	if n := w.reads.Load(); n < 5 {
		t.Fatal("more in memory than allowed:", n)
	}
}

// An answer that was read before a revocation and is stored after it must not stay in memory.
func TestRevocationDuringRead(t *testing.T) {
	w := build(t, dbxtest.Fresh(t, dbx.SQLite))
	token, s := w.open(session.New{User: "alice"})
	inner := w.Holder
	once := sync.Once{}
	w.Holder = func(ctx context.Context, c *call.Call, id string) (session.Holder, error) {
		once.Do(func() {
			done := make(chan struct{})
			go func() {
				defer close(done)
				w.write(func(ctx context.Context, c *call.Call) error { return w.End(ctx, c, s.ID) })
			}()
			<-done
		})
		return inner(ctx, c, id)
	}
	if _, err := w.who(token); err != nil {
		t.Fatal("its snapshot was taken before", err)
	}
	w.refused(token)
}

func TestConcurrent(t *testing.T) {
	w := build(t, dbxtest.Fresh(t, dbx.SQLite))
	token, s := w.open(session.New{User: "alice"})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				if i == 0 && n == 100 {
					w.write(func(ctx context.Context, c *call.Call) error { return w.End(ctx, c, s.ID) })
				}
				_, _ = w.who(token)
			}
		})
	}
	wg.Wait()
	w.refused(token)
}

// Whatever ends or changes a session on one node is known on the other within a second.
func TestTwoNodes(t *testing.T) {
	db := dbxtest.Fresh(t, dbx.Postgres)
	here, there := build(t, db), build(t, db)
	there.tenant = here.tenant
	for _, w := range []*world{here, there} {
		log := &change.Log{DB: db}
		w.Put, w.Fresh = log.Put, log.Fresh
		w.Sessions.Watch(log.Watch)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = log.Run(ctx) }()
		t.Cleanup(func() { stop(); <-done })
		for !log.Fresh() {
			time.Sleep(10 * time.Millisecond)
		}
	}
	for round := range 5 {
		token, s := here.open(session.New{User: "alice"})
		there.accepted(token)
		there.reads.Store(0)
		there.accepted(token)
		if there.reads.Load() != 0 {
			t.Fatal("not from memory")
		}
		here.write(func(ctx context.Context, c *call.Call) (err error) {
			if round%2 == 0 {
				return here.End(ctx, c, s.ID)
			}
			_, err = here.EndAll(ctx, c, "alice", "")
			return err
		})
		start := time.Now()
		for {
			if _, err := there.who(token); errors.Is(err, session.ErrNone) {
				break
			}
			if time.Since(start) > time.Second {
				t.Fatal("alive on the other node after a second")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func BenchmarkIdentify(b *testing.B) {
	ctx := b.Context()
	db, err := dbx.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "s.db"), dbx.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, _, err := schema.Apply(ctx, db); err != nil {
		b.Fatal(err)
	}
	w := build(b, db)
	token, _ := w.open(session.New{User: "alice"})
	c := w.call()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := w.Identify(ctx, c, token); err != nil {
			b.Fatal(err)
		}
	}
}
