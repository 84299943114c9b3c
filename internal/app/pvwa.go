package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/sshkey"
	"limen/internal/core/vault"
	"limen/internal/surface/identity"
	"limen/internal/surface/pvwa"
)

// pvwa is the dialect of the Vault's users.
func (a *App) pvwa() pvwa.PVWA {
	return pvwa.PVWA{
		Vault: &vault.Vault{
			People: a.People, Roles: a.Roles, Orgs: a.Orgs, Passwords: a.Passwords, Tenants: a.Index, Throttle: a.Throttle, Sessions: a.Sessions, Keep: a.keepWay,
			Keys: &sshkey.Keys{People: a.People, Life: a.sshKeyLasts}, Passkeys: a.Passkeys,
		},
		Logins: a.Logins, Sessions: a.Sessions, Authorities: a.Authorities, Build: Version(), Device: identity.DeviceCookie,
	}
}

// sshKeyLasts is the tenant's setting SshKey.LifeHours.
func (a *App) sshKeyLasts(ctx context.Context, c *call.Call) (time.Duration, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return 0, err
	}
	return v.SSHKey, nil
}
