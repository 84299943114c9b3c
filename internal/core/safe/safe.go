// Package safe is safes: where the accounts of other systems are kept with their secrets. A safe belongs to the tenant or to one
// of its organizations, has an owner, and members, which are people and roles with named rights.
//
// Who holds Vault Management over a safe's organization administers it: they see it, change it and say who its members are, and do
// not read its secrets: that takes the right by an entry, which the event of whoever gave it shows. The owner has an entry with
// every right. Everybody else has what their entries give, those of their roles included, and does not learn of safes where they
// have none.
//
// Nobody comes by a right that nobody who held it gave: who changes a member holds ManageSafeMembers, and every right that
// changes, for as long as it is given. Owners and administrators give any.
package safe

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/scope"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of safes.
var (
	ErrNotFound  = fault.New(fault.NotFound, "safe.not_found", "There is no such safe.")
	ErrNameTaken = fault.New(fault.Exists, "safe.name_taken", "A safe of that name already exists.")
	ErrName      = fault.New(fault.Invalid, "safe.name", `The name of a safe has 1 to 28 characters, begins with no space, and has none of \ / : * < > " . | and no control characters.`)
	ErrText      = fault.New(fault.Invalid, "safe.text", "The text is too long, or has control characters.")
	ErrRetention = fault.New(fault.Invalid, "safe.retention", "The retention is 0 to 3650 days.")
	ErrOwner     = fault.New(fault.Invalid, "safe.owner", "There is no such person to own the safe.")
	ErrDenied    = fault.New(fault.Denied, "safe.denied", "You do not have the right to do this in the safe.")
	ErrMany      = fault.New(fault.Conflict, "safe.too_many", "The tenant has as many safes as it may have.")
	ErrHolds     = fault.New(fault.Conflict, "safe.holds", "The safe has accounts. Delete these first.")
	ErrRetained  = fault.New(fault.Conflict, "safe.retained", "Something that was in the safe is within its retention. The safe cannot be deleted before that ends.")
)

// Safes are the safes of the call's tenant.
type Safes struct {
	Roles *role.Roles
	Ring  *crypt.Ring // seals secrets
	// Deleted hears of safes that are being deleted, in the transaction.
	Deleted []func(ctx context.Context, c *call.Call, id string) error
}

// Safe is a safe. Times are milliseconds since 1970 UTC.
type Safe struct {
	ID          string `db:"id"`   // UUID
	Name        string `db:"name"` // unique in the tenant, whatever its case
	NameKey     string `db:"name_key"`
	Display     string `db:"display"`
	DisplayKey  string `db:"display_key"`
	Description string `db:"description"`
	Org         string `db:"org"`        // organization whose administrators reach it; empty: none
	Owner       string `db:"owner"`      // UUID; empty: nobody
	OwnerName   string `db:"owner_name"` // login name
	Manager     string `db:"manager"`    // what changes its secrets elsewhere
	Retention   int64  `db:"retention"`  // days that it must stay after an account was deleted from it
	Retained    int64  `db:"retained"`   // until when it must stay; 0: it need not
	Created     int64  `db:"created"`
	Changed     int64  `db:"changed"`
	Version     int64  `db:"version"`
}

// View is a safe as the caller has it.
type View struct {
	Safe
	Rights Rights // by entries, and by administrating it
	Leads  bool   // owns or administers it
}

var (
	safes = dbx.L[Safe]("safe.list", `SELECT s.id AS id, s.name AS name, s.name_key AS name_key, s.display AS display, s.display_key AS display_key,
		s.description AS description, s.org AS org, s.owner AS owner, COALESCE(u.name, '') AS owner_name, s.manager AS manager, s.retention AS retention,
		s.retained AS retained, s.created AS created, s.changed AS changed, s.version AS version
		FROM safe s LEFT JOIN users u ON u.tenant = s.tenant AND u.id = s.owner WHERE s.tenant = ?`)
	lock = dbx.Q[string]("safe.lock", `SELECT id FROM safe WHERE tenant = ? AND name_key = ? FOR UPDATE`)

	// What some principals are given in a safe.
	entries = dbx.Q[entry]("safe.entries", `SELECT kind, principal, rights, until FROM safe_member WHERE tenant = ? AND safe = ? AND principal = ANY(?)`)
	// Safes where some principals are given one of some rights.
	given = dbx.Q[string]("safe.given", `SELECT safe FROM safe_member WHERE tenant = ? AND principal = ANY(?) AND (rights & ?) <> 0
		AND (until = 0 OR until > ?)`)
)

type entry struct {
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Rights    int64  `db:"rights"`
	Until     int64  `db:"until"`
}

// principals are whom entries are for when they are for the caller. Ids of people and roles differ in form.
func principals(c *call.Call) []string {
	if c.Caller == nil {
		return []string{}
	}
	return append([]string{c.Caller.User}, c.Caller.Roles...)
}

