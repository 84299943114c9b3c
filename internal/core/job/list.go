package job

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Info is a job as people see it. Times are ms UTC, 0 for none.
type Info struct {
	ID        string `db:"id"`
	Tenant    string `db:"tenant"`
	Kind      string `db:"kind"`
	State     string `db:"state"`
	Done      int64  `db:"done"`
	Total     int64  `db:"total"` // 0 when unknown
	Message   string `db:"message"`
	Result    string `db:"result"`
	Cancelled bool   `db:"cancel"` // somebody asked for it, whether or not it has ended
	User      string `db:"by_user"`
	Created   int64  `db:"created"`
	Due       int64  `db:"due"`
	Started   int64  `db:"started"`
	Ended     int64  `db:"ended"`
	Tries     int    `db:"tries"`
	Name      string `db:"name"`   // what whoever asked for it called it; empty: nothing
	Target    string `db:"target"` // name of what it is about
	ByName    string `db:"by_name"`
	Mail      string `db:"mail"`        // where its report goes
	Asked     int64  `db:"asked"`       // when somebody asked it to end
	Reason    string `db:"reason"`      // why
	Report    string `db:"report_name"` // name of the file that it has made; empty: none
}

const infoColumns = `SELECT id, tenant, kind, state, done, total, message, result, cancel, by_user, created, due, started, ended, tries,
	name, target, by_name, mail, asked, reason, report_name FROM job WHERE tenant = ?`

var get = dbx.Q[Info]("job.get", infoColumns+` AND id = ?`)

// The states as people see them: to those that are stored comes that somebody asked a running job to end.
const (
	StatusQueued    = "Queued"
	StatusRunning   = "Running"
	StatusAsked     = "CancelRequested"
	StatusDone      = "Succeeded"
	StatusFailed    = "Failed"
	StatusCancelled = "Cancelled"
)

var statuses = map[string]string{
	Waiting: StatusQueued, Running: StatusRunning, Done: StatusDone, Failed: StatusFailed, Cancelled: StatusCancelled,
}

// Statuses lists them all.
func Statuses() []string {
	return []string{StatusQueued, StatusRunning, StatusAsked, StatusDone, StatusFailed, StatusCancelled}
}

// Status is the job's state as people see it.
func (i *Info) Status() string {
	if i.State == Running && i.Cancelled {
		return StatusAsked
	}
	return statuses[i.State]
}

// Get gives a job. Whoever may not see the whole tenant sees those that the grant names, and those started by users it names.
func (j *Jobs) Get(ctx context.Context, c *call.Call, g grant.Grant, id string) (Info, error) {
	i, err := get.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && !g.Allows(i.ID, "") && !g.Allows(i.User, "") {
		return Info{}, ErrNotFound
	}
	return i, err
}

// Cancel ends a job that waits, and asks one that runs to end. On this node that reaches it at once, on others with its next
// heartbeat. reason is for people. Faults: ErrNotFound, ErrEnded.
func (j *Jobs) Cancel(ctx context.Context, c *call.Call, g grant.Grant, id, reason string) error {
	i, err := j.Get(ctx, c, g, id)
	if err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = i.ID, "Job", i.Kind
		call.Changed(c.Event, "Reason", i.Reason, reason)
	}
	now := j.now().UnixMilli()
	_, err = cancel.One(ctx, c.Tx, true, now, clean(reason, maxText), now, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrEnded
	}
	if err != nil {
		return err
	}
	if i, err = get.One(ctx, c.Tx, c.Tenant.ID, id); err != nil {
		return err
	}
	if i.State == Cancelled && j.Ended != nil { // it had not begun, so that no worker will say so
		return j.Ended(ctx, c, i)
	}
	c.Tx.After(func() {
		j.mu.Lock()
		r := j.running[id]
		j.mu.Unlock()
		if r != nil {
			r.cancel()
		}
	})
	return nil
}
