// Package org is the tree of organizations: units of a tenant with members of their own, whom people that administer the
// organization look after. Members are people and roles, each in one organization at most; which one is a column of theirs.
// Administrators hold rights over an organization and everything below it (core/role makes that part of what they hold).
package org

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of organizations.
var (
	ErrNotFound  = fault.New(fault.NotFound, "org.not_found", "The requested data or its dependent data was not found in the service.")
	ErrNameTaken = fault.New(fault.Exists, "org.name_taken", "An organization of that name already exists.")
	ErrCycle     = fault.New(fault.Invalid, "org.cycle", "An organization cannot be below itself.")
	ErrDeep      = fault.New(fault.Conflict, "org.too_deep", "Organizations can be 10 levels deep at most.")
	ErrTooMany   = fault.New(fault.Conflict, "org.too_many", "The tenant has as many organizations as it may have.")
	ErrBelow     = fault.New(fault.Conflict, "org.has_children", "The organization has others below it. Delete or move these first.")
	ErrRoles     = fault.New(fault.Conflict, "org.has_roles", "The organization has roles that carry rights, which would reach everywhere without it. Delete or move these first.")
	ErrMember    = fault.New(fault.NotFound, "org.member_not_found", "The requested data or its dependent data was not found in the service.")
	ErrRight     = fault.New(fault.Invalid, "org.right", "The right is unknown, or it cannot be held over an organization.")
	ErrElsewhere = fault.New(fault.NotFound, "org.not_member", "A member that is to be removed does not belong to the organization.")
)

// Bounds of the tree, which is held in memory.
const (
	MaxOrgs        = 20_000
	maxDepth       = 10
	maxName        = 100
	maxDescription = 4000
	maxGrants      = 3 * MaxOrgs
)

// Org is an organization. Times are milliseconds since 1970 UTC.
type Org struct {
	ID          string `db:"id"`
	Parent      string `db:"parent"` // id of the organization above; empty at the top
	Name        string `db:"name"`   // unique among its siblings, whatever the case
	Description string `db:"description"`
	Path        string `db:"path"`  // the names from the top down, each behind a slash: /Sales/East
	Trail       string `db:"trail"` // the ids from the top down, each with a slash behind it
	Created     int64  `db:"created"`
	Changed     int64  `db:"changed"`
}

// Orgs are the organizations of the call's tenant. What changes the tree or who holds what first counts the tenant's
// roles' version on (role.Roles.Touch), so that one such change happens at a time and nothing kept in memory is older than
// the transaction.
type Orgs struct {
	People *user.Directory
	Roles  *role.Roles

	// Gone forgets what other packages keep of an organization, in the transaction that deletes it.
	Gone []func(ctx context.Context, c *call.Call, id string) error

	// DB and Act are for Run: Act makes a change of a tenant in a transaction of its own, as the server itself, with an event of
	// the kind.
	DB  *dbx.DB
	Act func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error

	// Made hears of an organization in the transaction that makes it.
	Made []func(ctx context.Context, c *call.Call, id string) error

	cache  cache // with names
	shapes cache // without
}

// Rights can be held over an organization: those that act on people and roles.
var Rights = []right.Right{right.UserManagement, right.RoleManagement, right.MfaUnlock, right.ReadUsers, right.ReadRoles}

// defaults are what an administrator is given who holds nothing over the organization yet.
var defaults = []right.Right{right.UserManagement, right.RoleManagement, right.MfaUnlock}

// Default is the set of rights that an administrator is given.
func Default() right.Set { return right.Of(defaults...) }

// ParseRight finds a right that can be held over an organization, by its name or path; ErrRight otherwise.
func ParseRight(s string) (right.Right, error) {
	r := right.Parse(s)
	if !slices.Contains(Rights, r) {
		return right.None, ErrRight.At("Right").Say("%.100q is not a valid value of Right. Valid are %s.", s, names())
	}
	return r, nil
}

