// Package session keeps people signed in. A session is opened by an opaque token, which is stored as its hash and is
// the value of the cookie .ASPXAUTH and of Result.Auth (authentication.yaml). Identify answers who a token belongs to
// from memory, with the person's rights, and forgets that as soon as anything it rests on changes.
package session

import (
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of sessions.
var (
	ErrNone = fault.New(fault.Unauthenticated, "session.none", "You do not have access to this content. The session is unknown or has ended. Sign in again.")
	// ErrStale is for those who want to change what proves who they are, and proved it too long ago.
	ErrStale = fault.New(fault.Denied, "auth.stale", "Sign in again to change this.")
	// ErrUnknown is for those who name a session by its id.
	ErrUnknown = fault.New(fault.NotFound, "session.not_found", "The requested data or its dependent data was not found in the service.")
)

// Levels of assurance, as the contract's AuthLevel.
const (
	Normal = "Normal"
	High   = "High" // two factors, or a step-up
	// Setup is the level of those who have regained their account: they can do nothing but set up what they sign in with.
	Setup = "Setup"
)

// Session is a row of a signed-in person. Times are milliseconds since 1970 UTC.
type Session struct {
	Tenant     string `db:"tenant"`
	ID         string `db:"id"`
	User       string `db:"user_id"`
	Hash       []byte `db:"hash"`
	Level      string `db:"level"`   // Normal, High, Setup
	Factors    string `db:"factors"` // mechanisms passed, comma separated, in their order
	Persistent bool   `db:"persistent"`
	IP         string `db:"ip"`
	Agent      string `db:"agent"`
	Device     []byte `db:"device"` // hash of the device cookie; empty when none was sent
	Created    int64  `db:"created"`
	Seen       int64  `db:"seen"`    // last call, within some seconds
	Idle       int64  `db:"idle"`    // ms without a call after which it ends
	Expires    int64  `db:"expires"` // absolute end
	Ended      int64  `db:"ended"`   // 0: not ended by anyone
	Proved     int64  `db:"proved"`  // when the person last showed what they sign in with: at its creation, or at a step-up
}

// Alive says whether the session is good at now.
func (s Session) Alive(now time.Time) bool {
	ms := now.UnixMilli()
	return s.Ended == 0 && ms < s.Expires && ms < s.Seen+s.Idle
}

// Holder is what a session's person is and holds at a moment.
type Holder struct {
	Name   string // login name
	Org    string // organization; empty when in none
	Barred bool   // may not use the account: none of their sessions proves anything
	Roles  []string
	Held   right.Held
	// Until is when any of this changes by itself: the next from or until of a right, the end of the account. Zero:
	// it does not.
	Until time.Time
}

// Sessions are the sessions of all tenants on this node. The fields are set once, before use.
type Sessions struct {
	DB *dbx.DB // for Flush and Sweep, which are nobody's request
	// Holder reads a person of the call's tenant, in c.Tx. A NotFound fault says that there is no such person.
	Holder func(ctx context.Context, c *call.Call, userID string) (Holder, error)
	// Put publishes a change (core/change).
	Put func(ctx context.Context, c *call.Call, topic, item string) error
	// Proof is for how long a proof of who one is lets one change it, by the call's tenant; 0: for ever. Nil: for ever.
	Proof func(ctx context.Context, c *call.Call) (time.Duration, error)
	// Fresh says whether this node learns of changes at present; while it does not, nothing is answered from memory.
	// Nil: always.
	Fresh func() bool
	Max   int // most sessions kept in memory; 200,000 when 0
	// Over hears, in the same transaction, that all of a person's sessions end, or all but the one in which they asked for it.
	// May be nil.
	Over func(ctx context.Context, c *call.Call, userID string) error
	// Left hears, in the same transaction, that one session was signed out of. May be nil.
	Left func(ctx context.Context, c *call.Call, id string) error

	cache cache
	dirty dirty
}

// New is what Create makes a session of.
type New struct {
	User       string // UUID
	Level      string // Normal when empty
	Factors    []string
	Persistent bool // kept by the browser when it closes
	IP         string
	Agent      string
	Device     []byte        // hash of the device cookie
	Idle       time.Duration // 20 minutes when 0
	Life       time.Duration // 12 hours when 0
	Long       bool          // the token has the form of the Vault's API
	Unproved   bool          // nobody showed what the person signs in with, so nothing that proves who one is can be changed
}

// Lifetimes that nobody has set.
const (
	defaultIdle = 20 * time.Minute
	defaultLife = 12 * time.Hour
)

const columns = `tenant, id, user_id, hash, level, factors, persistent, ip, agent, device, created, seen, idle, expires, ended, proved`

var (
	insertRow = dbx.E("session.insert", `INSERT INTO session (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`)
	byHash    = dbx.Q[Session]("session.by_hash", `SELECT `+columns+` FROM session WHERE hash = ?`)
	byID      = dbx.Q[Session]("session.by_id", `SELECT `+columns+` FROM session WHERE tenant = ? AND id = ?`)
	ofUser    = dbx.Q[Session]("session.of_user", `SELECT `+columns+` FROM session
		WHERE tenant = ? AND user_id = ? AND ended = 0 AND expires > ? AND seen + idle > ? ORDER BY created DESC, id LIMIT 1000`)
	// rotateRow leaves alone who can only set up what they sign in with: no proof makes more of their session.
	rotateRow = dbx.E("session.rotate", `UPDATE session SET hash = ?, level = ?, factors = ?, seen = ?, proved = ?
		WHERE tenant = ? AND id = ? AND ended = 0 AND expires > ? AND level <> 'Setup'`)
	endRow = dbx.E("session.end", `UPDATE session SET ended = ?, expires = ? WHERE tenant = ? AND id = ? AND ended = 0`)
	endAll = dbx.E("session.end_all", `UPDATE session SET ended = ?, expires = ? WHERE tenant = ? AND user_id = ? AND id <> ? AND ended = 0`)
)

// Create opens a session and gives the token that proves it, which is shown only here.
func (s *Sessions) Create(ctx context.Context, c *call.Call, n New) (token string, made Session, err error) {
	draw := crypt.NewAuth
	if n.Long {
		draw = crypt.NewLong
	}
	token, hash := draw(c.Rand)
	if n.Level == "" {
		n.Level = Normal
	}
	if n.Idle <= 0 {
		n.Idle = defaultIdle
	}
	if n.Life <= 0 {
		n.Life = defaultLife
	}
	device := n.Device
	if device == nil {
		device = []byte{}
	}
	now := c.Now.UnixMilli()
	made = Session{
		Tenant: c.Tenant.ID, ID: c.NewID(), User: n.User, Hash: hash, Level: n.Level, Factors: strings.Join(n.Factors, ","),
		Persistent: n.Persistent, IP: n.IP, Agent: clip(n.Agent, 500), Device: device,
		Created: now, Seen: now, Idle: n.Idle.Milliseconds(), Expires: now + n.Life.Milliseconds(), Proved: now,
	}
	if n.Unproved {
		made.Proved = 0
	}
	err = insertRow.Later(ctx, c.Tx, made.Tenant, made.ID, made.User, made.Hash, made.Level, made.Factors, made.Persistent,
		made.IP, made.Agent, made.Device, made.Created, made.Seen, made.Idle, made.Expires, made.Proved)
	return token, made, err
}

// clip bounds a text in bytes without cutting a character.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// Find gives a living session by its id; ErrUnknown when there is none.
func (s *Sessions) Find(ctx context.Context, c *call.Call, id string) (Session, error) {
	row, err := byID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && !row.Alive(c.Now) {
		return Session{}, ErrUnknown
	}
	return row, err
}

// List gives a person's living sessions, the newest first, at most a thousand.
func (s *Sessions) List(ctx context.Context, c *call.Call, userID string) ([]Session, error) {
	now := c.Now.UnixMilli()
	return ofUser.All(ctx, c.Tx, c.Tenant.ID, userID, now, now)
}

// Rotate gives a session another token and raises what it proves: after a step-up a token that was stolen before is
// worth nothing. ErrUnknown when the session does not live.
func (s *Sessions) Rotate(ctx context.Context, c *call.Call, id, level string, factors []string) (token string, err error) {
	token, hash := crypt.NewAuth(c.Rand)
	now := c.Now.UnixMilli()
	n, err := rotateRow.Do(ctx, c.Tx, hash, level, strings.Join(factors, ","), now, now, c.Tenant.ID, id, now)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", ErrUnknown
	}
	return token, s.changed(ctx, c, "session", id)
}

