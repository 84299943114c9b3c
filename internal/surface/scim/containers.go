package scim

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/detail"
	"limen/internal/core/provision"
	"limen/internal/core/right"
	"limen/internal/core/safe"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// privileged lets who manages safes. Of safes where the caller is a member but which they do not manage, core/safe decides.
var privileged = op.Has(right.VaultManagement)

// securing is what making and changing safes can give.
var securing = []*fault.Error{safe.ErrName, safe.ErrText, safe.ErrRetention, safe.ErrOwner, safe.ErrNameTaken, safe.ErrDenied, detail.ErrLong, provision.ErrAccounts}

func (s SCIM) containers() []op.Op {
	lost := []*fault.Error{safe.ErrNotFound, provision.ErrVersion}
	return []op.Op{
		op.New(reads(at(http.MethodGet, "/Containers"), privileged, append(unlisted, provision.ErrAccounts)...), s.ListContainers),
		op.New(writes(at(http.MethodPost, "/Containers"), privileged, audit.SafeCreate, unread, securing, []*fault.Error{provision.ErrNoOrg, safe.ErrMany}), s.CreateContainer),
		op.New(reads(at(http.MethodGet, "/Containers/{id}"), privileged, safe.ErrNotFound, provision.ErrAccounts), s.GetContainer),
		op.New(writes(at(http.MethodPut, "/Containers/{id}"), privileged, audit.SafeChange, unread, securing, lost), s.ReplaceContainer),
		op.New(writes(at(http.MethodDelete, "/Containers/{id}"), privileged, audit.SafeDelete, lost, []*fault.Error{safe.ErrDenied, safe.ErrHolds, safe.ErrRetained}), s.DeleteContainer),
	}
}

// NewObject is a resource of privileged access to be made.
type NewObject struct {
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	Shown
	body []byte
}

func (n *NewObject) take(r *op.Request) error {
	n.body = r.Body
	return n.see(r)
}

// ObjectRef names a resource of privileged access.
type ObjectRef struct {
	// ID is the resource's id, in the path: the name of a safe, in any case, or the two numbers of an account.
	ID string `json:"id"`
	// Match is which version the resource must be, in the header If-Match; absent: any.
	Match string `json:"If-Match"`
	Shown
}

func (o *ObjectRef) take(r *op.Request) error {
	o.ID, o.Match = r.Path["id"], r.HTTP.Header.Get("If-Match")
	return o.see(r)
}

// ObjectBody is what a resource of privileged access is to be, or how it is to change.
type ObjectBody struct {
	ObjectRef
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	body     []byte
}

func (o *ObjectBody) take(r *op.Request) error {
	o.body = r.Body
	return o.ObjectRef.take(r)
}

// ListContainers lists the safes that a filter finds: those that the caller administers, and those of which the caller is a member.
//
// What can be filtered: id, externalId, name, displayName, owner.value, owner.display, privilegedData.value, privilegedData.display, meta.created,
// meta.lastModified. What can be sorted by: id, name, displayName, meta.created, meta.lastModified. scim.yaml, GET /scim/Containers.
func (s SCIM) ListContainers(ctx context.Context, c *op.Call, in Query) (wire.List, error) {
	return s.Directory.FindContainers(ctx, c, c.Grant, in.read)
}

// CreateContainer makes a safe and answers 201 with it. Its owner is the caller, or whom the caller names among those whom they
// administer. Who manages safes of one organization makes them there. scim.yaml, POST /scim/Containers.
func (s SCIM) CreateContainer(ctx context.Context, c *op.Call, in NewObject) (Answer, error) {
	r, err := s.Directory.CreateContainer(ctx, c, in.body, in.safe())
	return in.of(provision.Container, r, true), err
}

// GetContainer answers a safe by its name. scim.yaml, GET /scim/Containers/{id}.
func (s SCIM) GetContainer(ctx context.Context, c *op.Call, in ObjectRef) (Answer, error) {
	r, err := s.Directory.GetContainer(ctx, c, in.ID, in.safe())
	return in.of(provision.Container, r, false), err
}

// ReplaceContainer makes a safe what is sent; another name is another id. The owner stays where none is sent. Another owner is given by the
// owner, or by who manages the safe; the one before is no member then. scim.yaml, PUT /scim/Containers/{id}.
func (s SCIM) ReplaceContainer(ctx context.Context, c *op.Call, in ObjectBody) (Answer, error) {
	r, err := s.Directory.ReplaceContainer(ctx, c, in.ID, in.Match, in.body, in.safe())
	return in.of(provision.Container, r, false), err
}

// DeleteContainer removes a safe with its members. One that has accounts stays, and one from which an account was deleted until its retention
// ends. scim.yaml, DELETE /scim/Containers/{id}.
func (s SCIM) DeleteContainer(ctx context.Context, c *op.Call, in ObjectRef) (op.None, error) {
	return op.None{}, s.Directory.DeleteContainer(ctx, c, in.ID, in.Match)
}
