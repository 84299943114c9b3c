package acl

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/role"
)

// stakes are rights, each with the moment until which somebody has them, in milliseconds.
type stakes []stake

type stake struct {
	mask  Mask
	until int64
}

// lasting are the rights that are had until a moment at least.
func (s stakes) lasting(until int64) (out Mask) {
	for _, x := range s {
		if x.until >= until {
			out |= x.mask
		}
	}
	return out
}

// stakes are the caller's rights on a row, as Rights says, with how long they last by what the store says now.
func (l *Lists) stakes(ctx context.Context, c *call.Call, t role.Terms, o Object) (stakes, error) {
	out := stakes{{o.Table.Full(), t.System()}}
	by := l.governing(o)
	for _, r := range by.Govern {
		out = append(out, stake{o.Table.Full(), t.Right(r, o.Org)})
	}
	for _, r := range by.See {
		out = append(out, stake{View, t.Right(r, o.Org)})
	}
	if o.Table.Self == role.User && o.ID == c.User() {
		out = append(out, stake{View, role.Endless})
	}
	if o.Table.Self == role.Sub {
		out = append(out, stake{View, t.Roles[o.ID]})
	}
	if !o.Table.Direct {
		return out, nil
	}
	rows, err := entries.All(ctx, c.Tx, c.Tenant.ID, o.Table.Name, o.ID, principals(c))
	for _, e := range rows {
		until := role.End(e.Until)
		if e.Kind == role.Sub {
			until = min(until, t.Roles[e.Principal])
		}
		if e.open(c.Now.UnixMilli()) {
			out = append(out, stake{Mask(e.Mask) & o.Table.Full(), until})
		}
	}
	return out, err
}

// may fails with ErrNotHeld when the caller lacks Grant on a row, or one of the rights until a moment.
func (l *Lists) may(ctx context.Context, c *call.Call, t role.Terms, o Object, give []stake) error {
	has, err := l.stakes(ctx, c, t, o)
	if err != nil {
		return err
	}
	now := c.Now.UnixMilli() + 1
	for _, g := range give {
		if g.mask != 0 && !(has.lasting(now).Has(Grant) && has.lasting(max(g.until, now)).Has(g.mask)) {
			return ErrNotHeld
		}
	}
	return nil
}
