package role

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Principals finds what is to be a member, by id or by name, within the grant: people by UUID or login name, roles by id
// or name. ErrMember or ErrGroup when one is not there, or outside the grant.
func (r *Roles) Principals(ctx context.Context, c *call.Call, g grant.Grant, kind string, refs ...string) ([]Member, error) {
	out := make([]Member, 0, len(refs))
	for _, ref := range refs {
		id, err := r.principal(ctx, c, g, kind, strings.TrimSpace(ref))
		if err != nil {
			return nil, err
		}
		out = append(out, Member{Kind: kind, ID: id})
	}
	return out, nil
}

func (r *Roles) principal(ctx context.Context, c *call.Call, g grant.Grant, kind, ref string) (string, error) {
	switch {
	case ref == "" || len(ref) > 4*maxName:
		return "", ErrMember
	case kind == Sub:
		role, err := r.Get(ctx, c, ref)
		if err == nil && g.Allows(role.ID, role.Org) {
			return role.ID, nil
		}
		if err == nil || errors.Is(err, ErrNotFound) {
			err = ErrMember
		}
		return "", err
	case kind == Group:
		return "", ErrGroup.Say("No directory has the group %s.", ref)
	}
	return r.human(ctx, c, g, ref)
}

// human finds a person by UUID or login name.
func (r *Roles) human(ctx context.Context, c *call.Call, g grant.Grant, ref string) (string, error) {
	for _, by := range []dbx.Clause{dbx.Eq("id", strings.ToLower(ref)), dbx.Eq("name_key", fold.Key(ref))} {
		rows, err := someone.Rows(ctx, c.Tx, by, nil, 1, c.Tenant.ID)
		if err != nil {
			return "", err
		}
		if len(rows) == 0 {
			continue
		}
		if !g.Allows(rows[0].ID, rows[0].Org) {
			break
		}
		return rows[0].ID, nil
	}
	return "", ErrMember
}

// keeps is how long memberships and rights that have ended stay in the store.
const keeps = 24 * time.Hour

// Sweep forgets memberships and rights that ended more than a day ago. Nobody has anything from them.
func (r *Roles) Sweep(ctx context.Context, db *dbx.DB, now time.Time) error {
	before := now.Add(-keeps).UnixMilli()
	err := db.Batches(ctx, func(tx *dbx.Tx, most int) (int64, error) {
		gone, err := sweepMembers.All(ctx, tx, before, most)
		if err != nil {
			return 0, err
		}
		fewer := map[roleRow]int64{}
		for _, row := range gone {
			fewer[row]++
		}
		for at, n := range fewer {
			if err := note(ctx, tx, at.Tenant, at.Role, call.NewID(now, rand.Reader), -n); err != nil {
				return 0, err
			}
		}
		return int64(len(gone)), nil
	})
	return errors.Join(err, sweepRights.Run(ctx, db, before))
}
