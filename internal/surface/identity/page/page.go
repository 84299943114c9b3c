// Package page is how lists of the RPC dialect are asked for: the paging object Args (users.yaml, head, ARGS).
package page

import (
	"strings"

	"limen/internal/op"
)

// Args is the paging object. Everything is optional, and numbers may be texts.
type Args struct {
	// PageNumber counts from 1.
	PageNumber int `json:"PageNumber"`
	// PageSize is the number of rows of a page; -1 and 0 take what Limit says.
	PageSize int `json:"PageSize"`
	// Limit caps the rows of all pages together; -1 and 0 do not.
	Limit int `json:"Limit"`
	// SortBy is a column of the list.
	SortBy string `json:"SortBy"`
	// Ascending is the order; true when absent.
	Ascending op.Opt[bool] `json:"Ascending"`
	// Direction is ASC or DESC, and wins over Ascending. Old clients send False for descending.
	Direction string `json:"Direction"`
	// Caching is taken and not needed: answers are up to date.
	Caching int `json:"Caching"`
}

// Number is the page asked for, from 1.
func (a Args) Number() int { return max(a.PageNumber, 1) }

// Size is how many rows a page has, at most most.
func (a Args) Size(most int) int {
	size := a.PageSize
	if size <= 0 {
		size = a.Limit
	}
	if size <= 0 || size > most {
		return most
	}
	return size
}

// Rows is how many rows of the page asked for are within Limit.
func (a Args) Rows(most int) int {
	size := a.Size(most)
	if a.Limit <= 0 {
		return size
	}
	before := int64(a.Number()-1) * int64(size)
	return int(max(min(int64(size), int64(a.Limit)-before), 0))
}

// Desc says whether the order is descending.
func (a Args) Desc() bool {
	switch strings.ToUpper(strings.TrimSpace(a.Direction)) {
	case "DESC", "DESCENDING", "FALSE":
		return true
	case "ASC", "ASCENDING", "TRUE":
		return false
	}
	return !a.Ascending.Or(true)
}
