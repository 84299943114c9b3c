package audit_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func (b *bench) round() int {
	b.t.Helper()
	n, err := b.Round(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *bench) verify() audit.Report {
	b.t.Helper()
	r, err := b.Verify(b.t.Context(), tenant, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// tamper does what someone with the password of the database does.
func (b *bench) tamper(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.SQL().ExecContext(b.t.Context(), fmt.Sprintf(sql, args...)); err != nil {
		b.t.Fatal(err)
	}
}

func kinds(r audit.Report) map[string][]int64 {
	out := map[string][]int64{}
	for _, p := range r.Problems {
		out[p.Kind] = append(out[p.Kind], p.Seq)
	}
	return out
}

func TestSealAndVerify(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add(30)
		if r := b.verify(); !r.Whole() || r.Unsealed != 30 || r.Events != 0 {
			t.Fatalf("%+v", r)
		}
		if n := b.round(); n != 30 {
			t.Fatal(n)
		}
		b.add(5)
		b.round()
		b.add(2)
		if r := b.verify(); !r.Whole() || r.Events != 35 || r.Covered != 35 || r.Checkpoints != 2 || r.Unsealed != 2 || r.From != 1 || r.To != 35 {
			t.Fatalf("%+v", r)
		}
		if n := b.round(); n != 2 {
			t.Fatal(n)
		}
		if n := b.round(); n != 0 {
			t.Fatal("sealed again:", n)
		}
	})
}

func TestTampering(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(b *bench, ids []string)
		want map[string][]int64
	}{
		"content": {func(b *bench, ids []string) {
			b.tamper("UPDATE event SET outcome = 'failed' WHERE id = '%s'", ids[4])
		}, map[string][]int64{audit.Altered: {5}}},
		"content and hash": {func(b *bench, ids []string) {
			var row audit.Row
			if err := b.read(func(c *call.Call) (err error) { row, err = b.Get(b.t.Context(), c, grant.All(), ids[4]); return err }); err != nil {
				b.t.Fatal(err)
			}
			row.IP = "203.0.113.1"
			hash := fmt.Sprintf("X'%x'", row.Sum())
			if b.db.Engine() == dbx.Postgres {
				hash = fmt.Sprintf(`'\x%x'`, row.Sum())
			}
			b.tamper("UPDATE event SET ip = '203.0.113.1', hash = %s WHERE id = '%s'", hash, ids[4])
		}, map[string][]int64{audit.Altered: {5}}},
		"event deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event WHERE id = '%s'", ids[4])
		}, map[string][]int64{audit.Missing: {5}}},
		"event and link deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event WHERE id = '%s'", ids[4])
			b.tamper("DELETE FROM event_seal WHERE event = '%s'", ids[4])
		}, map[string][]int64{audit.Missing: {5}}},
		"end deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event WHERE id >= '%s'", ids[17])
			b.tamper("DELETE FROM event_seal WHERE seq > 17")
			b.tamper("UPDATE event_head SET seq = 17")
		}, map[string][]int64{audit.Missing: {18}}},
		"reordered": {func(b *bench, ids []string) {
			for _, step := range [][2]int{{5, -5}, {6, 5}, {-5, 6}} {
				b.tamper("UPDATE event_seal SET seq = %d WHERE seq = %d", step[1], step[0])
			}
		}, map[string][]int64{audit.Broken: {5, 6, 7}}},
		"link altered": {func(b *bench, ids []string) {
			b.tamper("UPDATE event_seal SET at = at - 1000 WHERE seq = 5")
		}, map[string][]int64{audit.Broken: {5}}},
		"inserted": {func(b *bench, ids []string) {
			b.add(1)
			b.tamper("DELETE FROM event_queue")
		}, map[string][]int64{audit.Stray: {0}}},
		"chain made anew": {func(b *bench, ids []string) { b.remake(ids[4]) }, map[string][]int64{audit.Forged: {20}}},
		"checkpoint signed by another": {func(b *bench, ids []string) {
			other := newBench(b.t, b.db)
			b.tamper("DELETE FROM event_checkpoint WHERE seq = 20")
			b.tamper("UPDATE event_head SET signed = 0")
			b.remake(ids[4])
			other.round()
		}, map[string][]int64{audit.Forged: {20}}},
		"vanished before sealing": {func(b *bench, ids []string) {
			gone := b.add(1)
			b.tamper("DELETE FROM event WHERE id = '%s'", gone[0])
			b.round()
		}, map[string][]int64{audit.Missing: {21}}},
		"head deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event_head")
			b.add(1)
			b.round()
		}, map[string][]int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bench) {
				ids := b.add(20)
				slices.Sort(ids) // those of one millisecond are sealed in order of their ids
				b.round()
				if r := b.verify(); !r.Whole() || r.Covered != 20 {
					t.Fatalf("before: %+v", r)
				}
				c.do(b, ids)
				if got := kinds(b.verify()); !reflect.DeepEqual(got, c.want) {
					t.Fatalf("got %v, want %v: %+v", got, c.want, b.verify().Problems)
				}
			})
		})
	}
}

