// Package tasks is the RPC dialect's operations on background jobs: imports, exports and other work that takes longer than a
// request (workflow.yaml n 500-506).
package tasks

import (
	"context"
	"slices"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/job"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Tasks are the operations.
type Tasks struct {
	Jobs *job.Jobs
}

// Faults of this surface.
var (
	ErrMany    = fault.New(fault.TooLarge, "job.many", "At most 1000 jobs can be named in one call.")
	ErrNeither = fault.New(fault.Invalid, "job.which", "Parameter \"jobIds\" or \"olderThanHours\" must be specified.")
)

var (
	// own lets system administrators see every job, and everybody those that they started.
	own     = op.Any(op.System, op.Authenticated)
	get     = []string{"GET"}
	unknown = []*fault.Error{job.ErrNotFound, fault.ErrMissing, fault.ErrInvalid}
)

// Ops declares them.
func (t Tasks) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Task/GetJobHistory", Methods: get, Allow: own, Effect: op.Read, Faults: []*fault.Error{fault.ErrInvalid}}, t.GetJobHistory),
		op.New(op.Spec{Path: "/Task/GetJobHistoryById", Methods: get, Allow: own, Effect: op.Read, Faults: unknown}, t.GetJobHistoryByID),
		op.Prepared(op.Spec{Path: "/Task/GetJobReport", Methods: get, Allow: own, Effect: op.Read, Rate: op.Costly,
			Faults: append([]*fault.Error{job.ErrNoReport, job.ErrReportEarly}, unknown...)}, t.open, t.GetJobReport),
		op.New(op.Spec{Path: "/Task/JobReport", Methods: get, Allow: op.System, Effect: op.Read, Rate: op.Costly,
			Faults: []*fault.Error{fault.ErrInvalid}}, t.JobReport),
		op.New(op.Spec{Path: "/Task/GetJobMetrics", Methods: get, Allow: op.System, Effect: op.Read}, t.GetJobMetrics),
		op.New(op.Spec{Path: "/Task/CreateOneTimeJob", Allow: op.Administrator, Effect: op.Write, Audit: audit.JobStart, Rate: op.Costly,
			Faults: []*fault.Error{
				job.ErrType, job.ErrRunning, job.ErrDenied, role.ErrNotFound, fault.ErrMissing, fault.ErrInvalid,
			}}, t.CreateOneTimeJob),
		op.New(op.Spec{Path: "/Task/CancelJob", Allow: own, Effect: op.Write, Audit: audit.JobCancel,
			Faults: append([]*fault.Error{job.ErrEnded}, unknown...)}, t.CancelJob),
		op.New(op.Spec{Path: "/Task/DeleteJobHistory", Allow: op.System, Effect: op.Write, Audit: audit.JobDelete,
			Faults: []*fault.Error{ErrMany, ErrNeither, fault.ErrInvalid}}, t.DeleteJobHistory),
	}
}

// Job is a background job as lists show it. Times that have not come are null.
type Job struct {
	// JobID is its UUID.
	JobID string `json:"JobId"`
	// Name is what whoever asked for it called it, or else that of its type.
	Name string
	// Type is its type, such as BulkUserImport.
	Type string
	// Status is Queued, Running, CancelRequested, Succeeded, Failed or Cancelled.
	Status string
	// SubmittedBy is the login name of who started it, as it was then; empty for the server itself.
	SubmittedBy string
	Submitted   rpc.Time
	Started     rpc.Time
	Ended       rpc.Time
	// Percent is how much of it is done, 0 while that is not known.
	Percent int
	// Message is its last progress, or why it failed or was cancelled.
	Message string
	// TargetName names what it is about, such as a role or a file.
	TargetName string
	// ReportPath is always null: reports are had by GetJobReport.
	ReportPath *string
}

func moment(ms int64) rpc.Time {
	if ms == 0 {
		return rpc.Time{}
	}
	return rpc.Time(time.UnixMilli(ms))
}

