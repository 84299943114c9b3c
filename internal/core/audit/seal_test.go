package audit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func TestIDsAreUUIDs(t *testing.T) {
	b := newBench(t, dbxtest.Fresh(t, dbx.SQLite))
	for _, id := range []string{"x", "0193F0A0-0000-7000-8000-00000000AAAA", "0193f0a00000700080000000000000aa", "{0193f0a0-0000-7000-8000-00000000aaaa}"} {
		err := b.write(func(c *call.Call) { c.Event = &call.Event{ID: id, Type: audit.Login, Outcome: "success"} })
		if !errors.Is(err, audit.ErrID) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// at records an event of each of the times, in one transaction for each tenant.
func (b *bench) at(of string, times ...time.Time) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), func(tx *dbx.Tx) error {
		for _, at := range times {
			c := newCall(tx)
			c.Tenant.ID, c.Now = of, at
			c.Record(audit.Login)
			if err := b.Record(b.t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
}

// A link's ids lie within ten seconds; a link that a late event would widen begins anew.
func TestLinksAreNarrow(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		now := time.Now().Truncate(time.Millisecond)
		for _, round := range [][]time.Duration{{0, 10 * time.Second, 10*time.Second + time.Millisecond, 15 * time.Second, time.Hour}, {-time.Hour, 5 * time.Second}} {
			for _, d := range round {
				b.at(tenant, now.Add(d))
			}
			b.round()
		}
		var places []string
		for _, k := range b.links() {
			places = append(places, fmt.Sprintf("%d-%d", k.First, k.Seq))
		}
		if got, want := fmt.Sprint(places), "[1-2 3-4 5-5 6-6 7-7]"; got != want {
			t.Errorf("links %s, not %s", got, want)
		}
		if r := b.verify(); !r.Whole() || r.Events != 7 || r.Covered != 7 {
			t.Errorf("%+v", r)
		}
	})
}

// More than a transaction of the sealer, a window of the verifier and a page of it hold, of some tenants.
func TestMany(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const many, tenants = 6_000, 420
		now, all := time.Now(), 0
		var times []time.Time
		for i := range many {
			times = append(times, now.Add(time.Duration(i)*3*time.Millisecond))
		}
		for i := range tenants {
			b.at(fmt.Sprintf("T%d", i), now, now.Add(time.Minute))
			all += 2
		}
		for from := 0; from < many; from += 1000 {
			b.at(tenant, times[from:from+1000]...)
			all += 1000
		}
		if n := b.round(); n != all {
			t.Fatalf("%d events sealed, not %d", n, all)
		}
		var waits int64
		if err := b.db.SQL().QueryRow("SELECT COUNT(*) FROM event_queue").Scan(&waits); err != nil || waits != 0 {
			t.Fatal(waits, err)
		}
		for _, of := range []string{tenant, "T0", "T419"} {
			want := int64(2)
			if of == tenant {
				want = many
			}
			if r, err := b.Verify(t.Context(), of, nil); err != nil || !r.Whole() || r.Events != want || r.Covered != want {
				t.Errorf("%s: %+v, %v", of, r, err)
			}
		}
		if links := b.links(); len(links) > 20 {
			t.Errorf("%d links", len(links))
		}
		// Strays at both ends of a window and between.
		var ids []string
		rows, err := b.db.SQL().Query("SELECT id FROM event WHERE tenant = '" + tenant + "' ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{0, 3000, 4998, 4999, 5000, many - 1} {
			b.tamper("UPDATE event SET id = '%s' WHERE id = '%s'", ids[i][:35]+other(ids[i][35]), ids[i])
		}
		if got := kinds(b.verify()); len(got[audit.Stray]) != 6 || len(got[audit.Missing]) != 6 || len(got) != 2 {
			t.Errorf("%v", got)
		}
	})
}

func other(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

// A sealer that lost its lease, or meets a head that another moved, changes nothing.
func TestSealersDoNotMeet(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add(3)
		if _, err := b.Seal(t.Context()); !errors.Is(err, lease.ErrLost) {
			t.Fatal(err)
		}
		if r := b.verify(); !r.Whole() || r.Unsealed != 3 || r.To != 0 {
			t.Fatalf("%+v", r)
		}
		b.round()
		b.add(2)
		if first, second := b.Twice(t.Context()); first != nil || second == nil {
			t.Fatal(first, second)
		}
		if r := b.verify(); !r.Whole() || r.Unsealed != 0 || r.To != 5 {
			t.Fatalf("%+v", r)
		}
	})
}
