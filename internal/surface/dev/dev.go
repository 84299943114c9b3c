// Package dev shows a developer what the program would have sent: with --dev, mail and text messages land on a page
// instead of leaving the machine.
package dev

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/page"
)

// Message is one mail or text message that was not sent.
type Message struct {
	At      time.Time `json:"at"`
	Channel string    `json:"channel"` // mail or sms
	Tenant  string    `json:"tenant"`
	To      string    `json:"to"`
	Subject string    `json:"subject,omitempty"`
	Text    string    `json:"text"`
	HTML    string    `json:"html,omitempty"`
}

// kept is how many messages are remembered; older ones are forgotten.
const kept = 500

// Tray keeps messages in memory.
type Tray struct {
	mu   sync.Mutex
	list []Message
}

// Put adds a message.
func (t *Tray) Put(m Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) == kept {
		t.list = append(t.list[:0], t.list[1:]...)
	}
	t.list = append(t.list, m)
}

// To gives the messages to an address, all when it is empty, newest first.
func (t *Tray) To(address string) []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := []Message{}
	for i := len(t.list) - 1; i >= 0; i-- {
		if address == "" || t.list[i].To == address {
			out = append(out, t.list[i])
		}
	}
	return out
}

// Outbox are the operations on the tray. They are mounted with --dev only, and answer callers on the same machine only.
type Outbox struct {
	Tray *Tray
}

// ErrElsewhere refuses callers from other machines.
var ErrElsewhere = fault.New(fault.Denied, "dev.elsewhere", "The outbox page is for callers on the same machine.")

// Ops declares them.
func (o Outbox) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: "/dev/outbox", Allow: op.Anonymous, Effect: op.Cached, Faults: []*fault.Error{ErrElsewhere}}, o.Page),
		op.New(op.Spec{Method: http.MethodGet, Path: "/dev/outbox.json", Allow: op.Anonymous, Effect: op.Cached, Faults: []*fault.Error{ErrElsewhere}}, o.List),
	}
}

// Filter picks messages.
type Filter struct {
	// To is an address or number; empty for all.
	To string
}

// Page shows the messages, newest first, as a page that needs no script.
func (o Outbox) Page(_ context.Context, c *op.Call, in Filter) (op.Page, error) {
	if !c.Client.IP.IsLoopback() {
		return op.Page{}, ErrElsewhere
	}
	html, err := render(o.Tray.To(in.To), in.To)
	return op.Page{HTML: html, CSP: page.CSP}, err
}

// List gives the messages as JSON, newest first, for scripts and tests.
func (o Outbox) List(_ context.Context, c *op.Call, in Filter) (op.JSON, error) {
	if !c.Client.IP.IsLoopback() {
		return op.JSON{}, ErrElsewhere
	}
	return op.JSON{Body: o.Tray.To(in.To)}, nil
}

// Codec reads a filter from the query and writes faults as JSON.
type Codec struct{}

// Methods is the declared one.
func (Codec) Methods(o *op.Op) []string { return []string{o.Method} }

// Credentials are none: the page is for whoever runs the program.
func (Codec) Credentials(*http.Request) op.Credentials { return op.Credentials{} }

// Decode reads the query.
func (Codec) Decode(r *op.Request, in any) error {
	q, err := url.ParseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return fault.ErrMalformed.Because(err)
	}
	if f, ok := in.(*Filter); ok {
		f.To = q.Get("to")
	}
	return nil
}

// Result writes JSON.
func (Codec) Result(w http.ResponseWriter, r *op.Request, _ *op.Call, out any) {
	op.JSON{Body: out}.Write(w, r.HTTP)
}

// Fault writes the code and the sentence as JSON.
func (Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, _ any) {
	status := http.StatusBadRequest
	if f.Kind == fault.Denied {
		status = http.StatusForbidden
	} else if f.Kind == fault.Internal {
		status = http.StatusInternalServerError
	}
	body, _ := json.Marshal(map[string]string{"code": f.Code, "message": f.Public, "id": c.ID}) // strings always encode
	op.JSON{Code: status, Body: json.RawMessage(body)}.Write(w, r.HTTP)
}
