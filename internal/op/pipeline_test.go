package op_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/op"
)

// plainCodec is strict JSON with statuses, enough to watch the pipeline.
type plainCodec struct{}

func (plainCodec) Methods(o *op.Op) []string { return []string{o.Method} }

func (plainCodec) Credentials(r *http.Request) op.Credentials {
	return op.Credentials{Token: r.Header.Get("Authorization"), Forged: r.Header.Get("Forged") != ""}
}

func (plainCodec) Decode(r *op.Request, in any) error {
	if len(r.Body) == 0 {
		return nil
	}
	return json.Unmarshal(r.Body, in)
}

func (plainCodec) Result(w http.ResponseWriter, _ *op.Request, _ *op.Call, out any) {
	_ = json.NewEncoder(w).Encode(out)
}

func (plainCodec) Fault(w http.ResponseWriter, _ *op.Request, _ *op.Call, f *fault.Error, out any) {
	w.WriteHeader(400)
	fmt.Fprintf(w, "%s %v", f.Code, out)
}

type item struct {
	ID   string
	Wait int
	Find bool `json:"-"`
	Mode op.Effect
}

func (i *item) Check() error {
	if i.ID == "" {
		return fault.Missing("ID")
	}
	return nil
}

func (i *item) Resolve(_ context.Context, c *op.Call) error {
	if c.Tx == nil {
		return errors.New("resolved outside a snapshot")
	}
	if strings.HasPrefix(i.ID, "gone") {
		return fault.New(fault.NotFound, "item.not_found", "No.")
	}
	return nil
}

func (i *item) Target() op.Target { return op.Target{ID: i.ID, Org: "o-" + i.ID} }

type chosen struct{ Mode op.Effect }

func (c *chosen) Effect() op.Effect { return c.Mode }

// world is a kernel over a real store with operations that do one thing each.
type world struct {
	*op.Kernel
	mu     sync.Mutex
	events []call.Event
	caller *call.Caller
}

