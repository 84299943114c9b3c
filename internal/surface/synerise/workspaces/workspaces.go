// Package workspaces lists the workspaces that people may enter (synerise.yaml: business-profile-service, favorites).
package workspaces

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Workspaces are the operations.
type Workspaces struct{ Workspaces *workspace.Workspaces }

// Ops declares them.
func (w Workspaces) Ops() []op.Op {
	read := func(path string) op.Spec {
		return op.Spec{Method: http.MethodGet, Path: "/business-profile-service/" + path, Allow: op.Authenticated, Effect: op.Read, Faults: []*fault.Error{fault.ErrInvalid}}
	}
	return []op.Op{
		op.New(read("business-profiles"), w.ListWorkspaces),
		op.New(read("organizations/business-profiles"), w.ListOrganizationWorkspaces),
		op.New(read("organizations/business-profiles/with-identifiers"), w.ListIdentifiedWorkspaces),
		op.New(op.Spec{
			Method: http.MethodPost, Path: "/uauth/business-profile/mark-favorite", Allow: op.Authenticated, Effect: op.Write, Audit: audit.WorkspaceFavor,
			Faults: []*fault.Error{workspace.ErrNotFound, fault.ErrMissing},
		}, w.MarkFavorite),
	}
}

// Query asks for a page of workspaces.
type Query struct {
	synerise.Paged
	// BusinessProfileGroupID is the number of the organization directly above those that are wanted; absent: whichever.
	BusinessProfileGroupID int64 `json:"businessProfileGroupId"`
}

var fields = []string{"NAME", "CREATED"}

// Check bounds the page.
func (q *Query) Check() error {
	_, err := q.Read(fields...)
	return err
}

// Workspace is a workspace: an organization.
type Workspace struct {
	// ID is the workspace's number.
	ID int64 `json:"id"`
	// GUID is the id of the organization.
	GUID string `json:"guid"`
	// Hash is a short name made of the guid.
	Hash string `json:"hash"`
	// Name is the organization's name.
	Name string `json:"name"`
	// Subdomain is the name as a label of host names.
	Subdomain string `json:"subdomain"`
	// Logo is null: organizations have none.
	Logo *string `json:"logo"`
	// Author is the number of who made the workspace; null where that is not known.
	Author *int64 `json:"author"`
	// Created is when it was made.
	Created *string `json:"created"`
	// ActiveUsersCount is how many users may enter.
	ActiveUsersCount int64 `json:"activeUsersCount"`
	// BusinessProfileGroupID is the number of the organization directly above; null at the top.
	BusinessProfileGroupID *int64 `json:"businessProfileGroupId"`
	// IsFavorite says whether the caller marked it.
	IsFavorite bool `json:"isFavorite"`
}

// Page is a page of workspaces.
type Page struct {
	// Data are the workspaces: favorites first, then as they are sorted, by name unless otherwise said.
	Data []Workspace `json:"data"`
	// Meta tells where the page is.
	Meta wire.Meta `json:"meta"`
}

func shown(w workspace.Workspace) Workspace {
	return Workspace{
		ID: w.Number, GUID: w.ID, Hash: w.Hash(), Name: w.Name, Subdomain: w.Subdomain(), Author: known(w.Author), Created: wire.Moment(w.Created),
		ActiveUsersCount: w.Users, BusinessProfileGroupID: known(w.Above), IsFavorite: w.Favorite,
	}
}

