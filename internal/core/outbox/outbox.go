// Package outbox delivers what a transaction promised: mail, SMS, calls to other systems. The promise is a row written by
// the same transaction; workers deliver it after the commit and try again until it is done, is of no use any more, or
// will never succeed.
//
// Delivery is at least once: a worker may die between the delivery and the note of it. Every try carries the same id,
// so that receivers can recognise a repeat. While a worker's lease on a row holds, no other delivers it.
package outbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// What the outbox refuses.
var (
	ErrTopic    = fault.New(fault.Internal, "outbox.topic", fault.ErrInternal.Public)
	ErrKey      = fault.New(fault.Invalid, "outbox.key", "The key of a delivery is too long.")
	ErrPayload  = fault.New(fault.TooLarge, "outbox.payload", "The content of a delivery is too large.")
	ErrNotFound = fault.New(fault.NotFound, "outbox.not_found", "The delivery does not exist.")
	ErrNotDead  = fault.New(fault.Conflict, "outbox.not_dead", "Only a delivery that has failed for good can be tried again.")
	ErrExpired  = fault.New(fault.Conflict, "outbox.expired", "The delivery is of no use any more.")
)

// The states of a delivery.
const (
	Waiting = "waiting"
	Done    = "done"
	Dead    = "dead"
)

const (
	maxKey     = 500
	maxPayload = 512 << 10
	maxError   = 1000
)

// Delivery is something to deliver. Topic and Payload are required to Put; a handler gets it with everything set.
type Delivery struct {
	Topic   string
	Key     string    // what this delivery is, such as "invite/" and an id: the same key is one delivery; empty: always another
	Payload any       // becomes JSON and is sealed; handlers read it with Into
	Due     time.Time // not before; zero: at once
	Expires time.Time // of no use after, so it is given up then; zero: never

	// Set for handlers.
	ID      string // UUID v7, the same for every try
	Tenant  string
	Try     int // from 1
	Created time.Time
}

// Into decodes the payload of a delivery that a handler got.
func (d Delivery) Into(v any) error {
	raw, ok := d.Payload.(json.RawMessage)
	if !ok {
		return ErrPayload.Because(errPayload)
	}
	return json.Unmarshal(raw, v)
}

// Handler delivers. nil means done. An error means again later, after a while that grows with the tries; Permanent and
// RetryAfter say otherwise. ctx ends before the lease does.
type Handler func(ctx context.Context, d Delivery) error

// Outbox holds the promises. Its exported fields are set in internal/app; Handle is called there too, before Run.
type Outbox struct {
	DB   *dbx.DB
	Now  func() time.Time // time.Now when nil
	Log  *slog.Logger     // slog.Default when nil
	Node string           // name of this node, for people

	// Seal protects a payload within the transaction that Puts it, so the tenant's key must exist (crypt.Ring.Ensure).
	Seal func(ctx context.Context, tenant string, plaintext []byte, aad string) (string, error)
	// Open gives back what Seal was given.
	Open func(ctx context.Context, tenant, sealed, aad string) ([]byte, error)
	// Died notes, in the transaction that gives a delivery up, that it was given up, for example as an audit event. May be nil.
	Died func(ctx context.Context, tx *dbx.Tx, d Delivery, reason string) error

	Lease    time.Duration // a try may take this long less a tenth; 1 minute when 0
	Workers  int           // tries at once per topic and node; 4 when 0
	Tries    int           // then a delivery is given up; 20 when 0, which is about a day
	Backoff  time.Duration // before the second try, doubled each time up to an hour; 5 s when 0
	KeepDone time.Duration // how long delivered rows stay, and with them the memory of their keys; 7 days when 0
	KeepDead time.Duration // how long rows given up stay; 30 days when 0

	lanes  map[string]*lane
	holder string
	once   sync.Once
}

var insert = dbx.E("outbox.insert", `INSERT INTO outbox
	(id, tenant, topic, dedup, payload, created, due, expires, tries, holder, held, state, error, ended)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, 'waiting', '', 0)
	ON CONFLICT (tenant, topic, dedup) DO NOTHING`)

// Handle sets the handler of a topic. A node delivers the topics it has handlers for.
func (o *Outbox) Handle(topic string, f Handler) {
	if o.lanes == nil {
		o.lanes = map[string]*lane{}
	}
	o.lanes[topic] = &lane{o: o, topic: topic, handle: f, wake: make(chan struct{}, 1)}
}

// Put promises a delivery in c.Tx. A delivery whose key was promised before is the same one: nothing is added.
func (o *Outbox) Put(ctx context.Context, c *call.Call, d Delivery) error {
	if d.Topic == "" || len(d.Topic) > maxKey {
		return ErrTopic
	}
	if len(d.Key) > maxKey {
		return ErrKey
	}
	plain, err := json.Marshal(d.Payload)
	if err != nil {
		return fault.ErrInternal.Because(err)
	}
	if len(plain) > maxPayload {
		return ErrPayload
	}
	id := c.NewID()
	if d.Key == "" {
		d.Key = id
	}
	sealed, err := o.Seal(ctx, c.Tenant.ID, plain, aad(id))
	if err != nil {
		return err
	}
	now := o.now()
	due := now
	if d.Due.After(now) {
		due = d.Due
	}
	var expires int64
	if !d.Expires.IsZero() {
		expires = d.Expires.UnixMilli()
	}
	n, err := insert.Do(ctx, c.Tx, id, c.Tenant.ID, d.Topic, d.Key, sealed, now.UnixMilli(), due.UnixMilli(), expires)
	if err != nil || n == 0 {
		return err
	}
	c.Tx.After(func() { o.wake(d.Topic) })
	return nil
}

// aad ties a sealed payload to its row.
func aad(id string) string { return "outbox/" + id }

func (o *Outbox) wake(topic string) {
	if l := o.lanes[topic]; l != nil {
		l.poke()
	}
}

func (o *Outbox) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

func (o *Outbox) log() *slog.Logger {
	if o.Log != nil {
		return o.Log
	}
	return slog.Default()
}

// self names this process, so that a lease of an earlier one under the same node name is not taken for its own.
func (o *Outbox) self() string {
	o.once.Do(func() { o.holder = o.Node + "/" + rand.Text() })
	return o.holder
}