// reached holds for the safes where the caller has one of some rights, by the columns of a safe's id and organization: those that the
// grant allows, which is one by Vault Management, and those by entries.
func reached(c *call.Call, g grant.Grant, id, org string, any Rights) dbx.Clause {
	if g.Everything() {
		return dbx.Clause{}
	}
	return dbx.Or(scope.Allowed(g, c.Tenant.ID, org, id), dbx.InQuery(id, given, c.Tenant.ID, principals(c), int64(any), c.Now.UnixMilli()))
}

// administers says whether the caller administers what belongs to an organization.
func administers(c *call.Call, org string) bool {
	return c.Caller != nil && c.Grant.Allows("", org) && c.Caller.Held.Over(right.VaultManagement, org)
}

// Find finds a safe by its name, whatever the case; ErrNotFound when there is none, or none that the caller may know of.
func (s *Safes) Find(ctx context.Context, c *call.Call, name string) (View, error) {
	rows, err := safes.Rows(ctx, c.Tx, dbx.Eq("name_key", fold.Key(name)), nil, 1, c.Tenant.ID)
	if err != nil {
		return View{}, err
	}
	if len(rows) == 0 {
		return View{}, ErrNotFound
	}
	return view(ctx, c, rows[0])
}

func view(ctx context.Context, c *call.Call, of Safe) (View, error) {
	rows, err := entries.All(ctx, c.Tx, c.Tenant.ID, of.ID, principals(c))
	if err != nil {
		return View{}, err
	}
	v, now := View{Safe: of}, c.Now.UnixMilli()
	for _, e := range rows {
		if now < role.End(e.Until) {
			v.Rights |= Rights(e.Rights)
		}
	}
	if administers(c, of.Org) {
		v.Rights, v.Leads = v.Rights|administering, true
	}
	if v.Rights == 0 {
		return View{}, ErrNotFound
	}
	v.Leads = v.Leads || of.Owner != "" && of.Owner == c.User()
	return v, nil
}

// need is Find of a safe that is to be changed, which nobody else changes meanwhile. Faults: ErrNotFound, and ErrDenied when the caller has
// other rights than the one needed.
func (s *Safes) need(ctx context.Context, c *call.Call, name string, right Rights) (View, error) {
	if _, err := lock.One(ctx, c.Tx, c.Tenant.ID, fold.Key(name)); err != nil {
		if errors.Is(err, dbx.ErrNoRow) {
			err = ErrNotFound
		}
		return View{}, err
	}
	v, err := s.Find(ctx, c, name)
	if err != nil {
		return View{}, err
	}
	noted(c, v.Safe)
	if !v.Rights.Has(right) {
		return View{}, ErrDenied
	}
	return v, nil
}

func noted(c *call.Call, s Safe) {
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name = s.ID, "Safe", s.Name
	}
}

// Pick is what is wanted of a list: a condition on its columns, and an order that ends in a unique column.
type Pick struct {
	Where  dbx.Clause
	Order  []dbx.Order
	After  []any // values of Order behind which the page begins; nil: the first
	Offset int64 // rows left out before that
	Limit  int
}

// columned is a row that knows its values in the columns of an order.
type columned interface{ Column(order []dbx.Order) []any }

// page reads a page of a list.
func page[R columned](ctx context.Context, c *call.Call, l dbx.List[R], where dbx.Clause, p Pick, args ...any) ([]R, error) {
	if p.Limit < 1 {
		return nil, nil
	}
	where, args = dbx.And(where, p.Where), append([]any{c.Tenant.ID}, args...)
	if p.After != nil {
		where = dbx.And(where, dbx.After(p.Order, p.After...))
	}
	if p.Offset > 0 {
		last, err := l.At(ctx, c.Tx, where, p.Order, p.Offset-1, args...)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		where = dbx.And(where, dbx.After(p.Order, last.Column(p.Order)...))
	}
	return l.Rows(ctx, c.Tx, where, p.Order, p.Limit, args...)
}

// Pick gives a page of the safes that the grant, which is one by Vault Management, allows or of which the caller is a member.
func (s *Safes) Pick(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]Safe, error) {
	return page(ctx, c, safes, reached(c, g, "id", "org", Full), p)
}

// Picked counts the safes that Pick gives.
func (s *Safes) Picked(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause) (int64, error) {
	return safes.Count(ctx, c.Tx, dbx.And(reached(c, g, "id", "org", Full), where), c.Tenant.ID)
}

// Column gives a safe's values in the columns of an order.
func (s Safe) Column(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = map[string]any{
			"id": s.ID, "name": s.Name, "name_key": s.NameKey, "display_key": s.DisplayKey, "created": s.Created, "changed": s.Changed,
		}[o.Column]
	}
	return out
}
