package role

import (
	"context"
	"maps"
	"slices"

	"limen/internal/dbx"
)

// chunk is how many keys of a role are read at once, and how many members' rows.
const chunk = 500

// stream is the members of one role, read as they are needed.
type stream struct {
	role string
	keys []memberKey
	last *MemberRow // behind whom the next keys are
	done bool
}

// next makes sure that the first of keys is the next one; false at the end.
func (st *stream) next(ctx context.Context, l *lister) (bool, error) {
	if len(st.keys) > 0 || st.done {
		return len(st.keys) > 0, nil
	}
	var err error
	if l.bare() {
		st.keys, err = keys.Rows(ctx, l.c.Tx, l.where(st.last), l.order(), chunk, l.args(st.role)...)
	} else {
		var rows []MemberRow
		rows, err = l.rows(ctx, st.role, st.last, chunk)
		for _, r := range rows {
			st.keys = append(st.keys, r.memberKey)
		}
	}
	if err != nil {
		return false, err
	}
	if st.done = len(st.keys) < chunk; len(st.keys) > 0 {
		st.last = &MemberRow{memberKey: st.keys[len(st.keys)-1]}
	}
	return len(st.keys) > 0, nil
}

// picked is a member of a page, and the role that brings them.
type picked struct {
	key  memberKey
	role string
}

// merge gives a page of the members of several roles, each member once: of those who are members directly and by nesting,
// the direct membership is shown.
func (l *lister) merge(ctx context.Context, roleID string, inside map[string]int64, before int64) ([]MemberRow, int64, error) {
	var streams []*stream
	for _, id := range slices.Sorted(maps.Keys(inside)) {
		streams = append(streams, &stream{role: id})
	}
	slices.SortStableFunc(streams, func(a, b *stream) int { // the role itself first
		switch {
		case a.role == roleID:
			return -1
		case b.role == roleID:
			return 1
		}
		return 0
	})
	var page []picked
	var all int64
	for {
		p, more, err := l.least(ctx, streams)
		if err != nil {
			return nil, 0, err
		}
		if !more {
			break
		}
		if all >= before && len(page) < l.q.Size {
			page = append(page, p)
		}
		all++
	}
	rows, err := l.details(ctx, roleID, inside, page)
	return rows, all, err
}

// least takes the least key off every stream that has it.
func (l *lister) least(ctx context.Context, streams []*stream) (out picked, more bool, err error) {
	for _, st := range streams {
		has, err := st.next(ctx, l)
		if err != nil {
			return out, false, err
		}
		if has && (!more || l.compare(st.keys[0], out.key) < 0) {
			out, more = picked{st.keys[0], st.role}, true
		}
	}
	for _, st := range streams {
		if len(st.keys) > 0 && st.keys[0] == out.key {
			st.keys = st.keys[1:]
		}
	}
	return out, more, nil
}

// details reads the rows of a page, in its order.
func (l *lister) details(ctx context.Context, roleID string, inside map[string]int64, page []picked) ([]MemberRow, error) {
	of := map[string][]string{}
	for _, p := range page {
		of[p.role] = append(of[p.role], p.key.ID)
	}
	found := map[picked]MemberRow{}
	for id, ids := range of {
		for part := range slices.Chunk(ids, chunk) {
			rows, err := members.Rows(ctx, l.c.Tx, dbx.And(l.where(nil), dbx.In("member", part...)), l.order(), 3*len(part), l.args(id)...)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				found[picked{row.memberKey, id}] = row
			}
		}
	}
	out := make([]MemberRow, 0, len(page))
	for _, p := range page {
		row := found[p]
		if p.role != roleID {
			row.Through = p.role
			if ends := min(end(row.Until), inside[p.role]); ends != endless {
				row.Until = ends
			}
		}
		out = append(out, row)
	}
	return out, nil
}
