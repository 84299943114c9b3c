package organizations

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Window is when what is given holds, and why. It is beyond the contract.
type Window struct {
	// From is when it begins, RFC 3339; at once when absent.
	From op.Opt[time.Time] `json:"From"`
	// Until is when it ends by itself, RFC 3339; never when absent.
	Until op.Opt[time.Time] `json:"Until"`
	// Reason says why it is given; up to 1000 bytes, shown in lists and kept in the event.
	Reason string `json:"Reason"`
}

func (w Window) term() role.Term {
	return role.Term{Since: w.From.Or(time.Time{}), Until: w.Until.Or(time.Time{}), Reason: strings.TrimSpace(w.Reason)}
}

// Member is a person or role.
type Member struct {
	// ID is a person's UUID or login name, or a role's id or name; required.
	ID string `json:"ID" also:"Uuid,Guid"`
	// Type is User or Role; absent: User.
	Type string `json:"Type"`
	// DirectoryServiceUuid is that of the built-in directory, or absent: there is no other.
	DirectoryServiceUuid string `json:"DirectoryServiceUuid"`
}

// UnmarshalJSON takes a bare id, too: it is a person's.
func (m *Member) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '"' {
		*m = Member{}
		return json.Unmarshal(b, &m.ID)
	}
	type plain Member
	return json.Unmarshal(b, (*plain)(m))
}

func (m Member) check(field string) error {
	switch {
	case strings.TrimSpace(m.ID) == "":
		return fault.Missing(field + ".ID")
	case m.Type != "" && !strings.EqualFold(m.Type, role.User) && !strings.EqualFold(m.Type, role.Sub):
		return fault.Bad("Type", "must be User or Role")
	case m.DirectoryServiceUuid != "" && !strings.EqualFold(m.DirectoryServiceUuid, user.Source):
		return org.ErrMember.At("DirectoryServiceUuid")
	}
	return nil
}

func checkAll(add, remove []Member, plus, minus string) error {
	switch {
	case len(add)+len(remove) == 0:
		return fault.Missing(plus)
	case len(add)+len(remove) > maxEntries:
		return ErrMany.Say("At most %d members can be changed in one call.", maxEntries)
	}
	for _, m := range add {
		if err := m.check(plus); err != nil {
			return err
		}
	}
	for _, m := range remove {
		if err := m.check(minus); err != nil {
			return err
		}
	}
	return nil
}

