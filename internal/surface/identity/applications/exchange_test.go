package applications_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/right"
	"limen/internal/core/role"
	wire "limen/internal/wire/oauth"
)

// withClients are the exchanges about clients. They have two applications: wiki, with a client of its own, a registered one and an initial
// access token, and api, whose clients are service users.
var withClients = []string{
	"CreateClientToken", "CreateClient", "GetClient", "GetClients", "UpdateClient", "DeleteClient", "CreateInitialAccessToken", "GetInitialAccessTokens",
	"DeleteInitialAccessToken", "TestApplicationScript",
}

func TestMain(m *testing.M) { apptest.Main(m) }

// TestExchanges plays the golden exchanges. Holders of Report Management administer the application api, and no other.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		if !slices.Contains(withClients, name) {
			return nil
		}
		wiki := made(t, s, "Generic OpenID Connect", "wiki", map[string]any{
			"AllowedAuth": "AuthorizationCode,ClientCreds", "AllowPublic": true, "ClientSecret": "correct-horse-battery-wiki", "Redirects": []any{"https://wiki.example.com/done"},
		})
		api := made(t, s, "OAuth2ServerClient", "api", map[string]any{
			"AllowedAuth": "ClientCreds", "Confirm": true, "MustBeOauthClient": true, "KnownScopes": []any{map[string]any{"Scope": "me"}},
		})
		if name == "CreateClientToken" || name == "TestApplicationScript" {
			return map[string]string{"wiki": wiki.Profile.ClientID}
		}
		client, initial := registered(t, s)
		s.TokenOf(t, "holder Report Management") // makes them
		s.Do(t, audit.AppPermissions, func(ctx context.Context, c *call.Call) error {
			holder, err := s.App.People.ByName(ctx, c, "holder"+strconv.Itoa(int(right.ReportManagement))+"@"+s.Suffix)
			if err != nil {
				return err
			}
			return s.App.Apps.Permit(ctx, c, api.ID, acl.Given{Kind: role.User, Principal: holder.ID, Mask: acl.View | acl.Edit})
		})
		return map[string]string{"wiki": wiki.Profile.ClientID, "client": client, "initial": initial}
	})
}

// registered registers a client with the application wiki, and makes an initial access token.
func registered(t *testing.T, s *apptest.Site) (client, initial string) {
	t.Helper()
	var a oauth.App
	var d oauth.Draft
	s.Do(t, audit.OAuthClientCreate, func(ctx context.Context, c *call.Call) (err error) {
		if a, err = s.App.Apps.Administered(ctx, c, "wiki"); err != nil {
			return err
		}
		m := wire.Metadata{Name: "Night job", GrantTypes: []string{"client_credentials"}, Scope: "openid email"}
		if d, err = s.App.OAuth.PrepareClient(ctx, c, a, "", m, false); err != nil {
			return err
		}
		return s.App.OAuth.Register(ctx, c, d)
	})
	s.Do(t, audit.OAuthInitialCreate, func(ctx context.Context, c *call.Call) error {
		it, _, err := s.App.OAuth.MakeInitial(ctx, c, a, "for the build", 3, time.Hour)
		initial = it.ID
		return err
	})
	return d.ID, initial
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
