package scim

import (
	"context"
	"net/http"

	"limen/internal/core/grant"
	"limen/internal/core/provision"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

func (s SCIM) search() []op.Op {
	return []op.Op{op.New(reads(at(http.MethodPost, "/.search"), op.Any(people, groups), append(unlisted, provision.ErrSyntax, provision.ErrMembers)...), s.Search)}
}

// Search searches users and groups together, those of which the caller may list: users come first. A filter that names what only
// one of them has finds none of the other. Pages go by startIndex only. RFC 7644 section 3.4.3.
func (s SCIM) Search(ctx context.Context, c *op.Call, in Search) (wire.List, error) {
	q := in.read
	if q.ByCursor {
		return wire.List{}, provision.ErrCursor.Say("a search of all types has no cursors")
	}
	var page []wire.Object
	total, failed, answered := int64(0), error(nil), false
	for _, kind := range []struct {
		rule op.Rule
		find func(context.Context, *op.Call, grant.Grant, wire.Query) (wire.List, error)
	}{{people, s.Directory.FindUsers}, {groups, s.Directory.FindGroups}} {
		g := kind.rule.Decide(c, op.Target{})
		if g.Nothing() {
			continue
		}
		of := q
		of.Start, of.Count = int(max(int64(q.Start)-total, 1)), rest(q, len(page))
		found, err := kind.find(ctx, c, g, of)
		if fault.Of(err) != nil && fault.Of(err).Kind != fault.Invalid {
			return wire.List{}, err
		}
		if err != nil { // the other kind may have what is named
			failed = err
			continue
		}
		total, page, answered = total+found.Total, append(page, found.Resources...), true
	}
	if !answered {
		return wire.List{}, failed
	}
	return wire.NewList(q, total, "", page), nil
}

// rest is how many resources are still wanted.
func rest(q wire.Query, have int) int {
	most := provision.MaxPage
	if q.Count >= 0 {
		most = min(q.Count, most)
	}
	return max(most-have, 0)
}
