// Package audit keeps what happened. Events are rows of the transactions they tell of. Each row carries its own hash; a
// sealer chains the hashes per tenant and signs checkpoints, so that an altered, lost, inserted or reordered event shows.
//
// What the verifier can prove: an event that was sealed is still there as it was, in its place, as far as a checkpoint
// signed by a key that the attacker does not hold covers it. What it cannot: that nothing was altered before it was sealed,
// a second or two after its commit, or between the last checkpoint and the end of the chain, a minute at most, by someone
// who writes to the tables and computes hash and chain anew; nor that the program itself did not lie.
package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrSecret is an event that would store a secret: a mistake in the program.
var ErrSecret = fault.New(fault.Internal, "event.secret", fault.ErrInternal.Public)

// ErrID is an event whose id is no UUID in lower case: a mistake in the program.
var ErrID = fault.New(fault.Internal, "event.id", fault.ErrInternal.Public)

// ErrNotFound is an event that does not exist, or that the caller may not know of.
var ErrNotFound = fault.New(fault.NotFound, "event.not_found", "The event does not exist.")

// Log is the audit log. Its exported fields are set in internal/app.
type Log struct {
	DB     *dbx.DB
	Now    func() time.Time // of the sealer; time.Now when nil
	Log    *slog.Logger     // slog.Default when nil
	Node   string           // name of this node, stored with each event
	Leases *lease.Leases    // elects the node that seals

	// Sign signs a checkpoint of a tenant and names the key; it is not called within a transaction.
	Sign func(ctx context.Context, tenant string, message []byte) (keyID string, signature []byte, err error)
	// Check verifies a signature with the public key of that name. false means forged; an error, that it cannot be told.
	Check func(ctx context.Context, tenant, keyID string, message, signature []byte) (bool, error)
	// Country gives the ISO 3166 code of an address, empty when unknown. May be nil.
	Country func(netip.Addr) string
	// Strict refuses an event that seems to hold a secret, as tests should; otherwise the value is masked.
	Strict bool

	Every time.Duration // between rounds of sealing while there is something to seal; 1 s when 0
	Links int           // places a checkpoint covers at most, about; 10,000 when 0
	Age   time.Duration // after which the end of a chain gets its checkpoint; 1 minute when 0

	once sync.Once
	bell chan struct{}
}

const columns = `tenant, id, at, type, outcome, reason, actor, actor_name, user_id, login, target, kind, name, message, ip,
	country, agent, os, mobile, session, request, node, count, fields, changes, hash`

var (
	insert = dbx.E("audit.insert", `INSERT INTO event (`+columns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	enqueue  = dbx.E("audit.enqueue", `INSERT INTO event_queue (event, tenant) VALUES (?, ?)`)
	happened = dbx.Q[string]("audit.happened", `SELECT id FROM event WHERE tenant = ? AND id = ?`)
)

// Record stores c.Event and c.Also in c.Tx. An event without a type is none. Ids are those fixed before the first try;
// an event that has none gets one.
func (l *Log) Record(ctx context.Context, c *call.Call) error {
	stored := false
	for i := -1; i < len(c.Also); i++ {
		e := c.Event
		if i >= 0 {
			e = c.Also[i]
		}
		if e == nil || e.Type == "" {
			continue
		}
		if err := l.store(ctx, c, e); err != nil {
			return err
		}
		stored = true
	}
	if stored {
		c.Tx.After(l.wake)
	}
	return nil
}

func (l *Log) store(ctx context.Context, c *call.Call, e *call.Event) error {
	r, err := l.row(c, e)
	if err != nil {
		return err
	}
	if err := insert.Later(ctx, c.Tx, r.Tenant, r.ID, r.At, r.Type, r.Outcome, r.Reason, r.Actor, r.ActorName, r.User, r.Login,
		r.Target, r.Kind, r.Name, r.Message, r.IP, r.Country, r.Agent, r.OS, r.Mobile, r.Session, r.Request, r.Node, r.Count,
		r.Fields, r.Changes, r.Hash); err != nil {
		return err
	}
	return enqueue.Later(ctx, c.Tx, r.ID, r.Tenant)
}

// row makes the row of an event; texts are cut to what a row may hold.
func (l *Log) row(c *call.Call, e *call.Event) (Row, error) {
	if e.ID == "" {
		e.ID = c.NewID()
	}
	if _, ok := identity(e.ID); !ok {
		return Row{}, ErrID.Because(fmt.Errorf("%s has the id %q", e.Type, e.ID))
	}
	r := Row{Tenant: c.Tenant.ID, ID: e.ID, At: c.Now.UnixMilli(), Type: e.Type, Outcome: e.Outcome, Reason: clean(e.Reason, 200),
		User: clean(e.User, 200), Login: clean(e.Login, 300), Target: clean(e.Target, 300), Kind: clean(e.Kind, 100),
		Name: clean(e.Name, 300), Agent: clean(c.Client.UserAgent, 500), Request: clean(c.ID, 200), Node: l.Node, Count: max(e.Count, 1)}
	if r.Outcome == "" {
		r.Outcome = "success"
	}
	if c.Caller != nil {
		r.Actor, r.ActorName, r.Session = c.Caller.User, clean(c.Caller.Name, 300), c.Caller.Session
		if r.User == "" && r.Login == "" {
			r.User, r.Login = r.Actor, r.ActorName
		}
	}
	if ip := c.Client.IP.Unmap().WithZone(""); ip.IsValid() {
		r.IP = ip.String()
		if l.Country != nil {
			r.Country = l.Country(ip)
		}
	}
	r.OS, r.Mobile = device(c.Client.UserAgent)
	var err error
	if r.Fields, err = encode(l, e.Type, e.Fields); err != nil {
		return r, err
	}
	if r.Changes, err = encode(l, e.Type, e.Changes); err != nil {
		return r, err
	}
	if r.Message = clean(e.Message, 1000); r.Message == "" {
		r.Message = clean(sentence(r), 1000)
	}
	r.Hash = r.Sum()
	return r, nil
}

// Happened says whether an event is stored: the witness of a COMMIT whose answer was lost.
func (l *Log) Happened(ctx context.Context, tx *dbx.Tx, tenant, event string) (bool, error) {
	_, err := happened.One(ctx, tx, tenant, event)
	if errors.Is(err, dbx.ErrNoRow) {
		return false, nil
	}
	return err == nil, err
}

func (l *Log) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func (l *Log) log() *slog.Logger {
	if l.Log != nil {
		return l.Log
	}
	return slog.Default()
}