// End ends one session. An unknown or ended one is no error.
func (s *Sessions) End(ctx context.Context, c *call.Call, id string) error {
	now := c.Now.UnixMilli()
	n, err := endRow.Do(ctx, c.Tx, now, now, c.Tenant.ID, id)
	if err != nil || n == 0 {
		return err
	}
	if s.Left != nil {
		if err := s.Left(ctx, c, id); err != nil {
			return err
		}
	}
	return s.changed(ctx, c, "session", id)
}

// EndAll ends every session of a person except one (empty: without exception) and says how many. It is what signs out
// everywhere; so does whatever bars the person.
func (s *Sessions) EndAll(ctx context.Context, c *call.Call, userID, except string) (int64, error) {
	now := c.Now.UnixMilli()
	n, err := endAll.Do(ctx, c.Tx, now, now, c.Tenant.ID, userID, except)
	if err == nil && s.Over != nil {
		err = s.Over(ctx, c, userID)
	}
	if err != nil || n == 0 {
		return n, err
	}
	return n, s.changed(ctx, c, "user", userID)
}

func (s *Sessions) changed(ctx context.Context, c *call.Call, topic, id string) error {
	item := c.Tenant.ID + "/" + id
	c.Tx.After(func() { s.forget(topic, item) })
	if s.Put == nil {
		return nil
	}
	return s.Put(ctx, c, topic, item)
}
