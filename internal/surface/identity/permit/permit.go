// Package permit reads grants: whom an operation of the RPC dialect gives which rights on a row. The operations on sets and on
// applications take them alike (acl.yaml, head).
package permit

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

// ErrMany says that one call names too many principals.
var ErrMany = fault.New(fault.TooLarge, "acl.many", "Too many principals in one call.")

// Faults are those of operations that take grants.
var Faults = []*fault.Error{acl.ErrDenied, acl.ErrNotHeld, acl.ErrPrincipal, acl.ErrRight, acl.ErrMany, ErrMany, fault.ErrMissing, fault.ErrInvalid}

// maxGrants bounds the principals of one call, which is one transaction.
const maxGrants = 1000

// Grant is what a principal is to have on a row.
type Grant struct {
	// Principal is a login name, or the name of a role. It serves where PrincipalId is absent.
	Principal string `json:"Principal"`
	// PrincipalID is a person's UUID, or a role's id.
	PrincipalID string `json:"PrincipalId"`
	// PType is User or Role; absent: User.
	PType string `json:"PType" also:"PrincipalType"`
	// Rights are names between commas, as the table calls them; or None, which takes everything. Required.
	Rights string `json:"Rights"`
	// From is when it begins, RFC 3339; at once when absent.
	From op.Opt[time.Time] `json:"From"`
	// Until is when it ends by itself, RFC 3339; never when absent.
	Until op.Opt[time.Time] `json:"Until"`
	// Reason says why it is given; up to 1000 bytes.
	Reason string `json:"Reason"`
}

func (g Grant) check() error {
	if strings.TrimSpace(g.Rights) == "" {
		return fault.Missing("Rights")
	}
	if strings.TrimSpace(g.PrincipalID+g.Principal) == "" {
		return fault.Missing("PrincipalId")
	}
	if _, ok := kinds[strings.ToLower(g.PType)]; !ok {
		return fault.Bad("PType", "must be User, Role or Group")
	}
	return nil
}

var kinds = map[string]string{"": role.User, "user": role.User, "role": role.Sub, "group": role.Group}

// Permissions is what principals are to have on a row.
type Permissions struct {
	// ID is the row's id; required, here or in PVID or RowKey.
	ID string `json:"ID"`
	// PVID is the same id.
	PVID string `json:"PVID"`
	// RowKey is the same id.
	RowKey string `json:"RowKey"`
	// Grants are the principals with their rights, at least one and at most 1000.
	Grants []Grant `json:"Grants" rpc:"one"`
}

// Check wants one row, and whole grants.
func (p *Permissions) Check() error {
	for _, id := range []string{p.PVID, p.RowKey} {
		if p.ID == "" {
			p.ID = id
		}
		if id != "" && !strings.EqualFold(id, p.ID) {
			return fault.Bad("PVID", "must be the same as ID")
		}
	}
	switch {
	case strings.TrimSpace(p.ID) == "":
		return fault.Missing("ID")
	case len(p.Grants) == 0:
		return fault.Missing("Grants")
	case len(p.Grants) > maxGrants:
		return ErrMany.Say("At most %d principals can be named in one call.", maxGrants)
	}
	for _, g := range p.Grants {
		if err := g.check(); err != nil {
			return err
		}
	}
	return nil
}

// Read finds whom the grants are for, and what rights on a table they name. It comes behind the check that the caller may see
// the row, since it tells of principals.
func (p *Permissions) Read(ctx context.Context, c *op.Call, lists *acl.Lists, roles *role.Roles, t acl.Table) ([]acl.Given, error) {
	var out []acl.Given
	for _, g := range p.Grants {
		mask, err := t.Parse(g.Rights)
		if err != nil {
			return nil, err
		}
		kind := kinds[strings.ToLower(g.PType)]
		id, err := principal(ctx, c, lists, roles, kind, g)
		if err != nil {
			return nil, err
		}
		out = append(out, acl.Given{
			Kind: kind, Principal: id, Mask: mask, Since: g.From.Or(time.Time{}), Until: g.Until.Or(time.Time{}), Reason: strings.TrimSpace(g.Reason),
		})
	}
	return out, nil
}

// principal finds whom a grant is for: by id, and by name whom the caller may look up.
func principal(ctx context.Context, c *op.Call, lists *acl.Lists, roles *role.Roles, kind string, g Grant) (string, error) {
	ref := strings.TrimSpace(g.PrincipalID)
	if ref == "" {
		ref = strings.TrimSpace(g.Principal)
	}
	within := grant.Rows(ref, strings.ToLower(ref))
	for _, of := range lists.Tables {
		if of.Self != kind {
			continue
		}
		for _, r := range append(append([]right.Right{}, of.Govern...), of.See...) {
			if c.Caller.Held.Everywhere(r) {
				within = grant.All()
			}
		}
	}
	found, err := roles.Principals(ctx, c, within, kind, ref)
	if err != nil {
		if fault.Of(err).Kind == fault.NotFound {
			err = acl.ErrPrincipal.At("PrincipalId")
		}
		return "", err
	}
	return found[0].ID, nil
}
