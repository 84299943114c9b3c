// Package reset lets people replace a password that they forgot, by a code that a mail brings. Who asks learns nothing: not whether there is
// an account, nor whether its policies let a mail alone do. The codes lead nowhere by a click, since whoever asked may be a stranger.
package reset

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/link"
	"limen/internal/core/message"
	"limen/internal/core/password"
	"limen/internal/core/post"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Lasts is how long a code is good for.
const Lasts = time.Hour

// Limits.
const (
	maxSame = 5 // accounts with one address that get a code
	// maxAsked is how many codes of a person stand beside each other that whoever asked for: another one is not sent while these are good, since
	// it would have to put one out of use, which may be the person's own.
	maxAsked = 5
	maxCodes = 10 // with those that administrators had sent; the oldest makes room
)

// Faults of resets.
var (
	// ErrCode is all that is said of a code which opens nothing, whatever the reason.
	ErrCode = fault.New(fault.NotFound, "reset.code", "This code is not valid. It, or another one of yours, was used, or its time is over.")
	ErrWait = fault.New(fault.Limited, "reset.wait", "Too many attempts. Please try again later.")
	// ErrPassword is for administrators.
	ErrPassword = fault.New(fault.Invalid, "reset.no_password", "The user has no password here that could be replaced.")
)

// Resets are those of the call's tenant. Its fields are set before use.
type Resets struct {
	People    *user.Directory
	Passwords password.Passwords
	Post      *post.Post
	Throttle  throttle.Throttle
	Links     link.Links
	// Allowed says whether a code by mail alone may replace a person's password, as far as their policies say.
	Allowed func(ctx context.Context, c *call.Call, u user.User) (bool, error)
	// Told tells a person that their password was replaced.
	Told func(ctx context.Context, c *call.Call, u user.User) error
}

type row struct {
	User    string `db:"user_id"`
	MailKey string `db:"mail_key"`
	Expires int64  `db:"expires"`
}

var (
	putRow  = dbx.E("reset.put", `INSERT INTO password_reset_code (tenant, hash, user_id, mail_key, expires) VALUES (?, ?, ?, ?, ?)`)
	trimRow = dbx.E("reset.trim", `DELETE FROM password_reset_code WHERE tenant = ? AND user_id = ? AND hash IN
		(SELECT hash FROM password_reset_code WHERE tenant = ? AND user_id = ? ORDER BY expires DESC, hash LIMIT 1000 OFFSET ?)`)
	standing = dbx.Q[int64]("reset.standing", `SELECT count(*) FROM password_reset_code WHERE tenant = ? AND user_id = ? AND expires > ?`)
	findRow  = dbx.Q[row]("reset.find", `SELECT user_id, mail_key, expires FROM password_reset_code WHERE tenant = ? AND hash = ?`)
	lockRow  = dbx.Q[row]("reset.lock", `SELECT user_id, mail_key, expires FROM password_reset_code WHERE tenant = ? AND hash = ? FOR UPDATE`)
	dropRow  = dbx.E("reset.drop", `DELETE FROM password_reset_code WHERE tenant = ? AND user_id = ?`)
	sweepRow = dbx.S("reset.sweep", "password_reset_code", "tenant, hash", "expires < ?")
)

