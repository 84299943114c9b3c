// Package lookup reads the queries by which clients look up people, groups and roles: JSON in a text, as in
// {"_or":[{"DisplayName":{"_like":"x"}},{"SystemName":"y"}]} (directories.yaml, DirectoryServiceQuery, query_language).
package lookup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"limen/internal/wire/rpc"
)

// Kind is what a query asks for.
type Kind uint8

// The kinds. The zero Query holds for everything.
const (
	All  Kind = iota // every one of Of holds
	Any              // one of Of holds
	Is               // the field equals the value
	Like             // the value occurs in the field
)

// Query is a condition on the fields of what is looked up. Nothing in it minds case.
type Query struct {
	Kind  Kind
	Field string // as the client spells it
	Value string
	Of    []Query
}

// The bounds of a query.
const (
	maxText  = 64 << 10 // bytes
	maxDepth = 16
	maxTerms = 60   // conditions, and objects that hold them
	maxValue = 1000 // bytes
)

// Parse reads a query. Single quotes are taken, and a list of queries means any of them. The error's text is for the
// client.
func Parse(text string) (Query, error) {
	if len(text) > maxText {
		return Query{}, fmt.Errorf("is longer than %d bytes", maxText)
	}
	raw, err := rpc.Canonical(text)
	if err != nil {
		return Query{}, fmt.Errorf("is no JSON: %w", err)
	}
	p := parser{}
	switch {
	case len(raw) > 0 && raw[0] == '[':
		return p.list(Any, raw, 0)
	case len(raw) > 0 && raw[0] == '{':
		return p.object(raw, 0)
	}
	return Query{}, fmt.Errorf("is no object")
}

// Exact is the query with every Like made an Is: what it finds of exactly that name. ok is false when nothing differs.
func (q Query) Exact() (out Query, ok bool) {
	switch q.Kind {
	case Like:
		q.Kind = Is
		return q, true
	case All, Any:
		of := slices.Clone(q.Of)
		for i := range of {
			var differs bool
			of[i], differs = of[i].Exact()
			ok = ok || differs
		}
		q.Of = of
	}
	return q, ok
}

type parser struct{ terms int }

// object reads members that all hold.
func (p *parser) object(raw json.RawMessage, depth int) (Query, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || raw[0] != '{' {
		return Query{}, fmt.Errorf("has %s where an object of fields was expected", kind(raw))
	}
	if depth > maxDepth {
		return Query{}, fmt.Errorf("is nested deeper than %d levels", maxDepth)
	}
	if err := p.count(); err != nil {
		return Query{}, err
	}
	out := Query{Kind: All}
	for _, name := range sorted(members) {
		q, err := p.member(name, members[name], depth+1)
		if err != nil {
			return Query{}, err
		}
		out.Of = append(out.Of, q)
	}
	if len(out.Of) == 1 {
		return out.Of[0], nil
	}
	return out, nil
}

func (p *parser) count() error {
	if p.terms++; p.terms > maxTerms {
		return fmt.Errorf("has more than %d conditions", maxTerms)
	}
	return nil
}

func sorted(members map[string]json.RawMessage) []string {
	out := make([]string, 0, len(members))
	for name := range members {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (p *parser) member(name string, raw json.RawMessage, depth int) (Query, error) {
	if err := p.count(); err != nil {
		return Query{}, err
	}
	switch strings.ToLower(name) {
	case "_and":
		return p.list(All, raw, depth)
	case "_or":
		return p.list(Any, raw, depth)
	}
	if strings.HasPrefix(name, "_") && !strings.EqualFold(name, "_id") || name == "" {
		return Query{}, fmt.Errorf("has the unknown operator %q", name)
	}
	return operation(name, raw)
}

// list reads the queries of _and and _or.
func (p *parser) list(kind Kind, raw json.RawMessage, depth int) (Query, error) {
	var each []json.RawMessage
	if err := json.Unmarshal(raw, &each); err != nil {
		return Query{}, fmt.Errorf("needs a list of conditions behind _and and _or")
	}
	out := Query{Kind: kind}
	for _, one := range each {
		q, err := p.object(one, depth+1)
		if err != nil {
			return Query{}, err
		}
		out.Of = append(out.Of, q)
	}
	return out, nil
}

// operation reads what a field must be: a value, or an object of operators, which all hold.
func operation(field string, raw json.RawMessage) (Query, error) {
	if raw[0] != '{' {
		value, err := scalar(field, raw)
		return Query{Kind: Is, Field: field, Value: value}, err
	}
	var operators map[string]json.RawMessage
	if err := json.Unmarshal(raw, &operators); err != nil || len(operators) == 0 {
		return Query{}, fmt.Errorf("says nothing of what %s must be", field)
	}
	out := Query{Kind: All}
	for _, name := range sorted(operators) {
		q := Query{Field: field}
		switch strings.ToLower(name) {
		case "_eq":
			q.Kind = Is
		case "_like":
			q.Kind = Like
		default:
			return Query{}, fmt.Errorf("has the unknown operator %q", name)
		}
		var err error
		if q.Value, err = operand(field, operators[name]); err != nil {
			return Query{}, err
		}
		out.Of = append(out.Of, q)
	}
	if len(out.Of) == 1 {
		return out.Of[0], nil
	}
	return out, nil
}

// operand reads a value, or {"value":"x","ignoreCase":true}: case is ignored in either form.
func operand(field string, raw json.RawMessage) (string, error) {
	if raw[0] != '{' {
		return scalar(field, raw)
	}
	var of map[string]json.RawMessage
	if err := json.Unmarshal(raw, &of); err != nil {
		return "", err
	}
	for name, value := range of {
		if strings.EqualFold(name, "value") {
			return scalar(field, value)
		}
	}
	return "", fmt.Errorf("has no value to compare %s with", field)
}

func scalar(field string, raw json.RawMessage) (string, error) {
	var text string
	switch raw[0] {
	case '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", err
		}
	case '{', '[', 'n':
		return "", fmt.Errorf("has %s where a text for %s was expected", kind(raw), field)
	default:
		text = string(bytes.TrimSpace(raw))
	}
	if len(text) > maxValue {
		return "", fmt.Errorf("has a value for %s of more than %d bytes", field, maxValue)
	}
	return text, nil
}

// kind names what a value is, for people.
func kind(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 'n':
		return "null"
	}
	return "a single value"
}
