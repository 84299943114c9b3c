// Command conformance drives the OpenID Foundation's conformance suite, which runs elsewhere, against a Limen of its own: it starts the
// program, makes an application and its people, puts TLS in front of the suite, runs test plans by the suite's REST interface, plays
// the browser, and writes what came of it to docs/conformance.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	at := flag.String("suite", "http://127.0.0.1:8088", "where the suite listens, without TLS")
	only := flag.String("plans", "", "plans to run, commas between; all when empty")
	tests := flag.String("tests", "", "tests to run of them, commas between; all when empty")
	binary := flag.String("limen", "", "the program; built when empty")
	trace := flag.Bool("trace", false, "print what the browser opens")
	logs := flag.String("logs", "", "directory for what the suite logged, a file for each test; none when empty")
	atOnce := flag.Int("at-once", 4, "how many plans run at a time")
	doc := flag.String("doc", "", "document whose results are replaced; none when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *at, names(*only), runner{tests: names(*tests), trace: *trace, logs: *logs, atOnce: *atOnce}, *binary, *doc)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// The suite's own addresses: what it was started with as its base URL, and that for clients with certificates.
const (
	frontPort = "8443"
	certPort  = "8444"
	frontHost = "localhost.emobix.co.uk" // the suite's own name for the loopback
	frontURL  = "https://" + frontHost + ":" + frontPort
)

func run(ctx context.Context, at string, only []string, r runner, binary, doc string) error {
	u, err := url.Parse(at)
	if err != nil {
		return err
	}
	cert, err := issue(nil, frontHost)
	if err != nil {
		return err
	}
	for port, certs := range map[string]bool{frontPort: false, certPort: true} {
		s, err := front(u, port, cert, certs)
		if err != nil {
			return err
		}
		defer s.Close()
	}
	dir, err := os.MkdirTemp("", "limen-conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(ctx, dir, binary, cert)
	if w != nil {
		defer w.server.Close()
	}
	if err != nil {
		return err
	}
	r.suite, r.world = suite{at: at, client: &http.Client{Timeout: 2 * time.Minute}}, w
	if r.desk, err = newDesk(w); err != nil {
		return err
	}
	defer r.desk.Close()
	done := make([]outcome, len(plans))
	var g errgroup.Group // one plan that fails breaks off no other
	g.SetLimit(r.atOnce) // tests wait more than they do
	for i, p := range plans {
		if len(only) > 0 && !slices.Contains(only, p.short) {
			continue
		}
		g.Go(func() (err error) {
			if done[i], err = r.plan(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", p.short, errors.Join(err, errors.New(w.server.Log(5))))
			}
			fmt.Println(done[i].row())
			return nil
		})
	}
	err = g.Wait()
	done = slices.DeleteFunc(done, func(o outcome) bool { return len(o.tests) == 0 })
	if doc == "" || len(done) == 0 {
		return err
	}
	return errors.Join(err, write(doc, done))
}
