package app

import (
	"context"
	"errors"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/job"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// wireJobs wires the work that takes longer than a request.
func (a *App) wireJobs() {
	a.Jobs = &job.Jobs{
		DB: a.DB, Log: a.Log, Node: a.Settings.Node, Leases: a.Leases,
		Seal: func(ctx context.Context, tenant string, plain []byte, aad string) (string, error) {
			return a.Ring.Seal(ctx, tenant, purposeJob, plain, aad)
		},
		Open: func(ctx context.Context, tenant, sealed, aad string) ([]byte, error) {
			return a.Ring.Open(ctx, tenant, purposeJob, sealed, aad)
		},
		Caller: a.jobCaller, Record: a.Audit.Record, Ended: a.jobEnded,
	}
	a.Jobs.Sweep(job.Sweep{Name: "jobs", Every: time.Hour, Run: a.Jobs.Tidy})
	a.Jobs.Handle(jobMove, a.moveSuffix)
	a.Tenants.Later = a.moveLater
}

// jobCaller is who a job acts as: the person who started it, with the rights that they have by now. Whoever is gone or
// barred has none, and the job's own code decides what that means.
func (a *App) jobCaller(ctx context.Context, tx *dbx.Tx, tenantID, userID string) (*call.Caller, error) {
	c := a.Shell(tenantID)
	c.Tx = tx
	h, err := a.holder(ctx, c, userID)
	if errors.Is(err, user.ErrNotFound) {
		return &call.Caller{User: userID}, nil
	}
	if err != nil {
		return nil, err
	}
	out := &call.Caller{User: userID, Name: h.Name, Org: h.Org}
	if !h.Barred {
		out.Roles, out.Held = h.Roles, h.Held
	}
	return out, nil
}

// jobEnded leaves an event of a job's end.
func (a *App) jobEnded(ctx context.Context, c *call.Call, i job.Info) error {
	e := c.Record(audit.JobEnd)
	e.Target, e.Kind, e.Name = i.ID, "Job", i.Kind
	switch i.State {
	case job.Failed:
		e.Outcome = "failed"
	case job.Cancelled:
		e.Outcome = "refused"
	}
	e.Set("Done", i.Done)
	if err := a.Intake.Ended(ctx, c, i); err != nil {
		return err
	}
	return a.Audit.Record(ctx, c)
}

// jobMove is the job that renames the users of a suffix.
const jobMove = "suffix.move"

// move is what that job is told.
type move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// moveLater starts the job that goes on with the rename of a suffix, in the transaction that began it.
func (a *App) moveLater(ctx context.Context, c *call.Call, from, to string) error {
	_, err := a.Jobs.Start(ctx, c, job.Job{Kind: jobMove, Unique: fold.Key(from), Payload: move{From: from, To: to}})
	return err
}

// moveSuffix is the job: a batch of users in each transaction, until none is left.
func (a *App) moveSuffix(ctx context.Context, r *job.Run) error {
	var m move
	if err := r.Payload(&m); err != nil {
		return err
	}
	batch, _ := strconv.Atoi(r.Cursor())
	for done := false; !done; {
		batch++ // the cursor changes with each, so that a COMMIT whose answer was lost is recognised
		err := r.Do(ctx, strconv.Itoa(batch), func(ctx context.Context, c *call.Call) (err error) {
			done, err = a.Tenants.MoveOn(ctx, c, m.From, m.To)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
