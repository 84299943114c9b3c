package dbx_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/schema"
)

const table = `CREATE TABLE item (tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, note TEXT, data %s,
	active BOOLEAN NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, name))`

type item struct {
	Tenant string  `db:"tenant"`
	ID     string  `db:"id"`
	Name   string  `db:"name"`
	Note   *string `db:"note"`
	Data   []byte  `db:"data"`
	Active bool    `db:"active"`
	N      int64   `db:"n"`
}

var (
	addItem = dbx.E("test.add", `INSERT INTO item (tenant, id, name, note, data, active, n) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, name) DO NOTHING`)
	putItem   = dbx.E("test.put", `INSERT INTO item (tenant, id, name, active, n) VALUES (?, ?, ?, ?, ?)`)
	bumpItem  = dbx.W[int64]("test.bump", `UPDATE item SET n = n + 1 WHERE tenant = ? AND id = ? RETURNING n`)
	dropItem  = dbx.E("test.drop", `DELETE FROM item WHERE tenant = ? AND id = ?`)
	itemByID  = dbx.Q[item]("test.by_id", `SELECT tenant, id, name, note, data, active, n FROM item WHERE tenant = ? AND id = ?`)
	lockItem  = dbx.Q[int64]("test.lock", `SELECT n FROM item WHERE tenant = ? AND id = ? FOR UPDATE`)
	setItem   = dbx.E("test.set", `UPDATE item SET n = ? WHERE tenant = ? AND id = ?`)
	itemNames = dbx.Q[string]("test.names", `SELECT name FROM item WHERE tenant = ? AND '?' <> "tenant" /* ? */ ORDER BY id -- ?`)
	items     = dbx.L[item]("test.list", `SELECT tenant, i.id, i.name, note, data, active, n AS n FROM item i WHERE i.tenant = ? OR 1 = 0`)
)

// prepare makes the table of these tests.
func prepare(t testing.TB, db *dbx.DB) *dbx.DB {
	t.Helper()
	blob := "BLOB"
	if db.Engine() == dbx.Postgres {
		blob = "BYTEA"
	}
	if _, err := db.SQL().Exec(fmt.Sprintf(table, blob)); err != nil {
		t.Fatal(err)
	}
	return db
}

func each(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	dbxtest.EachBare(t, func(t *testing.T, db *dbx.DB) { f(t, prepare(t, db)) })
}

func TestRows(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		ctx := t.Context()
		if _, _, err := schema.Apply(ctx, db); err != nil { // the schema has a statement, too
			t.Fatal(err)
		}
		if err := db.PrepareAll(ctx); err != nil {
			t.Fatal(err)
		}
		note, hook := "hello", 0
		err := db.Write(ctx, func(tx *dbx.Tx) error {
			hook = 0
			tx.After(func() { hook++ })
			for i, n := range []*string{&note, nil} {
				rows, err := addItem.Do(ctx, tx, "a", fmt.Sprint("i", i), fmt.Sprint("name", i), n, []byte{0, 1, 255}, i == 0, int64(7))
				if err != nil || rows != 1 {
					return fmt.Errorf("%d rows, %w", rows, err)
				}
			}
			rows, err := addItem.Do(ctx, tx, "a", "i9", "name0", nil, nil, false, 0)
			if err != nil || rows != 0 {
				t.Errorf("a name taken: %d rows, %v", rows, err)
			}
			n, err := bumpItem.One(ctx, tx, "a", "i0")
			if err != nil || n != 8 {
				t.Errorf("bump gave %d, %v", n, err)
			}
			_, err = bumpItem.One(ctx, tx, "a", "none")
			if !errors.Is(err, dbx.ErrNoRow) {
				t.Errorf("bump of nothing: %v", err)
			}
			return nil
		})
		if err != nil || hook != 1 {
			t.Fatal(err, hook)
		}
		err = db.Read(ctx, func(tx *dbx.Tx) error {
			it, err := itemByID.One(ctx, tx, "a", "i0")
			if err != nil || it.Note == nil || *it.Note != "hello" || string(it.Data) != "\x00\x01\xff" || !it.Active || it.N != 8 {
				t.Errorf("%+v %v", it, err)
			}
			it, err = itemByID.One(ctx, tx, "a", "i1")
			if err != nil || it.Note != nil || it.Active {
				t.Errorf("%+v %v", it, err)
			}
			names, err := itemNames.All(ctx, tx, "a")
			if err != nil || fmt.Sprint(names) != "[name0 name1]" {
				t.Error(names, err)
			}
			if _, err = itemNames.One(ctx, tx, "a"); !errors.Is(err, dbx.ErrManyRows) {
				t.Error(err)
			}
			if _, err = itemByID.One(ctx, tx, "b", "i0"); !errors.Is(err, dbx.ErrNoRow) {
				t.Error(err)
			}
			_, err = dropItem.Do(ctx, tx, "a", "i0")
			if !errors.Is(err, dbx.ErrReadOnly) {
				t.Errorf("a write in a read: %v", err)
			}
			return nil
		})
		if !errors.Is(err, dbx.ErrReadOnly) {
			t.Error(err)
		}
	})
}

