// Package synerise is how requests of the Synerise dialect are read and its answers written (synerise.yaml, head): JSON in camel
// case, parameters in paths and queries, pages by number, and one form of errors.
package synerise

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is what is wrong with a request.
type Error struct {
	Field string // as the client calls it; empty: the request as a whole
	Why   string // completes "Parameter <field> ..."
}

// Error tells it.
func (e *Error) Error() string {
	if e.Field == "" {
		return "the request " + e.Why
	}
	return e.Field + " " + e.Why
}

func bad(field, why string, args ...any) *Error { return &Error{field, fmt.Sprintf(why, args...)} }

// Failure is the body of every fault.
type Failure struct {
	// Timestamp is when it happened, ISO 8601 in UTC.
	Timestamp string `json:"timestamp"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Error is the status in words.
	Error string `json:"error"`
	// Message tells people what is wrong.
	Message string `json:"message"`
	// Path is that of the request.
	Path string `json:"path"`
	// Reason is a stable code for programs, such as user.not_found.
	Reason string `json:"reason"`
	// RequestID names the request in the server's log.
	RequestID string `json:"requestId"`
	// Errors tells which fields are wrong; for status 400.
	Errors []FieldFailure `json:"errors,omitempty"`
}

// FieldFailure is what is wrong with one field.
type FieldFailure struct {
	// Code is a number for the kind of mistake.
	Code int `json:"code"`
	// Field is the field, as the request calls it.
	Field string `json:"field"`
	// Message tells people what is wrong.
	Message string `json:"message"`
	// RejectedValue is what was sent, null where nothing was or where it may be a secret.
	RejectedValue any `json:"rejectedValue"`
}

// Codes of mistakes.
const (
	CodeMissing = 1001 // the field is required
	CodeInvalid = 1002 // its value is not allowed
	CodeOther   = 1000
)

// Explain names a status as failures do.
func Explain(status int) string { return http.StatusText(status) }

// Times are told in milliseconds.
const iso = "2006-01-02T15:04:05.000Z"

// Moment writes a time that is given in milliseconds since 1970 UTC; nil for 0, which is none.
func Moment(ms int64) *string {
	if ms == 0 {
		return nil
	}
	s := time.UnixMilli(ms).UTC().Format(iso)
	return &s
}

// ParseMoment reads a time as ISO 8601, with its offset.
func ParseMoment(s string) (time.Time, bool) {
	for _, form := range [...]string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999Z0700"} {
		if at, err := time.Parse(form, s); err == nil && at.Year() >= 1970 && at.Year() <= 9999 {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// MaxIDs is how many objects one path names.
const MaxIDs = 100

// IDs reads numbers that are joined by commas in a path.
func IDs(field, text string) ([]int64, error) {
	if strings.Count(text, ",") >= MaxIDs {
		return nil, bad(field, "may name %d objects", MaxIDs)
	}
	var out []int64
	seen := map[int64]bool{}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err != nil || n < 0 {
			return nil, bad(field, "must be numbers joined by commas")
		}
		if !seen[n] {
			seen[n], out = true, append(out, n)
		}
	}
	return out, nil
}

// Limits of pages.
const (
	DefaultLimit = 20
	MaxLimit     = 100
	MaxPage      = 1_000_000
	maxSearch    = 200
)

// Query is how a page of a list is asked for.
type Query struct {
	Page   int    // from 1
	Limit  int    // 1 to MaxLimit
	SortBy string // one of the fields, in their spelling; empty: none was named
	Desc   bool
	Search string
}

// Read reads how a page is asked for: page and limit are 0 where they are absent, and sortBy names one of the fields.
func Read(page, limit int, sortBy, search string, fields ...string) (Query, error) {
	q := Query{Page: page, Limit: limit, Search: strings.TrimSpace(search)}
	if page == 0 {
		q.Page = 1
	}
	if limit == 0 {
		q.Limit = DefaultLimit
	}
	switch {
	case q.Page < 1 || q.Page > MaxPage:
		return q, bad("page", "must be 1 to %d", MaxPage)
	case q.Limit < 1 || q.Limit > MaxLimit:
		return q, bad("limit", "must be 1 to %d", MaxLimit)
	case len(search) > maxSearch:
		return q, bad("search", "may have %d bytes", maxSearch)
	case sortBy == "":
		return q, nil
	}
	field, way, named := strings.Cut(sortBy, ":")
	for _, f := range fields {
		if strings.EqualFold(f, field) {
			q.SortBy = f
		}
	}
	q.Desc = strings.EqualFold(way, "DESC")
	if q.SortBy == "" || named && !q.Desc && !strings.EqualFold(way, "ASC") {
		return q, bad("sortBy", "must be one of %s, followed by :ASC or :DESC", strings.Join(fields, ", "))
	}
	return q, nil
}

// Meta tells where in a list a page is.
type Meta struct {
	// Page is the page's number, from 1.
	Page int `json:"page"`
	// Limit is how many objects a page has at most.
	Limit int `json:"limit"`
	// TotalCount is how many objects there are on all pages.
	TotalCount int64 `json:"totalCount"`
	// TotalPages is how many pages there are.
	TotalPages int64 `json:"totalPages"`
}

// Meta tells where the page is among n objects.
func (q Query) Meta(n int64) Meta {
	limit := int64(q.Limit)
	return Meta{q.Page, q.Limit, n, (n + limit - 1) / limit}
}

// Skip is how many objects are on the pages before.
func (q Query) Skip() int { return (q.Page - 1) * q.Limit }
