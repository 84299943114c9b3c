package scim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// URNs of bulk requests (RFC 7644 section 3.7).
const (
	BulkURN     = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkDoneURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// Bulk is a bulk request.
type Bulk struct {
	FailOn int // errors after which nothing more is done; 0: all is done
	Ops    []BulkOp
}

// BulkOp is one operation of a bulk request.
type BulkOp struct {
	Method  string
	Path    string // as "/Users", "/Users/<id>" or "/Users/bulkId:<id>"
	BulkID  string
	Version string // what the resource must be, as If-Match has it
	Data    Object
}

// refer is how a bulkId is named.
const refer = "bulkId:"

// ReadBulk reads a bulk request of at most so many operations.
func ReadBulk(body []byte, most int) (Bulk, error) {
	in, err := object(body)
	if err != nil {
		return Bulk{}, err
	}
	list, ok := field(in, "Operations").([]any)
	if !ok || len(list) == 0 {
		return Bulk{}, bad(InvalidSyntax, "Operations must be a list of operations")
	}
	if len(list) > most {
		return Bulk{}, &Error{http.StatusRequestEntityTooLarge, TooMany, "a bulk request may have fewer operations"}
	}
	var b Bulk
	switch n := field(in, "failOnErrors").(type) {
	case nil:
	case json.Number:
		v, err := n.Int64()
		if err != nil || v < 0 {
			return b, bad(InvalidSyntax, "failOnErrors must be a whole number")
		}
		b.FailOn = int(min(v, int64(len(list)+1)))
	default:
		return b, bad(InvalidSyntax, "failOnErrors must be a whole number")
	}
	ids := map[string]bool{}
	for _, e := range list {
		o, err := bulkOp(e)
		if err != nil {
			return b, err
		}
		if o.BulkID != "" && ids[o.BulkID] {
			return b, bad(InvalidSyntax, "the bulkId %.100q is given twice", o.BulkID)
		}
		ids[o.BulkID] = true
		b.Ops = append(b.Ops, o)
	}
	return b, nil
}

func bulkOp(e any) (BulkOp, error) {
	in, ok := e.(Object)
	if !ok {
		return BulkOp{}, bad(InvalidSyntax, "an operation must be an object")
	}
	word := func(name string) string { s, _ := field(in, name).(string); return strings.TrimSpace(s) }
	o := BulkOp{Method: strings.ToUpper(word("method")), Path: word("path"), BulkID: word("bulkId"), Version: word("version")}
	o.Data, _ = field(in, "data").(Object)
	switch o.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		if o.Data == nil {
			return o, bad(InvalidSyntax, "%s needs data", o.Method)
		}
	case http.MethodDelete:
	default:
		return o, bad(InvalidSyntax, "method must be POST, PUT, PATCH or DELETE")
	}
	if o.Method == http.MethodPost && o.BulkID == "" {
		return o, bad(InvalidSyntax, "POST needs a bulkId")
	}
	if !strings.HasPrefix(o.Path, "/") || len(o.Path) > 500 {
		return o, bad(InvalidPath, "a path begins with a slash")
	}
	return o, nil
}

// Needs lists the bulkIds that an operation refers to, in its path, its data and the filters of its paths.
func (o BulkOp) Needs() []string {
	found := map[string]bool{}
	_ = o.rewrite(func(id string) string { found[id] = true; return id })
	return slices.Sorted(maps.Keys(found))
}

// With is the operation with ids in place of the bulkIds of made resources.
func (o BulkOp) With(ids map[string]string) BulkOp {
	return o.rewrite(func(id string) string {
		if made := ids[id]; made != "" {
			return made
		}
		return refer + id
	})
}

func (o BulkOp) rewrite(id func(string) string) BulkOp {
	o.Path = replaced(o.Path, id)
	if o.Data != nil {
		o.Data = within(o.Data, id).(Object)
	}
	return o
}

func within(v any, id func(string) string) any {
	switch v := v.(type) {
	case Object:
		out := make(Object, len(v))
		for name, e := range v {
			out[name] = within(e, id)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = within(e, id)
		}
		return out
	case string:
		return replaced(v, id)
	}
	return v
}

// replaced puts something else where a text is a bulkId, or ends in one behind a slash or within quotes.
func replaced(s string, id func(string) string) string {
	at := strings.Index(s, refer)
	if at < 0 || at > 0 && s[at-1] != '/' && s[at-1] != '"' {
		return s
	}
	rest := s[at+len(refer):]
	end := strings.IndexAny(rest, `/"]`)
	if end < 0 {
		end = len(rest)
	}
	return s[:at] + id(rest[:end]) + rest[end:]
}

// BulkDone is the answer to a bulk request.
type BulkDone struct {
	Schemas []string     `json:"schemas"`
	Ops     []BulkResult `json:"Operations"`
}

// BulkResult is what became of one operation.
type BulkResult struct {
	Method   string `json:"method"`
	BulkID   string `json:"bulkId,omitempty"`
	Version  string `json:"version,omitempty"`
	Location string `json:"location,omitempty"`
	Status   string `json:"status"`
	Response any    `json:"response,omitempty"` // of what failed
}

// Body is the operation's data as a request of its own would send it.
func (o BulkOp) Body() ([]byte, error) {
	if o.Data == nil {
		return nil, nil
	}
	return json.Marshal(o.Data)
}
