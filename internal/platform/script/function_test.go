package script

import (
	"encoding/json"
	"strings"
	"testing"
)

// ask calls the function f of a script.
func ask(t *testing.T, p *Pool, text string, args ...string) Verdict {
	t.Helper()
	var who Person
	for _, a := range args {
		who.Arguments = append(who.Arguments, json.RawMessage(a))
	}
	out, err := p.Run(t.Context(), Batch{Model: Functions, Names: []string{"f", "g"}, Call: "f", Script: text, People: []Person{who}, Now: 1_600_000_000_000, Trace: true})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out[0]
}

func TestFunctions(t *testing.T) {
	p := pool(t)
	const g = "function g() {}\n"
	for text, want := range map[string]string{
		`function f(a, b) { return a.name + b; }`:                    `"annatrue"`,
		`function f(a) { a.name = 'x'; return a; }`:                  `{"n":7,"name":"x"}`,
		`function f() { return {a: [1, null, 'ü'], b: undefined}; }`: `{"a":[1,null,"ü"],"b":null}`,
		`function f() {}`: `null`,
		`var f = function (a) { return a.n + 1; };`:                                `8`,
		`JSON.parse = function () { return 1; }; function f(a) { return a.name; }`: `"anna"`,
		`function f() { return typeof User + typeof set + typeof policy; }`:        `"undefinedundefinedundefined"`,
		`function f() { return new Date().getTime(); }`:                            `1600000000000`,
	} {
		if v := ask(t, p, g+text, `{"name":"anna","n":7}`, `true`); v.Error != "" || string(v.Result) != want {
			t.Errorf("%s: %s %q", text, v.Result, v.Error)
		}
	}
	for text, want := range map[string]string{
		`function f() {}`:                                                     "must declare the function g",
		g + `var f = 3;`:                                                      "must declare the function f",
		g + `function f() {} return 1;`:                                       "must declare functions",
		g + `function f() { throw new Error('no luck'); }`:                    "Error: no luck (line 2)",
		g + `function f() { for (;;) {} }`:                                    "took too long",
		g + `function f() { return Infinity; }`:                               "none that JSON has",
		g + `function f() { return new Array(40000).join('x'); }`:             "too long",
		g + `function f() { return {get a() { throw new Error('late'); }}; }`: "late",
	} {
		if v := ask(t, p, text, `{}`); !strings.Contains(v.Error, want) || v.Result != nil {
			t.Errorf("%s: %s %q", text, v.Result, v.Error)
		}
	}
	for text, want := range map[string]string{g + `function f() { throw 1; }`: "", g: "must declare the function f"} { // called by nobody
		out, err := p.Run(t.Context(), Batch{Model: Functions, Names: []string{"f", "g"}, Script: text, People: []Person{{}}})
		if err != nil || !strings.Contains(out[0].Error, want) || want == "" && out[0].Error != "" {
			t.Errorf("%s: %v %v", text, out, err)
		}
	}
}
