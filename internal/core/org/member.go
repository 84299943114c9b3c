package org

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// Join moves people and roles into an organization, out of the one they were in, and takes others out of it. With a term people
// join for a time: they move when it begins, and return when it ends; who is taken out before returns at once. Each that moves
// has an event of its own with the old and the new organization. Faults: ErrNotFound, ErrMember, ErrElsewhere, ErrRoleStay,
// ErrHome, role.ErrBuiltIn, role.ErrNotHeld.
func (o *Orgs) Join(ctx context.Context, c *call.Call, id string, add, remove []Principal, term role.Term) error {
	if err := o.open(ctx, c, id); err != nil {
		return err
	}
	for _, p := range remove {
		if err := o.leave(ctx, c, id, p); err != nil {
			return err
		}
	}
	for _, p := range add {
		if err := o.join(ctx, c, id, p, term); err != nil {
			return err
		}
	}
	if e := c.Event; e != nil {
		e.Set("Added", words(add))
		e.Set("Removed", words(remove))
	}
	return nil
}

// join moves one member into an organization, for good when the term has no bounds.
func (o *Orgs) join(ctx context.Context, c *call.Call, id string, p Principal, term role.Term) error {
	switch timed := !term.Since.IsZero() || !term.Until.IsZero(); {
	case timed && p.Kind == role.Sub:
		return ErrRoleStay
	case timed:
		return o.stay(ctx, c, id, p.ID, term)
	case p.Kind == role.User:
		if err := o.PersonMoved(ctx, c, p.ID); err != nil {
			return err
		}
	}
	return o.moveTo(ctx, c, id, p)
}

// leave takes one member out of an organization: for none, or back to where they came from for a time.
func (o *Orgs) leave(ctx context.Context, c *call.Call, id string, p Principal) error {
	if done, err := o.returns(ctx, c, id, p); err != nil || done {
		return err
	}
	if err := o.within(ctx, c, id, p); err != nil {
		return err
	}
	return o.moveTo(ctx, c, "", p)
}

func words(ps []Principal) []string {
	out := []string{}
	for _, p := range ps {
		out = append(out, p.Kind+" "+p.ID)
	}
	return out
}

// within wants a member to belong to the organization itself.
func (o *Orgs) within(ctx context.Context, c *call.Call, id string, p Principal) error {
	if p.Kind == role.Sub {
		r, err := o.Roles.Get(ctx, c, p.ID)
		if err == nil && r.Org != id {
			err = ErrElsewhere
		}
		return missing(err)
	}
	u, err := o.People.ByID(ctx, c, p.ID)
	if err == nil && u.Org != id {
		err = ErrElsewhere
	}
	return missing(err)
}

func missing(err error) error {
	if errors.Is(err, user.ErrNotFound) || errors.Is(err, role.ErrNotFound) {
		return ErrMember
	}
	return err
}

// moveTo moves one member, with an event of its own.
func (o *Orgs) moveTo(ctx context.Context, c *call.Call, id string, p Principal) error {
	event := c.Event
	defer func() { c.Event = event }()
	switch p.Kind {
	case role.User:
		c.Event = c.Record(audit.UserChange)
		_, err := o.People.Change(ctx, c, p.ID, user.Change{Org: &id})
		return missing(err)
	case role.Sub:
		c.Event = c.Record(audit.RoleChange)
		return missing(o.Roles.SetOrg(ctx, c, p.ID, id))
	}
	return fault.Bad("Type", "must be User or Role")
}

// empty takes every member out of an organization.
func (o *Orgs) empty(ctx context.Context, c *call.Call, id string, roles []string) error {
	if err := o.close(ctx, c, id); err != nil {
		return err
	}
	n, err := o.People.LeaveOrg(ctx, c, id)
	if err != nil {
		return err
	}
	for _, r := range roles {
		if err := o.moveTo(ctx, c, "", Principal{role.Sub, r}); err != nil {
			return err
		}
	}
	if c.Event != nil {
		c.Event.Set("Members", n)
		c.Event.Set("Roles", roles)
	}
	return nil
}
