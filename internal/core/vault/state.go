package vault

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/password"
	"limen/internal/core/user"
)

// Activate lets somebody in again who is suspended after wrong passwords. Nothing else is undone.
func (v *Vault) Activate(ctx context.Context, c *call.Call, id string) error {
	u, err := v.guarded(ctx, c, id)
	if err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name, c.Event.User, c.Event.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
	return v.lift(ctx, c, u)
}

// Enable lets somebody in whom an administrator kept out, or keeps them out, with what they have open. Fault: ErrSelf.
func (v *Vault) Enable(ctx context.Context, c *call.Call, id string, on bool) error {
	if !on && id == c.User() {
		return ErrSelf
	}
	u, err := v.guarded(ctx, c, id)
	if err != nil {
		return err
	}
	ch := user.Change{}
	ch.Suspended, ch.State = turned(u, on)
	if _, err = v.People.Change(ctx, c, id, ch); err == nil && on && u.CloudLocked {
		err = v.People.SetCloudLock(ctx, c, id, false)
	}
	return err
}

// SetPassword gives somebody another password and ends what they have open. Whoever was suspended stays so.
func (v *Vault) SetPassword(ctx context.Context, c *call.Call, id string, hash password.New, force bool) error {
	if id == c.User() {
		return ErrSelf
	}
	u, err := v.guarded(ctx, c, id)
	if err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name, c.Event.User, c.Event.Login = u.ID, "User", u.Name, u.ID, u.Name
		c.Event.Set("PasswordChanged", true)
	}
	if err := v.Passwords.Put(ctx, c, id, hash, force); err != nil {
		return err
	}
	return v.People.End(ctx, c, id)
}

// Hash checks and hashes a new password for somebody, outside transactions; any says that the policy need not hold, as another one
// must be chosen soon. Faults: ErrSelf, ErrSystem, user.ErrStronger and those of passwords.
func (v *Vault) Hash(ctx context.Context, c *call.Call, u user.User, plain string, anyone bool) (password.New, error) {
	if u.ID == c.User() {
		return password.New{}, ErrSelf
	}
	if err := c.Snapshot(ctx, func() error { return v.Roles.Guard(ctx, c, u.ID, ErrSystem, user.ErrStronger) }); err != nil {
		return password.New{}, err
	}
	return v.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: plain, Reset: true, Any: anyone,
	})
}

// HashNew checks and hashes the first password of a new user, outside transactions.
func (v *Vault) HashNew(ctx context.Context, c *call.Call, w Wish) (password.New, error) {
	return v.Passwords.Prepare(ctx, c, password.Change{Names: w.Names(), Plain: w.in.InitialPassword, Reset: true, Any: w.force})
}

// Delete removes a user. Fault: ErrSelf.
func (v *Vault) Delete(ctx context.Context, c *call.Call, id string) error {
	if id == c.User() {
		return ErrSelf
	}
	if _, err := v.guarded(ctx, c, id); err != nil {
		return err
	}
	return v.People.Delete(ctx, c, id)
}

// Allow adds further ways to log on to those that somebody has, or takes them away.
func (v *Vault) Allow(ctx context.Context, c *call.Call, u user.User, ways []string, add bool) error {
	ways, err := Words("allowedAuthenticationMethods", ways, methods)
	if err != nil {
		return err
	}
	if _, err := v.guarded(ctx, c, u.ID); err != nil {
		return err
	}
	was, err := profileOf(ctx, c, u)
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(parted(was.Allowed), func(w string) bool { return slices.Contains(ways, w) })
	if add {
		list = append(list, ways...)
	}
	now := was
	now.Allowed = joined(list)
	if now == was {
		return nil
	}
	if err := now.store(ctx, c, u.ID, was); err != nil {
		return err
	}
	return v.People.Touch(ctx, c, u.ID)
}
