// Package fault is the one error type that crosses package borders: a kind every surface can translate, a stable
// code, a sentence for people, and a cause that only the log sees.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what went wrong, in terms every surface can translate into its own status.
type Kind uint8

// The kinds. Internal is the zero value: a bug or a broken dependency, whose text is never shown to clients.
const (
	Internal        Kind = iota
	Invalid              // the request is malformed or a field is wrong
	NotFound             // the thing addressed does not exist, or the caller may not know of it
	Exists               // a unique name or key is taken
	Denied               // the caller is known and may not
	Unauthenticated      // the caller is not known
	Conflict             // the thing changed since the caller read it, a precondition failed, or a quota is used up
	Limited              // too many requests: the same one may pass later
	Unavailable          // a dependency is away; trying again later may help
	TooLarge             // the request is larger than the operation takes
	Method               // the path exists, but not with this method
)

var kindNames = [...]string{
	"internal", "invalid", "not found", "exists", "denied", "unauthenticated", "conflict", "limited",
	"unavailable", "too large", "method not allowed",
}

// String names the kind for logs and documents.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Error carries a stable code for machines, a public sentence for people and the cause for the log.
type Error struct {
	Kind   Kind
	Code   string // "noun.reason", for example "user.name_taken"; stable across releases
	Public string // the sentence a client may see
	Field  string // the input field at fault, in the caller's spelling; empty when none is
	Soft   bool   // a warning the client may override, rather than a failure
	Cause  error  // logged once with the request id; never sent
	After  int    // seconds until trying again makes sense; 0 when unknown
}

// Error is the text for logs; clients get Public.
func (e *Error) Error() string {
	s := e.Code
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is compare codes, so that a copy made by Because or At still matches the declared fault.
func (e *Error) Is(target error) bool {
	o, ok := target.(*Error)
	return ok && o.Code == e.Code
}

// New declares a fault that a client may see.
func New(k Kind, code, public string) *Error { return &Error{Kind: k, Code: code, Public: public} }

// Because returns a copy with its cause attached; declared faults stay constant.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Cause = err
	return &c
}

// At returns a copy that names the field at fault.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// Say returns a copy with another public sentence, where the sentence depends on the input.
func (e *Error) Say(format string, args ...any) *Error {
	c := *e
	c.Public = fmt.Sprintf(format, args...)
	return &c
}

// RetryAfter returns a copy that tells the client when to try again.
func (e *Error) RetryAfter(seconds int) *Error {
	c := *e
	c.After = seconds
	return &c
}

// Of returns err as a fault; an error of any other type is Internal with err as its cause.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return ErrInternal.Because(err)
}

// Faults that belong to no noun.
var (
	ErrInternal  = New(Internal, "internal", "Internal error. The server's log has the details under this request's id.")
	ErrNoArgs    = New(Invalid, "param.none", "Unexpected null arguments passed to the server.")
	ErrMissing   = New(Invalid, "param.missing", "A parameter is missing.")
	ErrBlank     = New(Invalid, "param.blank", "A parameter is blank.")
	ErrInvalid   = New(Invalid, "param.invalid", "A parameter is not valid.")
	ErrTwice     = New(Invalid, "param.twice", "A parameter is given twice with different values.")
	ErrMalformed = New(Invalid, "request.malformed", "The request cannot be read.")
	ErrTooLarge  = New(TooLarge, "request.too_large", "The request is too large.")
	ErrNoPath    = New(NotFound, "path.unknown", "No operation has this path.")
	ErrMethod    = New(Method, "path.method", "The operation does not take this method.")
)

// Missing says that a required parameter is absent. The wording is the contract's (users.yaml, head).
func Missing(field string) *Error {
	return ErrMissing.At(field).Say("Parameter %q must be specified.", field)
}

// Blank says that a parameter that needs text has none. The wording is the contract's.
func Blank(field string) *Error {
	return ErrBlank.At(field).Say("Parameter %s may not be null or whitespace", field)
}

// Bad says what is wrong with a parameter's value; why completes "Parameter <field> ...".
func Bad(field, why string, args ...any) *Error {
	return ErrInvalid.At(field).Say("Parameter %s %s.", field, fmt.Sprintf(why, args...))
}
