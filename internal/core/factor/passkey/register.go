package passkey

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Registration is what somebody wants to register.
type Registration struct {
	Name    string // by which they know it, required
	Kind    string
	Site    Site
	Company string // that the browser names
}

// pendingRow is a registration that waits for the authenticator.
type pendingRow struct {
	Session   string `db:"session"`
	Challenge string `db:"challenge"`
	Name      string `db:"name"`
	Kind      string `db:"kind"`
	RP        string `db:"rp"`
	Origin    string `db:"origin"`
	Expires   int64  `db:"expires"`
}

var (
	putPending = dbx.E("passkey.put_pending", `INSERT INTO passkey_pending (tenant, user_id, session, challenge, name, kind, rp, origin, expires)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, user_id) DO UPDATE SET session = excluded.session, challenge = excluded.challenge,
		name = excluded.name, kind = excluded.kind, rp = excluded.rp, origin = excluded.origin, expires = excluded.expires`)
	findPending = dbx.Q[pendingRow]("passkey.find_pending", `SELECT session, challenge, name, kind, rp, origin, expires FROM passkey_pending
		WHERE tenant = ? AND user_id = ?`)
	spend  = dbx.E("passkey.spend", `DELETE FROM passkey_pending WHERE tenant = ? AND user_id = ? AND challenge = ?`)
	forget = dbx.E("passkey.forget", `DELETE FROM passkey_pending WHERE tenant = ? AND user_id = ?`)
	sweep  = dbx.S("passkey.sweep", "passkey_pending", "tenant, user_id", "expires < ?")
)

// Sweep removes registrations of all tenants that nobody finished before a time.
func Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweep.Run(ctx, db, before.UnixMilli())
}

// Begin opens a registration in the caller's session, in place of an earlier one, and gives what the browser is told. Faults:
// ErrTooMany, and those of the name.
func (k Keys) Begin(ctx context.Context, c *call.Call, p factor.Person, want Registration) (Creation, error) {
	want.Name = strings.TrimSpace(want.Name)
	if len(want.Name) > maxName || !utf8.ValidString(want.Name) || strings.ContainsFunc(want.Name, unicode.IsControl) {
		return Creation{}, fault.Bad("userDefinedName", "may have %d bytes and no control characters", maxName)
	}
	have, err := k.List(ctx, c, p.ID)
	if err != nil {
		return Creation{}, err
	}
	if len(have) >= MaxKeys {
		return Creation{}, ErrTooMany
	}
	challenge, err := draw(c)
	if err != nil {
		return Creation{}, err
	}
	_, err = putPending.Do(ctx, c.Tx, c.Tenant.ID, p.ID, sessionOf(c), challenge, want.Name, want.Kind, want.Site.RP, want.Site.Origin, c.Now.Add(wait).UnixMilli())
	return creation(p, want, challenge, have), err
}

// draw makes a challenge.
func draw(c *call.Call) (string, error) {
	raw := make([]byte, 32)
	_, err := io.ReadFull(c.Rand, raw)
	return base64.RawURLEncoding.EncodeToString(raw), err
}

func sessionOf(c *call.Call) string {
	if c.Caller == nil {
		return ""
	}
	return c.Caller.Session
}

// Registered is what Check found out about an authenticator's answer.
type Registered struct {
	challenge string
	key       Key
	wrong     error // why it is refused; nil: it is not
}

// Check looks at what an authenticator answered to a registration, outside transactions. Fault: ErrPending.
func (k Keys) Check(ctx context.Context, c *call.Call, userID, raw string) (Registered, error) {
	var row pendingRow
	if err := c.Snapshot(ctx, func() (err error) {
		row, err = findPending.One(ctx, c.Tx, c.Tenant.ID, userID)
		return err
	}); err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return Registered{}, err
	}
	if row.Challenge == "" || row.Session != sessionOf(c) || row.Expires <= c.Now.UnixMilli() {
		return Registered{}, ErrPending
	}
	out := Registered{challenge: row.Challenge}
	out.key, out.wrong = created(userID, row, raw)
	out.key.Created = c.Now.UnixMilli()
	return out, nil
}

// Finish registers what Check has looked at. Its challenge is used up also by an answer that is refused: the transaction is to be
// committed after ErrAnswer, ErrUnfit, ErrKnown and ErrTooMany. Fault besides: ErrPending.
func (k Keys) Finish(ctx context.Context, c *call.Call, userID string, r Registered) (Key, error) {
	n, err := spend.Do(ctx, c.Tx, c.Tenant.ID, userID, r.challenge)
	if err == nil && n == 0 {
		err = ErrPending
	}
	if err == nil {
		err = r.wrong
	}
	if err != nil {
		return Key{}, err
	}
	have, err := k.List(ctx, c, userID)
	if err == nil && len(have) >= MaxKeys {
		err = ErrTooMany
	}
	if err != nil {
		return Key{}, err
	}
	return r.key, k.add(ctx, c, r.key)
}

// add stores a key. Fault: ErrKnown.
func (Keys) add(ctx context.Context, c *call.Call, k Key) error {
	n, err := insert.Do(ctx, c.Tx, c.Tenant.ID, k.Handle, k.User, k.Name, k.Kind, k.RP, k.Public, k.Model, k.Format, k.Transports, k.Attachment, k.Count,
		k.Verified, k.Eligible, k.BackedUp, k.Created, k.Used, k.Cloned)
	if err == nil && n == 0 {
		return ErrKnown
	}
	return err
}
