// Package redrock is /Redrock/Query: SQL over the tenant's tables, as the contract's clients send it (redrock.yaml).
package redrock

import (
	"context"
	"strings"

	"limen/internal/core/report"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/redrock"
	"limen/internal/wire/rpc"
)

// Redrock is the operation that runs scripts.
type Redrock struct {
	Reports *report.Reports
}

// Ops declares it.
func (r Redrock) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Redrock/Query", Allow: op.Authenticated, Effect: op.Cached, Faults: report.Faults}, r.Query),
	}
}

// Script is a query with its paging.
type Script struct {
	// Script is one SELECT, "@@" and the name of a report, or "@/lib/..." and the call of a library script. Required.
	Script string `json:"Script"`
	// Args is the paging; every member is optional, values may be texts.
	Args Args `json:"Args"`
}

// Check wants a script.
func (s *Script) Check() error {
	if strings.TrimSpace(s.Script) == "" {
		return fault.Missing("Script")
	}
	return s.Args.check()
}

// Args is the paging object that the dialect's lists share.
type Args struct {
	// PageNumber counts from 1.
	PageNumber int `json:"PageNumber"`
	// PageSize is the most rows of a page; 0 or less is all, up to 100,000.
	PageSize int `json:"PageSize"`
	// Limit is the most rows over all pages; 0 or less is no cap.
	Limit int `json:"Limit"`
	// SortBy is a column of the answer, or several with commas between; empty keeps the script's own order.
	SortBy string `json:"SortBy"`
	// Ascending is the direction of SortBy; Direction wins over it.
	Ascending op.Opt[bool] `json:"Ascending"`
	// Direction is ASC or DESC, or true or false; ascending when neither is given.
	Direction string `json:"Direction"`
	// FilterBy are columns that FilterValue is searched in.
	FilterBy []string `json:"FilterBy" rpc:"one"`
	// FilterValue keeps rows in which one of these columns contains it, case aside; empty keeps all.
	FilterValue string `json:"FilterValue"`
	// Caching is taken and does nothing: answers are always live.
	Caching int `json:"Caching"`
}

func (a *Args) check() error {
	switch strings.ToLower(a.Direction) {
	case "", "asc", "true", "desc", "false":
		return nil
	}
	return fault.Bad("Direction", "must be ASC or DESC")
}

func (a *Args) decoded() redrock.Args {
	out := redrock.Args{
		PageNumber: a.PageNumber, PageSize: max(a.PageSize, 0), Limit: max(a.Limit, 0), SortBy: a.SortBy,
		Ascending: a.Ascending.Or(true), FilterBy: a.FilterBy, FilterValue: a.FilterValue,
	}
	switch strings.ToLower(a.Direction) {
	case "asc", "true":
		out.Ascending = true
	case "desc", "false":
		out.Ascending = false
	}
	return out
}

// Query runs a script over the tables of the tenant: one SELECT, a shipped report, or a library script.
//
// Rows are those that the caller may see: holders of a right over people, roles or the system see all of them, or those
// of their organizations; everybody else sees their own. Nothing can be changed. Errors say what is wrong, at which line
// and column. Source: redrock.yaml; the dialect and its tables are described in redrock-tables.yaml.
func (r Redrock) Query(ctx context.Context, c *op.Call, in Script) (rpc.Query, error) {
	a, err := r.Reports.Run(ctx, c, report.Ask{Script: in.Script, Args: in.Args.decoded()})
	if err != nil {
		return rpc.Query{}, err
	}
	return shown(a), nil
}
