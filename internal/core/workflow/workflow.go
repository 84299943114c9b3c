// Package workflow is what some ask for and others approve (workflow.yaml n 494-499): access to applications (WorkflowEnabled and
// WorkflowSettings of apps.yaml n 196), and to be let in after registering (lifecycle.yaml n 568-574). A request goes through its approvers, one
// after the other; when the last one has agreed, the requestor may use the application: by an entry of their own on it with View, Run and
// Automatic, for good or for a time; or may sign in. An approval never gives more than that, and nobody answers their own request.
package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of requests.
var (
	ErrNotFound = fault.New(fault.NotFound, "workflow.not_found", "The job was not found.")
	ErrScript   = fault.New(fault.NotFound, "workflow.script_not_found", "There is no such script that may be started.")
	ErrClosed   = fault.New(fault.Invalid, "workflow.closed", "Access to this application cannot be asked for.")
	ErrHas      = fault.New(fault.Conflict, "workflow.has_access", "You may use this application already.")
	ErrPending  = fault.New(fault.Exists, "workflow.pending", "You have asked for access to this application already.")
	ErrMany     = fault.New(fault.Limited, "workflow.too_many", "You have too many requests that wait for an answer.")
	ErrResolved = fault.New(fault.Conflict, "workflow.resolved", "The job is resolved already.")
	ErrApprover = fault.New(fault.Denied, "workflow.not_approver", "You are no approver of this request.")
	ErrOwn      = fault.New(fault.Denied, "workflow.own", "Nobody answers their own request.")
	ErrEvent    = fault.New(fault.Invalid, "workflow.event", "The job knows no such event.")
	ErrWindow   = fault.New(fault.Invalid, "workflow.window", "The time of access must end after it begins, and lie ahead.")
	ErrOptions  = fault.New(fault.Denied, "workflow.options", "You may not choose for how long access is given.")
	// ErrUndecided is for sign-ups, which somebody decides: a request that were gone would leave the person waiting for ever.
	ErrUndecided = fault.New(fault.Conflict, "workflow.undecided", "The sign-up waits for a decision. Approve or reject it, or delete the user.")
	ErrStale     = fault.New(fault.Conflict, "workflow.stale", "Somebody else has just answered. Please look again.")
)

// States of a request.
const (
	Pending   = "Pending"
	Approved  = "Approved"
	Rejected  = "Rejected"
	Expired   = "Expired"
	Cancelled = "Cancelled"
)

// Bounds.
const (
	keepOpen   = 14 * 24 * time.Hour  // for so long a request waits for an answer
	keepClosed = 400 * 24 * time.Hour // and for so long it is remembered
	maxPending = 50                   // of one person
	maxReason  = 1000                 // bytes
	// MaxPage bounds the requests of a page.
	MaxPage = 1000
)

// Options are for how long access is asked for, or given. Times are milliseconds since 1970 UTC.
type Options struct {
	From  int64 `json:"from,omitempty"`  // 0: at once
	Until int64 `json:"until,omitempty"` // 0: for good
}

// check refuses what is never open.
func (o Options) check(now time.Time) error {
	if o.Until != 0 && (o.Until <= o.From || o.Until <= now.UnixMilli()) || o.From < 0 || o.Until < 0 {
		return ErrWindow
	}
	return nil
}

// Happened is something that happened to a request.
type Happened struct {
	Time   int64    `json:"time"` // ms since 1970 UTC
	Event  string   `json:"event"`
	By     string   `json:"by,omitempty"`   // UUID; empty: nobody
	Name   string   `json:"name,omitempty"` // at the time
	Reason string   `json:"reason,omitempty"`
	Given  *Options `json:"given,omitempty"`
}

// Kind is what a request is about.
type Kind string

// What they are about.
const (
	Access Kind = ""       // an application
	SignUp Kind = "SignUp" // somebody who registered: the requestor, who is also what App and AppName name
)

