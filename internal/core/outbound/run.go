package outbound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// JobRun is the kind of jobs that look at all of a target without being told of a change.
const JobRun = "outbound.run"

// Modes of a run.
const (
	DryRun  = "DryRun"  // says what would be done
	Compare = "Compare" // says what is otherwise at the service than was acknowledged
)

// Further actions, of findings.
const (
	DoAdopt    = "adopt"    // of dry runs: an account that is there would be taken over
	DoConflict = "conflict" // of dry runs: the service has an account that may not be taken over
	Differs    = "differs"  // of comparisons: the account is otherwise there
	Missing    = "missing"  // it is not there any more
	Stray      = "stray"    // the service has an account of somebody's that is not known here
	Foreign    = "foreign"  // the service has an account of nobody's
)

// ErrRun says that there is no such run of the application.
var ErrRun = fault.New(fault.NotFound, "outbound.run", "There is no such run.")

// errEnded ends a run whose target is gone or may not be looked at any more.
var errEnded = fault.New(fault.Conflict, "outbound.run_ended", "The application is not provisioned any more, or whoever started this may not look at it any more.")

// runPage is how many people or accounts one step of a run takes.
const runPage = 50

// Finding is what a run found of somebody.
type Finding struct {
	ID       string `db:"id"`
	App      string `db:"app"`
	Kind     string `db:"kind"`
	Object   string `db:"object"` // UUID of the person, id of the role; empty: nobody's
	Name     string `db:"name"`
	Remote   string `db:"remote"`
	Action   string `db:"action"`
	Detail   string `db:"detail"`
	Repaired bool   `db:"repaired"`
}

const findingColumns = `id, app, kind, object, name, remote, action, detail, repaired`

type actionRow struct {
	Action string `db:"action"`
	N      int64  `db:"n"`
}

