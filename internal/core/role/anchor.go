package role

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// anchors remembers of large roles who stands where in the list of members, so that the page behind or before one that was shown
// is found from there, and not from an end. What it says holds for a mark and a number of members: of two lists of one mark, which
// differ by who has ended between, the one is part of the other; where they have as many members they are the same.
type anchors struct {
	mu   sync.Mutex
	of   map[anchorKey]*anchored
	kept int
	from int64 // members that a role has at least; anchorsOf when 0
}

type anchorKey struct {
	tenant, role string
	sort         Sort
}

// place is a state of a role's list of members.
type place struct {
	mark uint64
	all  int64
}

type anchored struct {
	place
	at []anchor // by at
}

// anchor is the member before whom at others stand, in ascending order.
type anchor struct {
	at  int64
	key memberKey
}

// Bounds of what is remembered, at about 200 bytes each, and the members from which on a role's are.
const (
	maxAnchors = 20_000
	anchorsOf  = 1_000
)

func (as *anchors) search(k anchorKey, p place, at int64) (*anchored, int, bool) {
	l := as.of[k]
	if l == nil || l.place != p {
		return nil, 0, false
	}
	n, found := slices.BinarySearchFunc(l.at, at, func(a anchor, at int64) int { return cmp.Compare(a.at, at) })
	return l, n, found
}

// nearest gives the anchor that is closest; false when there is none.
func (as *anchors) nearest(k anchorKey, p place, at int64) (best anchor, ok bool) {
	as.mu.Lock()
	defer as.mu.Unlock()
	l, n, found := as.search(k, p, at)
	if l == nil {
		return best, false
	}
	for i := max(0, n-1); i < len(l.at) && i <= n; i++ {
		if a := l.at[i]; !ok || distance(a.at, at) < distance(best.at, at) {
			best, ok = a, true
		}
		if found && l.at[i].at == at {
			break
		}
	}
	return best, ok
}

func (as *anchors) put(k anchorKey, p place, a anchor) {
	as.mu.Lock()
	defer as.mu.Unlock()
	l, n, found := as.search(k, p, a.at)
	if found {
		return
	}
	if l == nil {
		as.drop(k)
		l, n = &anchored{place: p}, 0
	}
	for other := range as.of { // any: a map's order is random
		if as.kept < maxAnchors {
			break
		}
		if as.drop(other); other == k {
			l, n = &anchored{place: p}, 0
		}
	}
	if as.of == nil {
		as.of = map[anchorKey]*anchored{}
	}
	l.at = slices.Insert(l.at, n, a)
	as.of[k] = l
	as.kept++
}

func (as *anchors) drop(k anchorKey) {
	if l := as.of[k]; l != nil {
		delete(as.of, k)
		as.kept -= len(l.at)
	}
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// anchored says whether places in the list are remembered: of all members of a large role, as no transaction that writes sees them.
func (l *lister) anchored(p place) bool {
	return l.anchors != nil && p.all >= cmp.Or(l.anchors.from, anchorsOf) && l.whole() && !l.c.Tx.Writable()
}

// upward turns an offset into that of the ascending order, and back.
func (l *lister) upward(offset int64, p place) int64 {
	if l.q.Desc {
		return p.all - 1 - offset
	}
	return offset
}

func (l *lister) anchorKey(roleID string) anchorKey {
	return anchorKey{l.c.Tenant.ID, roleID, l.q.Sort}
}

// note remembers the member that has offset others before it.
func (l *lister) note(roleID string, offset int64, p place, k memberKey) {
	if l.anchored(p) {
		l.anchors.put(l.anchorKey(roleID), p, anchor{l.upward(offset, p), k})
	}
}

// at is the member that has offset others before it: from the beginning of the list, or from a member nearby who is remembered.
func (l *lister) at(ctx context.Context, roleID string, offset int64, p place) (MemberRow, error) {
	if !l.anchored(p) {
		return l.from(ctx, roleID, nil, offset)
	}
	to, out := l.upward(offset, p), MemberRow{}
	near, ok := l.anchors.nearest(l.anchorKey(roleID), p, to)
	var err error
	switch {
	case ok && near.at == to:
		return MemberRow{memberKey: near.key}, nil
	case ok && distance(near.at, to) <= offset:
		back := *l
		back.q.Desc = near.at > to
		out, err = back.from(ctx, roleID, &MemberRow{memberKey: near.key}, distance(near.at, to)-1)
	default:
		out, err = l.from(ctx, roleID, nil, offset)
	}
	if err == nil {
		l.note(roleID, offset, p, out.memberKey)
	}
	return out, err
}

// from is the member that has offset others between itself and somebody, or before it.
func (l *lister) from(ctx context.Context, roleID string, behind *MemberRow, offset int64) (MemberRow, error) {
	switch {
	case l.everybody:
		return anybody.At(ctx, l.c.Tx, l.where(behind), l.order(), offset, l.args(roleID)...)
	case l.bare():
		k, err := keys.At(ctx, l.c.Tx, l.where(behind), l.order(), offset, l.args(roleID)...)
		return MemberRow{memberKey: k}, err
	}
	return members.At(ctx, l.c.Tx, l.where(behind), l.order(), offset, l.args(roleID)...)
}
