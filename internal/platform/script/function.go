package script

import (
	"encoding/json"
	"strings"

	"github.com/dop251/goja"
)

// maxResult bounds what a function returns, in bytes of JSON.
const maxResult = 32 << 10

// source is the text of a batch's program. The script is the body of a function, for it returns its result; a script of Functions ends by
// giving the functions that it declares. It begins on the first line, so that errors name the line that its author sees.
func (b Batch) source() string {
	if b.Model != Functions {
		return opening + b.Script + closing
	}
	var give strings.Builder
	for i, name := range b.Names {
		if i > 0 {
			give.WriteByte(',')
		}
		give.WriteString(name + `: typeof ` + name + ` === "function" ? ` + name + ` : null`)
	}
	return opening + b.Script + "\nreturn {" + give.String() + "};" + closing
}

// called calls the function that the batch names, and gives what it returned. Without a name it only looks whether the functions are there.
func (s *session) called(declared goja.Value, parse goja.Callable) (Verdict, error) {
	o, ok := declared.(*goja.Object)
	if !ok {
		return Verdict{Error: "The script must declare functions, and return nothing itself."}, nil
	}
	for _, name := range s.batch.Names {
		if _, ok := goja.AssertFunction(o.Get(name)); !ok {
			return Verdict{Error: "The script must declare the function " + name + "."}, nil
		}
	}
	if s.batch.Call == "" {
		return Verdict{}, nil
	}
	f, ok := goja.AssertFunction(o.Get(s.batch.Call))
	if !ok {
		return Verdict{Error: "The script must declare the function " + s.batch.Call + "."}, nil
	}
	var args []goja.Value
	for _, raw := range s.person.Arguments {
		v, err := parse(goja.Undefined(), s.vm.ToValue(string(raw)))
		if err != nil {
			return Verdict{}, err
		}
		args = append(args, v)
	}
	out, err := f(goja.Undefined(), args...)
	if err != nil {
		return Verdict{}, err
	}
	return s.result(out)
}

// result is a value as JSON. Making it may run the script's own code.
func (s *session) result(v goja.Value) (out Verdict, err error) {
	raw := json.RawMessage("null")
	if again := s.vm.Try(func() {
		if !goja.IsUndefined(v) && !goja.IsNull(v) {
			raw, err = encoded(v.Export())
		}
	}); again != nil {
		return Verdict{}, again
	}
	switch {
	case err != nil:
		return Verdict{Error: "What the function " + s.batch.Call + " returned is none that JSON has."}, nil
	case len(raw) > maxResult:
		return Verdict{Error: "What the function " + s.batch.Call + " returned is too long."}, nil
	}
	return Verdict{Result: raw}, nil
}
