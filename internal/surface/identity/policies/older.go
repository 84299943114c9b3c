package policies

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/policy"
	"limen/internal/fault"
	"limen/internal/op"
)

// older are operations that newer ones stand in for (deprecated.yaml): the same, with other answers.
func (p Policies) older() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Policy/GetPlinks", Allow: reader, Effect: op.Read}, p.GetPlinks),
		op.Prepared(op.Spec{
			Path: "/Policy/SavePolicyBlock2", Paths: []string{"/Policy/SavePolicyBlock"}, Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange,
			Faults: blockFaults,
		}, p.check, p.SavePolicyBlock2),
		op.New(op.Spec{Path: "/Policy/SetPlinks", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange, Faults: linkFaults}, p.ReplacePlinks),
	}
}

// Linked is a link, as the rows of GetNicePlinks.
type Linked struct {
	// ID is the path of the policy set.
	ID string `json:"ID"`
	// PolicySet is the same.
	PolicySet string `json:"PolicySet"`
	// Name is without "/Policy/".
	Name string `json:"Name"`
	// Description is that of the set.
	Description string `json:"Description"`
	// LinkType is Global, Role, Collection or Inactive.
	LinkType string `json:"LinkType"`
	// Params are ids of roles or sets.
	Params []string `json:"Params"`
	// EnableCompliant is true.
	EnableCompliant bool `json:"EnableCompliant"`
	// Priority counts from 1, the highest.
	Priority int `json:"Priority"`
}

// GetPlinks lists the links, the highest priority first, as a plain array. It is the old form of GetNicePlinks. deprecated.yaml n 534.
func (p Policies) GetPlinks(ctx context.Context, c *op.Call, _ op.None) ([]Linked, error) {
	blocks, _, err := p.Policies.Links(ctx, c)
	out := make([]Linked, len(blocks))
	for i, b := range blocks {
		out[i] = Linked{b.Path(), b.Path(), b.Name, b.Description, string(b.Link.Type), b.Link.Params, true, i + 1}
	}
	return out, err
}

// SavePolicyBlock2 is the old form of SavePolicyBlock3: it does the same, and returns the set's new revision alone. deprecated.yaml n 535.
func (p Policies) SavePolicyBlock2(ctx context.Context, c *op.Call, in Saving, checked policy.Settings) (string, error) {
	saved, err := p.SavePolicyBlock3(ctx, c, in, checked)
	return saved.RevStamp, err
}

// Replacing is the list of links as it is to be.
type Replacing struct {
	// Plinks are all links in their order, as GetPlinks gives them; required.
	Plinks []Plink `json:"Plinks"`
	// RevStamp is that of GetNicePlinks; without one the list is replaced whoever changed it meanwhile.
	RevStamp string `json:"RevStamp"`
	// Confirm makes the change although the caller, or no system administrator at all, could sign in afterwards.
	Confirm bool `json:"Confirm"`
}

// Check wants links.
func (r *Replacing) Check() error {
	if len(r.Plinks) == 0 {
		return fault.Missing("Plinks")
	}
	return nil
}

// ReplacePlinks is the old form of setPlinksv2, which needs no RevStamp and returns nothing. deprecated.yaml n 536.
func (p Policies) ReplacePlinks(ctx context.Context, c *op.Call, in Replacing) (op.None, error) {
	links, err := Listed(in.Plinks)
	if err != nil {
		return op.None{}, err
	}
	revision := int64(policy.AnyStamp)
	if in.RevStamp != "" {
		revision = unstamp(in.RevStamp)
	}
	_, err = p.Policies.Order(ctx, c, links, revision, in.Confirm)
	return op.None{}, p.warned(ctx, c, err)
}
