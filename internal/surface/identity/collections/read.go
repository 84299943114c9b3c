package collections

import (
	"context"
	"strconv"
	"strings"
	"time"

	"limen/internal/core/acl"
	"limen/internal/core/collection"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Set is a set as the contract's clients read it.
type Set struct {
	ID             string   `json:"ID"`
	RowKey         string   `json:"_RowKey"`        // as ID
	PartitionKey   string   `json:"_PartitionKey"`  // id of the tenant
	TableName      string   `json:"_TableName"`     // collections
	Timestamp      rpc.Time `json:"_Timestamp"`     // of the last change
	EncryptKeyID   string   `json:"_encryptkeyid"`  // id of the tenant
	EntityContext  string   `json:"_entitycontext"` // another one after each change
	Metadata       Metadata `json:"_metadata"`
	Name           string   `json:"Name"`
	Description    string   `json:"Description"`
	ObjectType     string   `json:"ObjectType"`
	SubObjectType  string   `json:"SubObjectType"`
	CollectionType string   `json:"CollectionType"` // ManualBucket or SqlDynamic
	ParentPath     string   `json:"ParentPath"`     // always empty: there are no folders
	ACL            string   `json:"ACL"`            // always true, as a text
	Filters        string   `json:"Filters"`        // selects the members: ID in ('a','b')
	SQL            *string  `json:"sql"`            // of a dynamic set; beyond the contract
	MembersFile    *string  `json:"MembersFile"`    // of a manual set: a name, not a file that could be read
	WhenCreated    rpc.Time `json:"WhenCreated"`
	Rights         string   `json:"Rights"` // the caller's, joined with a comma and a space
}

// Metadata counts the changes of a set.
type Metadata struct {
	Version         int64 `json:"Version"`
	IndexingVersion int64 `json:"IndexingVersion"`
}

// GetCollection reads one set. Errors: collection.not_found, also where the caller has no right on it, acl.denied where they
// have others than View. devices.yaml n 320.
func (n Collections) GetCollection(ctx context.Context, c *op.Call, in Ref) (Set, error) {
	set, rights, err := n.Sets.Get(ctx, c, in.ID)
	if err != nil {
		return Set{}, err
	}
	keys, err := n.Sets.Keys(ctx, c, []collection.Set{set})
	if err != nil {
		return Set{}, err
	}
	t, err := n.Lists.Table(acl.Collections)
	out := Set{
		ID: set.ID, RowKey: set.ID, PartitionKey: c.Tenant.ID, TableName: "collections", Timestamp: date(set.Changed), EncryptKeyID: c.Tenant.ID,
		EntityContext: `W/"` + strconv.FormatInt(set.Version, 10) + `"`, Metadata: Metadata{set.Version, set.Version},
		Name: set.Name, Description: set.Description, ObjectType: set.Object, SubObjectType: set.Sub, CollectionType: set.Kind,
		ACL: "true", Filters: filters(set, keys[set.ID]), WhenCreated: date(set.Created), Rights: strings.Join(t.Names(rights), ", "),
	}
	if set.Kind == collection.Manual {
		file := "/sys/buckets/" + set.ID + ".json"
		out.MembersFile = &file
	} else {
		out.SQL = &set.Script
	}
	return out, err
}

func date(ms int64) rpc.Time { return rpc.Time(time.UnixMilli(ms)) }

// filters is what selects the members of a set. Clients cut the keys of manual sets out of it.
func filters(set collection.Set, keys []string) string {
	if set.Kind != collection.Manual {
		return "ID in (select ID from (" + strings.TrimRight(strings.TrimSpace(set.Script), ";") + "))"
	}
	for i, k := range keys {
		keys[i] = strings.ReplaceAll(k, "'", "''")
	}
	return "ID in ('" + strings.Join(keys, "','") + "')"
}

// Kind names a type of object.
type Kind struct {
	// ObjectType is the type of the members, as CreateManualCollection takes it.
	ObjectType string `json:"ObjectType"`
	// SubObjectType is Web or Desktop, of applications.
	SubObjectType string `json:"SubObjectType"`
}

// Listing asks for sets.
type Listing struct {
	Kind
	// CollectionType leaves only ManualBucket or SqlDynamic; all when absent.
	CollectionType string `json:"CollectionType"`
	// NoBuiltins is taken and does nothing: there are no built-in sets.
	NoBuiltins bool `json:"NoBuiltins"`
}

var (
	setColumns = []rpc.Column{
		{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name", TableKey: "Alternate"}, {Name: "ObjectType"}, {Name: "CollectionType"}, {Name: "Description"},
	}
	filterColumns = []rpc.Column{
		{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name", TableKey: "Alternate"}, {Name: "Description"}, {Name: "CollectionType"}, {Name: "ObjectType"}, {Name: "Filters"},
	}
)

func listed(columns []rpc.Column, sets []collection.Set, values func(collection.Set) []any) rpc.Query {
	out := rpc.Query{Columns: columns, FullCount: len(sets), Results: []rpc.Row{}}
	for _, s := range sets {
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: acl.Collections, Key: s.ID}}, Row: values(s)})
	}
	return out
}

