package scim

import (
	"context"
	"net/http"

	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/detail"
	"limen/internal/core/lockout"
	"limen/internal/core/password"
	"limen/internal/core/provision"
	"limen/internal/core/regain"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// What making and changing users can give.
var (
	making = []*fault.Error{
		user.ErrNameTaken, user.ErrSuffix, provision.ErrNoOrg, role.ErrNotHeld, fault.ErrBlank, fault.ErrInvalid, fault.ErrMissing, password.ErrPolicy,
		password.ErrWeak, password.ErrCommon, detail.ErrLong, detail.ErrMany, detail.ErrText, attribute.ErrColumn, attribute.ErrValue, attribute.ErrSize,
	}
	changing = []*fault.Error{
		user.ErrNotFound, user.ErrStale, user.ErrStronger, regain.ErrTwo, provision.ErrSystem, provision.ErrSelf, role.ErrLast, lockout.ErrLastWay, password.ErrUsed, password.ErrChanged,
	}
)

const invariant = "nobody is their own manager, directly or through others"

func (s SCIM) users() []op.Op {
	serial := func(sp op.Spec) op.Spec {
		sp.Effects, sp.Invar = []op.Effect{op.Serial}, invariant
		return sp
	}
	return []op.Op{
		op.New(reads(at(http.MethodGet, "/Users"), people, unlisted...), s.ListUsers),
		op.New(reads(at(http.MethodPost, "/Users/.search"), people, append(unlisted, provision.ErrSyntax)...), s.SearchUsers),
		op.Prepared(serial(writes(at(http.MethodPost, "/Users"), people, audit.UserCreate, unread, making)), s.prepareUser, s.CreateUser),
		op.New(reads(at(http.MethodGet, "/Users/{id}"), people, user.ErrNotFound), s.GetUser),
		op.Prepared(serial(writes(at(http.MethodPut, "/Users/{id}"), people, audit.UserChange, unread, making, changing, unfit)), s.prepareReplacement, s.ReplaceUser),
		op.Prepared(serial(writes(at(http.MethodPatch, "/Users/{id}"), people, audit.UserChange, unread, making, changing, unfit)), s.preparePatch, s.PatchUser),
		op.New(writes(at(http.MethodDelete, "/Users/{id}"), people, audit.UserDelete, changing, unfit), s.DeleteUser),
	}
}

// ListUsers lists the users that a filter finds, as many as the caller administers.
//
// What can be filtered: id, externalId, userName, displayName, active, emails, the parts of the name but for its honorifics, nickName, title,
// userType, locale, timezone, ims, entitlements, roles, groups, meta.created, meta.lastModified, all of the enterprise extension, and the tenant's
// own attributes by eq, ne, pr and sw. scim.yaml, GET /scim/Users.
func (s SCIM) ListUsers(ctx context.Context, c *op.Call, in Query) (wire.List, error) {
	return s.Directory.FindUsers(ctx, c, c.Grant, in.read)
}

// SearchUsers is ListUsers with the query in the body. scim.yaml, POST /scim/Users/.search.
func (s SCIM) SearchUsers(ctx context.Context, c *op.Call, in Search) (wire.List, error) {
	return s.Directory.FindUsers(ctx, c, c.Grant, in.read)
}

func (s SCIM) prepareUser(ctx context.Context, c *op.Call, in NewResource) (provision.Draft, error) {
	return s.Directory.PrepareNew(ctx, c, in.body)
}

// CreateUser makes a user in the built-in directory and answers 201 with it. No invitation is sent. scim.yaml, POST /scim/Users.
func (s SCIM) CreateUser(ctx context.Context, c *op.Call, in NewResource, d provision.Draft) (Answer, error) {
	r, err := s.Directory.Create(ctx, c, d)
	if err != nil {
		return Answer{}, err
	}
	return s.user(ctx, c, in.Shown, r, true)
}

// user is a user as it is answered.
func (s SCIM) user(ctx context.Context, c *op.Call, shown Shown, r provision.Resource, made bool) (Answer, error) {
	t, err := s.Directory.User(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	return shown.of(t, r, made), nil
}

// GetUser answers a user. scim.yaml, GET /scim/Users/{id}.
func (s SCIM) GetUser(ctx context.Context, c *op.Call, in UserRef) (Answer, error) {
	t, err := s.Directory.User(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	rs, err := s.Directory.Users(ctx, c, t, t.Select(in.Attributes, in.Excluded), in.found)
	if err != nil {
		return Answer{}, err
	}
	return in.of(t, rs[0], false), nil
}

func (s SCIM) prepareReplacement(ctx context.Context, c *op.Call, in UserBody) (provision.Draft, error) {
	return s.Directory.PrepareReplacement(ctx, c, in.found, in.body)
}

// ReplaceUser makes a user what is sent. What is left out is cleared, but for the password and whether the user is active. scim.yaml, PUT
// /scim/Users/{id}.
func (s SCIM) ReplaceUser(ctx context.Context, c *op.Call, in UserBody, d provision.Draft) (Answer, error) {
	r, err := s.Directory.Replace(ctx, c, in.found.ID, in.Match, d)
	if err != nil {
		return Answer{}, err
	}
	return s.user(ctx, c, in.Shown, r, false)
}

func (s SCIM) preparePatch(ctx context.Context, c *op.Call, in UserBody) (provision.Draft, error) {
	return s.Directory.PreparePatch(ctx, c, in.found, in.body)
}

// PatchUser changes a user by operations, all of them or none, and answers the whole user. active false suspends. scim.yaml, PATCH
// /scim/Users/{id}.
func (s SCIM) PatchUser(ctx context.Context, c *op.Call, in UserBody, d provision.Draft) (Answer, error) {
	r, err := s.Directory.Patch(ctx, c, in.found.ID, in.Match, d, in.body)
	if err != nil {
		return Answer{}, err
	}
	return s.user(ctx, c, in.Shown, r, false)
}

// DeleteUser removes a user with memberships, sessions and secrets. Callers cannot remove themselves, nor the last system
// administrator. scim.yaml, DELETE /scim/Users/{id}.
func (s SCIM) DeleteUser(ctx context.Context, c *op.Call, in UserRef) (op.None, error) {
	return op.None{}, s.Directory.Delete(ctx, c, in.found.ID, in.Match)
}
