package identity

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// published are the error codes that the contract publishes; everything else has none.
var published = map[string]string{"role.name_taken": "1409"}

// Result writes an envelope around out.
func (Codec) Result(w http.ResponseWriter, _ *op.Request, c *op.Call, out any) {
	if c.Wrote != 0 && c.Caller != nil {
		http.SetCookie(w, &http.Cookie{
			Name: WroteCookie, Value: strconv.FormatInt(c.Wrote, 10), Path: "/", MaxAge: 60, HttpOnly: true, Secure: c.Client.Secure,
			SameSite: http.SameSiteLaxMode,
		})
	}
	if _, none := out.(op.None); none {
		out = nil
	}
	send(w, http.StatusOK, rpc.Envelope{Success: true, Result: out})
}

// Fault writes a failure. Business failures keep status 200, which clients insist on; the envelope's MessageID is our
// fault code and its ErrorID the request id.
func (k Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, out any) {
	if f.Code == fault.ErrMissing.Code && r.Bound == 0 {
		f = fault.ErrNoArgs
	}
	if _, none := out.(op.None); none {
		out = nil
	}
	e := rpc.Envelope{Result: out, Message: &f.Public, MessageID: &f.Code, ErrorID: &c.ID, IsSoftError: f.Soft}
	if code, ok := published[f.Code]; ok {
		e.ErrorCode = &code
	}
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	if f.Code == op.ErrSignIn.Code && navigates(r.HTTP) { // a person with a browser: the page on which to sign in, and back
		op.Redirect{URL: "/login?cloudRedirect=" + url.QueryEscape(r.HTTP.URL.RequestURI())}.Write(w, r.HTTP)
		return
	}
	if k.Tell != nil && navigates(r.HTTP) {
		k.Tell(w, r, c, f)
		return
	}
	status := statusOf(f.Kind)
	if f.Code == fault.ErrNoPath.Code {
		status = http.StatusNotFound
	}
	if most, ok := errors.AsType[session.MaxAge](f); ok && c.Caller != nil && c.Caller.Means == call.ByOAuth {
		// RFC 9470 section 3: the client gets another token by an authorization request with that max_age
		status = http.StatusUnauthorized
		insufficient(w, r, most)
		e.ErrorMessage = &f.Public
	} else if status == http.StatusUnauthorized {
		challenge(w, r, c, f)
		e.ErrorMessage = &f.Public // beside the envelope, where some clients look for it
	}
	send(w, status, e)
}

// challenge says how callers prove themselves, and where it stands who gives tokens (RFC 9728 section 5.1). Who sent a token is told that it
// is none (RFC 6750 section 3); by DPoP, what was wrong with its proof, and the nonce that the next one must have (RFC 9449 section 7.1 and 9).
func challenge(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error) {
	about := ""
	if host := cmp.Or(c.Tenant.Host, c.Client.Host); host != "" { // whoever is refused early has no tenant yet
		about = `resource_metadata="` + oauth.ResourceMetadata(host) + `"`
	}
	code, ok := strings.CutPrefix(f.Code, oauth.Prefix)
	if !ok || !dpop(r.HTTP) {
		if sends(r.HTTP, "Bearer") {
			about = strings.TrimSuffix(`error="invalid_token", `+about, ", ")
		}
		w.Header().Set("WWW-Authenticate", strings.TrimSpace("Bearer "+about))
		return
	}
	if about != "" {
		about = ", " + about
	}
	w.Header().Set("WWW-Authenticate", `DPoP error="`+code+`", algs="`+strings.Join(oauth.Profile{}.ClientAlgorithms(), " ")+`"`+about)
	if n := oauth.NonceOf(f); n != "" {
		w.Header().Set("DPoP-Nonce", n)
	}
}

// insufficient says that the person of an access token must have signed in more lately (RFC 9470 section 3).
func insufficient(w http.ResponseWriter, r *op.Request, most session.MaxAge) {
	scheme := "Bearer"
	if dpop(r.HTTP) {
		scheme = "DPoP"
	}
	w.Header().Set("WWW-Authenticate", scheme+` error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="`+
		strconv.Itoa(most.Seconds())+`"`)
}

func dpop(r *http.Request) bool { return sends(r, "DPoP") }

// sends says whether a request has credentials of a scheme in its header.
func sends(r *http.Request, scheme string) bool {
	if r == nil {
		return false
	}
	got, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(got, scheme)
}

// navigates says whether a browser shows what it gets as a page. Programs get the envelope, whatever they accept.
func navigates(r *http.Request) bool {
	return r != nil && r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		r.Header.Get("Authorization") == "" && !Native(r.Header)
}

func statusOf(k fault.Kind) int {
	switch k {
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Method:
		return http.StatusMethodNotAllowed
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusOK
	}
}

// buffers holds what answers were written into: a list of thousands of rows outgrows a new buffer twenty times.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

// maxKept is the largest buffer that is kept for the next answer.
const maxKept = 8 << 20

// The headers of every answer. Nobody changes the lists: Set and Add put others in their place.
var typeJSON, noSniff, noStore = one("application/json; charset=utf-8"), one("nosniff"), one("no-store")

func one(value string) []string { return []string{value} }

func send(w http.ResponseWriter, status int, e rpc.Envelope) {
	buffer := buffers.Get().(*[]byte)
	b, err := rpc.AppendEnvelope((*buffer)[:0], e)
	if err != nil {
		panic(err) // a result type that cannot be encoded is a bug of its operation
	}
	h := w.Header()
	// Canonical names and shared values: Set would look at the names again and allocate a list for each value.
	h["Content-Type"], h["X-Content-Type-Options"], h["Cache-Control"] = typeJSON, noSniff, noStore
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone when this fails, and nothing else can be told
	if cap(b) <= maxKept {
		*buffer = b
		buffers.Put(buffer)
	}
}