var seals = dbx.Q[struct {
	Seq   int64  `db:"seq"`
	Event string `db:"event"`
	Hash  []byte `db:"hash"`
	At    int64  `db:"at"`
}]("audit_test.seals", `SELECT seq, event, hash, at FROM event_seal WHERE tenant = ? ORDER BY seq`)

// remake alters an event and computes its hash and the whole chain anew: all that can be done without the key.
func (b *bench) remake(id string) {
	b.t.Helper()
	blob := func(v []byte) string {
		if b.db.Engine() == dbx.Postgres {
			return fmt.Sprintf(`'\x%x'`, v)
		}
		return fmt.Sprintf("X'%x'", v)
	}
	ctx, chain := b.t.Context(), make([]byte, 32)
	var todo []string
	if err := b.read(func(c *call.Call) error {
		row, err := b.Get(ctx, c, grant.All(), id)
		if err != nil {
			return err
		}
		row.IP = "203.0.113.1"
		todo = append(todo, fmt.Sprintf("UPDATE event SET ip = '203.0.113.1', hash = %s WHERE id = '%s'", blob(row.Sum()), id))
		all, err := seals.All(ctx, c.Tx, tenant)
		for _, s := range all {
			if s.Event == id {
				s.Hash = row.Sum()
			}
			chain = audit.Link(chain, tenant, s.Seq, s.Event, s.Hash, s.At)
			todo = append(todo, fmt.Sprintf("UPDATE event_seal SET hash = %s, chain = %s WHERE seq = %d", blob(s.Hash), blob(chain), s.Seq))
		}
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	for _, sql := range append(todo, "UPDATE event_head SET chain = "+blob(chain)) {
		b.tamper("%s", sql)
	}
}

// An event whose transaction commits after later ones were sealed is sealed when it shows.
func TestLateCommitIsSealed(t *testing.T) {
	b := newBench(t, dbxtest.Fresh(t, dbx.Postgres))
	inside, finish, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- b.write(func(c *call.Call) { c.Now = c.Now.Add(-time.Hour); c.Record(audit.Login); inside <- true; <-finish })
	}()
	<-inside
	b.add(3)
	if n := b.round(); n != 3 {
		t.Fatal(n)
	}
	close(finish)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := b.round(); n != 1 {
		t.Fatal(n)
	}
	if r := b.verify(); !r.Whole() || r.Events != 4 {
		t.Fatalf("%+v", r)
	}
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		first := b.add(1)
		b.add(9)
		b.round()
		time.Sleep(5 * time.Millisecond)
		cut := time.Now()
		b.add(5)
		b.round()
		b.add(1)
		prune := func(before time.Time, want int64) {
			t.Helper()
			if n, err := b.Prune(t.Context(), tenant, before); n != want || err != nil {
				t.Fatal(n, err)
			}
		}
		prune(cut, 10)
		prune(cut, 0)
		if r := b.verify(); !r.Whole() || r.From != 11 || r.Events != 5 || r.Covered != 15 || r.Unsealed != 1 {
			t.Fatalf("%+v", r)
		}
		if err := b.read(func(c *call.Call) error { _, err := b.Get(t.Context(), c, grant.All(), first[0]); return err }); !errors.Is(err, audit.ErrNotFound) {
			t.Fatal(err)
		}
		b.round()
		prune(time.Now().Add(time.Second), 6)
		b.add(1)
		b.round()
		if r := b.verify(); !r.Whole() || r.From != 17 || r.Events != 1 {
			t.Fatalf("%+v", r)
		}
		// Whoever removes more than retention did must show an anchor that was signed.
		b.tamper("UPDATE event_anchor SET seq = 17")
		b.tamper("DELETE FROM event_seal")
		b.tamper("DELETE FROM event")
		if r := b.verify(); r.Whole() {
			t.Fatalf("a forged anchor: %+v", r)
		}
	})
}

