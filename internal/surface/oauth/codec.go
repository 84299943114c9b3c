// Package oauth is OAuth 2.0 and OpenID Connect over HTTP: /OAuth2/<Operation>/<application>, the documents of discovery, and
// the answers as the RFCs and the contract's clients want them (oauth.yaml). What it all means is core/oauth's.
package oauth

import (
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// Codec reads queries, forms and flat JSON, and writes JSON without an envelope.
type Codec struct {
	Server *oauth.Server
	Cookie string // name of the session's cookie
	// Trouble writes a page that tells a person of a failure; app is the application's name, empty where it is not known. Nil: they
	// get what programs get.
	Trouble func(w http.ResponseWriter, r *op.Request, c *op.Call, status int, f *fault.Error, app string)
}

// Media is the media type of what operations take and answer.
func (Codec) Media() (takes, answers string) { return formType, "application/json" }

const formType = "application/x-www-form-urlencoded"

// Methods are the declared ones.
func (Codec) Methods(o *op.Op) []string { return append([]string{o.Method}, o.Methods...) }

// Credentials finds an access or session token that was sent as a bearer or as the parameter Auth, or else the session's
// cookie. Clients that prove themselves by Basic are the operations' own business.
func (k Codec) Credentials(r *http.Request) op.Credentials {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return op.Credentials{Token: strings.TrimSpace(token)}
	case scheme != "":
		return op.Credentials{}
	}
	if r.URL.RawQuery != "" {
		if auth := r.URL.Query().Get("Auth"); auth != "" {
			return op.Credentials{Token: auth}
		}
	}
	if c, err := r.Cookie(k.Cookie); err == nil && c.Value != "" {
		return op.Credentials{Token: c.Value, Cookie: true}
	}
	return op.Credentials{}
}

// pathApp is the name of the application in the path. Nothing else of a request says which it is: where the path has none, the tenant's
// issuer is asked.
const pathApp = "app_id"

// sent is what an operation may need of a request besides its parameters.
type sent struct {
	params        wire.Params
	authorization string   // the header
	interaction   string   // the header by which a FAPI client calls it
	proofs        []string // the headers DPoP
	method, path  string   // as a DPoP proof names them
}

// see takes it.
func (s *sent) see(r *http.Request, p wire.Params) {
	*s = sent{p, r.Header.Get("Authorization"), r.Header.Get(interaction), r.Header.Values("DPoP"), r.Method, r.URL.EscapedPath()}
}

// Decode fills the input's texts by their names from the path, the query and the body.
func (Codec) Decode(r *op.Request, in any) error {
	if t, ok := in.(interface{ take(r *op.Request) error }); ok {
		return t.take(r)
	}
	values, err := parameters(r)
	if err != nil {
		return err
	}
	p, err := wire.Read(values)
	if err != nil {
		return oauth.Fault(err)
	}
	v := reflect.ValueOf(in).Elem()
	for i, name := range textsOf(v.Type()) {
		if name == "" {
			continue
		}
		text, inPath := r.Path[name]
		if !inPath && name != pathApp {
			text = p.Get(name)
		}
		v.Field(i).SetString(text)
	}
	if s, ok := in.(interface {
		see(*http.Request, wire.Params)
	}); ok {
		s.see(r.HTTP, p)
	}
	return nil
}

// texts remembers what textsOf gives, by type.
var texts sync.Map

// textsOf are the names of a struct's fields that are texts; empty for the others.
func textsOf(t reflect.Type) []string {
	if had, ok := texts.Load(t); ok {
		return had.([]string) //nolint:forcetypeassert // nothing else is put there
	}
	names := make([]string, t.NumField())
	for i := range names {
		if f := t.Field(i); f.Type.Kind() == reflect.String {
			names[i] = f.Tag.Get("json")
		}
	}
	texts.Store(t, names)
	return names
}

// parameters are those of the query and of the body. The same name in both counts as twice.
func parameters(r *op.Request) (url.Values, error) {
	out, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return nil, oauth.ErrRequest.Say("the parameters cannot be read")
	}
	delete(out, "access_token") // it would stay in histories and logs (RFC 9700 section 4.3.2, FAPI 2.0 Security Profile section 5.3.4)
	if len(r.Body) == 0 || r.HTTP.Method == http.MethodGet {
		return out, nil
	}
	var body url.Values
	if t, _, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type")); t == formType {
		body, err = url.ParseQuery(string(r.Body))
	} else {
		body, err = flat(r.Body)
	}
	if err != nil {
		return nil, oauth.ErrRequest.Say("the parameters cannot be read")
	}
	if len(out) == 0 {
		return body, nil
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		out[name] = append(out[name], body[name]...)
	}
	return out, nil
}

