package dbx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// lite is a SQLite store: one connection that writes and a pool that reads.
type lite struct {
	o       Options
	path    string
	readers chan *liteConn
	more    chan struct{} // one for each reader that may still be opened: opening one reads the whole schema
	writer  *writer
	pool    struct {
		sync.Mutex
		db     *sql.DB
		closed bool
	}
	reports struct {
		sync.Mutex
		idle   []*liteConn
		closed bool
	}
}

// The pragmas of every connection. A write is durable when COMMIT returns: synchronous=FULL syncs the log each time.
var litePragmas = []string{
	"PRAGMA busy_timeout=1000",
	"PRAGMA journal_mode=WAL",
	"PRAGMA synchronous=FULL",
	"PRAGMA foreign_keys=ON",
	"PRAGMA recursive_triggers=ON",
	"PRAGMA temp_store=MEMORY",
	"PRAGMA cache_size=-8000",
}

func openLite(ctx context.Context, path string, o Options) (*lite, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &lite{o: o, path: path, readers: make(chan *liteConn, o.Readers), more: make(chan struct{}, o.Readers)}
	// The file holds every secret of the installation: it is the owner's alone from its first moment.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	f.Close()
	var first errgroup.Group
	first.Go(func() error {
		w, err := d.dial(ctx, true)
		if err == nil {
			d.writer = newWriter(w, o)
		}
		return err
	})
	first.Go(func() error {
		r, err := d.dial(ctx, false)
		if err == nil {
			d.readers <- r
		}
		return err
	})
	if err := first.Wait(); err != nil {
		d.close()
		return nil, err
	}
	for range o.Readers - 1 {
		d.more <- struct{}{}
	}
	return d, nil
}

// dial opens a connection; another process may hold a lock for a moment, so it tries for a while.
func (d *lite) dial(ctx context.Context, write bool) (*liteConn, error) {
	start := time.Now()
	for try := 0; ; try++ {
		c, err := dialLite(d.path, write)
		if err == nil {
			if err = setUp(c, write); err == nil {
				return c, nil
			}
			c.close()
		}
		if classifyLite(err) != retry || !pause(ctx, try, d.o.Patience-time.Since(start)) {
			return nil, fmt.Errorf("store %s: %w", d.path, err)
		}
	}
}

func setUp(c *liteConn, write bool) error {
	for _, p := range litePragmas {
		if err := c.run(p); err != nil {
			return err
		}
	}
	if !write {
		return c.run("PRAGMA query_only=ON")
	}
	return nil
}

