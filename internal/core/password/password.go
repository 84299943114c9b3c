// Package password keeps people's passwords: their hashes, the hashes of earlier ones, and the policy that new ones
// satisfy. Making and checking hashes takes tens of milliseconds of a core, so Verify, Dummy and Prepare run outside
// transactions; what they relied on is checked by version when the result is stored.
package password

import (
	"context"
	"errors"
	"strconv"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of stored passwords.
var (
	ErrWrong   = fault.New(fault.Denied, "password.wrong", "The password is not right.")
	ErrChanged = fault.New(fault.Conflict, "password.changed", "The password was changed meanwhile. Please try again.")
)

// Passwords are the passwords of the call's tenant.
type Passwords struct {
	Hasher *crypt.Hasher
	// Policy gives the policy that applies to a person; Default when nil. It runs in a snapshot or a transaction.
	Policy func(ctx context.Context, c *call.Call, userID string) (Policy, error)
	// Changed tells the directory, in the same transaction, that a person's password is new: the time it was changed,
	// whether the person must choose another one at the next sign-in. Nil: nobody is told.
	Changed func(ctx context.Context, c *call.Call, userID string, force bool) error
	// Repeated checks passwords that devices send again and again. Nil: each is hashed.
	Repeated *crypt.Remember
}

// Current is a person's stored password; the zero value when there is none.
type Current struct {
	Hash    string `db:"hash"`
	Version int64  `db:"version"`
	Changed int64  `db:"changed"` // ms since 1970 UTC
}

// New is a password that was checked and hashed, ready to be stored.
type New struct {
	hash    string
	version int64 // of the password it replaces
	history int
}

var (
	findRow = dbx.Q[Current]("password.find", `SELECT hash, version, changed FROM user_password WHERE tenant = ? AND user_id = ?`)
	lockRow = dbx.Q[Current]("password.lock", `SELECT hash, version, changed FROM user_password WHERE tenant = ? AND user_id = ? FOR UPDATE`)
	pastRow = dbx.Q[string]("password.past", `SELECT hash FROM user_password_past WHERE tenant = ? AND user_id = ? ORDER BY version DESC LIMIT ?`)
	addRow  = dbx.E("password.add", `INSERT INTO user_password (tenant, user_id, hash, version, changed) VALUES (?, ?, ?, 1, ?)
		ON CONFLICT (tenant, user_id) DO NOTHING`)
	setRow = dbx.E("password.set", `UPDATE user_password SET hash = ?, version = version + 1, changed = ?
		WHERE tenant = ? AND user_id = ? AND version = ?`)
	rehashRow = dbx.E("password.rehash", `UPDATE user_password SET hash = ? WHERE tenant = ? AND user_id = ? AND version = ?`)
	keepRow   = dbx.E("password.keep", `INSERT INTO user_password_past (tenant, user_id, version, hash) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, user_id, version) DO NOTHING`)
	trimRow   = dbx.E("password.trim", `DELETE FROM user_password_past WHERE tenant = ? AND user_id = ? AND version <= ?`)
	dropRow   = dbx.E("password.drop", `DELETE FROM user_password WHERE tenant = ? AND user_id = ?`)
	forgetRow = dbx.E("password.forget", `DELETE FROM user_password_past WHERE tenant = ? AND user_id = ?`)
)

// Find gives a person's stored password; the zero value when there is none.
func (p Passwords) Find(ctx context.Context, c *call.Call, userID string) (Current, error) {
	cur, err := findRow.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Current{}, nil
	}
	return cur, err
}

// PolicyOf gives the policy that applies to a person.
func (p Passwords) PolicyOf(ctx context.Context, c *call.Call, userID string) (Policy, error) {
	if p.Policy == nil {
		return Default, nil
	}
	return p.Policy(ctx, c, userID)
}

// Verdict is what a check of a password found.
type Verdict struct {
	OK     bool
	rehash string // the same password hashed anew, when the stored hash is of an older kind
}

// Verify checks a password, outside transactions. A person without one is refused at the same cost. When the stored
// hash is of another kind or cost, as imported ones are, the verdict carries a new one for Keep.
func (p Passwords) Verify(ctx context.Context, cur Current, plain string) (Verdict, error) {
	ok, rehash, err := p.Hasher.Verify(ctx, cur.Hash, plain)
	return p.verdict(ctx, plain, ok, rehash, err)
}

// VerifyRepeated is Verify of a password that a device sends again and again: of one that was right, a keyed digest stays in memory for five
// minutes, while the stored password is the same. A wrong one costs what it costs otherwise.
func (p Passwords) VerifyRepeated(ctx context.Context, c *call.Call, userID string, cur Current, plain string) (Verdict, error) {
	if p.Repeated == nil {
		return p.Verify(ctx, cur, plain)
	}
	ok, rehash, err := p.Repeated.Verify(ctx, c.Tenant.ID+"/"+userID+"/"+strconv.FormatInt(cur.Version, 10), cur.Hash, plain)
	return p.verdict(ctx, plain, ok, rehash, err)
}

