package sshkey

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/sshkey"
)

// Faults of keys that are made here.
var (
	ErrOff    = fault.New(fault.Denied, "sshkey.off", "Your administrator does not allow short-lived SSH keys.")
	ErrBarred = fault.New(fault.Denied, "sshkey.barred", "Whoever may not sign in gets no SSH key.")
)

// Formats of private keys, in the order of answers.
var Formats = []string{wire.PPK, wire.PEM, wire.OpenSSH}

// File is a private key in a format.
type File struct {
	Format, Kind, Text string
}

// Made is a key that was made and belongs to nobody yet.
type Made struct {
	Public wire.Public
	Files  []File
}

// Make makes a key, outside transactions; the private half is in the files and nowhere else. Fault: ErrOff.
func (k *Keys) Make(ctx context.Context, c *call.Call, comment, passphrase string, formats ...string) (out Made, err error) {
	if life, err := k.Life(ctx, c); err != nil || life <= 0 {
		return out, off(err)
	}
	private, err := wire.Make(c.Rand)
	if err != nil {
		return out, err
	}
	if out.Public, err = private.Public(); err != nil {
		return out, err
	}
	for _, f := range formats {
		text, err := private.File(f, comment, passphrase, c.Rand)
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, File{f, wire.Kind, text})
	}
	return out, nil
}

func off(err error) error {
	if err == nil {
		err = ErrOff
	}
	return err
}

var (
	recall    = dbx.E("sshkey.recall", `DELETE FROM ssh_key WHERE tenant = ? AND user_id = ? AND expires > 0`)
	recallAll = dbx.E("sshkey.recall_all", `DELETE FROM ssh_key WHERE tenant = ? AND expires > 0`)
	lent      = dbx.L[holder]("sshkey.lent", `SELECT k.user_id AS id, u.org AS org FROM ssh_key k JOIN users u ON u.tenant = k.tenant AND u.id = k.user_id
		WHERE k.tenant = ? AND k.expires > 0`)
)

// holder is somebody for whom a key was made.
type holder struct {
	ID  string `db:"id"`
	Org string `db:"org"`
}

// Lend gives somebody a key that was made, for as long as the tenant's setting says, in place of what was made for them before. Faults:
// ErrOff, ErrBarred.
func (k *Keys) Lend(ctx context.Context, c *call.Call, u user.User, m Made) (Key, error) {
	life, err := k.Life(ctx, c)
	switch {
	case err != nil || life <= 0:
		return Key{}, off(err)
	case u.Barred(c.Now):
		return Key{}, ErrBarred
	}
	if err := k.People.Touch(ctx, c, u.ID); err != nil { // one after the other
		return Key{}, err
	}
	if _, err := recall.Do(ctx, c.Tx, c.Tenant.ID, u.ID); err != nil {
		return Key{}, err
	}
	return put(ctx, c, u.ID, m.Public, c.Now.Add(life).UnixMilli())
}

// Recall ends what was made for somebody; it is no error when that is nothing.
func Recall(ctx context.Context, c *call.Call, userID string) error {
	_, err := recall.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// RecallAll ends what was made for those whom the grant allows, and says how many keys that were.
func RecallAll(ctx context.Context, c *call.Call, g grant.Grant) (n int64, err error) {
	if g.Everything() {
		return recallAll.Do(ctx, c.Tx, c.Tenant.ID)
	}
	const size = 1000
	for more := true; more; {
		rows, err := lent.Rows(ctx, c.Tx, user.AllowedBy(c, g, "org", "id"), nil, size, c.Tenant.ID)
		if err != nil {
			return n, err
		}
		for _, r := range rows {
			one, err := recall.Do(ctx, c.Tx, c.Tenant.ID, r.ID)
			if n += one; err != nil {
				return n, err
			}
		}
		more = len(rows) == size
	}
	return n, nil
}
