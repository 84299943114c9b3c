package people

import (
	"context"
	"time"

	"limen/internal/core/number"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// UserRef names a user of the workspace.
type UserRef struct {
	// UserID is the person's number, in the path.
	UserID int64 `json:"userId"`
	synerise.Here
	id string
}

// Resolve finds the workspace and the user.
func (u *UserRef) Resolve(ctx context.Context, c *op.Call) error {
	if err := u.Find(ctx, c); err != nil {
		return err
	}
	ids, err := whom(ctx, c, []int64{u.UserID})
	if err == nil {
		u.id = ids[0]
	}
	return err
}

// whom finds people by their numbers. That they are in the workspace is for core/workspace to find out: who is not there, and who is
// elsewhere, looks alike.
func whom(ctx context.Context, c *op.Call, numbers []int64) ([]string, error) {
	of, err := number.Objects(ctx, c, number.User, numbers...)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = of[n]
	}
	return out, nil
}

// GetUser answers a user of the workspace. synerise.yaml, GET /uauth/users/{userId}.
func (p People) GetUser(ctx context.Context, c *op.Call, in UserRef) (User, error) {
	return p.one(ctx, c, in.Workspace().ID, in.id)
}

// UserChange is a partial change: what is absent stays.
type UserChange struct {
	UserRef
	// FirstName is the given name, with which the display name changes; for managed users.
	FirstName op.Opt[string] `json:"firstName"`
	// LastName is the family name, with which the display name changes; for managed users.
	LastName op.Opt[string] `json:"lastName"`
	// Phone is the mobile number; null or empty: none; for managed users.
	Phone op.Opt[string] `json:"phone"`
	// RoleIDs are the numbers of all roles of the workspace that the user is to have.
	RoleIDs op.Opt[[]int64] `json:"roleIds"`
}

// Check bounds the roles.
func (u *UserChange) Check() error {
	if ids, ok := u.RoleIDs.Get(); ok && len(ids) > wire.MaxIDs {
		return fault.Bad("roleIds", "may name %d roles", wire.MaxIDs)
	}
	return nil
}

func (u *UserChange) data() bool { return u.FirstName.Given() || u.LastName.Given() || u.Phone.Given() }

// ChangeUser changes a user of the workspace: everybody's roles of the workspace, and the data of managed users. Roles need the permission
// to change roles, too, and whoever gives one must hold the rights that it carries. synerise.yaml, POST /uauth/users/{userId}.
func (p People) ChangeUser(ctx context.Context, c *op.Call, in UserChange) (User, error) {
	at := in.Workspace().ID
	row, err := p.Workspaces.GetPerson(ctx, c, at, in.id)
	if err != nil {
		return User{}, err
	}
	noted(c, row)
	if in.data() {
		if err := p.account(ctx, c, at, row); err != nil {
			return User{}, err
		}
		var ch user.Change
		store := func() error { return synerise.Rename(ctx, c, p.People, row.User(), ch, in.FirstName, in.LastName) }
		if in.Phone.Given() { // codes go there
			ch.Mobile = new(in.Phone.Or(""))
			err = p.Keep(ctx, c, row.ID, store)
		} else {
			err = store()
		}
		if err != nil {
			return User{}, err
		}
	}
	if numbers, ok := in.RoleIDs.Get(); ok {
		ids, err := synerise.RoleIDs(ctx, c, numbers)
		if err == nil {
			err = p.Workspaces.SetRoles(ctx, c, at, row, ids)
		}
		if err != nil {
			return User{}, err
		}
	}
	return p.one(ctx, c, at, row.ID)
}

// noted says in the event whom the call is about.
func noted(c *op.Call, r workspace.Person) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = r.ID, "User", r.Name, r.ID, r.Name
}

// account wants an account that the caller may change: somebody else's, which the workspace manages, and that nobody may take over so.
func (p People) account(ctx context.Context, c *op.Call, at string, r workspace.Person) error {
	if r.ID == c.User() {
		return workspace.ErrSelf
	}
	managed, err := p.Managed(ctx, c, at, r.User())
	if err != nil {
		return err
	}
	if !managed || !c.Grant.Allows(r.ID, r.Org) {
		return ErrGuest
	}
	return p.Roles.Guard(ctx, c, r.ID, ErrSystem, user.ErrStronger)
}

// Several names users.
type Several struct {
	// IDs are the numbers of the people, required; at most 100.
	IDs []int64 `json:"ids"`
	synerise.Here
	of []string
}

// Check wants some.
func (s *Several) Check() error {
	switch {
	case len(s.IDs) == 0:
		return fault.Missing("ids")
	case len(s.IDs) > wire.MaxIDs:
		return fault.Bad("ids", "may name %d users", wire.MaxIDs)
	}
	return nil
}

