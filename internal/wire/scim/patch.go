package scim

import (
	"maps"
	"slices"
	"strings"
)

// PatchURN is the schema of a PATCH.
const PatchURN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// The operations of a PATCH (RFC 7644 section 3.5.2).
const (
	Add     = "add"
	Remove  = "remove"
	Replace = "replace"
)

// Operation is one operation of a PATCH, its path found and its value fitted.
type Operation struct {
	Op    string
	Path  Path // with an attribute
	Value any  // nil for remove without a value, and for what takes a value away
}

// Patch reads a PATCH. What has no path becomes an operation for each attribute of its value; what is read only is left out of
// these, as clients send back what they were given.
func (t *Type) Patch(body []byte) ([]Operation, error) {
	in, err := object(body)
	if err != nil {
		return nil, err
	}
	list, ok := field(in, "Operations").([]any)
	if !ok || len(list) == 0 || len(list) > maxOps {
		return nil, bad(InvalidSyntax, "Operations must be a list of 1 to %d operations", maxOps)
	}
	var out []Operation
	for _, e := range list {
		o, ok := e.(Object)
		if !ok {
			return nil, bad(InvalidSyntax, "an operation must be an object")
		}
		ops, err := t.operation(o)
		if err != nil {
			return nil, err
		}
		out = append(out, ops...)
	}
	return out, nil
}

// field gives a member of a message, whatever the case of its name.
func field(o Object, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if strings.EqualFold(key, name) {
			return o[key]
		}
	}
	return nil
}

func (t *Type) operation(o Object) ([]Operation, error) {
	verb, _ := field(o, "op").(string)
	verb = strings.ToLower(strings.TrimSpace(verb))
	if verb != Add && verb != Remove && verb != Replace {
		return nil, bad(InvalidSyntax, "op must be add, remove or replace")
	}
	path, isText := field(o, "path").(string)
	if field(o, "path") != nil && !isText {
		return nil, bad(InvalidPath, "a path is text")
	}
	v := field(o, "value")
	path = strings.TrimSpace(path)
	if path == "" || strings.EqualFold(path, t.Schema.ID) {
		if verb == Remove {
			return nil, bad(NoTarget, "remove needs a path")
		}
		return t.spread(verb, v)
	}
	p, err := t.Path(path)
	if err != nil {
		return nil, err
	}
	if p.Attr == nil {
		if verb == Remove {
			return t.emptied(p.Ext), nil
		}
		return t.spreadExtension(verb, p.Ext, v)
	}
	if p.fixed() {
		return nil, bad(Mutability, "%s cannot be changed", p)
	}
	op, err := fitted(verb, p, v)
	return []Operation{op}, err
}

// fixed says whether clients can never change what is at a path.
func (p Path) fixed() bool {
	return p.Attr.mutability() == ReadOnly || p.Leaf().mutability() == ReadOnly || p.Attr.Name == "schemas"
}

// spread makes operations of the attributes of a value. Their names may be paths, as some clients write them.
func (t *Type) spread(verb string, v any) ([]Operation, error) {
	in, ok := v.(Object)
	if !ok {
		return nil, bad(InvalidSyntax, "without a path the value must be an object")
	}
	var out []Operation
	for _, key := range slices.Sorted(maps.Keys(in)) {
		p, err := t.Path(key)
		if err != nil {
			return nil, err
		}
		if p.Attr == nil {
			ops, err := t.spreadExtension(verb, p.Ext, in[key])
			if err != nil {
				return nil, err
			}
			out = append(out, ops...)
			continue
		}
		if p.fixed() {
			continue
		}
		op, err := fitted(verb, p, in[key])
		if err != nil {
			return nil, err
		}
		out = append(out, op)
	}
	return out, nil
}

func (t *Type) spreadExtension(verb string, s *Schema, v any) ([]Operation, error) {
	in, ok := v.(Object)
	if !ok {
		return nil, bad(InvalidValue, "the value of %s must be an object", s.ID)
	}
	inside := Object{}
	for key, v := range in {
		if !strings.EqualFold(key, "schemas") { // as some clients write extensions
			inside[s.ID+":"+key] = v
		}
	}
	return t.spread(verb, inside)
}

// emptied takes all attributes of an extension away.
func (t *Type) emptied(s *Schema) (out []Operation) {
	for i := range s.Attributes {
		if p := (Path{Ext: s, Attr: &s.Attributes[i]}); !p.fixed() {
			out = append(out, Operation{Op: Remove, Path: p})
		}
	}
	return out
}

// fitted makes the value what the place wants. Nothing is what takes a value away.
func fitted(verb string, p Path, v any) (op Operation, err error) {
	op = Operation{Op: verb, Path: p}
	if verb == Remove && (p.Where != nil || p.Sub != nil || !p.Attr.Multi) {
		return op, nil
	}
	switch {
	case p.Sub != nil:
		op.Value, err = p.Sub.fit(v)
	case p.Where != nil:
		op.Value, err = p.Attr.single(v)
	case !p.Attr.Multi && p.Attr.kind() == Complex:
		op.Value, err = p.Attr.partly(v)
	default:
		op.Value, err = p.Attr.fit(v)
	}
	if err != nil || op.Value != nil || verb == Remove {
		return op, err
	}
	if verb == Add {
		return op, bad(InvalidValue, "add of %s needs a value", p)
	}
	if p.Where == nil || p.Sub != nil {
		op.Op = Remove
	}
	return op, nil
}

// partly fits a complex value of which parts may be missing, because those that are there stay.
func (a *Attribute) partly(v any) (any, error) {
	free := *a
	free.Sub = slices.Clone(a.Sub)
	for i := range free.Sub {
		free.Sub[i].Required = false
	}
	return free.single(v)
}