func known(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// page lists the workspaces that the caller may enter, of one tree of organizations where within names one of it.
func (w Workspaces) page(ctx context.Context, c *op.Call, in Query, within string) ([]workspace.Workspace, wire.Meta, error) {
	q, err := in.Read(fields...)
	if err != nil {
		return nil, wire.Meta{}, err
	}
	var g grant.Grant
	p := workspace.Pick{Search: q.Search, Above: in.BusinessProfileGroupID, Within: within, ByCreated: q.SortBy == "CREATED", Desc: q.Desc, Skip: q.Skip(), Limit: q.Limit}
	if g, p.Except, err = w.Workspaces.Reach(ctx, c); err != nil {
		return nil, wire.Meta{}, err
	}
	rows, n, err := w.Workspaces.List(ctx, c, g, p)
	return rows, q.Meta(n), err
}

func (w Workspaces) list(ctx context.Context, c *op.Call, in Query, within string) (Page, error) {
	rows, meta, err := w.page(ctx, c, in, within)
	out := Page{make([]Workspace, len(rows)), meta}
	for i, r := range rows {
		out.Data[i] = shown(r)
	}
	return out, err
}

// ListWorkspaces lists the workspaces that the caller may enter: the one they belong to, those that they joined, and those over which they
// hold a right. synerise.yaml, GET /business-profile-service/business-profiles.
func (w Workspaces) ListWorkspaces(ctx context.Context, c *op.Call, in Query) (Page, error) {
	return w.list(ctx, c, in, "")
}

// home is an organization of the tree that the caller is in: that of the token, or else where they belong; empty: none.
func home(c *op.Call) string {
	if c.Caller.Workspace != "" {
		return c.Caller.Workspace
	}
	return c.Caller.Org
}

// ListOrganizationWorkspaces lists those workspaces that the caller may enter which are in one tree of organizations with the token's, or
// with where the caller belongs; where that is none it lists as ListWorkspaces does. synerise.yaml, GET
// /business-profile-service/organizations/business-profiles.
func (w Workspaces) ListOrganizationWorkspaces(ctx context.Context, c *op.Call, in Query) (Page, error) {
	return w.list(ctx, c, in, home(c))
}

// Identifier is a name of a workspace elsewhere.
type Identifier struct {
	// Name is the kind of identifier: organizationId, organizationPath.
	Name string `json:"name"`
	// Value is the identifier.
	Value string `json:"value"`
}

// Identified is a workspace with its names at the other surfaces.
type Identified struct {
	Workspace
	// Identifiers are the organization's id and path.
	Identifiers []Identifier `json:"identifiers"`
}

// IdentifiedPage is a page of workspaces with identifiers.
type IdentifiedPage struct {
	// Data are the workspaces.
	Data []Identified `json:"data"`
	// Meta tells where the page is.
	Meta wire.Meta `json:"meta"`
}

// ListIdentifiedWorkspaces lists as ListOrganizationWorkspaces does, with the names by which the other surfaces know the workspaces.
// synerise.yaml, GET /business-profile-service/organizations/business-profiles/with-identifiers.
func (w Workspaces) ListIdentifiedWorkspaces(ctx context.Context, c *op.Call, in Query) (IdentifiedPage, error) {
	rows, meta, err := w.page(ctx, c, in, home(c))
	out := IdentifiedPage{make([]Identified, len(rows)), meta}
	for i, r := range rows {
		out.Data[i] = Identified{shown(r), []Identifier{{"organizationId", r.ID}, {"organizationPath", r.Path}}}
	}
	return out, err
}

// Favorite marks a workspace.
type Favorite struct {
	// BusinessProfileGUID names the workspace; required where its number is not sent.
	BusinessProfileGUID string `json:"businessProfileGuid"`
	// BusinessProfileID is the workspace's number, in place of the guid.
	BusinessProfileID int64 `json:"businessProfileId"`
	// Favorite says whether it is one from now on; absent: the other way round than so far.
	Favorite op.Opt[bool] `json:"favorite"`
}

// Check wants the workspace to be named.
func (f *Favorite) Check() error {
	if f.BusinessProfileGUID == "" && f.BusinessProfileID == 0 {
		return fault.Missing("businessProfileGuid")
	}
	return nil
}

// MarkFavorite marks a workspace that the caller may enter as a favorite of theirs, or no longer. synerise.yaml, POST
// /uauth/business-profile/mark-favorite.
func (w Workspaces) MarkFavorite(ctx context.Context, c *op.Call, in Favorite) (op.None, error) {
	id, err := workspace.Reference(ctx, c, in.BusinessProfileID, in.BusinessProfileGUID)
	if err != nil {
		return op.None{}, err
	}
	if may, err := w.Workspaces.Reaches(ctx, c, id); err != nil || !may {
		if err == nil {
			err = workspace.ErrNotFound
		}
		return op.None{}, err
	}
	var on *bool
	if v, ok := in.Favorite.Get(); ok {
		on = &v
	}
	_, err = w.Workspaces.Favor(ctx, c, id, on)
	return op.None{}, err
}
