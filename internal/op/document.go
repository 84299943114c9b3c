package op

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Document is a result whose bytes are made once and sent many times, without the dialect's envelope, which anyone may keep for a
// while and then ask for again by its entity tag (RFC 9110 section 8.8.3). The zero value is none.
type Document struct {
	body   []byte
	header http.Header // shared by all answers: each value is one that nobody adds to
}

// NewDocument is JSON; age is for how many seconds anyone may keep it.
func NewDocument(v any, age int) (Document, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return Document{}, err
	}
	return NewFile("application/json; charset=utf-8", body, "public, max-age="+strconv.Itoa(age)), nil
}

// NewFile is of a media type; keep is for how long anyone may keep it, as Cache-Control says it.
func NewFile(kind string, body []byte, keep string) Document {
	sum := sha256.Sum256(body)
	return Document{body, http.Header{
		"Content-Type": {kind}, "X-Content-Type-Options": {"nosniff"}, "Cache-Control": {keep},
		"Content-Length": {strconv.Itoa(len(body))}, "Etag": {`"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`},
	}}
}

// Write sends the bytes, or says that the client has them still.
func (d Document) Write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, v := range d.header {
		h[name] = v[:1:1]
	}
	if d.known(r.Header.Get("If-None-Match")) {
		delete(h, "Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(d.body) // the client is gone when this fails
}

// known says whether one of the tags that a client has is this one's (RFC 9110 section 13.1.2).
func (d Document) known(tags string) bool {
	if tags == "" {
		return false
	}
	for tag := range strings.SplitSeq(tags, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == d.header["Etag"][0] {
			return true
		}
	}
	return false
}
