package dynamic_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/dop251/goja"

	"limen/internal/core/dynamic"
	"limen/internal/platform/script"
)

// TestMain is the process that scripts run in, too.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == script.Verb {
		os.Exit(script.Child(os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// globals and walk say every name that can be read in the engine: the global ones, and all below User.
const globals = `Object.getOwnPropertyNames(globalThis).forEach(function (name) { trace(name); });`
const walk = `
	(function down(at, o) {
		Object.getOwnPropertyNames(o).forEach(function (name) {
			trace(at + '.' + name);
			if (o[name] !== null && typeof o[name] === 'object') down(at + '.' + name, o[name]);
		});
	})('User', User);`

// run runs a script for somebody who has every property, none of which has a value.
func run(t *testing.T, p *script.Pool, text string) script.Verdict {
	t.Helper()
	properties := map[string]any{}
	for name := range dynamic.Properties() {
		properties[name] = nil
	}
	out, err := p.Run(t.Context(), script.Batch{Script: text, People: []script.Person{{ID: "p", Properties: properties}}, Trace: true})
	if err != nil {
		t.Fatal(err)
	}
	if out[0].Error != "" || len(out[0].Trace) >= 100 {
		t.Fatalf("%s: %q after %d lines, of which 100 are kept", text, out[0].Error, len(out[0].Trace))
	}
	return out[0]
}

func engine(t *testing.T) *script.Pool {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &script.Pool{Command: []string{exe}, Memory: 2 << 30, Wall: 20 * time.Second, Each: 10 * time.Second}
	t.Cleanup(p.Close)
	return p
}

// TestModelIsReadable walks the object model as scripts see it, and wants the table to have what is there, and nothing else. Besides
// User, a script has what the language has, and trace.
func TestModelIsReadable(t *testing.T) {
	p, language := engine(t), goja.New().GlobalObject().GetOwnPropertyNames()
	for _, name := range run(t, p, globals).Trace {
		if name != "User" && name != "trace" && !slices.Contains(language, name) {
			t.Errorf("scripts can read %s, of which the table knows nothing", name)
		}
	}
	there := map[string]bool{}
	for _, path := range run(t, p, walk).Trace {
		there[path] = true
	}
	for path := range there {
		if _, ok := dynamic.Readable[path]; !ok {
			t.Errorf("scripts can read %s, and the table does not have it", path)
		}
	}
	for path := range dynamic.Readable {
		if !there[path] {
			t.Errorf("the table has %s, which scripts cannot read", path)
		}
	}
}

// TestReadingIsNoted reads everything of the table by itself, and wants the engine to say so under the table's name.
func TestReadingIsNoted(t *testing.T) {
	p := engine(t)
	for path, as := range dynamic.Readable {
		if path == "User.Properties" || as == "(constant)" {
			continue // an object with nothing of the person yet, and what never changes
		}
		text := path
		switch as {
		case "(property)":
			text, as = path+"('Mail')", "Mail"
		case "(roles)":
			text = path + "('somebody')"
		}
		if v := run(t, p, text+";"); !slices.Contains(v.Read, as) {
			t.Errorf("reading %s is noted as %v, not as %s", path, v.Read, as)
		}
	}
}