// GetObjectCollections lists the sets of a type of object that the caller may view, by name; those of all types when none is
// named. Errors: collection.type. devices.yaml n 326.
func (n Collections) GetObjectCollections(ctx context.Context, c *op.Call, in Kind) (rpc.Query, error) {
	sets, err := n.Sets.List(ctx, c, collection.Filter{Object: in.ObjectType, Sub: in.SubObjectType})
	return listed(setColumns, sets, func(s collection.Set) []any {
		return []any{s.ID, s.Name, s.Object, s.Kind, s.Description}
	}), err
}

// GetObjectCollectionsAndFilters lists the sets of a type of object that the caller may view, with what selects their members:
// of manual sets ID in ('a','b').
//
// Description is left out where it is empty. Errors: collection.type. devices.yaml n 327.
func (n Collections) GetObjectCollectionsAndFilters(ctx context.Context, c *op.Call, in Listing) (rpc.Query, error) {
	sets, err := n.Sets.List(ctx, c, collection.Filter{Object: in.ObjectType, Sub: in.SubObjectType, Kind: in.CollectionType})
	if err != nil {
		return rpc.Query{}, err
	}
	keys, err := n.Sets.Keys(ctx, c, sets)
	return listed(filterColumns, sets, func(s collection.Set) []any {
		about := any(s.Description)
		if s.Description == "" {
			about = rpc.Absent
		}
		return []any{s.ID, s.Name, about, s.Kind, s.Object, filters(s, keys[s.ID])}
	}), err
}

// Reference is what refers to a set.
type Reference struct {
	Type string `json:"Type"` // PolicyLink
	ID   string `json:"ID"`   // path of the policy set
	Name string `json:"Name"`
}

// GetCollectionReferences lists what refers to a set: the policy sets whose link names it. While there are any it cannot be
// deleted. Errors: collection.not_found, acl.denied. devices.yaml n 322.
func (n Collections) GetCollectionReferences(ctx context.Context, c *op.Call, in Ref) ([]Reference, error) {
	rs, err := n.Sets.References(ctx, c, in.ID)
	out := []Reference{}
	for _, r := range rs {
		out = append(out, Reference{r.Kind, r.ID, r.Name})
	}
	return out, err
}

// Form is the blank form of a set.
type Form struct {
	ObjectType      string   `json:"ObjectType"`
	SubObjectType   string   `json:"SubObjectType"`
	CollectionTypes []string `json:"CollectionTypes"`
	DefaultSQL      string   `json:"DefaultSql"` // a query that finds all objects of the type
	Rights          []Option `json:"Rights"`     // that the set can give on its members; none where objects carry no entries
}

// Option is a right that can be chosen.
type Option struct {
	Name  string `json:"Name"`
	Title string `json:"Title"`
}

// Check wants a type.
func (k *Blank) Check() error { return required("ObjectType", k.ObjectType) }

// Blank asks for a form.
type Blank struct{ Kind }

// GetCollectionTemplate gives the blank form for a set of a type of object. Errors: collection.type. devices.yaml n 324.
func (n Collections) GetCollectionTemplate(_ context.Context, _ *op.Call, in Blank) (Form, error) {
	t, err := n.Sets.Type(in.ObjectType)
	if err != nil {
		return Form{}, err
	}
	out := Form{
		ObjectType: t.Name, SubObjectType: in.SubObjectType, CollectionTypes: []string{collection.Manual, collection.Dynamic},
		DefaultSQL: "SELECT ID, " + t.Title + " FROM " + t.Report, Rights: []Option{},
	}
	if t.Direct {
		for _, b := range t.Bits {
			out.Rights = append(out.Rights, Option{b.Name, b.Name})
		}
	}
	return out, nil
}