var (
	putRow   = dbx.E("optest.put", `INSERT INTO optest (id) VALUES (?)`)
	countRow = dbx.Q[int64]("optest.count", `SELECT count(*) AS n FROM optest`)
)

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := dbx.Open(t.Context(), "sqlite:"+t.TempDir()+"/t.db", dbx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.SQL().Exec(`CREATE TABLE optest (id TEXT PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	w := &world{caller: &call.Caller{User: "u1"}}
	w.Kernel = &op.Kernel{
		DB: db, Log: slog.New(slog.DiscardHandler), Failures: &op.Failures{},
		Client: func(*http.Request) call.Client { return call.Client{IP: netip.MustParseAddr("192.0.2.1")} },
		Identify: func(_ context.Context, c *op.Call, _ op.Credentials) error {
			c.Tenant.ID, c.Caller = "AAA1111", w.caller
			return nil
		},
		Tenant:   func(_ context.Context, c *op.Call, _ op.Hint) error { c.Tenant.ID = "AAA1111"; return nil },
		Happened: func(context.Context, *dbx.Tx, string, string) (bool, error) { return false, nil },
		Record: func(_ context.Context, c *op.Call) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, *c.Event)
			for _, e := range c.Also {
				w.events = append(w.events, *e)
			}
			return nil
		},
	}
	w.Mount(plainCodec{}, []string{""}, w.ops()...)
	return w
}

var errTaken = fault.New(fault.Exists, "item.taken", "Taken.")

func put(ctx context.Context, c *op.Call, in item) (string, error) {
	_, err := putRow.Do(ctx, c.Tx, in.ID)
	return "put " + in.ID, err
}

func (w *world) ops() []op.Op {
	manage := op.Any(op.Self, op.Has(right.UserManagement))
	return []op.Op{
		op.New(op.Spec{Path: "/put", Allow: manage, Effect: op.Write, Audit: "Put"}, put),
		op.New(op.Spec{Path: "/refuse", Allow: manage, Effect: op.Write, Audit: "Refuse"},
			func(ctx context.Context, c *op.Call, in item) (string, error) {
				if _, err := put(ctx, c, in); err != nil {
					return "", err
				}
				return "left", op.Refused(errTaken)
			}),
		op.New(op.Spec{Path: "/fail", Allow: manage, Effect: op.Write, Audit: "Fail"},
			func(ctx context.Context, c *op.Call, in item) (string, error) {
				if _, err := put(ctx, c, in); err != nil {
					return "", err
				}
				c.Record("Also") // is rolled back as well
				return "", errTaken
			}),
		op.New(op.Spec{Path: "/read", Allow: manage, Effect: op.Read},
			func(context.Context, *op.Call, item) (string, error) { return "", nil }),
		op.New(op.Spec{Path: "/panic", Allow: op.Authenticated, Effect: op.Cached},
			func(context.Context, *op.Call, struct{}) (string, error) { panic("boom") }),
		op.New(op.Spec{Path: "/open", Allow: op.Anonymous, Effect: op.Write, Audit: "Open"},
			func(context.Context, *op.Call, struct{}) (string, error) { return "", errTaken }),
		op.Prepared(op.Spec{Path: "/prepared", Allow: op.Authenticated, Effect: op.Write, Audit: "Prepared"},
			func(ctx context.Context, c *op.Call, _ struct{}) (int64, error) {
				if c.Tx != nil {
					return 0, errors.New("prepared inside a transaction")
				}
				var n int64
				err := c.Snapshot(ctx, func() (err error) { n, err = countRow.One(ctx, c.Tx); return err })
				return n, err
			},
			func(_ context.Context, c *op.Call, _ struct{}, n int64) (string, error) {
				return fmt.Sprint(n, c.Tx != nil), nil
			}),
		op.New(op.Spec{Path: "/outside", Allow: op.Authenticated, Effect: op.Outside, Audit: "Outside"},
			func(_ context.Context, c *op.Call, _ struct{}) (string, error) { return "out", errTaken }),
		op.New(op.Spec{Path: "/outside/managed", Allow: op.Has(right.UserManagement), Effect: op.Outside, Audit: "Managed"},
			func(_ context.Context, c *op.Call, _ struct{}) (string, error) { return "out", nil }),
		op.New(op.Spec{Path: "/choose", Allow: op.Authenticated, Effect: op.Write, Effects: []op.Effect{op.Read, op.Cached}, Audit: "Choose"},
			func(_ context.Context, c *op.Call, _ chosen) (string, error) {
				return fmt.Sprint(c.Tx != nil, c.Event != nil), nil
			}),
	}
}

func (w *world) ask(path, body string, header ...string) string {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Authorization", "x")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return fmt.Sprint(rec.Code, " ", strings.TrimSpace(rec.Body.String()))
}

func (w *world) rows(t *testing.T) int64 {
	var n int64
	if err := w.DB.Read(t.Context(), func(tx *dbx.Tx) (err error) { n, err = countRow.One(t.Context(), tx); return err }); err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) last(t *testing.T) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return ""
	}
	e := w.events[len(w.events)-1]
	return fmt.Sprint(e.Type, " ", e.Outcome, " ", e.Reason, " ", e.Count)
}

func TestPipeline(t *testing.T) {
	for _, c := range []struct {
		name, path, body, want string
		held                   right.Held
		rows                   int64
		event                  string
	}{
		{"oneself", "/put", `{"ID":"u1"}`, `200 "put u1"`, right.Held{}, 1, "Put success  0"},
		{"another without the right", "/put", `{"ID":"u2"}`, "400 auth.denied <nil>", right.Held{}, 0, "Put denied auth.denied 1"},
		{"another with the right", "/put", `{"ID":"u2"}`, `200 "put u2"`, right.Held{Tenant: right.Of(right.UserManagement)}, 1, "Put success  0"},
		{"a member of one's organization", "/put", `{"ID":"u2"}`, `200 "put u2"`, right.Held{Orgs: map[string]right.Set{"o-u2": right.Of(right.UserManagement)}}, 1, "Put success  0"},
		{"a member of another organization", "/put", `{"ID":"u3"}`, "400 auth.denied <nil>", right.Held{Orgs: map[string]right.Set{"o-u2": right.Of(right.UserManagement)}}, 0, "Put denied auth.denied 1"},
		{"bad input is no event", "/put", `{}`, "400 param.missing <nil>", right.Held{}, 0, ""},
		{"unknown looks like forbidden", "/put", `{"ID":"gone"}`, "400 auth.denied <nil>", right.Held{}, 0, "Put denied auth.denied 1"},
		{"unknown is told to who may know", "/put", `{"ID":"gone"}`, "400 item.not_found <nil>", right.Held{Tenant: right.Of(right.System)}, 0, "Put failed item.not_found 1"},
		{"a refusal commits and carries its result", "/refuse", `{"ID":"u1"}`, "400 item.taken left", right.Held{}, 1, "Refuse refused item.taken 0"},
		{"an error rolls back", "/fail", `{"ID":"u1"}`, "400 item.taken <nil>", right.Held{}, 0, "Fail failed item.taken 1"},
		{"a panic is one request's failure", "/panic", "", "400 internal <nil>", right.Held{}, 0, ""},
		{"prepare reads outside, run writes inside", "/prepared", "", `200 "0 true"`, right.Held{}, 0, "Prepared success  0"},
		{"outside notes intent and outcome", "/outside", "", "400 item.taken <nil>", right.Held{}, 0, "Outside failed item.taken 0"},
		{"whoever may not act outside leaves an event", "/outside/managed", "", "400 auth.denied <nil>", right.Held{}, 0, "Managed denied auth.denied 1"},
		{"whoever may does, too", "/outside/managed", "", `200 "out"`, right.Held{Tenant: right.Of(right.UserManagement)}, 0, "Managed success  0"},
		{"a poll reads", "/choose", `{"Mode":2}`, `200 "true false"`, right.Held{}, 0, ""},
		{"another call writes", "/choose", `{"Mode":3}`, `200 "true true"`, right.Held{}, 0, "Choose success  0"},
		{"an effect from memory", "/choose", `{"Mode":1}`, `200 "false false"`, right.Held{}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.caller = &call.Caller{User: "u1", Held: c.held}
			if got := w.ask(c.path, c.body); got != c.want {
				t.Errorf("answer %s, want %s", got, c.want)
			}
			if got := w.rows(t); got != c.rows {
				t.Errorf("%d rows, want %d", got, c.rows)
			}
			if got := w.last(t); got != c.event {
				t.Errorf("event %q, want %q", got, c.event)
			}
		})
	}
}

func TestNobodyIsAskedToSignIn(t *testing.T) {
	w := newWorld(t)
	for _, h := range [][]string{{"Authorization", ""}, {"Forged", "1"}} {
		if got := w.ask("/put", `{"ID":"u1"}`, h...); !strings.HasPrefix(got, "400 auth.") {
			t.Error(h, got)
		}
	}
	if w.rows(t) != 0 {
		t.Error("something was written")
	}
}

func TestFailuresOfStrangersAreGathered(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		w.ask("/open", "", "Authorization", "")
	}
	if w.last(t) != "" {
		t.Fatal("a stranger bought a write: ", w.last(t))
	}
	w.Failures.Flush(t.Context())
	if got := w.last(t); got != "Open failed item.taken 50" || len(w.events) != 1 {
		t.Fatal(got, len(w.events))
	}
}

func TestRefusedReadsOfACallerAreGathered(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		w.ask("/read", `{"ID":"u2"}`)
	}
	if w.last(t) != "" {
		t.Fatal("a refused read bought a write: ", w.last(t))
	}
	w.Failures.Flush(t.Context())
	if got := w.last(t); got != "Cloud.Core.AccessDenied denied auth.denied 20" || len(w.events) != 1 {
		t.Fatal(got, len(w.events))
	}
}

func TestBodiesAreBounded(t *testing.T) {
	w := newWorld(t)
	if got := w.ask("/put", strings.Repeat(" ", 1<<20+1)); got != "400 request.too_large <nil>" {
		t.Error(got)
	}
	r := httptest.NewRequest("POST", "/put", strings.NewReader(strings.Repeat(" ", 1<<20+1)))
	r.ContentLength = -1
	r.Header.Set("Authorization", "x")
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	if !strings.HasPrefix(rec.Body.String(), "request.too_large") {
		t.Error(rec.Body)
	}
}

func TestADeadlineEndsARequestWithoutHarm(t *testing.T) {
	w := newWorld(t)
	w.Deadline = time.Nanosecond
	if got := w.ask("/put", `{"ID":"u1"}`); !strings.HasPrefix(got, "400 request.time") && !strings.HasPrefix(got, "400 store.") {
		t.Error(got)
	}
	w.Deadline = 0
	if w.rows(t) != 0 {
		t.Error("something was written")
	}
}

func TestDeclarationsAreChecked(t *testing.T) {
	run := func(context.Context, *op.Call, struct{}) (op.None, error) { return op.None{}, nil }
	for name, s := range map[string]op.Spec{
		"no rule":              {Path: "/x", Effect: op.Read},
		"no effect":            {Path: "/x", Allow: op.Authenticated},
		"a write, no event":    {Path: "/x", Allow: op.Authenticated, Effect: op.Write},
		"serial, no invariant": {Path: "/x", Allow: op.Authenticated, Effect: op.Serial, Audit: "X"},
		"no slash":             {Path: "x", Allow: op.Authenticated, Effect: op.Read},
		"a rule on a target":   {Path: "/x", Allow: op.Self, Effect: op.Read},
		"effects unchosen":     {Path: "/x", Allow: op.Authenticated, Effect: op.Read, Effects: []op.Effect{op.Cached}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("mounted")
				}
			}()
			(&op.Kernel{}).Mount(plainCodec{}, []string{""}, op.New(s, run))
		})
	}
}