// flat reads a JSON object of texts, numbers and lists of texts, as some clients send instead of a form.
func flat(body []byte) (url.Values, error) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	out := url.Values{}
	for name, raw := range in {
		var one any
		if err := json.Unmarshal(raw, &one); err != nil {
			return nil, err
		}
		switch v := one.(type) {
		case string:
			out.Add(name, v)
		case float64, bool:
			out.Add(name, strings.Trim(string(raw), " "))
		case []any:
			for _, e := range v {
				if text, ok := e.(string); ok {
					out.Add(name, text)
				}
			}
		}
	}
	return out, nil
}

// finisher is a result that has work to do after its transaction, such as signing.
type finisher interface {
	finish(r *http.Request, c *op.Call, s *oauth.Server) (any, error)
}

// Result writes what an operation answered.
func (k Codec) Result(w http.ResponseWriter, r *op.Request, c *op.Call, out any) {
	if i, ok := out.(Info); ok && i.interaction != "" {
		w.Header().Set(interaction, i.interaction)
	}
	if f, ok := out.(finisher); ok {
		var err error
		if out, err = f.finish(r.HTTP, c, k.Server); err != nil {
			k.Fault(w, r, c, fault.Of(err), nil)
			return
		}
	}
	if n, ok := out.(interface{ next() string }); ok && n.next() != "" {
		w.Header().Set("DPoP-Nonce", n.next())
	}
	switch v := out.(type) {
	case op.Raw:
		v.Write(w, r.HTTP)
	case op.None:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
	default:
		write(w, http.StatusOK, v)
	}
}

// write writes JSON that nobody keeps (RFC 6749 section 5.1).
func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, fault.ErrInternal.Public, http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json;charset=UTF-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

// failure is the JSON of an error (RFC 6749 section 5.2).
type failure struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// codes are those of faults that are not the authorization server's own.
var codes = map[fault.Kind]wire.Code{
	fault.Unauthenticated: wire.InvalidToken, fault.Denied: wire.AccessDenied, fault.Limited: wire.TemporarilyUnavailable,
	fault.Unavailable: wire.TemporarilyUnavailable, fault.Internal: wire.ServerError,
}

// spoken is a fault as an error of the protocol.
func spoken(f *fault.Error) *wire.Error {
	if code, ok := strings.CutPrefix(f.Code, oauth.Prefix); ok {
		return &wire.Error{Code: wire.Code(code), Description: f.Public}
	}
	code := codes[f.Kind]
	if code == "" {
		code = wire.InvalidRequest
	}
	return &wire.Error{Code: code, Description: f.Public}
}

// Fault writes an error; that of an authorization request goes to the client by the browser. Where the client authenticated by the
// header, it is told the schemes (RFC 6749 section 5.2).
func (k Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, out any) {
	if a, ok := out.(authorized); ok && a.failed != nil {
		answer, err := a.answer(r.HTTP.Context(), c, k.Server)
		if err == nil {
			answer.Write(w, r.HTTP)
			return
		}
		f = fault.Of(err)
	}
	e := spoken(f)
	status := e.Status()
	if f.Kind == fault.Limited {
		status = http.StatusTooManyRequests
	}
	if f.Kind == fault.Unauthenticated {
		status = http.StatusUnauthorized
	}
	if f.Kind == fault.Method {
		status = http.StatusMethodNotAllowed
	}
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	if k.Trouble != nil && navigates(r.HTTP) {
		k.Trouble(w, r, c, status, f, k.appName(r, c))
		return
	}
	switch {
	case e.Code == wire.InvalidClient:
		w.Header().Set("WWW-Authenticate", `Basic realm="`+realm(c)+`"`)
	case status == http.StatusUnauthorized || e.Code == wire.InsufficientScope:
		challenge(w, r.HTTP, realm(c), e.Code)
	}
	nonces(w, f)
	write(w, status, failure{string(e.Code), e.Description})
}

func realm(c *op.Call) string { return c.Tenant.ID }

// refused turns the error of an exchange into what the kernel commits: where something was used again, what was ended stays so.
func refused(err error) error {
	if again, ok := errors.AsType[*oauth.ReplayError](err); ok {
		return op.Refused(again.Fault)
	}
	return err
}
