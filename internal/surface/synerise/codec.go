// Package synerise is Synerise's Identity and Access Management API (synerise.yaml): its codec, and what its areas share. What it all
// means is core/workspace's and the other nouns'.
//
// Most shapes of the contract are inferred. The habit here, throughout: JSON in camel case, every member of an answer is always there,
// null where nothing is known; objects are named by integers and workspaces by their guid as well; times are ISO 8601 in UTC; operations
// without an answer give 200 and no body; lists are data beside meta; what is sent and not known is ignored; of changes, members that
// are left out stay as they are, while settings are replaced whole.
package synerise

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"limen/internal/core/factor/oath"
	"limen/internal/core/password"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/synerise"
)

// Codec reads and writes the dialect's JSON.
type Codec struct{}

// Methods are the declared ones.
func (Codec) Methods(o *op.Op) []string { return append([]string{o.Method}, o.Methods...) }

// Credentials finds the bearer. Cookies prove nobody here.
func (Codec) Credentials(r *http.Request) op.Credentials { return op.Credentials{Token: Bearer(r)} }

// Bearer is the token that a request shows.
func Bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Decode fills the input from path, query and body. An input with a method See is shown the request before.
func (Codec) Decode(r *op.Request, in any) error {
	if s, ok := in.(interface{ See(r *http.Request) }); ok {
		s.See(r.HTTP)
	}
	return Fault(wire.Decode(in, source(r)))
}

func source(r *op.Request) wire.Source {
	return wire.Source{Path: r.Path, Query: r.HTTP.URL.Query(), Body: r.Body, Plain: r.HTTP.Method == http.MethodGet || r.HTTP.Method == http.MethodHead}
}

// Fault turns what is wrong with a request into a fault.
func Fault(err error) error {
	wrong, ok := errors.AsType[*wire.Error](err)
	switch {
	case !ok:
		return err
	case wrong.Field == "":
		return fault.ErrMalformed.Say("The request %s.", wrong.Why)
	}
	return fault.Bad(wrong.Field, "%s", wrong.Why)
}

// Result writes what an operation answered.
func (Codec) Result(w http.ResponseWriter, _ *op.Request, _ *op.Call, out any) {
	if _, none := out.(op.None); none {
		out = nil
	}
	write(w, http.StatusOK, out)
}

func write(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if v == nil {
		h.Set("Content-Length", "0")
		w.WriteHeader(status)
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, fault.ErrInternal.Public, http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

// statuses are those of kinds of faults.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Exists: http.StatusConflict, fault.Denied: http.StatusForbidden,
	fault.Unauthenticated: http.StatusUnauthorized, fault.Conflict: http.StatusConflict, fault.Limited: http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable, fault.TooLarge: http.StatusRequestEntityTooLarge, fault.Method: http.StatusMethodNotAllowed,
}

// exceptions are faults that the contract has another status for: that the last administrator would go is a bad request, and so are a wrong
// old password and a wrong first code.
var exceptions = []struct {
	of     *fault.Error
	status int
}{{role.ErrLast, http.StatusBadRequest}, {password.ErrWrong, http.StatusBadRequest}, {oath.ErrCode, http.StatusBadRequest}}

func statusOf(f *fault.Error) int {
	for _, e := range exceptions {
		if errors.Is(f, e.of) {
			return e.status
		}
	}
	if status, ok := statuses[f.Kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// names are the fields of the domain that are called otherwise here.
var names = map[string]string{
	"Mail": "email", "Name": "email", "MobileNumber": "phone", "PreferredCulture": "language", "DisplayName": "lastName", "Until": "accessExpirationTime",
	"Password": "password",
}

// Fault writes a failure, in one form for all.
func (Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, _ any) {
	status := statusOf(f)
	body := wire.Failure{
		Timestamp: *wire.Moment(c.Now.UnixMilli()), Status: status, Error: wire.Explain(status), Message: f.Public, Path: r.HTTP.URL.Path,
		Reason: f.Code, RequestID: c.ID,
	}
	if field := called(f.Field); status == http.StatusBadRequest && field != "" {
		body.Message = strings.Replace(f.Public, "Parameter "+f.Field+" ", "Parameter "+field+" ", 1)
		body.Errors = []wire.FieldFailure{{Code: mistake(f), Field: field, Message: body.Message, RejectedValue: wire.Rejected(field, source(r))}}
	}
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	write(w, status, body)
}

func called(field string) string {
	if name, ok := names[field]; ok {
		return name
	}
	return field
}

func mistake(f *fault.Error) int {
	switch {
	case errors.Is(f, fault.ErrMissing), errors.Is(f, fault.ErrBlank):
		return wire.CodeMissing
	case errors.Is(f, fault.ErrInvalid):
		return wire.CodeInvalid
	}
	return wire.CodeOther
}
