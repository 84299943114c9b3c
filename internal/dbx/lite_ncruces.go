//go:build !modernc

package dbx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// liteConn is one SQLite connection with its prepared statements; one goroutine at a time uses it.
type liteConn struct {
	c       *sqlite3.Conn
	stmts   []*liteStmt          // by statement id
	dynamic map[string]*liteStmt // texts made at run time
	views   string               // that dynamic reads, on a connection for reports
	asked   *inspected           // the report being run; nil: what runs is ours
	fenced  bool                 // the authorizer is installed
}

// liteStmt is a prepared statement.
type liteStmt struct {
	s     *sqlite3.Stmt
	names []string
}

func dialLite(path string, write bool) (*liteConn, error) {
	flags := sqlite3.OPEN_READWRITE
	if write {
		flags |= sqlite3.OPEN_CREATE
	}
	c, err := sqlite3.OpenFlags(path, flags)
	if err != nil {
		return nil, err
	}
	// Without it the engine plans a statement anew each time that values are bound to it which might make another plan
	// better: to LIMIT, to LIKE, and to ranges of columns that it has statistics of. That takes longer than most statements.
	if _, err := c.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &liteConn{c: c, dynamic: map[string]*liteStmt{}}, nil
}

// rawLite opens a database/sql pool on the same file.
func rawLite(path string, pragmas []string) (*sql.DB, error) {
	db, err := driver.Open(liteURI(path)+"?_txlock=immediate", func(c *sqlite3.Conn) error {
		return c.Exec(strings.Join(pragmas, ";"))
	})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (c *liteConn) close() error {
	for _, s := range slices.Collect(c.c.Stmts()) {
		s.Close()
	}
	return c.c.Close()
}

// under sets the context that interrupts statements.
func (c *liteConn) under(ctx context.Context) { c.c.SetInterrupt(ctx) }

// inside says whether a transaction is open.
func (c *liteConn) inside() bool { return !c.c.GetAutocommit() }

// changed counts the rows that this connection has inserted, updated and deleted, undone ones too.
func (c *liteConn) changed() int64 { return c.c.TotalChanges() }

// run executes text without parameters.
func (c *liteConn) run(text string) error { return c.c.Exec(text) }

func (c *liteConn) prepare(text string) (*liteStmt, error) {
	s, tail, err := c.c.PrepareFlags(text, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(tail) != "" {
		s.Close()
		return nil, errors.New("more than one statement")
	}
	ls := &liteStmt{s: s, names: make([]string, s.ColumnCount())}
	for i := range ls.names {
		ls.names[i] = s.ColumnName(i)
	}
	return ls, nil
}

// exec runs a statement to its end and gives the number of rows changed.
func (s *liteStmt) exec() (int64, error) {
	for s.s.Step() {
	}
	if err := s.reset(); err != nil {
		return 0, err
	}
	return s.s.Conn().Changes(), nil
}

func (s *liteStmt) finalize() { s.s.Close() }

func (s *liteStmt) bind(args []any) error {
	for i, a := range args {
		v, err := bindable(a)
		if err != nil {
			return fmt.Errorf("value %d: %w", i+1, err)
		}
		switch v := v.(type) {
		case nil:
			err = s.s.BindNull(i + 1)
		case int64:
			err = s.s.BindInt64(i+1, v)
		case float64:
			err = s.s.BindFloat(i+1, v)
		case string:
			err = s.s.BindText(i+1, v)
		case []byte:
			if v == nil {
				err = s.s.BindNull(i + 1)
			} else {
				err = s.s.BindBlob(i+1, v)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// step moves to the next row; false at the end and on an error, which reset gives.
func (s *liteStmt) step() bool { return s.s.Step() }

// reset ends the run and gives the error of its steps.
func (s *liteStmt) reset() error {
	err := s.s.Err()
	_ = s.s.Reset() // repeats the error of the last step
	return err
}

func (s *liteStmt) kind(i int) cellKind {
	switch s.s.ColumnType(i) {
	case sqlite3.INTEGER:
		return isInt
	case sqlite3.FLOAT:
		return isFloat
	case sqlite3.TEXT:
		return isText
	case sqlite3.BLOB:
		return isBlob
	}
	return isNull
}

func (s *liteStmt) int(i int) int64     { return s.s.ColumnInt64(i) }
func (s *liteStmt) float(i int) float64 { return s.s.ColumnFloat(i) }
func (s *liteStmt) text(i int) string   { return s.s.ColumnText(i) }
func (s *liteStmt) blob(i int) []byte   { return s.s.ColumnBlob(i, []byte{}) }

// liteCode gives the extended result code of an error, 0 when it has none.
func liteCode(err error) int {
	if e, ok := errors.AsType[*sqlite3.Error](err); ok {
		return int(e.ExtendedCode())
	}
	if e, ok := errors.AsType[sqlite3.ExtendedErrorCode](err); ok {
		return int(e)
	}
	if e, ok := errors.AsType[sqlite3.ErrorCode](err); ok {
		return int(e)
	}
	return 0
}