// job shows a job.
func (t Tasks) job(i *job.Info) Job {
	out := Job{
		JobID: i.ID, Name: i.Name, Type: t.Jobs.TypeName(i.Kind), Status: i.Status(), SubmittedBy: i.ByName, Submitted: moment(i.Created),
		Started: moment(i.Started), Ended: moment(i.Ended), Percent: percent(i), Message: i.Message, TargetName: i.Target,
	}
	if out.Name == "" {
		out.Name = out.Type
	}
	if out.SubmittedBy == "" {
		out.SubmittedBy = i.User
	}
	if i.Reason != "" && (i.State == job.Cancelled || i.Cancelled) {
		out.Message = strings.TrimSpace(out.Message + " Cancelled: " + i.Reason)
	}
	return out
}

// percent is whole when everything is done only: a job that succeeded, or one that is at its last step.
func percent(i *job.Info) int {
	switch {
	case i.State == job.Done:
		return 100
	case i.Total <= 0 || i.Done <= 0:
		return 0
	}
	return int(min(i.Done, i.Total) * 100 / i.Total)
}

// Named names a job.
type Named struct {
	// JobID is the job's UUID, required.
	JobID string `json:"jobId"`
}

// Check wants it.
func (n *Named) Check() error {
	if strings.TrimSpace(n.JobID) == "" {
		return fault.Missing("jobId")
	}
	return nil
}

// Event is something that happened to a job.
type Event struct {
	Time    rpc.Time
	Status  string
	Message string
}

// Detail is a job with what happened to it.
type Detail struct {
	Job
	// Result is what the job reports: a line each. Beyond the contract.
	Result string
	// Report is the name of the file that GetJobReport gives; empty when there is none. Beyond the contract.
	Report string
	// Events are when it was queued, when it began, when somebody asked it to end, and when it ended.
	Events []Event
}

// GetJobHistoryByID shows one job, with what happened to it and what it reports.
//
// Whoever started it sees it, and system administrators. It is remembered for 30 days from its end. workflow.yaml n 505.
func (t Tasks) GetJobHistoryByID(ctx context.Context, c *op.Call, in Named) (Detail, error) {
	i, err := t.Jobs.Get(ctx, c, c.Grant, strings.TrimSpace(in.JobID))
	if err != nil {
		return Detail{}, err
	}
	out := Detail{Job: t.job(&i), Result: i.Result, Report: i.Report, Events: []Event{{Time: moment(i.Created), Status: job.StatusQueued}}}
	for _, e := range []Event{
		{moment(i.Started), job.StatusRunning, ""}, {moment(i.Asked), job.StatusAsked, i.Reason}, {moment(i.Ended), i.Status(), i.Message},
	} {
		if !e.Time.IsZero() {
			out.Events = append(out.Events, e)
		}
	}
	return out, nil
}

func (t Tasks) open(ctx context.Context, c *op.Call, in Named) (out op.File, err error) {
	err = c.Snapshot(ctx, func() (err error) {
		out.Name, out.Body, err = t.Jobs.ReportOf(ctx, c, c.Grant, strings.TrimSpace(in.JobID))
		return err
	})
	out.Type, out.Download = "text/csv; charset=utf-8", true
	return out, err
}

// GetJobReport gives the file that a job has made, such as an export, as long as the job is remembered.
//
// It is CSV in UTF-8. Whoever started the job gets it, and system administrators. Beyond the contract: workflow.yaml names a path in
// the virtual file system instead (ReportPath).
func (t Tasks) GetJobReport(_ context.Context, _ *op.Call, _ Named, out op.File) (op.File, error) {
	return out, nil
}

// Order is a job to be started.
type Order struct {
	// Type is the job's type, required: AuditVerification or ExportDynamicRoleMembers.
	Type string `json:"Type"`
	// Name is what people call it; that of its type when absent.
	Name string `json:"Name"`
	// RunAt is when it begins at the earliest, within a year; at once when absent.
	RunAt op.Opt[time.Time] `json:"RunAt"`
	// Args are for its type. AuditVerification has none; ExportDynamicRoleMembers has RoleName (id or name, required), MemberSet (All or
	// Active) and Format (CsvAsAttachmentFile).
	Args map[string]any `json:"Args"`
	// EmailReportTo is a mail address that is told how it ended.
	EmailReportTo string `json:"EmailReportTo"`
}

