package role

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/scope"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// After is where a page of members begins: behind the member with this kind and id.
type After struct{ Kind, ID string }

// Members lists the direct members of a role, by kind and id, as far as the grant allows: holders of a grant over
// some organizations see the people in those only. Members whose time has ended are none.
func (r *Roles) Members(ctx context.Context, c *call.Call, g grant.Grant, roleID string, after After, limit int) ([]MemberRow, error) {
	var behind *MemberRow
	if after != (After{}) {
		behind = &MemberRow{memberKey: memberKey{Kind: after.Kind, ID: after.ID}}
	}
	l := lister{c: c, g: g, q: Query{Sort: ByKind}}
	return l.rows(ctx, roleID, behind, limit)
}

// MaxPage is the most members that one page has.
const MaxPage = 100_000

// Sort is what members are listed by.
type Sort uint8

// The orders.
const (
	ByName Sort = iota // login names and names of roles, without regard to case
	ByKind             // groups, roles, people; then their ids
)

// Query asks for members of a role.
type Query struct {
	Sort   Sort
	Desc   bool
	Size   int    // of a page; at most MaxPage
	Direct bool   // leaves out who is a member by nesting alone
	Filter string // empty: all
	// Where the filter is searched in, case aside: the name when none is true.
	InName, InKind, InID bool
}

// Page is page number n, from 1, of the members of a role, and how many there are on all pages: direct members and,
// unless they are left out, those whom nested roles bring, each once.
//
// The first page costs as much as the last, however many members there are: nothing is counted that is known (tally), and
// what is before a page is stepped over in the index, from the nearer end or from a page that was shown. With nesting the members that the largest of the
// roles lacks are remembered until one of the roles changes (union). A filter, or a grant over some organizations only, has
// all members looked at.
func (r *Roles) Page(ctx context.Context, c *call.Call, g grant.Grant, role Role, q Query, n int) ([]MemberRow, int64, error) {
	q.Size = min(max(q.Size, 1), MaxPage)
	l := lister{c: c, g: g, q: q, everybody: role.Kind == Open, anchors: &r.anchors}
	if g.Nothing() || int64(max(n, 1)-1) > math.MaxInt64/int64(q.Size) {
		return nil, 0, nil
	}
	before := int64(max(n, 1)-1) * int64(q.Size)
	inside := map[string]int64{role.ID: endless}
	if !q.Direct && role.Kind != Open {
		s, err := r.now(ctx, c)
		if err != nil {
			return nil, 0, err
		}
		inside = s.inside(role.ID, c.Now.UnixMilli())
	}
	if len(inside) > 1 {
		return r.merge(ctx, &l, role.ID, inside, before)
	}
	return l.step(ctx, role.ID, before)
}

// inside gives the roles whose members are members of a role now, itself included, each with the moment until which they
// are.
func (s *snapshot) inside(roleID string, now int64) map[string]int64 {
	return s.along(s.children(), map[string]int64{roleID: endless}, func(since, until int64) bool { return since <= now && now < end(until) })
}

// lister reads the members of roles in an order.
type lister struct {
	c         *call.Call
	g         grant.Grant
	q         Query
	everybody bool
	anchors   *anchors // nil: places in the list are not remembered
}

func (l *lister) order() []dbx.Order {
	name, kind, id := dbx.Order{Column: "name_key", Desc: l.q.Desc}, dbx.Order{Column: "kind", Desc: l.q.Desc}, dbx.Order{Column: "member", Desc: l.q.Desc}
	switch {
	case l.everybody && l.q.Sort == ByName:
		return []dbx.Order{name} // login names are unique
	case l.everybody:
		return []dbx.Order{id}
	case l.q.Sort == ByName:
		return []dbx.Order{name, kind, id}
	}
	return []dbx.Order{kind, id}
}

func (l *lister) values(k memberKey) (out []any) {
	for _, o := range l.order() {
		out = append(out, map[string]any{"name_key": k.Key, "kind": k.Kind, "member": k.ID}[o.Column])
	}
	return out
}

