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

// soon is how long after a link people wait for another one.
const soon = time.Minute

// Faults of addresses.
var (
	// ErrLink is all that is said of a link which opens nothing, whatever the reason.
	ErrLink = fault.New(fault.NotFound, "address.link", "This link is not valid. It was used, its time is over, a newer one was sent, or the account has another address by now.")
	ErrWait = fault.New(fault.Limited, "address.wait", "Too many links that are not valid were tried from your network. Please try again later.")
	// ErrSoon, with when to ask again, and ErrShown are why no link is sent.
	ErrSoon  = fault.New(fault.Limited, "address.soon", "A link was sent just now. Wait a minute before you ask for another one.")
	ErrShown = fault.New(fault.Conflict, "address.shown", "The mail address is verified already.")
)

// Addresses are those of the people of the call's tenant. Its fields are set before use.
type Addresses struct {
	People *user.Directory
	Post   *post.Post
	Links  link.Links
	Hosts  func(ctx context.Context, c *call.Call) ([]string, error) // the tenant's, on which people may go on
}

type row struct {
	User    string `db:"user_id"`
	Mail    string `db:"mail"`
	Expires int64  `db:"expires"`
	Shown   int64  `db:"shown"`
	Landing string `db:"landing"`
}

const columns = `user_id, mail, expires, shown, landing`

var (
	putRow = dbx.E("address.put", `INSERT INTO address_proof (tenant, user_id, hash, mail, expires, landing) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET hash = excluded.hash, mail = excluded.mail, expires = excluded.expires, landing = excluded.landing, shown = 0`)
	findRow  = dbx.Q[row]("address.find", `SELECT `+columns+` FROM address_proof WHERE tenant = ? AND hash = ?`)
	lockRow  = dbx.Q[row]("address.lock", `SELECT `+columns+` FROM address_proof WHERE tenant = ? AND hash = ? FOR UPDATE`)
	ofUser   = dbx.Q[row]("address.of_user", `SELECT `+columns+` FROM address_proof WHERE tenant = ? AND user_id = ?`)
	keepRow  = dbx.E("address.keep", `UPDATE address_proof SET hash = ?, shown = ? WHERE tenant = ? AND user_id = ?`)
	dropRow  = dbx.E("address.drop", `DELETE FROM address_proof WHERE tenant = ? AND user_id = ?`)
	sweepRow = dbx.S("address.sweep", "address_proof", "tenant, user_id", "expires < ? AND shown = 0")
)

// State is how far it is known whether a mail address is somebody's.
type State string

// The states.
const (
	NotStarted State = "NotStarted" // nobody asked
	Pending    State = "Pending"    // a link is on its way
	Expired    State = "Expired"    // nobody opened it in time
	Verified   State = "Verified"   // they showed it, or an administrator entered it and asked for no proof
)

// Status is what is known of a person's address. A time that is not known is zero.
type Status struct {
	State       State
	Sent, Shown time.Time
}

// Status tells what is known of a person's address.
func (a *Addresses) Status(ctx context.Context, c *call.Call, u user.User) (Status, error) {
	r, err := ofUser.One(ctx, c.Tx, c.Tenant.ID, u.ID)
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return Status{}, err
	}
	return r.status(u, c.Now), nil
}

func (r row) status(u user.User, now time.Time) Status {
	out := Status{State: NotStarted}
	mine := r.User != "" && r.Mail == u.Mail
	if mine {
		out.Sent = time.UnixMilli(r.Expires).Add(-Lasts)
	}
	switch {
	case u.Mail == "":
	case !u.MailUnproved:
		out.State = Verified
		if mine && r.Shown > 0 {
			out.Shown = time.UnixMilli(r.Shown)
		}
	case mine && r.Shown == 0 && r.Expires > now.UnixMilli():
		out.State = Pending
	case mine && r.Shown == 0:
		out.State = Expired
	}
	return out
}

// Again is Ask for somebody who asks for it: not when the address is shown, and not soon after the last time. Faults: ErrShown, ErrSoon,
// post.ErrNoMail.
func (a *Addresses) Again(ctx context.Context, c *call.Call, u user.User, landing string) error {
	s, err := a.Status(ctx, c, u)
	if err != nil {
		return err
	}
	if s.State == Verified {
		return ErrShown
	}
	if left := s.Sent.Add(soon).Sub(c.Now); s.State == Pending && left > 0 {
		return ErrSoon.RetryAfter(int((left + time.Second - 1) / time.Second))
	}
	return a.ask(ctx, c, u, landing)
}

// Ask sends a link to a person's address, in place of an earlier one; u is the person as just stored.
func (a *Addresses) Ask(ctx context.Context, c *call.Call, u user.User) error {
	return a.ask(ctx, c, u, "")
}

func (a *Addresses) ask(ctx context.Context, c *call.Call, u user.User, landing string) error {
	if u.Mail == "" {
		return post.ErrNoMail
	}
	plain, hash := crypt.NewToken(c.Rand)
	ends := c.Now.Add(Lasts)
	if _, err := putRow.Do(ctx, c.Tx, c.Tenant.ID, u.ID, hash, u.Mail, ends.UnixMilli(), landing); err != nil {
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
	u, _, err := a.person(ctx, c, findRow, token)
	return u, err
}

// Shown is somebody who has shown that a mail address is theirs.
type Shown struct {
	Person  user.User
	Landing string // where they go now; empty: nowhere
}

// Confirm notes that the address is the person's and uses the link up. A token that opens nothing counts as a guess of the
// caller's network, so its fault must not undo the transaction. Faults: ErrLink, ErrWait.
func (a *Addresses) Confirm(ctx context.Context, c *call.Call, token string) (Shown, error) {
	u, r, err := a.person(ctx, c, lockRow, token)
	if err != nil && !errors.Is(err, ErrLink) {
		return Shown{}, err
	}
	if failed := a.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return Shown{}, failed
	}
	if err != nil {
		return Shown{}, err
	}
	_, nobodys := crypt.NewToken(c.Rand)
	if _, err := keepRow.Do(ctx, c.Tx, nobodys, c.Now.UnixMilli(), c.Tenant.ID, u.ID); err != nil {
		return Shown{}, err
	}
	u, err = a.People.ProveMail(ctx, c, u.ID)
	return Shown{u, r.Landing}, err
}

func (a *Addresses) person(ctx context.Context, c *call.Call, by dbx.Query[row], token string) (user.User, row, error) {
	hash, ok := link.Hash(token)
	if !ok {
		return user.User{}, row{}, ErrLink
	}
	r, err := by.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (r.Expires <= c.Now.UnixMilli() || r.Shown > 0) {
		return user.User{}, row{}, ErrLink
	}
	if err != nil {
		return user.User{}, row{}, err
	}
	u, err := a.People.ByID(ctx, c, r.User)
	if errors.Is(err, user.ErrNotFound) || err == nil && (u.Mail != r.Mail || !u.MailUnproved) {
		return user.User{}, row{}, ErrLink
	}
	return u, r, err
}

// Drop forgets a person's link; for the directory when it deletes them.
func (a *Addresses) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep removes links of all tenants whose time was over before a time, and that nobody opened.
func (a *Addresses) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
