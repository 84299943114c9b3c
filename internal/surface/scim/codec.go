// Package scim is SCIM 2.0 over HTTP (RFC 7644; scim.yaml): users, groups, safes, oneself, searches, bulk requests and discovery. What
// it all means is core/provision's.
package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"limen/internal/core/attribute"
	"limen/internal/core/provision"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// Codec reads and writes SCIM's JSON, without an envelope.
type Codec struct{}

const media = "application/scim+json"

// Media is the media type of what operations take and answer.
func (Codec) Media() (takes, answers string) { return media, media }

// Methods are the declared ones.
func (Codec) Methods(o *op.Op) []string { return append([]string{o.Method}, o.Methods...) }

// Credentials finds the bearer. Cookies prove nobody here.
func (Codec) Credentials(r *http.Request) op.Credentials {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	out := op.Credentials{Token: strings.TrimSpace(token)}
	switch {
	case strings.EqualFold(scheme, "DPoP"):
		out.Proof = &op.Proof{Headers: r.Header.Values("DPoP"), Method: r.Method, Path: r.URL.EscapedPath()}
	case !strings.EqualFold(scheme, "Bearer"):
		return op.Credentials{}
	}
	return out
}

// Decode lets the input take what it wants of a request.
func (Codec) Decode(r *op.Request, in any) error {
	if t, ok := in.(interface{ take(r *op.Request) error }); ok {
		return provision.Fault(t.take(r))
	}
	return nil
}

// Result writes what an operation answered.
func (Codec) Result(w http.ResponseWriter, r *op.Request, _ *op.Call, out any) {
	switch v := out.(type) {
	case op.None:
		w.WriteHeader(http.StatusNoContent)
	case Answer:
		v.write(w, r.HTTP)
	default:
		write(w, r.HTTP, http.StatusOK, v)
	}
}

// write writes JSON, of the type that the client asks for: by habit they ask for JSON, and some for SCIM's.
func write(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, fault.ErrInternal.Public, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if accept := r.Header.Get("Accept"); strings.Contains(accept, media) || accept == "" {
		h.Set("Content-Type", media+"; charset=utf-8")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

// statuses are those of kinds of faults, with the type of error where it has one.
var statuses = map[fault.Kind]struct {
	status int
	kind   string
}{
	fault.Invalid: {http.StatusBadRequest, wire.InvalidValue}, fault.NotFound: {http.StatusNotFound, ""}, fault.Exists: {http.StatusConflict, wire.Uniqueness},
	fault.Denied: {http.StatusForbidden, ""}, fault.Unauthenticated: {http.StatusUnauthorized, ""}, fault.Conflict: {http.StatusConflict, ""},
	fault.Limited: {http.StatusTooManyRequests, ""}, fault.Unavailable: {http.StatusServiceUnavailable, ""},
	fault.TooLarge: {http.StatusRequestEntityTooLarge, ""}, fault.Method: {http.StatusMethodNotAllowed, ""},
}

// exceptions are faults that the contract, or SCIM, has another status for: that rights do not cover a call is a 401 here, and
// that the last administrator would go is a bad request (scim.yaml, head and DELETE /Users).
var exceptions = []struct {
	of     *fault.Error
	status int
	kind   string
}{
	{op.ErrDenied, http.StatusUnauthorized, ""}, {provision.ErrVersion, http.StatusPreconditionFailed, ""},
	{role.ErrLast, http.StatusBadRequest, ""}, {provision.ErrSelf, http.StatusBadRequest, ""}, {role.ErrBuiltIn, http.StatusBadRequest, wire.Mutability},
	{role.ErrEverybody, http.StatusBadRequest, wire.Mutability}, {role.ErrDynamic, http.StatusBadRequest, wire.Mutability},
	{attribute.ErrSize, http.StatusBadRequest, wire.InvalidValue}, {fault.ErrMalformed, http.StatusBadRequest, wire.InvalidSyntax},
}

// failure is a fault as an error of the protocol.
func failure(f *fault.Error) (int, wire.Failure) {
	at, ok := statuses[f.Kind]
	if !ok {
		at.status = http.StatusInternalServerError
	}
	if kind, known := strings.CutPrefix(f.Code, provision.Prefix); known {
		at.kind = kind
	}
	for _, e := range exceptions {
		if errors.Is(f, e.of) {
			at.status, at.kind = e.status, e.kind
		}
	}
	detail := f.Public
	if name := attributes[f.Field]; name != "" {
		detail = name + ": " + strings.Replace(detail, "Parameter "+f.Field+" ", "it ", 1)
	}
	return at.status, wire.NewFailure(at.status, at.kind, detail)
}

// attributes are the fields of the domain that are called otherwise here.
var attributes = map[string]string{
	"Mail": "emails", "DisplayName": "displayName", "MobileNumber": "phoneNumbers", "HomeNumber": "phoneNumbers", "OfficeNumber": "phoneNumbers",
	"PreferredCulture": "preferredLanguage",
}

// Fault writes an error (RFC 7644 section 3.12).
func (Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, _ any) {
	status, body := failure(f)
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	if status == http.StatusUnauthorized {
		challenge := `Bearer realm="` + c.Tenant.ID + `"`
		switch {
		case errors.Is(f, op.ErrDenied):
			challenge += `, error="insufficient_scope"`
		case r.HTTP.Header.Get("Authorization") != "":
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	write(w, r.HTTP, status, body)
}
