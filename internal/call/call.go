// Package call is what the domain gets of a request: who asks, of which tenant, what the decision allows, the
// transaction, the clock, ids, and the audit event. Listeners that are not HTTP build one and run the same code.
package call

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"io"
	"net/netip"
	"strings"
	"time"

	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/dbx"
)

// Tenant is the tenant a call belongs to.
type Tenant struct {
	ID   string // the contract's form, three letters and four digits, as ABC1234
	Host string // preferred host name with its port unless 443, as PodFqdn shows it
}

// Means is how a caller proved who they are.
type Means uint8

// The means.
const (
	BySession  Means = iota + 1 // opaque session token, by cookie or bearer
	ByPlatform                  // platform JWT of a session
	ByOAuth                     // OAuth 2.0 access token
	ByToken                     // long-lived API token
	ByCert                      // client certificate
	ByShell                     // the server's own command line
)

// Caller is who asks. It is a snapshot of cached facts, read only.
type Caller struct {
	User    string // UUID
	Name    string // login name
	Org     string // organization of the caller; empty when in none
	Session string // id of the session; empty for machine tokens
	Means   Means
	Machine bool   // ByOAuth: a program that comes in its own name, by client credentials
	Cookie  bool   // proved by a cookie, so that a browser may have sent it unasked
	Level   string // Normal or High: High after two factors or a step-up
	// Setup says that the session can do nothing but set up what its person signs in with (op.Spec.Setup).
	Setup  bool
	Proved time.Time // when they last showed what they sign in with; of means other than sessions the time of the call
	Roles  []string
	Held   right.Held
	// Workspace is the organization that the token is for, of dialects whose tokens are for one; empty: for none. It limits nothing by
	// itself: operations act on it that name no other.
	Workspace string
	Key       string // the API key by which the token was made, as the hash of its secret; empty: by none
}

// Client is where the call comes from.
type Client struct {
	IP        netip.Addr
	Host      string // as asked for, lower case, with its port unless 443
	UserAgent string
	Native    bool   // sent the native-client header, so it is no browser
	Device    string // value of the device cookie; empty when none was sent
	Watched   bool   // the browser has the cookie by which pages of applications watch its session
	Secure    bool   // came over TLS, here or at a trusted proxy
	Forged    bool   // a session's cookie came along that nothing shows was sent on purpose; it proves nobody
	Path      string // as asked for
	// Certs are the certificate by which the client made the connection, first, and what it sent along. That it holds the key is
	// proved; who it is is not: its issuer has not been checked.
	Certs []*x509.Certificate
}

// Change is one field's old and new value in an event.
type Change struct {
	Old any `json:"old"`
	New any `json:"new"`
}

// Event is an audit record. Run may fill it; the kernel gives id, time, actor and outcome. Secrets never go in.
type Event struct {
	ID      string // UUID v7, fixed before the first try: its presence tells whether a write happened
	Type    string // as the Event table names it, for example Cloud.Core.Login
	Outcome string // success, refused, denied, failed
	Reason  string // fault code of what is not a success
	Target  string // id of the object
	Kind    string // kind of the object: User, Role, Tenant ...
	Name    string // name of the object at the time
	Message string // readable line; empty: made from type, actor and target
	User    string // UUID of the person the event is about, when not the caller
	Login   string // login name of that person, or the name tried at a failed sign-in
	Count   int64  // how many times, for coalesced failures; 0 counts as 1
	Fields  map[string]any
	Changes map[string]Change
}

// Set adds a field.
func (e *Event) Set(name string, value any) {
	if e.Fields == nil {
		e.Fields = map[string]any{}
	}
	e.Fields[name] = value
}

// Changed notes a field's old and new value; equal values leave no trace.
func Changed[T comparable](e *Event, name string, from, to T) {
	if from != to {
		e.Change(name, from, to)
	}
}

