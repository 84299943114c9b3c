// Package regain gives people their account back who have lost all that they sign in with: after a waiting time, of which every address of
// theirs is told again and again, and which anybody who reads one of these notices ends, as does any sign-in.
//
// Whoever asks learns nothing: a name that was given is put down, whether somebody has it or not, and what comes of it is decided later, where
// nobody waits for it. The waiting time is made of steps, each of which begins when the one before was taken: a clock that jumps shortens it by
// one step at the most, and no notice is left out. At its end a link goes to the mail address and a code to the mobile number, to those that the
// person had at the start; both are needed. They open a session in which nothing can be done but to set up anew what one signs in with.
package regain

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/link"
	"limen/internal/core/message"
	"limen/internal/core/password"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Where people go.
const (
	Path       = "/recover"        // to start
	StopPath   = "/recover/stop"   // links of notices
	FinishPath = "/recover/finish" // the link at the end
)

const (
	// Steps is in how many parts the waiting time is cut: a notice goes out at the beginning of each.
	Steps = 4
	// Hold is for how long nobody regains an account whose mail address or mobile number was changed: whoever could change it would send
	// the link to themselves.
	Hold = 7 * 24 * time.Hour
	// remembered is for how long notices still go to an address that was changed.
	remembered = 30 * 24 * time.Hour
	// between is how soon somebody's account may be asked for again, so that strangers cannot flood them with notices.
	between   = 24 * time.Hour
	linkLasts = 24 * time.Hour
	setupTime = 30 * time.Minute // of the session at the end
	keep      = 90 * 24 * time.Hour
	maxTries  = 5
	digits    = 8
	maxDue    = 200 // taken up at once
)

// What became of one.
const (
	Waiting = "waiting"
	Ready   = "ready" // the link was sent
	Done    = "done"
	Stopped = "stopped"
	Expired = "expired" // nobody opened the link
)

// Faults.
var (
	// ErrLink is all that is said of a link that opens nothing, whatever the reason.
	ErrLink = fault.New(fault.NotFound, "regain.link", "This link is not valid any more. It was used, stopped, or its time is over.")
	ErrWait = fault.New(fault.Limited, "regain.wait", "Too many attempts. Please try again later.")
	// ErrCode is for whoever has the link.
	ErrCode = fault.New(fault.Denied, "regain.code", "The code of the text message is not right.")
	// ErrNone is for those who may know.
	ErrNone = fault.New(fault.NotFound, "regain.none", "Nobody is regaining this account.")
	// ErrCaptcha is for those who start it without the answer to a CAPTCHA, where there must be one.
	ErrCaptcha = fault.New(fault.Denied, "regain.captcha", "Starting this needs the answer to a CAPTCHA, which this page does not ask for. Please contact your IT helpdesk.")
	// ErrDiffer is for those who mistyped one of the two.
	ErrDiffer = fault.New(fault.Invalid, "regain.differ", "The two passwords are not the same.")
)

// Terms are what a tenant and its policies say of somebody.
type Terms struct {
	Wait time.Duration
	// Refused is why the person may not; empty: they may.
	Refused string
}

// Regains are those of the call's tenant. Its fields are set before use.
type Regains struct {
	People    *user.Directory
	Passwords password.Passwords
	Sessions  *session.Sessions
	Throttle  throttle.Throttle
	Links     link.Links
	Ring      *crypt.Ring
	// Find gives whoever a name that was typed means. Fault: user.ErrNotFound.
	Find func(ctx context.Context, c *call.Call, name string) (user.User, error)
	// Terms are what holds for somebody.
	Terms func(ctx context.Context, c *call.Call, u user.User) (Terms, error)
	// Barred says why nobody sets up anew what somebody signs in with, not even with the help of administrators; empty: they may.
	Barred func(ctx context.Context, c *call.Call, u user.User) (string, error)
	// May fails unless an administrator, by UUID, may change the account of somebody now.
	May func(ctx context.Context, c *call.Call, by string, u user.User) error
	// Near says whether one of two people has changed the other one's account since a time, or who holds which rights, or has not been there for as
	// long.
	Near func(ctx context.Context, c *call.Call, one, other string, since time.Time) (bool, error)
	// Strip takes all factors from a person.
	Strip func(ctx context.Context, c *call.Call, userID string) error
	// Mail and Text write to an address of a person.
	Mail, Text func(ctx context.Context, c *call.Call, u user.User, to string, k message.Kind, d message.Data) error
	// Push tells the authenticators of a person that somebody wants to regain the account.
	Push func(ctx context.Context, c *call.Call, u user.User) error
	// Told tells a person that their password was replaced.
	Told func(ctx context.Context, c *call.Call, u user.User) error
	// Write runs work of a tenant that nobody asked for, in a transaction.
	Write func(ctx context.Context, tenantID string, f func(ctx context.Context, c *call.Call) error) error
}

// Regain is somebody's account on its way back to them. Times are in ms since 1970 UTC.
type Regain struct {
	ID      string `db:"id"`
	User    string `db:"user_id"`
	State   string `db:"state"`
	Pause   int64  `db:"pause"`
	Step    int64  `db:"step"`
	Due     int64  `db:"due"`
	Started int64  `db:"started"`
	Ended   int64  `db:"ended"`
	IP      string `db:"ip"`
	Mail    string `db:"mail"`
	Mobile  string `db:"mobile"`
	Hash    []byte `db:"hash"`
	Code    string `db:"code"`
	Tries   int64  `db:"tries"`
	Reason  string `db:"reason"`
	// Approver is the administrator who approved it, so that nobody waited; empty: the person waits.
	Approver string `db:"approver"`
}