// Check wants a type.
func (o *Order) Check() error {
	if strings.TrimSpace(o.Type) == "" {
		return fault.Missing("Type")
	}
	if o.EmailReportTo != "" {
		return user.CheckMail("EmailReportTo", o.EmailReportTo)
	}
	return nil
}

// CreateOneTimeJob starts a job and returns its UUID.
//
// The types that can be started so are AuditVerification, for system administrators, and ExportDynamicRoleMembers, for those who manage
// or read the roles of the whole tenant; its file is had by GetJobReport. A job of the same type about the same thing is refused while
// one waits or runs. When a server dies, another goes on with the job. workflow.yaml n 503.
func (t Tasks) CreateOneTimeJob(ctx context.Context, c *op.Call, in Order) (string, error) {
	a := job.Asked{Type: strings.TrimSpace(in.Type), Name: strings.TrimSpace(in.Name), Mail: in.EmailReportTo, Args: in.Args}
	if at, given := in.RunAt.Get(); given {
		a.Due = at
	}
	return t.Jobs.Order(ctx, c, a)
}

// Cancellation asks a job to end.
type Cancellation struct {
	// JobID is the job's UUID, required.
	JobID string `json:"jobId"`
	// Reason is why, for the history; up to 1000 bytes.
	Reason string `json:"reason"`
}

// Check wants the job.
func (x *Cancellation) Check() error {
	if strings.TrimSpace(x.JobID) == "" {
		return fault.Missing("jobId")
	}
	if len(x.Reason) > 1000 {
		return fault.Bad("reason", "may have 1000 bytes")
	}
	return nil
}

// CancelJob asks a job to end, and returns true.
//
// A job that waits is cancelled at once. One that runs goes on to its next safe point, in an import the end of the batch that it is at;
// what it has done until then stays, and its report says how far it came. workflow.yaml n 502.
func (t Tasks) CancelJob(ctx context.Context, c *op.Call, in Cancellation) (bool, error) {
	err := t.Jobs.Cancel(ctx, c, c.Grant, strings.TrimSpace(in.JobID), strings.TrimSpace(in.Reason))
	return err == nil, err
}

// Cleaning says which jobs to forget.
type Cleaning struct {
	// JobIDs are jobs; up to 1000.
	JobIDs []string `json:"jobIds" rpc:"one"`
	// OlderThanHours takes those that ended so long ago.
	OlderThanHours op.Opt[int] `json:"olderThanHours"`
}

// Check wants one of them.
func (x *Cleaning) Check() error {
	hours, given := x.OlderThanHours.Get()
	switch {
	case len(x.JobIDs) == 0 && !given:
		return ErrNeither
	case len(x.JobIDs) > 1000:
		return ErrMany
	case given && (hours < 0 || hours > maxHours):
		return fault.Bad("olderThanHours", "must be from 0 to %d", maxHours)
	}
	return nil
}

// Cleaned is how many there were.
type Cleaned struct{ Deleted int64 }

// DeleteJobHistory forgets jobs that have ended, and says how many there were.
//
// Jobs that wait or run stay and are not counted, nor are those that do not exist. One call forgets the oldest 10,000 at most. The
// events that the jobs left stay. workflow.yaml n 500.
func (t Tasks) DeleteJobHistory(ctx context.Context, c *op.Call, in Cleaning) (out Cleaned, err error) {
	ids := slices.Compact(slices.Sorted(slices.Values(in.JobIDs)))
	if out.Deleted, err = t.Jobs.Forget(ctx, c, ids...); err != nil {
		return out, err
	}
	if hours, given := in.OlderThanHours.Get(); given {
		n, err := t.Jobs.ForgetBefore(ctx, c, c.Now.Add(-time.Duration(hours)*time.Hour))
		if err != nil {
			return out, err
		}
		out.Deleted += n
		c.Event.Set("OlderThanHours", hours)
	}
	if len(ids) > 0 {
		c.Event.Set("JobIds", ids)
	}
	c.Event.Set("Deleted", out.Deleted)
	return out, nil
}
