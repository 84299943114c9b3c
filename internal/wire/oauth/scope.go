package oauth

import (
	"slices"
	"strings"
)

const maxScopes = 200

// Scope is a set of scope values in the order in which they were asked for, each once (RFC 6749 section 3.3).
type Scope []string

// ReadScope reads a list with spaces between; an empty one is an empty scope.
func ReadScope(s string) (Scope, error) {
	var out Scope
	for word := range strings.FieldsSeq(s) {
		if !printable(word) || len(word) > 256 {
			return nil, bad(InvalidScope, "scope has a value that is not allowed")
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
		if len(out) > maxScopes {
			return nil, bad(InvalidScope, "scope has more than %d values", maxScopes)
		}
	}
	return out, nil
}

// String is the scope as it is sent.
func (s Scope) String() string { return strings.Join(s, " ") }

// Has says whether a value is in the scope. Values differ by case.
func (s Scope) Has(value string) bool { return slices.Contains(s, value) }

// Within says whether every value of the scope is in another.
func (s Scope) Within(other Scope) bool {
	return !slices.ContainsFunc(s, func(v string) bool { return !other.Has(v) })
}

// Only gives what of the scope is in another, in this one's order.
func (s Scope) Only(other Scope) (out Scope) {
	for _, v := range s {
		if other.Has(v) {
			out = append(out, v)
		}
	}
	return out
}
