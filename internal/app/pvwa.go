package app

import (
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
			Keys: &sshkey.Keys{People: a.People},
		},
		Logins: a.Logins, Sessions: a.Sessions, Build: Version(), Device: identity.DeviceCookie,
	}
}
