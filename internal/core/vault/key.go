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
