package scim

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/provision"
	"limen/internal/core/safe"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// giving is what changing memberships can give.
var giving = []*fault.Error{safe.ErrNotFound, safe.ErrDenied, safe.ErrNotHeld, safe.ErrNothing, safe.ErrRight, safe.ErrUntil}

func (s SCIM) permissions() []op.Op {
	lost := []*fault.Error{safe.ErrNoMember, safe.ErrOwns, provision.ErrVersion}
	return []op.Op{
		op.New(reads(at(http.MethodGet, "/ContainerPermissions"), privileged, unlisted...), s.ListPermissions),
		op.New(writes(at(http.MethodPost, "/ContainerPermissions"), privileged, audit.SafeMembers, unread, giving, []*fault.Error{safe.ErrPrincipal, safe.ErrMember, safe.ErrFull}), s.CreatePermission),
		op.New(reads(at(http.MethodGet, "/ContainerPermissions/{id}"), privileged, safe.ErrNotFound, safe.ErrNoMember), s.GetPermission),
		op.New(writes(at(http.MethodPut, "/ContainerPermissions/{id}"), privileged, audit.SafeMembers, unread, giving, lost, []*fault.Error{provision.ErrMutable}), s.ReplacePermission),
		op.New(writes(at(http.MethodDelete, "/ContainerPermissions/{id}"), privileged, audit.SafeMembers, giving, lost), s.DeletePermission),
	}
}

// PermissionRef names a membership in a safe.
type PermissionRef struct {
	// ID is the membership's id, in the path: the safe's name, a colon, which may come escaped, and the login name of the user, or the name
	// of the group; or the id of either.
	ID string `json:"id"`
	// Match is which version the membership must be, in the header If-Match; absent: any.
	Match string `json:"If-Match"`
	Shown
}

func (p *PermissionRef) take(r *op.Request) error {
	p.ID, p.Match = r.Path["id"], r.HTTP.Header.Get("If-Match")
	if plain, err := url.PathUnescape(p.ID); err == nil && !strings.Contains(p.ID, ":") { // clients escape colons twice
		p.ID = plain
	}
	return p.see(r)
}

// PermissionBody is what a membership is to be.
type PermissionBody struct {
	PermissionRef
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	body     []byte
}

func (p *PermissionBody) take(r *op.Request) error {
	p.body = r.Body
	return p.PermissionRef.take(r)
}

// ListPermissions lists who has which rights in which safes: in those that the caller administers, and in those whose members the caller may see
// as a member. Memberships that have ended are not listed.
//
// What can be filtered: id by eq, container.value, container.name, container.display, user.value, user.display, group.value, group.display,
// meta.created, meta.lastModified. What can be sorted by: id, meta.created, meta.lastModified. scim.yaml, GET /scim/ContainerPermissions.
func (s SCIM) ListPermissions(ctx context.Context, c *op.Call, in Query) (wire.List, error) {
	return s.Directory.FindPermissions(ctx, c, c.Grant, in.read)
}

// CreatePermission makes a person or a group a member of a safe and answers 201 with the membership. The caller owns or administers the safe, or
// manages its members and has each right that they give, for as long. Whom they name, they administer. scim.yaml, POST /scim/ContainerPermissions.
func (s SCIM) CreatePermission(ctx context.Context, c *op.Call, in NewObject) (Answer, error) {
	r, err := s.Directory.CreatePermission(ctx, c, in.body)
	return in.of(provision.Permission, r, true), err
}

// GetPermission answers a membership. scim.yaml, GET /scim/ContainerPermissions/{id}.
func (s SCIM) GetPermission(ctx context.Context, c *op.Call, in PermissionRef) (Answer, error) {
	r, err := s.Directory.GetPermission(ctx, c, in.ID)
	return in.of(provision.Permission, r, false), err
}

// ReplacePermission gives a member exactly the rights that are sent, until when it is said. It takes what CreatePermission takes, of each right that
// changes. The owner's membership stays as it is. scim.yaml, PUT /scim/ContainerPermissions/{id}.
func (s SCIM) ReplacePermission(ctx context.Context, c *op.Call, in PermissionBody) (Answer, error) {
	r, err := s.Directory.ReplacePermission(ctx, c, in.ID, in.Match, in.body)
	return in.of(provision.Permission, r, false), err
}

// DeletePermission takes a member off a safe, unless it is the owner. scim.yaml, DELETE /scim/ContainerPermissions/{id}.
func (s SCIM) DeletePermission(ctx context.Context, c *op.Call, in PermissionRef) (op.None, error) {
	return op.None{}, s.Directory.DeletePermission(ctx, c, in.ID, in.Match)
}
