package policies

import (
	"context"
	"strings"

	"limen/internal/core/policy"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Plink is a link: which policy set applies to whom. What else its rows have is taken and not needed.
type Plink struct {
	// ID is the path of the policy set, as PolicySet.
	ID string `json:"ID"`
	// PolicySet is the path "/Policy/<name>", required unless ID is given.
	PolicySet string `json:"PolicySet"`
	// LinkType is Global, Role, Collection or Inactive; absent or empty, it stays as it is.
	LinkType string `json:"LinkType"`
	// Params are ids of roles for Role, and of sets for Collection. Absent or null, they stay as they are, if the type does or
	// becomes Inactive: some clients read links without them, and send back what they have read.
	Params op.Opt[[]string] `json:"Params" rpc:"one"`
}

// Listed reads links as clients give them.
func Listed(given []Plink) ([]policy.Listed, error) {
	out := make([]policy.Listed, len(given))
	for i, l := range given {
		path := l.PolicySet
		if strings.TrimSpace(path) == "" {
			path = l.ID
		}
		if err := required("PolicySet", path); err != nil {
			return nil, err
		}
		out[i].Path = path
		if strings.TrimSpace(l.LinkType) != "" {
			t, err := policy.ParseLinkType(l.LinkType)
			if err != nil {
				return nil, err
			}
			out[i].Type = t
		}
		if params, ok := l.Params.Get(); ok {
			out[i].Params = append([]string{}, params...) // none is not the same as nil
		}
	}
	return out, nil
}

// Links are the links of all policy sets, with the revision of the list.
type Links struct {
	rpc.Query
	RevStamp string
}

// AppendJSON writes the table with RevStamp among its members.
func (l Links) AppendJSON(dst []byte) ([]byte, error) {
	dst, err := l.Query.AppendJSON(dst)
	if err != nil {
		return nil, err
	}
	return append(dst[:len(dst)-1], `,"RevStamp":"`+l.RevStamp+`"}`...), nil // digits alone
}

// MarshalJSON is AppendJSON.
func (l Links) MarshalJSON() ([]byte, error) { return l.AppendJSON(nil) }

var linkColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "PolicySet"}, {Name: "Name"}, {Name: "Description"}, {Name: "I18NDescriptionTag"}, {Name: "LinkType"},
	{Name: "Params", Type: rpc.TypeObject}, {Name: "EnableCompliant", Type: rpc.TypeBool}, {Name: "Priority"},
}

// Listing asks for all links.
type Listing struct {
	// Args is taken and not needed: every link comes at once.
	Args page.Args `json:"Args"`
}

// GetNicePlinks lists the links of all policy sets, the one of the highest priority first.
//
// Columns: ID and PolicySet, the path of the set; Name, without "/Policy/"; Description, of the set; I18NDescriptionTag,
// of the default set only; LinkType (Global, Role, Collection, Inactive); Params, ids of roles or sets; EnableCompliant,
// true; Priority, from 1. RevStamp beside Results is the revision of the list, which setPlinksv2 must name.
// policies.yaml n 176.
func (p Policies) GetNicePlinks(ctx context.Context, c *op.Call, _ Listing) (Links, error) {
	blocks, revision, err := p.Policies.Links(ctx, c)
	out := Links{Query: rpc.Query{Columns: linkColumns, FullCount: len(blocks), Results: make([]rpc.Row, len(blocks))}, RevStamp: stamp(revision)}
	for i, b := range blocks {
		tag := rpc.Absent
		if b.BuiltIn() {
			tag = "_I18N_DefaultGlobalPolicyDescriptionTag"
		}
		out.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "PolicyLink", Key: b.Path()}},
			Row:      []any{b.Path(), b.Path(), b.Name, b.Description, tag, string(b.Link.Type), b.Link.Params, true, i + 1},
		}
	}
	return out, err
}

// Ordering is the list of links as it is to be.
type Ordering struct {
	// Plinks are all links in their order, as GetNicePlinks gives them; required.
	Plinks []Plink `json:"Plinks"`
	// RevStamp is that of GetNicePlinks; required.
	RevStamp string `json:"RevStamp"`
	// Confirm makes the change although the caller, or no system administrator at all, could sign in afterwards.
	Confirm bool `json:"Confirm"`
}

// Check wants links and their stamp.
func (o *Ordering) Check() error {
	if len(o.Plinks) == 0 {
		return fault.Missing("Plinks")
	}
	return required("RevStamp", o.RevStamp)
}

// SetPlinks replaces the list of links: their order, whom they are for, whether they are active.
//
// The list must have one link for each policy set. Errors: policy.list_stale, policy.links, policy.link, and the soft error
// _I18N_AdminLockoutPlinksChange as in SavePolicyBlock3. policies.yaml n 190.
func (p Policies) SetPlinks(ctx context.Context, c *op.Call, in Ordering) (Saved, error) {
	links, err := Listed(in.Plinks)
	if err != nil {
		return Saved{}, err
	}
	revision, err := p.Policies.Order(ctx, c, links, unstamp(in.RevStamp), in.Confirm)
	return Saved{stamp(revision)}, p.warned(ctx, c, err)
}
