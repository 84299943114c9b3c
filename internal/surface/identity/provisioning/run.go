package provisioning

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/outbound"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// RunWish asks for a run over a target.
type RunWish struct {
	Ref
	// Mode is DryRun or Compare; required.
	Mode string `json:"Mode"`
	// Repair is for Compare: which findings are put right at once, of differs, missing and stray; none when absent.
	Repair []string `json:"Repair" rpc:"one"`
}

// Check reads it.
func (w *RunWish) Check() error {
	if err := w.Ref.Check(); err != nil {
		return err
	}
	switch {
	case w.Mode == "":
		return fault.Missing("Mode")
	case w.Mode != outbound.DryRun && w.Mode != outbound.Compare:
		return fault.Bad("Mode", "must be %s or %s", outbound.DryRun, outbound.Compare)
	case w.Mode == outbound.DryRun && len(w.Repair) > 0:
		return fault.Bad("Repair", "is for %s: a dry run changes nothing", outbound.Compare)
	}
	return repairable("Repair", w.Repair)
}

func repairable(field string, actions []string) error {
	if slices.ContainsFunc(actions, func(a string) bool { return !slices.Contains(outbound.Repairable, a) }) {
		return fault.Bad(field, "must be of %s", strings.Join(outbound.Repairable, ", "))
	}
	return nil
}

// StartRun starts a job that looks at all whom a target is for, of which there is one at a time for an application, and answers its id, for
// GetFindings and for the operations on jobs: /Task/GetJobHistoryById shows its progress, /Task/CancelJob ends it.
//
// DryRun says what would be done about everybody and changes nothing; of who would be new the service is asked whether it has them.
// Compare reads all accounts of the service, page by page, and says what is otherwise there than was acknowledged. Repair has that put right
// as it is found; what others have set beside is left alone.
//
// The caller needs what SetTarget asks for. Errors: app.not_found, acl.denied, outbound.not_found, outbound.reach, job.running. Beyond the
// contract.
func (p Provisioning) StartRun(ctx context.Context, c *op.Call, in RunWish) (string, error) {
	return p.Outbound.Start(ctx, c, c.Grant, in.RowKey, in.Mode, in.Repair)
}

// RunPage is which findings of a run are wanted, and from where on.
type RunPage struct {
	Ref
	// Job is the id that StartRun answered; required.
	Job string `json:"Job" also:"JobId,Run"`
	// Action is which findings are wanted; all when absent.
	Action string `json:"Action"`
	// After is the ID of the last finding of the page before; absent or empty: the first page.
	After string `json:"After"`
	// Limit is how many rows a page has, 1 to 1000; 100 when absent or 0.
	Limit int `json:"Limit"`
}

// Check bounds the page.
func (p *RunPage) Check() error {
	if err := p.Ref.Check(); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(p.Job) == "":
		return fault.Missing("Job")
	case p.Limit < 0 || p.Limit > outbound.MaxReceipts:
		return fault.Bad("Limit", "must be 1 to %d", outbound.MaxReceipts)
	case p.Limit == 0:
		p.Limit = 100
	}
	return nil
}

var findings = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Kind"}, {Name: "Object"}, {Name: "Name"}, {Name: "Remote"}, {Name: "Action"}, {Name: "Detail"}, {Name: "Repaired"},
}

// Findings is a page of what a run found, and how much of everything there is.
type Findings struct {
	// Counts is how many findings there are of each action, on all pages.
	Counts map[string]int64 `json:"Counts"`
	// Rows is the page.
	Rows rpc.Query `json:"Rows"`
}

// GetFindings lists what a run found, in its order, while it goes on as well. Who is as they are to be is not listed. Findings stay for
// 30 days.
//
// Columns: ID; Kind, User; Object, the person's UUID, empty of nobody's; Name; Remote, the service's id; Action; Detail: what would be
// changed, or is otherwise, or why not; Repaired. Actions of a dry run: create, adopt, change, disable, remove, conflict, and fail where the
// mapping does. Of a comparison: differs; missing, where the account is gone; stray, where the service has an account of somebody's that is
// not known here, by its externalId; foreign, where it has one of nobody's, which is never touched.
//
// The caller needs what SetTarget asks for. Errors: app.not_found, acl.denied, outbound.not_found, outbound.reach, outbound.run. Beyond the
// contract.
func (p Provisioning) GetFindings(ctx context.Context, c *op.Call, in RunPage) (Findings, error) {
	all, counts, err := p.Outbound.Found(ctx, c, c.Grant, in.RowKey, strings.TrimSpace(in.Job), in.Action, in.After, in.Limit)
	out := Findings{Counts: counts, Rows: rpc.Query{Columns: findings, FullCount: len(all), Results: make([]rpc.Row, len(all))}}
	for i, f := range all {
		out.Rows.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "ProvisioningFinding", Key: f.ID}}, Row: []any{
			f.ID, f.Kind, f.Object, f.Name, f.Remote, f.Action, f.Detail, f.Repaired,
		}}
	}
	return out, err
}

// RepairWish names what of a comparison is to be put right.
type RepairWish struct {
	Ref
	// Job is the id that StartRun answered; required.
	Job string `json:"Job" also:"JobId,Run"`
	// Actions are which findings, of differs, missing and stray; at least one.
	Actions []string `json:"Actions" rpc:"one"`
}

// Check reads it.
func (w *RepairWish) Check() error {
	if err := w.Ref.Check(); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(w.Job) == "":
		return fault.Missing("Job")
	case len(w.Actions) == 0:
		return fault.Missing("Actions")
	}
	return repairable("Actions", w.Actions)
}

// Repair has put right what a comparison found, up to 1,000 findings in a call, and answers how many they are: each account is read again
// and made what it is to be by now. Those that were taken up before do not count. The caller needs what SetTarget asks for. Errors:
// app.not_found, acl.denied, outbound.not_found, outbound.reach, outbound.run. Beyond the contract.
func (p Provisioning) Repair(ctx context.Context, c *op.Call, in RepairWish) (int, error) {
	return p.Outbound.Repair(ctx, c, c.Grant, in.RowKey, strings.TrimSpace(in.Job), in.Actions)
}
