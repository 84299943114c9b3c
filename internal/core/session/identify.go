package session

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// maxToken bounds what is hashed for a caller.
const maxToken = 512

// reread is how long an answer is kept in memory at most, whatever the change log says.
const reread = 5 * time.Minute

// Identify says whose token it is and in which tenant. It answers from memory, without a transaction, where it can,
// and marks the session as seen. ErrNone when the token opens nothing: unknown, ended, expired, or its person barred.
// It uses of c only Now and Snapshot, and c.Tenant while it reads.
func (s *Sessions) Identify(ctx context.Context, c *call.Call, token string) (call.Caller, string, error) {
	if token == "" || len(token) > maxToken {
		return call.Caller{}, "", ErrNone
	}
	hash := [32]byte(crypt.TokenHash(token))
	if e := s.remembered(c, s.cache.byHash(hash)); e != nil {
		return e.caller, e.tenant, nil
	}
	return s.load(ctx, c, func() (Session, error) { return byHash.One(ctx, c.Tx, hash[:]) })
}

// IdentifyID is Identify for what names a session by its id and was proved otherwise, such as a platform JWT.
func (s *Sessions) IdentifyID(ctx context.Context, c *call.Call, tenant, id string) (call.Caller, string, error) {
	if e := s.remembered(c, s.cache.bySession(tenant+"/"+id)); e != nil {
		return e.caller, e.tenant, nil
	}
	return s.load(ctx, c, func() (Session, error) { return byID.One(ctx, c.Tx, tenant, id) })
}

// remembered gives e back when it may be answered from memory, and marks it as seen.
func (s *Sessions) remembered(c *call.Call, e *entry) *entry {
	if e == nil || s.Fresh != nil && !s.Fresh() {
		return nil
	}
	now := c.Now.UnixMilli()
	// A session idle for too long here may have been used on another node: the store knows.
	if now >= e.until || now >= e.seen.Load()+e.idle {
		return nil
	}
	s.touch(e, now)
	return e
}

func (s *Sessions) load(ctx context.Context, c *call.Call, find func() (Session, error)) (call.Caller, string, error) {
	generation := s.cache.now()
	before := c.Tenant
	defer func() { c.Tenant = before }()
	var row Session
	var h Holder
	err := c.Snapshot(ctx, func() (err error) {
		if row, err = find(); err != nil {
			return err
		}
		if !row.Alive(c.Now) {
			return ErrNone
		}
		c.Tenant = call.Tenant{ID: row.Tenant}
		h, err = s.Holder(ctx, c, row.User)
		return err
	})
	switch {
	case errors.Is(err, dbx.ErrNoRow) || err != nil && fault.Of(err).Kind == fault.NotFound:
		return call.Caller{}, "", ErrNone
	case err != nil:
		return call.Caller{}, "", err
	case h.Barred:
		return call.Caller{}, "", ErrNone
	}
	e := newEntry(row, h, c.Now)
	if s.Fresh == nil || s.Fresh() {
		s.cache.put(e, generation, s.Max)
	}
	s.touch(e, c.Now.UnixMilli())
	return e.caller, e.tenant, nil
}

func newEntry(row Session, h Holder, now time.Time) *entry {
	e := &entry{
		hash: [32]byte(row.Hash), tenant: row.Tenant, session: row.Tenant + "/" + row.ID, user: row.Tenant + "/" + row.User,
		read: now, idle: row.Idle, until: min(row.Expires, now.Add(reread).UnixMilli()),
		caller: call.Caller{
			User: row.User, Name: h.Name, Org: h.Org, Session: row.ID, Means: call.BySession, Level: row.Level, Setup: row.Level == Setup,
			Proved: time.UnixMilli(row.Proved),
			Roles:  h.Roles, Held: h.Held,
		},
	}
	if !h.Until.IsZero() {
		e.until = min(e.until, h.Until.UnixMilli())
	}
	e.seen.Store(row.Seen)
	e.stored.Store(row.Seen)
	return e
}

// Watch registers what must be forgotten with a change log's Watch.
func (s *Sessions) Watch(watch func(topic string, f func(item string))) {
	for _, topic := range []string{"session", "user", "role"} {
		watch(topic, func(item string) { s.forget(topic, item) })
	}
}

// Reload forgets what this node remembers of a person's sessions.
func (s *Sessions) Reload(tenant, userID string) { s.forget("user", tenant+"/"+userID) }

// everything is the item of a change log that has missed changes (change.Reset).
const everything = "*"

func (s *Sessions) forget(topic, item string) {
	switch {
	case item == everything:
		s.cache.drop(nil)
	case topic == "session":
		s.cache.dropKey(kindSession, item)
	case topic == "user":
		s.cache.dropKey(kindUser, item)
	case topic == "role":
		s.cache.drop(func(e *entry) bool { return e.tenant == item })
	}
}
