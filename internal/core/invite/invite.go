// Package invite lets invited people choose their first password: an invitation is a link that works once. Whoever has
// signed in before needs no first password, so for them the link is the front page, and an invitation of theirs that is
// still about opens nothing.
package invite

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/link"
	"limen/internal/core/password"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Path is where links lead; the token is the parameter of that name.
const Path = "/invitation"

// Faults of invitations.
var (
	// ErrLink is all that is said of a link which opens nothing, whatever the reason: who holds one learns nothing of
	// the account.
	ErrLink = fault.New(fault.NotFound, "invite.link", "This invitation is not valid. It was used, its time is over, or a newer one was sent. Ask whoever invited you for a new one.")
	ErrWait = fault.New(fault.Limited, "invite.wait", "Too many links that are not valid were tried from your network. Please try again later.")
	// ErrDiffer is for those who mistyped one of the two.
	ErrDiffer = fault.New(fault.Invalid, "invite.differ", "The two passwords are not the same.")
)

// Invites are the invitations of the call's tenant. Its fields are set before use.
type Invites struct {
	People    *user.Directory
	Passwords password.Passwords
	Sessions  *session.Sessions
	Links     link.Links
}

type row struct {
	User    string `db:"user_id"`
	Expires int64  `db:"expires"`
	Used    int64  `db:"used"`
}

var (
	putRow = dbx.E("invite.put", `INSERT INTO invitation (tenant, hash, user_id, created, expires, used) VALUES (?, ?, ?, ?, ?, 0)
		ON CONFLICT (tenant, user_id) DO UPDATE SET hash = excluded.hash, created = excluded.created, expires = excluded.expires, used = 0`)
	findRow  = dbx.Q[row]("invite.find", `SELECT user_id, expires, used FROM invitation WHERE tenant = ? AND hash = ?`)
	lockRow  = dbx.Q[row]("invite.lock", `SELECT user_id, expires, used FROM invitation WHERE tenant = ? AND hash = ? FOR UPDATE`)
	useRow   = dbx.E("invite.use", `UPDATE invitation SET used = ? WHERE tenant = ? AND hash = ? AND used = 0`)
	dropRow  = dbx.E("invite.drop", `DELETE FROM invitation WHERE tenant = ? AND user_id = ?`)
	sweepRow = dbx.S("invite.sweep", "invitation", "tenant, user_id", "expires < ?")
)

// Make makes a person's invitation and gives its link, which is told nowhere else. It takes the place of an earlier one.
func (i *Invites) Make(ctx context.Context, c *call.Call, u user.User, lasts time.Duration) (link string, err error) {
	if u.Active != 0 {
		return i.Links.To(c, "/", ""), nil
	}
	plain, hash := crypt.NewToken(c.Rand)
	_, err = putRow.Do(ctx, c.Tx, c.Tenant.ID, hash, u.ID, c.Now.UnixMilli(), c.Now.Add(lasts).UnixMilli())
	return i.Links.To(c, Path, plain), err
}

// Look says whom a token invites. It only reads, so it counts no guesses; a network that has made too many of them is
// refused here, too. Faults: ErrLink, ErrWait.
func (i *Invites) Look(ctx context.Context, c *call.Call, token string) (user.User, error) {
	if err := i.Links.Admit(ctx, c, ErrWait); err != nil {
		return user.User{}, err
	}
	return i.person(ctx, c, findRow, token)
}

// person finds whom a token opens an account to.
func (i *Invites) person(ctx context.Context, c *call.Call, by dbx.Query[row], token string) (user.User, error) {
	hash, ok := link.Hash(token)
	if !ok {
		return user.User{}, ErrLink
	}
	r, err := by.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (r.Used != 0 || r.Expires <= c.Now.UnixMilli()) {
		return user.User{}, ErrLink
	}
	if err != nil {
		return user.User{}, err
	}
	u, err := i.People.ByID(ctx, c, r.User)
	if errors.Is(err, user.ErrNotFound) || err == nil && (u.Active != 0 || u.Barred(c.Now)) {
		return user.User{}, ErrLink
	}
	return u, err
}

// Drop forgets a person's invitation; for the directory when it deletes them, changes where messages reach them, or notes
// that they have a password.
func (i *Invites) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep removes invitations of all tenants whose time was over before a time.
func (i *Invites) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
