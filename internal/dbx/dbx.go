// Package dbx runs one set of SQL statements on SQLite and on PostgreSQL: declared statements with ? placeholders,
// transactions that are tried again when the engine asks for it, and group commit on SQLite.
//
// A function handed to Read, Write or Serial may run more than once, so it has no effect besides its transaction and
// variables that it sets anew on every run. It uses the given Tx only, on its own goroutine, and never calls Write or
// Serial itself: SQLite has one writer, which would wait for itself until the budget is used up.
//
// The default SQLite driver is github.com/ncruces/go-sqlite3. The build tag modernc takes modernc.org/sqlite instead,
// which has no authorizer: see Report.
package dbx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"
)

// Engine is the database behind a DB.
type Engine uint8

// The engines. The zero value is the embedded one.
const (
	SQLite Engine = iota
	Postgres
)

// String names the engine as in URLs and test names.
func (e Engine) String() string {
	if e == Postgres {
		return "postgres"
	}
	return "sqlite"
}

// Options shape a DB; the zero value is right for a server.
type Options struct {
	Log      *slog.Logger  // slog.Default when nil
	Readers  int           // SQLite: connections that read; max(4, GOMAXPROCS) when 0
	Conns    int           // PostgreSQL: connections in all; 20 when 0
	Budget   time.Duration // what a function of Write or Serial may take, and on PostgreSQL any statement; 5 s when 0
	Patience time.Duration // how long a caller without a deadline waits and retries; 30 s when 0
	Group    int           // SQLite: most functions in one commit; 256 when 0
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	set(&o.Readers, max(4, runtime.GOMAXPROCS(0)))
	set(&o.Conns, 20)
	set(&o.Budget, 5*time.Second)
	set(&o.Patience, 30*time.Second)
	set(&o.Group, 256)
	return o
}

func set[T int | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}

// DB is an open store.
type DB struct {
	engine Engine
	o      Options
	store  store
}

// store is what an engine does.
type store interface {
	// try runs f once. again says that the same function may succeed when tried again.
	try(ctx context.Context, m mode, f func(*Tx) error) (again bool, err error)
	raw() (*sql.DB, error)
	ping(ctx context.Context) error
	close() error
	backup(ctx context.Context, path string) error
	describe(ctx context.Context, s *statement) ([]string, error)
	report(ctx context.Context, q *inspected) (*Rows, error)
}

// mode is how a transaction is isolated.
type mode uint8

const (
	reading mode = iota
	writing
	serial
)

// Witness says, in a fresh transaction that may only read, whether an earlier try was committed after all: it looks for a
// row with an id that was fixed before the first try. It is asked when the answer to COMMIT was lost.
type Witness func(ctx context.Context, tx *Tx) (happened bool, err error)

// Open opens the store at url: "sqlite:///absolute/path.db", "sqlite:relative.db" or "postgres://user@host/name". It does
// not create tables; internal/schema does.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	o = o.filled()
	d := &DB{o: o}
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		path := strings.TrimPrefix(url, "sqlite:")
		if strings.HasPrefix(path, "//") {
			if path = strings.TrimPrefix(path, "//"); !strings.HasPrefix(path, "/") {
				return nil, fmt.Errorf("store %s: an absolute path has three slashes, sqlite:///path", url)
			}
		}
		if path == "" || strings.ContainsAny(path, "?#\x00") {
			return nil, fmt.Errorf("store %s: not a file name", url)
		}
		d.store, err = openLite(ctx, path, o)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		d.engine = Postgres
		d.store, err = openPostgres(ctx, url, o)
	default:
		return nil, errors.New("store: the address starts with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Engine is the engine behind the store.
func (d *DB) Engine() Engine { return d.engine }

// Read runs f in one snapshot that cannot change anything. ctx ends it. f should not call Read: with all connections taken
// by functions that wait for another, nobody gets one.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	return d.run(ctx, reading, f, nil)
}

