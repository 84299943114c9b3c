package vault

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/sshkey"
	"limen/internal/core/user"
	wire "limen/internal/wire/sshkey"
)

// AddKey gives somebody a public SSH key. Faults: those of sshkey, ErrUser, ErrSystem, user.ErrStronger.
func (v *Vault) AddKey(ctx context.Context, c *call.Call, u user.User, p wire.Public) (sshkey.Key, error) {
	if _, err := v.guarded(ctx, c, u.ID); err != nil {
		return sshkey.Key{}, err
	}
	return v.Keys.Add(ctx, c, u.ID, p)
}

// RemoveKey takes an SSH key from somebody. Faults: sshkey.ErrNone, ErrUser, ErrSystem, user.ErrStronger.
func (v *Vault) RemoveKey(ctx context.Context, c *call.Call, u user.User, id string) error {
	if _, err := v.guarded(ctx, c, u.ID); err != nil {
		return err
	}
	return v.Keys.Remove(ctx, c, u.ID, id)
}

// LendKey gives somebody a short-lived key that was made; the caller's own needs no right. Faults: as AddKey, and session.ErrStale.
func (v *Vault) LendKey(ctx context.Context, c *call.Call, id string, m sshkey.Made) (sshkey.Key, error) {
	if err := v.Sessions.Recent(ctx, c, id); err != nil {
		return sshkey.Key{}, err
	}
	find := v.guarded
	if id == c.User() {
		find = v.People.ByID
	}
	u, err := find(ctx, c, id)
	if err != nil {
		return sshkey.Key{}, err
	}
	return v.Keys.Lend(ctx, c, u, m)
}

// RecallKey ends somebody's short-lived key. Fault: ErrUser.
func (v *Vault) RecallKey(ctx context.Context, c *call.Call, id string) error {
	if _, err := v.in(ctx, c, id); err != nil {
		return err
	}
	return sshkey.Recall(ctx, c, id)
}

// MayLend says, before a key is made, whether the caller may give somebody one; LendKey asks again. Faults: ErrSystem, user.ErrStronger.
func (v *Vault) MayLend(ctx context.Context, c *call.Call, u user.User) error {
	return c.Snapshot(ctx, func() error { return v.Roles.Guard(ctx, c, u.ID, ErrSystem, user.ErrStronger) })
}
