package collections

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/acl"
	"limen/internal/core/grant"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
)

// Grant is what a principal is to have on a set.
type Grant struct {
	// Principal is a login name, or the name of a role. It serves where PrincipalId is absent.
	Principal string `json:"Principal"`
	// PrincipalID is a person's UUID, or a role's id.
	PrincipalID string `json:"PrincipalId"`
	// PType is User or Role; absent: User.
	PType string `json:"PType" also:"PrincipalType"`
	// Rights are names between commas: Grant, View, Edit, Delete; or None, which takes everything. Required.
	Rights string `json:"Rights"`
	// From is when it begins, RFC 3339; at once when absent.
	From op.Opt[time.Time] `json:"From"`
	// Until is when it ends by itself, RFC 3339; never when absent.
	Until op.Opt[time.Time] `json:"Until"`
	// Reason says why it is given; up to 1000 bytes.
	Reason string `json:"Reason"`
}

func (g Grant) check() error {
	if err := required("Rights", g.Rights); err != nil {
		return err
	}
	if err := required("PrincipalId", g.PrincipalID+g.Principal); err != nil {
		return err
	}
	if _, ok := kinds[strings.ToLower(g.PType)]; !ok {
		return fault.Bad("PType", "must be User, Role or Group")
	}
	return nil
}

var kinds = map[string]string{"": role.User, "user": role.User, "role": role.Sub, "group": role.Group}

// Permissions is what principals are to have on a set.
type Permissions struct {
	// ID is the set's UUID; required, here or in PVID or RowKey.
	ID string `json:"ID"`
	// PVID is the same UUID.
	PVID string `json:"PVID"`
	// RowKey is the same UUID.
	RowKey string `json:"RowKey"`
	// Grants are the principals with their rights, at least one and at most 1000.
	Grants []Grant `json:"Grants" rpc:"one"`
}

// Check wants one set, and whole grants.
func (p *Permissions) Check() error {
	for _, id := range []string{p.PVID, p.RowKey} {
		if p.ID == "" {
			p.ID = id
		}
		if id != "" && !strings.EqualFold(id, p.ID) {
			return fault.Bad("PVID", "must be the same as ID")
		}
	}
	if err := required("ID", p.ID); err != nil {
		return err
	}
	switch {
	case len(p.Grants) == 0:
		return fault.Missing("Grants")
	case len(p.Grants) > maxEntries:
		return ErrMany.Say("At most %d principals can be named in one call.", maxEntries)
	}
	for _, g := range p.Grants {
		if err := g.check(); err != nil {
			return err
		}
	}
	return nil
}

// SetCollectionPermissions sets the rights that principals have on a set: each one named ends with exactly the rights named,
// those not named keep theirs.
//
// The caller needs Grant on the set, and every right that they give, change or take, for as long as they give it. Whoever may
// not look people or roles up names them by id. From, Until and Reason go beyond the contract. Rights on the members of a set
// are given by the operations of their type. Errors: collection.not_found, acl.denied, acl.right, acl.principal_not_found,
// acl.right_not_held, acl.too_many beyond 1,000 entries. devices.yaml n 329.
func (n Collections) SetCollectionPermissions(ctx context.Context, c *op.Call, in Permissions) (op.None, error) {
	t, err := n.Lists.Table(acl.Collections)
	if err != nil {
		return op.None{}, err
	}
	if _, _, err := n.Sets.Get(ctx, c, in.ID); err != nil {
		return op.None{}, err // before anything is told of principals
	}
	var gs []acl.Given
	for _, g := range in.Grants {
		mask, err := t.Parse(g.Rights)
		if err != nil {
			return op.None{}, err
		}
		kind := kinds[strings.ToLower(g.PType)]
		id, err := n.principal(ctx, c, kind, g)
		if err != nil {
			return op.None{}, err
		}
		gs = append(gs, acl.Given{
			Kind: kind, Principal: id, Mask: mask, Since: g.From.Or(time.Time{}), Until: g.Until.Or(time.Time{}), Reason: strings.TrimSpace(g.Reason),
		})
	}
	return op.None{}, n.Sets.Permit(ctx, c, in.ID, gs...)
}

// principal finds whom a grant is for: by id, and by name whom the caller may look up.
func (n Collections) principal(ctx context.Context, c *op.Call, kind string, g Grant) (string, error) {
	ref := strings.TrimSpace(g.PrincipalID)
	if ref == "" {
		ref = strings.TrimSpace(g.Principal)
	}
	within := grant.Rows(ref, strings.ToLower(ref))
	for _, of := range n.Lists.Tables {
		if of.Self != kind {
			continue
		}
		for _, r := range append(append([]right.Right{}, of.Govern...), of.See...) {
			if c.Caller.Held.Everywhere(r) {
				within = grant.All()
			}
		}
	}
	found, err := n.Roles.Principals(ctx, c, within, kind, ref)
	if err != nil {
		if fault.Of(err).Kind == fault.NotFound {
			err = acl.ErrPrincipal.At("PrincipalId")
		}
		return "", err
	}
	return found[0].ID, nil
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