// Job is a request. Times are milliseconds since 1970 UTC.
type Job struct {
	ID        string `db:"id"`
	Requestor string `db:"requestor"`
	App       string `db:"app"`
	AppName   string `db:"app_name"`
	State     string `db:"state"`
	Steps     string `db:"steps"`
	Step      int64  `db:"step"`
	Approver  string `db:"approver"`
	Options   string `db:"options"`
	Reason    string `db:"reason"`
	History   string `db:"history"`
	Answered  string `db:"answered"`
	Created   int64  `db:"created"`
	Resolved  int64  `db:"resolved"`
	Due       int64  `db:"due"`
	Version   int64  `db:"version"`
	Kind      Kind   `db:"kind"`
}

const columns = `id, requestor, app, app_name, state, steps, step, approver, options, reason, history, answered, created, resolved, due, version, kind`

var (
	byID   = dbx.Q[Job]("workflow.by_id", `SELECT `+columns+` FROM workflow_job WHERE tenant = ? AND id = ?`)
	list   = dbx.L[Job]("workflow.list", `SELECT `+columns+` FROM workflow_job WHERE tenant = ?`)
	open   = dbx.Q[int64]("workflow.open", `SELECT count(*) FROM workflow_job WHERE tenant = ? AND requestor = ? AND state = 'Pending'`)
	insert = dbx.E("workflow.insert", `INSERT INTO workflow_job (tenant, id, requestor, app, app_name, state, steps, step, approver, options, reason, history,
		answered, created, resolved, due, kind, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`)
	update = dbx.E("workflow.update", `UPDATE workflow_job SET state = ?, step = ?, approver = ?, options = ?, history = ?, answered = ?, resolved = ?, version = version + 1
		WHERE tenant = ? AND id = ? AND version = ?`)
	remove   = dbx.E("workflow.delete", `DELETE FROM workflow_job WHERE tenant = ? AND id = ?`)
	part     = dbx.E("workflow.part", `INSERT INTO workflow_part (tenant, user_id, job) VALUES (?, ?, ?) ON CONFLICT (tenant, user_id, job) DO NOTHING`)
	partOf   = dbx.Q[string]("workflow.part_of", `SELECT job FROM workflow_part WHERE tenant = ? AND user_id = ? AND job = ?`)
	mine     = dbx.Q[string]("workflow.mine", `SELECT job FROM workflow_part WHERE tenant = ? AND user_id = ?`)
	dropPart = dbx.E("workflow.drop_part", `DELETE FROM workflow_part WHERE tenant = ? AND job = ?`)
	ofApp    = dbx.Q[string]("workflow.of_app", `SELECT id FROM workflow_job WHERE tenant = ? AND app = ?`)
	ofSignUp = dbx.Q[Job]("workflow.of_sign_up", `SELECT `+columns+` FROM workflow_job WHERE tenant = ? AND requestor = ? AND app = ? AND state = 'Pending'`)
	signUps  = dbx.Q[int64]("workflow.sign_ups", `SELECT count(*) FROM workflow_job WHERE tenant = ? AND kind = 'SignUp' AND state = 'Pending'`)
	ofPerson = dbx.Q[string]("workflow.of_person", `SELECT id FROM workflow_job WHERE tenant = ? AND requestor = ?`)
	overdue  = dbx.Q[late]("workflow.overdue", `SELECT tenant, id FROM workflow_job WHERE state = 'Pending' AND due <= ? ORDER BY due LIMIT 200`)
	old      = dbx.Q[late]("workflow.old", `SELECT tenant, id FROM workflow_job WHERE resolved > 0 AND resolved <= ? ORDER BY resolved LIMIT 200`)
)

type late struct {
	Tenant string `db:"tenant"`
	ID     string `db:"id"`
}

// Granted is for how long access was asked for, or given in the end.
func (j Job) Granted() (o Options) {
	_ = json.Unmarshal([]byte(j.Options), &o) // this package has written it
	return o
}