// Ask sends a code to those who have a mail address, and may replace their password by it. Asking counts, whether there is anybody or not.
// Codes that were sent before stay good, and while there are several of these no further one is sent. It gives the people, for the event alone.
// Fault: ErrWait.
func (r *Resets) Ask(ctx context.Context, c *call.Call, mail string) ([]user.User, error) {
	if err := r.Throttle.Asked(ctx, c, mail, ErrWait); err != nil {
		return nil, err
	}
	all, err := r.People.ByMail(ctx, c, mail, maxSame)
	if err != nil {
		return nil, err
	}
	var out []user.User
	for _, u := range all {
		may, err := r.may(ctx, c, u)
		if err == nil && may {
			out, err = append(out, u), r.send(ctx, c, u)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// may says whether a person who asks gets a code.
func (r *Resets) may(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	if !replaceable(u) || u.Barred(c.Now) || u.MfaUser != "" {
		return false, nil
	}
	n, err := standing.One(ctx, c.Tx, c.Tenant.ID, u.ID, c.Now.UnixMilli())
	if err != nil || n >= maxAsked {
		return false, err
	}
	return r.Allowed(ctx, c, u)
}

// replaceable says whether somebody has a password, and a mail address that is theirs.
func replaceable(u user.User) bool {
	return u.PasswordChanged != 0 && u.Mail != "" && !u.MailUnproved && !u.Service && !u.OAuthClient
}

// Send sends a code to somebody as an administrator wishes, who answers for it in the place of the policies. Fault: ErrPassword.
func (r *Resets) Send(ctx context.Context, c *call.Call, u user.User) error {
	if !replaceable(u) {
		return ErrPassword
	}
	return r.send(ctx, c, u)
}

func (r *Resets) send(ctx context.Context, c *call.Call, u user.User) error {
	code, hash := crypt.NewToken(c.Rand)
	ends := c.Now.Add(Lasts)
	if _, err := putRow.Do(ctx, c.Tx, c.Tenant.ID, hash, u.ID, u.MailKey, ends.UnixMilli()); err != nil {
		return err
	}
	if _, err := trimRow.Do(ctx, c.Tx, c.Tenant.ID, u.ID, c.Tenant.ID, u.ID, maxCodes); err != nil {
		return err
	}
	to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name, Org: u.Org}
	data := message.Data{Code: code, Lasts: Lasts, IP: c.Client.IP.Unmap().String()}
	return r.Post.Mail(ctx, c, "reset/"+c.NewID(), to, message.RecoveryCode, data, ends)
}

// Choice is a new password that was checked and hashed.
type Choice struct {
	user  string // whose code it was when the password was checked; empty: it opened nothing
	fresh password.New
	rule  *fault.Error // what is wrong with the password
}

// Prepare checks and hashes a new password; outside transactions. What is wrong with code or password is told by Finish. It fails with
// ErrWait while the network is refused: then nothing is hashed.
func (r *Resets) Prepare(ctx context.Context, c *call.Call, code, plain string) (Choice, error) {
	var u user.User
	err := c.Snapshot(ctx, func() (err error) {
		if err = r.Links.Admit(ctx, c, ErrWait); err == nil {
			u, err = r.person(ctx, c, findRow, code)
		}
		return err
	})
	if errors.Is(err, ErrCode) {
		return Choice{}, nil
	}
	if err != nil {
		return Choice{}, err
	}
	fresh, err := r.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: plain, Reset: true,
	})
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid {
		return Choice{user: u.ID, rule: f}, nil
	}
	return Choice{user: u.ID, fresh: fresh}, err
}

// person finds whose password a code replaces.
func (r *Resets) person(ctx context.Context, c *call.Call, by dbx.Query[row], code string) (user.User, error) {
	hash, ok := link.Hash(code)
	if !ok {
		return user.User{}, ErrCode
	}
	found, err := by.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && found.Expires <= c.Now.UnixMilli() {
		return user.User{}, ErrCode
	}
	if err != nil {
		return user.User{}, err
	}
	u, err := r.People.ByID(ctx, c, found.User)
	if errors.Is(err, user.ErrNotFound) || err == nil && (u.MailKey != found.MailKey || !replaceable(u) || u.Barred(c.Now)) {
		return user.User{}, ErrCode
	}
	return u, err
}

// Finish stores the new password, uses the code up, ends the person's sessions, forgets the devices on which they were known, and tells them.
// It gives the person also where the password is at fault: then the code may be tried again. A code that opens nothing counts as a guess of
// the caller's network, so its fault must not undo the transaction. It signs nobody in.
//
// Faults: ErrCode; ErrWait; those of the password policy; password.ErrChanged.
func (r *Resets) Finish(ctx context.Context, c *call.Call, code string, ch Choice) (user.User, error) {
	u, err := r.person(ctx, c, lockRow, code)
	if err == nil && u.ID != ch.user {
		err = ErrCode
	}
	if err != nil && !errors.Is(err, ErrCode) {
		return user.User{}, err
	}
	if failed := r.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return user.User{}, failed
	}
	switch {
	case err != nil:
		return user.User{}, err
	case ch.rule != nil:
		return u, ch.rule
	}
	return u, r.replace(ctx, c, u, ch.fresh)
}

func (r *Resets) replace(ctx context.Context, c *call.Call, u user.User, fresh password.New) error {
	if err := r.Drop(ctx, c, u.ID); err != nil {
		return err
	}
	if err := r.Passwords.Put(ctx, c, u.ID, fresh, false); err != nil {
		return err
	}
	if err := r.Throttle.ForgetDevices(ctx, c, u.ID); err != nil {
		return err
	}
	if err := r.People.End(ctx, c, u.ID); err != nil {
		return err
	}
	return r.Told(ctx, c, u)
}

// Drop forgets a person's codes; for the directory when it deletes them, changes where messages reach them, or notes that they have another
// password.
func (r *Resets) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Sweep removes codes of all tenants whose time was over before a time.
func (r *Resets) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
