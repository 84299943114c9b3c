package collections

import (
	"context"
	"strings"

	"limen/internal/core/acl"
	"limen/internal/op"
	"limen/internal/surface/identity/permit"
)

// SetCollectionPermissions sets the rights that principals have on a set: each one named ends with exactly the rights named,
// those not named keep theirs.
//
// The caller needs Grant on the set, and every right that they give, change or take, for as long as they give it. Whoever may
// not look people or roles up names them by id. From, Until and Reason go beyond the contract. Rights on the members of a set
// are given by the operations of their type. Errors: collection.not_found, acl.denied, acl.right, acl.principal_not_found,
// acl.right_not_held, acl.too_many beyond 1,000 entries. devices.yaml n 329.
func (n Collections) SetCollectionPermissions(ctx context.Context, c *op.Call, in permit.Permissions) (op.None, error) {
	t, err := n.Lists.Table(acl.Collections)
	if err != nil {
		return op.None{}, err
	}
	if _, _, err := n.Sets.Get(ctx, c, in.ID); err != nil {
		return op.None{}, err // before anything is told of principals
	}
	gs, err := in.Read(ctx, c, n.Lists, n.Roles, t)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, n.Sets.Permit(ctx, c, in.ID, gs...)
}

// Permission is what a principal has on a set.
type Permission struct {
	Principal   string `json:"Principal"` // login name or name of a role
	PrincipalID string `json:"PrincipalId"`
	PType       string `json:"PType"`     // User or Role
	Rights      string `json:"Rights"`    // names, joined with a comma
	Inherited   bool   `json:"Inherited"` // by an administrative right, not by an entry
}

// GetCollectionPermissions lists who has which rights on a set: by entries first, then by administrative rights.
//
// Errors: collection.not_found, acl.denied. devices.yaml n 321.
func (n Collections) GetCollectionPermissions(ctx context.Context, c *op.Call, in Ref) ([]Permission, error) {
	es, err := n.Sets.Permissions(ctx, c, in.ID)
	out := []Permission{}
	for _, e := range es {
		out = append(out, Permission{e.Name, e.Principal, e.Kind, strings.Join(e.On.Names(e.Mask), ","), e.Source != acl.Direct})
	}
	return out, err
}

// GetCollectionRights gives the names of the caller's rights on a set, joined with a comma, or None. Errors:
// collection.not_found. devices.yaml n 323.
func (n Collections) GetCollectionRights(ctx context.Context, c *op.Call, in Ref) (string, error) {
	names, err := n.Sets.Rights(ctx, c, in.ID)
	if err == nil && len(names) == 0 {
		names = []string{acl.None}
	}
	return strings.Join(names, ","), err
}