// Past is what happened, the oldest first.
func (j Job) Past() (out []Happened) {
	_ = json.Unmarshal([]byte(j.History), &out)
	return out
}

// chain are the steps.
func (j Job) chain() (out []Step) {
	_ = json.Unmarshal([]byte(j.Steps), &out)
	return out
}

// Flows are the requests of the call's tenant. The fields are set in internal/app.
type Flows struct {
	Apps   *app.Apps
	People *user.Directory
	Roles  *role.Roles
	// Tell writes to people about a request, in c.Tx.
	Tell func(ctx context.Context, c *call.Call, to string, what Notice, j Job) error
	// Decided lets in who registered, or not, in c.Tx; h is what happened last.
	Decided func(ctx context.Context, c *call.Call, userID string, approved bool, h Happened) error
	// Write runs f in a transaction of the tenant that stores the events of its call.
	Write func(ctx context.Context, tenant string, f func(ctx context.Context, c *call.Call) error) error
}

// Notice is what people are written about.
type Notice string

// The notices.
const (
	Asked   Notice = "asked"   // to approvers: somebody asks for access
	Given   Notice = "given"   // to the requestor
	Refused Notice = "refused" // to the requestor: rejected, or nobody has answered
)

// find reads a request.
func find(ctx context.Context, c *call.Call, id string) (Job, error) {
	j, err := byID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return j, err
}

// Get reads a request that the caller has a part in: who asked, who answered, whose turn it is, and system administrators. ErrNotFound.
func (f *Flows) Get(ctx context.Context, c *call.Call, id string) (Job, error) {
	j, err := find(ctx, c, id)
	if err != nil || f.concerned(c, j) {
		return j, err
	}
	if _, err = partOf.One(ctx, c.Tx, c.Tenant.ID, c.User(), j.ID); errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return j, err
}

// concerned says whether a request waits for the caller, is theirs, or is theirs to administer.
func (f *Flows) concerned(c *call.Call, j Job) bool {
	return c.Caller.Held.System() || j.Kind == Access && j.Requestor == c.User() || turn(c, j)
}

// turn says whether it is the caller's turn to answer.
func turn(c *call.Call, j Job) bool {
	return j.Approver != "" && (j.Approver == c.User() || slices.Contains(c.Caller.Roles, j.Approver))
}

// store stores a changed request.
func (j Job) store(ctx context.Context, c *call.Call) error {
	n, err := update.Do(ctx, c.Tx, j.State, j.Step, j.Approver, j.Options, j.History, j.Answered, j.Resolved, c.Tenant.ID, j.ID, j.Version)
	if err == nil && n == 0 {
		err = ErrStale
	}
	return err
}

// add adds to what happened.
func (j *Job) add(h Happened) error {
	raw, err := json.Marshal(append(j.Past(), h))
	j.History = string(raw)
	return err
}

// noted says in the event which request the call is about.
func noted(c *call.Call, j Job) {
	if c.Event == nil {
		return
	}
	c.Event.Kind, c.Event.Target, c.Event.Name, c.Event.User = "WorkflowJob", j.ID, j.AppName, j.Requestor
	if j.Kind == SignUp {
		c.Event.Set("SignUp", true)
		return
	}
	c.Event.Set("Application", j.App)
}

// forget removes requests with who had a part in them.
func forget(ctx context.Context, c *call.Call, ids []string) error {
	for _, id := range ids {
		if _, err := dropPart.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
			return err
		}
		if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// AppGone forgets the requests for an application that is deleted.
func (f *Flows) AppGone(ctx context.Context, c *call.Call, id string) error {
	ids, err := ofApp.All(ctx, c.Tx, c.Tenant.ID, id)
	return errors.Join(err, forget(ctx, c, ids))
}

// PersonGone forgets the requests of somebody who is deleted.
func (f *Flows) PersonGone(ctx context.Context, c *call.Call, id string) error {
	ids, err := ofPerson.All(ctx, c.Tx, c.Tenant.ID, id)
	return errors.Join(err, forget(ctx, c, ids))
}
