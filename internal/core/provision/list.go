package provision

import (
	"context"
	"slices"
	"strconv"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/wire/scim"
)

// MaxPage is how many resources a page has at most, and when the client says nothing (scim.yaml, head).
const MaxPage = 1000

// columns are what users are sorted by, by Path.String: columns of which the last is unique.
var columns = map[string][]string{
	"userName": {"name_key"}, "displayName": {"display_key", "id"}, "id": {"id"}, "meta.location": {"id"}, "meta.created": {"created", "id"},
	"meta.lastModified": {"changed", "id"}, "active": {user.Off, "name_key"}, "emails": {"mail_key", "name_key"}, "emails.value": {"mail_key", "name_key"},
}

// numbers are the columns that are no text.
var numbers = []string{"created", "changed", user.Off}

// FindUsers gives the page of users that a query asks for, as far as the grant allows.
func (d *Directory) FindUsers(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query) (scim.List, error) {
	t, err := d.User(ctx, c)
	if err != nil {
		return scim.List{}, err
	}
	where, err := d.condition(ctx, c, t, q.Filter)
	if err != nil {
		return scim.List{}, err
	}
	total, err := d.total(ctx, c, g, q, where)
	if err != nil {
		return scim.List{}, err
	}
	l := lister{d: d, c: c, g: g, where: where, q: q, total: total}
	us, next, err := l.page(ctx, t)
	if err != nil {
		return scim.List{}, err
	}
	s := t.Select(q.Attributes, q.Excluded)
	rs, err := d.Users(ctx, c, t, s, us...)
	return answered(t, s, q, total, next, rs), err
}

// total is how many users a query has. That of all is remembered while they are the same.
func (d *Directory) total(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query, where dbx.Clause) (int64, error) {
	if q.Filter == "" {
		return d.People.Count(ctx, c, g, user.Query{})
	}
	return d.People.Picked(ctx, c, g, where)
}

// answered is the list that a client gets.
func answered(t *scim.Type, s scim.Selection, q scim.Query, total int64, next string, rs []Resource) scim.List {
	page := make([]scim.Object, len(rs))
	for i, r := range rs {
		page[i] = t.Show(r.Object, s)
	}
	return scim.NewList(q, total, next, page)
}

// condition is that of a filter over users; of none, none.
func (d *Directory) condition(ctx context.Context, c *call.Call, t *scim.Type, filter string) (dbx.Clause, error) {
	if filter == "" {
		return dbx.Clause{}, nil
	}
	f, err := t.Filter(filter)
	if err != nil {
		return dbx.Clause{}, Fault(err)
	}
	cols, err := d.Attributes.Schema(ctx, c)
	if err != nil {
		return dbx.Clause{}, err
	}
	all := ownFields(cols)
	for name, of := range userFields {
		all[name] = of
	}
	return all.clause(c, f)
}

// lister reads a page of users.
type lister struct {
	d     *Directory
	c     *call.Call
	g     grant.Grant
	where dbx.Clause
	q     scim.Query
	total int64
}

// size is how many resources a page has.
func size(q scim.Query) int {
	if q.Count < 0 {
		return MaxPage
	}
	return min(q.Count, MaxPage)
}

// page gives the users, and the cursor of the next page if it may have any.
func (l *lister) page(ctx context.Context, t *scim.Type) ([]user.User, string, error) {
	if l.q.SortBy == "" {
		return l.byColumns(ctx, columns["userName"], false)
	}
	p, ok := t.Find(l.q.SortBy)
	if ok && p.Attr != nil {
		if cols := columns[p.String()]; cols != nil {
			return l.byColumns(ctx, cols, l.q.Desc != (p.String() == "active")) // who is active is not off
		}
		for _, s := range singles {
			if p.String() == s.path() {
				return l.byDetail(ctx, s.kind)
			}
		}
	}
	return nil, "", ErrValue.Say("resources cannot be sorted by %.100q", l.q.SortBy)
}

func (l *lister) byColumns(ctx context.Context, cols []string, desc bool) ([]user.User, string, error) {
	behind, err := l.q.Behind(len(cols))
	if err != nil {
		return nil, "", Fault(err)
	}
	p := user.Pick{Where: l.where, Limit: size(l.q), Total: l.total}
	for _, col := range cols {
		p.Order = append(p.Order, dbx.Order{Column: col, Desc: desc})
	}
	if l.q.ByCursor {
		if behind != nil {
			if p.After, err = parsed(cols, behind); err != nil {
				return nil, "", err
			}
		}
	} else {
		p.Offset = int64(l.q.Start - 1)
	}
	if l.total == 0 { // which was counted by the filter's index; a page would be looked for among all
		return nil, "", nil
	}
	us, err := l.d.People.Pick(ctx, l.c, l.g, p)
	if err != nil || !l.q.ByCursor || len(us) < p.Limit || len(us) == 0 {
		return us, "", err
	}
	return us, l.q.NextCursor(written(us[len(us)-1].Column(p.Order))), nil
}

