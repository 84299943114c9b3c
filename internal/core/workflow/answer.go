package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Answer is what somebody says to a request.
type Answer struct {
	Event   string   // approve, reject, cancel
	Reason  string   // of reject
	Options *Options // of approve: for how long; nil: as it was asked for, or chosen before
	Over    bool     // the caller administers whom it is about, and answers in the place of whoever's turn it is
}

// Answer answers a request: who's turn it is, or a system administrator, approves or rejects; who asked cancels. Faults: ErrNotFound,
// ErrResolved, ErrEvent, ErrOwn, ErrApprover, ErrOptions, ErrWindow, ErrStale.
func (f *Flows) Answer(ctx context.Context, c *call.Call, id string, a Answer) (Job, error) {
	j, err := f.Get(ctx, c, id)
	if err != nil {
		return j, err
	}
	return f.answer(ctx, c, j, a)
}

func (f *Flows) answer(ctx context.Context, c *call.Call, j Job, a Answer) (Job, error) {
	noted(c, j)
	over := a.Over || c.Caller.Held.System()
	switch {
	case len(a.Reason) > maxReason || !utf8.ValidString(a.Reason):
		return j, fault.Bad("Reason", "may have %d bytes", maxReason)
	case j.State != Pending || j.Due <= c.Now.UnixMilli():
		return j, ErrResolved
	case a.Event == "cancel":
		return j, f.cancel(ctx, c, &j, a)
	case a.Event != approve && a.Event != "reject":
		return j, ErrEvent
	case j.Requestor == c.User():
		return j, ErrOwn
	case !turn(c, j) && !over:
		return j, ErrApprover
	case j.Kind == SignUp && a.Options != nil:
		return j, ErrOptions
	}
	if c.Event != nil {
		c.Event.Set("Decision", a.Event)
	}
	given := j.Granted()
	if a.Event == approve && a.Options != nil && *a.Options != given {
		if !selects(j.chain(), int(j.Step)) && !c.Caller.Held.System() {
			return j, ErrOptions
		}
		given = *a.Options
		call.Changed(c.Event, "Options", j.Granted(), given)
	}
	raw, err := json.Marshal(given)
	if err != nil {
		return j, err
	}
	h := Happened{Time: c.Now.UnixMilli(), Event: a.Event, By: c.User(), Name: c.Caller.Name, Reason: a.Reason}
	if a.Event == approve {
		if err := given.check(c.Now); err != nil {
			return j, err
		}
		h.Given = &given
	}
	j.Options, j.Answered = string(raw), c.User()
	if err := j.add(h); err != nil {
		return j, err
	}
	if _, err := part.Do(ctx, c.Tx, c.Tenant.ID, c.User(), j.ID); err != nil {
		return j, err
	}
	if a.Event == "reject" {
		return j, f.end(ctx, c, &j, Rejected)
	}
	j.Step++
	who, err := f.People.ByID(ctx, c, j.Requestor)
	if err != nil {
		return j, err
	}
	if j.Kind == SignUp {
		if err := f.another(ctx, c, who); err != nil {
			return j, err
		}
	}
	return j, f.proceed(ctx, c, &j, who)
}

// cancel takes a request back.
func (f *Flows) cancel(ctx context.Context, c *call.Call, j *Job, a Answer) error {
	if j.Requestor != c.User() {
		return ErrApprover
	}
	if c.Event != nil {
		c.Event.Set("Decision", a.Event)
	}
	if err := j.add(Happened{Time: c.Now.UnixMilli(), Event: a.Event, By: c.User(), Name: c.Caller.Name, Reason: a.Reason}); err != nil {
		return err
	}
	return f.end(ctx, c, j, Cancelled)
}

// end resolves a request, and tells who asked.
func (f *Flows) end(ctx context.Context, c *call.Call, j *Job, state string) error {
	j.State, j.Approver, j.Resolved = state, "", c.Now.UnixMilli()
	if c.Event != nil {
		c.Event.Set("State", state)
	}
	if err := j.store(ctx, c); err != nil {
		return err
	}
	if j.Kind == SignUp {
		past := j.Past()
		return f.Decided(ctx, c, j.Requestor, state == Approved, past[len(past)-1])
	}
	switch state {
	case Approved:
		return f.Tell(ctx, c, j.Requestor, Given, *j)
	case Rejected, Expired:
		return f.Tell(ctx, c, j.Requestor, Refused, *j)
	}
	return nil
}

// grant gives the access that was asked for. Where the application takes no requests any more, or the requestor may not sign in, there is
// nothing to give.
func (f *Flows) grant(ctx context.Context, c *call.Call, j *Job) error {
	if j.Kind == SignUp {
		return f.end(ctx, c, j, Approved)
	}
	it, err := f.Apps.Askable(ctx, c, j.App)
	var who user.User
	if err == nil {
		who, err = f.People.ByID(ctx, c, j.Requestor)
	}
	o := j.Granted()
	switch {
	case err != nil:
		return err
	case len(settings(it)) == 0 || who.Barred(c.Now) || o.check(c.Now) != nil:
		if err := j.add(Happened{Time: c.Now.UnixMilli(), Event: "reject", Reason: "Access cannot be given any more."}); err != nil {
			return err
		}
		return f.end(ctx, c, j, Rejected)
	}
	if err := f.Apps.Admit(ctx, c, it.ID, who.ID, moment(o.From), moment(o.Until), "Request "+j.ID); err != nil {
		return err
	}
	return f.end(ctx, c, j, Approved)
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Delete removes a request; access that it gave stays. Who asked may, and system administrators; these alone that of a sign-up, once it is
// decided. ErrNotFound, ErrUndecided.
func (f *Flows) Delete(ctx context.Context, c *call.Call, id string) error {
	j, err := find(ctx, c, id)
	switch {
	case err != nil:
	case !c.Caller.Held.System() && (j.Requestor != c.User() || j.Kind == SignUp):
		err = ErrNotFound
	case j.Kind == SignUp && j.State == Pending:
		err = ErrUndecided
	}
	if err != nil {
		return err
	}
	noted(c, j)
	if c.Event != nil {
		c.Event.Set("State", j.State)
	}
	return forget(ctx, c, []string{j.ID})
}

// Expire ends the requests that nobody has answered in time, of all tenants, and forgets those that ended long ago. It runs on one node at a
// time.
func (f *Flows) Expire(ctx context.Context, db *dbx.DB, now time.Time) error {
	var due, gone []late
	err := db.Read(ctx, func(tx *dbx.Tx) (err error) {
		if due, err = overdue.All(ctx, tx, now.UnixMilli()); err == nil {
			gone, err = old.All(ctx, tx, now.Add(-keepClosed).UnixMilli())
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range due {
		err = errors.Join(err, f.Write(ctx, l.Tenant, func(ctx context.Context, c *call.Call) error {
			j, err := find(ctx, c, l.ID)
			if err != nil || j.State != Pending {
				return nil //nolint:nilerr // it was answered, or is gone
			}
			c.Event = c.Record(audit.WorkflowAnswer)
			defer func() { c.Event = nil }()
			noted(c, j)
			c.Event.Set("Decision", "expire")
			if err := j.add(Happened{Time: c.Now.UnixMilli(), Event: "expire"}); err != nil {
				return err
			}
			return f.end(ctx, c, &j, Expired)
		}))
	}
	for _, l := range gone {
		err = errors.Join(err, f.Write(ctx, l.Tenant, func(ctx context.Context, c *call.Call) error { return forget(ctx, c, []string{l.ID}) }))
	}
	return err
}
