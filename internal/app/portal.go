package app

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/portal"
	surface "limen/internal/surface/identity/portal"
)

// wirePortal wires what people keep for themselves, and has it forgotten with the people and the applications.
func (a *App) wirePortal() {
	a.Portal = &portal.Portal{
		Apps: a.Apps, People: a.People, Roles: a.Roles, Policies: a.Policies, Logins: a.Logins, Foresee: a.OAuth.ForeseePolicy, Demand: a.OAuth.Demand,
		Seal: func(ctx context.Context, c *call.Call, plain []byte, bound string) (string, error) {
			return a.Ring.Seal(ctx, c.Tenant.ID, portal.Purpose, plain, bound)
		},
		Open: func(ctx context.Context, c *call.Call, sealed, bound string) ([]byte, error) {
			return a.Ring.Open(ctx, c.Tenant.ID, portal.Purpose, sealed, bound)
		},
	}
	a.Apps.Open = func(ctx context.Context, c *call.Call, purpose, id, sealed string) ([]byte, error) {
		return a.Ring.Open(ctx, c.Tenant.ID, purpose, sealed, id)
	}
	a.People.Gone = append(a.People.Gone, a.Portal.PersonGone)
	a.Apps.Gone = append(a.Apps.Gone, a.Portal.AppGone)
}

func (a *App) portal() surface.Portal {
	return surface.Portal{Portal: a.Portal, People: a.People, Roles: a.Roles, Sessions: a.Sessions}
}
