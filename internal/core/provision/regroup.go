package provision

import (
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/role"
	"limen/internal/wire/scim"
)

// CreateGroup makes a role without rights, with members. Who administers one organization only makes roles there.
func (d *Directory) CreateGroup(ctx context.Context, c *call.Call, body []byte, s scim.Selection) (Resource, error) {
	o, err := Group.Read(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	org, err := d.settle(ctx, c)
	if err != nil {
		return Resource{}, err
	}
	r, err := d.Roles.Create(ctx, c, role.New{Name: texts(o["displayName"]), Org: org})
	if err != nil {
		return Resource{}, err
	}
	call.Changed(c.Event, "Name", "", r.Name)
	list, _ := o["members"].([]any)
	if err := d.join(ctx, c, r.ID, list); err != nil {
		return Resource{}, err
	}
	if _, err := detail.Know(ctx, c, "Group", r.ID, "", texts(o["externalId"])); err != nil {
		return Resource{}, err
	}
	return d.regrouped(ctx, c, r.ID, s)
}

// regrouped is a role as it is answered, with what the client wants to see: all members of a large role take long, or are too many.
func (d *Directory) regrouped(ctx context.Context, c *call.Call, id string, s scim.Selection) (Resource, error) {
	r, err := d.Roles.Get(ctx, c, id)
	if err != nil {
		return Resource{}, err
	}
	out, err := d.Groups(ctx, c, c.Grant, s, r)
	if err != nil {
		return Resource{}, err
	}
	return out[0], nil
}

// changeable finds a role again in the transaction that changes it, and checks which version it is.
func (d *Directory) changeable(ctx context.Context, c *call.Call, id, match string) (role.Role, error) {
	r, err := d.Roles.Get(ctx, c, id)
	if err != nil || !c.Grant.Allows(r.ID, r.Org) {
		return role.Role{}, errors.Join(err, role.ErrNotFound)
	}
	if match == "" {
		return r, nil
	}
	stamps, err := d.Roles.Stamps(ctx, c, r)
	if err == nil && !Matches(match, weak(stamps[r.ID])) {
		err = ErrVersion
	}
	return r, err
}

// ReplaceGroup gives a role the name and the members that a client sends, and takes out all others that the caller may see.
func (d *Directory) ReplaceGroup(ctx context.Context, c *call.Call, id, match string, body []byte, s scim.Selection) (Resource, error) {
	r, err := d.changeable(ctx, c, id, match)
	if err != nil {
		return Resource{}, err
	}
	o, err := Group.Read(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	list, _ := o["members"].([]any)
	if err := d.rename(ctx, c, r, texts(o["displayName"])); err != nil {
		return Resource{}, err
	}
	if err := d.remember(ctx, c, r.ID, texts(o["externalId"])); err != nil {
		return Resource{}, err
	}
	if err := d.setMembers(ctx, c, r, list); err != nil {
		return Resource{}, err
	}
	return d.regrouped(ctx, c, r.ID, s)
}

func (d *Directory) rename(ctx context.Context, c *call.Call, r role.Role, name string) error {
	if name == r.Name {
		return nil
	}
	return d.Roles.Rename(ctx, c, r.ID, name, r.Description)
}

func (d *Directory) remember(ctx context.Context, c *call.Call, id, external string) error {
	was, err := detail.Known(ctx, c, "Group", id)
	if err == nil {
		_, err = detail.Know(ctx, c, "Group", id, was[id], external)
	}
	return err
}

// setMembers makes the members of a role those given.
func (d *Directory) setMembers(ctx context.Context, c *call.Call, r role.Role, list []any) error {
	if r.Kind == role.Open && len(list) == 0 {
		return nil
	}
	is, err := d.members(ctx, c, c.Grant, r, maxMembers)
	if err != nil {
		return err
	}
	stays := make(map[string]bool, len(list))
	for _, v := range list {
		stays[referred(v.(scim.Object))] = true
	}
	gone := slices.DeleteFunc(is, func(v any) bool { return stays[texts(v.(scim.Object)["value"])] })
	if err := d.join(ctx, c, r.ID, list); err != nil {
		return err
	}
	return d.leave(ctx, c, r.ID, gone)
}

// principals finds whom values of members name: people or roles by their ids, of the type that is said or of either.
func (d *Directory) principals(ctx context.Context, c *call.Call, list []any, strict bool) ([]role.Member, error) {
	out := make([]role.Member, 0, len(list))
	for _, v := range list {
		o := v.(scim.Object)
		id := referred(o)
		kinds := []string{role.User, role.Sub}
		switch o["type"] {
		case "User":
			kinds = kinds[:1]
		case "Group":
			kinds = kinds[1:]
		}
		var ms []role.Member
		err := error(role.ErrMember)
		for _, kind := range kinds {
			if errors.Is(err, role.ErrMember) {
				ms, err = d.Roles.Principals(ctx, c, c.Grant, kind, id)
			}
		}
		switch {
		case errors.Is(err, role.ErrMember) && strict:
			return nil, ErrValue.Say("there is no user and no group %.60q to be a member", id)
		case err != nil && !errors.Is(err, role.ErrMember):
			return nil, err
		}
		out = append(out, ms...)
	}
	return out, nil
}

// join puts into a role who is not in it already: what is said of those who are, such as until when, stays.
func (d *Directory) join(ctx context.Context, c *call.Call, id string, list []any) error {
	ms, err := d.principals(ctx, c, list, true)
	if err != nil || len(ms) == 0 {
		return err
	}
	in, err := d.Roles.Inside(ctx, c, id, ms...)
	if err != nil {
		return err
	}
	ms = slices.DeleteFunc(ms, func(m role.Member) bool {
		was := in[m]
		in[m] = true
		return was
	})
	if len(ms) == 0 {
		return nil
	}
	return d.Roles.Add(ctx, c, id, ms...)
}

// leave takes out of a role; who is not in it is no error.
func (d *Directory) leave(ctx context.Context, c *call.Call, id string, list []any) error {
	ms, err := d.principals(ctx, c, list, false)
	if err != nil || len(ms) == 0 {
		return err
	}
	return d.Roles.Remove(ctx, c, id, ms...)
}

// PatchGroup changes a role by operations, all of them or none. Members are added and taken out without reading the others.
func (d *Directory) PatchGroup(ctx context.Context, c *call.Call, id, match string, body []byte, s scim.Selection) (Resource, error) {
	r, err := d.changeable(ctx, c, id, match)
	if err != nil {
		return Resource{}, err
	}
	ops, err := Group.Patch(body)
	if err != nil {
		return Resource{}, Fault(err)
	}
	for _, op := range ops {
		if err := d.regroup(ctx, c, &r, op); err != nil {
			return Resource{}, err
		}
	}
	return d.regrouped(ctx, c, r.ID, s)
}

func (d *Directory) regroup(ctx context.Context, c *call.Call, r *role.Role, op scim.Operation) error {
	switch op.Path.Attr.Name {
	case "displayName":
		name := texts(op.Value)
		if op.Op == scim.Remove || name == "" {
			return ErrValue.Say("displayName is required")
		}
		err := d.rename(ctx, c, *r, name)
		r.Name = name
		return err
	case "externalId":
		return d.remember(ctx, c, r.ID, texts(op.Value))
	case "members":
		return d.reseat(ctx, c, *r, op)
	}
	return ErrPath
}

func (d *Directory) reseat(ctx context.Context, c *call.Call, r role.Role, op scim.Operation) error {
	list, _ := op.Value.([]any)
	switch {
	case op.Path.Sub != nil || op.Path.Where != nil && op.Op != scim.Remove:
		return ErrMutable.Say("members are added and removed, and not changed")
	case op.Path.Where != nil:
		gone, err := d.chosen(ctx, c, r, *op.Path.Where)
		if err != nil {
			return err
		}
		return d.leave(ctx, c, r.ID, gone)
	case op.Op == scim.Add:
		return d.join(ctx, c, r.ID, list)
	case op.Op == scim.Remove && list != nil:
		return d.leave(ctx, c, r.ID, list)
	}
	return d.setMembers(ctx, c, r, list)
}

// chosen are the members that meet a filter. One who is named by the id need not be looked for among all.
func (d *Directory) chosen(ctx context.Context, c *call.Call, r role.Role, f scim.Filter) ([]any, error) {
	if f.Op == scim.Eq && f.At.Attr.Name == "value" {
		return []any{scim.Object{"value": f.Arg}}, nil
	}
	all, err := d.members(ctx, c, c.Grant, r, maxMembers)
	return slices.DeleteFunc(all, func(v any) bool { return !f.Match(v.(scim.Object)) }), err
}

// DeleteGroup removes a role with its memberships and rights.
func (d *Directory) DeleteGroup(ctx context.Context, c *call.Call, id, match string) error {
	r, err := d.changeable(ctx, c, id, match)
	if err != nil {
		return err
	}
	return d.Roles.Delete(ctx, c, r.ID)
}
