package scim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// URNs of messages.
const (
	ListURN   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	SearchURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	ErrorURN  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// Query is what a client asks of a list (RFC 7644 section 3.4.2, RFC 9865).
type Query struct {
	Filter     string
	SortBy     string
	Desc       bool
	Start      int    // of the first resource, from 1
	Count      int    // most resources wanted; -1: not said
	Cursor     string // where the page begins; empty: the first
	ByCursor   bool
	Attributes []string
	Excluded   []string
}

// ReadQuery reads the parameters of a GET, whose names may be in any case. One client says itemsPerPage for count (scim.yaml, head).
func ReadQuery(v url.Values) (Query, error) {
	q := Query{Start: 1, Count: -1}
	for name, values := range v {
		if len(values) == 0 {
			continue
		}
		if err := q.parameter(strings.ToLower(name), values, v); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *Query) parameter(name string, values []string, all url.Values) (err error) {
	first := values[0]
	switch name {
	case "filter":
		q.Filter = first
	case "sortby":
		q.SortBy = first
	case "sortorder":
		q.Desc = strings.EqualFold(first, "descending")
	case "startindex":
		q.Start, err = number("startIndex", first, 1)
	case "count":
		q.Count, err = number("count", first, 0)
	case "itemsperpage":
		if !all.Has("count") {
			q.Count, err = number("count", first, 0)
		}
	case "cursor":
		q.Cursor, q.ByCursor = first, true
	case "attributes":
		q.Attributes = split(values)
	case "excludedattributes":
		q.Excluded = split(values)
	}
	return err
}

// split makes names of lists with commas.
func split(lists []string) (out []string) {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				out = append(out, name)
			}
		}
	}
	return out
}

// number reads a whole number; one below the least is the least (RFC 7644 section 3.4.2.4).
func number(name, s string, least int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		kind := InvalidValue
		if name == "count" {
			kind = InvalidCount
		}
		return least, bad(kind, "%s must be a whole number", name)
	}
	return max(n, least), nil
}

// ReadSearch reads a search request (RFC 7644 section 3.4.3).
func ReadSearch(body []byte) (Query, error) {
	in, err := object(body)
	if err != nil {
		return Query{}, err
	}
	v := url.Values{}
	for _, name := range [...]string{"filter", "sortBy", "sortOrder", "startIndex", "count", "itemsPerPage", "cursor"} {
		switch got := field(in, name).(type) {
		case nil:
		case string:
			v.Set(name, got)
		case json.Number:
			v.Set(name, got.String())
		default:
			return Query{}, bad(InvalidSyntax, "%s must be one value", name)
		}
	}
	for _, name := range [...]string{"attributes", "excludedAttributes"} {
		for _, e := range listOf(field(in, name)) {
			s, ok := e.(string)
			if !ok {
				return Query{}, bad(InvalidSyntax, "%s must be a list of texts", name)
			}
			v.Add(name, s)
		}
	}
	return ReadQuery(v)
}

// List is a page of resources.
type List struct {
	Schemas   []string `json:"schemas"`
	Total     int64    `json:"totalResults"`
	Items     int      `json:"itemsPerPage"`
	Start     int      `json:"startIndex,omitempty"` // of pages by cursor there is none
	Next      string   `json:"nextCursor,omitempty"`
	Resources []Object `json:"Resources"`
}

// NewList makes the answer to a query: total resources in all, of which these are a page.
func NewList(q Query, total int64, next string, page []Object) List {
	l := List{Schemas: []string{ListURN}, Total: total, Items: len(page), Next: next, Resources: page}
	if l.Resources == nil {
		l.Resources = []Object{}
	}
	if !q.ByCursor {
		l.Start = q.Start
	}
	return l
}

// Failure is the body of an error (RFC 7644 section 3.12).
type Failure struct {
	Schemas []string `json:"schemas"`
	Status  string   `json:"status"`
	Type    string   `json:"scimType,omitempty"`
	Detail  string   `json:"detail,omitempty"`
}

// NewFailure makes it.
func NewFailure(status int, kind, detail string) Failure {
	if status < 400 {
		status = http.StatusInternalServerError
	}
	return Failure{[]string{ErrorURN}, strconv.Itoa(status), kind, detail}
}
