package dbx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// cutter is a TCP proxy that can cut a connection when COMMIT passes: before the server gets it, or before its answer
// comes back.
type cutter struct {
	l      net.Listener
	to     string
	before atomic.Int32 // how many COMMITs are still to be lost on the way there
	after  atomic.Int32 // and how many on the way back
	cuts   atomic.Int32
}

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{l: l, to: to}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(a)
		}
	}()
	return c
}

func (c *cutter) serve(a net.Conn) {
	defer a.Close()
	b, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer b.Close()
	var deaf atomic.Bool
	var commits commits
	go func() {
		defer a.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			if deaf.Load() {
				c.cuts.Add(1)
				return // the answer to COMMIT; both sides close
			}
			if _, err := a.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := a.Read(buf)
		if err != nil {
			return
		}
		if commits.in(buf[:n]) {
			if c.before.Add(-1) >= 0 {
				c.cuts.Add(1)
				return
			}
			if c.after.Add(-1) >= 0 {
				deaf.Store(true)
			}
		}
		if _, err := b.Write(buf[:n]); err != nil {
			return
		}
	}
}

// commits finds COMMIT in what a client sends: as a simple query, or as the prepared statement that it is in a batch.
type commits struct{ name []byte }

var preparesCommit = regexp.MustCompile(`P....([^\x00]+)\x00COMMIT\x00`)

func (c *commits) in(sent []byte) bool {
	if m := preparesCommit.FindSubmatch(sent); m != nil {
		c.name = bytes.Clone(m[1])
		return false
	}
	return bytes.Contains(sent, []byte("COMMIT\x00")) || c.name != nil && bytes.Contains(sent, append([]byte{0}, append(c.name, 0)...))
}

