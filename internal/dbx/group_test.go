package dbx_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

var slow = dbx.E("test.slow", `INSERT INTO item (tenant, id, name, active, n)
	WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000000000)
	SELECT ?, CAST(count(*) AS TEXT), 'slow', 1 = 1, 1 FROM c`)

// group has the writer busy until all the given functions wait, so that they share a transaction.
func group(t *testing.T, db *dbx.DB, members ...func(*dbx.Tx) error) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		db.Write(context.Background(), func(*dbx.Tx) error {
			close(held)
			<-hold
			// Not in the group: the time that members may be added is over.
			time.Sleep(30 * time.Millisecond)
			return nil
		})
	})
	<-held
	errs := make([]error, len(members))
	for i, f := range members {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					errs[i] = fmt.Errorf("panic: %w", v.(error))
				}
			}()
			errs[i] = errors.New("the caller's goroutine ended")
			errs[i] = db.Write(context.Background(), f)
		})
		for dbx.Queued(db) <= i {
			time.Sleep(time.Millisecond)
		}
	}
	close(hold)
	wg.Wait()
	return errs
}

func put(id string) func(*dbx.Tx) error {
	return func(tx *dbx.Tx) error {
		_, err := putItem.Do(context.Background(), tx, "a", id, id, true, 1)
		return err
	}
}

func lite(t *testing.T, o dbx.Options) *dbx.DB {
	t.Helper()
	db := dbxtest.BareWith(t, dbx.SQLite, o)
	dbx.Linger(db, 20*time.Millisecond) // so that group's members share a transaction on a slow machine too
	return prepare(t, db)
}

func TestMemberFailsAlone(t *testing.T) {
	db := lite(t, dbx.Options{})
	mine := errors.New("mine")
	errs := group(t, db,
		put("1"),
		func(tx *dbx.Tx) error { put("2")(tx); return mine },
		func(tx *dbx.Tx) error { put("3")(tx); panic("boom") },
		func(tx *dbx.Tx) error { put("4")(tx); runtime.Goexit(); return nil },
		put("1"),
		put("5"))
	var p *dbx.Panic
	if errs[0] != nil || errs[1] != mine || !errors.As(errs[2], &p) || p.Value != "boom" || !strings.Contains(string(p.Stack), "group_test.go") ||
		errs[3].Error() != "the caller's goroutine ended" || !errors.Is(errs[4], dbx.ErrExists) || errs[5] != nil {
		t.Error(errs)
	}
	count(t, db, 2)
}

// A member that fails with changes made costs the others one more run, once: from then on everybody has a savepoint. One that
// fails before it has changed anything costs nobody anything.
func TestFailuresWithChanges(t *testing.T) {
	db := lite(t, dbx.Options{})
	var runs [6]atomic.Int32
	mine := errors.New("mine")
	counted := func(i int, f func(*dbx.Tx) error) func(*dbx.Tx) error {
		return func(tx *dbx.Tx) error { runs[i].Add(1); return f(tx) }
	}
	errs := group(t, db,
		counted(0, put("1")),
		counted(1, func(*dbx.Tx) error { return mine }),
		counted(2, func(tx *dbx.Tx) error { put("2")(tx); return mine }),
		counted(3, put("3")),
		counted(4, func(tx *dbx.Tx) error { put("4")(tx); return mine }),
		counted(5, put("5")))
	for i, want := range []struct {
		runs int32
		err  error
	}{{2, nil}, {1, mine}, {1, mine}, {1, nil}, {1, mine}, {1, nil}} {
		if runs[i].Load() != want.runs || errs[i] != want.err {
			t.Errorf("member %d ran %d times: %v", i, runs[i].Load(), errs[i])
		}
	}
	count(t, db, 3)
}

