// Package apptest runs the whole program for tests: on each engine, with a tenant of its own per test, and with golden
// exchanges that show what every operation is asked and answers.
package apptest

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/app"
	"limen/internal/call"
	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/platform/web"
)

// Server is the program on one engine, shared by all tests of the process.
type Server struct {
	App  *app.App
	URL  string
	HTTP *http.Client // follows no redirects and keeps no cookies
}

var (
	mu      sync.Mutex
	servers = map[*dbx.DB]*Server{}
)

// Each runs f as a subtest per engine.
func Each(t *testing.T, f func(t *testing.T, s *Server)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, on(t, db)) })
}

// on starts the program on a store, once per process. Nothing is stopped: the store goes away with the process.
func on(t *testing.T, db *dbx.DB) *Server {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	if s := servers[db]; s != nil {
		return s
	}
	dir, err := os.MkdirTemp("", "limen-apptest")
	if err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load([]string{"--data", dir, "--dev", "--tls", "off"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(context.Background(), settings, logger(), db)
	if err != nil {
		t.Fatal(err)
	}
	a.Scripts.Command, a.Scripts.Memory = children, childMemory
	a.Quick.Command, a.Quick.Memory = children, childMemory
	a.Hasher.Memory = 64 // the cost of a hash is not what these tests are about
	a.Audit.Strict = true
	for _, w := range a.Workers() {
		if w.Name == "people" { // or the time of a last sign-in would be there or not, as it happens
			continue
		}
		go func() { _ = w.Run(context.Background()) }()
	}
	ready := &web.Ready{}
	ready.Set(true)
	front := httptest.NewServer(a.Handler(ready))
	s := &Server{App: a, URL: front.URL, HTTP: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	servers[db] = s
	return s
}

// logger shows the program's log when LIMEN_TEST_LOG is set.
func logger() *slog.Logger {
	if os.Getenv("LIMEN_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Site is a fresh tenant.
type Site struct {
	*Server
	ID     string
	Suffix string
	Host   string
	Admin  Person // system administrator, with a password
	Plain  Person // without rights, without a password

	tokens map[string]string
	seen   map[string]bool
}

// Person is somebody of a tenant.
type Person struct{ ID, Name, Password, Mail string }

// Password is that of every tenant's administrator.
const Password = "Correct-Horse-7-Battery"

// Tenant makes a tenant for one test.
func (s *Server) Tenant(t testing.TB) *Site {
	t.Helper()
	ctx := context.Background()
	suffix := strings.ToLower(call.NewID(time.Now(), rand.Reader))[24:] + ".test"
	host := suffix
	made, admin, _, err := s.App.AddTenant(ctx, tenant.New{Name: "Test", Suffix: suffix, Hosts: []string{host}}, app.Admin{Name: "admin@" + suffix, Password: Password})
	if err != nil {
		t.Fatal(err)
	}
	site := &Site{
		Server: s, ID: made.ID, Suffix: suffix, Host: host, tokens: map[string]string{}, seen: map[string]bool{},
		Admin: Person{ID: admin.ID, Name: admin.Name, Password: Password},
	}
	site.Plain = site.Person(t, "plain")
	return site
}

// Person makes somebody without rights and without a password.
func (s *Site) Person(t testing.TB, name string) Person {
	t.Helper()
	var u user.User
	s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
		u, err = s.App.People.Create(ctx, c, user.New{Name: name + "@" + s.Suffix, Mail: name + "@example.com", Display: strings.ToUpper(name[:1]) + name[1:], Everybody: true})
		return err
	})
	return Person{ID: u.ID, Name: u.Name, Mail: u.Mail}
}

// Do runs f in a write transaction of the command line's call.
func (s *Site) Do(t testing.TB, kind string, f func(ctx context.Context, c *call.Call) error) {
	t.Helper()
	c := s.App.Shell(s.ID)
	if err := s.App.Write(context.Background(), c, kind, func(ctx context.Context) error { return f(ctx, c) }); err != nil {
		t.Fatal(err)
	}
}

// SignedIn gives a session token of a person, without asking for proof.
func (s *Site) SignedIn(t testing.TB, userID string) string {
	t.Helper()
	var token string
	s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) (err error) {
		token, _, err = s.App.Sessions.Create(ctx, c, session.New{User: userID, Level: session.High})
		return err
	})
	return token
}

// TokenOf gives the token of an exchange's caller: admin, plain, other, nobody, or "holder <right>".
func (s *Site) TokenOf(t testing.TB, who string) string {
	t.Helper()
	if token, ok := s.tokens[who]; ok {
		return token
	}
	token := ""
	switch {
	case who == "nobody":
	case who == "admin":
		token = s.SignedIn(t, s.Admin.ID)
	case who == "plain":
		token = s.SignedIn(t, s.Plain.ID)
	case who == "other":
		o := s.Server.Tenant(t)
		token = o.SignedIn(t, o.Admin.ID)
	case strings.HasPrefix(who, "holder "):
		token = s.SignedIn(t, s.Holder(t, strings.TrimPrefix(who, "holder ")).ID)
	default:
		t.Fatalf("nobody is called %q: admin, plain, other, nobody or holder <right>", who)
	}
	s.tokens[who] = token
	return token
}

// Holder makes somebody who holds one right over the whole tenant.
func (s *Site) Holder(t testing.TB, name string) Person {
	t.Helper()
	r := right.Parse(name)
	if r == right.None {
		t.Fatalf("there is no right %q", name)
	}
	p := s.Person(t, "holder"+strconv.Itoa(int(r)))
	s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
		made, err := s.App.Roles.Create(ctx, c, role.New{Name: "Holders of " + name})
		if err != nil {
			return err
		}
		if err := s.App.Roles.Assign(ctx, c, made.ID, role.Given{Path: r.Info().Path}); err != nil {
			return err
		}
		return s.App.Roles.Add(ctx, c, made.ID, role.Member{Kind: role.User, ID: p.ID})
	})
	return p
}

// DropEvents forgets the tenant's events so far.
func (s *Site) DropEvents() { s.fresh(context.Background()) }

// Events lists the tenant's events since the last look, oldest first, a line each: type, outcome, reason, kind of the
// object, its id, changes and fields.
func (s *Site) Events(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, r := range s.fresh(t.Context()) {
		parts := []string{r.Type, r.Outcome}
		for _, p := range []string{r.Reason, r.Kind, r.Target} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		for _, j := range []string{r.Changes, r.Fields} {
			if j != "" && j != "{}" && j != "null" {
				parts = append(parts, j)
			}
		}
		fmt.Fprintln(&b, strings.Join(parts, " "))
	}
	return b.String()
}

func (s *Site) fresh(ctx context.Context) []audit.Row {
	s.App.Kernel.Failures.Flush(ctx)
	c := s.App.Shell(s.ID)
	var rows, out []audit.Row
	err := c.Snapshot(ctx, func() (err error) {
		rows, err = s.App.Audit.Recent(ctx, c, grant.All(), "", 0)
		return err
	})
	if err != nil {
		panic(err)
	}
	for i := len(rows) - 1; i >= 0; i-- {
		if !s.seen[rows[i].ID] {
			s.seen[rows[i].ID] = true
			out = append(out, rows[i])
		}
	}
	return out
}
