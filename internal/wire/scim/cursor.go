package scim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
)

// cursor is what a cursor is made of. It is no secret and proves nothing: another one only begins elsewhere.
type cursor struct {
	Query string   `json:"q"`
	Key   []string `json:"k"`
}

const maxCursor = 8 << 10

// mark tells queries apart: a cursor is good for the filter and order it was given for.
func (q Query) mark() string {
	desc := ""
	if q.Desc {
		desc = "-"
	}
	h := sha256.New()
	for _, s := range []string{q.Filter, q.SortBy, desc} {
		_, _ = h.Write(append([]byte(s), 0)) // a hash takes everything
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

// NextCursor makes the cursor of the page behind a key.
func (q Query) NextCursor(key []string) string {
	b, err := json.Marshal(cursor{q.mark(), key})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Behind is the key behind which the page begins; nil for the first page. It has as many parts as parts names one of.
func (q Query) Behind(parts ...int) ([]string, error) {
	if q.Cursor == "" {
		return nil, nil
	}
	wrong := bad(InvalidCursor, "the cursor is not one of this query")
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || len(q.Cursor) > maxCursor {
		return nil, wrong
	}
	var c cursor
	if json.Unmarshal(b, &c) != nil || c.Query != q.mark() || !slices.Contains(parts, len(c.Key)) {
		return nil, wrong
	}
	return c.Key, nil
}
