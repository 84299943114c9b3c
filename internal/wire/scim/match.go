package scim

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// Match says whether a resource, or with the filter of a path a value, meets a filter.
func (f Filter) Match(o Object) bool {
	switch f.Op {
	case And:
		for _, of := range f.Of {
			if !of.Match(o) {
				return false
			}
		}
		return true
	case Or:
		for _, of := range f.Of {
			if of.Match(o) {
				return true
			}
		}
		return false
	case Not:
		return !f.Of[0].Match(o)
	}
	for _, v := range f.At.values(o) {
		if f.meets(v) {
			return true
		}
	}
	return f.Op == Ne && len(f.At.values(o)) == 0
}

// values are what a resource has at a path.
func (p Path) values(o Object) []any {
	if p.Ext != nil {
		o, _ = o[p.Ext.ID].(Object)
	}
	if p.Attr == nil {
		return nil
	}
	list := listOf(o[p.Attr.Name])
	if p.Sub == nil {
		return list
	}
	var out []any
	for _, v := range list {
		if in, ok := v.(Object); ok {
			out = append(out, listOf(in[p.Sub.Name])...)
		}
	}
	return out
}

func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func (f Filter) meets(v any) bool {
	switch f.Op {
	case Pr:
		return v != nil && v != ""
	case Within:
		in, ok := v.(Object)
		if !ok {
			in = Object{"value": v}
		}
		return f.Of[0].Match(in)
	}
	switch arg := f.Arg.(type) {
	case bool:
		is, ok := v.(bool)
		return ok && (is == arg) == (f.Op == Eq)
	case float64:
		n, ok := v.(json.Number)
		is, err := n.Float64()
		return ok && err == nil && f.ordered(cmp.Compare(is, arg))
	case time.Time:
		s, _ := v.(string)
		at, ok := parseTime(s)
		return ok && f.ordered(at.Compare(arg))
	case string:
		is, ok := v.(string)
		return ok && f.texts(is, arg)
	}
	return false
}

func (f Filter) texts(is, arg string) bool {
	if !f.At.Leaf().CaseExact {
		is, arg = strings.ToLower(is), strings.ToLower(arg)
	}
	switch f.Op {
	case Co:
		return strings.Contains(is, arg)
	case Sw:
		return strings.HasPrefix(is, arg)
	case Ew:
		return strings.HasSuffix(is, arg)
	}
	return f.ordered(strings.Compare(is, arg))
}

func (f Filter) ordered(c int) bool {
	switch f.Op {
	case Eq:
		return c == 0
	case Ne:
		return c != 0
	case Gt:
		return c > 0
	case Ge:
		return c >= 0
	case Lt:
		return c < 0
	case Le:
		return c <= 0
	}
	return false
}