func names() string {
	var out []string
	for _, r := range Rights {
		out = append(out, r.String())
	}
	return strings.Join(out, ", ")
}

func checkTexts(name, description string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fault.Blank("Name")
	case len(name) > maxName || !utf8.ValidString(name):
		return fault.Bad("Name", "may have %d bytes", maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return r == '/' || unicode.IsControl(r) }):
		return fault.Bad("Name", "may have no slash and no control characters")
	case len(description) > maxDescription || !utf8.ValidString(description):
		return fault.Bad("Description", "may have %d bytes", maxDescription)
	}
	return nil
}

// New is an organization to be made.
type New struct {
	Name        string // required
	Description string
	Parent      string // id or path of the organization above; empty, or a slash: none
}

// Create makes an organization. Faults: ErrNameTaken, ErrNotFound for the parent, ErrDeep, ErrTooMany.
func (o *Orgs) Create(ctx context.Context, c *call.Call, n New) (Org, error) {
	if err := checkTexts(n.Name, n.Description); err != nil {
		return Org{}, err
	}
	if err := o.Roles.Touch(ctx, c); err != nil {
		return Org{}, err
	}
	t, err := o.near(ctx, c, n.Parent, n.Name)
	if err != nil {
		return Org{}, err
	}
	out := Org{ID: c.NewID(), Name: strings.TrimSpace(n.Name), Description: n.Description, Created: c.Now.UnixMilli(), Changed: c.Now.UnixMilli()}
	if err := t.place(&out, n.Parent); err != nil {
		return Org{}, err
	}
	if _, err := insert.Do(ctx, c.Tx, c.Tenant.ID, out.ID, out.Parent, out.Name, out.Description, out.Path, fold.Key(out.Path), out.Trail, out.Created, out.Changed); err != nil {
		return Org{}, err
	}
	if err := number.Give(ctx, c, number.Organization, out.ID); err != nil {
		return Org{}, err
	}
	if err := tell(ctx, c, o.Made, out.ID); err != nil {
		return Org{}, err
	}
	if err := o.grew(ctx, c); err != nil {
		return Org{}, err
	}
	noted(c, out)
	if c.Event != nil {
		c.Event.Set("Path", out.Path)
	}
	return out, nil
}

func tell(ctx context.Context, c *call.Call, all []func(ctx context.Context, c *call.Call, id string) error, id string) error {
	for _, f := range all {
		if err := f(ctx, c, id); err != nil {
			return err
		}
	}
	return nil
}

// noted says in the event which organization the call is about.
func noted(c *call.Call, org Org) {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = org.ID, "Organization", org.Path
	}
}

// Change is a partial change of an organization: what is nil stays.
type Change struct {
	Name        *string
	Description *string
	Parent      *string // id or path; empty, or a slash: none
}

// Change renames or moves an organization, with the paths of all below it, or describes it anew. Faults: as Create,
// ErrCycle, and role.ErrNotHeld.
func (o *Orgs) Change(ctx context.Context, c *call.Call, id string, ch Change) (Org, error) {
	if err := o.Roles.Touch(ctx, c); err != nil {
		return Org{}, err
	}
	t, err := o.tree(ctx, c)
	if err != nil {
		return Org{}, err
	}
	old, ok := t.byID[id]
	if !ok {
		return Org{}, ErrNotFound
	}
	now, parent := old, old.Parent
	set(&now.Name, ch.Name)
	set(&now.Description, ch.Description)
	set(&parent, ch.Parent)
	now.Name = strings.TrimSpace(now.Name)
	if err := checkTexts(now.Name, now.Description); err != nil {
		return Org{}, err
	}
	if err := t.place(&now, parent); err != nil {
		return Org{}, err
	}
	noted(c, old)
	if now == old {
		return old, nil
	}
	if now.Parent != old.Parent { // whoever holds something over the new parent comes by it over this one
		if err := o.Roles.Opens(ctx, c, id, now.Parent, time.Time{}, ^right.Set(0)); err != nil {
			return Org{}, err
		}
	}
	return now, o.move(ctx, c, old, now)
}

