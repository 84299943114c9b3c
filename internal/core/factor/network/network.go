// Package network is the mechanism NETWORK: a password that a person has for networks alone, Wi-Fi and VPN, whose devices ask for it by MS-CHAP
// version 2 (RFC 2759). It signs in nowhere else, and is never the password of the account.
//
// The protocol needs a hash (MD4) that is as good as the password: what is stored is that hash, sealed under a key of the tenant's of its own. So
// the password is drawn and never chosen. A hundred random bits cannot be guessed from anything, and nobody's other password is stored so.
package network

import (
	"context"
	"errors"
	"io"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/mschap"
)

// ErrOff is for tenants whose people have no network passwords.
var ErrOff = fault.New(fault.Denied, "network_password.off", "Network passwords are not allowed here. An administrator can allow them (Radius.NetworkPasswords).")

const length = 20 // characters of a password, five bits each

// alphabet has 32 characters that nobody takes for others, and that telephones type without a shift key.
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// Passwords are those of the people of the call's tenant. Its fields are set before use.
type Passwords struct {
	Ring *crypt.Ring
	// Terms say whether a tenant lets people have them, and for how long one is good; 0: for ever.
	Terms func(ctx context.Context, c *call.Call) (on bool, life time.Duration, err error)
}

type row struct {
	Sealed  string `db:"sealed"`
	Created int64  `db:"created"`
}

var (
	findRow = dbx.Q[row]("network_password.find", `SELECT sealed, created FROM network_password WHERE tenant = ? AND user_id = ?`)
	putRow  = dbx.E("network_password.put", `INSERT INTO network_password (tenant, user_id, sealed, created) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET sealed = excluded.sealed, created = excluded.created`)
	dropRow = dbx.E("network_password.drop", `DELETE FROM network_password WHERE tenant = ? AND user_id = ?`)
)

// State is what is known of somebody's password. Times are milliseconds since 1970 UTC.
type State struct {
	On      bool  // the tenant lets people have them
	Made    int64 // 0: there is none
	Expires int64 // 0: never, or there is none
}

// Good says whether a password lets in at a time.
func (s State) Good(now time.Time) bool {
	return s.On && s.Made != 0 && (s.Expires == 0 || now.UnixMilli() < s.Expires)
}

// Of says what is known of a person's password.
func (p Passwords) Of(ctx context.Context, c *call.Call, userID string) (State, error) {
	s, _, err := p.find(ctx, c, userID)
	return s, err
}

func (p Passwords) find(ctx context.Context, c *call.Call, userID string) (s State, sealed string, err error) {
	var life time.Duration
	if s.On, life, err = p.Terms(ctx, c); err != nil {
		return s, "", err
	}
	r, err := findRow.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return s, "", nil
	}
	if s.Made = r.Created; err == nil && life > 0 {
		s.Expires = r.Created + life.Milliseconds()
	}
	return s, r.Sealed, err
}

// May fails where the tenant lets nobody have a password: ErrOff.
func (p Passwords) May(ctx context.Context, c *call.Call) error {
	on, _, err := p.Terms(ctx, c)
	if err == nil && !on {
		err = ErrOff
	}
	return err
}

// New is a password that was drawn and is not stored yet.
type New struct {
	Plain  string
	sealed string
}

// Draw draws a password for a person, outside transactions that write. The key must have been made (crypt.Ring.Ensure with PurposeNetwork).
func (p Passwords) Draw(ctx context.Context, c *call.Call, userID string) (New, error) {
	raw := make([]byte, length)
	if _, err := io.ReadFull(c.Rand, raw); err != nil {
		return New{}, err
	}
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)] // 256 is a multiple of 32: no character is drawn more often
	}
	h := mschap.HashOf(string(raw))
	sealed, err := p.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeNetwork, h[:], userID)
	return New{string(raw), sealed}, err
}

// Put stores a password in the place of the one before.
func (p Passwords) Put(ctx context.Context, c *call.Call, userID string, n New) error {
	if err := p.May(ctx, c); err != nil {
		return err
	}
	_, err := putRow.Do(ctx, c.Tx, c.Tenant.ID, userID, n.sealed, c.Now.UnixMilli())
	return err
}

// Drop forgets a person's password.
func (Passwords) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
