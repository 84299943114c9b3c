// Package collections is the RPC dialect's operations on sets of objects (devices.yaml n 316-331).
package collections

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/acl"
	"limen/internal/core/audit"
	"limen/internal/core/collection"
	"limen/internal/core/report"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/permit"
)

// Collections are the operations.
type Collections struct {
	Sets  *collection.Sets
	Lists *acl.Lists
	Roles *role.Roles
}

// ErrMany says that one call names too much.
var ErrMany = fault.New(fault.TooLarge, "collection.many", "Too many members in one call.")

// maxEntries bounds the members of one call, which is one transaction.
const maxEntries = 1000

var (
	unknown = []*fault.Error{collection.ErrNotFound, acl.ErrDenied, fault.ErrMissing, fault.ErrInvalid}
	making  = slices.Concat([]*fault.Error{
		collection.ErrType, collection.ErrSubtype, collection.ErrKind, collection.ErrNameTaken, collection.ErrScript, collection.ErrTooMany, fault.ErrBlank,
	}, unknown, report.Scripts)
	shifting = append([]*fault.Error{
		collection.ErrDynamic, collection.ErrType, collection.ErrMember, collection.ErrTooMany, acl.ErrNotHeld, ErrMany,
	}, unknown...)
	permitting = append([]*fault.Error{collection.ErrNotFound}, permit.Faults...)
)

// Ops declares them.
func (n Collections) Ops() []op.Op { return append(n.writing(), n.reading()...) }

func (n Collections) writing() []op.Op {
	maker := op.OnRow("the administrative right of the type of object")
	write := func(name string, allow op.Rule, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: "/Collection/" + name, Allow: allow, Effect: op.Write, Audit: event, Faults: faults}
	}
	return []op.Op{
		op.New(write("CreateManualCollection", maker, audit.SetCreate, making...), n.CreateManualCollection),
		op.New(write("CreateDynamicCollection", maker, audit.SetCreate, making...), n.CreateDynamicCollection),
		op.New(write("UpdateCollection", op.OnRow("right Edit on the set"), audit.SetChange, making...), n.UpdateCollection),
		op.New(write("DeleteCollection", op.OnRow("right Delete on the set"), audit.SetDelete, append(unknown, collection.ErrUsed)...), n.DeleteCollection),
		op.New(write("UpdateMembersCollection", op.OnRow("right Edit on the set, and View on each object added"), audit.SetMembers, shifting...), n.UpdateMembersCollection),
		op.New(write("SetCollectionPermissions", op.OnRow("right Grant on the set, and what is granted"), audit.SetPermissions, permitting...), n.SetCollectionPermissions),
	}
}

func (n Collections) reading() []op.Op {
	viewer := op.OnRow("right View on the set")
	read := func(name string, allow op.Rule, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: "/Collection/" + name, Methods: []string{"GET"}, Allow: allow, Effect: op.Read, Faults: append(faults, unknown...)}
	}
	return []op.Op{
		op.New(read("GetCollection", viewer), n.GetCollection),
		op.New(read("GetCollectionPermissions", op.OnRow("right View or Grant on the set")), n.GetCollectionPermissions),
		op.New(read("GetCollectionReferences", viewer), n.GetCollectionReferences),
		op.New(read("GetCollectionRights", op.Authenticated), n.GetCollectionRights),
		op.New(read("GetCollectionTemplate", op.Authenticated, collection.ErrType), n.GetCollectionTemplate),
		op.New(read("GetBucketContents", viewer, collection.ErrManual), n.GetBucketContents),
		op.Prepared(read("GetMembers", viewer, report.Faults...), n.seek, n.GetMembers),
		op.Prepared(read("GetResolvedMembers", viewer, report.Faults...), n.seek, n.GetResolvedMembers),
		op.New(read("GetObjectCollections", op.Authenticated, collection.ErrType), n.GetObjectCollections),
		op.New(read("GetObjectCollectionsAndFilters", op.Authenticated, collection.ErrType), n.GetObjectCollectionsAndFilters),
	}
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}

// Ref names a set.
type Ref struct {
	// ID is the set's UUID; required.
	ID string `json:"ID"`
}

// Check wants it.
func (r *Ref) Check() error { return required("ID", r.ID) }

// NewSet is a manual set to be made.
type NewSet struct {
	// Name is required: 200 bytes, unique among the sets of its type whatever its case.
	Name string `json:"Name"`
	// Description is free text of 4,000 bytes.
	Description string `json:"Description"`
	// ObjectType is the type of the members: Server, VaultAccount, VaultDatabase, VaultDomain, DataVault, SshKeys, Subscriptions,
	// Application, ResourceProfiles, CloudProviders, Service, Device; beyond the contract User and Role. Required.
	ObjectType string `json:"ObjectType"`
	// SubObjectType is Web or Desktop, of sets of applications only; absent: both.
	SubObjectType string `json:"SubObjectType"`
	// CollectionType is ManualBucket, or absent.
	CollectionType string `json:"CollectionType"`
}

