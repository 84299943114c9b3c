package provision

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// ErrMembers is for lists that would take too long.
var ErrMembers = fault.New(fault.Invalid, Prefix+scim.TooMany, "The groups have too many members for one answer. Ask with excludedAttributes=members.")

// maxMembers is how many members are answered at once.
const maxMembers = 100_000

// Groups makes resources of roles.
func (d *Directory) Groups(ctx context.Context, c *call.Call, g grant.Grant, s scim.Selection, rs ...role.Role) ([]Resource, error) {
	ids := make([]string, len(rs))
	for i := range rs {
		ids[i] = rs[i].ID
	}
	external, err := detail.Known(ctx, c, "Group", ids...)
	if err != nil {
		return nil, err
	}
	stamps, err := d.Roles.Stamps(ctx, c, rs...)
	if err != nil {
		return nil, err
	}
	out, left := make([]Resource, len(rs)), maxMembers
	for i, r := range rs {
		o := scim.Object{"displayName": r.Name}
		put(o, "externalId", external[r.ID])
		if s.Wants(nil, "members") {
			ms, err := d.members(ctx, c, g, r, left)
			if err != nil {
				return nil, err
			}
			if left -= len(ms); len(ms) > 0 {
				o["members"] = ms
			}
		}
		out[i] = finished(c, o, Group, r.ID, stamps[r.ID], r.Created, r.Changed)
	}
	return out, nil
}

// members are a role's direct ones, as far as the grant allows. Those of Everybody are not listed: it is said of users who is.
func (d *Directory) members(ctx context.Context, c *call.Call, g grant.Grant, r role.Role, most int) (out []any, err error) {
	if r.Kind == role.Open {
		return nil, nil
	}
	const size = 5000
	for after := (role.After{}); ; {
		rows, err := d.Roles.Members(ctx, c, g, r.ID, after, size)
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			if o := member(c, m); o != nil {
				out = append(out, o)
			}
		}
		if len(out) > most {
			return nil, ErrMembers
		}
		if len(rows) < size {
			return out, nil
		}
		last := rows[len(rows)-1]
		after = role.After{Kind: last.Kind, ID: last.ID}
	}
}

func member(c *call.Call, m role.MemberRow) scim.Object {
	switch m.Kind {
	case role.User:
		return scim.Object{"value": m.ID, "display": m.Name, "type": "User", "$ref": Base(c) + "/Users/" + m.ID}
	case role.Sub:
		return scim.Object{"value": m.ID, "display": m.Name, "type": "Group", "$ref": Base(c) + "/Groups/" + m.ID}
	}
	return nil
}

// groupFields are what filters over groups may name.
var groupFields = fields{
	"id": exact("id"), "externalId": known("Group"), "displayName": key("name_key"), "meta.created": moment("created"), "meta.lastModified": moment("changed"),
	"members": func(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
		where, err := each(f, func(f scim.Filter) (dbx.Clause, bool) {
			id, ok := f.Arg.(string)
			return role.With(c, "id", id), ok && f.Op == scim.Eq && f.At.Attr.Name == "value"
		})
		return where, err == nil
	},
}

// groupColumns are what groups are sorted by.
var groupColumns = map[string][]string{
	"displayName": {"name_key"}, "id": {"id"}, "meta.location": {"id"}, "meta.created": {"created", "id"}, "meta.lastModified": {"changed", "id"},
}

// FindGroups gives the page of groups that a query asks for, as far as the grant allows.
func (d *Directory) FindGroups(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query) (scim.List, error) {
	p := role.Pick{Limit: size(q), Offset: int64(q.Start - 1)}
	if q.Filter != "" {
		f, err := Group.Filter(q.Filter)
		if err != nil {
			return scim.List{}, Fault(err)
		}
		if p.Where, err = groupFields.clause(c, f); err != nil {
			return scim.List{}, err
		}
	}
	cols, err := groupOrder(q)
	if err != nil {
		return scim.List{}, err
	}
	for _, col := range cols {
		p.Order = append(p.Order, dbx.Order{Column: col, Desc: q.Desc})
	}
	if q.ByCursor {
		p.Offset = 0
		behind, err := q.Behind(len(cols))
		if err != nil {
			return scim.List{}, Fault(err)
		}
		if behind != nil {
			if p.After, err = parsed(cols, behind); err != nil {
				return scim.List{}, err
			}
		}
	}
	total, err := d.Roles.Picked(ctx, c, g, p.Where)
	if err != nil {
		return scim.List{}, err
	}
	rs, err := d.Roles.Pick(ctx, c, g, p)
	if err != nil {
		return scim.List{}, err
	}
	next := ""
	if q.ByCursor && len(rs) == p.Limit && len(rs) > 0 {
		next = q.NextCursor(written(rs[len(rs)-1].Column(p.Order)))
	}
	s := Group.Select(q.Attributes, q.Excluded)
	out, err := d.Groups(ctx, c, g, s, rs...)
	return answered(Group, s, q, total, next, out), err
}

func groupOrder(q scim.Query) ([]string, error) {
	if q.SortBy == "" {
		return groupColumns["displayName"], nil
	}
	p, ok := Group.Find(q.SortBy)
	if !ok || groupColumns[p.String()] == nil {
		return nil, ErrValue.Say("resources cannot be sorted by %.100q", q.SortBy)
	}
	return groupColumns[p.String()], nil
}
