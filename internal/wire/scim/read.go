package scim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Read reads a resource that a client sends to be made or to replace another: names in any case, what is read only left out,
// values checked. What the type does not know is left out too, as clients send it.
func (t *Type) Read(body []byte) (Object, error) {
	in, err := object(body)
	if err != nil {
		return nil, err
	}
	return t.Fit(in)
}

// Fit is Read of what is an object already.
func (t *Type) Fit(in Object) (Object, error) {
	out := Object{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		p, ok := t.find(key)
		if !ok || p.Sub != nil {
			continue
		}
		if p.Attr == nil {
			if err := t.fitExtension(out, p.Ext, in[key]); err != nil {
				return nil, err
			}
			continue
		}
		if err := put(t.home(out, p), p.Attr, in[key]); err != nil {
			return nil, err
		}
	}
	return out, t.complete(out)
}

// home is the object that an attribute stands in, which is made where there is none.
func (t *Type) home(o Object, p Path) Object {
	if p.Ext == nil {
		return o
	}
	in, ok := o[p.Ext.ID].(Object)
	if !ok {
		in = Object{}
		o[p.Ext.ID] = in
	}
	return in
}

func (t *Type) fitExtension(out Object, s *Schema, v any) error {
	if v == nil {
		return nil
	}
	in, ok := v.(Object)
	if !ok {
		return bad(InvalidSyntax, "%s must be an object", s.ID)
	}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		a := find(s.Attributes, key)
		if a == nil {
			continue
		}
		if err := put(t.home(out, Path{Ext: s}), a, in[key]); err != nil {
			return err
		}
	}
	return nil
}

// put fits a value and sets it; of an attribute that clients may not set nothing is done.
func put(o Object, a *Attribute, v any) error {
	if a.mutability() == ReadOnly || a.Name == "schemas" {
		return nil
	}
	if _, twice := o[a.Name]; twice {
		return bad(InvalidSyntax, "%s is given twice", a.Name)
	}
	got, err := a.fit(v)
	if err == nil && got != nil {
		o[a.Name] = got
	}
	return err
}

// complete wants what is required.
func (t *Type) complete(o Object) error {
	for i := range t.Schema.Attributes {
		a := &t.Schema.Attributes[i]
		if a.Required && a.mutability() != ReadOnly && o[a.Name] == nil {
			return bad(InvalidValue, "%s is required", a.Name)
		}
	}
	return nil
}

// object reads JSON that is one object.
func object(body []byte) (Object, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out Object
	if !utf8.Valid(body) || d.Decode(&out) != nil || out == nil {
		return nil, bad(InvalidSyntax, "the body must be a JSON object")
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // a decoder's end is this very value
		return nil, bad(InvalidSyntax, "the body must be one JSON object")
	}
	return out, nil
}

// fit makes a value what the attribute's type wants; nil is no value. One value is taken for a list of one.
func (a *Attribute) fit(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	list, many := v.([]any)
	switch {
	case !a.Multi && many:
		return nil, bad(InvalidValue, "%s has one value", a.Name)
	case !a.Multi:
		return a.single(v)
	case !many:
		list = []any{v}
	case len(list) > maxValues:
		return nil, bad(InvalidValue, "%s may have %d values", a.Name, maxValues)
	}
	out := make([]any, 0, len(list))
	primary := false
	for _, e := range list {
		got, err := a.single(e)
		if err != nil {
			return nil, err
		}
		if got == nil {
			continue
		}
		if o, ok := got.(Object); ok && o["primary"] == true {
			if primary {
				return nil, bad(InvalidValue, "one value of %s can be primary", a.Name)
			}
			primary = true
		}
		out = append(out, got)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// single fits one value.
func (a *Attribute) single(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if a.kind() == Complex {
		return a.whole(v)
	}
	s, ok := text(v)
	if !ok {
		return nil, bad(InvalidValue, "%s must be a %s", a.Name, a.kind())
	}
	return a.read(v, s)
}

// text is a simple value as text.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func (a *Attribute) read(v any, s string) (any, error) {
	wrong := bad(InvalidValue, "%s must be a %s", a.Name, a.kind())
	switch a.kind() {
	case Boolean:
		if _, number := v.(json.Number); number {
			return nil, wrong
		}
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, wrong
	case Integer, Decimal:
		n := json.Number(strings.TrimSpace(s))
		if _, isBool := v.(bool); isBool || !json.Valid([]byte(n)) || n == "null" || n == "true" || n == "false" {
			return nil, wrong
		}
		if _, err := n.Int64(); err != nil && a.kind() == Integer {
			return nil, wrong
		}
		if _, err := n.Float64(); err != nil {
			return nil, wrong
		}
		return n, nil
	case DateTime:
		at, ok := parseTime(s)
		if !ok {
			return nil, wrong
		}
		return Time(at), nil
	case Binary:
		if _, err := base64.StdEncoding.DecodeString(s); err != nil {
			return nil, wrong
		}
		return s, nil
	}
	if _, isBool := v.(bool); isBool {
		return nil, wrong
	}
	return a.canonical(s)
}

// Time writes a time as values of type dateTime are.
func Time(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// canonical is the spelling of a value that is one of few.
func (a *Attribute) canonical(s string) (any, error) {
	if len(a.Canonical) == 0 || s == "" {
		return s, nil
	}
	if c := a.Also[strings.ToLower(s)]; c != "" {
		return c, nil
	}
	for _, c := range a.Canonical {
		if strings.EqualFold(c, s) {
			return c, nil
		}
	}
	return nil, bad(InvalidValue, "%s must be one of %s", a.Name, strings.Join(a.Canonical, ", "))
}

// whole fits a complex value. A simple one is taken for its sub-attribute value, as clients send managers and members.
func (a *Attribute) whole(v any) (any, error) {
	in, ok := v.(Object)
	if !ok {
		if _, simple := text(v); !simple || a.sub("value") == nil {
			return nil, bad(InvalidValue, "%s must be an object", a.Name)
		}
		in = Object{"value": v}
	}
	out := Object{}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		sub := a.sub(key)
		if sub == nil {
			continue
		}
		if err := put(out, sub, in[key]); err != nil {
			return nil, bad(InvalidValue, "%s.%s", a.Name, err)
		}
	}
	for i := range a.Sub {
		if s := &a.Sub[i]; s.Required && out[s.Name] == nil {
			return nil, bad(InvalidValue, "%s.%s is required", a.Name, s.Name)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}
