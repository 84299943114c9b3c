package outbound

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/scope"
	"limen/internal/dbx"
)

// Receipt says how somebody, or a group, stands at a target. Times are milliseconds since 1970 UTC, 0 where it did not happen.
type Receipt struct {
	ID      string
	App     string
	Kind    string // KindUser, KindGroup
	Object  string // UUID of the person, id of the role
	Name    string // at the time
	Remote  string // the service's id of it; empty: none is known
	There   string // Active, Disabled, Removed; empty: nothing was acknowledged
	State   string
	Pending bool   // something is to be looked at, or sent
	Class   string // of the last failure; empty: there is none
	Error   string
	Tries   int64 // since something was acknowledged
	Version int64 // of the person, as acknowledged
	Tried   int64
	Next    int64 // of the next try; 0: there is none
	Acked   int64
}

func (a account) receipt() Receipt {
	return Receipt{
		ID: a.ID, App: a.App, Kind: a.Kind, Object: a.Object, Name: a.Name, Remote: a.Remote, There: a.There, State: a.State, Pending: a.Due > 0, Class: a.Class,
		Error: a.Error, Tries: a.Tries, Version: a.Version, Tried: a.Tried, Next: a.Due, Acked: a.Acked,
	}
}

// MaxReceipts bounds a page.
const MaxReceipts = 1000

var (
	accounts = dbx.L[account]("outbound.accounts", `SELECT `+accountColumns+` FROM outbound_account WHERE tenant = ?`)
	sums     = dbx.Q[sumRow]("outbound.sums", `SELECT state, COUNT(*) AS n FROM outbound_account WHERE tenant = ? AND app = ? GROUP BY state ORDER BY state`)
	byObject = dbx.Q[account]("outbound.by_object", `SELECT `+accountColumns+` FROM outbound_account WHERE tenant = ? AND app = ? AND kind = ? AND object = ?`)
	retry    = dbx.E("outbound.retry", `UPDATE outbound_account SET token = ?, due = ? WHERE tenant = ? AND app = ? AND id = ?`)
)

type sumRow struct {
	State string `db:"state"`
	N     int64  `db:"n"`
}

// Query asks for receipts of an application.
type Query struct {
	State string // empty: all
	Kind  string // empty: both
	User  string // UUID of one person; empty: everybody
	After string // id of the last receipt of the page before; empty: the first
	Limit int
}

func (q Query) where(g grant.Grant, tenant, appID string) dbx.Clause {
	all := []dbx.Clause{dbx.Eq("app", appID), scope.Sorted(g, tenant, "org", "object")}
	for column, v := range map[string]string{"state": q.State, "kind": q.Kind, "object": q.User} {
		if v != "" {
			all = append(all, dbx.Eq(column, v))
		}
	}
	if q.After != "" {
		all = append(all, dbx.Gt("id", q.After))
	}
	return dbx.And(all...)
}

// Receipts lists receipts of people within the grant, by their ids. The caller needs Admin on the application. Faults: app.ErrNotFound,
// acl.ErrDenied, ErrNotFound.
func (o *Outbound) Receipts(ctx context.Context, c *call.Call, g grant.Grant, ref string, q Query) ([]Receipt, error) {
	it, err := o.Apps.Editable(ctx, c, ref)
	if err != nil {
		return nil, err
	}
	if _, err := of(ctx, c, it.ID); err != nil {
		return nil, err
	}
	rows, err := accounts.Rows(ctx, c.Tx, q.where(g, c.Tenant.ID, it.ID), []dbx.Order{{Column: "id"}}, min(max(q.Limit, 1), MaxReceipts), c.Tenant.ID)
	out := make([]Receipt, len(rows))
	for i, r := range rows {
		out[i] = r.receipt()
	}
	return out, err
}

// Count says how many accounts of a target are in each state, in c.Tx. Whoever asks administers all whom the target is for.
func (o *Outbound) Count(ctx context.Context, c *call.Call, t Target) (map[string]int64, error) {
	rows, err := sums.All(ctx, c.Tx, c.Tenant.ID, t.App)
	out := map[string]int64{}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, err
}

// Retry has accounts within the grant tried again at once: that of one person, or all that failed or are in conflict, as many as a page
// has. It says how many they are. Faults: those of Receipts, ErrAccount.
func (o *Outbound) Retry(ctx context.Context, c *call.Call, g grant.Grant, ref, person string) (n int, err error) {
	states := []string{Failed, Conflict, Waiting}
	if person != "" {
		states = []string{""}
	}
	for _, s := range states {
		rs, err := o.Receipts(ctx, c, g, ref, Query{State: s, User: person, Limit: MaxReceipts})
		if err != nil {
			return 0, err
		}
		for _, r := range rs {
			if _, err := retry.Do(ctx, c.Tx, c.NewID(), c.Now.UnixMilli(), c.Tenant.ID, r.App, r.ID); err != nil {
				return 0, err
			}
		}
		n += len(rs)
	}
	if person != "" && n == 0 {
		return 0, ErrAccount
	}
	c.Tx.After(func() { o.prepare(); poke(o.due) })
	return n, nil
}

// known reads the account of somebody at a target; a zero one where there is none.
func (t *Target) account(ctx context.Context, c *call.Call, kind, object string) (account, error) {
	a, err := byObject.One(ctx, c.Tx, c.Tenant.ID, t.App, kind, object)
	if errors.Is(err, dbx.ErrNoRow) {
		return account{App: t.App, Kind: kind, Object: object}, nil
	}
	return a, err
}