// written and parsed are the values of columns in a cursor.
func written(values []any) (out []string) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case int64:
			out = append(out, strconv.FormatInt(v, 10))
		}
	}
	return out
}

func parsed(cols, texts []string) (out []any, err error) {
	for i, s := range texts {
		if !slices.Contains(numbers, cols[i]) {
			out = append(out, s)
			continue
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, ErrCursor
		}
		out = append(out, n)
	}
	return out, nil
}

// byDetail goes through those who have a detail, in its order, and through those who have none, who come last, or first where
// the order is descending (RFC 7644 section 3.4.2.3).
func (l *lister) byDetail(ctx context.Context, kind detail.Kind) ([]user.User, string, error) {
	behind, err := l.q.Behind(1, 2)
	if err != nil {
		return nil, "", Fault(err)
	}
	halves := []func(context.Context, detail.Kind, []string, int64, int) ([]user.User, string, error){l.having, l.lacking}
	first := 0 // of the halves
	if l.q.Desc {
		slices.Reverse(halves)
	}
	if behind != nil && (len(behind) == 1) != l.q.Desc {
		first = 1
	}
	offset := int64(0)
	if !l.q.ByCursor {
		offset = int64(l.q.Start - 1)
		n, err := l.half(ctx, kind, l.q.Desc)
		if err != nil {
			return nil, "", err
		}
		if offset >= n {
			offset, first = offset-n, 1
		}
	}
	want := size(l.q)
	us, next, err := halves[first](ctx, kind, behind, offset, want)
	if err != nil || first == 1 || len(us) >= want {
		return us, next, err
	}
	more, next, err := halves[1](ctx, kind, nil, 0, want-len(us))
	return append(us, more...), next, err
}

func (l *lister) sort(kind detail.Kind) detail.Sort {
	s := detail.Sort{Kind: kind, Desc: l.q.Desc}
	if l.q.Filter != "" || !l.g.Everything() {
		s.Among = user.Among(l.c, l.g, "user_id", l.where)
	}
	return s
}

// half counts those who come first.
func (l *lister) half(ctx context.Context, kind detail.Kind, lacking bool) (int64, error) {
	if lacking {
		return l.d.People.Picked(ctx, l.c, l.g, l.without(kind))
	}
	return l.sort(kind).Count(ctx, l.c)
}

func (l *lister) without(kind detail.Kind) dbx.Clause {
	return dbx.And(l.where, dbx.Not(detail.Having(l.c, "id", kind, dbx.Ne(detail.Key, ""))))
}

func (l *lister) having(ctx context.Context, kind detail.Kind, behind []string, offset int64, limit int) ([]user.User, string, error) {
	var at *detail.Place
	if len(behind) == 2 {
		at = &detail.Place{Key: behind[0], User: behind[1]}
	}
	if limit < 1 {
		return nil, "", nil
	}
	places, err := l.sort(kind).Page(ctx, l.c, at, offset, limit)
	if err != nil || len(places) == 0 {
		return nil, "", err
	}
	by := map[string]user.User{}
	for part := range slices.Chunk(places, 500) {
		ids := make([]string, len(part))
		for i, p := range part {
			ids[i] = p.User
		}
		us, err := user.ByIDs(ctx, l.c, ids...)
		if err != nil {
			return nil, "", err
		}
		for _, u := range us {
			by[u.ID] = u
		}
	}
	out := make([]user.User, 0, len(places))
	for _, p := range places {
		if u, ok := by[p.User]; ok {
			out = append(out, u)
		}
	}
	last := places[len(places)-1]
	return out, l.cursor(len(places) == limit, last.Key, last.User), nil
}

func (l *lister) lacking(ctx context.Context, kind detail.Kind, behind []string, offset int64, limit int) ([]user.User, string, error) {
	p := user.Pick{Where: l.without(kind), Order: []dbx.Order{{Column: "id", Desc: l.q.Desc}}, Offset: offset, Limit: limit}
	if len(behind) == 1 {
		p.After = []any{behind[0]}
	}
	us, err := l.d.People.Pick(ctx, l.c, l.g, p)
	if err != nil || len(us) == 0 {
		return us, "", err
	}
	return us, l.cursor(len(us) == limit, us[len(us)-1].ID), nil
}

func (l *lister) cursor(full bool, key ...string) string {
	if !l.q.ByCursor || !full {
		return ""
	}
	return l.q.NextCursor(key)
}
