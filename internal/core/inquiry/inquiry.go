// Package inquiry asks services of a tenant's own by the tenant's script: a function of the script says what to send, the program sends it to the
// address that administrators have set, and a function of the script says what the answer means. The script reaches nothing by itself, and never
// sees a secret: it puts a stand-in where a secret belongs, and the program replaces it on the way out.
package inquiry

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/fault"
)

// Faults of asking. What they say is for administrators.
var (
	// ErrScript is a script that does not compile, fails, or returns what is of no use.
	ErrScript = fault.New(fault.Invalid, "inquiry.script", "The script failed.")
	// ErrService is a service that did not answer, or not in time.
	ErrService = fault.New(fault.Unavailable, "inquiry.service", "The service did not answer.")
	// ErrBusy is for more questions at once than a tenant may have.
	ErrBusy = fault.New(fault.Limited, "inquiry.busy", "Too many questions to the service are under way.")
)

// Bounds of a question.
const (
	MaxScript  = 64 << 10 // bytes
	maxAnswer  = 16 << 10 // bytes that a script is shown
	maxQuery   = 4 << 10
	maxTenants = 4096
	atOnce     = 16 // questions of a tenant
)

// Helper describes an object or function of a script to those who write one.
type Helper struct {
	// Name is that of the object or function.
	Name string `json:"Name"`
	// Signature is its form.
	Signature string `json:"Signature"`
	// Description says what it is.
	Description string `json:"Description"`
	// Sample shows it in use.
	Sample string `json:"Sample"`
}

// Batch is a script as the child process gets it.
type Batch struct {
	Tenant    string
	Text      string
	Names     []string // functions that it must declare
	Call      string   // the one to call; empty: none
	Arguments []json.RawMessage
	Now       time.Time
	Trace     bool
}

// Said is what a script said.
type Said struct {
	Result json.RawMessage
	Error  string // why it failed; empty when it did not
	Trace  []string
}

// Service is whom to ask, and the script that knows how.
type Service struct {
	URL    string // absolute https
	Header string // in which the service wants the key; empty: in none
	Key    string // in the clear; empty: none
	Script string
	Names  []string // functions that the script must declare: the first says what to send, the second what the answer means
}

// Sent is a request as it goes out.
type Sent struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Answer is what came back.
type Answer struct {
	Status int
	Type   string // Content-Type
	Body   []byte
}

// Asker asks. Its exported fields are set in internal/app.
type Asker struct {
	// Run has a child run a script. A fault of kind Invalid or TooLarge is the script's.
	Run func(ctx context.Context, b Batch) (Said, error)
	// Send asks an address, which may be anybody's.
	Send func(ctx context.Context, s Sent) (Answer, error)

	mu   sync.Mutex
	busy map[string]int
}

// Compile says why a script is of no use; empty: it compiles, and declares its functions. It must be called outside of transactions.
func (a *Asker) Compile(ctx context.Context, c *call.Call, text string, names []string) (why string, err error) {
	said, err := a.Run(ctx, Batch{Tenant: c.Tenant.ID, Text: text, Names: names, Now: c.Now})
	if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.TooLarge) {
		return f.Public, nil
	}
	return said.Error, err
}

// Ask asks a service about a subject; secrets are texts by their stand-ins. It gives what the script made of the answer. It must be called outside
// of transactions. Faults: ErrScript, ErrService, ErrBusy.
func (a *Asker) Ask(ctx context.Context, c *call.Call, s Service, subject any, secrets map[string]string) (Said, error) {
	if !a.enter(c.Tenant.ID) {
		return Said{}, ErrBusy
	}
	defer a.leave(c.Tenant.ID)
	about, err := json.Marshal(subject)
	if err != nil {
		return Said{}, err
	}
	asked, err := a.call(ctx, c, s, s.Names[0], about)
	if err != nil {
		return asked, err
	}
	out, err := s.request(asked.Result, secrets)
	if err != nil {
		return asked, err
	}
	got, err := a.Send(ctx, out)
	if err != nil {
		return asked, ErrService.Say("The service did not answer: %s", fault.Of(err).Public).Because(err)
	}
	shown, err := shown(got)
	if err != nil {
		return asked, err
	}
	judged, err := a.call(ctx, c, s, s.Names[1], shown, about)
	judged.Trace = append(asked.Trace, judged.Trace...)
	return judged, err
}

// Call calls one function of a script. It must be called outside of transactions. Fault: ErrScript.
func (a *Asker) Call(ctx context.Context, c *call.Call, script string, names []string, name string, args ...any) (Said, error) {
	var raw []json.RawMessage
	for _, v := range args {
		b, err := json.Marshal(v)
		if err != nil {
			return Said{}, err
		}
		raw = append(raw, b)
	}
	return a.call(ctx, c, Service{Script: script, Names: names}, name, raw...)
}

func (a *Asker) call(ctx context.Context, c *call.Call, s Service, name string, args ...json.RawMessage) (Said, error) {
	said, err := a.Run(ctx, Batch{Tenant: c.Tenant.ID, Text: s.Script, Names: s.Names, Call: name, Arguments: args, Now: c.Now})
	if f := fault.Of(err); err != nil && ctx.Err() == nil && f.Kind != fault.Internal {
		return said, ErrScript.Say("%s", f.Public)
	}
	if err == nil && said.Error != "" {
		return said, ErrScript.Say("%s", said.Error)
	}
	return said, err
}

