package collections

import (
	"context"

	"limen/internal/core/collection"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Member is an object in a set.
type Member struct {
	// MemberType is Row, or absent.
	MemberType string `json:"MemberType"`
	// Table is the type of the object, that of the set; required.
	Table string `json:"Table"`
	// Key is the object's ID; required.
	Key string `json:"Key"`
}

// Shift is what goes into a set and what goes out of it.
type Shift struct {
	Ref
	// Add are objects to be added, which the caller may view.
	Add []Member `json:"Add" rpc:"one"`
	// Remove are members to be taken out.
	Remove []Member `json:"Remove" rpc:"one"`
}

// Check wants a set, and whole members.
func (s *Shift) Check() error {
	if err := s.Ref.Check(); err != nil {
		return err
	}
	if len(s.Add)+len(s.Remove) > maxEntries {
		return ErrMany.Say("At most %d members can be changed in one call.", maxEntries)
	}
	for _, m := range append(append([]Member{}, s.Add...), s.Remove...) {
		if err := required("Key", m.Key); err != nil {
			return err
		}
		if err := required("Table", m.Table); err != nil {
			return err
		}
		if m.MemberType != "" && m.MemberType != row {
			return fault.Bad("MemberType", "must be Row")
		}
	}
	return nil
}

// row is the one type of member.
const row = "Row"

func named(ms []Member) (out []collection.Member) {
	for _, m := range ms {
		out = append(out, collection.Member{Table: m.Table, Key: m.Key})
	}
	return out
}

// UpdateMembersCollection adds objects to a manual set and takes others out: all of it, or nothing.
//
// Adding what is in the set, and taking out what is not, are no errors. Where the set gives others rights on its members, the
// caller must hold these on what they add, and Grant with them: nobody gives by a set what they may not give. Errors:
// collection.not_found, acl.denied, collection.dynamic, collection.type for objects of another type,
// collection.member_not_found for what does not exist or the caller may not view, acl.right_not_held, collection.too_many
// beyond 10,000 members. devices.yaml n 331.
func (n Collections) UpdateMembersCollection(ctx context.Context, c *op.Call, in Shift) (op.None, error) {
	return op.None{}, n.Sets.Shift(ctx, c, in.ID, named(in.Add), named(in.Remove))
}

// GetBucketContents reads the list of members that a manual set keeps, by key, whoever may view them. Errors:
// collection.not_found, acl.denied, collection.manual of a dynamic set. devices.yaml n 319.
func (n Collections) GetBucketContents(ctx context.Context, c *op.Call, in Ref) ([]Member, error) {
	set, keys, err := n.Sets.Stored(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Member, len(keys))
	for i, key := range keys {
		out[i] = Member{row, set.Object, key}
	}
	return out, nil
}

// seek finds the members of a dynamic set before there is a transaction.
func (n Collections) seek(ctx context.Context, c *op.Call, in Ref) (collection.Found, error) {
	return n.Sets.Seek(ctx, c, in.ID)
}

// GetMembers lists the members of a set that the caller may view: of a manual set by key, of a dynamic one what its query finds
// now, in its order.
//
// Errors: collection.not_found, acl.denied, and those of scripts where the query no longer works. devices.yaml n 325.
func (n Collections) GetMembers(ctx context.Context, c *op.Call, _ Ref, found collection.Found) ([]Member, error) {
	t, rows, err := n.Sets.Members(ctx, c, found)
	if err != nil {
		return nil, err
	}
	out := make([]Member, len(rows))
	for i, r := range rows {
		out[i] = Member{row, t.Name, r.ID}
	}
	return out, nil
}

var memberColumns = []rpc.Column{{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name"}, {Name: "Table"}}

// GetResolvedMembers lists the members of a set with their names, as GetMembers does. devices.yaml n 328.
func (n Collections) GetResolvedMembers(ctx context.Context, c *op.Call, _ Ref, found collection.Found) (rpc.Query, error) {
	t, rows, err := n.Sets.Members(ctx, c, found)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: memberColumns, FullCount: len(rows), Results: []rpc.Row{}}
	for _, r := range rows {
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: t.Name, Key: r.ID}}, Row: []any{r.ID, r.Name, t.Name}})
	}
	return out, nil
}
