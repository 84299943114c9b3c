package main

import (
	"os"
	"testing"

	"limen/test/rig"
)

// rounds is a small number of each; "make kill" runs many more.
const rounds = 3

func TestKilledProgramLosesNothing(t *testing.T) {
	sum, err := killProgram(t.Context(), t.TempDir(), rounds, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if sum.acknowledged < 20*rounds || sum.lost == 0 {
		t.Errorf("too little was under way to show anything: %s", sum)
	}
}

func TestHitDatabaseLosesNothing(t *testing.T) {
	if os.Getenv("LIMEN_TEST_POSTGRES") == "" {
		if os.Getenv("LIMEN_TEST_POSTGRES_REQUIRED") == "1" {
			t.Fatal("LIMEN_TEST_POSTGRES is not set, and LIMEN_TEST_POSTGRES_REQUIRED says that it must be")
		}
		t.Skip("LIMEN_TEST_POSTGRES is not set: PostgreSQL may not be installed here (test/postgres start DIR installs it)")
	}
	sum, err := hitDatabase(t.Context(), t.TempDir(), 2, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if sum.acknowledged < 40 {
		t.Errorf("too little was under way to show anything: %s", sum)
	}
}

// TestKilledWorkGoesOn kills the program during an import, a recomputation and the issue of tokens.
func TestKilledWorkGoesOn(t *testing.T) {
	binary, err := rig.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for engine, address := range map[string]string{"SQLite": "", "PostgreSQL": os.Getenv("LIMEN_TEST_POSTGRES")} {
		for _, k := range kinds {
			t.Run(engine+"/"+k.name, func(t *testing.T) {
				if engine != "SQLite" && address == "" {
					if os.Getenv("LIMEN_TEST_POSTGRES_REQUIRED") == "1" {
						t.Fatal("LIMEN_TEST_POSTGRES is not set, and LIMEN_TEST_POSTGRES_REQUIRED says that it must be")
					}
					t.Skip("LIMEN_TEST_POSTGRES is not set: PostgreSQL may not be installed here (test/postgres start DIR installs it)")
				}
				if _, err := k.kill(t.Context(), place{binary, t.TempDir(), address, t.Output()}, 1); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// TestSettleSeesLosses keeps the check honest: each kind of loss is an error, and what could not be known is none.
func TestSettleSeesLosses(t *testing.T) {
	whole := stored{id: "1", text: "new", state: "None", everybody: true, created: 1, changed: 2}
	known := func() *writer {
		return &writer{people: []*person{{name: "anna", id: "1", text: value{known: "new"}, state: value{known: "None"}, changes: 2}}}
	}
	pending := "newer"
	for name, c := range map[string]struct {
		writer *writer
		there  map[string]stored
		errs   int
	}{
		"all there":               {known(), map[string]stored{"anna": whole}, 0},
		"gone":                    {known(), map[string]stored{}, 1},
		"an older text":           {known(), map[string]stored{"anna": with(whole, func(u *stored) { u.text = "old" })}, 1},
		"an older state":          {known(), map[string]stored{"anna": with(whole, func(u *stored) { u.state = "Locked" })}, 1},
		"without its event":       {known(), map[string]stored{"anna": with(whole, func(u *stored) { u.created = 0 })}, 1},
		"not in Everybody":        {known(), map[string]stored{"anna": with(whole, func(u *stored) { u.everybody = false })}, 1},
		"an event too few":        {known(), map[string]stored{"anna": with(whole, func(u *stored) { u.changed = 1 })}, 1},
		"an event too many":       {known(), map[string]stored{"anna": with(whole, func(u *stored) { u.changed = 3 })}, 1},
		"made without an answer":  {&writer{maybe: []*person{{name: "anna", text: value{known: "new"}, state: value{known: "None"}, changes: 2}}}, map[string]stored{"anna": whole}, 0},
		"not made":                {&writer{maybe: []*person{{name: "anna"}}}, map[string]stored{}, 0},
		"half made":               {&writer{maybe: []*person{{name: "anna", state: value{known: "None"}, secret: true}}}, map[string]stored{"anna": with(whole, func(u *stored) { u.text, u.changed = "", 0 })}, 1},
		"changed without answer":  {unsure(&pending), map[string]stored{"anna": with(whole, func(u *stored) { u.text, u.changed = pending, 3 })}, 0},
		"unchanged, no answer":    {unsure(&pending), map[string]stored{"anna": whole}, 0},
		"changed to another text": {unsure(&pending), map[string]stored{"anna": with(whole, func(u *stored) { u.text, u.changed = "newest", 3 })}, 1},
	} {
		if errs := c.writer.settle(c.there, map[string]bool{}); len(errs) != c.errs {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func with(u stored, f func(*stored)) stored { f(&u); return u }

func unsure(pending *string) *writer {
	return &writer{people: []*person{{name: "anna", id: "1", text: value{"new", pending}, state: value{known: "None"}, changes: 2, unsure: 1}}}
}
