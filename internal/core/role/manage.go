package role

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/right"
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
	return err
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

// Get finds a role by its id or its name.
func (r *Roles) Get(ctx context.Context, c *call.Call, idOrName string) (Role, error) {
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
	out := make([]Role, 0, len(s.roles))
	for _, role := range s.roles {
		out = append(out, role)
	}
	slices.SortFunc(out, func(a, b Role) int { return strings.Compare(fold.Key(a.Name), fold.Key(b.Name)) })
	return out, nil
}

// Rename changes a role's name and description.
func (r *Roles) Rename(ctx context.Context, c *call.Call, roleID, name, description string) error {
	if err := checkTexts(name, description); err != nil {
		return err
	}
	role, err := r.Get(ctx, c, roleID)
	if err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if role.BuiltIn && name != role.Name {
		return ErrBuiltIn
	}
	if err := r.touched(ctx, c); err != nil { // first: it lets one such change happen at a time
		return err
	}
	if n, err := taken.One(ctx, c.Tx, c.Tenant.ID, fold.Key(name), role.ID); err != nil {
		return err
	} else if n > 0 {
		return ErrNameTaken.Say("Role with name %s already exists.", name)
	}
	if _, err := update.Do(ctx, c.Tx, name, fold.Key(name), description, c.Now.UnixMilli(), c.Tenant.ID, role.ID); err != nil {
		return err
	}
	r.noted(c, role, "", nil)
	if c.Event != nil {
		call.Changed(c.Event, "Name", role.Name, name)
		call.Changed(c.Event, "Description", role.Description, description)
	}
	return nil
}

// Delete removes a role with its memberships and rights.
func (r *Roles) Delete(ctx context.Context, c *call.Call, roleID string) error {
	role, err := r.changeable(ctx, c, roleID, true)
	switch {
	case errors.Is(err, ErrEverybody) || err == nil && role.BuiltIn:
		return ErrBuiltIn
	case err != nil:
		return err
	}
	return r.kept(ctx, c, role.ID, func() error {
		for _, e := range []dbx.Exec{dropRights, dropMembers, dropNested, remove} {
			if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, role.ID); err != nil {
				return err
			}
		}
		for _, gone := range r.Deleted {
			if err := gone(ctx, c, role.ID); err != nil {
				return err
			}
		}
		r.noted(c, role, "", nil)
		return r.touched(ctx, c)
	})
}

// Touch counts a change to what is held over organizations, and publishes it. It comes before what it is about is read:
// it lets one such change happen at a time.
func (r *Roles) Touch(ctx context.Context, c *call.Call) error { return r.touched(ctx, c) }

// Version counts the changes to the tenant's roles, their nesting and rights, and its organizations.
func (r *Roles) Version(ctx context.Context, c *call.Call) (int64, error) {
	return version.One(ctx, c.Tx, c.Tenant.ID)
}

// SetOrg puts a role into an organization, or into none. As its rights reach elsewhere then, the caller must hold what it
// gives its members afterwards. Faults: ErrNotFound, ErrBuiltIn, ErrNotHeld.
func (r *Roles) SetOrg(ctx context.Context, c *call.Call, roleID, org string) error {
	role, err := r.rightsOf(ctx, c, roleID)
	switch {
	case err != nil:
		return err
	case role.BuiltIn:
		return ErrBuiltIn
	case role.Org == org:
		return nil
	}
	if _, err := setOrg.Do(ctx, c.Tx, org, c.Now.UnixMilli(), c.Tenant.ID, role.ID); err != nil {
		return err
	}
	if err := r.touched(ctx, c); err != nil { // what it gives is to be read anew
		return err
	}
	gives, err := r.Gives(ctx, c, role.ID)
	if err == nil && !mayTouchSystem(c) && (c.Caller == nil || !c.Caller.Held.Covers(gives)) {
		err = ErrNotHeld
	}
	if err == nil && c.Event != nil {
		call.Changed(c.Event, "OrgId", role.Org, org)
	}
	return err
}

// Given is a right that a role carries.
type Given struct {
	Path         string // as the contract names it, /lib/rights/dsman.json
	Since, Until time.Time
	Reason       string
}

// maxService is the length of a path of another service's right.
const maxService = 200

// canonical finds the path of a right, or keeps the path of another service's.
func canonical(path string) (string, right.Right, error) {
	if known := right.Parse(path); known != right.None {
		return known.Info().Path, known, nil
	}
	if rest, ok := strings.CutPrefix(path, "ServiceRight/"); ok && rest != "" && len(path) <= maxService && !strings.ContainsFunc(rest, notPath) {
		return path, right.None, nil
	}
	return "", right.None, ErrRight
}

func notPath(r rune) bool { return r <= ' ' || r >= 0x7f }

// Assign gives rights to a role; one it carries already gets the new window. The caller must hold each.
func (r *Roles) Assign(ctx context.Context, c *call.Call, roleID string, gs ...Given) error {
	role, err := r.rightsOf(ctx, c, roleID)
	if err != nil {
		return err
	}
	var paths []string
	for _, g := range gs {
		path, known, err := canonical(g.Path)
		if err != nil {
			return err
		}
		if !mayGive(c, role, known) {
			return ErrNotHeld
		}
		if m := (Member{Kind: User, ID: "-", Since: g.Since, Until: g.Until, Reason: g.Reason}); m.check() != nil {
			return m.check()
		}
		if _, err := giveRight.Do(ctx, c.Tx, c.Tenant.ID, role.ID, path, millis(g.Since), millis(g.Until), g.Reason, c.User()); err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if c.Event != nil {
		c.Event.Set("RightsAdded", paths)
	}
	return nil
}

// Unassign takes rights from a role; one it does not carry is no error. The caller must hold each.
func (r *Roles) Unassign(ctx context.Context, c *call.Call, roleID string, paths ...string) error {
	role, err := r.rightsOf(ctx, c, roleID)
	if err != nil {
		return err
	}
	for _, p := range paths {
		path, known, err := canonical(p)
		if err != nil {
			return err
		}
		if !mayGive(c, role, known) {
			return ErrNotHeld
		}
		if _, err := takeRight.Do(ctx, c.Tx, c.Tenant.ID, role.ID, path); err != nil {
			return err
		}
	}
	if c.Event != nil {
		c.Event.Set("RightsRemoved", paths)
	}
	return nil
}

func (r *Roles) rightsOf(ctx context.Context, c *call.Call, roleID string) (Role, error) {
	if err := r.touched(ctx, c); err != nil {
		return Role{}, err
	}
	role, err := r.Get(ctx, c, roleID)
	if err == nil {
		r.noted(c, role, "", nil)
	}
	return role, err
}

// mayGive says whether the caller holds a right where the role gives it: over its organization, or everywhere.
func mayGive(c *call.Call, to Role, known right.Right) bool {
	return c.Caller != nil && (c.Caller.Means == call.ByShell || c.Caller.Held.System() || known != right.None && c.Caller.Held.Over(known, to.Org))
}

// Rights lists the paths of the rights that a role carries at c.Now, by path.
func (r *Roles) Rights(ctx context.Context, c *call.Call, roleID string) ([]string, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	w := walk{now: c.Now.UnixMilli()}
	out := []string{}
	for _, h := range s.rights[roleID] {
		if w.during(h.since, h.until) {
			out = append(out, h.path)
		}
	}
	slices.Sort(out)
	return out, nil
}