func TestErrorsRollBack(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		ctx := t.Context()
		mine := errors.New("mine")
		err := db.Write(ctx, func(tx *dbx.Tx) error {
			tx.After(func() { t.Error("After ran") })
			if _, err := putItem.Do(ctx, tx, "a", "1", "x", true, 1); err != nil {
				return err
			}
			return mine
		})
		if err != mine {
			t.Fatal(err)
		}
		count(t, db, 0)
		put := func(tx *dbx.Tx) error {
			_, err := putItem.Do(ctx, tx, "a", "1", "x", true, 1)
			return err
		}
		if err := db.Write(ctx, put); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(ctx, put); !errors.Is(err, dbx.ErrExists) {
			t.Fatal(err)
		}
		// A function that swallows a failed statement does not commit either: PostgreSQL could not.
		err = db.Write(ctx, func(tx *dbx.Tx) error {
			if _, err := putItem.Do(ctx, tx, "a", "2", "y", true, 1); err != nil {
				return err
			}
			put(tx)
			if _, err := putItem.Do(ctx, tx, "a", "3", "z", true, 1); !errors.Is(err, dbx.ErrMisuse) {
				t.Error(err)
			}
			return nil
		})
		if !errors.Is(err, dbx.ErrExists) {
			t.Error(err)
		}
		count(t, db, 1)
	})
}

// count checks how many items there are.
func count(t testing.TB, db *dbx.DB, want int) {
	t.Helper()
	var n int64
	err := db.Read(context.Background(), func(tx *dbx.Tx) (err error) {
		n, err = items.Count(context.Background(), tx, dbx.Clause{}, "a")
		return err
	})
	if err != nil || n != int64(want) {
		t.Fatalf("%d items, not %d; %v", n, want, err)
	}
}

func TestManyWriters(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		ctx := t.Context()
		err := db.Write(ctx, func(tx *dbx.Tx) error {
			_, err := putItem.Do(ctx, tx, "a", "1", "x", true, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for i := range 25 {
					add := func(tx *dbx.Tx) error {
						n, err := lockItem.One(ctx, tx, "a", "1")
						if err != nil {
							return err
						}
						_, err = setItem.Do(ctx, tx, n+1, "a", "1")
						return err
					}
					write := db.Write
					if i%5 == 0 {
						write = db.Serial
					}
					if err := write(ctx, add); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		db.Read(ctx, func(tx *dbx.Tx) error {
			if it, err := itemByID.One(ctx, tx, "a", "1"); err != nil || it.N != 200 {
				t.Error(it, err)
			}
			return nil
		})
	})
}

// A function that panics or ends its goroutine leaves nothing behind, on the writer and on the readers.
func TestPanics(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		if err := db.Write(t.Context(), put("0")); err != nil {
			t.Fatal(err)
		}
		for _, run := range []func(context.Context, func(*dbx.Tx) error) error{
			db.Read,
			func(ctx context.Context, f func(*dbx.Tx) error) error { return db.Write(ctx, f) },
			func(ctx context.Context, f func(*dbx.Tx) error) error { return db.Serial(ctx, f) },
		} {
			for _, end := range []func(){func() { panic("boom") }, runtime.Goexit} {
				// More often than there are connections: none may be lost.
				for range 25 {
					done := make(chan struct{})
					go func() {
						defer close(done)
						defer func() { recover() }()
						run(context.Background(), func(tx *dbx.Tx) error {
							if tx.Writable() {
								put("x")(tx)
							}
							return itemsOf.Each(context.Background(), tx, func(item) error { end(); return nil }, "a")
						})
					}()
					<-done
				}
			}
		}
		count(t, db, 1)
		if err := db.Write(t.Context(), put("1")); err != nil {
			t.Error(err)
		}
		count(t, db, 2)
	})
}
