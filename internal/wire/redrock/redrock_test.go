package redrock

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func catalogue(t testing.TB, tables ...Table) *Catalogue {
	t.Helper()
	if tables == nil {
		tables = Tables()
	}
	c, err := NewCatalogue(tables)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func options() Options {
	return Options{Now: now, Fold: strings.ToLower, Source: func(t *Table) (string, []any) {
		return "(SELECT * FROM rr_" + strings.ToLower(t.Name) + " WHERE owner_tenant = ?)", []any{"acme"}
	}}
}

// compile compiles a script that must be good.
func compile(t testing.TB, c *Catalogue, e Engine, o Options, script string) *Plan {
	t.Helper()
	s, err := Parse(script, Limits{})
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	p, err := Compile(s, c, e, o)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return p
}

// lines reads a file of testdata.
func lines(t testing.TB, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
