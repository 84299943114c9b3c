package role

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Lengths of a role's texts, in bytes.
const (
	maxName        = 200
	maxDescription = 4000
)

// New is a role to be made.
type New struct {
	Name        string // required, unique in the tenant without regard to case
	Description string
	Kind        string // Static when empty
	Org         string // id of the organization that it belongs to; empty: none
}

func checkTexts(name, description string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fault.Blank("Name")
	case len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fault.Bad("Name", "may have %d bytes and no control characters", maxName)
	case len(description) > maxDescription || !utf8.ValidString(description):
		return fault.Bad("Description", "may have %d bytes", maxDescription)
	}
	return nil
}

// Create makes a role and gives its id.
func (r *Roles) Create(ctx context.Context, c *call.Call, n New) (Role, error) {
	if err := checkTexts(n.Name, n.Description); err != nil {
		return Role{}, err
	}
	if n.Kind == "" {
		n.Kind = Static
	}
	if n.Kind != Static && n.Kind != Dynamic {
		return Role{}, fault.Bad("RoleType", "must be PrincipalList or Script")
	}
	have, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return Role{}, err
	}
	if have >= maxRoles {
		return Role{}, ErrTooMany
	}
	role := Role{
		ID: strings.ReplaceAll(c.NewID(), "-", "_"), Name: strings.TrimSpace(n.Name), Description: n.Description,
		Kind: n.Kind, Org: n.Org, Created: c.Now.UnixMilli(), Changed: c.Now.UnixMilli(), Version: 1,
	}
	if err := put(ctx, c, role); err != nil {
		return Role{}, err
	}
	r.noted(c, role, "", nil)
	return role, r.touched(ctx, c)
}

func put(ctx context.Context, c *call.Call, r Role) error {
	n, err := insert.Do(ctx, c.Tx, c.Tenant.ID, r.ID, r.Name, fold.Key(r.Name), r.Description, r.Kind, r.BuiltIn, r.Org, r.Created, r.Changed)
	if err == nil && n == 0 {
		return ErrNameTaken.Say("Role with name %s already exists.", r.Name)
	}
	if err != nil {
		return err
	}
	return number.Give(ctx, c, number.Role, r.ID)
}

// BuiltIn makes the built-in roles of the call's tenant, which is new.
func (r *Roles) BuiltIn(ctx context.Context, c *call.Call) error {
	now := c.Now.UnixMilli()
	for _, role := range []Role{
		{ID: Everybody, Name: "Everybody", Description: "All users of this tenant", Kind: Open},
		{ID: System, Name: "System Administrator", Description: "Full administration of this tenant", Kind: Static},
	} {
		role.BuiltIn, role.Created, role.Changed = true, now, now
		if err := put(ctx, c, role); err != nil {
			return err
		}
	}
	return nil
}

// touched counts a change to roles, nesting or rights, and publishes it.
func (r *Roles) touched(ctx context.Context, c *call.Call) error {
	if _, err := bump.Do(ctx, c.Tx, c.Tenant.ID); err != nil {
		return err
	}
	return r.Changes.Put(ctx, c, "role", c.Tenant.ID)
}

// rated says that roles give other rights than before.
func (r *Roles) rated(ctx context.Context, c *call.Call) error {
	if r.Rated == nil {
		return nil
	}
	return r.Rated(ctx, c)
}

// Get finds a role by its id or its name.
func (r *Roles) Get(ctx context.Context, c *call.Call, idOrName string) (Role, error) {
	return Find(ctx, c, idOrName)
}

// Find finds a role by its id or its name. It needs nothing but the transaction, so that inputs can resolve which one they
// name.
func Find(ctx context.Context, c *call.Call, idOrName string) (Role, error) {
	if len(idOrName) > 4*maxName {
		return Role{}, ErrNotFound
	}
	role, err := byID.One(ctx, c.Tx, c.Tenant.ID, idOrName)
	if errors.Is(err, dbx.ErrNoRow) {
		role, err = byName.One(ctx, c.Tx, c.Tenant.ID, fold.Key(idOrName))
	}
	if errors.Is(err, dbx.ErrNoRow) {
		return Role{}, ErrNotFound
	}
	return role, err
}

// List gives every role of the tenant by its name; there are at most some thousand.
func (r *Roles) List(ctx context.Context, c *call.Call) ([]Role, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.list), nil
}

