package user

import (
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Off is the column that is 1 for those who are suspended, disabled or expired, and else 0.
const Off = "(CASE WHEN suspended OR disabled OR expired THEN 1 ELSE 0 END)"

var (
	picked  = dbx.L[User]("user.pick", `SELECT `+columns+` FROM users WHERE tenant = ?`).By(Off, sorted("name_key"), sorted("display_key"), sorted("mail_key"), sorted("id"), sorted("created"), sorted("changed"), sorted(Off))
	led     = dbx.Q[string]("user.led", `SELECT id FROM users WHERE tenant = ? AND reports_to = ? AND reports_to <> ''`)
	touch   = dbx.E("user.touch", `UPDATE users SET changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	leading = dbx.Q[string]("user.leading", `SELECT id FROM users WHERE tenant = ? AND reports_to > '' AND reports_to <> ''`)
)

// sorted is a column as no index has it, so that an engine sorts what the condition finds and does not go through everybody in
// the order of the column.
func sorted(column string) string {
	switch column {
	case "created", "changed", Off:
		return "(" + column + " + 0)"
	}
	return "(" + column + " || '')"
}

// few is of how many users it is better to sort all than to look for them in their order.
var few int64 = 2000 // no constant, for tests

// Pick is what is wanted of the directory's rows: a condition on their columns, and an order that ends in a unique column.
type Pick struct {
	Where  dbx.Clause
	Order  []dbx.Order
	After  []any // values of Order behind which the page begins; nil: the first
	Offset int64 // rows left out before that
	Total  int64 // how many there are; 0: it is not known. Few are sorted, and what is behind the middle of many is read from the end
	Limit  int
}

// Pick gives whole users that the grant allows and the condition picks.
func (d *Directory) Pick(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]User, error) {
	if g.Nothing() || p.Limit < 1 {
		return nil, nil
	}
	where, order := dbx.And(Allowed(c, g), p.Where), p.Order
	switch {
	case p.Total > 0 && p.Total <= few:
		order = slices.Clone(order)
		for i := range order {
			order[i].Column = sorted(order[i].Column)
		}
	case p.After == nil && p.Total > 0 && p.Offset > p.Total/2:
		return d.fromEnd(ctx, c, where, p)
	}
	if p.After != nil {
		where = dbx.And(where, dbx.After(p.Order, p.After...))
	}
	if p.Offset > 0 {
		last, err := picked.At(ctx, c.Tx, where, order, p.Offset-1, c.Tenant.ID)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		where = dbx.And(where, dbx.After(p.Order, last.Column(p.Order)...))
	}
	return picked.Rows(ctx, c.Tx, where, order, p.Limit, c.Tenant.ID)
}

// fromEnd is Pick of rows that are nearer to the end.
func (d *Directory) fromEnd(ctx context.Context, c *call.Call, where dbx.Clause, p Pick) ([]User, error) {
	left := p.Total - p.Offset
	n := min(int64(p.Limit), left)
	if n <= 0 {
		return nil, nil
	}
	order := slices.Clone(p.Order)
	for i := range order {
		order[i].Desc = !order[i].Desc
	}
	if left > n {
		last, err := picked.At(ctx, c.Tx, where, order, left-n-1, c.Tenant.ID)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		where = dbx.And(where, dbx.After(order, last.Column(order)...))
	}
	us, err := picked.Rows(ctx, c.Tx, where, order, int(n), c.Tenant.ID)
	slices.Reverse(us)
	return us, err
}

// Picked counts the users that the grant allows and the condition picks.
func (d *Directory) Picked(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause) (int64, error) {
	if g.Nothing() {
		return 0, nil
	}
	return picked.Count(ctx, c.Tx, dbx.And(Allowed(c, g), where), c.Tenant.ID)
}

// Column gives a user's values in the columns of an order: those that pick can be sorted by.
func (u *User) Column(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		switch o.Column {
		case "id":
			out[i] = u.ID
		case "name_key":
			out[i] = u.NameKey
		case "mail_key":
			out[i] = u.MailKey
		case "display_key":
			out[i] = u.DisplayKey
		case "created":
			out[i] = u.Created
		case "changed":
			out[i] = u.Changed
		case Off:
			out[i] = int64(0)
			if u.Suspended || u.Disabled || u.Expired {
				out[i] = int64(1)
			}
		}
	}
	return out
}

// Among holds, of a column of people's UUIDs, for those whom the grant allows and the condition picks.
func Among(c *call.Call, g grant.Grant, column string, where dbx.Clause) dbx.Clause {
	return dbx.InList(column, picked, "id", dbx.And(Allowed(c, g), where), c.Tenant.ID)
}

// Led holds for those who report to a person; of nobody, for those who report to anybody.
func Led(c *call.Call, by string) dbx.Clause {
	if by == "" {
		return dbx.InQuery("id", leading, c.Tenant.ID)
	}
	return dbx.InQuery("id", led, c.Tenant.ID, by)
}

// ByIDs finds up to 500 people by their UUIDs; those who are not there are left out.
func ByIDs(ctx context.Context, c *call.Call, ids ...string) ([]User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return picked.Rows(ctx, c.Tx, dbx.In("id", ids...), nil, len(ids), c.Tenant.ID)
}

// Touch counts a change of what is kept of a person elsewhere as one of the person's row.
func (d *Directory) Touch(ctx context.Context, c *call.Call, id string) error {
	err := d.rewrite(ctx, c, id, func(u *User) (dbx.Exec, []any) {
		u.Changed = c.Now.UnixMilli()
		return touch, []any{u.Changed}
	})
	if err != nil {
		return err
	}
	return d.changed(ctx, c, id)
}