var (
	addFinding = dbx.E("outbound.add_finding", `INSERT INTO outbound_finding (tenant, run, id, app, kind, object, name, remote, action, detail, repaired, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	findings    = dbx.L[Finding]("outbound.findings", `SELECT `+findingColumns+` FROM outbound_finding WHERE tenant = ? AND run = ?`)
	actions     = dbx.Q[actionRow]("outbound.actions", `SELECT action, COUNT(*) AS n FROM outbound_finding WHERE tenant = ? AND run = ? AND app = ? GROUP BY action ORDER BY action`)
	repaired    = dbx.E("outbound.repaired", `UPDATE outbound_finding SET repaired = ? WHERE tenant = ? AND run = ? AND id = ?`)
	oldFindings = dbx.S("outbound.old_findings", "outbound_finding", "tenant, run, id", "created < ?")
	recheck     = dbx.E("outbound.recheck", `UPDATE outbound_account SET etag = 'recheck', token = ?, due = ? WHERE tenant = ? AND app = ? AND kind = ? AND object = ?`)
	foundAt     = dbx.E("outbound.found_at", `UPDATE outbound_account SET remote = ?, there = ?, etag = 'recheck' WHERE tenant = ? AND app = ? AND kind = ? AND object = ? AND remote = ''`)
)

// recheckTag stands for the version of an account that is to be read before it is changed.
const recheckTag = "recheck"

// wishedRun is what a run is told.
type wishedRun struct {
	App    string   `json:"app"`
	Mode   string   `json:"mode"`
	Repair []string `json:"repair"`
}

// Repairable are the findings of a comparison that can be put right.
var Repairable = []string{Differs, Missing, Stray}

// Start starts a run over a target, of which there is one at a time, and gives the job's id. Faults: those of Get, job.ErrRunning.
func (o *Outbound) Start(ctx context.Context, c *call.Call, g grant.Grant, ref, mode string, repair []string) (string, error) {
	t, err := o.Get(ctx, c, g, ref)
	if err != nil {
		return "", err
	}
	it, err := o.Apps.Get(ctx, c, t.App)
	if err != nil {
		return "", err
	}
	id, err := o.Jobs.Start(ctx, c, job.Job{Kind: JobRun, Unique: t.App, Payload: wishedRun{t.App, mode, repair}, Name: mode, Target: it.Name})
	if err == nil && c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = t.App, "Application", it.Name
		c.Event.Set("Mode", mode)
		c.Event.Set("Job", id)
		if len(repair) > 0 {
			c.Event.Set("Repair", strings.Join(repair, " "))
		}
	}
	return id, err
}

// Work is the job.
func (o *Outbound) Work(ctx context.Context, r *job.Run) error {
	var w wishedRun
	if err := r.Payload(&w); err != nil {
		return err
	}
	step := o.rehearse
	if w.Mode == Compare {
		step = o.compare
	}
	at := r.Cursor()
	for {
		t, err := o.runs(ctx, r, w.App)
		if err != nil {
			return err
		}
		next, found, err := step(ctx, &t, r.ID, at)
		if err != nil {
			if err = o.patience(ctx, err); err != nil {
				return err
			}
			continue
		}
		err = r.Do(ctx, next, func(ctx context.Context, c *call.Call) error { return o.noteFound(ctx, c, &t, r.ID, found, w.Repair) })
		if err != nil {
			return err
		}
		if next == atEnd {
			break
		}
		at = next
		r.Progress(0, 0, o.progress(ctx, r, w.App))
	}
	r.Result(o.progress(ctx, r, w.App))
	return nil
}

// atEnd is the cursor of a run that is over.
const atEnd = "end"

// runs reads the target of a run, as long as whoever started it may look at it.
func (o *Outbound) runs(ctx context.Context, r *job.Run, appID string) (t Target, err error) {
	if err := context.Cause(ctx); err != nil {
		return t, err
	}
	err = o.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := o.Call(r.Tenant)
		c.Tx = tx
		if t, err = of(ctx, c, appID); errors.Is(err, ErrNotFound) {
			return errEnded
		}
		if err != nil || r.User == "" {
			return err
		}
		if c.Caller, err = o.Caller(ctx, tx, r.Tenant, r.User); err != nil {
			return err
		}
		_, err = o.Apps.Editable(ctx, c, appID)
		if f := fault.Of(err); err != nil && (f.Kind == fault.Denied || f.Kind == fault.NotFound) {
			return errEnded
		}
		return err
	})
	return t, err
}

// patience waits where a service wants that; else a failure ends the run.
func (o *Outbound) patience(ctx context.Context, err error) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	if f.class != Throttled || f.after > time.Minute {
		return fault.New(fault.Unavailable, "outbound."+f.class, clip(f.why))
	}
	sleep(ctx, nil, f.after)
	return context.Cause(ctx)
}

// noteFound stores what was found, and puts right what is to be.
func (o *Outbound) noteFound(ctx context.Context, c *call.Call, t *Target, run string, found []Finding, repair []string) error {
	for _, f := range found {
		f.ID = c.NewID()
		if slices.Contains(repair, f.Action) && slices.Contains(Repairable, f.Action) {
			if err := o.repair(ctx, c, t, f); err != nil {
				return err
			}
			f.Repaired = true
		}
		_, err := addFinding.Do(ctx, c.Tx, t.tenant, run, f.ID, t.App, f.Kind, f.Object, clip(f.Name), f.Remote, f.Action, clip(f.Detail), f.Repaired, c.Now.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// repair has an account read and made what it is to be. One that is not known here becomes known first.
func (o *Outbound) repair(ctx context.Context, c *call.Call, t *Target, f Finding) error {
	now := c.Now.UnixMilli()
	if f.Action == Stray {
		if _, err := add.Do(ctx, c.Tx, t.tenant, c.NewID(), t.App, KindUser, f.Object, f.Name, "", c.NewID(), now, now, now); err != nil {
			return err
		}
		if _, err := foundAt.Do(ctx, c.Tx, f.Remote, Active, t.tenant, t.App, KindUser, f.Object); err != nil {
			return err
		}
	}
	_, err := recheck.Do(ctx, c.Tx, c.NewID(), now, t.tenant, t.App, f.Kind, f.Object)
	c.Tx.After(func() { o.prepare(); poke(o.due) })
	return err
}

// progress is what was found so far, in words.
func (o *Outbound) progress(ctx context.Context, r *job.Run, appID string) string {
	var words []string
	_ = o.DB.Read(ctx, func(tx *dbx.Tx) error { // it is for people; what it says is in the store
		rows, err := actions.All(ctx, tx, r.Tenant, r.ID, appID)
		for _, a := range rows {
			words = append(words, fmt.Sprintf("%s %d", a.Action, a.N))
		}
		return err
	})
	if words == nil {
		return "nothing found"
	}
	return strings.Join(words, ", ")
}

// Found lists what a run over a target found, in its order, behind one of the findings, and how much of everything. Faults: those of Get,
// ErrRun.
func (o *Outbound) Found(ctx context.Context, c *call.Call, g grant.Grant, ref, run, action, after string, limit int) ([]Finding, map[string]int64, error) {
	t, err := o.Get(ctx, c, g, ref)
	if err != nil {
		return nil, nil, err
	}
	if err := o.isRun(ctx, c, run); err != nil {
		return nil, nil, err
	}
	where := []dbx.Clause{dbx.Eq("app", t.App)}
	if action != "" {
		where = append(where, dbx.Eq("action", action))
	}
	if after != "" {
		where = append(where, dbx.Gt("id", after))
	}
	out, err := findings.Rows(ctx, c.Tx, dbx.And(where...), []dbx.Order{{Column: "id"}}, min(max(limit, 1), MaxReceipts), c.Tenant.ID, run)
	if err != nil {
		return nil, nil, err
	}
	rows, err := actions.All(ctx, c.Tx, c.Tenant.ID, run, t.App)
	counts := map[string]int64{}
	for _, r := range rows {
		counts[r.Action] = r.N
	}
	return out, counts, err
}

// isRun says whether a job is a run; what it found says over which target. ErrRun.
func (o *Outbound) isRun(ctx context.Context, c *call.Call, run string) error {
	i, err := o.Jobs.Get(ctx, c, grant.All(), run)
	if errors.Is(err, job.ErrNotFound) || err == nil && i.Kind != JobRun {
		return ErrRun
	}
	return err
}

// Repair has put right what a comparison found: findings of some actions, as many as a page has. It says how many they are. Faults: those of
// Found.
func (o *Outbound) Repair(ctx context.Context, c *call.Call, g grant.Grant, ref, run string, of []string) (n int, err error) {
	t, err := o.Get(ctx, c, g, ref)
	if err != nil {
		return 0, err
	}
	if err := o.isRun(ctx, c, run); err != nil {
		return 0, err
	}
	where := dbx.And(dbx.Eq("app", t.App), dbx.In("action", of...), dbx.Eq("repaired", false))
	all, err := findings.Rows(ctx, c.Tx, where, []dbx.Order{{Column: "id"}}, MaxReceipts, c.Tenant.ID, run)
	for _, f := range all {
		if err := o.repair(ctx, c, &t, f); err != nil {
			return 0, err
		}
		if _, err := repaired.Do(ctx, c.Tx, true, c.Tenant.ID, run, f.ID); err != nil {
			return 0, err
		}
	}
	if e := c.Event; e != nil {
		e.Target, e.Kind = t.App, "Application"
		e.Set("Job", run)
		e.Set("Actions", strings.Join(of, " "))
		e.Set("Accounts", len(all))
	}
	return len(all), err
}
