package role

import (
	"context"
	"slices"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/scope"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// membership is who is directly in what; found by either.
type membership struct {
	Role   string `db:"role"`
	Kind   string `db:"kind"`
	Member string `db:"member"`
	Since  int64  `db:"since"`
	Until  int64  `db:"until"`
}

var memberships = dbx.L[membership]("role.memberships", `SELECT role, kind, member, since, until FROM role_member WHERE tenant = ?`)

func current(c *call.Call) dbx.Clause {
	now := c.Now.UnixMilli()
	return dbx.And(dbx.Le("since", now), dbx.Or(dbx.Eq("until", 0), dbx.Gt("until", now)))
}

// Containing holds, of the column of people's UUIDs in the directory's rows, for those who are directly in a role now.
func Containing(c *call.Call, column, roleID string) dbx.Clause {
	if roleID == Everybody {
		return dbx.Eq("everybody", true)
	}
	return dbx.InList(column, memberships, "member", dbx.And(dbx.Eq("role", roleID), dbx.Eq("kind", User), current(c)), c.Tenant.ID)
}

// With holds, of the column of roles' ids, for those in which somebody, or a role, directly is now.
func With(c *call.Call, column, memberID string) dbx.Clause {
	return dbx.InList(column, memberships, "role", dbx.And(dbx.In("kind", User, Sub), dbx.Eq("member", memberID), current(c)), c.Tenant.ID)
}

// Among holds, of a column of ids, for the roles that a condition picks.
func Among(c *call.Call, column string, where dbx.Clause) dbx.Clause {
	return dbx.InList(column, listed, "id", where, c.Tenant.ID)
}

// Roles are the ids of the roles that somebody of those loaded is directly in now, sorted.
func (d Direct) Roles(userID string, now time.Time) (out []string) {
	w := walk{now: now.UnixMilli()}
	rows := d[userID]
	if len(rows) > 0 && rows[0].Everybody {
		out = append(out, Everybody)
	}
	for _, m := range rows {
		if m.Role != "" && w.during(m.Since, m.Until) {
			out = append(out, m.Role)
		}
	}
	slices.Sort(out)
	return out
}

// Pick is what is wanted of the roles: a condition on their columns, and an order that ends in a unique column.
type Pick struct {
	Where  dbx.Clause
	Order  []dbx.Order
	After  []any // values of Order behind which the page begins; nil: the first
	Offset int64 // rows left out before that
	Limit  int
}

// Pick gives the roles that the grant allows and the condition picks.
func (r *Roles) Pick(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]Role, error) {
	if g.Nothing() || p.Limit < 1 {
		return nil, nil
	}
	where := dbx.And(scope.Allowed(g, c.Tenant.ID, "org", "id"), p.Where)
	if p.After != nil {
		where = dbx.And(where, dbx.After(p.Order, p.After...))
	}
	rows, err := listed.Rows(ctx, c.Tx, where, p.Order, int(p.Offset)+p.Limit, c.Tenant.ID) // a tenant has some thousand at most
	return rows[min(int(p.Offset), len(rows)):], err
}

// Picked counts the roles that the grant allows and the condition picks.
func (r *Roles) Picked(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause) (int64, error) {
	if g.Nothing() {
		return 0, nil
	}
	return listed.Count(ctx, c.Tx, dbx.And(scope.Allowed(g, c.Tenant.ID, "org", "id"), where), c.Tenant.ID)
}

// Stamps tell the states of some roles apart, that of their members included.
func (r *Roles) Stamps(ctx context.Context, c *call.Call, roles ...Role) (map[string]string, error) {
	ids := make([]string, len(roles))
	for i := range roles {
		ids[i] = roles[i].ID
	}
	marks, err := tallies(ctx, c, ids)
	out := make(map[string]string, len(roles))
	for _, r := range roles {
		out[r.ID] = strconv.FormatInt(r.Version, 10) + "." + strconv.FormatUint(marks[r.ID].mark, 36)
	}
	return out, err
}

// Column gives a role's values in the columns of an order.
func (r Role) Column(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = map[string]any{"id": r.ID, "name_key": fold.Key(r.Name), "created": r.Created, "changed": r.Changed}[o.Column]
	}
	return out
}

// Within tells, of everybody who is in one of some roles now, by themselves or by nesting, in which. Where a role has many members, the
// answer has many people.
func (r *Roles) Within(ctx context.Context, c *call.Call, roles ...string) (map[string][]string, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	of, ids := map[string][]string{}, []string{}
	for _, id := range roles {
		for in := range s.inside(id, c.Now.UnixMilli()) {
			if of[in] == nil {
				ids = append(ids, in)
			}
			of[in] = append(of[in], id)
		}
	}
	out := map[string][]string{}
	for part := range slices.Chunk(ids, batch) {
		rows, err := memberships.Rows(ctx, c.Tx, dbx.And(dbx.In("role", part...), dbx.Eq("kind", User), current(c)), nil, MaxPage, c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			out[m.Member] = append(out[m.Member], of[m.Role]...)
		}
	}
	return out, nil
}

// Inside says which of some people and roles are directly in a role, whatever the window.
func (r *Roles) Inside(ctx context.Context, c *call.Call, roleID string, ms ...Member) (map[Member]bool, error) {
	out := map[Member]bool{}
	for part := range slices.Chunk(ms, batch) {
		ids := make([]string, len(part))
		for i, m := range part {
			ids[i] = m.ID
		}
		rows, err := memberships.Rows(ctx, c.Tx, dbx.And(dbx.Eq("role", roleID), dbx.In("kind", User, Sub), dbx.In("member", ids...)), nil, 2*len(part), c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			out[Member{Kind: m.Kind, ID: m.Member}] = true
		}
	}
	return out, nil
}
