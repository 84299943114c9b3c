// Package identity is the RPC dialect: POST /Area/Operation with an envelope around every answer. Reading is as lenient
// as the dialect's clients need (the contract: users.yaml, head; authentication.yaml, first entry); leniency ends here,
// and behind the codec everything is typed and checked. Operations live in the packages beneath, one per area.
package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Prefixes are the mounts of the dialect: the tenant's own host, and the shared-services portal's.
var Prefixes = []string{"", "/api/idadmin"}

// Names of the dialect's cookies.
const (
	SessionCookie = ".ASPXAUTH"
	ForgeryCookie = "antixss"
	DeviceCookie  = "CCSID"
	// WroteCookie carries the sequence of the last change that the session wrote, so that any node knows what to catch up with.
	WroteCookie = "sessdata"
)

// ForgeryHeader carries the anti-forgery cookie's value back: only a page of this origin can read it.
const ForgeryHeader = "X-Antixss"

// Codec reads and writes the dialect.
type Codec struct {
	// Tell writes a page that tells a person of a failure, who has opened a link to an operation. Nil: they get what programs get.
	Tell func(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error)
	// Embeds says whether pages of an origin may have the tenant's sign-in widget; c has no transaction. Nil: none may.
	Embeds func(ctx context.Context, c *op.Call, origin string) (bool, error)
}

// Methods are those clients use: whatever changes something is a POST, and also a PUT or DELETE to some clients;
// what only reads is also a GET.
func (Codec) Methods(o *op.Op) []string {
	if o.Method != http.MethodPost {
		return append([]string{o.Method}, o.Methods...)
	}
	ms := []string{http.MethodPost, http.MethodPut, http.MethodDelete}
	reads := o.Effect <= op.Read && len(o.Effects) == 0
	if reads || slices.Contains(o.Methods, http.MethodGet) {
		ms = append(ms, http.MethodGet)
	}
	return ms
}

// Credentials finds the bearer token, or else the session cookie.
func (Codec) Credentials(r *http.Request) op.Credentials {
	out := op.Credentials{Wrote: wrote(r)}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	dpop := strings.EqualFold(scheme, "DPoP")
	if ok && (dpop || strings.EqualFold(scheme, "Bearer")) {
		out.Token = strings.TrimSpace(token)
		if dpop {
			out.Proof = &op.Proof{Headers: r.Header.Values("DPoP"), Method: r.Method, Path: r.URL.EscapedPath()}
		}
		return out
	}
	if c, err := r.Cookie(SessionCookie); err == nil && c.Value != "" {
		out.Token, out.Cookie, out.Forged = c.Value, true, !meant(r)
	}
	return out
}

func wrote(r *http.Request) int64 {
	c, err := r.Cookie(WroteCookie)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(c.Value, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Native says whether the client declares itself no browser.
func Native(h http.Header) bool {
	for _, name := range [...]string{"X-Idap-Native-Client", "X-Centrify-Native-Client"} {
		switch strings.ToLower(h.Get(name)) {
		case "", "0", "false", "no":
		default:
			return true
		}
	}
	return false
}

// meant says whether the client sent its cookie on purpose. A browser sends cookies with requests that other sites
// cause, but lets no other site set these headers.
func meant(r *http.Request) bool {
	if Native(r.Header) {
		return true
	}
	if c, err := r.Cookie(ForgeryCookie); err == nil && c.Value != "" {
		if subtle.ConstantTimeCompare([]byte(c.Value), []byte(r.Header.Get(ForgeryHeader))) == 1 {
			return true
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return true
	case "none": // typed into the address bar
		return r.Method == http.MethodGet
	}
	return false
}

// Foreign says whether another site had a browser send the request, and nothing shows that a program sent it on purpose.
func Foreign(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Authorization") == "" && !Native(r.Header)
}

// planted says whether a foreign request would change something: also where nobody needs to be signed in, no other site
// shall sign a browser in to an account of its choice, or have codes sent to people. Links may lead here.
func planted(r *op.Request) bool {
	writes := r.Op != nil && (r.Op.Effect > op.Read || len(r.Op.Effects) > 0)
	link := r.HTTP.Method == http.MethodGet && r.HTTP.Header.Get("Sec-Fetch-Mode") == "navigate"
	return writes && !link && Foreign(r.HTTP)
}

// Decode fills in from the query, the body, or both.
func (Codec) Decode(r *op.Request, in any) error {
	if planted(r) {
		return op.ErrForged
	}
	q := rpc.Request{Query: r.HTTP.URL.RawQuery, Body: r.Body, Path: r.Path, ContentType: r.HTTP.Header.Get("Content-Type")}
	if isMultipart(q.ContentType) {
		form, err := uploads(q.ContentType, r.Body, in)
		if err != nil {
			return err
		}
		q.Form, q.Body, q.ContentType = form, nil, ""
	}
	bound, err := rpc.Bind(q, in)
	r.Bound = bound
	if s, ok := in.(Seer); ok && err == nil {
		s.See(r.HTTP)
	}
	if s, ok := in.(BodySeer); ok && err == nil {
		s.SeeBody(r.Body)
	}
	return asFault(err)
}

// BodySeer is an input that looks at the body as it came, whose signature it checks.
type BodySeer interface{ SeeBody(body []byte) }

// Seer is an input that looks at the request itself besides its parameters: at cookies, or at the method.
type Seer interface{ See(*http.Request) }

func asFault(err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*rpc.Error](err)
	if !ok {
		return err
	}
	base := fault.ErrMalformed
	switch e.Kind {
	case rpc.Type:
		base = fault.ErrInvalid
	case rpc.Twice:
		base = fault.ErrTwice
	case rpc.TooDeep, rpc.TooMany:
		base = fault.ErrTooLarge
	}
	return base.At(e.Field).Say("%s", e.Text)
}
