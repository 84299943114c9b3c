package scim

import (
	"strconv"
	"strings"
	"time"
)

// bind finds the attributes that a filter names, and reads what they are compared with as their types want it.
func bind(f Filter, find finder) (Filter, error) {
	var err error
	switch f.Op {
	case And, Or, Not:
		of := make([]Filter, len(f.Of))
		for i := range f.Of {
			if of[i], err = bind(f.Of[i], find); err != nil {
				return f, err
			}
		}
		f.Of = of
		return f, nil
	}
	at, ok := find(f.Name)
	if !ok || at.Attr == nil {
		return f, bad(InvalidFilter, "there is no attribute %.200q", f.Name)
	}
	f.At = at
	if f.Op == Within {
		if at.Sub != nil || !at.Attr.Multi {
			return f, bad(InvalidFilter, "%.200q has no values to choose from", f.Name)
		}
		in, err := bind(f.Of[0], at.Attr.values())
		f.Of = []Filter{in}
		return f, err
	}
	if f.Op == Pr {
		return f, nil
	}
	return f.compared()
}

// compared reads the value of a comparison. Of a complex attribute it is the sub-attribute value that is compared.
func (f Filter) compared() (Filter, error) {
	if f.At.Sub == nil && f.At.Attr.kind() == Complex {
		if f.At.Sub = f.At.Attr.sub("value"); f.At.Sub == nil {
			return f, bad(InvalidFilter, "%.200q cannot be compared as a whole", f.Name)
		}
	}
	a := f.At.Leaf()
	if f.lit.kind == word && strings.EqualFold(f.lit.text, "null") && (f.Op == Eq || f.Op == Ne) {
		there := Filter{Op: Pr, Name: f.Name, At: f.At}
		if f.Op == Ne {
			return there, nil
		}
		return Filter{Op: Not, Of: []Filter{there}}, nil
	}
	arg, ok := a.arg(f.lit.text)
	if !ok {
		return f, bad(InvalidFilter, "%.200q cannot be compared with %.200q", f.Name, f.lit.text)
	}
	if !a.compares(f.Op) {
		return f, bad(InvalidFilter, "%.200q cannot be compared by %s", f.Name, f.Op)
	}
	f.Arg = arg
	return f, nil
}

// Leaf is the attribute whose values are meant: the sub-attribute, where there is one.
func (p Path) Leaf() *Attribute {
	if p.Sub != nil {
		return p.Sub
	}
	return p.Attr
}

func (a *Attribute) arg(text string) (any, bool) {
	switch a.kind() {
	case Boolean:
		b, err := strconv.ParseBool(strings.ToLower(text))
		return b, err == nil && len(text) > 1
	case Decimal, Integer:
		n, err := strconv.ParseFloat(text, 64)
		return n, err == nil
	case DateTime:
		return parseTime(text)
	}
	return text, true
}

func parseTime(text string) (time.Time, bool) {
	for _, form := range [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), at.Year() > 0 && at.Year() <= 9999
		}
	}
	return time.Time{}, false
}

// compares says whether an operator means something for the attribute's type.
func (a *Attribute) compares(op Op) bool {
	switch op {
	case Eq, Ne:
		return true
	case Co, Sw, Ew:
		switch a.kind() {
		case Boolean, Decimal, Integer, DateTime:
			return false
		}
	default:
		return a.kind() != Boolean && a.kind() != Binary
	}
	return true
}