func TestPruneKeepsWhatWasAltered(t *testing.T) {
	b := newBench(t, dbxtest.Fresh(t, dbx.SQLite))
	ids := b.add(5)
	b.round()
	b.remake(ids[1])
	if _, err := b.Prune(t.Context(), tenant, time.Now().Add(time.Hour)); !errors.Is(err, audit.ErrBroken) {
		t.Fatal(err)
	}
}

// Many writers, sealers on two nodes, and a verifier beside them.
func TestRun(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		other := newBench(t, b.db)
		other.Sign, other.Check, other.Node = b.Sign, b.Check, "n2"
		other.Leases = &lease.Leases{DB: b.db, Node: "n2"}
		ctx, cancel := context.WithCancel(t.Context())
		var nodes, writers sync.WaitGroup
		for _, n := range []*bench{b, other} {
			n.Every, n.Links = 5*time.Millisecond, 50
			nodes.Go(func() {
				if err := n.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		const each, many = 60, 8
		for range many {
			writers.Go(func() { b.add(each) })
		}
		for range 5 {
			if r := b.verify(); !r.Whole() {
				t.Errorf("meanwhile: %+v", r)
			}
		}
		writers.Wait()
		var r audit.Report
		for start := time.Now(); r.Covered < each*many && time.Since(start) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
			r = b.verify()
		}
		if !r.Whole() || r.Events != each*many || r.Unsealed != 0 || r.Checkpoints < 2 {
			t.Errorf("%+v", r)
		}
		cancel()
		nodes.Wait()
	})
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add(7)
		if err := b.write(func(c *call.Call) { e := c.Record(audit.Login); e.User, e.Login = "u3", "carl" }); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			g    grant.Grant
			want int
			f    func(context.Context, *call.Call, grant.Grant, string, int) ([]audit.Row, error)
		}{
			"recent":         {grant.All(), 8, b.Recent},
			"recent, own":    {grant.Rows("u3"), 1, b.Recent},
			"recent, target": {grant.Rows("u2", "u3"), 8, b.Recent},
			"recent, none":   {grant.Orgs("o1"), 0, b.Recent},
			"target": {grant.All(), 7, func(ctx context.Context, c *call.Call, g grant.Grant, after string, n int) ([]audit.Row, error) {
				return b.ByTarget(ctx, c, g, "u2", after, n)
			}},
			"user, of another": {grant.Rows("u9"), 0, func(ctx context.Context, c *call.Call, g grant.Grant, after string, n int) ([]audit.Row, error) {
				return b.ByUser(ctx, c, g, "u3", after, n)
			}},
		} {
			seen := map[string]bool{}
			after, last := "", ""
			for {
				var page []audit.Row
				if err := b.read(func(call *call.Call) (err error) { page, err = c.f(t.Context(), call, c.g, after, 3); return err }); err != nil {
					t.Fatal(name, err)
				}
				if len(page) == 0 {
					break
				}
				for _, r := range page {
					if seen[r.ID] || last != "" && r.ID > last && r.At == 0 {
						t.Errorf("%s: %s again", name, r.ID)
					}
					seen[r.ID], last, after = true, r.ID, r.Cursor()
				}
			}
			if len(seen) != c.want {
				t.Errorf("%s: %d events, not %d", name, len(seen), c.want)
			}
		}
	})
}
