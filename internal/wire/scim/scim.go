// Package scim is SCIM 2.0 as pure functions over texts and values: filters, paths, schemas, PATCH and the protocol's messages
// (RFC 7643, RFC 7644, RFC 9865). One declaration of a resource type drives what is read of clients, what PATCH may do, what is
// answered, what filters may name, and the documents of discovery.
package scim

import (
	"fmt"
	"net/http"
)

// Types of errors (RFC 7644 table 9, RFC 9865 section 2.1).
const (
	InvalidFilter = "invalidFilter"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
	Mutability    = "mutability"
	InvalidSyntax = "invalidSyntax"
	InvalidPath   = "invalidPath"
	NoTarget      = "noTarget"
	InvalidValue  = "invalidValue"
	InvalidVers   = "invalidVers"
	Sensitive     = "sensitive"
	InvalidCursor = "invalidCursor"
	InvalidCount  = "invalidCount"
)

// Error is what is wrong with a request.
type Error struct {
	Status int    // of HTTP
	Type   string // one of the types; empty where none fits
	Detail string // for people
}

// Error is the detail.
func (e *Error) Error() string { return e.Detail }

func bad(kind, format string, args ...any) error {
	return &Error{http.StatusBadRequest, kind, fmt.Sprintf(format, args...)}
}

// Limits of what clients send. Those of texts are the domain's.
const (
	maxFilter = 8 << 10 // bytes
	maxDepth  = 20      // of parentheses and value filters
	maxTerms  = 100     // comparisons of a filter
	maxOps    = 1000    // operations of a PATCH
	maxValues = 20_000  // of one attribute
)

// Object is a resource, or the value of a complex attribute: attributes by their names as the schema spells them, those of an
// extension below its URN. Values are string, bool, json.Number, Object, or []any of these.
type Object = map[string]any