// Rename changes a role's name and description. The caller must hold the rights that the role carries: others find it by
// its name.
func (r *Roles) Rename(ctx context.Context, c *call.Call, roleID, name, description string) error {
	if err := checkTexts(name, description); err != nil {
		return err
	}
	if err := r.touched(ctx, c); err != nil { // first: it lets one such change happen at a time
		return err
	}
	role, err := r.changeable(ctx, c, roleID, false)
	if err == nil {
		err = r.outranked(ctx, c, role.ID, moment(c))
	}
	if err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if role.BuiltIn && name != role.Name {
		return ErrBuiltIn
	}
	if n, err := taken.One(ctx, c.Tx, c.Tenant.ID, fold.Key(name), role.ID); err != nil {
		return err
	} else if n > 0 {
		return ErrNameTaken.Say("Role with name %s already exists.", name)
	}
	if _, err := update.Do(ctx, c.Tx, name, fold.Key(name), description, c.Now.UnixMilli(), c.Tenant.ID, role.ID); err != nil {
		return err
	}
	if err := r.calls(ctx, c, Sub, role.ID, fold.Key(name)); err != nil {
		return err
	}
	r.noted(c, role, "", nil)
	if c.Event != nil {
		call.Changed(c.Event, "Name", role.Name, name)
		call.Changed(c.Event, "Description", role.Description, description)
	}
	if name == role.Name {
		return nil
	}
	return r.moved(ctx, c, "")
}

// Delete removes a role with its memberships and rights. The caller must hold the rights that the role carries.
func (r *Roles) Delete(ctx context.Context, c *call.Call, roleID string) error {
	role, err := r.changeable(ctx, c, roleID, true)
	switch {
	case errors.Is(err, ErrEverybody) || err == nil && role.BuiltIn:
		return ErrBuiltIn
	case err == nil:
		err = r.outranked(ctx, c, role.ID, moment(c))
	}
	if err != nil {
		return err
	}
	return r.kept(ctx, c, role.ID, func() error {
		in, err := dropNested.All(ctx, c.Tx, c.Tenant.ID, role.ID)
		if err != nil {
			return err
		}
		if err := r.recount(ctx, c, in, -1); err != nil {
			return err
		}
		for _, e := range []dbx.Exec{dropRights, dropMembers, dropTally, remove} {
			if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, role.ID); err != nil {
				return err
			}
		}
		if err := number.Drop(ctx, c, number.Role, role.ID); err != nil {
			return err
		}
		for _, gone := range r.Deleted {
			if err := gone(ctx, c, role.ID); err != nil {
				return err
			}
		}
		if err := r.moved(ctx, c, ""); err != nil {
			return err
		}
		r.noted(c, role, "", nil)
		return r.touched(ctx, c)
	})
}

// Touch counts a change to what is held over organizations, and publishes it. It comes before what it is about is read:
// it lets one such change happen at a time.
func (r *Roles) Touch(ctx context.Context, c *call.Call) error {
	if err := r.touched(ctx, c); err != nil {
		return err
	}
	return r.rated(ctx, c)
}

// Version counts the changes to the tenant's roles, their nesting and rights, and its organizations.
func (r *Roles) Version(ctx context.Context, c *call.Call) (int64, error) {
	return version.One(ctx, c.Tx, c.Tenant.ID)
}

// SetOrg puts a role into an organization, or into none. As its rights reach elsewhere then, the caller must hold what it
// gives its members afterwards. Faults: ErrNotFound, ErrBuiltIn, ErrNotHeld.
func (r *Roles) SetOrg(ctx context.Context, c *call.Call, roleID, org string) error {
	if err := r.touched(ctx, c); err != nil {
		return err
	}
	role, err := r.changeable(ctx, c, roleID, false)
	switch {
	case errors.Is(err, ErrEverybody) || err == nil && role.BuiltIn:
		return ErrBuiltIn
	case err != nil:
		return err
	}
	r.noted(c, role, "", nil)
	if role.Org == org {
		return nil
	}
	if err := r.outranked(ctx, c, role.ID, moment(c)); err != nil { // what it gives up
		return err
	}
	if _, err := setOrg.Do(ctx, c.Tx, org, c.Now.UnixMilli(), c.Tenant.ID, role.ID); err != nil {
		return err
	}
	if err := r.touched(ctx, c); err != nil { // what it gives is to be read anew
		return err
	}
	if err = r.outranked(ctx, c, role.ID, endless); err == nil && c.Event != nil {
		call.Changed(c.Event, "OrgId", role.Org, org)
	}
	return err
}