// Ends is when the link is sent, as far as nothing changes that; 0 when it was.
func (r Regain) Ends() int64 {
	if r.State != Waiting {
		return 0
	}
	return r.Due + (Steps-r.Step)*r.Pause
}

const columns = `id, user_id, state, pause, step, due, started, ended, ip, mail, mobile, hash, code, tries, reason, approver`

var (
	insertRow = dbx.E("regain.insert", `INSERT INTO regain (tenant, `+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
	openRow   = dbx.Q[Regain]("regain.open", `SELECT `+columns+` FROM regain WHERE tenant = ? AND user_id = ? AND ended = 0`)
	lockOpen  = dbx.Q[Regain]("regain.lock_open", `SELECT `+columns+` FROM regain WHERE tenant = ? AND user_id = ? AND ended = 0 FOR UPDATE`)
	findID    = dbx.Q[Regain]("regain.find", `SELECT `+columns+` FROM regain WHERE tenant = ? AND id = ?`)
	lockID    = dbx.Q[Regain]("regain.lock", `SELECT `+columns+` FROM regain WHERE tenant = ? AND id = ? FOR UPDATE`)
	findLink  = dbx.Q[Regain]("regain.link", `SELECT `+columns+` FROM regain WHERE tenant = ? AND hash = ?`)
	lastStart = dbx.Q[int64]("regain.last", `SELECT COALESCE(max(started), 0) FROM regain WHERE tenant = ? AND user_id = ?`)
	stepRow   = dbx.E("regain.step", `UPDATE regain SET state = ?, step = ?, due = ?, hash = ?, code = ?, tries = ? WHERE tenant = ? AND id = ? AND ended = 0`)
	endRow    = dbx.E("regain.end", `UPDATE regain SET state = ?, ended = ?, reason = ?, hash = ?, code = '' WHERE tenant = ? AND id = ? AND ended = 0`)
	endOpen   = dbx.E("regain.end_open", `UPDATE regain SET state = ?, ended = ?, reason = ?, hash = ?, code = '' WHERE tenant = ? AND user_id = ? AND ended = 0`)
	dropRow   = dbx.E("regain.drop", `DELETE FROM regain WHERE tenant = ? AND user_id = ?`)
	dueRows   = dbx.Q[dueRow]("regain.due", `SELECT tenant, id FROM regain WHERE ended = 0 AND due <= ? ORDER BY due LIMIT ?`)
	sweepRow  = dbx.S("regain.sweep", "regain", "tenant, id", "ended > 0 AND ended < ?")

	putStart   = dbx.E("regain.put_start", `INSERT INTO regain_start (tenant, subject, user_id, ip, asked) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, subject) DO NOTHING`)
	startRows  = dbx.Q[startRow]("regain.starts", `SELECT tenant, subject, user_id, ip FROM regain_start ORDER BY asked, tenant, subject LIMIT ?`)
	dropStart  = dbx.E("regain.drop_start", `DELETE FROM regain_start WHERE tenant = ? AND subject = ?`)
	dropStarts = dbx.E("regain.drop_starts", `DELETE FROM regain_start WHERE tenant = ? AND user_id = ?`)

	putMoved   = dbx.E("regain.put_moved", `INSERT INTO regain_moved (tenant, user_id, id, mail, mobile, moved) VALUES (?, ?, ?, ?, ?, ?)`)
	movedRows  = dbx.Q[movedRow]("regain.moved", `SELECT mail, mobile, moved FROM regain_moved WHERE tenant = ? AND user_id = ? AND moved > ? ORDER BY moved DESC, id LIMIT 20`)
	dropMoved  = dbx.E("regain.drop_moved", `DELETE FROM regain_moved WHERE tenant = ? AND user_id = ?`)
	sweepMoved = dbx.S("regain.sweep_moved", "regain_moved", "tenant, user_id, id", "moved < ?")
)

type dueRow struct {
	Tenant string `db:"tenant"`
	ID     string `db:"id"`
}

type startRow struct {
	Tenant  string `db:"tenant"`
	Subject string `db:"subject"`
	User    string `db:"user_id"`
	IP      string `db:"ip"`
}

type movedRow struct {
	Mail   string `db:"mail"`
	Mobile string `db:"mobile"`
	Moved  int64  `db:"moved"`
}

// Drop forgets what is kept of a person, for the directory when it deletes them.
func (r *Regains) Drop(ctx context.Context, c *call.Call, userID string) error {
	for _, e := range []dbx.Exec{dropRow, dropStarts, dropMoved, dropProposal} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, userID); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes what of all tenants is old at a time.
func (r *Regains) Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	if err := sweepRow.Run(ctx, db, now.Add(-keep).UnixMilli()); err != nil {
		return err
	}
	if err := sweepProposal.Run(ctx, db, now.UnixMilli()); err != nil {
		return err
	}
	return sweepMoved.Run(ctx, db, now.Add(-remembered).UnixMilli())
}
