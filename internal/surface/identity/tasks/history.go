package tasks

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"limen/internal/core/job"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

const (
	usualHours = 24
	maxHours   = 24 * 366
	maxShown   = 100 // failures of a report
)

// History asks for jobs.
type History struct {
	// Type takes those of one type; all when absent.
	Type string `json:"Type"`
	// Status takes Queued, Running, CancelRequested, Succeeded, Failed or Cancelled ones; all when absent.
	Status string `json:"Status"`
	// HoursBack takes those that waited, ran or ended within so many hours; all that are remembered when absent.
	HoursBack op.Opt[int] `json:"hoursBack"`
	// Args say which page; SortBy is a column, the newest come first otherwise.
	Args page.Args `json:"Args"`
}

// Check wants known words.
func (h *History) Check() error {
	if h.Status != "" && status(h.Status) == "" {
		return fault.Bad("Status", "must be one of %s", strings.Join(job.Statuses(), ", "))
	}
	if hours, given := h.HoursBack.Get(); given {
		return checkHours(hours)
	}
	return nil
}

func status(s string) string {
	i := slices.IndexFunc(job.Statuses(), func(known string) bool { return strings.EqualFold(known, s) })
	if i < 0 {
		return ""
	}
	return job.Statuses()[i]
}

func checkHours(n int) error {
	if n <= 0 || n > maxHours {
		return fault.Bad("hoursBack", "must be from 1 to %d", maxHours)
	}
	return nil
}

var columns = []rpc.Column{
	{Name: "JobId", TableKey: "Primary"}, {Name: "Name"}, {Name: "Type"}, {Name: "Status"}, {Name: "SubmittedBy"},
	{Name: "Submitted", Type: rpc.TypeDate}, {Name: "Started", Type: rpc.TypeDate}, {Name: "Ended", Type: rpc.TypeDate}, {Name: "Percent"},
	{Name: "Message"}, {Name: "TargetName"}, {Name: "ReportPath"},
}

// sorts are the columns of the store behind those that can be sorted by.
var sorts = map[string]string{
	"name": "name", "type": "kind", "status": "state", "submittedby": "by_name", "submitted": "created", "started": "started", "ended": "ended",
	"targetname": "target",
}

// GetJobHistory lists jobs, the newest first: to system administrators all of the tenant, to others those that they started.
//
// Jobs are remembered for 30 days from their end. A page has at most 1000 rows. workflow.yaml n 504.
func (t Tasks) GetJobHistory(ctx context.Context, c *op.Call, in History) (rpc.Query, error) {
	q := job.Query{
		Type: strings.TrimSpace(in.Type), Status: status(in.Status), Sort: sorts[strings.ToLower(strings.TrimSpace(in.Args.SortBy))],
		Page: in.Args.Number(), Limit: in.Args.Size(job.MaxPage),
	}
	q.Asc = q.Sort != "" && !in.Args.Desc()
	if hours, given := in.HoursBack.Get(); given {
		q.Since = c.Now.Add(-time.Duration(hours) * time.Hour)
	}
	found, err := t.Jobs.List(ctx, c, c.Grant, q)
	if err != nil {
		return rpc.Query{}, err
	}
	n, err := t.Jobs.Count(ctx, c, c.Grant, q)
	if err != nil {
		return rpc.Query{}, err
	}
	found = found[:min(len(found), in.Args.Rows(job.MaxPage))]
	out := rpc.Query{Columns: columns, FullCount: int(n), Results: []rpc.Row{}}
	for i := range found {
		j := t.job(&found[i])
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: "Job", Key: j.JobID}},
			Row: []any{
				j.JobID, j.Name, j.Type, j.Status, j.SubmittedBy, j.Submitted, j.Started, j.Ended, j.Percent, j.Message, j.TargetName, nil,
			},
		})
	}
	return out, nil
}

// Window is the last hours.
type Window struct {
	// HoursBack is how many; 24 when absent.
	HoursBack op.Opt[int] `json:"hoursBack"`
}

// Check wants a number of hours.
func (w *Window) Check() error {
	if hours, given := w.HoursBack.Get(); given {
		return checkHours(hours)
	}
	return nil
}

