package role

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
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

func (m Member) check(now time.Time) error {
	switch {
	case m.Kind != User && m.Kind != Group && m.Kind != Sub:
		return fault.Bad("Type", "must be User, Group or Role")
	case m.ID == "" || len(m.ID) > 255:
		return ErrMember
	case len(m.Reason) > maxReason:
		return fault.Bad("Reason", "may have %d bytes", maxReason)
	case !utf8.ValidString(m.Reason):
		return fault.Bad("Reason", "must be text")
	}
	return window(m.Since, m.Until, now)
}

// window refuses windows that are never open.
func window(since, until, now time.Time) error {
	switch {
	case until.IsZero():
	case !until.After(since):
		return fault.Bad("Until", "must be later than the beginning")
	case !until.After(now):
		return fault.Bad("Until", "must lie ahead")
	}
	return nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Add puts members into a role. Somebody who is in it already gets the new window. The caller must hold every right that
// the role carries, and for as long. Faults: ErrNotFound, ErrMember, ErrEverybody, ErrDynamic, ErrSystem, ErrCycle,
// ErrNotHeld.
func (r *Roles) Add(ctx context.Context, c *call.Call, roleID string, ms ...Member) error {
	role, err := r.open(ctx, c, roleID, ms)
	if err != nil {
		return err
	}
	stays := int64(0)
	for _, m := range ms {
		if err := m.check(c.Now); err != nil {
			return err
		}
		stays = max(stays, end(millis(m.Until)))
	}
	if err := r.outranked(ctx, c, role.ID, stays); err != nil {
		return err
	}
	if err := r.acyclic(ctx, c, role.ID, ms); err != nil {
		return err
	}
	if err := r.enters(ctx, c, role.ID, ms...); err != nil {
		return err
	}
	if slices.ContainsFunc(ms, nested) {
		if err := r.unchosen(ctx, c, role.ID); err != nil {
			return err
		}
	}
	r.noted(c, role, "Added", ms)
	return r.changed(ctx, c, ms)
}

// enters puts members into a role, or changes the windows of those who are in it.
func (r *Roles) enters(ctx context.Context, c *call.Call, roleID string, ms ...Member) error {
	more := int64(0)
	for _, m := range ms {
		n, err := r.enter(ctx, c, roleID, m)
		if err != nil {
			return err
		}
		more += n
	}
	if len(ms) == 0 {
		return nil
	}
	return r.counted(ctx, c, roleID, more)
}

// enter gives 1 when there is a member more, and 0 when one got another window.
func (r *Roles) enter(ctx context.Context, c *call.Call, roleID string, m Member) (int64, error) {
	key, err := r.nameKey(ctx, c, m)
	if err != nil {
		return 0, err
	}
	since, until := millis(m.Since), millis(m.Until)
	for { // a member may leave just between the two
		n, err := join.Do(ctx, c.Tx, c.Tenant.ID, roleID, m.Kind, m.ID, key, since, until, m.Reason, c.User())
		if err != nil || n > 0 {
			return n, err
		}
		n, err = rejoin.Do(ctx, c.Tx, key, since, until, m.Reason, c.User(), c.Tenant.ID, roleID, m.Kind, m.ID)
		if err != nil || n > 0 {
			return 0, err
		}
	}
}

// Remove takes members out of a role; who is not in it is no error. The caller must hold the rights that the role
// carries: nobody disarms those who may do more. Faults: as Add, and ErrLast.
func (r *Roles) Remove(ctx context.Context, c *call.Call, roleID string, ms ...Member) error {
	role, err := r.open(ctx, c, roleID, ms)
	if err == nil {
		err = r.outranked(ctx, c, role.ID, moment(c))
	}
	if err != nil {
		return err
	}
	return r.kept(ctx, c, role.ID, func() error {
		if err := r.leaves(ctx, c, role.ID, ms...); err != nil {
			return err
		}
		r.noted(c, role, "Removed", ms)
		return r.changed(ctx, c, ms)
	})
}

// leaves takes members out of a role.
func (r *Roles) leaves(ctx context.Context, c *call.Call, roleID string, ms ...Member) error {
	gone := int64(0)
	for _, m := range ms {
		n, err := leave.Do(ctx, c.Tx, c.Tenant.ID, roleID, m.Kind, m.ID)
		if err != nil {
			return err
		}
		gone += n
	}
	if gone == 0 {
		return nil
	}
	return r.counted(ctx, c, roleID, -gone)
}

// Join puts a new person into the role System, which only a system administrator or the server's own command line may
// do. It checks nothing else; the caller has just created the person.
func (r *Roles) Join(ctx context.Context, c *call.Call, userID string) error {
	if !mayTouchSystem(c) {
		return ErrSystem
	}
	if err := r.outranked(ctx, c, System, endless); err != nil {
		return err
	}
	return r.enters(ctx, c, System, Member{Kind: User, ID: userID})
}

// open finds a role whose members the caller may change.
func (r *Roles) open(ctx context.Context, c *call.Call, roleID string, ms []Member) (Role, error) {
	role, err := r.changeable(ctx, c, roleID, slices.ContainsFunc(ms, nested))
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
	r.noted(c, role, "", nil)
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

// nameKey finds a member and gives the key of its name, by which lists are sorted.
func (r *Roles) nameKey(ctx context.Context, c *call.Call, m Member) (key string, err error) {
	switch m.Kind {
	case User:
		key, err = person.One(ctx, c.Tx, c.Tenant.ID, m.ID)
	case Sub:
		if m.ID == Everybody { // everybody a member of something else would make its rights everybody's unseen
			return "", ErrEverybody
		}
		var sub Role
		sub, err = byID.One(ctx, c.Tx, c.Tenant.ID, m.ID)
		key = fold.Key(sub.Name)
	default:
		return "", ErrGroup
	}
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrMember
	}
	return key, err
}

// acyclic refuses to make roles members of parent when parent is, however indirectly, a member of one of them.
func (r *Roles) acyclic(ctx context.Context, c *call.Call, parent string, ms []Member) error {
	if !slices.ContainsFunc(ms, nested) {
		return nil
	}
	s, err := r.now(ctx, c)
	if err != nil {
		return err
	}
	above := s.reached(map[string]int64{parent: endless}, func(_, _ int64) bool { return true })
	for _, m := range ms {
		if _, in := above[m.ID]; in && m.Kind == Sub {
			return ErrCycle
		}
	}
	return nil
}

func nested(m Member) bool { return m.Kind == Sub }

func (r *Roles) noted(c *call.Call, role Role, what string, ms []Member) {
	if c.Event == nil {
		return
	}
	if c.Event.Target == "" {
		c.Event.Target, c.Event.Kind, c.Event.Name = role.ID, "Role", role.Name
	}
	var ids []string
	for _, m := range ms {
		ids = append(ids, m.Kind+" "+m.ID+during(m.Since, m.Until))
		if m.Reason != "" {
			c.Event.Set("Reason", m.Reason)
		}
	}
	if len(ids) > 0 {
		c.Event.Set(what, ids)
	}
}

// during tells of a window in an event; nothing when it is always open.
func during(since, until time.Time) string {
	var out string
	if !since.IsZero() {
		out += " from " + since.UTC().Format(time.RFC3339)
	}
	if !until.IsZero() {
		out += " until " + until.UTC().Format(time.RFC3339)
	}
	return out
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
		if err := r.moved(ctx, c, m.ID); err != nil {
			return err
		}
	}
	if !all {
		return nil
	}
	if err := r.moved(ctx, c, ""); err != nil {
		return err
	}
	if err := r.rated(ctx, c); err != nil {
		return err
	}
	return r.Changes.Put(ctx, c, "role", c.Tenant.ID)
}

