// Package radius is what a tenant set up for RADIUS (RFC 2865): clients, which are devices and servers that ask here who somebody is, and
// servers elsewhere, which are asked here whether a passcode is somebody's. Secrets are sealed and never shown.
package radius

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/lockout"
	"limen/internal/core/outbox"
	"limen/internal/core/profile"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Topic is the topic of changes, with the tenant as the item.
const Topic = "radius"

// Purpose is that under which secrets are sealed (crypt.Ring).
const Purpose = "radius"

// Faults of what is set up.
var (
	ErrNotFound = fault.New(fault.NotFound, "radius.not_found", "The requested data or its dependent data was not found in the service.")
	ErrTaken    = fault.New(fault.Exists, "radius.name_taken", "The name is in use.")
	ErrAddress  = fault.New(fault.Exists, "radius.address_taken", "Another client has this address.")
	ErrMany     = fault.New(fault.Conflict, "radius.many", "The tenant has as many of these as it may have.")
	ErrProfile  = fault.New(fault.NotFound, "radius.profile", "There is no authentication profile with this id.")
)

// ErrLockout warns of a change after which the caller could not sign in any more.
var ErrLockout = lockout.Warning("radius.lockout")

// Limits of what is set up.
const (
	MaxClients = 500
	MaxServers = 20
	MaxIDs     = 200 // removed by one call
	maxName    = 200 // bytes
	maxText    = 1000
	minSecret  = 16 // of clients, bytes: RFC 2865 section 3
	maxSecret  = 128
)

// Setup is what tenants set up. The exported fields are set before Start.
type Setup struct {
	DB       *dbx.DB
	Ring     *crypt.Ring
	Changes  *change.Log
	Profiles *profile.Profiles
	// Ask asks servers elsewhere.
	Ask Ask
	// Lookup gives the addresses of a host name; nil: clients that are known by a name are not answered.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Promise promises a delivery in c.Tx.
	Promise func(ctx context.Context, c *call.Call, d outbox.Delivery) error
	// Plain says whether a person holds no right to administrate anything; nil: everybody does not.
	Plain func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Lockout refuses, with the warning, a change that was made in c.Tx and shuts out those who could undo it. Nil: none does.
	Lockout func(ctx context.Context, c *call.Call, warning *fault.Error) error

	generation atomic.Int64 // counts what must be forgotten
	table      atomic.Pointer[table]
	loading    sync.Mutex
	names      names
}

// line checks a text of one line.
func line(field, s string, least, most int) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) < least || len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fault.Bad(field, "has %d to %d bytes and no control characters", least, most)
	}
	return s, nil
}

// seal seals a secret of a client or server; outside transactions. An empty one is left.
func (s *Setup) seal(ctx context.Context, c *call.Call, id, secret string, least int) (string, error) {
	if secret == "" {
		return "", nil
	}
	if len(secret) < least || len(secret) > maxSecret || strings.ContainsRune(secret, 0) {
		return "", fault.Bad("Secret", "has %d to %d bytes", least, maxSecret)
	}
	if err := s.Ring.Ensure(ctx, c.Tenant.ID, Purpose); err != nil {
		return "", err
	}
	return s.Ring.Seal(ctx, c.Tenant.ID, Purpose, []byte(secret), id)
}

// Open opens the sealed secret of a client or server.
func (s *Setup) Open(ctx context.Context, tenant, id, sealed string) ([]byte, error) {
	return s.Ring.Open(ctx, tenant, Purpose, sealed, id)
}

// told ends a change: every node forgets what it knew.
func (s *Setup) told(ctx context.Context, c *call.Call) error {
	return s.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

// stays makes a change of servers, which is refused where it shuts out who could undo it, unless force is set or they were out before.
func (s *Setup) stays(ctx context.Context, c *call.Call, force bool, change func() error) error {
	guarded := s.Lockout != nil && !force
	if guarded {
		err := s.Lockout(ctx, c, ErrLockout)
		if err != nil && fault.Of(err).Code != ErrLockout.Code {
			return err
		}
		guarded = err == nil
	}
	if err := change(); err != nil {
		return err
	}
	if err := s.told(ctx, c); err != nil || !guarded {
		return err
	}
	return s.Lockout(ctx, c, ErrLockout)
}

// event is the event of a change: the call's own at first, then others of the same kind.
func event(c *call.Call, i int) *call.Event {
	if c.Event == nil || i == 0 {
		return c.Event
	}
	return c.Record(c.Event.Type)
}

func keyOf(name string) string { return fold.Key(name) }

func taken(name string) error { return ErrTaken.At("Name").Say("The name %s is in use.", name) }
