package scim

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/provision"
	"limen/internal/core/safe"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

func (s SCIM) accounts() []op.Op {
	saying := []*fault.Error{safe.ErrAccountName, safe.ErrAccountTwin, safe.ErrType, safe.ErrText, safe.ErrProperties, safe.ErrSecret, safe.ErrDenied}
	lost := []*fault.Error{safe.ErrNoAccount, provision.ErrVersion, provision.ErrMutable}
	const path = "/PrivilegedData/{id}"
	return []op.Op{
		op.New(reads(at(http.MethodGet, "/PrivilegedData"), privileged, unlisted...), s.ListData),
		op.Prepared(writes(at(http.MethodPost, "/PrivilegedData"), privileged, audit.AccountCreate, unread, saying, []*fault.Error{safe.ErrNotFound, safe.ErrCrowded}), s.prepareData, s.CreateData),
		op.New(reads(at(http.MethodGet, path), privileged, safe.ErrNoAccount), s.GetData),
		op.Prepared(writes(at(http.MethodPut, path), privileged, audit.AccountChange, unread, saying, lost), s.prepareDataReplacement, s.ReplaceData),
		op.Prepared(writes(at(http.MethodPatch, path), privileged, audit.AccountChange, unread, saying, lost, unfit[:2]), s.prepareDataPatch, s.PatchData),
		op.New(writes(at(http.MethodDelete, path), privileged, audit.AccountDelete, lost[:2], []*fault.Error{safe.ErrDenied}), s.DeleteData),
		op.New(reads(at(http.MethodGet, "/PrivilegedDataPermissions"), privileged, unlisted...), s.ListDataPermissions),
	}
}

// ListData lists the accounts that a filter finds, without their secrets: in safes that the caller administers, and where the caller is a member
// who may list accounts.
//
// What can be filtered: id, name, type, the safe of the extension, meta.created, meta.lastModified. What can be sorted by: id, name, type,
// meta.created, meta.lastModified. scim.yaml, GET /scim/PrivilegedData.
func (s SCIM) ListData(ctx context.Context, c *op.Call, in Query) (wire.List, error) {
	return s.Directory.FindData(ctx, c, c.Grant, in.read)
}

func (s SCIM) prepareData(ctx context.Context, c *op.Call, in NewObject) (provision.Enclosed, error) {
	return s.Directory.PrepareData(ctx, c, in.body)
}

// CreateData puts an account into a safe, with a secret or without, and answers 201 with it. The secret is sealed, and never answered. It takes
// the right AddAccounts. scim.yaml, POST /scim/PrivilegedData.
func (s SCIM) CreateData(ctx context.Context, c *op.Call, in NewObject, e provision.Enclosed) (Answer, error) {
	r, err := s.Directory.CreateData(ctx, c, e)
	return in.of(provision.Data, r, true), err
}

// GetData answers an account without its secret. scim.yaml, GET /scim/PrivilegedData/{id}.
func (s SCIM) GetData(ctx context.Context, c *op.Call, in ObjectRef) (Answer, error) {
	r, err := s.Directory.GetData(ctx, c, in.ID)
	return in.of(provision.Data, r, false), err
}

func (s SCIM) prepareDataReplacement(ctx context.Context, c *op.Call, in ObjectBody) (provision.Enclosed, error) {
	return s.Directory.PrepareDataReplacement(ctx, c, in.ID, in.body)
}

// ReplaceData makes an account what is sent; the name and the secret stay where none is sent, and the safe stays. What changes takes its right in
// the safe: RenameAccounts, MoveAccountsAndFolders, UpdateAccountContent of the secret, UpdateAccountProperties of the rest. scim.yaml, PUT
// /scim/PrivilegedData/{id}.
func (s SCIM) ReplaceData(ctx context.Context, c *op.Call, in ObjectBody, e provision.Enclosed) (Answer, error) {
	r, err := s.Directory.ReplaceData(ctx, c, in.ID, in.Match, e)
	return in.of(provision.Data, r, false), err
}

func (s SCIM) prepareDataPatch(ctx context.Context, c *op.Call, in ObjectBody) (provision.Enclosed, error) {
	return s.Directory.PrepareDataPatch(ctx, c, in.ID, in.body)
}

// PatchData changes an account by operations, all of them or none, and answers the whole account. Properties are added and removed by their keys.
// It takes what ReplaceData takes. scim.yaml, PATCH /scim/PrivilegedData/{id}.
func (s SCIM) PatchData(ctx context.Context, c *op.Call, in ObjectBody, e provision.Enclosed) (Answer, error) {
	r, err := s.Directory.PatchData(ctx, c, in.ID, in.Match, e, in.body)
	return in.of(provision.Data, r, false), err
}

// DeleteData removes an account with its secret, for good. The safe then stays for as many days as its retention says. scim.yaml, DELETE
// /scim/PrivilegedData/{id}.
func (s SCIM) DeleteData(ctx context.Context, c *op.Call, in ObjectRef) (op.None, error) {
	return op.None{}, s.Directory.DeleteData(ctx, c, in.ID, in.Match)
}

// ListDataPermissions lists who may do what with which account, by being a member of its safe: of accounts that the caller may list, in safes whose
// members the caller may see.
//
// What can be filtered: privilegedData.value, privilegedData.display, user.value, user.display, group.value, group.display, meta.created,
// meta.lastModified. What can be sorted by: id. scim.yaml, GET /scim/PrivilegedDataPermissions.
func (s SCIM) ListDataPermissions(ctx context.Context, c *op.Call, in Query) (wire.List, error) {
	return s.Directory.FindUses(ctx, c, c.Grant, in.read)
}
