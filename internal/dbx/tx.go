package dbx

import (
	"context"
	"errors"
	"time"
)

// Tx is a transaction. It belongs to the function it was handed to and to that function's goroutine.
//
// After a failed statement nothing more can be done in it and it will not commit, whatever the function returns: that
// is how PostgreSQL behaves, and SQLite is held to the same.
type Tx struct {
	ctx    context.Context // ends with the transaction's own deadline
	engine Engine
	conn   conn
	write  bool
	fixed  bool // all statements see the same moment
	done   bool
	busy   bool  // a cursor is open
	failed error // the first failed statement, as answered
	class  class // of failed
	after  []func()
	began  time.Time // of what only reads
}

// Began is a time no later than the moment that a reading transaction sees; zero of one that writes.
func (t *Tx) Began() time.Time { return t.began }

// conn is an engine's connection within a transaction.
type conn interface {
	query(ctx context.Context, s *statement, args []any) (cursor, error)
	exec(ctx context.Context, s *statement, args []any) (int64, error)
	// putOff has a statement run before the next one or COMMIT, whose error is then its error too.
	putOff(ctx context.Context, s *statement, args []any) error
	// classify says what an error from this connection means.
	classify(err error) class
}

// cursor walks over the rows of a query. columns is valid at once, scan after next said true.
type cursor interface {
	columns() []string
	next() bool
	scan(dst []any) error
	close() error // gives the first error of all of the above
}

// Engine is the engine that the transaction runs on.
func (t *Tx) Engine() Engine { return t.engine }

// Writable says whether the transaction may change anything.
func (t *Tx) Writable() bool { return t.write }

// Latest says whether each statement sees whatever was committed before it, and not the moment of the first alone.
func (t *Tx) Latest() bool { return !t.fixed }

// After has f run once after the transaction has been committed, on the goroutine that called Write or Serial. It is
// for hints such as waking a worker: a crash between commit and f loses the call. After a rollback f never runs.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

// admit checks that a statement may start.
func (t *Tx) admit(ctx context.Context, s *statement, args []any) error {
	switch {
	case t.done:
		return misuse(s.name, "the transaction has ended")
	case t.failed != nil:
		return misuse(s.name, "an earlier statement failed: %v", t.failed)
	case t.busy:
		return misuse(s.name, "another statement's rows are still being read")
	case (s.writes || s.locks) && !t.write:
		return t.fail(s, final, ErrReadOnly.Because(errors.New(s.name)))
	case len(args) != s.params:
		return t.fail(s, final, misuse(s.name, "%d values for %d placeholders", len(args), s.params))
	}
	if err := t.ctx.Err(); err != nil {
		return t.fail(s, expired, wrap(s.name, expired, err))
	}
	// A statement in a write transaction runs to its end under the writer's deadline; a caller who went away only keeps
	// the next reading statement from starting.
	if !t.write && ctx.Err() != nil {
		return t.fail(s, expired, gone(ctx))
	}
	return nil
}

// fail notes the first error and what it means; err is what the caller gets.
func (t *Tx) fail(s *statement, c class, err error) error {
	if t.failed == nil {
		t.failed, t.class = err, c
	}
	return err
}

// broke is fail for an error that comes from the engine.
func (t *Tx) broke(s *statement, err error) error {
	c := t.conn.classify(err)
	if c == final && t.ctx.Err() != nil {
		c = expired
	}
	return t.fail(s, c, wrap(s.name, c, err))
}

// each runs a query and hands its cursor to f before every row's scan.
func (t *Tx) each(ctx context.Context, s *statement, args []any, row func(cursor) error) error {
	if err := t.admit(ctx, s, args); err != nil {
		return err
	}
	c, err := t.conn.query(t.ctx, s, args)
	if err != nil {
		return t.broke(s, err)
	}
	t.busy = true
	// A panic in row must not leave the cursor open: the connection goes on to serve others.
	open := true
	defer func() {
		t.busy = false
		if open {
			c.close()
		}
	}()
	for c.next() {
		if err := row(c); err != nil {
			return err
		}
	}
	open = false
	if err := c.close(); err != nil {
		return t.broke(s, err)
	}
	return nil
}

// do runs a statement without rows.
func (t *Tx) do(ctx context.Context, s *statement, args []any) (int64, error) {
	if err := t.admit(ctx, s, args); err != nil {
		return 0, err
	}
	n, err := t.conn.exec(t.ctx, s, args)
	if err != nil {
		return 0, t.broke(s, err)
	}
	return n, nil
}

// later puts off a statement without rows.
func (t *Tx) later(ctx context.Context, s *statement, args []any) error {
	if err := t.admit(ctx, s, args); err != nil {
		return err
	}
	if err := t.conn.putOff(t.ctx, s, args); err != nil {
		return t.broke(s, err)
	}
	return nil
}