// Change notes a field's old and new value as they are told, which may be alike where the field is secret.
func (e *Event) Change(name string, from, to any) {
	if e.Changes == nil {
		e.Changes = map[string]Change{}
	}
	e.Changes[name] = Change{from, to}
}

// maxBrief is how much of a long text events keep, in bytes.
const maxBrief = 1000

// Brief is the beginning of a long text, such as a script, for an event.
func Brief(text string) string {
	if len(text) > maxBrief {
		return strings.ToValidUTF8(text[:maxBrief], "") + "..."
	}
	return text
}

// Call is one request on its way through the domain.
type Call struct {
	ID     string // request id, <guid>:<32 hex>, also in the log and in ErrorID
	Tenant Tenant
	Caller *Caller // nil when anonymous
	Client Client
	Grant  grant.Grant
	Tx     *dbx.Tx // nil outside transactions
	Now    time.Time
	Rand   io.Reader
	Event  *Event   // the operation's own event, nil for reads
	Wrote  int64    // sequence of the last change that this call wrote; 0: none (core/change)
	Also   []*Event // further events of the same transaction
	made   uint16   // ids so far
	noise  [16]byte // randomness on its way into an id

	// Snapshot runs f with Tx set to a short read snapshot. Prepare and operations that work outside transactions
	// read through it; it must not be used while Tx is set.
	Snapshot func(ctx context.Context, f func() error) error
}

// User is the caller's UUID; empty when anonymous.
func (c *Call) User() string {
	if c.Caller == nil {
		return ""
	}
	return c.Caller.User
}

// NewID makes a UUID version 7: ids made later sort later, which keeps indexes dense. Those of one call sort in the order
// in which they were made, up to 4,096 of them.
func (c *Call) NewID() string {
	var room [idLen]byte
	return string(c.newID(room[:0]))
}

func (c *Call) newID(b []byte) []byte {
	c.made++
	read(c.Rand, c.noise[:8])
	return appendID(b, c.Now, c.noise[:8], c.made&0xfff)
}

// NewRequestID makes the id of a request: a UUID as of NewID, a colon, and 128 bits in hexadecimal.
func (c *Call) NewRequestID() string {
	var raw [16]byte
	read(c.Rand, c.noise[:])
	copy(raw[:], c.noise[:])
	var room [idLen + 1 + 32]byte
	return string(hex.AppendEncode(append(c.newID(room[:0]), ':'), raw[:]))
}

// NewID makes a UUID version 7 (RFC 9562 section 5.7) of the given time.
func NewID(now time.Time, rand io.Reader) string {
	var b [10]byte
	read(rand, b[:2])
	read(rand, b[2:])
	return string(appendID(make([]byte, 0, idLen), now, b[2:], uint16(b[0])<<8|uint16(b[1])))
}

const idLen = 36

// appendID appends one with eight random bytes whose twelve bits behind the time are count, which orders the ids of one millisecond
// (RFC 9562 section 6.2, method 1).
func appendID(b []byte, now time.Time, random []byte, count uint16) []byte {
	var u [16]byte
	copy(u[8:], random)
	ms := now.UnixMilli()
	for i := range 6 {
		u[i] = byte(ms >> (8 * (5 - i)))
	}
	u[6] = byte(count>>8)&0x0f | 0x70
	u[7] = byte(count)
	u[8] = u[8]&0x3f | 0x80
	for i, part := range [][]byte{u[:4], u[4:6], u[6:8], u[8:10], u[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

func read(rand io.Reader, b []byte) {
	if _, err := io.ReadFull(rand, b); err != nil {
		panic("call: the system gives no randomness: " + err.Error()) // nothing safe can be done without it
	}
}

// Record adds a further event to the call and returns it for filling.
func (c *Call) Record(kind string) *Event {
	e := &Event{ID: c.NewID(), Type: kind, Outcome: "success"}
	c.Also = append(c.Also, e)
	return e
}
