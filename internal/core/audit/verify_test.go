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

	"github.com/google/uuid"

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
	type found = map[string][]int64
	for name, c := range map[string]struct {
		do   func(b *bench, ids []string)
		want found
	}{
		"content": {func(b *bench, ids []string) {
			b.tamper("UPDATE event SET outcome = 'failed' WHERE id = '%s'", ids[4])
		}, found{audit.Altered: {5}}},
		"hash": {func(b *bench, ids []string) {
			b.tamper("UPDATE event SET hash = %s WHERE id = '%s'", b.blob(make([]byte, 33)), ids[4])
		}, found{audit.Altered: {5}}},
		"content and hash": {func(b *bench, ids []string) { b.alter(ids[4]) }, found{audit.Altered: {5}}},
		"event deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event WHERE id = '%s'", ids[4])
		}, found{audit.Missing: {5}}},
		"events and link deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event WHERE id >= '%s' AND id <= '%s'", slices.Min(ids[4:8]), slices.Max(ids[4:8]))
			b.tamper("DELETE FROM event_seal WHERE seq = 8")
		}, found{audit.Missing: {5}}},
		"link deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event_seal WHERE seq = 8")
		}, found{audit.Missing: {5}, audit.Stray: {0, 0, 0, 0}}},
		"end deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event WHERE id >= '%s'", ids[16])
			b.tamper("DELETE FROM event_seal WHERE seq > 16")
			b.tamper("UPDATE event_head SET seq = 16")
		}, found{audit.Missing: {17}}},
		"links reordered": {func(b *bench, ids []string) {
			for _, step := range [][2]int{{8, -8}, {12, 8}, {-8, 12}} {
				b.tamper("UPDATE event_seal SET seq = %d, first = %d WHERE seq = %d", step[1], step[1]-3, step[0])
			}
		}, found{audit.Broken: {5, 9, 13}}},
		"events of a link reordered": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { swap(k.Events, 16, 1, 2); swap(k.Hashes, 33, 1, 2) })
		}, found{audit.Broken: {5}}},
		"ids of a link reordered": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { swap(k.Events, 16, 1, 2) })
		}, found{audit.Broken: {5}, audit.Altered: {6, 7}}},
		"hash in a link": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { k.Hashes[40]++ })
		}, found{audit.Broken: {5}, audit.Altered: {6}}},
		"id in a link": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { k.Events[31]++ })
		}, found{audit.Broken: {5}, audit.Missing: {6}, audit.Stray: {0}}},
		"link cut": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { k.Events, k.Hashes = k.Events[:48], k.Hashes[:99] })
		}, found{audit.Broken: {5}, audit.Stray: {0}}},
		"link of nothing": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { k.Events, k.Hashes = k.Events[:0], k.Hashes[:3] })
		}, found{audit.Broken: {5}, audit.Stray: {0, 0, 0, 0}}},
		"time of sealing": {func(b *bench, ids []string) {
			b.tamper("UPDATE event_seal SET at = at - 1000 WHERE seq = 8")
		}, found{audit.Broken: {5}}},
		"time of ids": {func(b *bench, ids []string) {
			b.tamper("UPDATE event_seal SET low = low + 100000 WHERE seq = 8")
		}, found{audit.Broken: {5}, audit.Stray: {0, 0, 0, 0}}},
		"chain value": {func(b *bench, ids []string) {
			b.edit(8, func(k *audit.Link) { k.Chain[0]++ })
		}, found{audit.Broken: {5, 9}}},
		"last links deleted": {func(b *bench, ids []string) {
			b.unsigned()
			b.tamper("DELETE FROM event_seal WHERE seq > 20")
			b.tamper("DELETE FROM event WHERE id > '%s'", ids[19])
		}, found{audit.Missing: {21}}},
		"last link made anew": {func(b *bench, ids []string) {
			b.remake(b.unsigned(), func(links []audit.Link) []audit.Link { links[5].Low--; return links })
		}, found{audit.Broken: {21}}},
		"link put between": {func(b *bench, ids []string) {
			b.tamper(`INSERT INTO event_seal (tenant, seq, first, at, low, chain, events, hashes)
				SELECT tenant, 10, 7, at, low, chain, events, hashes FROM event_seal WHERE seq = 8`)
		}, found{audit.Broken: {7, 9}}},
		"link put behind": {func(b *bench, ids []string) {
			b.tamper(`INSERT INTO event_seal (tenant, seq, first, at, low, chain, events, hashes)
				SELECT tenant, 24, 21, at, low, chain, events, hashes FROM event_seal WHERE seq = 20`)
		}, found{audit.Broken: {21}}},
		"inserted": {func(b *bench, ids []string) {
			b.add(1)
			b.tamper("DELETE FROM event_queue")
		}, found{audit.Stray: {0}}},
		"inserted with an id of its own": {func(b *bench, ids []string) {
			for i, id := range []string{"", "zzz", "00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff"} {
				b.tamper("UPDATE event SET id = '%s' WHERE id = '%s'", id, b.add(4)[i])
			}
			b.tamper("DELETE FROM event_queue")
			b.tamper("DELETE FROM event WHERE id > '%s' AND id < 'f'", ids[19])
		}, found{audit.Stray: {0, 0, 0, 0}}},
		"inserted and queued without a UUID": {func(b *bench, ids []string) {
			id := b.add(1)[0]
			b.tamper("UPDATE event SET id = 'x' WHERE id = '%s'", id)
			b.tamper("UPDATE event_queue SET event = 'x'")
			b.round()
		}, found{audit.Stray: {0}}},
		"chain made anew": {func(b *bench, ids []string) { b.remake(ids[4], nil) }, found{audit.Forged: {20}}},
		"chain made anew with an event more": {func(b *bench, ids []string) {
			more := b.add(1)
			b.tamper("DELETE FROM event_queue")
			b.remake(more[0], func(links []audit.Link) []audit.Link {
				k, id := &links[1], uuid.MustParse(more[0])
				k.Events = append(k.Events, id[:]...)
				k.Hashes = append(k.Hashes, make([]byte, 33)...)
				return links
			})
		}, found{audit.Forged: {20}}},
		"signed link made part of another": {func(b *bench, ids []string) {
			b.unsigned()
			b.remake(ids[17], func(links []audit.Link) []audit.Link {
				k, last := &links[4], links[5]
				k.Events, k.Hashes = append(k.Events, last.Events...), append(k.Hashes, last.Hashes...)
				return links[:5]
			})
		}, found{audit.Forged: {20}}},
		"checkpoint": {func(b *bench, ids []string) {
			b.tamper("UPDATE event_checkpoint SET at = at + 1")
		}, found{audit.Forged: {20}}},
		"checkpoint signed by another": {func(b *bench, ids []string) {
			other := newBench(b.t, b.db)
			b.tamper("DELETE FROM event_checkpoint WHERE seq = 20")
			b.tamper("UPDATE event_head SET signed = 0")
			b.remake(ids[4], nil)
			other.round()
		}, found{audit.Forged: {20}}},
		"checkpoint deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event_checkpoint")
			b.Now = func() time.Time { return time.Now().Add(time.Hour) }
		}, found{audit.Unsigned: {1}}},
		"vanished before sealing": {func(b *bench, ids []string) {
			gone := b.add(1)
			b.tamper("DELETE FROM event WHERE id = '%s'", gone[0])
			b.round()
		}, found{audit.Missing: {21}}},
		"without a hash before sealing": {func(b *bench, ids []string) {
			bad := b.add(1)
			b.tamper("UPDATE event SET hash = %s WHERE id = '%s'", b.blob(nil), bad[0])
			b.round()
		}, found{audit.Altered: {21}}},
		"head deleted": {func(b *bench, ids []string) {
			b.tamper("DELETE FROM event_head")
			b.add(1)
			b.round()
		}, found{}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bench) {
				c.do(b, b.fill())
				if got := kinds(b.verify()); !reflect.DeepEqual(got, c.want) {
					t.Fatalf("got %v, want %v: %+v", got, c.want, b.verify().Problems)
				}
			})
		})
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
	b.remake(ids[1], nil)
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
			"recent, none":   {grant.Orgs(nil, "o1"), 0, b.Recent},
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
