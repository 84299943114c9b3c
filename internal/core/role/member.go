package role

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Kinds of members.
const (
	User  = "User"
	Group = "Group"
	Sub   = "Role"
)

// Member is somebody or something to be put into a role.
type Member struct {
	Kind   string    // User, Group or Sub
	ID     string    // UUID of a person or group, id of a role
	Since  time.Time // zero: at once
	Until  time.Time // zero: without end
	Reason string
}

// maxReason is the length of a reason in bytes.
const maxReason = 1000

func (m Member) check() error {
	switch {
	case m.Kind != User && m.Kind != Group && m.Kind != Sub:
		return fault.Bad("Type", "must be User, Group or Role")
	case m.ID == "" || len(m.ID) > 255:
		return ErrMember
	case len(m.Reason) > maxReason:
		return fault.Bad("Reason", "may have %d bytes", maxReason)
	case !m.Until.IsZero() && !m.Until.After(m.Since):
		return fault.Bad("Until", "must be later than the beginning")
	}
	return nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Add puts members into a role. Somebody who is in it already gets the new window. Faults: ErrNotFound, ErrMember,
// ErrEverybody, ErrDynamic, ErrSystem, ErrCycle.
func (r *Roles) Add(ctx context.Context, c *call.Call, roleID string, ms ...Member) error {
	role, err := r.open(ctx, c, roleID, ms)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if err := m.check(); err != nil {
			return err
		}
		if err := r.exists(ctx, c, m); err != nil {
			return err
		}
		if m.Kind == Sub {
			if err := r.acyclic(ctx, c, role.ID, m.ID); err != nil {
				return err
			}
		}
		if _, err := join.Do(ctx, c.Tx, c.Tenant.ID, role.ID, m.Kind, m.ID, millis(m.Since), millis(m.Until), m.Reason, c.User()); err != nil {
			return err
		}
	}
	r.noted(c, role, "Added", ms)
	return r.changed(ctx, c, ms)
}

// Remove takes members out of a role; who is not in it is no error. Faults: as Add, and ErrLast.
func (r *Roles) Remove(ctx context.Context, c *call.Call, roleID string, ms ...Member) error {
	role, err := r.open(ctx, c, roleID, ms)
	if err != nil {
		return err
	}
	return r.kept(ctx, c, role.ID, func() error {
		for _, m := range ms {
			if _, err := leave.Do(ctx, c.Tx, c.Tenant.ID, role.ID, m.Kind, m.ID); err != nil {
				return err
			}
		}
		r.noted(c, role, "Removed", ms)
		return r.changed(ctx, c, ms)
	})
}

// Join puts a new person into the role System, which only a system administrator or the server's own command line may
// do. It is one INSERT and checks nothing else; the caller has just created the person.
func (r *Roles) Join(ctx context.Context, c *call.Call, userID string) error {
	if !mayTouchSystem(c) {
		return ErrSystem
	}
	_, err := join.Do(ctx, c.Tx, c.Tenant.ID, System, User, userID, int64(0), int64(0), "", c.User())
	return err
}

// open finds a role whose members the caller may change.
func (r *Roles) open(ctx context.Context, c *call.Call, roleID string, ms []Member) (Role, error) {
	role, err := r.changeable(ctx, c, roleID, slices.ContainsFunc(ms, func(m Member) bool { return m.Kind == Sub }))
	if err == nil && role.Kind == Dynamic {
		err = ErrDynamic
	}
	return role, err
}

// changeable finds a role that the caller may change; nests says that nesting is about to change.
func (r *Roles) changeable(ctx context.Context, c *call.Call, roleID string, nests bool) (Role, error) {
	if nests {
		if _, err := bump.Do(ctx, c.Tx, c.Tenant.ID); err != nil {
			return Role{}, err
		}
	}
	role, err := r.Get(ctx, c, roleID)
	switch {
	case err != nil:
		return Role{}, err
	case role.Kind == Open:
		return Role{}, ErrEverybody
	}
	if !mayTouchSystem(c) {
		s, err := r.now(ctx, c)
		if err != nil {
			return Role{}, err
		}
		if s.into(System, 0, true)[role.ID] {
			return Role{}, ErrSystem
		}
	}
	return role, nil
}

// mayTouchSystem says whether the caller may change who is a system administrator.
func mayTouchSystem(c *call.Call) bool {
	return c.Caller != nil && (c.Caller.Held.System() || c.Caller.Means == call.ByShell)
}