func (p Passwords) verdict(ctx context.Context, plain string, ok, rehash bool, err error) (Verdict, error) {
	if err != nil || !ok {
		return Verdict{}, err
	}
	v := Verdict{OK: true}
	if rehash {
		v.rehash, err = p.Hasher.Hash(ctx, plain)
	}
	return v, err
}

// Dummy costs what Verify costs, for people who do not exist.
func (p Passwords) Dummy(ctx context.Context, plain string) error { return p.Hasher.Dummy(ctx, plain) }

// Keep stores the new hash that a verdict carries, unless the password changed meanwhile.
func (p Passwords) Keep(ctx context.Context, c *call.Call, userID string, cur Current, v Verdict) error {
	if v.rehash == "" {
		return nil
	}
	_, err := rehashRow.Do(ctx, c.Tx, v.rehash, c.Tenant.ID, userID, cur.Version)
	return err
}

// Change is a wish for a new password.
type Change struct {
	User  string // UUID
	Names Names
	Plain string
	// Reset says that an administrator or the sign-in sets it: the least age between changes does not count.
	Reset bool
	// Any takes whatever password: the first one of a person who must change it at once.
	Any bool
}

// Prepare checks a new password against the policy and the earlier ones, and hashes it; outside transactions. It fails
// with the policy's faults.
func (p Passwords) Prepare(ctx context.Context, c *call.Call, ch Change) (New, error) {
	var cur Current
	var pol Policy
	var past []string
	err := c.Snapshot(ctx, func() (err error) {
		if pol, err = p.PolicyOf(ctx, c, ch.User); err != nil {
			return err
		}
		if cur, err = p.Find(ctx, c, ch.User); err != nil || pol.History <= 0 || cur.Hash == "" {
			return err
		}
		past, err = pastRow.All(ctx, c.Tx, c.Tenant.ID, ch.User, pol.History-1)
		past = append([]string{cur.Hash}, past...)
		return err
	})
	if err != nil {
		return New{}, err
	}
	if !ch.Any {
		if err := p.allowed(ctx, c, ch, cur, pol, past); err != nil {
			return New{}, err
		}
	}
	hash, err := p.Hasher.Hash(ctx, ch.Plain)
	return New{hash, cur.Version, pol.History}, err
}

func (p Passwords) allowed(ctx context.Context, c *call.Call, ch Change, cur Current, pol Policy, past []string) error {
	if !ch.Reset && pol.MinAge > 0 && c.Now.UnixMilli()-cur.Changed < pol.MinAge.Milliseconds() {
		return ErrTooYoung
	}
	if err := pol.Check(ch.Plain, ch.Names); err != nil {
		return err
	}
	for _, hash := range past {
		used, _, err := p.Hasher.Verify(ctx, hash, ch.Plain)
		if err != nil && !errors.Is(err, crypt.ErrHash) && !errors.Is(err, crypt.ErrHashCost) {
			return err
		}
		if used {
			return ErrUsed
		}
	}
	return nil
}

// Put stores a prepared password; force says that the person must choose another one at the next sign-in. It fails
// with ErrChanged when the stored one is no longer the one that Prepare saw.
func (p Passwords) Put(ctx context.Context, c *call.Call, userID string, n New, force bool) error {
	cur, err := lockRow.One(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return err
	}
	if cur.Version != n.version {
		return ErrChanged
	}
	if err := p.store(ctx, c, userID, cur, n); err != nil {
		return err
	}
	if p.Changed == nil {
		return nil
	}
	return p.Changed(ctx, c, userID, force)
}

func (p Passwords) store(ctx context.Context, c *call.Call, userID string, cur Current, n New) error {
	tenant, now := c.Tenant.ID, c.Now.UnixMilli()
	if cur.Version == 0 {
		added, err := addRow.Do(ctx, c.Tx, tenant, userID, n.hash, now)
		if err == nil && added == 0 {
			return ErrChanged
		}
		return err
	}
	if changed, err := setRow.Do(ctx, c.Tx, n.hash, now, tenant, userID, cur.Version); err != nil || changed == 0 {
		return errors.Join(err, ErrChanged)
	}
	// The current one counts as the first of the history, so one fewer is kept aside.
	if n.history > 1 {
		if err := keepRow.Later(ctx, c.Tx, tenant, userID, cur.Version, cur.Hash); err != nil {
			return err
		}
	}
	return trimRow.Later(ctx, c.Tx, tenant, userID, cur.Version-int64(max(n.history-1, 0)))
}

// Imported takes a hash that another system made, in a form that crypt.CheckHash knows. It fails with crypt.ErrHash or
// crypt.ErrHashCost.
func Imported(hash string, cur Current) (New, error) {
	if err := crypt.CheckHash(hash); err != nil {
		return New{}, err
	}
	return New{hash, cur.Version, 0}, nil
}

// Drop forgets a person's passwords, earlier ones included; for the directory when it deletes them.
func (p Passwords) Drop(ctx context.Context, c *call.Call, userID string) error {
	if _, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
		return err
	}
	_, err := forgetRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