// liteURI is the path as a file: URI, for the places that take only those.
func liteURI(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

func (d *lite) try(ctx context.Context, m mode, f func(*Tx) error) (bool, error) {
	if m != reading {
		return d.writer.submit(ctx, f)
	}
	c, err := d.borrow(ctx)
	if err != nil {
		return false, err
	}
	tx := &Tx{ctx: ctx, conn: c, fixed: true, began: time.Now()}
	c.under(ctx)
	defer func() {
		tx.done = true
		c.under(context.Background())
		if c.inside() {
			_ = c.command("ROLLBACK") // what it leaves shows below
		}
		d.readers <- c
	}()
	if err := c.command("BEGIN"); err != nil {
		return classifyLite(err) == retry, wrap("BEGIN", classifyLite(err), err)
	}
	err = f(tx)
	if err == nil && tx.failed != nil {
		err = tx.failed
	}
	return tx.failed != nil && tx.class == retry, err
}

// borrow takes a reader from the pool.
func (d *lite) borrow(ctx context.Context) (*liteConn, error) {
	if err := ctx.Err(); err != nil {
		return nil, gone(ctx)
	}
	select {
	case c, ok := <-d.readers:
		if !ok {
			return nil, ErrClosed
		}
		return c, nil
	default:
	}
	select {
	case <-d.more:
		c, err := d.dial(ctx, false)
		if err != nil {
			d.more <- struct{}{}
		}
		return c, err
	default:
	}
	t := time.NewTimer(d.o.Patience)
	defer t.Stop()
	select {
	case c, ok := <-d.readers:
		if !ok {
			return nil, ErrClosed
		}
		return c, nil
	case <-ctx.Done():
		return nil, gone(ctx)
	case <-t.C:
		return nil, ErrBusy.Because(errors.New("no reader became free"))
	}
}

func (d *lite) raw() (*sql.DB, error) {
	d.pool.Lock()
	defer d.pool.Unlock()
	if d.pool.closed {
		return nil, ErrClosed
	}
	if d.pool.db == nil {
		db, err := rawLite(d.path, append([]string{"PRAGMA busy_timeout=30000"}, litePragmas[1:]...))
		if err != nil {
			return nil, err
		}
		d.pool.db = db
	}
	return d.pool.db, nil
}

var pingStatement = &statement{id: -1, name: "dbx.ping", text: [2]string{"SELECT 1", "SELECT 1"}}

func (d *lite) ping(ctx context.Context) error {
	_, err := d.try(ctx, reading, func(tx *Tx) error {
		return tx.each(ctx, pingStatement, nil, func(cursor) error { return nil })
	})
	return err
}

func (d *lite) close() error {
	var errs []error
	if d.writer != nil {
		errs = append(errs, d.writer.close())
	}
	d.pool.Lock()
	closed, db := d.pool.closed, d.pool.db
	d.pool.closed = true
	d.pool.Unlock()
	if closed {
		return nil
	}
	if db != nil {
		errs = append(errs, db.Close())
	}
	for range len(d.more) {
		<-d.more
	}
	for range len(d.readers) {
		errs = append(errs, (<-d.readers).close())
	}
	return errors.Join(append(errs, d.closeReporters())...)
}

func (d *lite) describe(ctx context.Context, s *statement) ([]string, error) {
	c, err := d.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { d.readers <- c }()
	ls, err := c.prepare(s.text[SQLite])
	if err != nil {
		return nil, err
	}
	defer ls.finalize()
	return ls.names, nil
}

// command runs one of the few transaction commands, prepared once per connection.
func (c *liteConn) command(text string) error {
	s, err := c.cached(-1, text)
	if err != nil {
		return err
	}
	_, err = s.exec()
	return err
}

// maxDynamic bounds the prepared texts that were made at run time.
const maxDynamic = 200

// cached gives a prepared statement of this connection.
func (c *liteConn) cached(id int, text string) (*liteStmt, error) {
	if id >= 0 && id < len(c.stmts) && c.stmts[id] != nil {
		return c.stmts[id], nil
	}
	if id < 0 {
		if s := c.dynamic[text]; s != nil {
			return s, nil
		}
	}
	s, err := c.prepare(text)
	if err != nil {
		return nil, err
	}
	if id >= 0 {
		for len(c.stmts) <= id {
			c.stmts = append(c.stmts, nil)
		}
		c.stmts[id] = s
		return s, nil
	}
	if len(c.dynamic) >= maxDynamic {
		for k, old := range c.dynamic {
			old.finalize()
			delete(c.dynamic, k)
			break
		}
	}
	c.dynamic[text] = s
	return s, nil
}

func (c *liteConn) query(_ context.Context, s *statement, args []any) (cursor, error) {
	ls, err := c.cached(s.id, s.text[SQLite])
	if err != nil {
		return nil, err
	}
	if err := ls.bind(args); err != nil {
		return nil, err
	}
	return ls, nil
}

func (c *liteConn) exec(_ context.Context, s *statement, args []any) (int64, error) {
	ls, err := c.cached(s.id, s.text[SQLite])
	if err != nil {
		return 0, err
	}
	if err := ls.bind(args); err != nil {
		return 0, err
	}
	return ls.exec()
}

// putOff runs it at once: there is no way to save.
func (c *liteConn) putOff(ctx context.Context, s *statement, args []any) error {
	_, err := c.exec(ctx, s, args)
	return err
}

func (c *liteConn) classify(err error) class { return classifyLite(err) }

// The result codes that mean something: https://sqlite.org/rescode.html.
const (
	liteBusy       = 5
	liteLocked     = 6
	liteInterrupt  = 9
	liteConstraint = 19
	liteForeignKey = liteConstraint | 3<<8
	litePrimaryKey = liteConstraint | 6<<8
	liteUnique     = liteConstraint | 8<<8
	liteRowID      = liteConstraint | 10<<8
)

func classifyLite(err error) class {
	code := liteCode(err)
	switch code {
	case liteForeignKey:
		return refer
	case litePrimaryKey, liteUnique, liteRowID:
		return exists
	}
	switch code & 0xff {
	case liteBusy, liteLocked:
		return retry
	case liteInterrupt:
		return expired
	}
	if isContext(err) {
		return expired
	}
	return final
}

func (s *liteStmt) columns() []string { return s.names }
func (s *liteStmt) next() bool        { return s.step() }
func (s *liteStmt) close() error      { return s.reset() }

func (s *liteStmt) scan(dst []any) error {
	if len(dst) != len(s.names) {
		return fmt.Errorf("%d columns, not %d", len(s.names), len(dst))
	}
	for i, d := range dst {
		if err := load(s, i, d); err != nil {
			return err
		}
	}
	return nil
}