// The engine rolls back the whole transaction under the third member: the others still get done, once.
func TestLostTransaction(t *testing.T) {
	db := lite(t, dbx.Options{})
	var runs [6]atomic.Int32
	counted := func(i int, f func(*dbx.Tx) error) func(*dbx.Tx) error {
		return func(tx *dbx.Tx) error { runs[i].Add(1); return f(tx) }
	}
	errs := group(t, db,
		counted(0, put("1")),
		counted(1, put("2")),
		counted(2, func(tx *dbx.Tx) error {
			err := dbx.Run(context.Background(), tx, `INSERT OR ROLLBACK INTO item (tenant, id, name, active, n) VALUES ('a', '2', 'x', 1, 1), ('a', '2', 'x', 1, 1)`)
			// What it does next must not be committed by itself.
			put("9")(tx)
			return err
		}),
		counted(3, put("3")),
		counted(4, put("4")))
	for i, err := range errs {
		if (i == 2) != errors.Is(err, dbx.ErrExists) || i != 2 && err != nil {
			t.Errorf("member %d: %v", i, err)
		}
	}
	if runs[0].Load() != 2 || runs[1].Load() != 2 || runs[2].Load() != 2 || runs[3].Load() != 1 {
		t.Errorf("runs %d %d %d %d", runs[0].Load(), runs[1].Load(), runs[2].Load(), runs[3].Load())
	}
	count(t, db, 4)
}

func TestBudget(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.BareWith(t, e, dbx.Options{Budget: 800 * time.Millisecond})
			if e == dbx.SQLite {
				dbx.Linger(db, 20*time.Millisecond)
			}
			prepare(t, db)
			start := time.Now()
			slowly := func(tx *dbx.Tx) error {
				_, err := slow.Do(context.Background(), tx, "a")
				return err
			}
			lazily := func(tx *dbx.Tx) error {
				err := put("late")(tx)
				time.Sleep(900 * time.Millisecond)
				return err
			}
			var errs []error
			if e == dbx.SQLite {
				errs = group(t, db, put("1"), slowly, put("2"), lazily, put("3"))
			} else {
				for _, f := range []func(*dbx.Tx) error{put("1"), slowly, put("2"), lazily, put("3")} {
					errs = append(errs, db.Write(t.Context(), f))
				}
			}
			for i, err := range errs {
				if late := i == 1 || i == 3; late != errors.Is(err, dbx.ErrBudget) || !late && err != nil {
					t.Errorf("member %d: %v", i, err)
				}
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Error(took)
			}
			count(t, db, 3)
		})
	}
}

// A deferred constraint fails at COMMIT: that is one member's mistake.
func TestCommitFails(t *testing.T) {
	db := lite(t, dbx.Options{})
	if _, err := db.SQL().Exec(`CREATE TABLE parent (id TEXT PRIMARY KEY);
		CREATE TABLE child (id TEXT, parent TEXT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`); err != nil {
		t.Fatal(err)
	}
	errs := group(t, db, put("1"), func(tx *dbx.Tx) error {
		return dbx.Run(context.Background(), tx, `INSERT INTO child VALUES ('c', 'nobody')`)
	}, put("2"))
	if errs[0] != nil || !errors.Is(errs[1], dbx.ErrReference) || errs[2] != nil {
		t.Error(errs)
	}
	count(t, db, 2)
}

// A caller who goes away has its function run wholly or not at all, and nobody else notices.
func TestCancelledCallers(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		var wg sync.WaitGroup
		var done, not sync.Map
		for w := range 8 {
			wg.Go(func() {
				for i := range 60 {
					ctx, cancel := context.WithCancel(context.Background())
					id := fmt.Sprintf("%d-%d", w, i)
					if i%3 == 0 {
						wait := time.Duration(rand.IntN(2000)) * time.Microsecond
						time.AfterFunc(wait, cancel)
					}
					err := db.Write(ctx, func(tx *dbx.Tx) error {
						if _, err := putItem.Do(ctx, tx, "a", id, id, true, 1); err != nil {
							return err
						}
						_, err := bumpItem.One(ctx, tx, "a", id)
						return err
					})
					if err == nil {
						done.Store(id, true)
					} else if i%3 != 0 || !errors.Is(err, context.Canceled) {
						t.Errorf("%s: %v", id, err)
					} else {
						not.Store(id, true)
					}
					cancel()
				}
			})
		}
		wg.Wait()
		err := db.Read(t.Context(), func(tx *dbx.Tx) error {
			return itemsOf.Each(t.Context(), tx, func(it item) error {
				if _, ok := done.LoadAndDelete(it.ID); !ok || it.N != 2 {
					t.Errorf("%s is there, half or refused: %+v", it.ID, it)
				}
				return nil
			}, "a")
		})
		if err != nil {
			t.Error(err)
		}
		done.Range(func(id, _ any) bool { t.Errorf("%s was acknowledged and is not there", id); return true })
	})
}

