package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"limen/bench/load"
	"limen/internal/app"
	"limen/internal/call"
	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/core/setting"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/platform/web"
)

// world is the program on one engine: wired as it always is, its workers running, listening on the loopback.
type world struct {
	b      *bench
	engine string
	row    string // being measured
	part   string // of the row, in the names of profiles; empty: the row has one, or the last is kept
	dir    string
	url    string // of the database; "sqlite" for the file in dir
	made   []string

	app   *app.App
	addr  string
	stop  func() error
	null  *os.File
	sites map[int]*site
	large *directory
}

// site is a tenant with an administrator who is signed in.
type site struct {
	id, suffix, host string
	admin            string // login name
	bearer           string // header line
}

const adminPassword = "Correct-Horse-7-Battery"

func open(ctx context.Context, b *bench, engine string) (_ *world, err error) {
	w := &world{b: b, engine: engine, url: "sqlite", sites: map[int]*site{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "limen-bench"); err != nil {
		return nil, err
	}
	if engine == "postgres" {
		if w.url, err = w.database(ctx); err != nil {
			return nil, err
		}
	}
	if w.null, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if w.app, err = w.program(ctx, w.dir, w.url); err != nil {
		return nil, err
	}
	return w, w.listen(ctx)
}

// program opens the program on a data directory. Its log is written as ever, to nowhere.
func (w *world) program(ctx context.Context, dir, url string) (*app.App, error) {
	s, err := config.Load([]string{"--data", dir, "--db", url, "--tls", "off", "--listen", "127.0.0.1:0"}, nil, "")
	if err != nil {
		return nil, err
	}
	a, err := app.Open(ctx, s, slog.New(slog.NewTextHandler(w.null, nil)))
	if err != nil {
		return nil, err
	}
	a.Kernel.Limit = nil // a handful of callers would be told to slow down
	return a, nil
}

func (w *world) listen(ctx context.Context) error {
	ready := &web.Ready{}
	inside, cancel := context.WithCancel(context.WithoutCancel(ctx))
	up, done := make(chan net.Addr, 1), make(chan error, 1)
	server := &web.Server{
		Name: "main", Addr: "127.0.0.1:0", Handler: w.app.Handler(ready), Log: w.app.Log, Workers: w.app.Workers(), Ready: ready,
		Started: func(at net.Addr) { up <- at },
	}
	go func() { done <- server.Run(inside) }()
	select {
	case at := <-up:
		w.addr = at.String()
		w.stop = func() error { cancel(); return <-done }
		return nil
	case err := <-done:
		cancel()
		return err
	}
}

// halt ends the program but keeps its data.
func (w *world) halt() error {
	var errs []error
	if w.stop != nil {
		errs = append(errs, w.stop())
	}
	if w.app != nil {
		errs = append(errs, w.app.Close())
	}
	w.stop, w.app = nil, nil
	return errors.Join(errs...)
}

func (w *world) close() error {
	err := w.halt()
	if w.large != nil {
		err = errors.Join(err, w.large.halt())
	}
	if w.null != nil {
		w.null.Close()
	}
	return errors.Join(err, w.dropDatabases(), os.RemoveAll(w.dir))
}

// site gives a tenant with n people besides its administrator; it is made once.
func (w *world) site(ctx context.Context, n int) (*site, error) {
	if s := w.sites[n]; s != nil {
		return s, nil
	}
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	if err := w.seed(ctx, s, n); err != nil {
		return nil, err
	}
	w.sites[n] = s
	return s, nil
}

// addSite makes a tenant and signs its administrator in without asking for proof.
func addSite(ctx context.Context, a *app.App) (*site, error) {
	suffix := strings.ToLower(rand.Text()[:10]) + ".bench"
	t, u, _, err := a.AddTenant(ctx, tenant.New{Name: "Bench", Suffix: suffix, Hosts: []string{suffix}},
		app.Admin{Name: "admin@" + suffix, Mail: "admin@example.com", Password: adminPassword})
	if err != nil {
		return nil, err
	}
	token, err := bearer(ctx, a, t.ID, u.ID)
	return &site{id: t.ID, suffix: suffix, host: suffix, admin: u.Name, bearer: token}, err
}

// batch is how many people one transaction adds.
const batch = 1000

// seed adds n people in few transactions.
func (w *world) seed(ctx context.Context, s *site, n int) error {
	for from := 0; from < n; from += batch {
		c := w.app.Shell(s.id)
		err := w.app.DB.Write(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			for i := from; i < min(n, from+batch); i++ {
				if _, err := w.app.People.Create(ctx, c, s.person(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if n < 1000 || w.engine != "postgres" {
		return nil
	}
	_, err := w.app.DB.SQL().ExecContext(ctx, "ANALYZE") // as the server's own daemon does after a while
	return err
}

// person is the i-th of a tenant's people.
func (s *site) person(i int) user.New {
	return user.New{
		Name: s.name(i), Mail: fmt.Sprintf("person%06d@example.com", i), Display: fmt.Sprintf("Person %06d", i), Description: "Somebody of the bench",
		Mobile: fmt.Sprintf("+1555%07d", i), Office: fmt.Sprintf("+1556%07d", i), Everybody: true,
	}
}

func (s *site) name(i int) string { return fmt.Sprintf("person%06d@%s", i, s.suffix) }

// secrets gives n people of a new tenant passwords, which suffice there to sign in.
func (w *world) secrets(ctx context.Context, n int) (*site, error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	if err := w.challenges(ctx, s, "UP"); err != nil {
		return nil, err
	}
	for i := range n {
		c := w.app.Shell(s.id)
		p := s.person(i)
		hash, err := w.app.Passwords.Prepare(ctx, c, password.Change{Names: password.Names{Login: p.Name, Mail: p.Mail}, Plain: adminPassword, Reset: true})
		if err != nil {
			return nil, err
		}
		err = w.app.Write(ctx, c, audit.UserCreate, func(ctx context.Context) error {
			u, err := w.app.People.Create(ctx, c, p)
			if err != nil {
				return err
			}
			return w.app.Passwords.Put(ctx, c, u.ID, hash, false)
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// challenges says what a tenant asks for.
func (w *world) challenges(ctx context.Context, s *site, what string) error {
	return w.set(ctx, s, setting.Set("Authentication.Challenges", what))
}

// set changes a tenant's settings.
func (w *world) set(ctx context.Context, s *site, pairs ...setting.Pair) error {
	c := w.app.Shell(s.id)
	ready, err := w.app.Values.Prepare(ctx, c, pairs...)
	if err != nil {
		return err
	}
	return w.app.Write(ctx, c, audit.SettingChange, func(ctx context.Context) error { return w.app.Values.Write(ctx, c, ready) })
}

// request makes a request of the site's administrator.
func (s *site) request(path, body string) []byte { return load.Request(s.host, path, s.bearer, body) }

// asks makes a turn of callers who succeed with whatever request next makes for each of them.
func (w *world) asks(ctx context.Context, callers int, next func(caller int) []byte) turn {
	return func(d time.Duration) (load.Sample, error) {
		return load.Ask(ctx, w.addr, callers, d, func(i int, c *load.Conn) error {
			_, err := c.Succeed(next(i))
			return err
		})
	}
}

// newID is a fresh id as the program makes them.
func newID() string { return call.NewID(time.Now(), rand.Reader) }

// blank is an empty store of the world's engine that the program's schema is applied to, with the program on it, which does
// not run.
func (w *world) blank(ctx context.Context) (*app.App, error) {
	dir := filepath.Join(w.dir, "blank"+rand.Text()[:6])
	url := "sqlite"
	if w.engine == "postgres" {
		var err error
		if url, err = w.database(ctx); err != nil {
			return nil, err
		}
	}
	return w.program(ctx, dir, url)
}
