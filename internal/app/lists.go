package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/collection"
	"limen/internal/core/job"
)

// wireLists wires access control lists and sets, and has them forget who and what is deleted.
func (a *App) wireLists() {
	a.Lists = &acl.Lists{Roles: a.Roles, Tables: acl.Tables(), Put: a.Changes.Put}
	a.Reports.Lists = a.Lists
	a.Sets = &collection.Sets{Lists: a.Lists, Reports: a.Reports, Policies: a.Policies}
	a.People.Gone = append(a.People.Gone, a.Lists.Gone, a.leaveSets(acl.User))
	a.Roles.Deleted = append(a.Roles.Deleted, a.Lists.Gone, a.leaveSets(acl.Role))
}

func (a *App) leaveSets(table string) func(ctx context.Context, c *call.Call, key string) error {
	return func(ctx context.Context, c *call.Call, key string) error { return a.Sets.RowGone(ctx, c, table, key) }
}

// listSweeps are the sweeps of what ended.
func (a *App) listSweeps() []job.Sweep {
	return []job.Sweep{{Name: "entries", Every: time.Hour, Run: func(ctx context.Context) error {
		return a.Lists.Sweep(ctx, a.DB, time.Now())
	}}}
}
