// Package report answers Redrock scripts: one SELECT over the views of a tenant's tables, a report that the product ships,
// or a library script. The parser is the first fence and the engine the second; every relation that a script can name is
// read with tenant and grant forced in.
package report

import (
	"context"
	"errors"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/wire/redrock"
)

// Faults of reports.
var (
	ErrUnknown = fault.New(fault.NotFound, "report.unknown", "There is no report of that name.")
)

// Scripts are the faults of scripts; the sentence says what is wrong, at which line and column.
var Scripts = []*fault.Error{
	wrong(redrock.CodeSyntax, "The script is not a sentence of the dialect."),
	wrong(redrock.CodeUnsupported, "The script is SQL, but outside the dialect."),
	wrong(redrock.CodeTable, "There is no such table."),
	wrong(redrock.CodeColumn, "There is no such column."),
	wrong(redrock.CodeAmbiguous, "Several tables have this column."),
	wrong(redrock.CodeFunction, "There is no such function, or it takes other arguments."),
	wrong(redrock.CodeType, "The values cannot be compared or combined."),
	wrong(redrock.CodeAggregate, "count, min, max, sum and avg cannot stand here."),
	wrong(redrock.CodeLimit, "The script is too large."),
	wrong(redrock.CodeParameter, "A placeholder was not filled."),
	wrong(redrock.CodeArgument, "A member of Args is not valid."),
}

// Faults are all that Run may answer.
var Faults = append([]*fault.Error{
	ErrUnknown, ErrBusy, dbx.ErrReportTime, dbx.ErrReportRows, dbx.ErrReportQuery, dbx.ErrReportDenied,
}, Scripts...)

func wrong(c redrock.Code, public string) *fault.Error {
	return fault.New(fault.Invalid, string(c), public)
}

// Bounds of one answer.
const (
	maxRows = 100_000
	timeout = 30 * time.Second
)

// Reports answers scripts. It opens its own connections, which can read the views and nothing else.
type Reports struct {
	DB    *dbx.DB
	Lists *acl.Lists // says which sets a caller sees; nil: none

	catalogue *redrock.Catalogue
	queue     queue

	preparing sync.Mutex
	prepared  bool
}

// New makes the catalogue of what can be asked.
func New(db *dbx.DB) (*Reports, error) {
	c, err := redrock.NewCatalogue(tables())
	return &Reports{DB: db, catalogue: c}, err
}

// Prepare makes the database's own role for reports where there can be one, once. Run does it by itself; a server does it
// before, so that whoever runs it learns early of a database that refuses.
func (r *Reports) Prepare(ctx context.Context) error {
	r.preparing.Lock()
	defer r.preparing.Unlock()
	if r.prepared {
		return nil
	}
	err := r.DB.EnsureReportRole(ctx, views)
	r.prepared = err == nil
	return err
}

// Ask is a script with the paging that came beside it.
type Ask struct {
	Script string
	Args   redrock.Args
}

// Answer is a page of rows.
type Answer struct {
	Columns   []redrock.OutColumn
	Rows      [][]any // in the order of Columns, as JSON values
	Full      int64   // rows over all pages
	Aggregate bool
	Tables    []string
}

// Run answers a script for the call's caller. The faults say what is wrong with the script, at which line and column.
func (r *Reports) Run(ctx context.Context, c *call.Call, a Ask) (Answer, error) {
	s, err := redrock.ParseScript(a.Script, redrock.Limits{})
	if err != nil {
		return Answer{}, asFault(err)
	}
	switch s.Kind {
	case redrock.Report:
		text, ok := shipped[fold.Key(s.Name)]
		if !ok {
			return Answer{}, ErrUnknown.Say("There is no report %q.", s.Name)
		}
		return r.query(ctx, c, text, a.Args)
	case redrock.Library:
		return r.library(ctx, c, s, a.Args)
	}
	return r.run(ctx, c, s.Select, a.Args)
}

func (r *Reports) query(ctx context.Context, c *call.Call, text string, args redrock.Args) (Answer, error) {
	q, err := redrock.Parse(text, redrock.Limits{})
	if err != nil {
		return Answer{}, asFault(err)
	}
	return r.run(ctx, c, q, args)
}

func (r *Reports) run(ctx context.Context, c *call.Call, q *redrock.Select, args redrock.Args) (Answer, error) {
	leave, err := r.queue.enter(ctx, c.Tenant.ID+"/"+c.User())
	if err != nil {
		return Answer{}, err
	}
	defer leave()
	if err := r.Prepare(ctx); err != nil {
		return Answer{}, err
	}
	plan, err := r.compile(c, q, args)
	if err != nil {
		return Answer{}, err
	}
	rows, err := r.DB.Report(ctx, dbx.ReportQuery{SQL: plan.SQL, Args: plan.Args, Views: views, Timeout: timeout, MaxRows: maxRows})
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Columns: plan.Columns, Aggregate: plan.Aggregate, Tables: plan.Tables, Full: plan.Offset + int64(len(rows.Values))}
	if err := out.fill(rows.Values); err != nil {
		return Answer{}, err
	}
	if plan.PageSize < 0 || int64(len(rows.Values)) < plan.PageSize && (len(rows.Values) > 0 || plan.Offset == 0) {
		return out, nil // the last page: what is before it and on it is everything
	}
	out.Full, err = r.count(ctx, plan)
	return out, err
}

func (r *Reports) compile(c *call.Call, q *redrock.Select, args redrock.Args) (*redrock.Plan, error) {
	plan, err := redrock.Compile(q, r.catalogue, engine(r.DB), redrock.Options{
		Now: c.Now, Args: args, MaxRows: maxRows, Fold: fold.Key,
		Source: func(t *redrock.Table) (string, []any) { return r.source(c, t) },
	})
	if err != nil {
		return nil, asFault(err)
	}
	return plan, nil
}

// Columns are those that a query would answer. It runs nothing: what is wrong with the query is told, as by Run. Reports and
// library scripts are no queries.
func (r *Reports) Columns(c *call.Call, script string) ([]redrock.OutColumn, error) {
	q, err := redrock.Parse(script, redrock.Limits{})
	if err != nil {
		return nil, asFault(err)
	}
	plan, err := r.compile(c, q, redrock.Args{})
	if err != nil {
		return nil, err
	}
	return plan.Columns, nil
}

func (a *Answer) fill(values [][]any) error {
	a.Rows = values
	for _, row := range values {
		for i, c := range a.Columns {
			v, err := c.Value(row[i])
			if err != nil {
				return err
			}
			row[i] = v
		}
	}
	return nil
}

func (r *Reports) count(ctx context.Context, plan *redrock.Plan) (int64, error) {
	rows, err := r.DB.Report(ctx, dbx.ReportQuery{SQL: plan.CountSQL, Args: plan.CountArgs, Views: views, Timeout: timeout, MaxRows: 1})
	if err != nil {
		return 0, err
	}
	if n, ok := rows.Values[0][0].(int64); ok {
		return n, nil
	}
	return 0, errors.New("report: the count is no number")
}

func engine(db *dbx.DB) redrock.Engine {
	if db.Engine() == dbx.Postgres {
		return redrock.Postgres
	}
	return redrock.SQLite
}

func asFault(err error) error {
	e, ok := errors.AsType[*redrock.Error](err)
	if !ok {
		return err
	}
	for _, f := range Scripts {
		if f.Code == string(e.Code) {
			return f.At("Script").Say("%s", e.Error())
		}
	}
	return err
}
