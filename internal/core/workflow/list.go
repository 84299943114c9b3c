package workflow

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Whose says which requests are wanted.
type Whose string

// Which they are.
const (
	All      Whose = "all"     // those that the caller had a part in
	Waiting  Whose = "approve" // those that wait for the caller
	Own      Whose = "request" // the caller's own that are pending
	Everyone Whose = ""        // the tenant's
)

// Page is a part of a list: by the application's name, or the newest first.
type Page struct {
	ByName, Desc  bool
	Number, Limit int // from 1
}

// List lists requests, with how many there are. Everyone's are for system administrators.
func (f *Flows) List(ctx context.Context, c *call.Call, w Whose, p Page) (jobs []Job, total int64, err error) {
	where, err := clause(ctx, c, w)
	if err != nil {
		return nil, 0, err
	}
	if total, err = list.Count(ctx, c.Tx, where, c.Tenant.ID); err != nil {
		return nil, 0, err
	}
	offset := int64(p.Number-1) * int64(p.Limit)
	if offset >= total || p.Limit <= 0 {
		return nil, total, nil
	}
	order := []dbx.Order{{Column: "id", Desc: !p.ByName || p.Desc}}
	if p.ByName {
		order = append([]dbx.Order{{Column: "app_name", Desc: p.Desc}}, order...)
	}
	first, err := list.At(ctx, c.Tx, where, order, offset, c.Tenant.ID)
	if err != nil {
		return nil, 0, err
	}
	jobs = []Job{first}
	if p.Limit == 1 {
		return jobs, total, nil
	}
	at := []any{first.ID}
	if p.ByName {
		at = []any{first.AppName, first.ID}
	}
	next := dbx.After(order, at...)
	rest, err := list.Rows(ctx, c.Tx, dbx.And(where, next), order, p.Limit-1, c.Tenant.ID)
	return append(jobs, rest...), total, err
}

func clause(ctx context.Context, c *call.Call, w Whose) (dbx.Clause, error) {
	me := append([]string{c.User()}, c.Caller.Roles...)
	switch w {
	case Waiting:
		return dbx.And(dbx.In("approver", me...), dbx.Eq("state", Pending), dbx.Not(dbx.Eq("requestor", c.User()))), nil
	case Own:
		return dbx.And(dbx.Eq("requestor", c.User()), dbx.Eq("state", Pending)), nil
	case All:
		return dbx.Or(dbx.InQuery("id", mine, c.Tenant.ID, c.User()), dbx.In("approver", me...)), nil
	}
	return dbx.And(), nil
}
