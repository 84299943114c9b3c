package app

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/message"
	"limen/internal/core/outbound"
	"limen/internal/core/post"
	"limen/internal/core/tokenfile"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// wireJobs wires the work that takes longer than a request.
func (a *App) wireJobs() {
	a.Jobs = &job.Jobs{
		DB: a.DB, Log: a.Log, Node: a.Settings.Node, Leases: a.Leases,
		Seal: a.sealFile, Open: a.openFile,
		Caller: a.jobCaller, Record: a.Audit.Record, Ended: a.jobEnded,
	}
	a.Jobs.Sweep(job.Sweep{Name: "jobs", Every: time.Hour, Run: a.Jobs.Tidy})
	a.Tenants.Later = a.moveLater
}

// declareJobs declares every type of job that there is. Those with an Order can be started by name; the others follow from something.
func (a *App) declareJobs() {
	for _, t := range []job.Type{
		{Kind: intake.Kind, Name: "BulkUserImport", Run: a.Intake.Work},
		{Kind: tokenfile.Kind, Name: "OathTokenImport", Run: a.Hardware.Work},
		{Kind: jobMove, Name: "SuffixRename", Run: a.moveSuffix},
		{Kind: jobExport, Name: "ExportDynamicRoleMembers", Run: a.exportMembers, Order: a.orderExport},
		{Kind: outbound.JobRun, Name: "Provisioning", Run: a.Outbound.Work},
		{Kind: jobAudit, Name: "AuditVerification", Run: a.verifyAudit, Order: orderAudit},
	} {
		a.Jobs.Declare(t)
	}
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
	if i.Reason != "" {
		e.Set("Reason", i.Reason)
	}
	if err := a.Intake.Ended(ctx, c, i); err != nil {
		return err
	}
	if err := a.Hardware.Ended(ctx, c, i); err != nil {
		return err
	}
	return a.mailJob(ctx, c, i)
}

// mailedLines bounds what the mail has of a job's result.
const mailedLines = 15

// mailJob sends the report of a job to whom it was asked for.
func (a *App) mailJob(ctx context.Context, c *call.Call, i job.Info) error {
	if i.Mail == "" {
		return nil
	}
	k := message.JobDone
	if i.State != job.Done {
		k = message.JobFailed
	}
	var lines []string
	for _, s := range []string{i.Message, i.Reason, i.Result} {
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" && len(lines) < mailedLines {
				lines = append(lines, line)
			}
		}
	}
	culture, err := a.cultureOf(ctx, c, i.User)
	if err != nil {
		return err
	}
	d := message.Data{App: cmp.Or(i.Name, a.Jobs.TypeName(i.Kind)), By: i.ByName, File: i.Target, Accounts: lines}
	return a.Post.Mail(ctx, c, "job/"+i.ID, post.Reader{Mail: i.Mail, Culture: culture}, k, d, c.Now.Add(keepReport))
}

// keepReport is how long a mail with a report is tried to be delivered.
const keepReport = 3 * 24 * time.Hour

// cultureOf is the language of a person; empty, the tenant's, of nobody and of whoever is gone.
func (a *App) cultureOf(ctx context.Context, c *call.Call, userID string) (string, error) {
	if userID == "" {
		return "", nil
	}
	u, err := a.People.ByID(ctx, c, userID)
	if errors.Is(err, user.ErrNotFound) {
		return "", nil
	}
	return u.Culture, err
}

// jobAudit is the job that verifies the audit log.
const jobAudit = "audit.verify"

// orderAudit lets system administrators have it done, once at a time.
func orderAudit(_ context.Context, c *call.Call, args job.Args) (job.Job, error) {
	if c.Caller == nil || !c.Caller.Held.System() {
		return job.Job{}, job.ErrDenied
	}
	return job.Job{Unique: "all"}, args.Known()
}

// verifyAudit is that job. It has failed when something is not as it was written; its result says what.
func (a *App) verifyAudit(ctx context.Context, r *job.Run) error {
	found, err := a.Audit.Verify(ctx, r.Tenant, func(done, total int64) { r.Progress(done, total, "verifying") })
	if err != nil {
		return err
	}
	var text strings.Builder
	bad := describe(&text, found)
	r.Progress(found.Events, found.Events, strings.TrimSpace(strings.SplitN(text.String(), "\n", 2)[0]))
	r.Result(text.String())
	// The cursor tells a second run that the event is written.
	err = r.Do(ctx, "verified", func(_ context.Context, c *call.Call) error {
		if r.Cursor() != "" {
			return nil
		}
		e := c.Record(audit.AuditVerify)
		e.Target, e.Kind = r.ID, "Job"
		if bad {
			e.Outcome = "failed"
		}
		e.Set("Events", found.Events)
		e.Set("Problems", len(found.Problems))
		return nil
	})
	if err == nil && bad {
		err = ErrTampered
	}
	return err
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
	_, err := a.Jobs.Start(ctx, c, job.Job{Kind: jobMove, Unique: fold.Key(from), Payload: move{From: from, To: to}, Target: from})
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
