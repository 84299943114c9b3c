package job

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// MaxReport is the size of the file that a job may make.
const MaxReport = 8 << 20

// Faults of reports.
var (
	ErrReport      = fault.New(fault.TooLarge, "job.report", "The report is too large.")
	ErrNoReport    = fault.New(fault.NotFound, "job.no_report", "The job has made no report.")
	ErrReportEarly = fault.New(fault.Conflict, "job.report_early", "The job has not ended yet.")
)

type reportRow struct {
	Name   string `db:"report_name"`
	Report string `db:"report"`
}

var (
	saveReport = dbx.E("job.save_report", `UPDATE job SET report_name = ?, report = ?
		WHERE tenant = ? AND id = ? AND state = 'running' AND holder = ? AND tries = ?`)
	reportOf = dbx.Q[reportRow]("job.report", `SELECT report_name, report FROM job WHERE tenant = ? AND id = ?`)
)

func reportAAD(id string) string { return "job-report/" + id }

// Report keeps a file with the job, sealed, for as long as the job is remembered; a second one takes the place of the first.
func (r *Run) Report(ctx context.Context, name string, body []byte) error {
	if len(body) > MaxReport {
		return ErrReport
	}
	sealed, err := r.j.Seal(ctx, r.Tenant, body, reportAAD(r.ID))
	if err != nil {
		return err
	}
	return r.j.DB.Write(ctx, func(tx *dbx.Tx) error {
		n, err := saveReport.Do(ctx, tx, clean(name, maxName), sealed, r.Tenant, r.ID, r.j.self(), r.Try)
		if err == nil && n == 0 {
			err = ErrLost
		}
		return err
	})
}

// ReportOf gives the file that a job has made, to whom Get gives the job. Faults: ErrNotFound, ErrReportEarly, ErrNoReport.
func (j *Jobs) ReportOf(ctx context.Context, c *call.Call, g grant.Grant, id string) (name string, body []byte, err error) {
	i, err := j.Get(ctx, c, g, id)
	switch {
	case err != nil:
		return "", nil, err
	case i.State == Waiting || i.State == Running:
		return "", nil, ErrReportEarly
	}
	row, err := reportOf.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Report == "" {
		return "", nil, ErrNoReport
	}
	if err != nil {
		return "", nil, err
	}
	body, err = j.Open(ctx, c.Tenant.ID, row.Report, reportAAD(id))
	return row.Name, body, err
}
