// Package sshkey is the public SSH keys of people. Nobody signs in here with one: SSH servers read them and let in whoever can prove
// the private key.
package sshkey

import (
	"context"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/sshkey"
)

// MaxKeys is how many keys somebody can be given.
const MaxKeys = 100

// Faults of SSH keys.
var (
	ErrKey  = fault.New(fault.Invalid, "sshkey.key", "The public SSH key cannot be used.")
	ErrHas  = fault.New(fault.Exists, "sshkey.has", "The user has this SSH key already.")
	ErrMany = fault.New(fault.Conflict, "sshkey.many", "The user has as many SSH keys as a user may have.")
	ErrNone = fault.New(fault.NotFound, "sshkey.none", "The user has no such SSH key.")
)

// Keys are those of the people of the call's tenant. Its fields are set before use.
type Keys struct {
	People *user.Directory
	// Life is how long keys that are made here are good; 0 makes none.
	Life func(ctx context.Context, c *call.Call) (time.Duration, error)
}

// Key is a public key that somebody has.
type Key struct {
	ID        string `db:"id"`
	Algorithm string `db:"algorithm"`
	Body      string `db:"body"`
	Created   int64  `db:"created"`
	Expires   int64  `db:"expires"` // 0: none
}

// Text is the key as a line of authorized_keys.
func (k Key) Text() string { return wire.Public{Algorithm: k.Algorithm, Body: k.Body}.String() }

var (
	// A key that has ended is none, although it may not be swept away yet.
	lasting = dbx.Q[Key]("sshkey.of", `SELECT id, algorithm, body, created, expires FROM ssh_key
		WHERE tenant = ? AND user_id = ? AND (expires = 0 OR expires > ?) ORDER BY created, id`)
	add = dbx.E("sshkey.add", `INSERT INTO ssh_key (tenant, user_id, id, algorithm, body, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, id) DO UPDATE SET created = excluded.created, expires = excluded.expires`)
	remove  = dbx.E("sshkey.remove", `DELETE FROM ssh_key WHERE tenant = ? AND user_id = ? AND id = ? AND (expires = 0 OR expires > ?)`)
	dropAll = dbx.E("sshkey.drop", `DELETE FROM ssh_key WHERE tenant = ? AND user_id = ?`)
	ended   = dbx.S("sshkey.sweep", "ssh_key", "tenant, user_id, id", "expires > 0 AND expires < ?")
)

// Of gives the keys of somebody that have not ended, in the order in which they came.
func Of(ctx context.Context, c *call.Call, userID string) ([]Key, error) {
	return lasting.All(ctx, c.Tx, c.Tenant.ID, userID, c.Now.UnixMilli())
}

// Parse reads a public key. Faults: ErrKey.
func Parse(field, text string) (wire.Public, error) {
	p, err := wire.Parse(text)
	if err != nil {
		return p, ErrKey.At(field).Say("%s %s.", field, err)
	}
	return p, nil
}

// Add gives somebody a key. Faults: ErrHas, ErrMany.
func (k *Keys) Add(ctx context.Context, c *call.Call, userID string, p wire.Public) (Key, error) {
	if err := k.People.Touch(ctx, c, userID); err != nil { // which lets nobody else count meanwhile
		return Key{}, err
	}
	has, err := Of(ctx, c, userID)
	if err != nil {
		return Key{}, err
	}
	n := 0
	for _, h := range has {
		if h.ID == p.ID() {
			return Key{}, ErrHas
		}
		if h.Expires == 0 {
			n++
		}
	}
	if n >= MaxKeys {
		return Key{}, ErrMany
	}
	return put(ctx, c, userID, p, 0)
}

// put stores a key that the person does not have, or had until it ended.
func put(ctx context.Context, c *call.Call, userID string, p wire.Public, expires int64) (Key, error) {
	out := Key{ID: p.ID(), Algorithm: p.Algorithm, Body: p.Body, Created: c.Now.UnixMilli(), Expires: expires}
	_, err := add.Do(ctx, c.Tx, c.Tenant.ID, userID, out.ID, out.Algorithm, out.Body, out.Created, out.Expires)
	if c.Event != nil {
		c.Event.Set("Key", out.ID)
		c.Event.Set("Algorithm", out.Algorithm)
	}
	return out, err
}

// Remove takes a key from somebody. Fault: ErrNone.
func (k *Keys) Remove(ctx context.Context, c *call.Call, userID, id string) error {
	if id = strings.ToLower(id); !wire.IsID(id) {
		return ErrNone
	}
	if c.Event != nil {
		c.Event.Set("Key", id)
	}
	n, err := remove.Do(ctx, c.Tx, c.Tenant.ID, userID, id, c.Now.UnixMilli())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNone
	}
	return k.People.Touch(ctx, c, userID)
}

// Drop takes all keys from somebody who is being deleted.
func Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropAll.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep forgets, in all tenants, the keys that ended before a time.
func Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return ended.Run(ctx, db, before.UnixMilli())
}