// throughCutter opens a store through a cutter.
func throughCutter(t *testing.T) (*dbx.DB, *cutter) {
	u, err := url.Parse(dbxtest.Address(t, dbx.Postgres, false))
	if err != nil {
		t.Fatal(err)
	}
	c := newCutter(t, u.Host)
	u.Host = c.l.Addr().String()
	db, err := dbx.Open(t.Context(), u.String(), dbx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return prepare(t, db), c
}

func seen(id string) dbx.Witness {
	return func(ctx context.Context, tx *dbx.Tx) (bool, error) {
		_, err := itemByID.One(ctx, tx, "a", id)
		if errors.Is(err, dbx.ErrNoRow) {
			return false, nil
		}
		return err == nil, err
	}
}

func TestLostCommit(t *testing.T) {
	db, c := throughCutter(t)
	for i, x := range []struct {
		before, after int32
		witness       bool
		runs, rows    int
		unknown       bool
		late          bool // the row travels with COMMIT
	}{
		{before: 1, witness: true, runs: 2, rows: 1},
		{before: 3, witness: true, runs: 4, rows: 1},
		{after: 1, witness: true, runs: 1, rows: 1},
		{before: 1, after: 1, witness: true, runs: 2, rows: 1},
		{before: 1, runs: 1, rows: 0, unknown: true},
		{after: 1, runs: 1, rows: 1, unknown: true},
		{before: 2, witness: true, runs: 3, rows: 1, late: true},
		{after: 1, witness: true, runs: 1, rows: 1, late: true},
		{before: 1, runs: 1, rows: 0, unknown: true, late: true},
	} {
		c.before.Store(x.before)
		c.after.Store(x.after)
		cuts, runs := c.cuts.Load(), 0
		id := fmt.Sprint("lost", i)
		var w []dbx.Witness
		if x.witness {
			w = append(w, seen(id))
		}
		err := db.Write(t.Context(), func(tx *dbx.Tx) error {
			if runs++; x.late {
				return putItem.Later(t.Context(), tx, "a", id, id, true, 1)
			}
			return put(id)(tx)
		}, w...)
		if x.unknown != errors.Is(err, dbx.ErrCommitUnknown) || !x.unknown && err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if runs != x.runs || int(c.cuts.Load()-cuts) != int(x.before+x.after) {
			t.Errorf("%d: %d runs, %d cuts", i, runs, c.cuts.Load()-cuts)
		}
		c.before.Store(0)
		c.after.Store(0)
		rows := 0
		err = db.Read(t.Context(), func(tx *dbx.Tx) error {
			ok, err := seen(id)(t.Context(), tx)
			if rows = 0; ok {
				rows = 1
			}
			return err
		})
		if err != nil || rows != x.rows {
			t.Errorf("%d: %d rows, %v", i, rows, err)
		}
	}
}

// script runs test/postgres and gives what it prints.
func script(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command("../../test/postgres", args...)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("test/postgres %s: %v\n%s", args, err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// A server that stops, cutting all connections, and starts again costs time, but nobody an error or a row.
func TestServerRestarts(t *testing.T) {
	dbxtest.Bare(t, dbx.Postgres) // skips when there is no server
	// Not t.TempDir, which the server's own user could not enter.
	dir, err := os.MkdirTemp("", "limen-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	address := script(t, "start", dir)
	t.Cleanup(func() { script(t, "kill", dir) })
	db, err := dbx.Open(t.Context(), address, dbx.Options{Conns: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	prepare(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var acks sync.Map
	var n, reads atomic.Int64
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := fmt.Sprintf("%d-%d", w, i)
				if err := db.Write(context.Background(), put(id), seen(id)); err != nil {
					t.Errorf("%s: %v", id, err)
					continue
				}
				acks.Store(id, true)
				n.Add(1)
				if err := db.Read(context.Background(), func(tx *dbx.Tx) error {
					_, err := itemByID.One(ctx, tx, "a", id)
					if ctx.Err() != nil {
						return nil
					}
					return err
				}); err != nil && ctx.Err() == nil {
					t.Errorf("reading %s: %v", id, err)
				}
				reads.Add(1)
			}
		})
	}
	for _, how := range []string{"restart", "kill", "restart"} {
		time.Sleep(500 * time.Millisecond)
		if script(t, how, dir); how == "kill" {
			script(t, "start", dir)
		}
	}
	before := n.Load()
	for start := time.Now(); n.Load() < before+100 && time.Since(start) < 20*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	wg.Wait()
	if n.Load() < before+100 {
		t.Error("no writes after the restarts")
	}
	rows := 0
	err = db.Read(t.Context(), func(tx *dbx.Tx) error {
		return itemsOf.Each(t.Context(), tx, func(it item) error {
			acks.Delete(it.ID)
			rows++
			return nil
		}, "a")
	})
	acks.Range(func(id, _ any) bool { t.Errorf("%s was acknowledged and is not there", id); return true })
	if err != nil || rows != int(n.Load()) {
		t.Errorf("%d rows for %d acknowledged writes, %v", rows, n.Load(), err)
	}
	t.Log(n.Load(), "writes,", reads.Load(), "reads")
}

// What Serial runs sees no other's half: without it the two sums would both be allowed.
func TestSerialKeepsAnInvariant(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		ctx := t.Context()
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				err := db.Serial(ctx, func(tx *dbx.Tx) error {
					n, err := items.Count(ctx, tx, dbx.Clause{}, "a")
					if err != nil || n >= 3 {
						return err
					}
					return put(fmt.Sprint(w))(tx)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		count(t, db, 3)
	})
}

func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = dbx.Open(t.Context(), "postgres://u:secretpassword@"+address+"/x", dbx.Options{Patience: 300 * time.Millisecond})
	if !errors.Is(err, dbx.ErrDown) || strings.Contains(err.Error(), "secretpassword") {
		t.Error(err)
	}
	for _, bad := range []string{"", "mysql://x", "sqlite:", "sqlite://relative", "postgres://u:secretpassword@[::1/x", "sqlite:/nowhere/at/all.db"} {
		if _, err := dbx.Open(t.Context(), bad, dbx.Options{}); err == nil || strings.Contains(err.Error(), "secretpassword") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A lost COMMIT is settled by ending the server's side of its connection, which is found by these two.
func TestConnectionIsKnown(t *testing.T) {
	db := dbxtest.Bare(t, dbx.Postgres)
	pid, since, err := dbx.Since(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	err = db.Read(t.Context(), func(tx *dbx.Tx) error {
		return dbx.Get(t.Context(), tx, &n, `SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2`, int64(pid), since)
	})
	if err != nil || n != 1 {
		t.Errorf("%d connections are %d since %q: %v", n, pid, since, err)
	}
}
