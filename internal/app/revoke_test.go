package app_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/invite"
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

// An invitation that was sent to an address which is not the person's any more, or before they were given a password, is
// no way in.
func TestInvitationsAreTakenBack(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		for what, f := range map[string]func(ctx context.Context, c *call.Call, id string) error{
			"mail": func(ctx context.Context, c *call.Call, id string) error {
				_, err := s.App.People.Change(ctx, c, id, user.Change{Mail: new("other@example.com")})
				return err
			},
			"password": func(ctx context.Context, c *call.Call, id string) error {
				return s.App.People.PasswordSet(ctx, c, id, false)
			},
		} {
			p := site.Person(t, what)
			var link *url.URL
			site.Do(t, audit.UserInvite, func(ctx context.Context, c *call.Call) error {
				u, err := s.App.People.ByID(ctx, c, p.ID)
				if err != nil {
					return err
				}
				text, err := s.App.Invites.Make(ctx, c, u, time.Hour)
				if err != nil {
					return err
				}
				link, err = url.Parse(text)
				return err
			})
			site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error { return f(ctx, c, p.ID) })
			site.Do(t, audit.LoginStep, func(ctx context.Context, c *call.Call) error {
				if _, err := s.App.Invites.Look(ctx, c, link.Query().Get("token")); !errors.Is(err, invite.ErrLink) {
					t.Errorf("%s: the invitation is still about: %v", what, err)
				}
				return nil
			})
		}
	})
}