func (o Organizations) principals(ctx context.Context, c *op.Call, ms []Member) ([]org.Principal, error) {
	var out []org.Principal
	for _, m := range ms {
		p, err := o.Orgs.Principal(ctx, c, m.Type, m.ID)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Membership is who joins an organization and who leaves it.
type Membership struct {
	// Add are people and roles that join, out of the organization they were in.
	Add []Member `json:"Add" rpc:"one"`
	// Remove are people and roles that belong to the organization and leave it, for none.
	Remove []Member `json:"Remove" rpc:"one"`
	Window
	Ref
}

// Check wants somebody.
func (m *Membership) Check() error {
	if err := m.Ref.Check(); err != nil {
		return err
	}
	return checkAll(m.Add, m.Remove, "Add", "Remove")
}

// ChangeMembership moves people and roles into an organization or out of it: all of them, or none. At most 1,000 in one call.
//
// Everybody is in one organization at most, so that whoever joins leaves another. The rights of a role in an organization
// reach over that and all below it, and no further. From and Until, beyond the contract, have people join for a time: they move
// when it begins and return to where they were within a second of its end; Remove has them return at once. A move for good in
// between ends it. organizations.yaml n 144.
func (o Organizations) ChangeMembership(ctx context.Context, c *op.Call, in Membership) (op.None, error) {
	add, err := o.principals(ctx, c, in.Add)
	if err != nil {
		return op.None{}, err
	}
	remove, err := o.principals(ctx, c, in.Remove)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, o.Orgs.Join(ctx, c, in.found.ID, add, remove, in.term())
}

// Appointment is who becomes administrator and who is one no longer.
type Appointment struct {
	// Grant are people, and roles, that become administrators.
	Grant []Member `json:"Grant" rpc:"one"`
	// Revoke are people, as UUIDs or objects, and roles that are administrators no longer.
	Revoke []Member `json:"Revoke" rpc:"one"`
	Window
	Ref
}

// Check wants somebody.
func (a *Appointment) Check() error {
	if err := a.Ref.Check(); err != nil {
		return err
	}
	return checkAll(a.Grant, a.Revoke, "Grant", "Revoke")
}

// UpdateAdministrators makes people or roles administrators of an organization and all below it, or takes that from them.
//
// Who holds nothing over the organization yet is given User Management, Role Management and MFA Unlock; who holds something
// by UpdatePermission keeps exactly that. Who is an administrator no longer loses what they hold over it. The same person may
// administer several organizations, which the original refuses. organizations.yaml n 147.
func (o Organizations) UpdateAdministrators(ctx context.Context, c *op.Call, in Appointment) (op.None, error) {
	grant, err := o.principals(ctx, c, in.Grant)
	if err != nil {
		return op.None{}, err
	}
	revoke, err := o.principals(ctx, c, in.Revoke)
	if err != nil {
		return op.None{}, err
	}
	appointed := make([]org.Appointee, len(grant))
	for i, p := range grant {
		appointed[i] = org.Appointee{Principal: p, Term: in.term()}
	}
	return op.None{}, o.Orgs.Appoint(ctx, c, in.found.ID, appointed, revoke)
}

// Grant is rights for somebody.
type Grant struct {
	// Right holds names or paths of rights: User Management, Role Management, MFA Unlock, Read Only User Management or Read Only
	// Role Management; required.
	Right []string `json:"Right" rpc:"one"`
	// Principal is a person's UUID or login name, or a role's id or name; required.
	Principal string `json:"Principal"`
	// PrincipalType is User or Role; absent: User.
	PrincipalType string `json:"PrincipalType"`
	Window
}

func (g Grant) check() error {
	if strings.TrimSpace(g.Principal) == "" {
		return fault.Missing("Principal")
	}
	if len(g.Right) == 0 {
		return fault.Missing("Right")
	}
	_, err := g.rights()
	return err
}

func (g Grant) rights() (out []right.Right, err error) {
	for _, name := range g.Right {
		r, err := org.ParseRight(name)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Permissions are rights over an organization to be given and taken.
type Permissions struct {
	// Grant are rights that are given.
	Grant []Grant `json:"Grant" rpc:"one"`
	// Revoke are rights that are taken.
	Revoke []Grant `json:"Revoke" rpc:"one"`
	Ref
}

// Check wants some.
func (p *Permissions) Check() error {
	if err := p.Ref.Check(); err != nil {
		return err
	}
	switch n := len(p.Grant) + len(p.Revoke); {
	case n == 0:
		return fault.Missing("Grant")
	case n > maxEntries:
		return ErrMany.Say("At most %d grants can be changed in one call.", maxEntries)
	}
	for _, g := range append(slices.Clone(p.Grant), p.Revoke...) {
		if err := g.check(); err != nil {
			return err
		}
	}
	return nil
}

func (o Organizations) held(ctx context.Context, c *op.Call, gs []Grant) ([]org.Held, error) {
	var out []org.Held
	for _, g := range gs {
		p, err := o.Orgs.Principal(ctx, c, g.PrincipalType, g.Principal)
		if err != nil {
			return nil, err
		}
		rs, err := g.rights()
		if err != nil {
			return nil, err
		}
		out = append(out, org.Held{Principal: p, Term: g.term(), Rights: rs})
	}
	return out, nil
}

// UpdatePermission gives people and roles single rights over an organization and all below it, or takes them. It answers what
// is held over the organization then, as GetPermission does. organizations.yaml n 148.
func (o Organizations) UpdatePermission(ctx context.Context, c *op.Call, in Permissions) ([]Permission, error) {
	grant, err := o.held(ctx, c, in.Grant)
	if err != nil {
		return nil, err
	}
	revoke, err := o.held(ctx, c, in.Revoke)
	if err != nil {
		return nil, err
	}
	if err := o.Orgs.Permit(ctx, c, in.found.ID, grant, revoke); err != nil {
		return nil, err
	}
	return o.GetPermission(ctx, c, in.Ref)
}
