// Package dbxtest gives tests real stores on both engines: SQLite always, PostgreSQL where LIMEN_TEST_POSTGRES has the
// URL of a superuser on a throw-away server (test/postgres starts one). Without it the PostgreSQL half is skipped, or
// fails when LIMEN_TEST_POSTGRES_REQUIRED is 1.
package dbxtest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"limen/internal/dbx"
	"limen/internal/schema"
)

// Engines are the engines that tests run on.
var Engines = []dbx.Engine{dbx.SQLite, dbx.Postgres}

// Each runs f as a subtest per engine on a store with all tables. The store is shared by all tests of the process, so
// that each test takes a tenant of its own and never counts rows across tenants.
func Each(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	for _, e := range Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, sharedStore(t, e)) })
	}
}

// Fresh gives a store of its own with all tables; it goes away with the test.
func Fresh(t testing.TB, e dbx.Engine) *dbx.DB { return FreshWith(t, e, dbx.Options{}) }

// FreshWith is Fresh with options.
func FreshWith(t testing.TB, e dbx.Engine, o dbx.Options) *dbx.DB {
	t.Helper()
	return open(t, address(t, e, true), o)
}

// Bare gives an empty store of its own, without tables.
func Bare(t testing.TB, e dbx.Engine) *dbx.DB { return BareWith(t, e, dbx.Options{}) }

// BareWith is Bare with options.
func BareWith(t testing.TB, e dbx.Engine, o dbx.Options) *dbx.DB {
	t.Helper()
	return open(t, address(t, e, false), o)
}

// EachBare is Each with an empty store of its own per subtest.
func EachBare(t *testing.T, f func(t *testing.T, db *dbx.DB)) {
	for _, e := range Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, Bare(t, e)) })
	}
}

// Address gives the URL of an empty store, or of one with all tables; it goes away with the test. It is for tests that
// open a store more than once.
func Address(t testing.TB, e dbx.Engine, tables bool) string {
	t.Helper()
	return address(t, e, tables)
}

func open(t testing.TB, address string, o dbx.Options) *dbx.DB {
	t.Helper()
	db, err := dbx.Open(context.Background(), address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func address(t testing.TB, e dbx.Engine, tables bool) string {
	t.Helper()
	p := process(t, e)
	if tables {
		p.migrated(t, e)
	}
	if e == dbx.SQLite {
		path := filepath.Join(t.TempDir(), "store.db")
		if tables {
			copyFile(t, p.template, path)
		}
		return "sqlite://" + path
	}
	template := "template0"
	if tables {
		template = p.template
	}
	name := p.create(t, template)
	t.Cleanup(func() { p.drop(name) })
	return p.url(name)
}

// engine is what the process has made for one engine.
type engine struct {
	found    sync.Once
	made     sync.Once
	opened   sync.Once
	err      error
	server   *url.URL // PostgreSQL
	template string   // migrated; SQLite: a file; PostgreSQL: a database
	db       *dbx.DB  // shared
}

var engines [2]engine

// process finds the engine, and skips the test when it is not there.
func process(t testing.TB, e dbx.Engine) *engine {
	t.Helper()
	p := &engines[e]
	if e == dbx.Postgres && os.Getenv("LIMEN_TEST_POSTGRES") == "" {
		if os.Getenv("LIMEN_TEST_POSTGRES_REQUIRED") == "1" {
			t.Fatal("LIMEN_TEST_POSTGRES is not set, and LIMEN_TEST_POSTGRES_REQUIRED says that it must be")
		}
		t.Skip("LIMEN_TEST_POSTGRES is not set: no PostgreSQL to test on (test/postgres start DIR prints a URL)")
	}
	p.found.Do(func() {
		if e == dbx.Postgres {
			p.err = p.findPostgres()
		} else {
			sweep()
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p
}

// migrated makes the template that stores with tables are copied from.
func (p *engine) migrated(t testing.TB, e dbx.Engine) {
	t.Helper()
	p.made.Do(func() {
		if e == dbx.Postgres {
			p.err = p.templateDatabase()
		} else {
			p.err = p.templateFile()
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
}

// sharedStore opens the store that the process shares. A test process has no last moment of its own, so nothing closes
// it: the next process sweeps it away.
func sharedStore(t testing.TB, e dbx.Engine) *dbx.DB {
	t.Helper()
	p := process(t, e)
	p.migrated(t, e)
	p.opened.Do(func() {
		path := filepath.Join(filepath.Dir(p.template), "shared.db")
		address := "sqlite://" + path
		if e == dbx.Postgres {
			address = p.url(p.create(t, p.template))
		} else {
			copyFile(t, p.template, path)
		}
		p.db, p.err = dbx.Open(context.Background(), address, dbx.Options{Conns: 8})
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.db
}

func migrate(address string) error {
	ctx := context.Background()
	db, err := dbx.Open(ctx, address, dbx.Options{Conns: 2, Readers: 1})
	if err != nil {
		return err
	}
	defer db.Close()
	_, _, err = schema.Apply(ctx, db)
	return err
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *engine) exec(ctx context.Context, sql string) error {
	c, err := pgx.Connect(ctx, p.server.String())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}
