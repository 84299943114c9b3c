package intake_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"limen/internal/app"
	"limen/internal/call"
	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/right"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// house is the program on a store of its own, with one tenant and nothing running.
type house struct {
	t      *testing.T
	app    *app.App
	db     *dbx.DB
	dir    string
	tenant string
	admin  user.User
}

func each(t *testing.T, f func(t *testing.T, h *house)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			h := &house{t: t, db: dbxtest.Fresh(t, e), dir: t.TempDir()}
			h.app = h.node()
			made, admin, _, err := h.app.AddTenant(t.Context(), tenant.New{Name: "Test", Suffix: "acme", Hosts: []string{"id.acme.example"}},
				app.Admin{Name: "admin@acme", Password: "Correct-Horse-7-Battery"})
			if err != nil {
				t.Fatal(err)
			}
			h.tenant, h.admin = made.ID, admin
			f(t, h)
		})
	}
}

// node is the program once more, as another process or after a restart.
func (h *house) node() *app.App {
	h.t.Helper()
	settings, err := config.Load([]string{"--data", h.dir, "--dev", "--tls", "off"}, nil, "")
	if err != nil {
		h.t.Fatal(err)
	}
	a, err := app.New(context.Background(), settings, slog.New(slog.DiscardHandler), h.db)
	if err != nil {
		h.t.Fatal(err)
	}
	a.Hasher.Memory = 64 // the cost of a hash is not what these tests are about
	a.Audit.Strict = true
	return a
}

// by is a call of somebody who holds rights, the administrator's for nil.
func (h *house) by(u user.User, held *right.Held) *call.Call {
	c := h.app.Shell(h.tenant)
	c.Caller = &call.Caller{User: u.ID, Name: u.Name, Means: call.BySession, Held: right.Held{Tenant: right.Of(right.System)}}
	if held != nil {
		c.Caller.Held = *held
	}
	return c
}

func (h *house) write(c *call.Call, kind string, f func(ctx context.Context) error) {
	h.t.Helper()
	if err := h.app.Write(h.t.Context(), c, kind, f); err != nil {
		h.t.Fatal(err)
	}
}

// submit checks a file and starts its import.
func (h *house) submit(c *call.Call, content string, w intake.Wish) (id string) {
	h.t.Helper()
	return h.submitFiles(c, w, intake.Source{Name: `C:\lists\people.csv`, Content: []byte(content)})
}

func (h *house) submitFiles(c *call.Call, w intake.Wish, from ...intake.Source) (id string) {
	h.t.Helper()
	f, err := h.app.Intake.Check(h.t.Context(), c, from...)
	if err != nil {
		h.t.Fatal(err)
	}
	s, err := h.app.Intake.Prepare(h.t.Context(), c, f)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(c, audit.JobStart, func(ctx context.Context) error {
		if err := h.app.Intake.Keep(ctx, c, s); err != nil {
			return err
		}
		started, err := h.app.Intake.Submit(ctx, c, s.Token(), w)
		id = started.Job
		return err
	})
	return id
}

// run has a node work on jobs until stop or the end of the test.
func (h *house) run(a *app.App) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.Jobs.Run(ctx) })
	stop = func() { cancel(); wg.Wait() }
	h.t.Cleanup(stop)
	return stop
}

func (h *house) job(id string) (out job.Info) {
	h.t.Helper()
	c := h.app.Shell(h.tenant)
	if err := c.Snapshot(context.Background(), func() (err error) {
		out, err = h.app.Jobs.Get(context.Background(), c, grant.All(), id)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *house) ended(id, state string) job.Info {
	h.t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		i := h.job(id)
		if i.State == state {
			return i
		}
		if i.State != job.Waiting && i.State != job.Running || time.Since(begin) > time.Minute {
			h.t.Fatalf("want %s: %+v", state, i)
		}
	}
}

// find gives a person, who must be there.
func (h *house) find(name string) (u user.User) {
	h.t.Helper()
	c := h.app.Shell(h.tenant)
	if err := c.Snapshot(context.Background(), func() (err error) { u, err = h.app.People.ByName(context.Background(), c, name); return err }); err != nil {
		h.t.Fatal(name, err)
	}
	return u
}

// events counts the events of a type.
func (h *house) events(kind string) (n int) {
	h.t.Helper()
	if err := h.db.SQL().QueryRow("SELECT count(*) FROM event WHERE type = '" + kind + "'").Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) count(query string) (n int) {
	h.t.Helper()
	if err := h.db.SQL().QueryRow(query).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}
