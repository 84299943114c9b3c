package audit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fault"
)

var (
	get    = dbx.Q[Row]("audit.get", `SELECT `+columns+` FROM event WHERE tenant = ? AND id = ?`)
	events = dbx.L[Row]("audit.list", `SELECT `+columns+` FROM event WHERE tenant = ?`)
	newest = []dbx.Order{{Column: "at", Desc: true}, {Column: "id", Desc: true}}
)

// maxPage bounds a page.
const maxPage = 1000

// Cursor is where the page after this event begins.
func (r *Row) Cursor() string { return strconv.FormatInt(r.At, 10) + "." + r.ID }

// Get gives an event. Whoever may not see the whole tenant sees those about people, and of objects, that the grant names.
func (l *Log) Get(ctx context.Context, c *call.Call, g grant.Grant, id string) (Row, error) {
	r, err := get.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return Row{}, ErrNotFound
	}
	if err == nil && !g.Allows(r.User, "") && !g.Allows(r.Target, "") {
		return Row{}, ErrNotFound
	}
	return r, err
}

// Recent gives the newest events, from behind the cursor after on ("" for the first page).
func (l *Log) Recent(ctx context.Context, c *call.Call, g grant.Grant, after string, limit int) ([]Row, error) {
	return l.list(ctx, c, g, dbx.Clause{}, after, limit)
}

// ByTarget gives the newest events of an object.
func (l *Log) ByTarget(ctx context.Context, c *call.Call, g grant.Grant, target, after string, limit int) ([]Row, error) {
	return l.list(ctx, c, g, dbx.Eq("target", target), after, limit)
}

// ByUser gives the newest events about a person.
func (l *Log) ByUser(ctx context.Context, c *call.Call, g grant.Grant, user, after string, limit int) ([]Row, error) {
	return l.list(ctx, c, g, dbx.Eq("user_id", user), after, limit)
}

func (l *Log) list(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause, after string, limit int) ([]Row, error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	if !g.Everything() {
		where = dbx.And(where, dbx.Or(dbx.In("user_id", g.Rows()...), dbx.In("target", g.Rows()...)))
	}
	if after != "" {
		at, id, ok := strings.Cut(after, ".")
		ms, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil {
			return nil, fault.Bad("after", "is not a cursor")
		}
		where = dbx.And(where, dbx.After(newest, ms, id))
	}
	return events.Rows(ctx, c.Tx, where, newest, limit, c.Tenant.ID)
}

// rightChanges are the events of changes of who holds which rights.
var rightChanges = []string{
	RoleCreate, RoleChange, RoleDelete, RoleMembers, RoleRights, RoleScript, OrgCreate, OrgChange, OrgDelete,
}

// Touched says whether somebody has changed another one's account since a time, or who holds which rights.
func (l *Log) Touched(ctx context.Context, c *call.Call, actor, account string, since time.Time) (bool, error) {
	by := dbx.And(dbx.Eq("actor", actor), dbx.Gt("at", since.UnixMilli()), dbx.Eq("outcome", "success"))
	for _, what := range []dbx.Clause{dbx.Eq("target", account), dbx.In("type", rightChanges...)} {
		rows, err := events.Rows(ctx, c.Tx, dbx.And(by, what), nil, 1, c.Tenant.ID)
		if err != nil || len(rows) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}
