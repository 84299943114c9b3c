package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/fault"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == Verb {
		os.Exit(Child(os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func pool(t *testing.T) *Pool {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &Pool{Command: []string{exe}, Memory: childMemory, Wall: 3 * time.Second, Each: 200 * time.Millisecond}
	t.Cleanup(p.Close)
	return p
}

var anna = Person{
	ID: "u-1", Name: "anna@example.com", Display: "Anna", Mail: "anna@example.com", Type: "CUS", Source: "S", Org: "o-1",
	Properties: map[string]any{
		"Mail": "anna@example.com", "department_": "Sales", "level_": 3, "boss_": true, "Status": nil, "blank_": "  ",
		"hired_": Date{Millis: 1597323830750},
	},
	Roles: []string{"sysadmin", "r_1"},
}

var known = []Role{{ID: "sysadmin", Name: "System Administrator"}, {ID: "r_1", Name: "Staff"}, {ID: "r_2", Name: "Guests"}, {ID: "d_1", Name: "Clever", Dynamic: true}}

// say runs a script for Anna.
func say(t *testing.T, p *Pool, text string) Verdict {
	t.Helper()
	out, err := p.Run(t.Context(), Batch{Script: text, People: []Person{anna}, Roles: known, Now: 1_600_000_000_000, Trace: true})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out[0]
}

func TestModel(t *testing.T) {
	p := pool(t)
	for text, want := range map[string]string{ // the result, and what was read
		`return true;`:               "true ",
		`return false`:               "false ",
		`return`:                     "null ",
		``:                           "null ",
		`return null;`:               "null ",
		`return User.Uuid === 'u-1'`: "true ",
		`return User.Username == 'anna@example.com' && User.DisplayName == 'Anna' && User.UserType == 'CUS' && User.OrgId == 'o-1'`: "true DisplayName,Name,OrgId",
		`return User.RiskLevel === null && User.IsIdentityCookiePresent === false && User.IsYubikeyOtpConfigured === false`:         "true ",
		`return User.DirectoryServiceUuid == 'S'`:                                                                  "true ",
		`return User.Get('department_') == 'Sales'`:                                                                "true department_",
		`return User.Get('DEPARTMENT_') == 'Sales'`:                                                                "true department_",
		`return User.Properties.Get('level_') + 1 === 4`:                                                           "true level_",
		`return User.Properties.boss_`:                                                                             "true boss_",
		`return User.Properties['distinguishedName'] === null`:                                                     "true distinguishedName",
		`return User.Properties.TryGet('nothing') === null`:                                                        "true nothing",
		`return User.Properties.Has('Status') && !User.Properties.Has('nothing')`:                                  "true Status,nothing",
		`return User.Properties.HasNonNullOrWhitespaceValue('blank_')`:                                             "false blank_",
		`return User.Properties.HasNonNullOrWhitespaceValue('level_')`:                                             "true level_",
		`return User.Get('Status') === null`:                                                                       "true Status",
		`return User.Properties.hired_.getTime() === 1597323830750`:                                                "true hired_",
		`try { User.Properties.Get('nothing') } catch (e) { return e instanceof TypeError }`:                       "true nothing",
		`return User.Properties.PropertyNames.Count === 7`:                                                         "true *",
		`for (var n in User.Properties.PropertyNames) if (n == 'Mail') return true;`:                               "true *",
		`var n = User.Properties.PropertyNames; for (var i = 0; i < n.Count; i++) if (n[i] == 'Mail') return true`: "true *",
		`for (var n in User.Properties) if (n == 'department_') return User.Properties[n] == 'Sales'`:              "true *,Mail,Status,blank_,boss_,department_",
		`return User.InRole('sysadmin')`:                                                                           "true (roles)",
		`return User.InRole('r_2')`:                                                                                "false (roles)",
		`return User.InRole('unknown')`:                                                                            "false (roles)",
		`return User.InRoleByNames(['Guests', 'staff'])`:                                                           "true (roles)",
		`return User.InRoleByNames('Staff')`:                                                                       "true (roles)",
		`return User.InEffectiveGroupByNames(['x']) || User.InDirectGroupByDNs(['x'])`:                             "false ",
		`return new Date().getTime() === 1600000000000`:                                                            "true (clock)",
		`return new Date(2020, 1, 1).getFullYear() === 2020`:                                                       "true ",
		`return Math.random() < 1`:                                                                                 "true (clock)",
		`return typeof require === 'undefined' && typeof module === 'undefined' && typeof process === 'undefined'`: "true ",
		`User = null; return User.Uuid == 'u-1'`:                                                                   "true ",
		"// a comment at the end":                                                                                  "null ",
		"return /^anna@/i.test(User.Mail)":                                                                         "true Mail",
	} {
		v := say(t, p, text)
		result, _ := json.Marshal(v.Member)
		if got := string(result) + " " + strings.Join(v.Read, ","); got != want || v.Error != "" {
			t.Errorf("%s: %q %q, want %q", text, got, v.Error, want)
		}
	}
}

func TestErrors(t *testing.T) {
	p := pool(t)
	for text, want := range map[string]string{
		"\nthrow new Error('no luck')":                "Error: no luck (line 2)",
		`return User.InRole('d_1')`:                   "Clever is a dynamic role",
		`return User.InRoleByNames(['CLEVER'])`:       "Clever is a dynamic role",
		`return User.Properties.Get('nothing')`:       "Users have no property nothing.",
		`return User.Properties.nothing.length`:       "TypeError",
		`return 1`:                                    "must return true or false",
		`return 'true'`:                               "must return true or false",
		`return new Boolean(true)`:                    "must return true or false",
		`throw { toString: function () { throw 1 } }`: "cannot be shown",
		`throw { get stack() { throw 1 }, toString: function () { for (;;); } }`: "",
		`var o = { get x() { throw new Error('getter') } }; return o.x`:          "getter",
		`function f() { return f() } f()`:                                        "calls itself too often",
		`while (true);`:                                                          "too long",
		`return http.get('http://localhost/')`:                                   "http is not defined",
	} {
		if v := say(t, p, text); v.Member != nil || v.Error == "" || !strings.Contains(v.Error, want) {
			t.Errorf("%s: %+v", text, v)
		}
	}
	_, err := p.Run(t.Context(), Batch{Script: "var x = ;", People: []Person{anna}})
	if !errors.Is(err, ErrSyntax) || !strings.Contains(fault.Of(err).Public, "Line 1") {
		t.Error(err)
	}
}

// TestHostile has scripts attack the process they run in. Whatever becomes of it, the caller gets an answer, and the next
// script a sound child.
func TestHostile(t *testing.T) {
	p := pool(t)
	for name, text := range map[string]string{
		"array doubling":      `var a = [1, 2, 3]; for (;;) a = a.concat(a);`,
		"sparse array":        `var a = []; a[4294967294] = 1; a.sort(); return a.join('x').length > 0`,
		"string repeat":       `return 'xxxxxxxxxxxxxxxx'.repeat(1 << 28).length`,
		"string doubling":     `var s = 'x'; for (;;) s += s;`,
		"regular expression":  `return /^(?=a)(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')`,
		"typed array":         `return new Uint8Array(1 << 31).length`,
		"deep JSON":           `var o = []; for (var i = 0; i < 1e6; i++) o = [o]; return JSON.stringify(o)`,
		"deep source":         `return ` + strings.Repeat("(", 50_000) + "1" + strings.Repeat(")", 50_000),
		"proxy of itself":     `var p = new Proxy({}, {}); for (var i = 0; i < 1e6; i++) p = new Proxy(p, {}); return p.x`,
		"sort without end":    `var a = []; for (var i = 0; i < 1e5; i++) a.push(i); a.sort(function () { for (;;); })`,
		"many objects":        `var a = []; for (;;) a.push({ a: [], b: {} })`,
		"catch everything":    `for (;;) try { for (;;); } catch (e) {} finally { continue }`,
		"name without end":    `return User.Properties['x'.repeat(1e7)]`,
		"error without end":   `throw 'x'.repeat(1e7)`,
		"functions in source": `eval('(function(){' + 'a+'.repeat(1e6) + '1})')(); for (;;);`,
	} {
		t.Run(name, func(t *testing.T) {
			out, err := p.Run(t.Context(), Batch{Script: text, People: []Person{anna}, Trace: true})
			switch f := fault.Of(err); {
			case err == nil && (out[0].Error == "" && out[0].Member != nil && *out[0].Member || len(out[0].Error) > maxError):
				t.Errorf("%+v", out[0])
			case err != nil && f.Kind != fault.Invalid:
				t.Error(err)
			default:
				t.Logf("%v %+v", err, out)
			}
			if v := say(t, p, `return User.Mail == 'anna@example.com'`); v.Member == nil || !*v.Member {
				t.Errorf("afterwards: %+v", v)
			}
		})
	}
}

func TestTraceIsBounded(t *testing.T) {
	v := say(t, pool(t), `for (var i = 0; i < 200; i++) trace("x".repeat(1000)); return true`)
	if len(v.Trace) != maxTraces || len(v.Trace[0]) != maxTrace || v.Member == nil || !*v.Member {
		t.Errorf("%d lines, %v", len(v.Trace), v.Member)
	}
}

// TestPeopleAreApart has a script change all it can reach, and the next person find none of it.
func TestPeopleAreApart(t *testing.T) {
	text := `if (typeof marked !== 'undefined' || ({}).marked || [].marked || 'x'.marked || User.marked || Object.keys !== Object.keys) return true;
		marked = 1; Object.prototype.marked = 1; Array.prototype.marked = 1; String.prototype.marked = 1;
		Object.getPrototypeOf(User).marked = 1; try { User.marked = 1 } catch (e) {}
		Object.defineProperty(Object.prototype, 'Uuid', { get: function () { throw 1 } });
		Date = function () { throw 1 }; JSON.parse = function () { throw 1 }; trace = function () { throw 1 };
		RegExp.prototype.exec = function () { return null };
		return false`
	out, err := pool(t).Run(t.Context(), Batch{Script: text, People: slices.Repeat([]Person{anna}, 5)})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v.Member == nil || *v.Member {
			t.Errorf("person %d: %+v", i, v)
		}
	}
}

// TestSlowBatch wants a script that is slow for everybody not to cost the time of everybody.
func TestSlowBatch(t *testing.T) {
	out, err := pool(t).Run(t.Context(), Batch{Script: `for (;;);`, People: slices.Repeat([]Person{anna}, 500)})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range out {
		if v.Error != slow || !slices.Contains(v.Read, ReadAll) {
			t.Fatalf("%+v", v)
		}
	}
}

func TestKilledChild(t *testing.T) {
	p := pool(t)
	say(t, p, `return true`)
	done := make(chan error)
	go func() {
		_, err := p.Run(t.Context(), Batch{Script: `return /^(?=a)(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')`, People: []Person{anna}})
		done <- err
	}()
	c := p.idle[0]
	for { // until the batch has taken it
		if idle, busy := p.Running(); idle == 0 && busy == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	c.kill()
	if err := <-done; !errors.Is(err, ErrDied) {
		t.Error(err)
	}
	say(t, p, `return true`)
}

// TestDeadIdleChild wants a child that died while it was idle to be no failure of the next script.
func TestDeadIdleChild(t *testing.T) {
	p := pool(t)
	say(t, p, `return true`)
	p.idle[0].kill()
	_ = p.idle[0].cmd.Wait()
	say(t, p, `return true`)
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := pool(t).Run(ctx, Batch{Script: `return /^(?=a)(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')`, People: []Person{anna}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestIdleChildEnds(t *testing.T) {
	p := pool(t)
	p.Idle = time.Millisecond
	say(t, p, `return true`)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if idle, _ := p.Running(); idle == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the child is still there")
		}
	}
	say(t, p, `return true`)
}

func TestOff(t *testing.T) {
	if _, err := (&Pool{}).Run(t.Context(), Batch{}); !errors.Is(err, ErrOff) {
		t.Error(err)
	}
}

func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	yes := true
	_ = write(&b, answer{Verdicts: []Verdict{{Member: &yes, Read: []string{"Mail"}, Trace: []string{"x"}}}})
	f.Add(b.Bytes())
	f.Add([]byte{0, 0, 0, 2, '{', '}'})
	f.Add([]byte{255, 255, 255, 255, '{'})
	f.Add([]byte{0, 0, 0, 9, '{', '}'})
	f.Fuzz(func(t *testing.T, in []byte) {
		var a answer
		if read(bytes.NewReader(in), &a) != nil || a.fit(1) != nil || a.Syntax != "" {
			return
		}
		v := a.Verdicts[0]
		if v.Error != "" && v.Member != nil || len(v.Error) > maxError || len(v.Trace) > maxTraces {
			t.Errorf("%+v", v)
		}
		var again answer
		b.Reset()
		if err := write(&b, a); err != nil {
			t.Fatal(err)
		}
		if err := read(&b, &again); err != nil || again.fit(1) != nil {
			t.Errorf("%+v: %v", again, err)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	exe, _ := os.Executable()
	p := &Pool{Command: []string{exe}, Memory: childMemory}
	defer p.Close()
	batch := Batch{Script: `return User.Properties.department_ == 'Sales' && !User.InRoleByNames(['Guests'])`, People: slices.Repeat([]Person{anna}, 200), Roles: known}
	for b.Loop() {
		if _, err := p.Run(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
