package applications_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
)

// TestExchanges plays the golden exchanges; that of CreateClientToken has two applications: wiki, with a client of its own, and api, whose
// clients are service users.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		if name != "CreateClientToken" {
			return nil
		}
		wiki := made(t, s, "Generic OpenID Connect", "wiki", map[string]any{"AllowedAuth": "ClientCreds", "ClientSecret": "correct-horse-battery-wiki"})
		made(t, s, "OAuth2ServerClient", "api", map[string]any{
			"AllowedAuth": "ClientCreds", "Confirm": true, "MustBeOauthClient": true, "KnownScopes": []any{map[string]any{"Scope": "me"}},
		})
		return map[string]string{"wiki": wiki.Profile.ClientID}
	})
}

func made(t *testing.T, s *apptest.Site, template, service string, profile map[string]any) (out app.App) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, template)
		if err != nil {
			return err
		}
		if out, err = s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": service, "OAuthProfile": profile}}); err != nil {
			return err
		}
		return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
	return out
}
