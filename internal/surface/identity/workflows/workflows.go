// Package workflows is the RPC dialect's operations on workflow jobs (workflow.yaml n 494-499): requests for access to applications, sign-ups, and
// their approval.
package workflows

import (
	"context"
	"slices"
	"strings"
	"time"

	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	core "limen/internal/core/workflow"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Workflows are the operations.
type Workflows struct {
	Flows  *core.Flows
	People *user.Directory
}

// Faults of this surface, in the words that clients look for.
var (
	ErrSlash = fault.New(fault.Invalid, "workflow.script_path", "The path of the script must start with a forward slash.")
	ErrCast  = fault.New(fault.Invalid, "workflow.args", "Get value type casting failure: args must be an object.")
	ErrType  = fault.New(fault.Invalid, "workflow.type", "The value is not valid.\r\nParameter name: type")
)

// Ops declares them.
func (w Workflows) Ops() []op.Op {
	one := []*fault.Error{core.ErrNotFound, fault.ErrMissing}
	answers := append([]*fault.Error{
		core.ErrResolved, core.ErrEvent, core.ErrOwn, core.ErrApprover, core.ErrOptions, core.ErrWindow, core.ErrStale, core.ErrSame, ErrCast, app.ErrOwnRights, fault.ErrInvalid,
	}, one...)
	starts := []*fault.Error{
		core.ErrScript, core.ErrClosed, core.ErrHas, core.ErrPending, core.ErrMany, core.ErrWindow, ErrSlash, ErrCast, fault.ErrMissing, fault.ErrInvalid,
	}
	return []op.Op{
		op.New(op.Spec{Path: "/JobFlow/StartJob", Allow: op.Authenticated, Effect: op.Write, Audit: audit.WorkflowRequest, Rate: op.Costly, Faults: starts}, w.StartJob),
		op.New(op.Spec{Path: "/JobFlow/Event", Allow: op.Authenticated, Effect: op.Write, Audit: audit.WorkflowAnswer, Faults: answers}, w.Event),
		op.New(op.Spec{Path: "/JobFlow/DeleteJob", Allow: op.Authenticated, Effect: op.Write, Audit: audit.WorkflowDelete, Faults: append([]*fault.Error{core.ErrUndecided}, one...)}, w.DeleteJob),
		op.New(op.Spec{Path: "/JobFlow/GetJob", Allow: op.Authenticated, Effect: op.Read, Faults: one}, w.GetJob),
		op.New(op.Spec{Path: "/JobFlow/GetJobs", Allow: op.System, Effect: op.Read, Faults: []*fault.Error{ErrType}}, w.GetJobs),
		op.New(op.Spec{Path: "/JobFlow/GetMyJobs", Allow: op.Authenticated, Effect: op.Read, Faults: []*fault.Error{ErrType}}, w.GetMyJobs),
		op.New(op.Spec{Path: "/JobFlow/GetRequestableApps", Allow: op.Authenticated, Effect: op.Read, Rate: op.Costly}, w.GetRequestableApps),
	}
}

// Ref names a job.
type Ref struct {
	// JobID is the job's UUID, required.
	JobID string `json:"jobid" also:"ID"`
	// RRFormat is taken and does nothing.
	RRFormat bool `json:"RRFormat"`
	// Args are taken and do nothing: there is one job.
	Args page.Args `json:"Args"`
}

// Check wants it.
func (r *Ref) Check() error {
	if strings.TrimSpace(r.JobID) == "" {
		return fault.Missing("jobid")
	}
	return nil
}

// Options are for how long access is asked for, or given.
type Options struct {
	AccessType     string   `json:"AccessType"`     // App
	AssignmentType string   `json:"AssignmentType"` // perm, window
	StartTime      rpc.Time `json:"StartTime"`      // null: at once
	EndTime        rpc.Time `json:"EndTime"`        // null: for good
}

// Happened is an entry of a job's history.
type Happened struct {
	Time  rpc.Time       `json:"Time"`
	Event string         `json:"Event"` // request, approve, reject, cancel, pass, expire
	By    string         `json:"By"`    // login name; empty: nobody
	Args  map[string]any `json:"Args"`
}

// Job is a request for access, or the sign-up of somebody who registered. Beyond the contract: History, ExpireTime.
type Job struct {
	ID               string     `json:"ID"`
	Description      string     `json:"Description"`
	Type             string     `json:"Type"`  // Application, SignUp
	State            string     `json:"State"` // Pending, Approved, Rejected, Expired, Cancelled
	Requestor        string     `json:"Requestor"`
	RequestorName    string     `json:"RequestorName"`
	Target           string     `json:"Target"`
	TargetName       string     `json:"TargetName"`
	Reason           string     `json:"Reason"`
	Approver         string     `json:"Approver"` // login name of who answered last
	CreateTime       rpc.Time   `json:"CreateTime"`
	ResolveTime      rpc.Time   `json:"ResolveTime"` // null: it is not
	ExpireTime       rpc.Time   `json:"ExpireTime"`
	RequestedOptions Options    `json:"RequestedOptions"`
	History          []Happened `json:"History"`
}

func at(ms int64) rpc.Time {
	if ms == 0 {
		return rpc.Time{}
	}
	return rpc.Time(time.UnixMilli(ms))
}

func options(o core.Options) Options {
	out := Options{"App", "perm", at(o.From), at(o.Until)}
	if o.From != 0 || o.Until != 0 {
		out.AssignmentType = "window"
	}
	return out
}

// shown is a job as clients see it. names are those of people, by UUID.
func (w Workflows) shown(ctx context.Context, c *op.Call, j core.Job, names map[string]string) (Job, error) {
	for _, id := range []string{j.Requestor, j.Answered} {
		if _, known := names[id]; known || id == "" {
			continue
		}
		u, err := w.People.ByID(ctx, c, id)
		if err != nil && fault.Of(err).Kind != fault.NotFound {
			return Job{}, err
		}
		names[id] = u.Name
	}
	out := Job{
		ID: j.ID, Description: "Access to " + j.AppName, Type: "Application", State: j.State, Requestor: j.Requestor, RequestorName: names[j.Requestor], Target: j.App,
		TargetName: j.AppName, Reason: j.Reason, Approver: names[j.Answered], CreateTime: at(j.Created), ResolveTime: at(j.Resolved), ExpireTime: at(j.Due),
		RequestedOptions: options(j.Granted()), History: []Happened{},
	}
	if j.Kind == core.SignUp {
		out.Description, out.Type, out.RequestedOptions = "Sign-up of "+j.AppName, string(core.SignUp), Options{}
	}
	for _, h := range j.Past() {
		args := map[string]any{}
		if h.Reason != "" {
			args["Reason"] = h.Reason
		}
		if h.Given != nil {
			args["Options"] = options(*h.Given)
		}
		out.History = append(out.History, Happened{at(h.Time), h.Event, h.Name, args})
	}
	return out, nil
}

// GetJob reads one job: for who asked, for approvers, and for system administrators. Errors: workflow.not_found, also for who has no part in
// it. workflow.yaml n 496.
func (w Workflows) GetJob(ctx context.Context, c *op.Call, in Ref) (Job, error) {
	j, err := w.Flows.Get(ctx, c, in.JobID)
	if err != nil {
		return Job{}, err
	}
	return w.shown(ctx, c, j, map[string]string{})
}

// DeleteJob deletes a job: who asked may, and system administrators. A request that waits goes without an answer; access that was given
// stays. A sign-up that waits is decided instead, and a decided one is for system administrators to delete. Errors: workflow.not_found,
// workflow.undecided. workflow.yaml n 494.
func (w Workflows) DeleteJob(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, w.Flows.Delete(ctx, c, in.JobID)
}

// Listing asks for jobs.
type Listing struct {
	// Type is all; of GetMyJobs also approve, for those that wait for the caller, and request, for the caller's own that wait. Required.
	Type string `json:"type"`
	// Args say which page; SortBy is Description, the newest come first otherwise.
	Args page.Args `json:"Args"`
}

var columns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Description"}, {Name: "Type"}, {Name: "State"}, {Name: "Requestor"}, {Name: "RequestorName"}, {Name: "Target"},
	{Name: "TargetName"}, {Name: "Reason"}, {Name: "Approver"}, {Name: "CreateTime", Type: rpc.TypeDate}, {Name: "ResolveTime", Type: rpc.TypeDate},
	{Name: "ExpireTime", Type: rpc.TypeDate}, {Name: "RequestedOptions"},
}

