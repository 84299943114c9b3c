package script

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"limen/internal/fault"
)

// seen is Anna with what scripts of applications see besides.
func seen() Person {
	p := anna
	p.Objects = map[string]map[string]any{
		"LoginUser":   {"FirstName": "Anna", "RoleNames": []any{"Staff", "Guests"}, "Username": "hidden"},
		"Application": {"Name": "Wiki", "_RowKey": "a-1"},
		"Context":     {"onPrem": false, "authLevel": 1, "lastAuthenticated": map[string]any{"date": 1_600_000_000_000}},
	}
	return p
}

func decide(t *testing.T, p *Pool, m Model, text string) Verdict {
	t.Helper()
	out, err := p.Run(t.Context(), Batch{
		Model: m, Script: text, People: []Person{seen()}, Roles: []Role{{ID: "r_1", Name: "Staff"}}, Reserved: []string{"sub", "__proto__"}, Now: 1_600_000_000_000, Trace: true,
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out[0]
}

func TestClaims(t *testing.T) {
	p := pool(t)
	for text, want := range map[string]string{
		``: `null`,
		`setClaim('a', LoginUser.Get('mail')); setClaim('b', LoginUser.FirstName)`:                    `{"a":"anna@example.com","b":"Anna"}`,
		`setClaim('groups', LoginUser.RoleNames)`:                                                     `{"groups":["Staff","Guests"]}`,
		`LoginUser.RoleNames.push('Root'); setClaimArray('roles', LoginUser.RoleNames)`:               `{"roles":["Staff","Guests"]}`,
		`setClaimArray('one', 'x')`:                                                                   `{"one":["x"]}`,
		`setClaimObject('o', {timeout: 120, deep: {list: [1, 2.5, true, null]}})`:                     `{"o":{"deep":{"list":[1,2.5,true,null]},"timeout":120}}`,
		`setClaim('n', 9007199254740991); setClaim('t', true)`:                                        `{"n":9007199254740991,"t":true}`,
		`setClaim('gone', LoginUser.Get('nothing')); setClaim('x', 1); setClaim('x', null)`:           `null`,
		`setClaim('a', Application.Get('name') + application.Name + User.InRole('r_1'))`:              `{"a":"WikiWikitrue"}`,
		`setClaim('when', LoginUser.Get('hired_'))`:                                                   `{"when":"2020-08-13T13:03:50.75Z"}`,
		`setClaim('<&>', '<script>')`:                                                                 `{"<&>":"<script>"}`,
		`try { setClaim('sub', 'root') } catch (e) { setClaim('why', e.message) }`:                    `{"why":"The claim sub is the server's own, and cannot be set."}`,
		`setClaim = function () {}; LoginUser = {}; setClaim('a', LoginUser.FirstName)`:               `{"a":"Anna"}`,
		`Object.prototype.sub = 'root'; Array.prototype.toJSON = 1; setClaimObject('o', {a: [1]})`:    `{"o":{"a":[1]}}`,
		`LoginUser.FirstName = 'Root'; setClaim('a', LoginUser.FirstName); return 'of no importance'`: `{"a":"Anna"}`,
	} {
		v := decide(t, p, Claims, text)
		got, _ := json.Marshal(v.Claims)
		if v.Error != "" || !same(t, string(got), want) {
			t.Errorf("%s: %s %q, want %s", text, got, v.Error, want)
		}
	}
	v := decide(t, p, Claims, `setClaim('a', LoginUser.FirstName + Application._RowKey + LoginUser.Mail + context.onPrem)`)
	if want := []string{"Application._RowKey", "Context.onPrem", "LoginUser.FirstName", "Mail"}; !slices.Equal(v.Read, want) {
		t.Errorf("read %v, want %v", v.Read, want)
	}
}

func same(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

// TestHostileClaims are scripts that mean harm. Whatever they did before, nothing of it becomes a claim.
func TestHostileClaims(t *testing.T) {
	p := pool(t)
	for text, want := range map[string]string{
		`setClaim('a', 1); for (;;);`:                                   "too long",
		`var s = 'x'; while (s.length < 9000) s += s; setClaim('a', s)`: "too many claims",
		`for (var i = 0; i < 101; i++) setClaim('c' + i, i)`:            "too many claims",
		`setClaim(Array(102).join('n'), 1)`:                             "1 to 100 bytes",
		`setClaim('', 1)`:                                               "1 to 100 bytes",
		`setClaim('f', function () {})`:                                 "none that JSON has",
		`setClaim('n', NaN)`:                                            "none that JSON has",
		`var o = {}; o.o = o; setClaimObject('o', o)`:                   "none that JSON has",
		`setClaimObject('o', [1])`:                                      "takes an object",
		`setClaimObject('o', 'text')`:                                   "takes an object",
		`setClaim('__proto__', 1)`:                                      "server's own",
		`setClaim({toString: function () { for (;;); }}, 1)`:            "too long",
		`setClaimObject('o', {get x() { for (;;); }})`:                  "too long",
		`module('SqlQuery')`:                                            "no module",
		`throw new Error('no')`:                                         "no",
		`function f() { return f() } f()`:                               "too often",
	} {
		v := decide(t, p, Claims, text)
		if v.Claims != nil || v.Error == "" || !strings.Contains(v.Error, want) {
			t.Errorf("%s: %v %q, want %q", text, v.Claims, v.Error, want)
		}
	}
	_, err := p.Run(t.Context(), Batch{Model: Claims, Script: `var a = []; for (;;) a.push(new Array(1e6).join('x'))`, People: []Person{seen()}})
	if f := fault.Of(err); !errors.Is(err, ErrMemory) && !errors.Is(err, ErrTime) && !errors.Is(err, ErrDied) && err != nil {
		t.Errorf("a memory bomb: %v", f)
	}
	if v := decide(t, p, Claims, `setClaim('a', 1)`); len(v.Claims) != 1 {
		t.Errorf("after all that: %v %q", v.Claims, v.Error)
	}
}

func TestPolicy(t *testing.T) {
	p := pool(t)
	for text, want := range map[string]Ruling{
		``: {},
		`if (!context.onPrem) { var u = module('User').GetCurrentUser(); if (u.InRole('sysadmin')) policy.RequiredLevel = 2; else policy.Locked = true; }`: {Level: 2},
		`policy.locked = 1; policy.reason = 'Not from here.'`:                                      {Locked: true, Reason: "Not from here."},
		`policy.RequiredLevel = 2; policy.RequiredLevel = '1'`:                                     {Level: 1},
		`if (policy.RequiredLevel == 1 && !policy.Locked) policy.Reason = application.Get('Name')`: {Reason: "Wiki"},
		`if (context.lastAuthenticated.getTime() == new Date().getTime()) policy.Locked = true`:    {Locked: true},
		`if (User.Properties.Get('mail') != 'x') policy.Locked = true; return;`:                    {Locked: true},
	} {
		v := decide(t, p, Policy, text)
		if v.Error != "" || v.Ruling == nil || *v.Ruling != want {
			t.Errorf("%s: %+v %q, want %+v", text, v.Ruling, v.Error, want)
		}
	}
	// What may have been meant to refuse never lets anybody in.
	for _, text := range []string{
		`return false`, `return true`, `policy.Lock = true`, `policy.RequiredLevel = 3`, `policy.RequiredLevel = 'strong'`, `for (;;);`, `throw 1`, `policy.Locked = {}.x.y`,
		`policy.Reason = {toString: function () { for (;;); }}`, `Object.defineProperty(policy, 'Locked', {get: function () { return false }})`,
	} {
		if v := decide(t, p, Policy, text); v.Ruling != nil || v.Error == "" {
			t.Errorf("%s: %+v", text, v.Ruling)
		}
	}
	for _, text := range []string{`policy = {}; policy.Locked = true`, `policy.Locked = true; delete policy.Locked`, `policy.Locked = true; Object.freeze(policy)`} {
		if v := decide(t, p, Policy, text); v.Error == "" && !v.Ruling.Locked {
			t.Errorf("%s: %+v", text, v.Ruling)
		}
	}
}

// TestFitOfDecisions wants nothing of a child whose engine was subverted that scripts could not say.
func TestFitOfDecisions(t *testing.T) {
	big := map[string]json.RawMessage{"a": json.RawMessage(`"` + strings.Repeat("x", maxClaimSize) + `"`)}
	for _, v := range []Verdict{{Claims: big}, {Claims: map[string]json.RawMessage{"": nil}}, {Ruling: &Ruling{Level: 3}}, {Ruling: &Ruling{Level: -1}}} {
		if (&answer{Verdicts: []Verdict{v}}).fit(1) == nil {
			t.Errorf("%+v is taken", v)
		}
	}
	a := answer{Verdicts: []Verdict{{Error: "no", Claims: map[string]json.RawMessage{"a": nil}, Ruling: &Ruling{}}}}
	if err := a.fit(1); err != nil || a.Verdicts[0].Claims != nil || a.Verdicts[0].Ruling != nil {
		t.Errorf("a failure decides: %+v %v", a.Verdicts[0], err)
	}
}

// FuzzFit reads what a child may say.
func FuzzFit(f *testing.F) {
	f.Add([]byte(`{"verdicts":[{"claims":{"a":1}}]}`))
	f.Add([]byte(`{"verdicts":[{"ruling":{"locked":true,"reason":"x","level":2}}]}`))
	f.Add([]byte(`{"verdicts":[{"member":true,"read":["a"],"trace":["b"]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a answer
		if json.Unmarshal(raw, &a) != nil || a.fit(1) != nil || a.Syntax != "" {
			return
		}
		v := a.Verdicts[0]
		if !bounded(v.Claims) || len(v.Error) > maxError || v.Error != "" && (v.Claims != nil || v.Ruling != nil || v.Member != nil) {
			t.Errorf("taken: %+v", v)
		}
	})
}
