package dbx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres is a PostgreSQL store.
type postgres struct {
	o    Options
	pool *pgxpool.Pool
	conf *pgx.ConnConfig
	once sync.Once
	db   *sql.DB

	fenced atomic.Bool // the role for reports was seen
}

// openPostgres makes the pool. The server ends what the client cannot: a statement or an idle transaction that is over
// the budget. A pooler between has to let these settings through.
func openPostgres(ctx context.Context, url string, o Options) (*postgres, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's text may hold the password.
		return nil, errors.New("store: the PostgreSQL address cannot be read")
	}
	d := &postgres{o: o, conf: conf.ConnConfig.Copy()}
	conf.MaxConns = int32(o.Conns)
	conf.MaxConnLifetime = time.Hour
	conf.MaxConnIdleTime = 5 * time.Minute
	if conf.ConnConfig.ConnectTimeout == 0 {
		conf.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	limit := strconv.FormatInt(o.Budget.Milliseconds(), 10)
	p := conf.ConnConfig.RuntimeParams
	p["statement_timeout"] = limit
	p["idle_in_transaction_session_timeout"] = limit
	p["synchronous_commit"] = "on"
	p["timezone"] = "UTC"
	if p["application_name"] == "" {
		p["application_name"] = "limen"
	}
	conf.AfterConnect = remember
	if d.pool, err = pgxpool.NewWithConfig(ctx, conf); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := d.ping(ctx); err != nil {
		d.pool.Close()
		return nil, err
	}
	return d, nil
}

// remember notes when the server's side of a connection began: together with its process id that names it for ever. The
// view pg_stat_activity says so too, but planning it is most of what a new connection costs.
func remember(ctx context.Context, c *pgx.Conn) error {
	var since string
	err := c.QueryRow(ctx, "SELECT COALESCE((SELECT backend_start::text FROM pg_stat_get_activity(pg_backend_pid())), '')",
		pgx.QueryExecModeSimpleProtocol).Scan(&since)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42883" {
		err = nil // PostgreSQL's dialect without its statistics
	}
	c.PgConn().CustomData()["since"] = since
	return err
}

// grace is what a server gets to say that it has ended a statement whose time was up.
const grace = time.Second

var begins = [...]string{
	reading: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	writing: "BEGIN ISOLATION LEVEL READ COMMITTED",
	serial:  "BEGIN ISOLATION LEVEL SERIALIZABLE",
}

func (d *postgres) try(ctx context.Context, m mode, f func(*Tx) error) (again bool, err error) {
	c, err := d.acquire(ctx)
	if err != nil {
		return ctx.Err() == nil && !errors.Is(err, ErrClosed), err
	}
	defer c.Release()
	// A caller who leaves must not cut a writing transaction's connection: see commit.
	pc := &pgConn{c: c.Conn(), begin: begins[m], ctx: ctx}
	tx := &Tx{ctx: ctx, engine: Postgres, conn: pc, write: m != reading, fixed: m != writing}
	if m == reading {
		tx.began = time.Now() // BEGIN goes out with the first statement
	} else {
		tx.ctx = newLimit(d.o.Budget)
		var cancel context.CancelFunc
		pc.ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), d.o.Budget+grace)
		defer cancel()
	}
	ended := false
	defer func() {
		tx.done = true
		if !ended {
			pc.rollback(ctx)
		}
	}()
	if err = f(tx); err == nil {
		err = tx.failed
	}
	if err != nil {
		return tx.failed != nil && (tx.class == retry || tx.class == broken) && ctx.Err() == nil, err
	}
	if m == reading {
		return false, nil
	}
	if ctx.Err() != nil {
		return false, gone(ctx)
	}
	if tx.ctx.Err() != nil {
		return false, ErrBudget
	}
	ended = true
	tx.done = true
	if again, err = d.commit(ctx, pc); err != nil {
		return again, err
	}
	for _, f := range tx.after {
		f()
	}
	return false, nil
}

// acquire takes a connection from the pool.
func (d *postgres) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	if ctx.Err() != nil {
		return nil, gone(ctx)
	}
	actx, cancel := context.WithTimeout(ctx, d.o.Patience)
	defer cancel()
	c, err := d.pool.Acquire(actx)
	switch {
	case err == nil:
		return c, nil
	case ctx.Err() != nil:
		return nil, gone(ctx)
	case strings.Contains(err.Error(), "closed pool"):
		return nil, ErrClosed.Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, ErrBusy.Because(err)
	}
	return nil, ErrDown.Because(err)
}

// commit commits. When the answer is lost it makes sure that the server's side of the connection has ended, so that what
// a witness then sees is final.
func (d *postgres) commit(ctx context.Context, pc *pgConn) (again bool, err error) {
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.o.Budget)
	defer cancel()
	tag, err := pc.commit(cctx)
	if err == nil {
		if tag.String() == "COMMIT" {
			return false, nil
		}
		return false, ErrStatement.Because(fmt.Errorf("COMMIT answered %s", tag))
	}
	cl := classifyPostgres(err)
	if _, ok := errors.AsType[*pgconn.PgError](err); ok && cl != broken {
		pc.rollback(ctx)
		return cl == retry, wrap("COMMIT", cl, err)
	}
	pid, since := pc.c.PgConn().PID(), pc.c.PgConn().CustomData()["since"]
	pc.drop()
	d.endBackend(ctx, pid, since)
	return false, ErrCommitUnknown.Because(err)
}

// endBackend waits until the server's side of a lost connection has ended, and ends it if it must. It tries for a while
// and then gives up: a store that cannot be asked cannot be asked by the witness either.
func (d *postgres) endBackend(ctx context.Context, pid uint32, since any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.o.Budget)
	defer cancel()
	start := time.Now()
	for try := 0; ; try++ {
		var left int
		err := d.pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE pid = $1 AND backend_start::text = $2) x`, int64(pid), since).Scan(&left)
		if err == nil && left == 0 || !pause(ctx, try, d.o.Budget-time.Since(start)) {
			return
		}
	}
}

func (d *postgres) raw() (*sql.DB, error) {
	d.once.Do(func() {
		d.db = stdlib.OpenDB(*d.conf)
		d.db.SetMaxOpenConns(4)
	})
	return d.db, nil
}

func (d *postgres) ping(ctx context.Context) error {
	c, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	if err := c.Ping(ctx); err != nil {
		return ErrDown.Because(err)
	}
	return nil
}

func (d *postgres) close() error {
	d.pool.Close()
	d.once.Do(func() {})
	if d.db != nil {
		return d.db.Close()
	}
	return nil
}

func (d *postgres) backup(context.Context, string) error { return ErrBackupEngine }

func (d *postgres) describe(ctx context.Context, s *statement) ([]string, error) {
	c, err := d.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	sd, err := c.Conn().PgConn().Prepare(ctx, "", s.text[Postgres], nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range sd.Fields {
		names = append(names, f.Name)
	}
	return names, nil
}

// classifyPostgres reads SQLSTATE (PostgreSQL manual, appendix A) and the errors of a broken connection.
func classifyPostgres(err error) class {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "23505":
			return exists
		case "23503":
			return refer
		case "40001", "40P01", "55P03":
			return retry
		case "57014", "25P03", "25P04":
			return expired
		case "57P01", "57P02", "57P03", "57P05", "53300":
			return broken
		}
		if strings.HasPrefix(e.Code, "08") {
			return broken
		}
		return final
	}
	if isContext(err) {
		return expired
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return broken
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return broken
	}
	if strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "connection reset") || strings.Contains(err.Error(), "broken pipe") {
		return broken
	}
	return final
}
