package enginetest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"limen/internal/wire/redrock"
)

var update = flag.Bool("update", false, "write the golden files")

func lines(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// later tables exist in the contract but not yet in the platform.
var later = []string{"Proxy", "Application", "Sets", "X"}

// TestRealQueries compiles what public clients send for both engines, compares the SQL with the golden file, runs it, and wants equal answers.
func TestRealQueries(t *testing.T) {
	cat := catalogue(t)
	dbs := stores(t)
	for _, s := range dbs {
		s.fill(t)
	}
	var golden strings.Builder
	for _, q := range lines(t, filepath.Join("..", "testdata", "real_queries.txt")) {
		fmt.Fprintf(&golden, "%s\n", q)
		s, err := redrock.Parse(q, redrock.Limits{})
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		if _, err := redrock.Compile(s, cat, redrock.SQLite, options()); err != nil {
			var e *redrock.Error
			if !errors.As(err, &e) || e.Code != redrock.CodeTable || !slices.ContainsFunc(later, func(n string) bool { return e.Token == n }) {
				t.Errorf("%s: %v", q, err)
			}
			fmt.Fprintf(&golden, "    error: %v\n\n", err)
			continue
		}
		var first []string
		for i, name := range []string{"sqlite", "postgres"} {
			p := compile(t, cat, redrock.Engine(i), options(), q)
			fmt.Fprintf(&golden, "    %s: %s\n    %v\n", name, p.SQL, p.Args)
			if i >= len(dbs) {
				continue
			}
			got, count := dbs[i].run(t, p)
			if int64(len(got)) != count {
				t.Errorf("%s: %d rows, counted %d", q, len(got), count)
			}
			if i == 0 {
				first = got
				fmt.Fprintf(&golden, "    %s\n", strings.Join(got, "\n    "))
			} else if !slices.Equal(got, first) {
				t.Errorf("%s: the engines differ\n%s\n%s", q, strings.Join(first, "\n"), strings.Join(got, "\n"))
			}
		}
		golden.WriteString("\n")
	}
	compare(t, "real_queries.golden", golden.String())
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; run with -update and look at the change\n%s", name, got)
	}
}
