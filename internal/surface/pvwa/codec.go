package pvwa

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"limen/internal/core/login"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

// Codec reads and writes the API's JSON, without an envelope.
type Codec struct{}

// Media is the media type of what operations take and answer.
func (Codec) Media() (takes, answers string) { return "application/json", "application/json" }

// Methods are the declared ones.
func (Codec) Methods(o *op.Op) []string { return append([]string{o.Method}, o.Methods...) }

// Credentials finds the token, which comes raw or as a bearer. Cookies prove nobody here.
func (Codec) Credentials(r *http.Request) op.Credentials {
	token := strings.TrimSpace(r.Header.Get("Authorization"))
	if scheme, rest, ok := strings.Cut(token, " "); ok {
		if !strings.EqualFold(scheme, "Bearer") {
			return op.Credentials{}
		}
		token = strings.TrimSpace(rest)
	}
	return op.Credentials{Token: token}
}

// Decode lets the input take what it wants of a request.
func (Codec) Decode(r *op.Request, in any) error {
	if t, ok := in.(interface{ take(r *op.Request) error }); ok {
		return asFault(t.take(r))
	}
	return nil
}

// asFault makes a fault of what is wrong with a message.
func asFault(err error) error {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	as, text := vault.ErrValue, e.Text
	if e.Number {
		as = vault.ErrNumber
	}
	if e.Field != "" {
		text = e.Field + " " + text + "."
	}
	return as.At(e.Field).Say("%s", text)
}

// Result writes what an operation answered.
func (Codec) Result(w http.ResponseWriter, _ *op.Request, _ *op.Call, out any) {
	switch v := out.(type) {
	case op.None:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	case op.WithStatus:
		write(w, v.Status(), v)
	default:
		write(w, http.StatusOK, v)
	}
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, fault.ErrInternal.Public, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

// kinds are the statuses and codes of kinds of faults.
var kinds = map[fault.Kind]struct {
	status int
	code   string
}{
	fault.Invalid: {http.StatusBadRequest, "PASWS167E"}, fault.NotFound: {http.StatusNotFound, "PASWS105E"}, fault.Exists: {http.StatusConflict, "PASWS291E"},
	fault.Denied: {http.StatusForbidden, "PASWS041E"}, fault.Unauthenticated: {http.StatusUnauthorized, "PASWS006E"},
	fault.Conflict: {http.StatusConflict, "PASWS291E"}, fault.Limited: {http.StatusTooManyRequests, "CAWS00001E"},
	fault.Unavailable: {http.StatusServiceUnavailable, "CAWS00001E"}, fault.TooLarge: {http.StatusRequestEntityTooLarge, "PASWS167E"},
	fault.Method: {http.StatusMethodNotAllowed, "CAWS00001E"},
}

// exceptions are faults that the API has a status or code of their own for (pvwa.yaml, head).
var exceptions = []struct {
	of     *fault.Error
	status int
	code   string
}{
	{login.ErrFailed, http.StatusForbidden, "ITATS004E"}, {login.ErrExpired, http.StatusConflict, "ITATS019E"}, {login.ErrMore, http.StatusForbidden, "PASWS013E"},
	{vault.ErrInterface, http.StatusForbidden, "PASWS013E"}, {vault.ErrMethod, http.StatusForbidden, "PASWS013E"}, {vault.ErrHours, http.StatusForbidden, "PASWS013E"},
	{vault.ErrSessions, http.StatusForbidden, "PASWS013E"}, {vault.ErrMethodOff, http.StatusForbidden, "PASWS013E"},
	{errChallenge, http.StatusInternalServerError, "ITATS542I"},
	{vault.ErrNumber, http.StatusBadRequest, "PASWS018E"}, {vault.ErrUser, http.StatusNotFound, "ITATS003E"}, {user.ErrNotFound, http.StatusNotFound, "ITATS003E"},
	{vault.ErrNotMember, http.StatusNotFound, "ITATS003E"}, {user.ErrNameTaken, http.StatusConflict, "ITATS002E"}, {vault.ErrMember, http.StatusConflict, "PASWS213E"},
	{role.ErrMember, http.StatusNotFound, "ITATS003E"}, {session.ErrNone, http.StatusUnauthorized, "PASWS006E"},
}

// failed is a fault as an error of the API.
func failed(f *fault.Error) (int, wire.Failure) {
	at, ok := kinds[f.Kind]
	if !ok {
		at.status, at.code = http.StatusInternalServerError, "CAWS00001E"
	}
	for _, e := range exceptions {
		if errors.Is(f, e.of) {
			at.status, at.code = e.status, e.code
		}
	}
	body := wire.Failure{Code: at.code, Message: message(f)}
	if f.Field != "" && at.status == http.StatusBadRequest {
		body.Details = []wire.Failure{{Code: at.code, Message: body.Message}}
	}
	return at.status, body
}

// Fault writes an error.
func (Codec) Fault(w http.ResponseWriter, _ *op.Request, _ *op.Call, f *fault.Error, _ any) {
	status, body := failed(f)
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	write(w, status, body)
}

// fields are those of the domain that are called otherwise here.
var fields = map[string]string{
	"Name": "username", "Mail": "internet.businessEmail", "MobileNumber": "phones.cellularNumber", "HomeNumber": "phones.homeNumber",
	"OfficeNumber": "phones.businessNumber", "AccountExp": "expiryDate", "Description": "description", "DisplayName": "personalDetails",
}

// message is a fault's sentence in the API's words.
func message(f *fault.Error) string {
	if name := fields[f.Field]; name != "" {
		return strings.ReplaceAll(f.Public, "Parameter "+f.Field+" ", "Parameter "+name+" ")
	}
	return f.Public
}
