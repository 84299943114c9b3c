package scim

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/detail"
	"limen/internal/core/provision"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// What making and changing groups can give.
var (
	grouping = []*fault.Error{
		role.ErrNameTaken, role.ErrTooMany, role.ErrSystem, role.ErrCycle, role.ErrNotHeld, role.ErrChosen, fault.ErrBlank, fault.ErrInvalid, provision.ErrNoOrg,
		provision.ErrMembers, detail.ErrLong,
	}
	regrouping = []*fault.Error{role.ErrNotFound, role.ErrEverybody, role.ErrDynamic, role.ErrBuiltIn, role.ErrLast}
)

func (s SCIM) groups() []op.Op {
	return []op.Op{
		op.New(reads(at(http.MethodGet, "/Groups"), groups, append(unlisted, provision.ErrMembers)...), s.ListGroups),
		op.New(reads(at(http.MethodPost, "/Groups/.search"), groups, append(unlisted, provision.ErrSyntax, provision.ErrMembers)...), s.SearchGroups),
		op.New(writes(at(http.MethodPost, "/Groups"), groups, audit.RoleCreate, unread, grouping), s.CreateGroup),
		op.New(reads(at(http.MethodGet, "/Groups/{id}"), groups, role.ErrNotFound, provision.ErrMembers), s.GetGroup),
		op.New(writes(at(http.MethodPut, "/Groups/{id}"), groups, audit.RoleChange, unread, grouping, regrouping, unfit), s.ReplaceGroup),
		op.New(writes(at(http.MethodPatch, "/Groups/{id}"), groups, audit.RoleChange, unread, grouping, regrouping, unfit), s.PatchGroup),
		op.New(writes(at(http.MethodDelete, "/Groups/{id}"), groups, audit.RoleDelete, grouping, regrouping, unfit), s.DeleteGroup),
	}
}

// ListGroups lists the roles that a filter finds with their direct members, as many as the caller manages.
//
// What can be filtered: id, externalId, displayName, members.value by eq, meta.created, meta.lastModified. scim.yaml, GET /scim/Groups.
func (s SCIM) ListGroups(ctx context.Context, c *op.Call, in Query) (wire.List, error) {
	return s.Directory.FindGroups(ctx, c, c.Grant, in.read)
}

// SearchGroups is ListGroups with the query in the body. scim.yaml, POST /scim/Groups/.search.
func (s SCIM) SearchGroups(ctx context.Context, c *op.Call, in Search) (wire.List, error) {
	return s.Directory.FindGroups(ctx, c, c.Grant, in.read)
}

// CreateGroup makes a role without rights, with members, and answers 201 with it. scim.yaml, POST /scim/Groups.
func (s SCIM) CreateGroup(ctx context.Context, c *op.Call, in NewGroup) (Answer, error) {
	r, err := s.Directory.CreateGroup(ctx, c, in.body, in.group())
	return in.of(provision.Group, r, true), err
}

// GetGroup answers a role with its direct members. Those of Everybody are not listed. scim.yaml, GET /scim/Groups/{id}.
func (s SCIM) GetGroup(ctx context.Context, c *op.Call, in GroupRef) (Answer, error) {
	rs, err := s.Directory.Groups(ctx, c, c.Grant, in.group(), in.found)
	if err != nil {
		return Answer{}, err
	}
	return in.of(provision.Group, rs[0], false), nil
}

// ReplaceGroup gives a role the name and exactly the members that are sent. scim.yaml, PUT /scim/Groups/{id}.
func (s SCIM) ReplaceGroup(ctx context.Context, c *op.Call, in GroupBody) (Answer, error) {
	r, err := s.Directory.ReplaceGroup(ctx, c, in.found.ID, in.Match, in.body, in.group())
	return in.of(provision.Group, r, false), err
}

// PatchGroup renames a role, adds members and takes members out, all of it or nothing. To add who is in it, and to take out who is not, is
// no error. scim.yaml, PATCH /scim/Groups/{id}.
func (s SCIM) PatchGroup(ctx context.Context, c *op.Call, in GroupBody) (Answer, error) {
	r, err := s.Directory.PatchGroup(ctx, c, in.found.ID, in.Match, in.body, in.group())
	return in.of(provision.Group, r, false), err
}

// DeleteGroup removes a role with its memberships and rights; built-in roles stay. scim.yaml, DELETE /scim/Groups/{id}.
func (s SCIM) DeleteGroup(ctx context.Context, c *op.Call, in GroupRef) (op.None, error) {
	return op.None{}, s.Directory.DeleteGroup(ctx, c, in.found.ID, in.Match)
}
