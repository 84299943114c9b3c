package login

import (
	"cmp"
	"context"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
	"limen/web/page"
)

// Faults of the dialect.
var (
	ErrElsewhere = fault.New(fault.Denied, "login.elsewhere", "This form was not sent from its own page. Open the page again and fill it in there.")
	ErrForm      = fault.New(fault.Invalid, "login.form", "The form cannot be read.")
)

// Codec reads queries and forms, and writes pages.
type Codec struct {
	Pages *login.Pages
	// Brand is whose the tenant's pages are, and the language of readers whose browsers want none of ours; c has a tenant and no
	// transaction.
	Brand func(ctx context.Context, c *op.Call) (b login.Brand, culture string, err error)
	// Cookie is the name of the session's cookie, for pages that want to know who is signed in; empty: they do not.
	Cookie string
}

// product is the program's name, where there is no tenant's style to tell it.
const product = "Limen"

// Media is the media type of what operations answer; what they take are forms.
func (Codec) Media() (takes, answers string) { return formType, "text/html" }

const formType = "application/x-www-form-urlencoded"

// Methods are the declared ones.
func (Codec) Methods(o *op.Op) []string { return append([]string{o.Method}, o.Methods...) }

// Credentials are the session's cookie, or none where what operations need is proved by what they are sent. Forms of other sites
// are refused by Decode, and links of theirs may lead here: they change nothing.
func (k Codec) Credentials(r *http.Request) op.Credentials {
	if k.Cookie == "" {
		return op.Credentials{}
	}
	c, err := r.Cookie(k.Cookie)
	if err != nil || c.Value == "" {
		return op.Credentials{}
	}
	return op.Credentials{Token: c.Value, Cookie: true}
}

// guard refuses what another site makes a browser send, by Sec-Fetch-Site or else Origin.
var guard = http.NewCrossOriginProtection()

// Decode fills the input's texts from the path and the query of a GET, or from the form in the body of a POST; names that the input
// does not have are ignored, since browsers' helpers add some.
func (Codec) Decode(r *op.Request, in any) error {
	text := r.HTTP.URL.RawQuery
	if r.HTTP.Method == http.MethodPost {
		if _, open := in.(interface{ FromElsewhere() }); !open {
			if err := guard.Check(r.HTTP); err != nil {
				return ErrElsewhere.Because(err)
			}
		}
		if t, _, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type")); t != formType {
			return ErrForm
		}
		text = string(r.Body)
	}
	if len(text) > maxForm {
		return fault.ErrTooLarge
	}
	q, err := url.ParseQuery(text)
	if err != nil {
		return ErrForm.Because(err)
	}
	for name, value := range r.Path {
		q[name] = []string{value}
	}
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("json")
		if name == "" {
			continue
		}
		list := v.Field(i).Kind() == reflect.Slice
		switch given := q[name]; {
		case list && len(given) <= maxParts && utf8.ValidString(strings.Join(given, "")):
			v.Field(i).Set(reflect.ValueOf(given))
			r.Bound += len(given)
		case list || len(given) > 1:
			return fault.ErrTwice.At(name)
		case len(given) == 1 && !utf8.ValidString(given[0]):
			return ErrForm.At(name)
		case len(given) == 1:
			v.Field(i).SetString(given[0])
			r.Bound++
		}
	}
	if s, ok := in.(interface{ See(*http.Request) }); ok {
		s.See(r.HTTP)
	}
	return nil
}

// maxParts bounds how often a field may come that is a list.
const maxParts = 20

// Result writes a page.
func (k Codec) Result(w http.ResponseWriter, r *op.Request, c *op.Call, out any) {
	if s, ok := out.(shown); ok {
		k.write(w, r, c, cmp.Or(s.status, http.StatusOK), s.view)
		return
	}
	k.write(w, r, c, http.StatusOK, out.(login.View))
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Denied: http.StatusForbidden,
	fault.Unauthenticated: http.StatusUnauthorized, fault.Conflict: http.StatusConflict, fault.Exists: http.StatusConflict,
	fault.Limited: http.StatusTooManyRequests, fault.TooLarge: http.StatusRequestEntityTooLarge, fault.Unavailable: http.StatusServiceUnavailable,
	fault.Method: http.StatusMethodNotAllowed,
}

// Fault writes the form again where the person can put it right, else a page that says what went wrong.
func (k Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, out any) {
	status := k.begin(w, f)
	if form, ok := out.(login.Invitation); ok && form.Code != "" {
		k.write(w, r, c, status, form)
		return
	}
	if s, ok := out.(shown); ok {
		k.write(w, r, c, status, s.view)
		return
	}
	k.Trouble(w, r, c, status, f, "")
}

// Tell writes the page that tells a person of a failure of another dialect's operation.
func (k Codec) Tell(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error) {
	k.Trouble(w, r, c, k.begin(w, f), f, "")
}

// begin gives the status of a failure, and says when the same may be tried again.
func (Codec) begin(w http.ResponseWriter, f *fault.Error) (status int) {
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	return cmp.Or(statuses[f.Kind], http.StatusInternalServerError)
}

// Trouble writes the page that tells of a failure. One of the authorization server is an application's, whose name is app where it is
// known.
func (k Codec) Trouble(w http.ResponseWriter, r *op.Request, c *op.Call, status int, f *fault.Error, app string) {
	k.write(w, r, c, status, login.Fault{Code: f.Code, Reason: f.Public, ID: shortID(c), Asked: strings.HasPrefix(f.Code, oauth.Prefix), App: app})
}

// shortID is enough to find the request's line in the log.
func shortID(c *op.Call) string {
	id, _, _ := strings.Cut(c.ID, ":")
	return id
}

func (k Codec) write(w http.ResponseWriter, r *op.Request, c *op.Call, status int, v login.View) {
	b, want := login.Brand{Product: product}, append(locales(r), r.HTTP.Header.Values("Accept-Language")...)
	if c.Tenant.ID != "" {
		if own, culture, err := k.Brand(r.HTTP.Context(), c); err == nil { // a page in plain clothes is better than none
			b, want = own, append(want, culture)
		}
	}
	html, err := k.Pages.Render(want, b, v)
	if err != nil { // the pages are part of the program: a mistake in it
		http.Error(w, fault.ErrInternal.Public, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Vary", "Accept-Language")
	op.Page{HTML: html, Code: status, CSP: page.Policy(b.Theme, login.Goal(v), login.Directives(v)...)}.Write(w, r.HTTP)
}
