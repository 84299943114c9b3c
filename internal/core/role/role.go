// Package role is who holds what: roles, their members and their rights. Built-in roles are Everybody and System
// Administrator. Whether somebody is in Everybody is a flag of the person (core/user).
package role

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/right"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Ids of the built-in roles (roles.yaml, head).
const (
	Everybody = "Everybody"
	System    = "sysadmin"
)

// Kinds of roles.
const (
	Static  = "PrincipalList"
	Dynamic = "Script"
	Open    = "Everybody"
)

// Faults of roles.
var (
	ErrNotFound  = fault.New(fault.NotFound, "role.not_found", "The requested data or its dependent data was not found in the service.")
	ErrMember    = fault.New(fault.NotFound, "role.member_not_found", "The requested data or its dependent data was not found in the service.")
	ErrNameTaken = fault.New(fault.Exists, "role.name_taken", "A role of that name already exists.")
	ErrBuiltIn   = fault.New(fault.Denied, "role.built_in", "A built-in role cannot be changed in this way.")
	ErrEverybody = fault.New(fault.Denied, "role.everybody", "The members of the role Everybody cannot be changed here.")
	ErrDynamic   = fault.New(fault.Denied, "role.dynamic", "The members of a dynamic role come from its script.")
	ErrSystem    = fault.New(fault.Denied, "role.system", "Only system administrators may change who is a system administrator.")
	ErrCycle     = fault.New(fault.Invalid, "role.cycle", "A role cannot contain itself, directly or through others.")
	ErrRight     = fault.New(fault.Invalid, "role.right", "Specified path is invalid")
	ErrNotHeld   = fault.New(fault.Denied, "role.right_not_held", "Rights, and roles that carry them, can only be given, taken or changed by somebody who holds these rights, and for no longer than they do.")
	ErrGroup     = fault.New(fault.NotFound, "role.group_not_found", "No directory has such a group.")
	ErrLast      = fault.New(fault.Conflict, "role.last_system", "This is the last active system administrator.")
	ErrTooMany   = fault.New(fault.Conflict, "role.too_many", "The tenant has as many roles as it may have.")
)

// maxRoles bounds the roles of a tenant, which are held in memory.
const maxRoles = 10_000

// Role is a set of people that can hold rights. Times are milliseconds since 1970 UTC.
type Role struct {
	ID          string `db:"id"` // UUID with underscores, or the literal id of a built-in role
	Name        string `db:"name"`
	Description string `db:"description"`
	Kind        string `db:"kind"`
	BuiltIn     bool   `db:"built_in"`
	Org         string `db:"org"` // id of the organization, over which and below which its rights reach; empty: none, they reach everywhere
	Created     int64  `db:"created"`
	Changed     int64  `db:"changed"`
	Version     int64  `db:"version"`
}

// Membership is what a person holds at a moment.
type Membership struct {
	Roles []string   // ids of every role the person is in: Everybody, direct and nested; sorted
	Held  right.Held // the rights of these roles
	Until time.Time  // next moment at which a from or until changes it; zero when none does
}

// Roles are the roles of the call's tenant.
//
// The version of the role Everybody counts every change to the tenant's roles, their nesting and their rights. Of reads
// it together with the person's own memberships, so that what is kept in memory is never older than the transaction.
type Roles struct {
	// Changes gets topic "role", item the tenant, when nesting or rights change, and topic "user", item tenant/userID,
	// when a person's own membership does.
	Changes *change.Log
	// Scopes gives what is held over organizations, and which of them are below which; nil: there are none.
	Scopes func(ctx context.Context, c *call.Call) (Scopes, error)
	// Deleted removes what other packages keep of a role, in the transaction that deletes it.
	Deleted []func(ctx context.Context, c *call.Call, roleID string) error

	// Moved hears, in the same transaction, who joined or left a static role; an empty id: roles joined or left roles.
	Moved func(ctx context.Context, c *call.Call, userID string) error

	// Rated hears, in the same transaction, that roles give other rights than before, or may soon. May be nil.
	Rated func(ctx context.Context, c *call.Call) error
	// Chosen lists by which attributes people can make themselves members of a dynamic role; none: it may carry rights. May be
	// nil.
	Chosen func(ctx context.Context, c *call.Call, roleID string) ([]string, error)

	// Beyond says whether a role of an organization gives its members something besides rights that the caller does not have. May be nil.
	Beyond func(ctx context.Context, c *call.Call, org, roleID string) (bool, error)

	// DB is for reading the roles of large tenants in the background, when what is in memory no longer holds; nil: whoever
	// needs them next reads them.
	DB *dbx.DB

	cache   cache
	unions  unions
	anchors anchors
	reading sync.Map // tenants whose roles are being read
}

