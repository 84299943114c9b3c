package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"time"

	"limen/test/rig"
)

// stage is the program, an administrator of it, and a look into its store, for work that goes on by itself after the answer.
type stage struct {
	server *rig.Server
	admin  *rig.Client
	db     *sql.DB
	suffix string
	out    io.Writer
}

// place is where a program works by itself.
type place struct {
	binary  string
	data    string // directory
	address string // of a PostgreSQL server; empty: SQLite
	out     io.Writer
}

// set starts the program, on PostgreSQL on an empty database.
func (p place) set(ctx context.Context) (_ *stage, done func(), err error) {
	o := rig.Options{Binary: p.binary, Data: p.data, Args: []string{"--log-level", "warn"}}
	drop := func() {}
	if p.address != "" {
		if o.DB, drop, err = rig.Database(ctx, p.address); err != nil {
			return nil, nil, err
		}
	}
	st := &stage{out: p.out, suffix: "limen"}
	done = func() {
		if st.server != nil {
			st.server.Close()
		}
		if st.db != nil {
			st.db.Close()
		}
		drop()
	}
	if st.server, err = rig.New(o); err == nil {
		err = st.server.Start(ctx)
	}
	if err == nil {
		st.db, err = sql.Open(driver(st.server))
	}
	if err == nil {
		st.admin, err = st.server.Client()
	}
	if err == nil {
		st.admin.HTTP.Timeout, st.admin.Patient = 20*time.Second, true
		st.admin, err = st.admin.SignIn(ctx, st.server.Admin, st.server.Password)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return st, done, nil
}

// driver is how the store is opened for reading and writing.
func driver(s *rig.Server) (name, source string) {
	if s.DB != "" {
		return "pgx", s.DB
	}
	return "sqlite3", "file:" + filepath.Join(s.Data, "limen.db") + "?_pragma=busy_timeout(10000)"
}

// strike kills the program at a random moment within a time, and starts it again. patient leaves the time in which the work of a
// dead server is taken over to pass by itself; else it has passed, as far as the store knows, when the program comes back.
func (st *stage) strike(ctx context.Context, within time.Duration, patient bool) error {
	time.Sleep(rand.N(within))
	st.server.Kill()
	if !patient {
		for _, text := range []string{`UPDATE job SET due = 0, held = 0 WHERE state = 'running'`, `UPDATE lease SET until = 0`} {
			if _, err := st.db.ExecContext(ctx, text); err != nil {
				return err
			}
		}
	}
	return st.server.Start(ctx)
}

// await asks until the store has the answer.
func (st *stage) await(ctx context.Context, what, query, answer string) error {
	got := ""
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if err := st.db.QueryRowContext(ctx, query).Scan(&got); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if got == answer {
			return nil
		}
	}
	return fmt.Errorf("%s: the store says %q and not %q", what, got, answer)
}

// ask calls an operation, which must succeed.
func (st *stage) ask(ctx context.Context, path string, body, out any) error {
	a, err := st.admin.Post(ctx, path, body)
	if err != nil {
		return err
	}
	if out == nil {
		out = new(any)
	}
	if err := a.Into(out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// each runs a query and f for each row.
func (st *stage) each(ctx context.Context, query string, f func(scan func(...any) error) error) error {
	rows, err := st.db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
