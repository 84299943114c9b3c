// Package e2e tests the program as people run it: the real binary with its own TLS, on an embedded database and on
// PostgreSQL, spoken to over HTTPS by clients that trust its ca.pem and nothing else.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/test/rig"
)

// dir holds the program under test.
var dir string

func TestMain(m *testing.M) {
	flag.Parse()
	// Much of what these tests do is to wait, for browsers, for leases of killed nodes and for processes that start.
	if p := flag.Lookup("test.parallel"); p.Value.String() == p.DefValue {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if dir, err = os.MkdirTemp("", "limen-e2e"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	return m.Run()
}

// build builds the program once.
var build = sync.OnceValues(func() (string, error) { return rig.Build(context.Background(), dir) })

// binary is the program under test.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// engines are the databases that every walk is taken on.
var engines = []string{"SQLite", "PostgreSQL"}

// each runs f on each engine, all of them at the same time.
func each(t *testing.T, f func(t *testing.T, engine string)) {
	for _, e := range engines {
		t.Run(e, func(t *testing.T) {
			t.Parallel()
			if e == "PostgreSQL" && os.Getenv("LIMEN_TEST_POSTGRES") == "" {
				if os.Getenv("LIMEN_TEST_POSTGRES_REQUIRED") == "1" {
					t.Fatal("LIMEN_TEST_POSTGRES is not set, and LIMEN_TEST_POSTGRES_REQUIRED says that it must be")
				}
				t.Skip("LIMEN_TEST_POSTGRES is not set: no PostgreSQL to test on (test/postgres start DIR prints a URL)")
			}
			f(t, e)
		})
	}
}

// prepare gives a server on fresh data that is not started yet, and goes away with the test.
func prepare(t *testing.T, engine string, o rig.Options) *rig.Server {
	t.Helper()
	o.Binary = binary(t)
	if o.Data == "" {
		o.Data = filepath.Join(t.TempDir(), "data")
	}
	if engine == "PostgreSQL" {
		db, drop, err := rig.Database(t.Context(), os.Getenv("LIMEN_TEST_POSTGRES"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(drop)
		o.DB = db
	}
	s, err := rig.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		for _, bad := range []string{"DATA RACE", "panic:", "goroutine "} {
			if log := s.Log(1_000_000); strings.Contains(log, bad) {
				t.Errorf("the server's log has %q:\n%s", bad, log[max(0, strings.Index(log, bad)-200):])
				return
			}
		}
		if t.Failed() {
			t.Log("server's log:\n" + s.Log(30))
		}
	})
	return s
}

// start gives a running server on fresh data.
func start(t *testing.T, engine string, o rig.Options) *rig.Server {
	t.Helper()
	s := prepare(t, engine, o)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// client is somebody who is not signed in.
func client(t *testing.T, s *rig.Server) *rig.Client {
	t.Helper()
	c, err := s.Client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.HTTP.CloseIdleConnections)
	c.Patient = true
	return c
}

// admin is the first administrator, signed in.
func admin(t *testing.T, s *rig.Server) *rig.Client {
	t.Helper()
	c, err := client(t, s).SignIn(t.Context(), s.Admin, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must calls an operation that has to succeed.
func must(t *testing.T, c *rig.Client, path string, body, out any) {
	t.Helper()
	if err := c.Call(t.Context(), path, body, out); err != nil {
		t.Fatal(err)
	}
}

// post calls an operation and gives its answer.
func post(t *testing.T, c *rig.Client, path string, body any) *rig.Answer {
	t.Helper()
	a, err := c.Post(t.Context(), path, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// eventually waits until f says that it is so.
func eventually(t *testing.T, limit time.Duration, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// object is a JSON object.
type object = map[string]any
