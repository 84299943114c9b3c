package outbound

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// Classes of failures.
const (
	Unreachable = "unreachable" // the service does not answer
	Server      = "server"      // it answers with an error of its own, or with what cannot be read
	Throttled   = "throttled"   // it wants to be asked later
	Unproved    = "credentials" // it does not take the secret
	Refused     = "refused"     // it will not have this account as it is
	Taken       = "conflict"    // it has another account of that name
	Mapping     = "mapping"     // the mapping script failed
	Limited     = "limited"     // the scripts of the tenant have used their time
)

// failure is why something is not as it should be.
type failure struct {
	class  string
	why    string
	status int
	after  time.Duration // the service wants to be asked no sooner
}

func (f *failure) Error() string { return f.why }

// ofService says whether it is the service's failure and not that of one account.
func (f *failure) ofService() bool {
	switch f.class {
	case Unreachable, Server, Throttled, Unproved:
		return true
	}
	return false
}

// passing says whether the same may go well at another time though nothing changes.
func (f *failure) passing() bool { return f.ofService() || f.class == Limited }

const mediaType = "application/scim+json"

// maxWait bounds what a service may ask for.
const maxWait = time.Hour

// remote is a target as it is asked.
type remote struct {
	o *Outbound
	t *Target
}

// said is what the service answered with a status below 300.
type said struct {
	Answer
	object scim.Object // nil where there is no body
	id     string
	etag   string
}

// ask sends a request, with the one header If-Match where etag is not empty. What is no success is a *failure with the status.
func (r remote) ask(ctx context.Context, method, path string, body any, etag string) (said, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return said{}, fault.ErrInternal.Because(err)
		}
	}
	for again := range 2 {
		h := http.Header{"Accept": {mediaType + ", application/json"}}
		if raw != nil {
			h.Set("Content-Type", mediaType)
		}
		if etag != "" {
			h.Set("If-Match", etag)
		}
		proof, err := r.proof(ctx, again > 0)
		if err != nil {
			return said{}, err
		}
		h.Set("Authorization", "Bearer "+proof)
		a, err := r.o.Send(ctx, Request{Method: method, URL: r.t.Base + path, Header: h, Body: raw})
		if err != nil {
			return said{}, unreached(err)
		}
		if a.Status == http.StatusUnauthorized && again == 0 && r.t.Auth == Credentials {
			continue // the token may have ended before its time
		}
		return r.read(a)
	}
	return said{}, nil // not reached: the second round answers
}

func unreached(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return &failure{class: Unreachable, why: f.Public}
	}
	return &failure{class: Unreachable, why: "The service does not answer."}
}

// read makes a failure of what is no success.
func (r remote) read(a Answer) (said, error) {
	if a.Status >= 200 && a.Status < 300 {
		out := said{Answer: a}
		if len(strings.TrimSpace(string(a.Body))) > 0 {
			var err error
			if out.object, out.id, err = scim.ReadResource(a.Body); err != nil {
				return out, &failure{class: Server, status: a.Status, why: "The service answered with what is no JSON object."}
			}
		}
		out.etag = scim.Version(a.Header, out.object)
		return out, nil
	}
	kind, detail := scim.ReadFailure(a.Body)
	f := &failure{class: Refused, status: a.Status, why: "The service answered with status " + strconv.Itoa(a.Status)}
	for _, s := range []string{kind, detail} {
		if s != "" {
			f.why += ", " + clip(s)
		}
	}
	switch {
	case a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
		f.class, f.after = Throttled, after(a.Header.Get("Retry-After"), r.o.now())
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		f.class = Unproved
	case a.Status == http.StatusConflict:
		f.class = Taken
	case a.Status >= 500 || a.Status < 200 || a.Status == http.StatusRequestTimeout || a.Status/100 == 3:
		f.class = Server
	}
	return said{Answer: a}, f
}