func (r *Roles) exists(ctx context.Context, c *call.Call, m Member) error {
	var err error
	switch m.Kind {
	case User:
		_, err = person.One(ctx, c.Tx, c.Tenant.ID, m.ID)
	case Sub:
		if m.ID == Everybody { // everybody a member of something else would make its rights everybody's unseen
			return ErrEverybody
		}
		_, err = byID.One(ctx, c.Tx, c.Tenant.ID, m.ID)
	}
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrMember
	}
	return err
}

// acyclic refuses to make child a member of parent when parent is, however indirectly, a member of child.
func (r *Roles) acyclic(ctx context.Context, c *call.Call, parent, child string) error {
	s, err := load(ctx, c, 0)
	if err != nil {
		return err
	}
	if s.into(child, 0, true)[parent] {
		return ErrCycle
	}
	return nil
}

func (r *Roles) noted(c *call.Call, role Role, what string, ms []Member) {
	if c.Event == nil {
		return
	}
	if c.Event.Target == "" {
		c.Event.Target, c.Event.Kind, c.Event.Name = role.ID, "Role", role.Name
	}
	var ids []string
	for _, m := range ms {
		ids = append(ids, m.Kind+" "+m.ID)
	}
	if len(ids) > 0 {
		c.Event.Set(what, ids)
	}
}

func (r *Roles) changed(ctx context.Context, c *call.Call, ms []Member) error {
	all := false
	for _, m := range ms {
		if m.Kind != User {
			all = true
			continue
		}
		if err := r.Changes.Put(ctx, c, "user", c.Tenant.ID+"/"+m.ID); err != nil {
			return err
		}
	}
	if all {
		return r.Changes.Put(ctx, c, "role", c.Tenant.ID)
	}
	return nil
}

// Keep makes a change to a person that may end their administration: deletes, locks, disables. ErrLast when nobody
// active is left to administer the tenant.
func (r *Roles) Keep(ctx context.Context, c *call.Call, userID string, change func() error) error {
	is, err := r.IsSystem(ctx, c, userID)
	if err != nil {
		return err
	}
	if !is {
		return change()
	}
	return r.kept(ctx, c, System, change)
}

// kept makes a change to a role's members; ErrLast when it leaves no active system administrator.
func (r *Roles) kept(ctx context.Context, c *call.Call, roleID string, change func() error) error {
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	if !s.into(System, 0, true)[roleID] {
		return change()
	}
	// Two who remove each other at the same time must see each other's change.
	if _, err := lockSys.One(ctx, c.Tx, c.Tenant.ID); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	if s, err = load(ctx, c, 0); err != nil {
		return err
	}
	return anyLeft(ctx, c, s, dbx.Clause{})
}

// anyLeft fails with ErrLast when no active system administrator meets the condition.
func anyLeft(ctx context.Context, c *call.Call, s *snapshot, where dbx.Clause) error {
	now := c.Now.UnixMilli()
	roles := slices.Sorted(maps.Keys(s.into(System, now, false)))
	left, err := active.Rows(ctx, c.Tx, dbx.And(dbx.In("role", roles...), where), nil, 1, c.Tenant.ID, now)
	if err == nil && len(left) == 0 {
		return ErrLast
	}
	return err
}

// Others fails with ErrLast when a person is the last active system administrator, before anything is changed.
func (r *Roles) Others(ctx context.Context, c *call.Call, userID string) error {
	is, err := r.IsSystem(ctx, c, userID)
	if err != nil || !is {
		return err
	}
	if _, err := lockSys.One(ctx, c.Tx, c.Tenant.ID); err != nil {
		return err
	}
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	return anyLeft(ctx, c, s, dbx.Ne("member", userID))
}

// Gone forgets a person who is being deleted.
func (r *Roles) Gone(ctx context.Context, c *call.Call, userID string) error {
	_, err := leaveAll.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// After is where a page of members begins: behind the member with this kind and id.
type After struct{ Kind, ID string }

// Members lists the direct members of a role, by kind and id, as far as the grant allows: holders of a grant over
// some organizations see the people in those only.
func (r *Roles) Members(ctx context.Context, c *call.Call, g grant.Grant, roleID string, after After, limit int) ([]MemberRow, error) {
	order := []dbx.Order{{Column: "kind"}, {Column: "member"}}
	var where []dbx.Clause
	if !g.Everything() {
		where = append(where, dbx.Eq("kind", User), dbx.Or(dbx.In("org", g.Orgs()...), dbx.In("member", g.Rows()...)))
	}
	if after != (After{}) {
		where = append(where, dbx.After(order, after.Kind, after.ID))
	}
	return members.Rows(ctx, c.Tx, dbx.And(where...), order, limit, c.Tenant.ID, roleID)
}
