package user

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// Off is the column that is 1 for those who are suspended, disabled or expired, and else 0.
const Off = "(CASE WHEN suspended OR disabled OR expired THEN 1 ELSE 0 END)"

var (
	picked  = dbx.L[User]("user.pick", `SELECT `+columns+` FROM users WHERE tenant = ?`).By(Off)
	led     = dbx.Q[string]("user.led", `SELECT id FROM users WHERE tenant = ? AND reports_to = ? AND reports_to <> ''`)
	touch   = dbx.E("user.touch", `UPDATE users SET changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	leading = dbx.Q[string]("user.leading", `SELECT id FROM users WHERE tenant = ? AND reports_to > '' AND reports_to <> ''`)
)

// Pick is what is wanted of the directory's rows: a condition on their columns, and an order that ends in a unique column.
type Pick struct {
	Where  dbx.Clause
	Order  []dbx.Order
	After  []any // values of Order behind which the page begins; nil: the first
	Offset int64 // rows left out before that
	Limit  int
}

// Pick gives whole users that the grant allows and the condition picks.
func (d *Directory) Pick(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]User, error) {
	if g.Nothing() || p.Limit < 1 {
		return nil, nil
	}
	where := dbx.And(Allowed(c, g), p.Where)
	if p.After != nil {
		where = dbx.And(where, dbx.After(p.Order, p.After...))
	}
	if p.Offset > 0 {
		last, err := picked.At(ctx, c.Tx, where, p.Order, p.Offset-1, c.Tenant.ID)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		where = dbx.And(where, dbx.After(p.Order, last.Column(p.Order)...))
	}
	return picked.Rows(ctx, c.Tx, where, p.Order, p.Limit, c.Tenant.ID)
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
