// Package passcode lets the help desk find out who is on the telephone: a code is sent to a person, who reads it out.
package passcode

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of passcodes.
var (
	ErrNone  = fault.New(fault.NotFound, "passcode.none", "No passcode is pending: it was used, its time is over, or none was sent.")
	ErrTries = fault.New(fault.Limited, "passcode.tries", "Too many wrong passcodes. Send another one.")
	ErrSends = fault.New(fault.Limited, "passcode.sends", "A passcode was sent just now, or too many were. Please wait a while.")
)

// maxTries is how many wrong codes make a passcode useless.
const maxTries = 5

// Passcodes are those of the call's tenant. Its fields are set before use.
type Passcodes struct {
	Codes factor.Codes
	Post  *post.Post
}

type row struct {
	ID      string `db:"id"`
	Code    string `db:"code"`
	Sent    int64  `db:"sent"`
	Expires int64  `db:"expires"`
	Sends   int64  `db:"sends"`
	Tries   int64  `db:"tries"`
}

var (
	lock = dbx.Q[row]("passcode.lock", `SELECT id, code, sent, expires, sends, tries FROM passcode WHERE tenant = ? AND user_id = ? FOR UPDATE`)
	put  = dbx.E("passcode.put", `INSERT INTO passcode (tenant, user_id, id, code, sent, expires, sends, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET id = excluded.id, code = excluded.code, sent = excluded.sent, expires = excluded.expires,
		sends = excluded.sends, tries = excluded.tries`)
	drop  = dbx.E("passcode.drop", `DELETE FROM passcode WHERE tenant = ? AND user_id = ?`)
	sweep = dbx.S("passcode.sweep", "passcode", "tenant, user_id", "expires < ?")
)

// Ensure makes the tenant's key of codes; it must run before a transaction that writes.
func (p *Passcodes) Ensure(ctx context.Context, tenant string) error {
	return p.Codes.Ring.Ensure(ctx, tenant, factor.PurposeCode)
}

// Send sends a person a code, by text message where sms says so, in place of an earlier one. Faults: post.ErrNoMail,
// post.ErrNoMobile, ErrSends.
func (p *Passcodes) Send(ctx context.Context, c *call.Call, u user.User, sms bool) error {
	ch, err := p.challenge(ctx, c, u.ID)
	if err != nil {
		return err
	}
	if c.Now.UnixMilli() >= ch.Expires { // another conversation
		ch = factor.Challenge{ID: c.NewID(), Name: name}
	}
	code, life, err := p.Codes.Draw(ctx, c, factor.Person{ID: u.ID}, &ch)
	if errors.Is(err, factor.ErrSends) || err == nil && code == "" {
		return ErrSends
	}
	if err != nil {
		return err
	}
	if err := p.save(ctx, c, u.ID, ch); err != nil {
		return err
	}
	to := post.Reader{Mail: u.Mail, Mobile: u.Mobile, Culture: u.Culture, Name: u.Display, Account: u.Name}
	data, key := message.Data{Code: code, Lasts: life}, "passcode/"+c.NewID()
	if c.Caller != nil {
		data.By = c.Caller.Name
	}
	if sms {
		return p.Post.SMS(ctx, c, key, to, message.IdentityCode, data, c.Now.Add(life))
	}
	if u.MailUnproved {
		return post.ErrNoMail.Say("The user's mail address is not verified.")
	}
	return p.Post.Mail(ctx, c, key, to, message.IdentityCode, data, c.Now.Add(life))
}

// Check says whether a code is the one that was sent to a person, and takes it out of use when it is. A wrong one counts, so
// the transaction is to be committed. Faults: ErrNone, ErrTries.
func (p *Passcodes) Check(ctx context.Context, c *call.Call, userID, code string) (bool, error) {
	ch, err := p.challenge(ctx, c, userID)
	switch {
	case err != nil:
		return false, err
	case ch.Code == "" || c.Now.UnixMilli() >= ch.Expires:
		return false, ErrNone
	case ch.Tries >= maxTries:
		return false, ErrTries
	}
	fits, err := p.Codes.Fits(ctx, c, factor.Person{ID: userID}, ch, code)
	if err != nil {
		return false, err
	}
	ok, err := p.Codes.Accept(ctx, c, &ch, fits)
	if err != nil {
		return false, err
	}
	return ok, p.save(ctx, c, userID, ch)
}

// name tells these codes from those of mechanisms, in what their keyed hash covers.
const name = "IDENTITY"

func (p *Passcodes) challenge(ctx context.Context, c *call.Call, userID string) (factor.Challenge, error) {
	r, err := lock.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return factor.Challenge{Name: name}, nil
	}
	return factor.Challenge{ID: r.ID, Name: name, Code: r.Code, Sent: r.Sent, Expires: r.Expires, Sends: int(r.Sends), Tries: int(r.Tries)}, err
}

func (p *Passcodes) save(ctx context.Context, c *call.Call, userID string, ch factor.Challenge) error {
	_, err := put.Do(ctx, c.Tx, c.Tenant.ID, userID, ch.ID, ch.Code, ch.Sent, ch.Expires, int64(ch.Sends), int64(ch.Tries))
	return err
}

// Drop forgets a person's code: when they are deleted, and when what they are reached by changes.
func (p *Passcodes) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep removes codes of all tenants whose time was over before a time.
func (p *Passcodes) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweep.Run(ctx, db, before.UnixMilli())
}
