package app_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// Whatever ends a person's sessions makes the devices unknown that stood in for a second factor: whoever had taken over the
// account may have signed in on one.
func TestDevicesAreForgotten(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		hash := throttle.DeviceHash("a-device-of-somebody-else")
		for what, f := range map[string]func(ctx context.Context, c *call.Call, id string) error{
			"password reset": func(ctx context.Context, c *call.Call, id string) error { return s.App.People.End(ctx, c, id) },
			"disabled": func(ctx context.Context, c *call.Call, id string) error {
				return s.App.People.SetState(ctx, c, id, user.State{Disabled: true})
			},
			"suspended": func(ctx context.Context, c *call.Call, id string) error {
				return s.App.People.Suspend(ctx, c, id, true)
			},
		} {
			p := site.Person(t, what[:4])
			site.Do(t, audit.Login, func(ctx context.Context, c *call.Call) error {
				_, err := s.App.Throttle.Remember(ctx, c, p.ID, hash)
				return err
			})
			site.Do(t, audit.UserState, func(ctx context.Context, c *call.Call) error { return f(ctx, c, p.ID) })
			site.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) error {
				if known, err := s.App.Throttle.Known(ctx, c, p.ID, hash); known != nil || err != nil {
					t.Error(what, "the device is still known", err)
				}
				return nil
			})
		}
	})
}
