package scim

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Apply gives what a resource is after the operations, in their order; the resource itself is not touched.
func (t *Type) Apply(o Object, ops []Operation) (Object, error) {
	out := clone(o).(Object)
	for _, op := range ops {
		home := t.home(out, op.Path)
		was := clone(home[op.Path.Attr.Name])
		if err := op.apply(home); err != nil {
			return nil, err
		}
		now := home[op.Path.Attr.Name]
		if op.Path.Attr.mutability() == Immutable && was != nil && !reflect.DeepEqual(was, now) {
			return nil, bad(Mutability, "%s cannot be changed", op.Path)
		}
		if op.Path.Attr.Required && now == nil {
			return nil, bad(InvalidValue, "%s is required", op.Path)
		}
		if op.Path.Ext != nil && len(home) == 0 {
			delete(out, op.Path.Ext.ID)
		}
	}
	return out, nil
}

// clone copies a value with all that is in it.
func clone(v any) any {
	switch v := v.(type) {
	case Object:
		out := make(Object, len(v))
		for name, e := range v {
			out[name] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	}
	return v
}

func (op Operation) apply(home Object) error {
	a, name := op.Path.Attr, op.Path.Attr.Name
	if a.Multi {
		list, err := op.many(listOf(home[name]))
		if err != nil {
			return err
		}
		set(home, name, list)
		return nil
	}
	switch {
	case op.Path.Sub != nil:
		in, ok := home[name].(Object)
		if !ok {
			in = Object{}
		}
		setOne(in, op.Path.Sub.Name, op.Value)
		home[name] = in
		if len(in) == 0 {
			delete(home, name)
		}
	case op.Op == Remove:
		delete(home, name)
	case a.kind() == Complex:
		in, _ := home[name].(Object)
		home[name] = merged(in, op.Value.(Object))
	default:
		home[name] = op.Value
	}
	return nil
}

func set(o Object, name string, list []any) {
	if len(list) == 0 {
		delete(o, name)
		return
	}
	o[name] = list
}

func setOne(o Object, name string, v any) {
	if v == nil {
		delete(o, name)
		return
	}
	o[name] = v
}

func merged(in, with Object) Object {
	out := maps.Clone(in)
	if out == nil {
		out = Object{}
	}
	maps.Copy(out, with)
	return out
}

// many changes the values of an attribute that can have several.
func (op Operation) many(list []any) ([]any, error) {
	p := op.Path
	switch {
	case p.Where == nil && p.Sub == nil:
		return op.all(list), nil
	case op.Op == Remove && p.Sub == nil:
		kept := slices.DeleteFunc(slices.Clone(list), op.chosen)
		if len(kept) == len(list) {
			return nil, bad(NoTarget, "no value of %s meets the filter", p.Attr.Name)
		}
		return kept, nil
	}
	hit, primary := false, -1
	var out []any
	for _, v := range list {
		if op.chosen(v) {
			hit = true
			if v = op.changed(v); isPrimary(v) {
				primary = len(out)
			}
		}
		if v != nil {
			out = append(out, v)
		}
	}
	if primary >= 0 {
		unprimary(out[:primary])
		unprimary(out[primary+1:])
	}
	if hit || op.Op == Remove && p.Where == nil {
		return out, nil
	}
	if op.Op != Add || p.Attr.kind() != Complex {
		return nil, bad(NoTarget, "no value of %s meets the filter", p.Attr.Name)
	}
	return op.invented(list)
}

// invented makes a value that meets the filter of a path, where there is none: what the filter says is equal, and what is added.
func (op Operation) invented(list []any) ([]any, error) {
	made := Object{}
	if op.Path.Where != nil {
		op.Path.Where.equals(made)
	}
	v := op.changed(made)
	fit, err := op.Path.Attr.single(v)
	if err != nil || fit == nil {
		return nil, err
	}
	if op.Path.Where != nil && !op.Path.Where.Match(fit.(Object)) {
		return nil, bad(NoTarget, "no value of %s meets the filter", op.Path.Attr.Name)
	}
	return Operation{Op: Add, Path: Path{Attr: op.Path.Attr}, Value: []any{fit}}.all(list), nil
}

// equals sets what a filter says is equal.
func (f Filter) equals(o Object) {
	if f.Op == And {
		for _, of := range f.Of {
			of.equals(o)
		}
	}
	if f.Op == Eq && f.At.Attr != nil {
		o[f.At.Attr.Name] = f.Arg
	}
}

// chosen says whether a value is one that the path is about.
func (op Operation) chosen(v any) bool {
	if op.Path.Where == nil {
		return true
	}
	in, ok := v.(Object)
	if !ok {
		in = Object{"value": v}
	}
	return op.Path.Where.Match(in)
}

// changed is a value after the operation; nil: there is none.
func (op Operation) changed(v any) any {
	in, isObject := v.(Object)
	switch {
	case op.Path.Sub != nil && isObject:
		out := maps.Clone(in)
		setOne(out, op.Path.Sub.Name, op.Value)
		if len(out) == 0 {
			return nil
		}
		return out
	case op.Value == nil:
		return nil
	case op.Op == Add && isObject:
		return merged(in, op.Value.(Object))
	}
	return op.Value
}

// all adds values to all that there are, replaces these, or takes some or all of them away.
func (op Operation) all(list []any) []any {
	given := listOf(op.Value)
	switch op.Op {
	case Replace:
		return given
	case Remove:
		if op.Value == nil {
			return nil
		}
		return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
			return slices.ContainsFunc(given, func(g any) bool { return covers(v, g) })
		})
	}
	out := slices.Clone(list)
	for _, g := range given {
		if isPrimary(g) {
			unprimary(out)
		}
		if i := slices.IndexFunc(out, func(v any) bool { return same(v, g) }); i < 0 {
			out = append(out, g)
		} else if o, ok := g.(Object); ok {
			out[i] = merged(out[i].(Object), o)
		}
	}
	return out
}

// covers says whether a value has all that g has.
func covers(v, g any) bool {
	want, ok := g.(Object)
	if !ok {
		return reflect.DeepEqual(v, g)
	}
	is, _ := v.(Object)
	if want["value"] != nil { // who names a value means it, whatever is said beside it
		return sameText(is["value"], want["value"])
	}
	for name, w := range want {
		if !reflect.DeepEqual(is[name], w) {
			return false
		}
	}
	return len(want) > 0
}

// same says whether two values are one: those with the same value and type.
func same(v, g any) bool {
	a, ok := v.(Object)
	b, also := g.(Object)
	if !ok || !also || b["value"] == nil {
		return reflect.DeepEqual(v, g)
	}
	return sameText(a["value"], b["value"]) && (a["type"] == nil || b["type"] == nil || sameText(a["type"], b["type"]))
}

func sameText(a, b any) bool {
	s, ok := a.(string)
	t, also := b.(string)
	return ok && also && strings.EqualFold(s, t)
}

func isPrimary(v any) bool {
	o, ok := v.(Object)
	return ok && o["primary"] == true
}

// unprimary makes no value the primary one, for another is.
func unprimary(list []any) {
	for i, v := range list {
		if isPrimary(v) {
			now := maps.Clone(v.(Object))
			now["primary"] = false
			list[i] = now
		}
	}
}