// Write runs f in a transaction that may change rows: READ COMMITTED on PostgreSQL, so f relies on unique constraints,
// ON CONFLICT, version columns checked in the UPDATE and FOR UPDATE. The answer nil means committed and durable.
// The witnesses tell whether an earlier try was committed when the connection broke during COMMIT; one suffices, and
// without any the answer is then ErrCommitUnknown.
//
// On SQLite the functions of several callers share a commit. ctx counts until f starts; from then on f runs to its end
// under the store's own deadline (Options.Budget), whatever context it hands to its statements. On PostgreSQL a caller who
// has gone by the time f returns is not committed.
//
// A panic in f rolls back what f did and goes on in the caller; on SQLite its value is a *Panic, since f ran on another
// goroutine.
func (d *DB) Write(ctx context.Context, f func(*Tx) error, w ...Witness) error {
	return d.run(ctx, writing, f, w)
}

// Serial is Write for functions that keep an invariant across rows: SERIALIZABLE on PostgreSQL.
func (d *DB) Serial(ctx context.Context, f func(*Tx) error, w ...Witness) error {
	return d.run(ctx, serial, f, w)
}

// run tries until the deadline.
func (d *DB) run(ctx context.Context, m mode, f func(*Tx) error, w []Witness) error {
	start := time.Now()
	for try := 0; ; try++ {
		again, err := d.store.try(ctx, m, f)
		if errors.Is(err, ErrCommitUnknown) && len(w) > 0 {
			happened, werr := d.ask(ctx, w)
			if werr != nil {
				return ErrCommitUnknown.Because(errors.Join(err, werr))
			}
			if happened {
				return nil
			}
			again, err = true, ErrDown.Because(err)
		}
		if err == nil || !again {
			return err
		}
		if !pause(ctx, try, d.o.Patience-time.Since(start)) {
			return err
		}
	}
}

// ask puts the question to the witnesses. The caller's context does not end it early: an answer is worth more than haste.
func (d *DB) ask(ctx context.Context, w []Witness) (happened bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.o.Patience)
	defer cancel()
	err = d.run(ctx, reading, func(tx *Tx) error {
		happened = false
		for _, ask := range w {
			ok, err := ask(ctx, tx)
			if err != nil {
				return err
			}
			happened = happened || ok
		}
		return nil
	}, nil)
	return happened, err
}

// pause waits a random while that grows with the tries, up to a quarter of a second; false when there is no time left.
func pause(ctx context.Context, try int, left time.Duration) bool {
	wait := time.Duration(1+rand.Int64N(int64(time.Millisecond)<<min(try, 8))) + time.Microsecond
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	if wait = min(wait, 250*time.Millisecond); wait > left {
		return false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// SQL is a raw pool for migrations; it knows nothing of group commit or retries, and it does not bound transactions. On
// SQLite it is one connection of its own, so it must not be used inside Write. It panics when the pool cannot be made.
func (d *DB) SQL() *sql.DB {
	db, err := d.store.raw()
	if err != nil {
		panic(err)
	}
	return db
}

// Ping says whether the store answers.
func (d *DB) Ping(ctx context.Context) error { return d.store.ping(ctx) }

// Close waits for what was admitted and closes the store.
func (d *DB) Close() error { return d.store.close() }

// Backup writes a consistent copy of a SQLite store to path while it is in use; it never overwrites a file. PostgreSQL
// has its own tools for that.
func (d *DB) Backup(ctx context.Context, path string) error { return d.store.backup(ctx, path) }

// PrepareAll prepares every declared statement and compares its columns with its row struct; the errors of all are joined.
func (d *DB) PrepareAll(ctx context.Context) error {
	registry.Lock()
	all := registry.all
	registry.Unlock()
	var errs []error
	for _, s := range all {
		columns, err := d.store.describe(ctx, s)
		if err == nil && s.row != nil {
			err = compare(s.row, columns)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (%s): %w", s.name, s.facts.Package, err))
		}
	}
	return errors.Join(errs...)
}