// Check wants a name and a type.
func (s *NewSet) Check() error {
	if err := required("Name", s.Name); err != nil {
		return err
	}
	return required("ObjectType", s.ObjectType)
}

func (s *NewSet) set(kind, script string) (collection.New, error) {
	if given := strings.TrimSpace(s.CollectionType); given != "" && !strings.EqualFold(given, kind) {
		return collection.New{}, collection.ErrKind.At("CollectionType")
	}
	return collection.New{Object: s.ObjectType, Sub: s.SubObjectType, Kind: kind, Name: s.Name, Description: s.Description, Script: script}, nil
}

// CreateManualCollection makes a set whose members are listed by hand, and answers its UUID. Its maker has every right on it.
//
// Sets can be made of types of which this server has no objects yet; they stay empty, for no member of such a type exists.
// Who administers the type for organizations only may make sets, too, and put into them what they may view. Errors:
// collection.type, collection.name_taken, acl.denied, collection.too_many beyond 5,000 sets. devices.yaml n 317.
func (n Collections) CreateManualCollection(ctx context.Context, c *op.Call, in NewSet) (string, error) {
	return n.create(ctx, c, in, collection.Manual, "")
}

func (n Collections) create(ctx context.Context, c *op.Call, in NewSet, kind, script string) (string, error) {
	made, err := in.set(kind, script)
	if err != nil {
		return "", err
	}
	set, err := n.Sets.Create(ctx, c, made)
	return set.ID, err
}

// NewDynamicSet is a dynamic set to be made.
type NewDynamicSet struct {
	NewSet
	// SQL is the query whose rows are the members; required. It gives the primary key of the type's table of reports.
	SQL string `json:"sql"`
}

// Check wants a query, too.
func (s *NewDynamicSet) Check() error {
	if err := s.NewSet.Check(); err != nil {
		return err
	}
	return required("sql", s.SQL)
}

// CreateDynamicCollection makes a set whose members a query finds, and answers its UUID. Its maker has every right on it.
//
// The query is one of /Redrock/Query; its members are worked out whenever somebody asks, as far as that person may see them.
// It is checked here: it must be understood, and give the primary key of the type's table, such as ID of User. Reports (@@)
// and library scripts (@) cannot be used. Errors: as CreateManualCollection, collection.script, and those of scripts.
// devices.yaml n 316.
func (n Collections) CreateDynamicCollection(ctx context.Context, c *op.Call, in NewDynamicSet) (string, error) {
	return n.create(ctx, c, in.NewSet, collection.Dynamic, in.SQL)
}

// SetChange is a partial change of a set: what is absent stays. Clients send back all that GetCollection gave.
type SetChange struct {
	Ref
	// Name is a new name.
	Name op.Opt[string] `json:"Name"`
	// Description is free text; null empties it.
	Description op.Opt[string] `json:"Description"`
	// ObjectType is that of the set: it cannot change.
	ObjectType string `json:"ObjectType"`
	// CollectionType is that of the set: it cannot change.
	CollectionType string `json:"CollectionType"`
	// SQL is a new query of a dynamic set; of a manual one it does not matter.
	SQL op.Opt[string] `json:"sql"`
}

// UpdateCollection changes a set's name, its description, or the query of a dynamic set.
//
// Errors: collection.not_found, acl.denied, collection.name_taken, collection.type and collection.kind when another type is
// given, collection.script and those of scripts. devices.yaml n 330.
func (n Collections) UpdateCollection(ctx context.Context, c *op.Call, in SetChange) (op.None, error) {
	ch := collection.Change{Object: &in.ObjectType, Kind: &in.CollectionType}
	if v, ok := in.Name.Get(); ok {
		ch.Name = &v
	}
	if in.Description.Given() {
		v := in.Description.Or("")
		ch.Description = &v
	}
	if v, ok := in.SQL.Get(); ok && v != "undefined" {
		ch.Script = &v
	}
	return op.None{}, n.Sets.Change(ctx, c, in.ID, ch)
}

// DeleteCollection deletes a set with the rights on it and through it; its members stay. Errors: collection.not_found,
// acl.denied, collection.used when the link of a policy set names it, with which. devices.yaml n 318.
func (n Collections) DeleteCollection(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, n.Sets.Delete(ctx, c, in.ID)
}
