package dbx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgConn is a connection within a transaction. pgx prepares and caches the statements of each connection.
//
// What needs no answer of its own waits for the next that does, and travels with it in one round trip: BEGIN for the first
// statement, statements that were put off for the next one or for COMMIT. The server skips what follows a failure.
type pgConn struct {
	c     *pgx.Conn
	ctx   context.Context // ends what is on its way
	begin string          // not sent yet; then empty
	later []deferred
}

type deferred struct {
	s    *statement
	args []any
}

// errUnheard is a server that did not answer to what began a transaction. One that is alive would have ended the statement
// before the client's patience ended, and nothing was committed: another connection may be quicker.
var errUnheard = errors.New("no answer on this connection")

// query runs a statement that reads. One with a long list of values is planned for these each time. Planned once for all, as a
// statement is that ran some times, it is planned for a tenant or role of average size, which is small; it may then be quicker to go
// through all of it than to look for each value, and of a large one it is a hundred times slower.
func (p *pgConn) query(_ context.Context, s *statement, args []any) (cursor, error) {
	if s.anew {
		if err := p.flush(); err != nil {
			return nil, err
		}
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	if !p.waiting() {
		rows, err := p.c.Query(p.ctx, s.text[Postgres], args...)
		if err != nil {
			return nil, err
		}
		return pgRows{r: rows}, nil
	}
	br, err := p.send(p.ctx, s.text[Postgres], args)
	if err != nil {
		return nil, err
	}
	rows, err := br.Query()
	if err != nil {
		return nil, errors.Join(err, br.Close())
	}
	return pgRows{rows, br}, nil
}

func (p *pgConn) exec(_ context.Context, s *statement, args []any) (int64, error) {
	if !p.waiting() {
		tag, err := p.c.Exec(p.ctx, s.text[Postgres], args...)
		return tag.RowsAffected(), err
	}
	tag, err := p.last(p.ctx, s.text[Postgres], args)
	return tag.RowsAffected(), err
}

func (p *pgConn) putOff(_ context.Context, s *statement, args []any) error {
	p.later = append(p.later, deferred{s, args})
	return nil
}

func (p *pgConn) waiting() bool { return p.begin != "" || len(p.later) > 0 }

// send sends what waits and a statement, and gives the answers from that statement's on.
func (p *pgConn) send(ctx context.Context, text string, args []any) (pgx.BatchResults, error) {
	b := &pgx.Batch{}
	begin, later := p.begin, p.later
	p.begin, p.later = "", nil
	if begin != "" {
		b.Queue(begin)
	}
	for _, l := range later {
		b.Queue(l.s.text[Postgres], l.args...)
	}
	b.Queue(text, args...)
	br := p.c.SendBatch(ctx, b)
	if begin != "" {
		if _, err := br.Exec(); err != nil {
			return nil, errors.Join(unheard(begin, err), br.Close())
		}
	}
	for _, l := range later {
		if _, err := br.Exec(); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", l.s.name, err), br.Close())
		}
	}
	return br, nil
}

// flush sends what waits by itself.
func (p *pgConn) flush() error {
	if n := len(p.later); n > 0 {
		l := p.later[n-1]
		p.later = p.later[:n-1]
		if _, err := p.last(p.ctx, l.s.text[Postgres], l.args); err != nil {
			return fmt.Errorf("%s: %w", l.s.name, err)
		}
	}
	if begin := p.begin; begin != "" {
		p.begin = ""
		_, err := p.simple(p.ctx, begin)
		return unheard(begin, err)
	}
	return nil
}

// unheard tells a server that did not answer to a BEGIN from other failures of it.
func unheard(begin string, err error) error {
	if isContext(err) && begin != begins[reading] {
		err = errors.Join(errUnheard, err)
	}
	return err
}

// last is send for a statement without rows.
func (p *pgConn) last(ctx context.Context, text string, args []any) (pgconn.CommandTag, error) {
	br, err := p.send(ctx, text, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := br.Exec()
	if e := br.Close(); err == nil {
		err = e
	}
	return tag, err
}

// commit ends the transaction; what waits goes with it. One that never began has nothing to commit.
func (p *pgConn) commit(ctx context.Context) (pgconn.CommandTag, error) {
	switch {
	case len(p.later) > 0:
		return p.last(ctx, "COMMIT", nil)
	case p.begin != "":
		return pgconn.NewCommandTag("COMMIT"), nil
	}
	return p.simple(ctx, "COMMIT")
}

// simple runs a command in one round trip, without preparing it.
func (p *pgConn) simple(ctx context.Context, text string) (pgconn.CommandTag, error) {
	r := p.c.PgConn().Exec(ctx, text)
	var tag pgconn.CommandTag
	for r.NextResult() {
		tag, _ = r.ResultReader().Close()
	}
	return tag, r.Close()
}

func (p *pgConn) classify(err error) class {
	if errors.Is(err, errUnheard) {
		p.drop()
		return broken
	}
	return classifyPostgres(err)
}

// rollback ends the transaction, or the connection when that fails.
func (p *pgConn) rollback(ctx context.Context) {
	if p.c.IsClosed() || p.begin != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := p.simple(ctx, "ROLLBACK"); err != nil {
		p.drop()
	}
}

func (p *pgConn) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	p.c.Close(ctx)
}

// pgRows is a cursor.
type pgRows struct {
	r     pgx.Rows
	batch pgx.BatchResults // that r belongs to; nil: none
}

func (r pgRows) columns() []string {
	var names []string
	for _, f := range r.r.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names
}

func (r pgRows) next() bool           { return r.r.Next() }
func (r pgRows) scan(dst []any) error { return r.r.Scan(dst...) }

func (r pgRows) close() error {
	r.r.Close()
	err := r.r.Err()
	if r.batch != nil {
		if e := r.batch.Close(); err == nil {
			err = e
		}
	}
	return err
}
