package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// Bounds of what a verdict holds.
const (
	maxTraces = 100  // lines
	maxTrace  = 500  // bytes of a line
	maxError  = 1000 // bytes
	maxRead   = 100  // names; beyond them everything counts as read
	maxName   = 100  // bytes of one
	maxDepth  = 400  // calls within calls
	maxSlow   = 3    // people for whom a script may take too long before the rest of the batch is given up
)

const slow = "The script took too long."

// judge runs a batch. Every person gets an engine of their own, so that nothing a script does to it reaches the next.
func judge(b Batch) answer {
	program, err := goja.Compile("script", b.source(), false)
	if err != nil {
		return answer{Syntax: clip(wording(err), maxError)}
	}
	roles := index(b.Roles)
	out := answer{Verdicts: make([]Verdict, len(b.People))}
	late := 0
	for i, p := range b.People {
		if late >= maxSlow {
			out.Verdicts[i] = Verdict{Error: slow, Read: []string{ReadAll}}
			continue
		}
		out.Verdicts[i] = run(program, b, p, roles)
		if out.Verdicts[i].Error == slow {
			late++
		}
	}
	return out
}

// opening makes the script the body of a function.
const (
	opening = "(function () {"
	closing = "\n}).call(this)"
)

// wording is what the compiler says, with the place as the author of the script counts it.
func wording(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "SyntaxError: "), "script: ")
	var line, column int
	if n, _ := fmt.Sscanf(text, "Line %d:%d", &line, &column); n == 2 && line == 1 {
		text = fmt.Sprintf("Line 1:%d", column-len(opening)) + strings.TrimPrefix(text, fmt.Sprintf("Line 1:%d", column))
	}
	return text
}

// session is one run for one person.
type session struct {
	vm     *goja.Runtime
	batch  Batch
	person Person
	in     map[string]bool // ids of the person's roles
	roles  roles
	read   map[string]bool
	trace  []string
	claims map[string]json.RawMessage
	mapped map[string]json.RawMessage
	ruling Ruling
}

func run(program *goja.Program, b Batch, p Person, rs roles) (v Verdict) {
	s := &session{vm: goja.New(), batch: b, person: p, in: map[string]bool{}, roles: rs, read: map[string]bool{}}
	for _, id := range p.Roles {
		s.in[id] = true
	}
	defer func() {
		if r := recover(); r != nil { // a mistake in the engine is this script's failure, and nobody else's
			v = Verdict{Error: clip(fmt.Sprint("The engine failed: ", r), maxError)}
			s.note(ReadAll)
		}
		v.Trace, v.Read = s.trace, slices.Sorted(maps.Keys(s.read))
	}()
	parse := s.prepare()
	timer := time.AfterFunc(time.Duration(b.Each)*time.Millisecond, func() { s.vm.Interrupt(slow) })
	defer timer.Stop()
	result, err := s.vm.RunProgram(program)
	if err == nil && b.Model == Functions {
		v, err = s.called(result, parse)
	} else if err == nil {
		v = s.verdict(result)
	}
	if err != nil {
		return Verdict{Error: s.explain(err)}
	}
	return v
}

// prepare offers a script what its model has; it gives the engine's own reader of JSON, which no script has changed yet.
func (s *session) prepare() (parse goja.Callable) {
	parse, _ = goja.AssertFunction(s.vm.Get("JSON").ToObject(s.vm).Get("parse"))
	s.vm.SetMaxCallStackSize(maxDepth)
	s.vm.SetTimeSource(func() time.Time {
		s.note(ReadClock)
		return time.UnixMilli(s.batch.Now)
	})
	s.vm.SetRandSource(func() float64 {
		s.note(ReadClock)
		return 0.5 // the same for everybody: who is a member is no matter of luck
	})
	_ = s.vm.Set("trace", s.say)
	if s.batch.Model == Functions {
		return parse
	}
	s.global("User", s.user())
	switch s.batch.Model {
	case Claims:
		s.objects()
		s.claiming()
	case Policy:
		s.objects()
		s.policing()
	case Mapping:
		s.objects()
		s.mapping()
	}
	return parse
}

// global makes a name that a script can read and not replace.
func (s *session) global(name string, v goja.Value) {
	_ = s.vm.GlobalObject().DefineDataProperty(name, v, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
}

// verdict reads what a script decided.
func (s *session) verdict(result goja.Value) Verdict {
	switch s.batch.Model {
	case Claims:
		return Verdict{Claims: s.claims}
	case Policy:
		return s.ruled(result)
	case Mapping:
		return Verdict{Mapped: s.mapped}
	}
	return member(result)
}

// member reads what a script returned. Nothing at all is the end of a script that says true for members only.
func member(result goja.Value) Verdict {
	if result == nil || goja.IsUndefined(result) || goja.IsNull(result) {
		return Verdict{}
	}
	is, ok := result.Export().(bool)
	if _, object := result.(*goja.Object); !ok || object {
		return Verdict{Error: "The script must return true or false, and it returned something else."}
	}
	return Verdict{Member: &is}
}

func (s *session) explain(err error) string {
	var cut *goja.InterruptedError
	if errors.As(err, &cut) {
		s.note(ReadAll)
		return slow
	}
	var deep *goja.StackOverflowError
	if errors.As(err, &deep) {
		return "The script calls itself too often."
	}
	var thrown *goja.Exception
	if errors.As(err, &thrown) {
		return s.thrown(thrown)
	}
	return clip(err.Error(), maxError)
}

// thrown words an exception and names its line. Wording it may run the script's own code, which may throw again.
func (s *session) thrown(e *goja.Exception) string {
	text := "The script threw what cannot be shown."
	if again := s.vm.Try(func() { text = e.Value().String() }); again != nil {
		return text
	}
	for _, f := range e.Stack() {
		if p := f.Position(); p.Line > 0 {
			return clip(text, maxError-40) + fmt.Sprintf(" (line %d)", p.Line)
		}
	}
	return clip(text, maxError)
}

// say is trace(...).
func (s *session) say(c goja.FunctionCall) goja.Value {
	switch {
	case !s.batch.Trace || len(s.trace) > maxTraces-1:
	case len(s.trace) == maxTraces-1:
		s.trace = append(s.trace, "(more is not shown)")
	default:
		s.trace = append(s.trace, clip(c.Argument(0).String(), maxTrace))
	}
	return goja.Undefined()
}

// note remembers that something of the person was read.
func (s *session) note(name string) {
	if len(s.read) >= maxRead || len(name) > maxName {
		name = ReadAll
	}
	s.read[name] = true
}

// clip makes text of at most n bytes that is valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
