// Package acl is access control lists: who may do what with which row. A right on a row comes from an entry of the row itself,
// from one that a manual set gives on its members, or from an administrative right; entries name people, and roles whose
// members they then are for. Lists is the one place that decides, for operations (Need, Rights) and for SQL (Shown, Seen)
// alike.
//
// What entries say is read with every decision, in one indexed query, so it is never old; the roles and rights of the caller are
// those of the call, as everywhere.
//
// Nobody comes by a right that nobody who held it gave: who changes entries holds Grant on the row and every right that
// changes, for as long as it is given, and who puts a row into a set holds on the row what the set gives on its members.
// Who fills roles decides who has what their entries give, as with applications given to a role; that is what roles are for.
package acl

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of access control lists.
var (
	ErrTable     = fault.New(fault.Invalid, "acl.table", "There is no such table.")
	ErrRight     = fault.New(fault.Invalid, "acl.right", "There is no such right.")
	ErrRow       = fault.New(fault.NotFound, "acl.row_not_found", "The requested data or its dependent data was not found in the service.")
	ErrEntry     = fault.New(fault.NotFound, "acl.entry_not_found", "The requested data or its dependent data was not found in the service.")
	ErrDenied    = fault.New(fault.Denied, "acl.denied", "You are not authorized to perform this operation. Please contact your IT helpdesk.")
	ErrNotHeld   = fault.New(fault.Denied, "acl.right_not_held", "Rights can only be given, changed or taken by somebody who holds them, and for no longer than they do.")
	ErrPrincipal = fault.New(fault.NotFound, "acl.principal_not_found", "The requested data or its dependent data was not found in the service.")
	ErrMany      = fault.New(fault.Conflict, "acl.too_many", "The row has as many entries as it may have.")
	ErrNoEntries = fault.New(fault.Invalid, "acl.no_entries", "Rows of this table carry no entries: administrative rights decide.")
)

// Lists are the access control lists of the call's tenant.
type Lists struct {
	Roles  *role.Roles
	Tables []Table // what can have them
	// Put notes in c.Tx that something changed which others remember: topic Topic, item the tenant. Nil where nobody does.
	Put func(ctx context.Context, c *call.Call, topic, item string) error
}

// Topic of changes of entries and of what they reach.
const Topic = "acl"

// Changed tells that entries have changed, or what sets they reach their rows through.
func (l *Lists) Changed(ctx context.Context, c *call.Call) error {
	if l.Put == nil {
		return nil
	}
	return l.Put(ctx, c, Topic, c.Tenant.ID)
}

// Object is a row of a table, found.
type Object struct {
	Table Table
	Row
}

// Find finds a row, whoever may see it; ErrRow when there is none.
func (l *Lists) Find(ctx context.Context, c *call.Call, t Table, key string) (Object, error) {
	rows, err := l.rows(ctx, c, t, []string{key})
	if err != nil {
		return Object{}, err
	}
	if len(rows) == 0 {
		return Object{}, ErrRow
	}
	return Object{t, rows[0]}, nil
}

// batch is how many rows one query finds.
const batch = 500

// maxKey is the length of a row's key in bytes.
const maxKey = 255

