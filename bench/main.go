// Command bench measures the program beside the limits of the machine it runs on, and prints a table. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"limen/bench/load"
)

// bench is what a run was asked for.
type bench struct {
	engines  []string
	rows     string // comma separated patterns of names; empty: all
	slices   int
	slice    time.Duration
	list     int // people of the tenant that is listed whole
	many     int // people of the large tenant
	starts   int
	stored   int // tokens and sessions of the row stored, each
	people   int // of an import
	idle     time.Duration
	binary   string
	quick    bool
	memory   string // of memory-large
	postgres string // URL of a server on which databases may be made
	profile  string // directory for CPU profiles
	large    string // directory in which the large directory is kept; empty: a small one takes its place
	scale    int    // people of the large directory
	out      io.Writer
}

// measure makes rows of the table.
type measure struct {
	name string
	run  func(context.Context, *bench, *world) ([]row, error)
}

// measures are the rows, in their order; a later one may rely on what an earlier one has put into the store, but none
// needs it.
var measures = []measure{
	{"signin", signIn},
	{"factors", factors},
	{"radius", radiusLogon},
	{"whoami", whoAmI},
	{"create", create},
	{"import", imports},
	{"list", listAll},
	{"pvwa", vaultUsers},
	{"page", page},
	{"name", byName},
	{"redrock-name", redrockName},
	{"redrock-prefix", redrockPrefix},
	{"credentials", credentials},
	{"code", codeFlow},
	{"looking", looking},
	{"documents", documents},
	{"stored", stored},
	{"start", start},
}

// scaled are the rows that are measured on the large directory, or with -quick on a small one.
var scaled = []measure{
	{"rights-cached", rightsCached},
	{"rights-cold", rightsCold},
	{"resultant", resultant},
	{"members", memberPages},
	{"members-nested", nestedPages},
	{"member-add", memberAdd},
	{"member-remove", memberRemove},
	{"scim", scim},
	{"scripts", scripts},
	{"start-large", startLarge},
	{"memory-large", memoryLarge},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	b := &bench{out: out}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	engine := f.String("engine", "all", "sqlite, postgres or all")
	quick := f.Bool("quick", false, "a moment each, on few rows: shows that everything works, and no numbers worth keeping")
	f.StringVar(&b.rows, "rows", "", "rows to measure, comma separated patterns such as create,redrock-*; all when empty")
	f.IntVar(&b.slices, "slices", 5, "how often limit and program take turns in a row")
	f.DurationVar(&b.slice, "slice", time.Second, "length of a turn")
	f.IntVar(&b.many, "users", 100_000, "people of the large tenant")
	f.StringVar(&b.binary, "binary", "bin/limen", "the program that is started")
	f.StringVar(&b.postgres, "postgres", os.Getenv("LIMEN_BENCH_POSTGRES"), "URL of a PostgreSQL server on which databases may be made")
	f.StringVar(&b.profile, "profile", "", "directory for a CPU profile of each row")
	f.StringVar(&b.large, "large", "", "measure a directory of a million people instead, which is made in this directory of files and kept there")
	f.IntVar(&b.scale, "people", largeExtent.People, "people of the directory that -large makes; tenants beside it in proportion, all else as with a million")
	f.IntVar(&b.stored, "stored", 2_000_000, "tokens, and sessions, that the row stored puts into the store")
	f.StringVar(&b.memory, "memory", "512MB", "what the program is told to stay within, in the row memory-large")
	if err := f.Parse(args); err != nil {
		return err
	}
	b.quick = *quick
	b.list, b.starts, b.people, b.idle = 6000, 11, 10_000, 10*time.Second
	if *quick {
		b.slices, b.slice, b.list, b.many, b.starts, b.people, b.idle = 1, 50*time.Millisecond, 60, 500, 1, 100, 100*time.Millisecond
		b.stored = 500
	}
	if b.engines = []string{*engine}; *engine == "all" {
		b.engines = []string{"sqlite", "postgres"}
	}
	return b.all(ctx)
}

func (b *bench) all(ctx context.Context) error {
	fmt.Fprintf(b.out, "%s, %d processors, %s\n", runtime.Version(), runtime.GOMAXPROCS(0), time.Now().UTC().Format(time.DateTime))
	var errs []error
	for _, e := range b.engines {
		fmt.Fprintf(b.out, "\n%s\n", e)
		line(b.out, titles)
		if err := b.engine(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e, err))
		}
	}
	return errors.Join(errs...)
}

// engine measures the rows on one engine. A row that fails is said so in its place, and the others still run.
func (b *bench) engine(ctx context.Context, engine string) error {
	w, err := open(ctx, b, engine)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range b.measures() {
		if !b.wanted(m.name) || ctx.Err() != nil {
			continue
		}
		w.row = m.name
		rows, err := m.run(ctx, b, w)
		for _, r := range rows {
			line(b.out, r.fields())
		}
		if err != nil {
			fmt.Fprintf(b.out, "%s failed: %v\n", m.name, err)
			errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	return errors.Join(append(errs, w.close(), ctx.Err())...)
}

// measures are the rows of this run.
func (b *bench) measures() []measure {
	switch {
	case b.large != "":
		return scaled
	case b.quick:
		return slices.Concat(scaled, measures)
	}
	return measures
}

func (b *bench) wanted(name string) bool {
	if b.rows == "" {
		return true
	}
	for p := range strings.SplitSeq(b.rows, ",") {
		if ok, err := path.Match(strings.TrimSpace(p), name); err == nil && ok {
			return true
		}
	}
	return false
}

type turn func(d time.Duration) (load.Sample, error)

// versus lets the limit and the program take turns, so that whatever else the machine does meets both alike.
func (b *bench) versus(w *world, limit, ours turn) (l, o load.Sample, err error) {
	for i := -1; i < b.slices; i++ {
		ls, lerr := limit(b.slice)
		os, oerr := ours(b.slice)
		if lerr != nil || oerr != nil {
			return l, o, errors.Join(lerr, oerr)
		}
		if i >= 0 { // the first turn fills caches
			l, o = l.Plus(ls), o.Plus(os)
		}
	}
	return l, o, b.profiled(w, ours)
}

// profiled runs the program once more under the profiler, when that was asked for.
func (b *bench) profiled(w *world, ours turn) error {
	if b.profile == "" {
		return nil
	}
	if err := os.MkdirAll(b.profile, 0o750); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(b.profile, w.engine+"-"+w.row+w.part+".pprof"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	_, err = ours(time.Duration(b.slices) * b.slice)
	return err
}
