package user

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/dbx"
)

// SetState sets the account state flags; no flag unlocks. Faults: ErrNotFound, role.ErrLast.
func (d *Directory) SetState(ctx context.Context, c *call.Call, id string, s State) error {
	_, err := d.Change(ctx, c, id, Change{State: &s})
	return err
}

// Lockable says whether cloud locks apply to a user: they do not to service accounts, so that a guesser cannot stop a
// service.
func (u User) Lockable() bool { return !u.Service }

// SetCloudLock applies or clears a cloud lock. Faults: ErrNotFound, ErrExempt, role.ErrLast.
func (d *Directory) SetCloudLock(ctx context.Context, c *call.Call, id string, lock bool) error {
	_, err := d.mutate(ctx, c, id, func(u *User) error {
		if lock && !u.Lockable() {
			return ErrExempt
		}
		u.CloudLocked = lock
		return nil
	})
	return err
}

// Suspend suspends a user, or lets them back in. Faults: ErrNotFound, role.ErrLast.
func (d *Directory) Suspend(ctx context.Context, c *call.Call, id string, suspended bool) error {
	_, err := d.mutate(ctx, c, id, func(u *User) error {
		u.Suspended = suspended
		return nil
	})
	return err
}

// End ends what a person has open, such as sessions.
func (d *Directory) End(ctx context.Context, c *call.Call, id string) error {
	return each(ctx, c, d.Shut, id)
}

// Delete removes a user with everything that refers to them. Faults: ErrNotFound, role.ErrLast.
func (d *Directory) Delete(ctx context.Context, c *call.Call, id string) error {
	u, err := found(lockID.One(ctx, c.Tx, c.Tenant.ID, id))
	if err != nil {
		return err
	}
	noted(c, &u)
	return d.Roles.Keep(ctx, c, id, func() error {
		if err := each(ctx, c, d.Shut, id); err != nil {
			return err
		}
		if err := each(ctx, c, d.Gone, id); err != nil {
			return err
		}
		if err := number.Drop(ctx, c, number.User, id); err != nil {
			return err
		}
		if err := d.Roles.Gone(ctx, c, id); err != nil {
			return err
		}
		for _, e := range []dbx.Exec{dropSeen, dropPicture, remove} {
			if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
				return err
			}
		}
		for e, was := range map[*dbx.Exec]User{&dropReports: {ReportsTo: id}, &dropMfa: {MfaUser: id}} {
			n, err := e.Do(ctx, c.Tx, c.Tenant.ID, id)
			if err == nil && n > 0 {
				err = d.stored(ctx, c, &was, &User{Version: 1})
			}
			if err != nil {
				return err
			}
		}
		if err := d.others(ctx, c); err != nil {
			return err
		}
		return d.changed(ctx, c, id)
	})
}

// ProveMail notes that a person has shown that the mail address is theirs.
func (d *Directory) ProveMail(ctx context.Context, c *call.Call, id string) (User, error) {
	return d.mutate(ctx, c, id, func(u *User) error {
		u.MailUnproved = false
		return nil
	})
}

// Registered settles the sign-up of somebody who waits: approved, they may sign in. Faults: ErrNotFound; ErrStale where it does not wait.
func (d *Directory) Registered(ctx context.Context, c *call.Call, id string, approved bool) (User, error) {
	return d.mutate(ctx, c, id, func(u *User) error {
		switch {
		case u.Signup != SignupPending:
			return ErrStale
		case approved:
			u.Signup, u.Disabled = SignupNone, false
		default:
			u.Signup = SignupRejected
		}
		return nil
	})
}

// Reload makes every node forget what it remembers of a person. Fault: ErrNotFound.
func (d *Directory) Reload(ctx context.Context, c *call.Call, id string) error {
	u, err := d.ByID(ctx, c, id)
	if err != nil {
		return err
	}
	noted(c, &u)
	return d.changed(ctx, c, id)
}

// PasswordSet notes that a password is new and whether it must be changed at the next sign-in (password.Passwords.Changed).
func (d *Directory) PasswordSet(ctx context.Context, c *call.Call, id string, force bool) error {
	err := d.rewrite(ctx, c, id, func(u *User) (dbx.Exec, []any) {
		u.PasswordChanged, u.ForceChange = c.Now.UnixMilli(), force
		return setPassword, []any{u.PasswordChanged, force}
	})
	if err != nil {
		return err
	}
	if err := each(ctx, c, d.Outdated, id); err != nil {
		return err
	}
	return d.changed(ctx, c, id)
}

// Activate notes a person's first complete sign-in; u is the person as just read.
func (d *Directory) Activate(ctx context.Context, c *call.Call, u User) error {
	if u.Active != 0 {
		return nil
	}
	now := u
	now.Active, now.Version = c.Now.UnixMilli(), u.Version+1
	n, err := setActive.Do(ctx, c.Tx, now.Active, c.Tenant.ID, u.ID)
	if err != nil || n == 0 {
		return err
	}
	if err := d.stored(ctx, c, &u, &now); err != nil {
		return err
	}
	return d.changed(ctx, c, u.ID)
}

// Invited notes that a person was invited.
func (d *Directory) Invited(ctx context.Context, c *call.Call, id string) error {
	return d.rewrite(ctx, c, id, func(u *User) (dbx.Exec, []any) {
		u.Invited = c.Now.UnixMilli()
		return setInvited, []any{u.Invited}
	})
}

// LastLogin is when a person last signed in, in ms since 1970 UTC; 0: never. It may be some seconds behind.
func (d *Directory) LastLogin(ctx context.Context, c *call.Call, id string) (int64, error) {
	at, err := lastSeen.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return 0, nil
	}
	return at, err
}