var itemsOf = dbx.Q[item]("test.of", `SELECT tenant, id, name, note, data, active, n FROM item WHERE tenant = ?`)

func TestOtherProcessHoldsTheLock(t *testing.T) {
	db := lite(t, dbx.Options{})
	tx, err := db.SQL().Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := db.Write(ctx, put("1")); !errors.Is(err, dbx.ErrBusy) {
		t.Error(err)
	}
	time.AfterFunc(1500*time.Millisecond, func() { tx.Rollback() })
	if err := db.Write(t.Context(), put("2")); err != nil {
		t.Error(err)
	}
	count(t, db, 1)
}

func TestWriteWithinWrite(t *testing.T) {
	db := lite(t, dbx.Options{Patience: 200 * time.Millisecond})
	err := db.Write(t.Context(), func(tx *dbx.Tx) error { return db.Write(t.Context(), put("1")) })
	if !errors.Is(err, dbx.ErrBusy) {
		t.Error(err)
	}
	if err := db.Write(t.Context(), put("2")); err != nil {
		t.Error(err)
	}
	count(t, db, 1)
}

func TestCloseKeepsWhatWasAdmitted(t *testing.T) {
	address := dbxtest.Address(t, dbx.SQLite, false)
	db, err := dbx.Open(t.Context(), address, dbx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prepare(t, db)
	var wg sync.WaitGroup
	var kept, refused atomic.Int32
	for i := range 50 {
		wg.Go(func() {
			switch err := db.Write(context.Background(), put(fmt.Sprint(i))); {
			case err == nil:
				kept.Add(1)
			case errors.Is(err, dbx.ErrClosed):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if db, err = dbx.Open(t.Context(), address, dbx.Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	count(t, db, int(kept.Load()))
	if kept.Load()+refused.Load() != 50 {
		t.Error(kept.Load(), refused.Load())
	}
}

func TestSnapshot(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		ctx := t.Context()
		if err := db.Write(ctx, put("1")); err != nil {
			t.Fatal(err)
		}
		err := db.Read(ctx, func(tx *dbx.Tx) error {
			for i := range 3 {
				if all, err := itemsOf.All(ctx, tx, "a"); err != nil || len(all) != 1 {
					t.Error(len(all), err)
				}
				if err := db.Write(ctx, put(fmt.Sprint("more", i))); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		count(t, db, 4)
	})
}

// TestDurable kills a process that writes and looks for what it was told is done.
func TestDurable(t *testing.T) {
	if address := os.Getenv("DBX_TEST_WRITE"); address != "" {
		db, err := dbx.Open(t.Context(), address, dbx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for w := range 4 {
			go func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("%d-%d", w, i)
					if err := db.Write(context.Background(), put(id)); err != nil {
						fmt.Println("error", err)
						return
					}
					os.Stdout.WriteString("ack " + id + "\n")
				}
			}()
		}
		time.Sleep(time.Minute)
	}
	address := dbxtest.Address(t, dbx.SQLite, false)
	db, err := dbx.Open(t.Context(), address, dbx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	prepare(t, db)
	c := exec.Command(os.Args[0], "-test.run=^TestDurable$")
	c.Env = append(os.Environ(), "DBX_TEST_WRITE="+address)
	var out strings.Builder
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	c.Process.Kill()
	c.Wait()
	acks := 0
	err = db.Read(t.Context(), func(tx *dbx.Tx) error {
		var mode string
		var sync, keys int64
		if err := errors.Join(dbx.Get(t.Context(), tx, &mode, "PRAGMA journal_mode"), dbx.Get(t.Context(), tx, &sync, "PRAGMA synchronous"),
			dbx.Get(t.Context(), tx, &keys, "PRAGMA foreign_keys")); err != nil || mode != "wal" || sync != 2 || keys != 1 {
			t.Error(mode, sync, keys, err)
		}
		for line := range strings.Lines(out.String()) {
			if id, ok := strings.CutPrefix(line, "ack "); ok && strings.HasSuffix(id, "\n") {
				acks++
				if _, err := itemByID.One(t.Context(), tx, "a", strings.TrimSpace(id)); err != nil {
					t.Errorf("%q was acknowledged: %v", id, err)
				}
			}
		}
		return nil
	})
	if err != nil || acks == 0 {
		t.Error(acks, err, out.String())
	}
}