func (r *Roles) moved(ctx context.Context, c *call.Call, userID string) error {
	if r.Moved == nil {
		return nil
	}
	return r.Moved(ctx, c, userID)
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
	if s, err = r.load(ctx, c, 0); err != nil {
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

// Renamed follows a person's new login name in the lists of members.
func (r *Roles) Renamed(ctx context.Context, c *call.Call, userID, nameKey string) error {
	return r.calls(ctx, c, User, userID, nameKey)
}

// calls gives a member another name in the roles that it is in.
func (r *Roles) calls(ctx context.Context, c *call.Call, kind, id, nameKey string) error {
	in, err := called.All(ctx, c.Tx, nameKey, c.Tenant.ID, kind, id)
	if err != nil {
		return err
	}
	return r.recount(ctx, c, in, 0)
}

// recount notes a change of each of some roles' members.
func (r *Roles) recount(ctx context.Context, c *call.Call, roles []string, n int64) error {
	for _, id := range roles {
		if err := r.counted(ctx, c, id, n); err != nil {
			return err
		}
	}
	return nil
}

// Gone forgets a person who is being deleted.
func (r *Roles) Gone(ctx context.Context, c *call.Call, userID string) error {
	in, err := leaveAll.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return err
	}
	return r.recount(ctx, c, in, -1)
}
