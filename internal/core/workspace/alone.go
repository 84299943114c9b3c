package workspace

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
)

// Alone says whether the caller is the only one who administers the people of some organization by a right over it. Who administers the
// whole tenant does not count.
func (w *Workspaces) Alone(ctx context.Context, c *call.Call) (bool, error) {
	if c.Caller.Held.Everywhere(right.UserManagement) {
		return false, nil
	}
	for id, held := range c.Caller.Held.Orgs {
		if !held.Has(right.UserManagement) {
			continue
		}
		others, err := w.others(ctx, c, id)
		if err != nil || !others {
			return err == nil, err
		}
	}
	return false, nil
}

// others says whether anybody else holds the right over an organization. Roles in roles count as somebody.
func (w *Workspaces) others(ctx context.Context, c *call.Call, workspace string) (bool, error) {
	bearers, err := w.Roles.Bearers(ctx, c, workspace, right.Of(right.UserManagement))
	if err != nil {
		return false, err
	}
	for _, b := range bearers {
		if b.Kind == role.User {
			if b.ID != c.User() {
				return true, nil
			}
			continue
		}
		members, err := w.Roles.Members(ctx, c, grant.All(), b.ID, role.After{}, 2)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(members, func(m role.MemberRow) bool { return m.Kind != role.User || m.ID != c.User() }) {
			return true, nil
		}
	}
	return false, nil
}