// TypeReport sums the jobs of a type up.
type TypeReport struct {
	Type      string
	Queued    int64
	Running   int64 // also those that somebody has asked to end
	Succeeded int64
	Failed    int64
	Cancelled int64
	// AverageSeconds is how long those took that began and ended.
	AverageSeconds float64
	LongestSeconds float64
}

// Report sums jobs up.
type Report struct {
	HoursBack int
	From      rpc.Time
	To        rpc.Time
	Jobs      []TypeReport
	// Failures are those that failed, the newest first; up to 100.
	Failures []Job
}

// JobReport sums the jobs up that waited, ran or ended within the last hours, and shows those that failed. workflow.yaml n 501.
func (t Tasks) JobReport(ctx context.Context, c *op.Call, in Window) (Report, error) {
	hours := in.HoursBack.Or(usualHours)
	since := c.Now.Add(-time.Duration(hours) * time.Hour)
	out := Report{HoursBack: hours, From: rpc.Time(since), To: rpc.Time(c.Now), Jobs: []TypeReport{}, Failures: []Job{}}
	sums, err := t.Jobs.Sums(ctx, c, since)
	if err != nil {
		return out, err
	}
	for _, kind := range kinds(sums) {
		out.Jobs = append(out.Jobs, t.typeReport(kind, sums))
	}
	failed, err := t.Jobs.List(ctx, c, c.Grant, job.Query{Status: job.StatusFailed, Since: since, Limit: maxShown})
	for i := range failed {
		out.Failures = append(out.Failures, t.job(&failed[i]))
	}
	return out, err
}

func kinds(sums []job.Sum) (out []string) {
	for _, s := range sums {
		if !slices.Contains(out, s.Kind) {
			out = append(out, s.Kind)
		}
	}
	return out
}

func (t Tasks) typeReport(kind string, sums []job.Sum) TypeReport {
	out := TypeReport{Type: t.Jobs.TypeName(kind)}
	var took, longest, ended int64
	for _, s := range sums {
		if s.Kind != kind {
			continue
		}
		*out.count(s.State) += s.Count
		if s.Ran > 0 {
			took, longest, ended = took+s.Took, max(longest, s.Longest), ended+s.Ran
		}
	}
	if ended > 0 {
		out.AverageSeconds = seconds(float64(took) / float64(ended))
	}
	out.LongestSeconds = seconds(float64(longest))
	return out
}

func (r *TypeReport) count(state string) *int64 {
	switch state {
	case job.Waiting:
		return &r.Queued
	case job.Running:
		return &r.Running
	case job.Done:
		return &r.Succeeded
	case job.Failed:
		return &r.Failed
	}
	return &r.Cancelled
}

// seconds are milliseconds as seconds, to the millisecond.
func seconds(ms float64) float64 { return math.Round(ms) / 1000 }

// Metrics are counts of the jobs that are remembered.
type Metrics struct {
	Queued    int64
	Running   int64
	Succeeded int64
	Failed    int64
	Cancelled int64
	// OldestQueuedSeconds is how long a job that could run waits already, at most.
	OldestQueuedSeconds int64
	// Workers is how many jobs the server that answers runs at once, of all tenants.
	Workers int
}

// GetJobMetrics counts the tenant's jobs that wait, run, or are remembered. workflow.yaml n 506.
func (t Tasks) GetJobMetrics(ctx context.Context, c *op.Call, _ op.None) (Metrics, error) {
	sums, err := t.Jobs.Sums(ctx, c, time.Time{})
	if err != nil {
		return Metrics{}, err
	}
	var all TypeReport
	for _, s := range sums {
		*all.count(s.State) += s.Count
	}
	wait, err := t.Jobs.Overdue(ctx, c)
	return Metrics{
		Queued: all.Queued, Running: all.Running, Succeeded: all.Succeeded, Failed: all.Failed, Cancelled: all.Cancelled,
		OldestQueuedSeconds: int64(wait / time.Second), Workers: t.Jobs.Slots(),
	}, err
}
