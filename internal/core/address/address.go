// Package address finds out whether a mail address is a person's: a link is sent there, and whoever opens it and confirms
// has shown it. Until then no code is sent to the address.
package address

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/link"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Path is where links lead; the token is the parameter of that name.
const Path = "/address"

// Lasts is how long a link is good for.
const Lasts = 3 * 24 * time.Hour

// Faults of addresses.
var (
	// ErrLink is all that is said of a link which opens nothing, whatever the reason.
	ErrLink = fault.New(fault.NotFound, "address.link", "This link is not valid. It was used, its time is over, a newer one was sent, or the account has another address by now.")
	ErrWait = fault.New(fault.Limited, "address.wait", "Too many links that are not valid were tried from your network. Please try again later.")
)

// Addresses are those of the people of the call's tenant. Its fields are set before use.
type Addresses struct {
	People *user.Directory
	Post   *post.Post
	Links  link.Links
}

type row struct {
	User    string `db:"user_id"`
	Mail    string `db:"mail"`
	Expires int64  `db:"expires"`
}

var (
	putRow = dbx.E("address.put", `INSERT INTO address_proof (tenant, user_id, hash, mail, expires) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET hash = excluded.hash, mail = excluded.mail, expires = excluded.expires`)
	findRow  = dbx.Q[row]("address.find", `SELECT user_id, mail, expires FROM address_proof WHERE tenant = ? AND hash = ?`)
	lockRow  = dbx.Q[row]("address.lock", `SELECT user_id, mail, expires FROM address_proof WHERE tenant = ? AND hash = ? FOR UPDATE`)
	dropRow  = dbx.E("address.drop", `DELETE FROM address_proof WHERE tenant = ? AND user_id = ?`)
	sweepRow = dbx.S("address.sweep", "address_proof", "tenant, user_id", "expires < ?")
)

// Ask sends a link to a person's address, in place of an earlier one; u is the person as just stored.
func (a *Addresses) Ask(ctx context.Context, c *call.Call, u user.User) error {
	if u.Mail == "" {
		return post.ErrNoMail
	}
	plain, hash := crypt.NewToken(c.Rand)
	ends := c.Now.Add(Lasts)
	if _, err := putRow.Do(ctx, c.Tx, c.Tenant.ID, u.ID, hash, u.Mail, ends.UnixMilli()); err != nil {
		return err
	}
	to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name, Org: u.Org}
	return a.Post.Mail(ctx, c, "address/"+c.NewID(), to, message.VerifyMail, message.Data{Link: a.Links.To(c, Path, plain), Lasts: Lasts}, ends)
}

// Look says whose address a token is about. It changes nothing and counts no guesses; a network that has made too many is
// refused. Faults: ErrLink, ErrWait.
func (a *Addresses) Look(ctx context.Context, c *call.Call, token string) (user.User, error) {
	if err := a.Links.Admit(ctx, c, ErrWait); err != nil {
		return user.User{}, err
	}
	return a.person(ctx, c, findRow, token)
}

// Confirm notes that the address is the person's and uses the link up. A token that opens nothing counts as a guess of the
// caller's network, so its fault must not undo the transaction. Faults: ErrLink, ErrWait.
func (a *Addresses) Confirm(ctx context.Context, c *call.Call, token string) (user.User, error) {
	u, err := a.person(ctx, c, lockRow, token)
	if err != nil && !errors.Is(err, ErrLink) {
		return user.User{}, err
	}
	if failed := a.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return user.User{}, failed
	}
	if err != nil {
		return user.User{}, err
	}
	if err := a.Drop(ctx, c, u.ID); err != nil {
		return user.User{}, err
	}
	return a.People.ProveMail(ctx, c, u.ID)
}

func (a *Addresses) person(ctx context.Context, c *call.Call, by dbx.Query[row], token string) (user.User, error) {
	hash, ok := link.Hash(token)
	if !ok {
		return user.User{}, ErrLink
	}
	r, err := by.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && r.Expires <= c.Now.UnixMilli() {
		return user.User{}, ErrLink
	}
	if err != nil {
		return user.User{}, err
	}
	u, err := a.People.ByID(ctx, c, r.User)
	if errors.Is(err, user.ErrNotFound) || err == nil && (u.Mail != r.Mail || !u.MailUnproved) {
		return user.User{}, ErrLink
	}
	return u, err
}

// Drop forgets a person's link; for the directory when it deletes them.
func (a *Addresses) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep removes links of all tenants whose time was over before a time.
func (a *Addresses) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
