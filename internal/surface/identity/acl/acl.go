// Package acl is the RPC dialect's operations on access control lists (acl.yaml). Those on files and directories are not
// served: there are none.
package acl

import (
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/core/acl"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// ACL are the operations.
type ACL struct {
	Lists *acl.Lists
}

// ErrMany says that one call names too many entries.
var ErrMany = fault.New(fault.TooLarge, "acl.many", "Too many entries in one call.")

// maxIDs bounds the entries that one call names.
const maxIDs = 1000

// Ops declares them.
func (a ACL) Ops() []op.Op {
	viewer := op.OnRow("right View on the row")
	read := func(path string, allow op.Rule, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: path, Methods: []string{"GET"}, Allow: allow, Effect: op.Read, Faults: append(faults, fault.ErrMissing, fault.ErrInvalid)}
	}
	return []op.Op{
		op.New(read("/Acl/CheckRowRight", op.Authenticated, acl.ErrTable, acl.ErrRight), a.CheckRowRight),
		op.New(read("/Acl/GetEffectiveRowRights", op.Authenticated, acl.ErrTable), a.GetEffectiveRowRights),
		op.New(read("/Acl/GetRowAces", viewer, acl.ErrTable, acl.ErrRow, acl.ErrDenied), a.GetRowAces),
		op.New(read("/Acl/GetCollectionAces", op.OnRow("right View on the set"), acl.ErrTable, acl.ErrRow, acl.ErrDenied), a.GetCollectionAces),
		op.New(read("/Acl/GetAce", viewer, acl.ErrEntry), a.GetAce),
		op.New(read("/Acl/GetAces", viewer, ErrMany), a.GetAces),
	}
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}

// RowRef names a row.
type RowRef struct {
	// RowKey is the key of the row, its ID; required.
	RowKey string `json:"RowKey" also:"ID"`
	// Table is Collections, Role, User, Organization, Application and so on, whatever the case; required.
	Table string `json:"Table"`
}

// Check wants both.
func (r *RowRef) Check() error {
	return errors.Join(required("RowKey", r.RowKey), required("Table", r.Table))
}

// rights are the caller's on a row; none on a row that does not exist.
func (a ACL) rights(ctx context.Context, c *op.Call, r RowRef) (acl.Table, acl.Mask, error) {
	t, err := a.Lists.Table(r.Table)
	if err != nil {
		return acl.Table{}, 0, err
	}
	o, err := a.Lists.Find(ctx, c, t, r.RowKey)
	if errors.Is(err, acl.ErrRow) {
		return t, 0, nil
	}
	if err != nil {
		return acl.Table{}, 0, err
	}
	m, err := a.Lists.Rights(ctx, c, o)
	return t, m, err
}

// RowRight asks for rights on a row.
type RowRight struct {
	RowRef
	// Right are names of rights of the table, between commas; all of them are asked for. Required.
	Right string `json:"Right"`
}

// Check wants a right, too.
func (r *RowRight) Check() error { return errors.Join(r.RowRef.Check(), required("Right", r.Right)) }

// CheckRowRight says whether the caller has all of the rights named on a row: by its entries, by sets it is in, and by
// administrative rights together. On a row that does not exist nobody has any. Errors: acl.table, acl.right. acl.yaml n 507.
func (a ACL) CheckRowRight(ctx context.Context, c *op.Call, in RowRight) (bool, error) {
	t, has, err := a.rights(ctx, c, in.RowRef)
	if err != nil {
		return false, err
	}
	want, err := t.Parse(in.Right)
	return want != 0 && has.Has(want), err
}

// GetEffectiveRowRights gives the names of the caller's rights on a row, joined with a comma and a space; an empty text is
// none, be it that there is no such row. Errors: acl.table. acl.yaml n 514.
func (a ACL) GetEffectiveRowRights(ctx context.Context, c *op.Call, in RowRef) (string, error) {
	t, has, err := a.rights(ctx, c, in)
	return strings.Join(t.Names(has), ", "), err
}

// EntryRef names an entry.
type EntryRef struct {
	// ID is the AceId of a list; required.
	ID string `json:"ID" also:"AceId"`
}

// Check wants it.
func (r *EntryRef) Check() error { return required("ID", r.ID) }

// Granted are the rights of an entry.
type Granted struct {
	Grant string `json:"Grant"` // names, joined with a comma and a space
	Deny  string `json:"Deny"`  // always empty: entries only give
}

// Ace is an access control entry.
type Ace struct {
	ID            string    `json:"ID"`
	Principal     string    `json:"Principal"` // UUID of a person, id of a role
	PrincipalName string    `json:"PrincipalName"`
	PrincipalType string    `json:"PrincipalType"` // User or Role
	Rights        Granted   `json:"Rights"`
	RowKey        string    `json:"RowKey"`
	Table         string    `json:"Table"`
	From          *rpc.Time `json:"From"`   // null: from the beginning
	Until         *rpc.Time `json:"Until"`  // null: without end
	Reason        string    `json:"Reason"` // why it was given
	GrantedBy     string    `json:"GrantedBy"`
}

// GetAce reads one access control entry of a row that the caller may view.
//
// From, Until, Reason and GrantedBy go beyond the contract. Errors: acl.entry_not_found, also of an entry whose row the caller
// may not view. acl.yaml n 508.
func (a ACL) GetAce(ctx context.Context, c *op.Call, in EntryRef) (Ace, error) {
	e, err := a.Lists.Get(ctx, c, in.ID)
	if err != nil {
		return Ace{}, err
	}
	return ace(e), nil
}

func ace(e acl.Entry) Ace {
	return Ace{
		e.ID, e.Principal, e.Name, e.Kind, Granted{Grant: strings.Join(e.On.Names(e.Mask), ", ")}, e.RowKey, e.Object,
		moment(e.Since), moment(e.Until), e.Reason, e.Granter,
	}
}

// moment is a stored time, nothing when 0.
func moment(ms int64) *rpc.Time {
	if ms == 0 {
		return nil
	}
	t := rpc.Time(time.UnixMilli(ms))
	return &t
}

// EntryRefs names entries.
type EntryRefs struct {
	// IDs are AceIds of lists, at least one and at most 1000.
	IDs []string `json:"IDs" also:"ID" rpc:"one"`
}

// Check wants some.
func (r *EntryRefs) Check() error {
	switch {
	case len(r.IDs) == 0:
		return fault.Missing("IDs")
	case len(r.IDs) > maxIDs:
		return ErrMany.Say("At most %d entries can be named in one call.", maxIDs)
	}
	return nil
}

// GetAces reads several access control entries; what is unknown, or of a row that the caller may not view, is left out.
// acl.yaml n 509.
func (a ACL) GetAces(ctx context.Context, c *op.Call, in EntryRefs) ([]Ace, error) {
	out := []Ace{}
	for _, id := range in.IDs {
		e, err := a.Lists.Get(ctx, c, id)
		if errors.Is(err, acl.ErrEntry) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, ace(e))
	}
	return out, nil
}