// compare orders keys as order does.
func (l *lister) compare(a, b memberKey) int {
	out := 0
	if l.q.Sort == ByName {
		out = strings.Compare(a.Key, b.Key)
	}
	out = cmp.Or(out, strings.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	if l.q.Desc {
		return -out
	}
	return out
}

// where is what every member listed meets.
func (l *lister) where(behind *MemberRow) dbx.Clause {
	var and []dbx.Clause
	if !l.everybody {
		and = append(and, dbx.Or(dbx.Eq("until", 0), dbx.Gt("until", l.c.Now.UnixMilli())))
	}
	if !l.g.Everything() {
		and = append(and, scope.Allowed(l.g, l.c.Tenant.ID, "org", "member"))
	}
	if l.q.Filter != "" {
		and = append(and, l.filter())
	}
	if behind != nil {
		and = append(and, dbx.After(l.order(), l.values(behind.memberKey)...))
	}
	return dbx.And(and...)
}

func (l *lister) filter() dbx.Clause {
	var or []dbx.Clause
	key := fold.Key(l.q.Filter)
	if l.q.InName || !l.q.InKind && !l.q.InID {
		or = append(or, dbx.Contains("name_key", key))
	}
	if l.q.InID {
		or = append(or, dbx.Contains("member", strings.ToLower(l.q.Filter)))
	}
	if l.q.InKind {
		kinds := slices.DeleteFunc([]string{User, Group, Sub}, func(k string) bool { return !strings.Contains(fold.Key(k), key) })
		or = append(or, dbx.In("kind", kinds...))
	}
	return dbx.Or(or...)
}

// args are for the placeholders of the lists.
func (l *lister) args(roleID string) []any {
	if l.everybody {
		return []any{l.c.Tenant.ID}
	}
	return []any{l.c.Tenant.ID, roleID}
}

// rows reads members of one role.
func (l *lister) rows(ctx context.Context, roleID string, behind *MemberRow, limit int) ([]MemberRow, error) {
	if l.everybody {
		return anybody.Rows(ctx, l.c.Tx, l.where(behind), l.order(), limit, l.args(roleID)...)
	}
	return members.Rows(ctx, l.c.Tx, l.where(behind), l.order(), limit, l.args(roleID)...)
}

// bare says whether the keys alone tell who is listed.
func (l *lister) bare() bool { return !l.everybody && l.g.Everything() }

// whole says whether every member is listed.
func (l *lister) whole() bool { return l.bare() && l.q.Filter == "" }

// count is how many members of one role are listed, and of a whole list its mark.
func (l *lister) count(ctx context.Context, roleID string) (p place, err error) {
	switch {
	case l.whole():
		var t map[string]tally
		if t, err = tallies(ctx, l.c, []string{roleID}); err != nil {
			return p, err
		}
		p.mark = t[roleID].mark
		p.all, err = t[roleID].size(ctx, l.c, roleID)
	case l.everybody:
		p.all, err = anybody.Count(ctx, l.c.Tx, l.where(nil), l.args(roleID)...)
	case l.bare():
		p.all, err = keys.Count(ctx, l.c.Tx, l.where(nil), l.args(roleID)...)
	default:
		p.all, err = members.Count(ctx, l.c.Tx, l.where(nil), l.args(roleID)...)
	}
	return p, err
}

// step gives a page of one role: it steps over what is before it, from the end that is nearer, or from another page.
func (l *lister) step(ctx context.Context, roleID string, before int64) ([]MemberRow, int64, error) {
	p, err := l.count(ctx, roleID)
	all := p.all
	if err != nil || before >= all {
		return nil, all, err
	}
	var behind *MemberRow
	if before > 0 {
		from, offset := *l, before-1
		if offset > all/2 {
			from.q.Desc, offset = !l.q.Desc, all-before
		}
		last, err := from.at(ctx, roleID, offset, p)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, all, nil
		}
		if err != nil {
			return nil, 0, err
		}
		behind = &last
	}
	rows, err := l.rows(ctx, roleID, behind, l.q.Size)
	if n := len(rows); n > 0 && err == nil {
		l.note(roleID, before+int64(n)-1, p, rows[n-1].memberKey) // before the next page
	}
	return rows, all, err
}
