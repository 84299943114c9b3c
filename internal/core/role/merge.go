package role

import (
	"context"
	"errors"
	"maps"
	"slices"

	"limen/internal/dbx"
)

const (
	chunk = 500    // roles or members that are asked for at once
	many  = 10_000 // keys that are read at once, of all there are
)

// picked is a member of a page, and the role that brings them.
type picked struct {
	key  memberKey
	role string
}

// merge gives a page of the members of several roles, each member once: of those who are members directly and by nesting,
// the direct membership is shown. What is before the page is stepped over in the largest of the roles; what the others add
// to it is put between.
func (r *Roles) merge(ctx context.Context, l *lister, roleID string, inside map[string]int64, before int64) ([]MemberRow, int64, error) {
	u, err := r.union(ctx, l, inside)
	if err != nil {
		return nil, 0, err
	}
	all := u.most + int64(len(u.extra))
	if before >= all {
		return nil, all, nil
	}
	from, size, skip := *l, min(int64(l.q.Size), all-before), before
	if turned := before > all/2; turned { // the nearer end
		from.q.Desc, skip = !l.q.Desc, all-before-size
	}
	page, err := from.between(ctx, u, skip, size)
	if err != nil {
		return nil, 0, err
	}
	if from.q.Desc != l.q.Desc {
		slices.Reverse(page)
	}
	rows, err := l.details(ctx, roleID, inside, page)
	return rows, all, err
}

// between gives the keys of a page: skip members in order are before it.
func (l *lister) between(ctx context.Context, u union, skip, size int64) ([]memberKey, error) {
	extra := slices.SortedFunc(slices.Values(u.extra), l.compare)
	st := stream{role: u.largest}
	// At most all of the extra ones are among the skipped, so that at least the others are of the largest role.
	at := max(0, skip-int64(len(extra)))
	if at > 0 {
		last, err := l.at(ctx, u.largest, at-1, place{u.mark, u.most})
		if err != nil && !errors.Is(err, dbx.ErrNoRow) {
			return nil, err
		}
		st.last = &last
		passed, _ := slices.BinarySearchFunc(extra, last.memberKey, l.compare)
		at += int64(passed)
		extra = extra[passed:]
	}
	page := make([]memberKey, 0, size)
	for ; at < skip+size; at++ {
		if err := st.fill(ctx, l, skip+size-at); err != nil {
			return nil, err
		}
		var next memberKey
		switch {
		case len(st.keys) == 0 && len(extra) == 0:
			return page, nil
		case len(extra) == 0 || len(st.keys) > 0 && l.compare(st.keys[0], extra[0]) < 0:
			next, st.keys = st.keys[0], st.keys[1:]
		default:
			next, extra = extra[0], extra[1:]
		}
		if at >= skip {
			page = append(page, next)
		}
	}
	return page, nil
}

// stream is the members of one role, read as they are needed.
type stream struct {
	role string
	keys []memberKey
	last *MemberRow // behind whom the next keys are
	done bool
}

// fill makes sure that keys has the next one, if there is any; about so many more are needed.
func (st *stream) fill(ctx context.Context, l *lister, more int64) error {
	if len(st.keys) > 0 || st.done {
		return nil
	}
	most := int(min(more, many))
	var err error
	if l.bare() {
		st.keys, err = keys.Rows(ctx, l.c.Tx, l.where(st.last), l.order(), most, l.args(st.role)...)
	} else {
		var rows []MemberRow
		rows, err = l.rows(ctx, st.role, st.last, most)
		for _, r := range rows {
			st.keys = append(st.keys, r.memberKey)
		}
	}
	if st.done = len(st.keys) < most; len(st.keys) > 0 {
		st.last = &MemberRow{memberKey: st.keys[len(st.keys)-1]}
	}
	return err
}

// broughtRow is a member, and the role that brings them.
type broughtRow struct {
	Role string `db:"role"`
	MemberRow
}

// found reads memberships of several roles, by role and kind, for as many members at once as there is room for: each question to the store
// costs as much as twenty members do. It may find more than is asked for.
func (l *lister) found(ctx context.Context, of map[picked][]string) (map[picked]MemberRow, error) {
	out := map[picked]MemberRow{}
	roles, ids := map[string]map[string]bool{}, map[string][]string{} // by kind
	for at, some := range of {
		kind := at.key.Kind
		if roles[kind] == nil {
			roles[kind] = map[string]bool{}
		}
		roles[kind][at.role], ids[kind] = true, append(ids[kind], some...)
	}
	for kind, some := range ids {
		for part := range slices.Chunk(slices.Sorted(maps.Keys(roles[kind])), chunk) {
			for these := range slices.Chunk(some, chunk) {
				where := dbx.And(dbx.In("role", part...), dbx.Eq("kind", kind), dbx.In("member", these...), l.where(nil))
				rows, err := brought.Rows(ctx, l.c.Tx, where, nil, len(part)*len(these), l.c.Tenant.ID)
				if err != nil {
					return nil, err
				}
				for _, row := range rows {
					out[picked{row.memberKey, row.Role}] = row.MemberRow
				}
			}
		}
	}
	return out, nil
}

// details reads the rows of a page, in its order.
func (l *lister) details(ctx context.Context, roleID string, inside map[string]int64, page []memberKey) ([]MemberRow, error) {
	brings, err := l.brings(ctx, roleID, inside, page)
	if err != nil {
		return nil, err
	}
	of := map[picked][]string{} // by role and kind, which with the ids are a key
	for _, k := range page {
		at := picked{memberKey{Kind: k.Kind}, brings[k.id()]}
		of[at] = append(of[at], k.ID)
	}
	found, err := l.found(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]MemberRow, 0, len(page))
	for _, k := range page {
		by := brings[k.id()]
		row, ok := found[picked{k, by}]
		if !ok {
			continue
		}
		if by != roleID {
			row.Through = by
			if ends := min(end(row.Until), inside[by]); ends != endless {
				row.Until = ends
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// id is the key without the name.
func (k memberKey) id() memberKey { return memberKey{Kind: k.Kind, ID: k.ID} }

// brings tells through which role each member of a page is one: the role itself, or else the first by id.
func (l *lister) brings(ctx context.Context, roleID string, inside map[string]int64, page []memberKey) (map[memberKey]string, error) {
	ids := map[string][]string{}
	for _, k := range page {
		ids[k.Kind] = append(ids[k.Kind], k.ID)
	}
	out := make(map[memberKey]string, len(page))
	live := dbx.Or(dbx.Eq("until", 0), dbx.Gt("until", l.c.Now.UnixMilli()))
	for kind, all := range ids {
		for part := range slices.Chunk(all, chunk) {
			of := stands(dbx.And(dbx.Eq("kind", kind), dbx.In("member", part...), live), "member", "role")
			err := of.each(ctx, l.c, func(row standing) {
				was, known := out[row.id()]
				_, in := inside[row.Role]
				if in && (!known || row.Role == roleID || was != roleID && row.Role < was) {
					out[row.id()] = row.Role
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
