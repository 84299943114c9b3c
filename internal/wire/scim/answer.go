package scim

import "slices"

// Show makes of a resource what is answered: without what nobody is shown, and as the selection wants it. Schemas names what is
// left of it.
func (t *Type) Show(o Object, s Selection) Object {
	out := s.level(o, slices.Concat(common, t.Schema.Attributes), nil)
	urns := []any{t.Schema.ID}
	for _, ext := range t.Extensions {
		in, ok := o[ext.ID].(Object)
		if !ok {
			continue
		}
		if shown := s.level(in, ext.Attributes, ext); len(shown) > 0 {
			out[ext.ID] = shown
			urns = append(urns, ext.ID)
		}
	}
	out["schemas"] = urns
	return out
}

func (s Selection) level(in Object, as []Attribute, ext *Schema) Object {
	out := Object{}
	for i := range as {
		a := &as[i]
		v, ok := in[a.Name]
		if !ok || a.returned() == Never {
			continue
		}
		if v = s.attribute(ext, a, v); v != nil {
			out[a.Name] = v
		}
	}
	return out
}

// attribute is what is answered of an attribute's value; nil: nothing.
func (s Selection) attribute(ext *Schema, a *Attribute, v any) any {
	all, named := false, map[string]bool{}
	for _, p := range s.paths {
		switch {
		case p.Ext != ext || p.Attr != nil && p.Attr.Name != a.Name:
		case p.Sub != nil:
			named[p.Sub.Name] = true
		default:
			all = true
		}
	}
	switch {
	case a.returned() == Always:
		return v
	case !s.only && all, s.only && !all && len(named) == 0, !s.only && a.returned() == Request:
		return nil
	case s.only && all || len(named) == 0:
		return v
	}
	return some(v, func(sub string) bool { return named[sub] == s.only })
}

// some keeps those sub-attributes of a value that are wanted.
func some(v any, wanted func(sub string) bool) any {
	switch v := v.(type) {
	case Object:
		out := Object{}
		for name, val := range v {
			if wanted(name) {
				out[name] = val
			}
		}
		if len(out) > 0 {
			return out
		}
	case []any:
		var out []any
		for _, e := range v {
			if one := some(e, wanted); one != nil {
				out = append(out, one)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}
