package scim

import (
	"encoding/json"
	"net/http"
)

// Listing is a page of a service's answer to a query, as a client reads it.
type Listing struct {
	Total     int // as far as the service says
	Start     int // from 1
	Next      string
	Resources []Object
}

// ReadListing reads a page. Numbers may be texts, and what is no resource is left out.
func ReadListing(body []byte) (Listing, error) {
	in, err := object(body)
	if err != nil {
		return Listing{}, err
	}
	out := Listing{Total: count(field(in, "totalResults")), Start: count(field(in, "startIndex"))}
	out.Next, _ = field(in, "nextCursor").(string)
	for _, r := range listOf(field(in, "Resources")) {
		if o, ok := r.(Object); ok {
			out.Resources = append(out.Resources, o)
		}
	}
	return out, nil
}

func count(v any) int {
	n, ok := v.(json.Number)
	if s, text := v.(string); text {
		n, ok = json.Number(s), true
	}
	i, err := n.Int64()
	if !ok || err != nil || i < 0 || i > 1<<40 {
		return 0
	}
	return int(i)
}

// ReadResource reads a resource that a service answers, as it is. id is the service's own, which may be no path of its own; empty: there
// is none.
func ReadResource(body []byte) (o Object, id string, err error) {
	if o, err = object(body); err != nil {
		return nil, "", err
	}
	return o, ResourceID(o), nil
}

// maxID bounds the id of a resource in bytes.
const maxID = 500

// ResourceID is the id of a resource that a service answers.
func ResourceID(o Object) string {
	id := ""
	switch v := field(o, "id").(type) {
	case string:
		id = v
	case json.Number:
		id = v.String()
	}
	if id == "." || id == ".." || len(id) > maxID {
		return ""
	}
	return id
}

// Version is the entity tag of a resource: that of the answer's header, else the one in meta. Empty: the service has none.
func Version(h http.Header, o Object) string {
	tag := h.Get("ETag")
	if tag == "" {
		meta, _ := field(o, "meta").(Object)
		tag, _ = field(meta, "version").(string)
	}
	if len(tag) > maxID {
		return ""
	}
	return tag
}

// ReadFailure reads what a service says of an error; empty texts where it says nothing that can be read.
func ReadFailure(body []byte) (kind, detail string) {
	in, err := object(body)
	if err != nil {
		return "", ""
	}
	kind, _ = field(in, "scimType").(string)
	detail, _ = field(in, "detail").(string)
	return kind, detail
}

// Quoted is a text as a value in a filter.
func Quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}
