package pvwa

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/regain"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
)

func (p PVWA) fido() []op.Op {
	faults := []*fault.Error{
		passkey.ErrNotFound, vault.ErrSystem, user.ErrStronger, regain.ErrTwo, lockout.ErrLastWay, session.ErrStale, login.ErrForbidden,
	}
	return []op.Op{
		op.New(writes(http.MethodDelete, base+"/fido2/selfKeys/{id}", op.Authenticated, audit.FactorRemove, faults), p.DeleteOwnPasskey),
		op.New(writes(http.MethodDelete, base+"/fido2/keys/{id}", manage, audit.FactorRemove, faults), p.DeletePasskey),
	}
}

// PasskeyRef names a FIDO2 device.
type PasskeyRef struct {
	// ID is one of FidoCredentialsIds of a user, in the path.
	ID string `json:"id"`
}

func (r *PasskeyRef) take(q *op.Request) error {
	r.ID = q.Path["id"]
	return nil
}

// DeleteOwnPasskey removes one of the caller's FIDO2 devices, shortly after a logon. pvwa.yaml, DELETE
// /PasswordVault/API/fido2/selfKeys/{id}.
func (p PVWA) DeleteOwnPasskey(ctx context.Context, c *op.Call, in PasskeyRef) (op.None, error) {
	return p.deletePasskey(ctx, c, in.ID)
}

// DeletePasskey removes another user's FIDO2 device, who must not hold more than the caller. pvwa.yaml, DELETE
// /PasswordVault/API/fido2/keys/{id}.
func (p PVWA) DeletePasskey(ctx context.Context, c *op.Call, in PasskeyRef) (op.None, error) {
	return p.deletePasskey(ctx, c, in.ID)
}

func (p PVWA) deletePasskey(ctx context.Context, c *op.Call, id string) (op.None, error) {
	k, err := p.Vault.Passkeys.Find(ctx, c, id)
	if err == nil {
		err = p.Logins.Own(ctx, c, k.User, login.OwnKeys)
	}
	if err != nil {
		return op.None{}, err
	}
	k, u, err := p.Vault.RemovePasskey(ctx, c, id)
	if err == nil {
		k.Tell(c.Event, u.ID, u.Name)
	}
	return op.None{}, err
}
