// Package passkey is the mechanisms that are answered with a key of WebAuthn (W3C Web Authentication level 3), and the keys that
// people have registered: security keys, authenticators built into a device, and passkeys.
//
// A key is of the host name at which it was registered (the id of the relying party), and signs for pages of that host alone: a
// page that only looks like ours gets nothing from it. Where a tenant has several hosts, each has keys of its own.
package passkey

import (
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of keys.
var (
	ErrNotFound = fault.New(fault.NotFound, "passkey.not_found", "The requested data or its dependent data was not found in the service.")
	ErrOrigin   = fault.New(fault.Invalid, "passkey.origin", "Parameter host may not be null or whitespace")
	ErrKind     = fault.New(fault.Invalid, "passkey.kind", "The type must be SECURITYKEY, ONDEVICE or PASSKEY.")
	ErrTooMany  = fault.New(fault.Conflict, "passkey.too_many", "You have registered as many authenticators as you may have.")
	ErrPending  = fault.New(fault.Conflict, "passkey.pending", "No registration waits for this answer, or it took too long. Begin again.")
	ErrAnswer   = fault.New(fault.Denied, "passkey.answer", "The authenticator's answer is not right.")
	ErrUnfit    = fault.New(fault.Denied, "passkey.unfit", "The authenticator is not of the type asked for.")
	ErrKnown    = fault.New(fault.Exists, "passkey.known", "The authenticator is registered already.")
)

// Limits.
const (
	MaxKeys   = 20              // of one person
	maxName   = 100             // bytes
	maxAnswer = 16 << 10        // bytes of what a browser hands on
	maxHandle = 1364            // bytes: credential ids have at most 1023
	wait      = 5 * time.Minute // for which a challenge is good
)

// Kinds of keys. A key is of one kind for good, and answers the mechanism of that kind alone.
const (
	SecurityKey = "SECURITYKEY" // a thing of its own, whose key is not copied
	OnDevice    = "ONDEVICE"    // built into the device, and verifies the person
	Passkey     = "PASSKEY"     // finds the account by itself and verifies the person; may be copied between devices
)

// KindOf reads the name of a kind; empty is SecurityKey. Fault: ErrKind.
func KindOf(text string) (string, error) {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "", SecurityKey:
		return SecurityKey, nil
	case OnDevice, "PLATFORM":
		return OnDevice, nil
	case Passkey:
		return Passkey, nil
	}
	return "", ErrKind
}

// Key is a key of somebody. Times are milliseconds since 1970 UTC.
type Key struct {
	Handle     string `db:"id"` // credential id, in base64url
	User       string `db:"user_id"`
	Name       string `db:"name"`
	Kind       string `db:"kind"`
	RP         string `db:"rp"`
	Public     []byte `db:"public_key"`
	Model      string `db:"aaguid"`
	Format     string `db:"format"`
	Transports string `db:"transports"` // commas between
	Attachment string `db:"attachment"`
	Count      int64  `db:"sign_count"`
	Verified   bool   `db:"verified"`
	Eligible   bool   `db:"eligible"` // for being copied to other devices
	BackedUp   bool   `db:"backed_up"`
	Created    int64  `db:"created"`
	Used       int64  `db:"used"`   // 0: never
	Cloned     int64  `db:"cloned"` // 0: nothing shows that it has been
}

// Tell makes an event one about the key, which is or was that of a person with this id and name.
func (k Key) Tell(e *call.Event, userID, login string) {
	e.Target, e.Kind, e.Name, e.User, e.Login = k.Handle, "Passkey", k.Name, userID, login
	if k.Kind != "" {
		e.Set("AuthenticatorType", k.Kind)
		e.Set("RelyingParty", k.RP)
	}
}

// Keys are those of the people of the call's tenant. Its fields are set before use.
type Keys struct {
	// Hosts gives the tenant's host names, without ports. It runs in a transaction.
	Hosts func(ctx context.Context, c *call.Call) ([]string, error)
	// Ring signs the challenges that are for nobody in particular.
	Ring *crypt.Ring
}

const columns = `id, user_id, name, kind, rp, public_key, aaguid, format, transports, attachment, sign_count, verified, eligible, backed_up, created, used, cloned`

var (
	ofUser = dbx.Q[Key]("passkey.of_user", `SELECT `+columns+` FROM passkey WHERE tenant = ? AND user_id = ? ORDER BY created, id LIMIT 100`)
	byID   = dbx.Q[Key]("passkey.by_id", `SELECT `+columns+` FROM passkey WHERE tenant = ? AND id = ?`)
	insert = dbx.E("passkey.insert", `INSERT INTO passkey (tenant, `+columns+`, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (tenant, id) DO NOTHING`)
	remove = dbx.E("passkey.remove", `DELETE FROM passkey WHERE tenant = ? AND user_id = ? AND id = ?`)
	drop   = dbx.E("passkey.drop", `DELETE FROM passkey WHERE tenant = ? AND user_id = ?`)
)

// List gives a person's keys, the oldest first.
func (Keys) List(ctx context.Context, c *call.Call, userID string) ([]Key, error) {
	return ofUser.All(ctx, c.Tx, c.Tenant.ID, userID)
}

// Find gives a key by its handle; ErrNotFound when there is none.
func (Keys) Find(ctx context.Context, c *call.Call, handle string) (Key, error) {
	if handle == "" || len(handle) > maxHandle {
		return Key{}, ErrNotFound
	}
	k, err := byID.One(ctx, c.Tx, c.Tenant.ID, handle)
	if errors.Is(err, dbx.ErrNoRow) {
		return Key{}, ErrNotFound
	}
	return k, err
}

// Delete removes a key; ErrNotFound when the person has none of that handle.
func (Keys) Delete(ctx context.Context, c *call.Call, userID, handle string) error {
	n, err := remove.Do(ctx, c.Tx, c.Tenant.ID, userID, handle)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// Drop removes all that somebody has registered, or begun to.
func (Keys) Drop(ctx context.Context, c *call.Call, userID string) error {
	if _, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
		return err
	}
	_, err := forget.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Owned is a key in a list of many people's.
type Owned struct {
	Handle  string `db:"id"`
	User    string `db:"user_id"`
	Login   string `db:"login"` // name of its owner
	Org     string `db:"org"`   // of its owner
	Name    string `db:"name"`
	Kind    string `db:"kind"`
	RP      string `db:"rp"`
	Created int64  `db:"created"`
	Used    int64  `db:"used"`
	Cloned  int64  `db:"cloned"`
}

// MaxPage is how many keys a list has at most.
const MaxPage = 1000

var owned = dbx.L[Owned]("passkey.owned", `SELECT k.id, k.user_id, u.name AS login, u.org AS org, k.name, k.kind, k.rp, k.created, k.used, k.cloned
	FROM passkey k JOIN users u ON u.tenant = k.tenant AND u.id = k.user_id WHERE k.tenant = ?`)

// All gives keys of those people whom the grant allows, by their handles, the first behind one; and how many there are in all.
func (Keys) All(ctx context.Context, c *call.Call, g grant.Grant, after string) ([]Owned, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	may := user.AllowedBy(c, g, "org", "user_id")
	total, err := owned.Count(ctx, c.Tx, may, c.Tenant.ID)
	if err != nil {
		return nil, 0, err
	}
	order := []dbx.Order{{Column: "id"}}
	if after != "" {
		may = dbx.And(may, dbx.After(order, after))
	}
	out, err := owned.Rows(ctx, c.Tx, may, order, MaxPage, c.Tenant.ID)
	return out, total, err
}
