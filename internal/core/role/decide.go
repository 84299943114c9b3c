package role

import (
	"context"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Decide makes a person a member of a dynamic role, or no member, as its script says; changed tells whether that is news.
// ErrLast keeps the last active system administrator. Whether the caller may is the matter of who set the script.
func (r *Roles) Decide(ctx context.Context, c *call.Call, roleID, userID string, in bool) (changed bool, err error) {
	is, err := r.Direct(ctx, c, roleID, userID)
	if err != nil || is == in {
		return false, err
	}
	if in {
		err = r.enters(ctx, c, roleID, Member{Kind: User, ID: userID})
	} else {
		err = r.kept(ctx, c, roleID, func() error {
			return r.leaves(ctx, c, roleID, Member{Kind: User, ID: userID})
		})
	}
	if err != nil {
		return false, err
	}
	return true, r.Changes.Put(ctx, c, "user", c.Tenant.ID+"/"+userID)
}

// Static lists the roles that a person is in at c.Now without any script having said so, and until when; that is what scripts
// may ask for. ErrMember when there is no such person.
func (r *Roles) Static(ctx context.Context, c *call.Call, userID string) (ids []string, until time.Time, err error) {
	rows, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(rows) == 0 {
		return nil, time.Time{}, ErrMember
	}
	s, err := r.snapshot(ctx, c, rows[0].Version)
	if err != nil {
		return nil, time.Time{}, err
	}
	w := walk{s: s, now: c.Now.UnixMilli(), in: map[string]bool{}}
	if rows[0].Everybody {
		w.enter(Everybody)
	}
	for _, m := range rows {
		if m.Role != nil && s.roles[*m.Role].Kind != Dynamic && w.during(*m.Since, *m.Until) {
			w.enter(*m.Role)
		}
	}
	for id := range w.in {
		ids = append(ids, id)
	}
	if w.next != 0 {
		until = time.UnixMilli(w.next)
	}
	return ids, until, nil
}

// maxTold is how many administrators are told of something.
const maxTold = 20

// Administrators are the active system administrators, of whom the first twenty are told what the server cannot do.
func (r *Roles) Administrators(ctx context.Context, c *call.Call) ([]string, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	now := c.Now.UnixMilli()
	in := dbx.In("role", slices.Sorted(maps.Keys(s.into(System, now, false)))...)
	rows, err := active.Rows(ctx, c.Tx, in, nil, maxTold, c.Tenant.ID, now)
	out := make([]string, 0, len(rows))
	for _, row := range rows {
		if !slices.Contains(out, row.Member) {
			out = append(out, row.Member)
		}
	}
	return out, err
}
