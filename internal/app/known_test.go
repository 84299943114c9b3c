package app_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/audit"
)

// TestKnownByIDForgets has tokens, which name an application by its id, see at once what becomes of it.
func TestKnownByIDForgets(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		var it app.App
		life := func(span string) {
			site.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
				if it.ID == "" {
					if it, err = s.App.Apps.Create(ctx, c, "Generic OpenID Connect"); err != nil {
						return err
					}
				}
				_, err = s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": "wiki", "OAuthProfile": map[string]any{
					"ClientIDType": 1, "ClientSecret": "a-secret-of-16-bytes-or-more", "AllowedAuth": "ClientCreds", "TokenLifetimeString": span,
				}}})
				return err
			})
		}
		for _, span := range []string{"01:00:00", "02:00:00"} {
			life(span)
			c := s.App.Shell(site.ID)
			for _, ref := range []string{"wiki", it.ID} {
				got, err := s.App.Apps.Client(context.Background(), c, ref)
				if err != nil || got.ID != it.ID || got.Profile.Life.String() != map[string]string{"01:00:00": "1h0m0s", "02:00:00": "2h0m0s"}[span] {
					t.Errorf("%s after %s: %v %v %v", ref, span, err, got.ID, got.Profile.Life)
				}
			}
		}
	})
}