// Resolve finds the workspace and the users.
func (s *Several) Resolve(ctx context.Context, c *op.Call) error {
	err := s.Find(ctx, c)
	if err == nil {
		s.of, err = whom(ctx, c, s.IDs)
	}
	return err
}

// each does something to all of the users or to none, with the event telling whom it was about.
func (s Several) each(ctx context.Context, c *op.Call, what string, f func(ctx context.Context, c *op.Call, at, userID string) error) (op.None, error) {
	c.Event.Target, c.Event.Kind, c.Event.Name = s.Workspace().ID, "Organization", s.Workspace().Path
	c.Event.Set("Change", what)
	c.Event.Set("Users", s.of)
	for _, id := range s.of {
		if err := f(ctx, c, s.Workspace().ID, id); err != nil {
			return op.None{}, err
		}
	}
	return op.None{}, nil
}

// ActivateUsers lets users enter the workspace again, who get back the roles that they had in it: all of them, or none when that fails for
// one. synerise.yaml, POST /uauth/users/activate.
func (p People) ActivateUsers(ctx context.Context, c *op.Call, in Several) (op.None, error) {
	return in.each(ctx, c, "Activated", p.Workspaces.Activate)
}

// DeactivateUsers keeps users out of the workspace: they cannot enter, their tokens for it end at once, and its roles are withheld from
// them. What they hold elsewhere, or directly over the organization, stays. synerise.yaml, POST /uauth/users/deactivate.
func (p People) DeactivateUsers(ctx context.Context, c *op.Call, in Several) (op.None, error) {
	return in.each(ctx, c, "Deactivated", p.Workspaces.Deactivate)
}

// RemoveUsers takes users off the workspace, with its roles; their accounts live on. Whoever belongs to the workspace's organization can be
// taken off by those only who administer all users. synerise.yaml, DELETE /uauth/users/profile-association/{ids}.
func (p People) RemoveUsers(ctx context.Context, c *op.Call, in Several) (op.None, error) {
	return in.each(ctx, c, "Removed", p.Workspaces.Remove)
}

// DeleteUsers deletes accounts that the workspace manages, with all that they have anywhere. synerise.yaml, DELETE /uauth/users/{ids}.
func (p People) DeleteUsers(ctx context.Context, c *op.Call, in Several) (op.None, error) {
	return in.each(ctx, c, "Deleted", func(ctx context.Context, c *op.Call, at, userID string) error {
		row, err := p.Workspaces.GetPerson(ctx, c, at, userID)
		if err == nil {
			err = p.account(ctx, c, at, row)
		}
		if err != nil {
			return err
		}
		return p.People.Delete(ctx, c, userID)
	})
}

// AccessTime is when an access ends.
type AccessTime struct {
	UserRef
	// AccessExpirationTime is when the access ends, ISO 8601; null: never. Required.
	AccessExpirationTime op.Opt[string] `json:"accessExpirationTime"`
	until                time.Time
}

// Check reads the time.
func (a *AccessTime) Check() error {
	if !a.AccessExpirationTime.Given() {
		return fault.Missing("accessExpirationTime")
	}
	text, ok := a.AccessExpirationTime.Get()
	if !ok {
		return nil
	}
	if a.until, ok = wire.ParseMoment(text); !ok {
		return fault.Bad("accessExpirationTime", "must be a time as 2030-12-31T23:59:59Z")
	}
	return nil
}

// LimitAccess sets when a user's access to the workspace ends, and with it the roles of the workspace that they have now. Both end by
// themselves. synerise.yaml, PUT /uauth/users/{userId}/access-time.
func (p People) LimitAccess(ctx context.Context, c *op.Call, in AccessTime) (User, error) {
	at := in.Workspace().ID
	row, err := p.Workspaces.GetPerson(ctx, c, at, in.id)
	if err != nil {
		return User{}, err
	}
	noted(c, row)
	if err := p.Workspaces.Limit(ctx, c, at, in.id, in.until); err != nil {
		return User{}, err
	}
	return p.one(ctx, c, at, in.id)
}

// ResetMFA removes the authenticators of a user whose account the workspace manages; the user's devices and sessions are forgotten with
// them. synerise.yaml, PUT /uauth/users/{userId}/mfa-reset.
func (p People) ResetMFA(ctx context.Context, c *op.Call, in UserRef) (op.None, error) {
	at := in.Workspace().ID
	row, err := p.Workspaces.GetPerson(ctx, c, at, in.id)
	if err == nil {
		noted(c, row)
		err = p.account(ctx, c, at, row)
	}
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, p.Keep(ctx, c, row.ID, func() error {
		if err := p.Factors.Drop(ctx, c, row.ID); err != nil {
			return err
		}
		return p.People.End(ctx, c, row.ID)
	})
}