// rows finds those of the rows that there are, in the order asked for.
func (l *Lists) rows(ctx context.Context, c *call.Call, t Table, keys []string) ([]Row, error) {
	if !t.Exists {
		return nil, nil
	}
	var out []Row
	for part := range slices.Chunk(keys, batch) {
		ask := make([]string, 0, 2*len(part))
		for _, key := range part {
			if key = strings.TrimSpace(key); key != "" && len(key) <= maxKey {
				ask = append(ask, key, strings.ToLower(key))
			}
		}
		found, err := t.Rows.Rows(ctx, c.Tx, dbx.In("id", ask...), nil, len(ask)+1, c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(ask); i += 2 {
			at := slices.IndexFunc(found, func(r Row) bool { return r.ID == ask[i] || r.ID == ask[i+1] })
			if at >= 0 {
				out = append(out, found[at])
			}
		}
	}
	return out, nil
}

// Rights are the caller's rights on a row.
func (l *Lists) Rights(ctx context.Context, c *call.Call, o Object) (Mask, error) {
	m, _, err := l.rights(ctx, c, o)
	return m, err
}

// rights are the caller's rights on a row, and when they may be others though nothing changes, in ms since 1970 UTC; 0: never.
func (l *Lists) rights(ctx context.Context, c *call.Call, o Object) (m Mask, next int64, err error) {
	if c.Caller == nil {
		return 0, 0, nil
	}
	out := l.super(c, o)
	if o.Table.Self != "" && slices.Contains(principals(c), o.ID) {
		out |= View
	}
	if !o.Table.Direct || out.Has(o.Table.Full()) {
		return out, 0, nil
	}
	rows, err := entries.All(ctx, c.Tx, c.Tenant.ID, o.Table.Name, o.ID, principals(c))
	for _, e := range rows {
		now := c.Now.UnixMilli()
		if e.open(now) {
			out |= Mask(e.Mask)
		}
		for _, at := range []int64{e.Since, e.Until} {
			if at > now && (next == 0 || at < next) {
				next = at
			}
		}
	}
	return out & o.Table.Full(), next, err
}

// Need finds a row on which the caller has rights. Faults: ErrTable, ErrRow when there is none or the caller has no right on
// it, ErrDenied when they lack what is needed.
func (l *Lists) Need(ctx context.Context, c *call.Call, table, key string, need Mask) (Object, error) {
	o, _, err := l.NeedUntil(ctx, c, table, key, need)
	return o, err
}

// NeedUntil is Need that says, with its refusals too, when the answer may be another though nothing changes, in ms since 1970 UTC; 0: never.
func (l *Lists) NeedUntil(ctx context.Context, c *call.Call, table, key string, need Mask) (Object, int64, error) {
	t, err := l.Table(table)
	if err != nil {
		return Object{}, 0, err
	}
	o, err := l.Find(ctx, c, t, key)
	if err != nil {
		return Object{}, 0, err
	}
	has, next, err := l.rights(ctx, c, o)
	switch {
	case err != nil:
		return Object{}, 0, err
	case has == 0:
		return Object{}, next, ErrRow
	case !has.Has(need):
		return Object{}, next, ErrDenied
	}
	return o, next, nil
}

// Viewable gives those of the rows that there are and that the caller may view, in the order of keys.
func (l *Lists) Viewable(ctx context.Context, c *call.Call, t Table, keys []string) ([]Row, error) {
	rows, err := l.rows(ctx, c, t, keys)
	if err != nil || len(rows) == 0 || c.Caller == nil {
		return nil, err
	}
	var listed map[string]bool
	if t.Direct {
		if listed, err = l.listed(ctx, c, t); err != nil {
			return nil, err
		}
	}
	mine := principals(c)
	return slices.DeleteFunc(rows, func(r Row) bool {
		return !l.super(c, Object{t, r}).Has(View) && !listed[r.ID] && (t.Self == "" || !slices.Contains(mine, r.ID))
	}), nil
}

// listed are the rows that entries let the caller view.
func (l *Lists) listed(ctx context.Context, c *call.Call, t Table) (map[string]bool, error) {
	now := c.Now.UnixMilli()
	keys, err := given.All(ctx, c.Tx, c.Tenant.ID, t.Name, principals(c), int64(View), now, now)
	out := make(map[string]bool, len(keys))
	for _, key := range keys {
		out[key] = true
	}
	return out, err
}

// principals are whom entries are for when they are for the caller. Ids of people and roles differ in form.
func principals(c *call.Call) []string {
	if c.Caller == nil {
		return []string{}
	}
	return append([]string{c.Caller.User}, c.Caller.Roles...)
}

// everywhere says whether the caller administers everything.
func everywhere(c *call.Call) bool {
	return c.Caller != nil && (c.Caller.Held.System() || c.Caller.Means == call.ByShell)
}

// super is what the caller's administrative rights give on a row.
func (l *Lists) super(c *call.Call, o Object) Mask {
	if everywhere(c) {
		return o.Table.Full()
	}
	by, held := l.governing(o), c.Caller.Held
	over := func(r right.Right) bool { return held.Over(r, o.Org) }
	switch {
	case slices.ContainsFunc(by.Govern, over):
		return o.Table.Full()
	case slices.ContainsFunc(by.See, over):
		return View
	}
	return 0
}

// Governs says whether the caller administers a table, over the whole tenant or over an organization.
func (l *Lists) Governs(c *call.Call, t Table) bool {
	if everywhere(c) {
		return true
	}
	return c.Caller != nil && slices.ContainsFunc(t.Govern, func(r right.Right) bool {
		return c.Caller.Held.Everywhere(r) || len(c.Caller.Held.In(r)) > 0
	})
}

// Shown is the condition on a list of a table's rows, which has the columns id and, of sets, object: those on which the caller
// has the right, a single bit. It decides as Rights does, for tables whose rows belong to no organization.
func (l *Lists) Shown(c *call.Call, t Table, bit Mask) dbx.Clause {
	all, types := l.supers(c, t, bit)
	if all {
		return dbx.Clause{}
	}
	now := c.Now.UnixMilli()
	return dbx.Or(dbx.In("object", types...), dbx.InQuery("id", given, c.Tenant.ID, t.Name, principals(c), int64(bit), now, now))
}

// supers says whether administrative rights give the caller a right on all rows of a table, or on the sets of which types.
func (l *Lists) supers(c *call.Call, t Table, bit Mask) (all bool, types []string) {
	reaches := func(of Table) bool { return l.super(c, Object{t, Row{Type: of.Name}}).Has(bit) }
	if everywhere(c) || c.Caller == nil || t.Name != Collections {
		return c.Caller != nil && reaches(t), nil
	}
	for _, of := range l.Tables {
		if of.Set && reaches(of) {
			types = append(types, of.Name)
		}
	}
	return false, types
}

// Seen is Shown for a view of reports, whose column key is the rows' key and, of sets, objecttype the type of the members:
// SQL with its values, empty when the caller may view all.
func (l *Lists) Seen(c *call.Call, t Table, key string) (string, []any) {
	all, types := l.supers(c, t, View)
	if all {
		return "", nil
	}
	mine, now := principals(c), c.Now.UnixMilli()
	if len(mine) == 0 {
		return "1 = 0", nil
	}
	sql := key + " IN (SELECT row_key FROM rr_ace WHERE tenant = ? AND object = ? AND principal IN (?" + strings.Repeat(", ?", len(mine)-1) +
		") AND (mask & ?) <> 0 AND since <= ? AND (until = 0 OR until > ?))"
	args := []any{c.Tenant.ID, t.Name}
	for _, id := range mine {
		args = append(args, id)
	}
	args = append(args, int64(View), now, now)
	if len(types) > 0 {
		sql += " OR objecttype IN (?" + strings.Repeat(", ?", len(types)-1) + ")"
		for _, of := range types {
			args = append(args, of)
		}
	}
	return sql, args
}