func set(to, from *string) {
	if from != nil {
		*to = *from
	}
}

// move stores an organization as it is now, and where those below it are.
func (o *Orgs) move(ctx context.Context, c *call.Call, old, now Org) error {
	at := c.Now.UnixMilli()
	if _, err := update.Do(ctx, c.Tx, now.Parent, now.Name, now.Description, now.Path, fold.Key(now.Path), now.Trail, at, c.Tenant.ID, now.ID); err != nil {
		return err
	}
	if now.Path != old.Path || now.Trail != old.Trail {
		behind := func(s string) int { return utf8.RuneCountInString(s) + 1 }
		_, err := repath.Do(ctx, c.Tx, now.Path, behind(old.Path), fold.Key(now.Path), behind(fold.Key(old.Path)), now.Trail, behind(old.Trail), at,
			c.Tenant.ID, old.Trail, strings.TrimSuffix(old.Trail, "/")+"0")
		if err != nil {
			return err
		}
	}
	if err := o.grew(ctx, c); err != nil {
		return err
	}
	if e := c.Event; e != nil {
		call.Changed(e, "Name", old.Name, now.Name)
		call.Changed(e, "Description", old.Description, now.Description)
		call.Changed(e, "Parent", old.Parent, now.Parent)
		call.Changed(e, "Path", old.Path, now.Path)
	}
	return nil
}

// Delete removes an organization with what is held over it. The people in it belong to none then, and so do roles that carry
// no rights. Faults: ErrNotFound, ErrBelow, ErrRoles.
func (o *Orgs) Delete(ctx context.Context, c *call.Call, id string) error {
	if err := o.Roles.Touch(ctx, c); err != nil {
		return err
	}
	t, err := o.tree(ctx, c)
	if err != nil {
		return err
	}
	org, ok := t.byID[id]
	switch {
	case !ok:
		return ErrNotFound
	case t.height(id) > 0:
		return ErrBelow
	}
	roles, err := rolesIn.All(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil {
		return err
	}
	for _, r := range roles {
		paths, err := o.Roles.Rights(ctx, c, r)
		if err != nil {
			return err
		}
		if len(paths) > 0 {
			return ErrRoles
		}
	}
	noted(c, org)
	if err := o.empty(ctx, c, id, roles); err != nil {
		return err
	}
	if err := number.Drop(ctx, c, number.Organization, id); err != nil {
		return err
	}
	if err := tell(ctx, c, o.Gone, id); err != nil {
		return err
	}
	for _, e := range []dbx.Exec{dropRights, dropAdmins, remove} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
			return err
		}
	}
	if err := o.grew(ctx, c); err != nil {
		return err
	}
	return o.Roles.Touch(ctx, c)
}

// grew counts a change to the tree, or to what is held over it.
func (o *Orgs) grew(ctx context.Context, c *call.Call) error {
	_, err := bump.Do(ctx, c.Tx, c.Tenant.ID)
	return err
}

// near is as much of the tree as a new organization needs: the one above it, and one of its name there. ErrTooMany when there
// is no room.
func (o *Orgs) near(ctx context.Context, c *call.Call, parent, name string) (*tree, error) {
	n, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	if n >= MaxOrgs {
		return nil, ErrTooMany.Say("A tenant may have %d organizations.", MaxOrgs)
	}
	path, rows := "", []Org{}
	if !none(parent) {
		above, err := o.Find(ctx, c, parent)
		if errors.Is(err, ErrNotFound) {
			err = ErrNotFound.At("Parent")
		}
		if err != nil {
			return nil, err
		}
		path, rows = above.Path, append(rows, above)
	}
	same, err := byPath.All(ctx, c.Tx, c.Tenant.ID, fold.Key(path+"/"+strings.TrimSpace(name)))
	return plant(append(rows, same...)), err
}