// enter counts a question of a tenant, unless there are too many.
func (a *Asker) enter(tenant string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy == nil {
		a.busy = map[string]int{}
	}
	if a.busy[tenant] >= atOnce || len(a.busy) >= maxTenants {
		return false
	}
	a.busy[tenant]++
	return true
}

func (a *Asker) leave(tenant string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[tenant]--; a.busy[tenant] == 0 {
		delete(a.busy, tenant)
	}
}

// wish is what a script wants to send: one of JSON, Form and Basic, or nothing.
type wish struct {
	Query map[string]string `json:"query"` // beside that of the address
	JSON  any               `json:"json"`
	Form  map[string]string `json:"form"`
	Basic *struct {
		User     string `json:"user"`
		Password string `json:"password"`
	} `json:"basic"`
}

// request makes what goes out of what a script wants. Secrets go into bodies and Basic, and nowhere else: addresses get into logs.
func (s Service) request(result json.RawMessage, secrets map[string]string) (Sent, error) {
	var w wish
	if len(result) == 0 || result[0] != '{' || json.Unmarshal(result, &w) != nil {
		return Sent{}, ErrScript.Say("The function %s must return an object with json, form or basic, and perhaps query, whose values are texts.", s.Names[0])
	}
	at, err := url.Parse(s.URL)
	if err != nil {
		return Sent{}, ErrService.Because(err)
	}
	if len(w.Query) > 0 {
		q := at.Query()
		for name, v := range w.Query {
			if _, secret := secrets[v]; secret {
				return Sent{}, ErrScript.Say("The function %s wants a secret in the address, where it would be seen.", s.Names[0])
			}
			q.Set(name, v)
		}
		if at.RawQuery = q.Encode(); len(at.RawQuery) > maxQuery {
			return Sent{}, ErrScript.Say("The query that the function %s returned is too long.", s.Names[0])
		}
	}
	out := Sent{Method: http.MethodPost, URL: at.String(), Header: http.Header{"Accept": {"application/json"}}}
	if s.Header != "" && s.Key != "" {
		out.Header.Set(s.Header, s.Key)
	}
	return out, w.fill(&out, secrets)
}

// fill makes the body, with the secrets in it.
func (w wish) fill(out *Sent, secrets map[string]string) (err error) {
	if w.Basic != nil {
		if strings.Contains(w.Basic.User, ":") { // it would end there (RFC 7617 section 2)
			return ErrScript.Say("The user of basic must have no colon.")
		}
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(w.Basic.User, swapped(w.Basic.Password, secrets).(string))
		out.Header.Set("Authorization", r.Header.Get("Authorization"))
	}
	switch {
	case w.JSON != nil && w.Form != nil:
		return ErrScript.Say("json and form go not together.")
	case w.JSON != nil:
		out.Header.Set("Content-Type", "application/json")
		out.Body, err = json.Marshal(swapped(w.JSON, secrets))
		return err
	case w.Form != nil:
		form := url.Values{}
		for name, v := range w.Form {
			form.Set(name, swapped(v, secrets).(string))
		}
		out.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		out.Body = []byte(form.Encode())
	default:
		out.Method = http.MethodGet
	}
	return nil
}

// swapped is a value with secrets where their stand-ins were: whole texts, so that none is quoted wrongly.
func swapped(v any, secrets map[string]string) any {
	switch v := v.(type) {
	case string:
		if plain, ok := secrets[v]; ok {
			return plain
		}
	case []any:
		for i := range v {
			v[i] = swapped(v[i], secrets)
		}
	case map[string]any:
		for name := range v {
			v[name] = swapped(v[name], secrets)
		}
	}
	return v
}

// shown is an answer as scripts see it.
func shown(a Answer) (json.RawMessage, error) {
	out := struct {
		Status int             `json:"status"`
		Type   string          `json:"type"` // Content-Type, in lower case
		Text   string          `json:"text"`
		JSON   json.RawMessage `json:"json"` // what Text is where it is JSON; else null
	}{Status: a.Status, Type: strings.ToLower(a.Type)}
	if len(a.Body) > maxAnswer {
		return nil, ErrService.Say("The service's answer has more than %d bytes.", maxAnswer)
	}
	out.Text = strings.ToValidUTF8(string(a.Body), "\ufffd")
	if out.JSON = json.RawMessage("null"); json.Valid(a.Body) && deep(a.Body) <= maxDeep {
		out.JSON = a.Body
	}
	raw, err := json.Marshal(out)
	return raw, err
}

// maxDeep is how many levels the JSON of an answer may have: the engine reads it by calling itself.
const maxDeep = 50

// deep is how many levels JSON has.
func deep(raw []byte) (most int) {
	level, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch ch := raw[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case !quoted && (ch == '{' || ch == '['):
			level++
			most = max(most, level)
		case !quoted && (ch == '}' || ch == ']'):
			level--
		}
	}
	return most
}

// Cause is what administrators read of a failure: never a text that has a secret in it.
func Cause(err error, secrets map[string]string) string {
	why := fault.Of(err).Public
	if errors.Is(err, context.DeadlineExceeded) {
		why = "The service and the script took too long together."
	}
	for _, plain := range secrets {
		if plain != "" && strings.Contains(why, plain) {
			return "The script failed; what it said has a secret in it, and is not shown."
		}
	}
	return why
}
