package script

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/dop251/goja"
)

// Bounds of what a mapping sets.
const (
	maxMapped     = 100
	maxMappedName = 200      // bytes of a path
	maxMappedSize = 32 << 10 // bytes of all paths and values, as JSON
)

// mapping offers the functions that set attributes, and take them away.
func (s *session) mapping() {
	s.mapped = map[string]json.RawMessage{}
	s.global("set", s.vm.ToValue(func(c goja.FunctionCall) goja.Value {
		s.mapTo(c.Argument(0).String(), c.Argument(1))
		return goja.Undefined()
	}))
	s.global("remove", s.vm.ToValue(func(c goja.FunctionCall) goja.Value {
		s.mapTo(c.Argument(0).String(), goja.Null())
		return goja.Undefined()
	}))
}

// mapTo sets the attribute at a path: attribute, attribute.part, or URN:attribute.
func (s *session) mapTo(path string, v goja.Value) {
	if path == "" || len(path) > maxMappedName || strings.ContainsAny(path, " []\"") {
		panic(s.vm.NewTypeError("A path is attribute, attribute.part or URN:attribute, of %d bytes at most.", maxMappedName))
	}
	first, _, _ := strings.Cut(path, ".")
	if slices.ContainsFunc(s.batch.Reserved, func(r string) bool { return strings.EqualFold(r, first) }) {
		panic(s.vm.NewTypeError("The attribute %s is the server's own, and cannot be set.", clip(first, maxName)))
	}
	raw := json.RawMessage("null")
	if !goja.IsUndefined(v) && !goja.IsNull(v) {
		var err error
		if raw, err = encoded(v.Export()); err != nil {
			panic(s.vm.NewTypeError("The value of %s is none that JSON has.", clip(path, maxName)))
		}
	}
	s.mapped[path] = raw
	if !mappable(s.mapped) {
		delete(s.mapped, path)
		panic(s.vm.NewTypeError("There are too many attributes, or they are too long: %d with %d bytes are allowed.", maxMapped, maxMappedSize))
	}
}

// mappable says whether there are not too many attributes, and not too long ones.
func mappable(m map[string]json.RawMessage) bool {
	size := 0
	for name, raw := range m {
		size += len(name) + len(raw)
		if name == "" || len(name) > maxMappedName {
			return false
		}
	}
	return len(m) <= maxMapped && size <= maxMappedSize
}
