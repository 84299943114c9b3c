package vault

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/user"
)

// RemovePasskey takes a key of a FIDO2 authenticator from whoever has it, within the grant, and gives both. The last way in of the last
// system administrator stays. Faults: passkey.ErrNotFound, ErrSystem, user.ErrStronger, lockout.ErrLastWay, session.ErrStale.
func (v *Vault) RemovePasskey(ctx context.Context, c *call.Call, handle string) (passkey.Key, user.User, error) {
	k, err := v.Passkeys.Find(ctx, c, handle)
	if err != nil {
		return k, user.User{}, err
	}
	u, err := v.guarded(ctx, c, k.User)
	if err != nil {
		return k, u, missing(err, passkey.ErrNotFound)
	}
	if err := v.Sessions.Recent(ctx, c, u.ID); err != nil {
		return k, u, err
	}
	return k, u, v.Keep(ctx, c, u.ID, func() error { return v.Passkeys.Delete(ctx, c, u.ID, handle) })
}

// handles are those of somebody's keys.
func (v *Vault) handles(ctx context.Context, c *call.Call, userID string) (out []string, err error) {
	all, err := v.Passkeys.List(ctx, c, userID)
	for _, k := range all {
		out = append(out, k.Handle)
	}
	return out, err
}
