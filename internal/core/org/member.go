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

// Join moves people and roles into an organization, out of the one they were in; Leave takes others out of it. Each that
// moves has an event of its own with the old and the new organization. Faults: ErrNotFound, ErrMember, ErrElsewhere,
// role.ErrBuiltIn.
func (o *Orgs) Join(ctx context.Context, c *call.Call, id string, add, remove []Principal) error {
	if err := o.open(ctx, c, id); err != nil {
		return err
	}
	for _, p := range remove {
		if err := o.within(ctx, c, id, p); err != nil {
			return err
		}
		if err := o.moveTo(ctx, c, "", p); err != nil {
			return err
		}
	}
	for _, p := range add {
		if err := o.moveTo(ctx, c, id, p); err != nil {
			return err
		}
	}
	if e := c.Event; e != nil {
		e.Set("Added", words(add))
		e.Set("Removed", words(remove))
	}
	return nil
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