// after reads Retry-After (RFC 9110 section 10.2.3).
func after(s string, now time.Time) time.Duration {
	d := 10 * time.Second
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		d = time.Duration(min(max(n, 1), 1<<20)) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, time.Second), maxWait)
}

// status is that of a failure; 0: it is none that has one.
func status(err error) int {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.status
	}
	return 0
}

// token is an access token in memory.
type token struct {
	text  string
	until time.Time
}

// proof is what the service is shown: the token that was made there, or one that is got for the client's credentials.
func (r remote) proof(ctx context.Context, anew bool) (string, error) {
	secret, err := r.o.Open(ctx, r.t.tenant, r.t.App, r.t.secret)
	if err != nil || r.t.Auth == Bearer {
		return string(secret), err
	}
	key := [3]string{r.t.tenant, r.t.App, strconv.FormatInt(r.t.Revision, 10)}
	r.o.mu.Lock()
	known := r.o.tokens[key]
	r.o.mu.Unlock()
	if !anew && r.o.now().Before(known.until) {
		return known.text, nil
	}
	got, err := r.fetch(ctx, string(secret))
	if err != nil {
		return "", err
	}
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	if len(r.o.tokens) > 1000 {
		clear(r.o.tokens)
	}
	r.o.tokens[key] = got
	return got.text, nil
}

// fetch gets an access token for the client's credentials (RFC 6749 section 4.4).
func (r remote) fetch(ctx context.Context, secret string) (token, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if r.t.Scope != "" {
		form.Set("scope", r.t.Scope)
	}
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(r.t.Client) + ":" + url.QueryEscape(secret)))
	a, err := r.o.Send(ctx, Request{Method: http.MethodPost, URL: r.t.TokenURL, Body: []byte(form.Encode()), Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}, "Authorization": {"Basic " + basic},
	}})
	if err != nil {
		return token{}, unreached(err)
	}
	switch {
	case a.Status == http.StatusTooManyRequests:
		return token{}, &failure{class: Throttled, status: a.Status, why: "The token endpoint is asked too much.", after: after(a.Header.Get("Retry-After"), r.o.now())}
	case a.Status >= 500:
		return token{}, &failure{class: Server, status: a.Status, why: "The token endpoint answered with status " + strconv.Itoa(a.Status)}
	}
	var out struct {
		Token string          `json:"access_token"`
		Life  json.RawMessage `json:"expires_in"`
	}
	if json.Unmarshal(a.Body, &out) != nil || a.Status != http.StatusOK || out.Token == "" || strings.ContainsAny(out.Token, " \r\n") {
		return token{}, &failure{class: Unproved, status: a.Status, why: "The token endpoint gives no token: it answered with status " + strconv.Itoa(a.Status)}
	}
	life, err := strconv.Atoi(strings.Trim(string(out.Life), `"`))
	if err != nil {
		life = 60
	}
	life = min(life, 24*3600)
	return token{out.Token, r.o.now().Add(time.Duration(life-life/10) * time.Second)}, nil
}

// at is the path of a resource.
func at(kind, id string) string { return endpoint(kind) + "/" + url.PathEscape(id) }

func endpoint(kind string) string { return "/" + kind + "s" }

// find gives up to two resources that an attribute has a value of.
func (r remote) find(ctx context.Context, kind, attribute, value string) ([]scim.Object, error) {
	q := url.Values{"filter": {attribute + " eq " + scim.Quoted(value)}, "startIndex": {"1"}, "count": {"2"}}
	s, err := r.ask(ctx, http.MethodGet, endpoint(kind)+"?"+strings.ReplaceAll(q.Encode(), "+", "%20"), nil, "")
	if err != nil {
		return nil, err
	}
	l, err := scim.ReadListing(s.Body)
	if err != nil {
		return nil, &failure{class: Server, why: "The service answered a query with what is no list."}
	}
	out := l.Resources[:0]
	for _, res := range l.Resources {
		if scim.ResourceID(res) != "" {
			out = append(out, res)
		}
	}
	return out, nil
}
