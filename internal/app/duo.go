package app

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/setting"
	"limen/internal/surface/login"
)

// duoSetup is the tenant's application at Duo.
func (a *App) duoSetup(ctx context.Context, c *call.Call) (setting.Duo, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return setting.Duo{}, err
	}
	return v.Duo, nil
}

func (a *App) duoSecret(ctx context.Context, c *call.Call, d setting.Duo) (string, error) {
	return a.Values.Open(ctx, c.Tenant.ID, setting.DuoSecret, d.Secret)
}

// duoReturn is where Duo sends browsers back to.
func (a *App) duoReturn(c *call.Call) string { return a.links().To(c, login.DuoPath, "") }