func (w Workflows) list(ctx context.Context, c *op.Call, whose core.Whose, a page.Args) (rpc.Query, error) {
	byName := strings.EqualFold(strings.TrimSpace(a.SortBy), "Description")
	jobs, total, err := w.Flows.List(ctx, c, whose, core.Page{ByName: byName, Desc: byName && a.Desc(), Number: a.Number(), Limit: a.Rows(core.MaxPage)})
	out, names := rpc.Query{Columns: columns, FullCount: int(total), Results: []rpc.Row{}}, map[string]string{}
	for _, one := range jobs {
		j, err := w.shown(ctx, c, one, names)
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: "WorkflowJob", Key: j.ID}}, Row: []any{
			j.ID, j.Description, j.Type, j.State, j.Requestor, j.RequestorName, j.Target, j.TargetName, j.Reason, j.Approver, j.CreateTime, j.ResolveTime, j.ExpireTime,
			j.RequestedOptions,
		}})
	}
	return out, err
}

// GetJobs lists the jobs of the tenant. type must be all. workflow.yaml n 497.
func (w Workflows) GetJobs(ctx context.Context, c *op.Call, in Listing) (rpc.Query, error) {
	if !strings.EqualFold(in.Type, string(core.All)) {
		return rpc.Query{}, ErrType
	}
	return w.list(ctx, c, core.Everyone, in.Args)
}

// GetMyJobs lists the jobs that the caller has a part in, that wait for them, or that are their own and wait. workflow.yaml n 498.
func (w Workflows) GetMyJobs(ctx context.Context, c *op.Call, in Listing) (rpc.Query, error) {
	whose := core.Whose(strings.ToLower(in.Type))
	if !slices.Contains([]core.Whose{core.All, core.Waiting, core.Own}, whose) {
		return rpc.Query{}, ErrType
	}
	return w.list(ctx, c, whose, in.Args)
}

var offered = []rpc.Column{{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "DisplayName"}, {Name: "Description"}, {Name: "Category"}, {Name: "Icon"}}

// GetRequestableApps lists the applications that the caller may ask for access to, by name: those with WorkflowEnabled and approvers that the
// caller may not use yet. Beyond the contract.
func (w Workflows) GetRequestableApps(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	all, err := w.Flows.Offered(ctx, c)
	out := rpc.Query{Columns: offered, FullCount: len(all), Results: []rpc.Row{}}
	for _, it := range all {
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: app.Table, Key: it.ID}}, Row: []any{it.ID, it.Name, it.Display, it.Description, it.Category, it.Icon()},
		})
	}
	return out, err
}
