//go:build modernc

package dbx

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// moderncConn is what the driver's connections can do.
type moderncConn interface {
	driver.Conn
	driver.ExecerContext
	sqlite.HookRegisterer
	ColumnInfo(query string) ([]sqlite.ColumnInfo, error)
}

// liteConn is one SQLite connection with its prepared statements; one goroutine at a time uses it.
type liteConn struct {
	c       moderncConn
	ctx     context.Context
	open    bool // a transaction is
	stmts   []*liteStmt
	dynamic map[string]*liteStmt
	views   string // that dynamic reads, on a connection for reports
}

// liteStmt is a prepared statement.
type liteStmt struct {
	c      *liteConn
	s      driver.Stmt
	begins bool // it is BEGIN
	ends   bool // it is COMMIT or ROLLBACK of the whole
	names  []string
	decls  []string
	args   []driver.NamedValue
	rows   driver.Rows
	row    []driver.Value
	err    error
}

// driverOf gives the driver behind its registered name.
func driverOf() (driver.Driver, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Driver(), nil
}

func dialLite(path string, write bool) (*liteConn, error) {
	d, err := driverOf()
	if err != nil {
		return nil, err
	}
	mode := "?mode=rw"
	if write {
		mode = "?mode=rwc"
	}
	c, err := d.Open(liteURI(path) + mode)
	if err != nil {
		return nil, err
	}
	mc, ok := c.(moderncConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("the driver's connection is a %T", c)
	}
	lc := &liteConn{c: mc, ctx: context.Background(), dynamic: map[string]*liteStmt{}}
	mc.RegisterRollbackHook(func() { lc.open = false })
	return lc, nil
}

// rawLite opens a database/sql pool on the same file.
func rawLite(path string, pragmas []string) (*sql.DB, error) {
	uri := liteURI(path) + "?_txlock=immediate"
	for _, p := range pragmas {
		name, value, _ := strings.Cut(strings.TrimPrefix(p, "PRAGMA "), "=")
		uri += "&_pragma=" + name + "(" + value + ")"
	}
	db, err := sql.Open("sqlite", uri)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (c *liteConn) close() error {
	var errs []error
	for _, s := range c.stmts {
		if s != nil {
			s.finalize()
		}
	}
	for _, s := range c.dynamic {
		s.finalize()
	}
	c.c.RegisterRollbackHook(nil)
	return errors.Join(append(errs, c.c.Close())...)
}

// under sets the context that interrupts statements.
func (c *liteConn) under(ctx context.Context) { c.ctx = ctx }

// inside says whether a transaction is open.
func (c *liteConn) inside() bool { return c.open }

// changed counts the rows that this connection has inserted, updated and deleted, undone ones too; -1 when it does not say.
func (c *liteConn) changed() int64 {
	s, err := c.cached(-1, "SELECT total_changes()")
	if err != nil {
		return -1
	}
	n := int64(-1)
	if s.step() {
		n = s.int(0)
	}
	if s.reset() != nil {
		return -1
	}
	return n
}

// run executes text without parameters.
func (c *liteConn) run(text string) error {
	_, err := c.c.ExecContext(context.Background(), text, nil)
	if err == nil && text == "ROLLBACK" {
		c.open = false
	}
	return err
}

func (c *liteConn) prepare(text string) (*liteStmt, error) {
	info, err := c.c.ColumnInfo(text)
	if err != nil {
		return nil, err
	}
	s, err := c.c.Prepare(text)
	if err != nil {
		return nil, err
	}
	ls := &liteStmt{c: c, s: s, begins: strings.HasPrefix(text, "BEGIN"), ends: text == "COMMIT" || text == "ROLLBACK"}
	for _, i := range info {
		ls.names, ls.decls = append(ls.names, i.Name), append(ls.decls, i.DeclType)
	}
	ls.row = make([]driver.Value, len(ls.names))
	return ls, nil
}

func (s *liteStmt) finalize() { s.s.Close() }

func (s *liteStmt) bind(args []any) error {
	s.args = s.args[:0]
	for i, a := range args {
		v, err := bindable(a)
		if err != nil {
			return fmt.Errorf("value %d: %w", i+1, err)
		}
		if b, ok := v.([]byte); ok && b == nil {
			v = nil
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return nil
}

// exec runs a statement to its end and gives the number of rows changed.
func (s *liteStmt) exec() (int64, error) {
	ctx := s.c.ctx
	if s.begins || s.ends {
		ctx = context.Background()
	}
	r, err := s.s.(driver.StmtExecContext).ExecContext(ctx, s.args)
	if err != nil {
		return 0, err
	}
	switch {
	case s.begins:
		s.c.open = true
	case s.ends:
		s.c.open = false
	}
	return r.RowsAffected()
}

// step moves to the next row; false at the end and on an error, which reset gives.
func (s *liteStmt) step() bool {
	if s.rows == nil {
		if s.rows, s.err = s.s.(driver.StmtQueryContext).QueryContext(s.c.ctx, s.args); s.err != nil {
			s.rows = nil
			return false
		}
	}
	err := s.c.ctx.Err()
	if err == nil {
		err = s.rows.Next(s.row)
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return err == nil
}

// reset ends the run and gives the error of its steps.
func (s *liteStmt) reset() error {
	err := s.err
	if s.rows != nil {
		if e := s.rows.Close(); err == nil {
			err = e
		}
	}
	s.rows, s.err = nil, nil
	return err
}

func (s *liteStmt) kind(i int) cellKind {
	switch s.row[i].(type) {
	case int64, bool:
		return isInt
	case float64:
		return isFloat
	case string:
		return isText
	case []byte:
		return isBlob
	}
	return isNull
}

func (s *liteStmt) int(i int) int64 {
	switch v := s.row[i].(type) {
	case int64:
		return v
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

func (s *liteStmt) float(i int) float64 { f, _ := s.row[i].(float64); return f }
func (s *liteStmt) text(i int) string   { t, _ := s.row[i].(string); return t }

func (s *liteStmt) blob(i int) []byte {
	switch v := s.row[i].(type) {
	case []byte:
		return append([]byte{}, v...)
	case string:
		return []byte(v)
	}
	return nil
}

// liteCode gives the extended result code of an error, 0 when it has none.
func liteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
