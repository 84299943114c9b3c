package scim

import (
	"slices"
	"strings"
)

// Path is a place in a resource (RFC 7644 section 3.5.2).
type Path struct {
	Ext   *Schema    // the extension that the attribute is of; nil: the core schema, or what every resource has
	Attr  *Attribute // nil: the whole extension
	Where *Filter    // which of the attribute's values; nil: all
	Sub   *Attribute // nil: the whole value
}

// String is the path in the schema's spelling, without its filter.
func (p Path) String() string {
	s := ""
	if p.Ext != nil {
		s = p.Ext.ID
	}
	if p.Attr != nil {
		s = strings.TrimPrefix(s+":"+p.Attr.Name, ":")
	}
	if p.Sub != nil {
		s += "." + p.Sub.Name
	}
	return s
}

// find resolves a name, which may have a URN before it and a sub-attribute behind it. Clients also put a full stop behind a URN.
func (t *Type) find(name string) (Path, bool) {
	var in Path
	as := [][]Attribute{common, t.Schema.Attributes}
	for _, s := range append([]*Schema{t.Schema}, t.Extensions...) {
		n := len(s.ID)
		if len(name) < n || !strings.EqualFold(name[:n], s.ID) {
			continue
		}
		if len(name) == n {
			return Path{Ext: s}, s != t.Schema
		}
		if name[n] != ':' && name[n] != '.' {
			continue
		}
		name = name[n+1:]
		if s != t.Schema {
			in.Ext, as = s, [][]Attribute{s.Attributes}
		}
		break
	}
	first, rest, dotted := strings.Cut(name, ".")
	for _, list := range as {
		if in.Attr = find(list, first); in.Attr != nil {
			break
		}
	}
	if in.Attr == nil {
		return in, false
	}
	if dotted {
		in.Sub = in.Attr.sub(rest)
	}
	return in, !dotted || in.Sub != nil
}

// Path reads the path of a PATCH operation.
func (t *Type) Path(text string) (Path, error) {
	name, behind, filtered := strings.Cut(strings.TrimSpace(text), "[")
	at, ok := t.find(strings.TrimSpace(name))
	if !ok || !filtered {
		if !ok || len(text) > maxFilter {
			return at, bad(InvalidPath, "there is no attribute %.200q", text)
		}
		return at, nil
	}
	if at.Attr == nil || at.Sub != nil || !at.Attr.Multi || len(text) > maxFilter {
		return at, bad(InvalidPath, "%.200q has no values to choose from", name)
	}
	p := parser{s: behind}
	f, err := p.inside(0, ']')
	if err == nil {
		f, err = bind(f, at.Attr.values())
	}
	if err != nil {
		return at, bad(InvalidPath, "%s", err)
	}
	at.Where = &f
	rest := strings.TrimSpace(behind[p.i:])
	if rest == "" {
		return at, nil
	}
	sub, ok := strings.CutPrefix(rest, ".")
	if at.Sub = at.Attr.sub(sub); !ok || at.Sub == nil {
		return at, bad(InvalidPath, "there is no attribute %.200q", text)
	}
	return at, nil
}

// values are what the filter of a value filter names: the sub-attributes, or "value" for a value without any.
func (a *Attribute) values() finder {
	sub := a.Sub
	if a.kind() != Complex {
		one := *a
		one.Name, one.Multi = "value", false
		sub = []Attribute{one}
	}
	return func(name string) (Path, bool) {
		found := find(sub, name)
		return Path{Attr: found}, found != nil
	}
}

// finder resolves the names of a filter.
type finder func(name string) (Path, bool)

// Find resolves the name of an attribute, as sortBy and attributes have it.
func (t *Type) Find(name string) (Path, bool) {
	name = strings.TrimSpace(name)
	if len(name) > 300 {
		return Path{}, false
	}
	return t.find(name)
}

// Filter reads a filter over resources of the type and checks what it compares.
func (t *Type) Filter(text string) (Filter, error) {
	f, err := ParseFilter(text)
	if err != nil {
		return f, err
	}
	return bind(f, t.find)
}

// Select chooses what is answered of resources (RFC 7644 section 3.9). Names that are none are nothing.
func (t *Type) Select(attributes, excluded []string) Selection {
	out := Selection{only: len(attributes) > 0}
	if !out.only {
		attributes = excluded
	}
	for _, list := range attributes {
		for name := range strings.SplitSeq(list, ",") {
			if p, ok := t.Find(name); ok {
				out.paths = append(out.paths, p)
			}
		}
	}
	return out
}

// Selection is what is answered of a resource. The zero value is all that is answered by default.
type Selection struct {
	only  bool // the paths are what is wanted, and not what is left out
	paths []Path
}

// Wants says whether any part of an attribute is answered, so that it is worth being read.
func (s Selection) Wants(ext *Schema, name string) bool {
	same := func(p Path) bool { return p.Ext == ext && (p.Attr == nil || p.Attr.Name == name) }
	if s.only {
		return slices.ContainsFunc(s.paths, same)
	}
	return !slices.ContainsFunc(s.paths, func(p Path) bool { return same(p) && p.Sub == nil })
}