// Scopes is what people and roles hold over organizations. It is kept in memory with the tenant's roles, and read only:
// whoever changes what it is made of says so by Touch.
type Scopes struct {
	Tree right.Tree
	Held map[Holder][]Scope
}

// Holder is who holds something over an organization.
type Holder struct {
	Kind string // User or Sub
	ID   string // UUID of the person, id of the role
}

// Scope is a right over an organization and all below it. Times are milliseconds since 1970 UTC.
type Scope struct {
	Org          string
	Right        right.Right
	Since, Until int64 // 0: at once, without end
}

// Of is what a person holds at c.Now. It costs one indexed query while nothing changes; ErrMember when there is no such
// person.
func (r *Roles) Of(ctx context.Context, c *call.Call, userID string) (Membership, error) {
	w, err := r.walk(ctx, c, userID)
	if err != nil {
		return Membership{}, err
	}
	return w.membership(), nil
}

// Carried is a role with the paths of the rights that it carries.
type Carried struct {
	Role
	Paths []string // sorted
}

// Carries lists the roles that a person is in at c.Now, as Of does, by their ids, each with the rights that it carries.
func (r *Roles) Carries(ctx context.Context, c *call.Call, userID string) ([]Carried, error) {
	w, err := r.walk(ctx, c, userID)
	if err != nil {
		return nil, err
	}
	var out []Carried
	for _, id := range slices.Sorted(maps.Keys(w.in)) {
		out = append(out, Carried{w.s.roles[id], w.s.paths(id, w.now)})
	}
	return out, nil
}

// walk gathers the roles that a person is in.
func (r *Roles) walk(ctx context.Context, c *call.Call, userID string) (*walk, error) {
	rows, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrMember
	}
	w := &walk{now: c.Now.UnixMilli(), in: map[string]bool{}, people: []string{userID}}
	var roots []string
	if rows[0].Everybody {
		roots = append(roots, Everybody)
	}
	for _, m := range rows {
		if m.Role != nil && w.during(*m.Since, *m.Until) {
			roots = append(roots, *m.Role)
		}
	}
	if w.s, err = r.upward(ctx, c, rows[0].Version, userID); err != nil {
		return nil, err
	}
	for _, id := range roots {
		w.enter(id)
	}
	return w, nil
}

// IsSystem says whether a person is a system administrator at c.Now.
func (r *Roles) IsSystem(ctx context.Context, c *call.Call, userID string) (bool, error) {
	m, err := r.Of(ctx, c, userID)
	return m.Held.System(), err
}

// Gives is what a role gives its members at c.Now, by itself and by the roles it is in.
func (r *Roles) Gives(ctx context.Context, c *call.Call, roleID string) (right.Held, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return right.Held{}, err
	}
	w := walk{s: s, now: c.Now.UnixMilli(), in: map[string]bool{}}
	w.enter(roleID)
	return w.membership().Held, nil
}

// Direct says whether a person is a direct member of a role, whatever the window.
func (r *Roles) Direct(ctx context.Context, c *call.Call, roleID, userID string) (bool, error) {
	n, err := direct.One(ctx, c.Tx, c.Tenant.ID, roleID, userID)
	return n > 0, err
}
