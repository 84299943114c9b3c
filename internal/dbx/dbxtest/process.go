package dbxtest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// stale is when the leftovers of another host's process may go: no test process lives that long.
const stale = 2 * time.Hour

// templateFile makes the migrated SQLite file. Closing a store moves its log into the file, which can then be copied.
func (p *engine) templateFile() error {
	dir := filepath.Join(os.TempDir(), newName())
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	p.template = filepath.Join(dir, "template.db")
	return migrate("sqlite://" + p.template)
}

func sweep() {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"_*"))
	for _, dir := range old {
		if isStale(filepath.Base(dir)) {
			os.RemoveAll(dir)
		}
	}
}

// isStale reads a name made by newName: whose process on this host is gone, or who is very old, is stale.
func isStale(name string) bool {
	parts := strings.Split(name, "_")
	if len(parts) != 5 || parts[0] != prefix {
		return false
	}
	pid, err := strconv.Atoi(parts[2])
	if err == nil && parts[1] == host() {
		p, err := os.FindProcess(pid)
		return err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
	}
	at, err := strconv.ParseInt(parts[3], 10, 64)
	return err == nil && time.Since(time.Unix(at, 0)) > stale
}

// prefix is what the names of test databases and directories begin with.
const prefix = "limentest"

func newName() string {
	return fmt.Sprintf("%s_%s_%d_%d_%d", prefix, host(), os.Getpid(), time.Now().Unix(), rand.Uint32())
}

// host tells process ids of different machines apart.
func host() string {
	name, _ := os.Hostname()
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%08x", h.Sum32())
}

func (p *engine) findPostgres() error {
	var err error
	if p.server, err = url.Parse(os.Getenv("LIMEN_TEST_POSTGRES")); err != nil {
		return fmt.Errorf("LIMEN_TEST_POSTGRES is not a URL")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.sweepDatabases(ctx); err != nil {
		return fmt.Errorf("LIMEN_TEST_POSTGRES: %w", err)
	}
	return nil
}

// templateDatabase makes the migrated PostgreSQL database.
func (p *engine) templateDatabase() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p.template = newName()
	if err := p.exec(ctx, "CREATE DATABASE "+p.template+" TEMPLATE template0"); err != nil {
		return err
	}
	return migrate(p.url(p.template))
}

func (p *engine) sweepDatabases(ctx context.Context) error {
	c, err := pgx.Connect(ctx, p.server.String())
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, "SELECT datname FROM pg_database WHERE datname LIKE $1", prefix+`\_%`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, n := range names {
		if isStale(n) {
			// Another process may sweep the same one.
			c.Exec(ctx, "DROP DATABASE IF EXISTS "+n+" WITH (FORCE)")
		}
	}
	return err
}

// create makes a database. PostgreSQL copies a template that nobody is connected to; what has just disconnected may still
// be leaving, so it tries for a while.
func (p *engine) create(t testing.TB, template string) string {
	t.Helper()
	name := newName()
	var err error
	for try := range 50 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err = p.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template)
		cancel()
		if err == nil {
			return name
		}
		time.Sleep(time.Duration(10+try) * time.Millisecond)
	}
	t.Fatal(err)
	return ""
}

func (p *engine) drop(name string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

func (p *engine) url(name string) string {
	u := *p.server
	u.Path = "/" + name
	return u.String()
}
