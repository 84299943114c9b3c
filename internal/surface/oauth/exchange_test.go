package oauth_test

import (
	"context"
	"maps"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// verifier and its challenge are those of RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	secret    = "correct-horse-battery-wiki"
)

// TestExchanges has four applications in every tenant: wiki, an OpenID Connect one with a secret that everybody may use;
// closed, the same for nobody but administrators; tv, whose people decide elsewhere; open, one that lets anybody register clients; and api, whose tokens are for the program's own API. robot is a service user.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, _ string) map[string]string {
		robot := serviceUser(t, s)
		profile := map[string]any{
			"AllowedAuth": "AuthorizationCode,Implicit,ClientCreds,ResourceCreds", "Redirects": []any{"https://wiki.example.com/callback"}, "AllowRefresh": true,
			"ClientSecret": secret,
		}
		wiki := made(t, s, "Generic OpenID Connect", "wiki", profile, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		made(t, s, "Generic OpenID Connect", "closed", profile)
		tv := made(t, s, "Generic OpenID Connect", "tv", map[string]any{
			"AllowedAuth": "DeviceCode,CIBA,TokenExchange,ClientCreds", "ClientSecret": secret, "AllowPublic": true, "AllowRefresh": true,
			"ExchangeFrom": []any{"tv"}, "KnownScopes": []any{map[string]any{"Scope": "watch"}},
		}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		anybody := maps.Clone(profile)
		anybody["Registration"] = "Open"
		made(t, s, "Generic OpenID Connect", "open", anybody, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		made(t, s, "OAuth2ServerClient", "api", map[string]any{
			"AllowedAuth": "ClientCreds,ResourceCreds", "Confirm": true, "MustBeOauthClient": true,
			"KnownScopes": []any{map[string]any{"Scope": "me", "AllowedRest": []any{"Security/WhoAmI"}}, map[string]any{"Scope": "nothing"}},
		}, acl.Given{Kind: role.User, Principal: robot.ID, Mask: acl.View | app.Execute})
		listed := func(service string, ids ...any) map[string]any {
			return map[string]any{"AllowedAuth": "AuthorizationCode", "Redirects": []any{"https://" + service + ".example.com/callback"}, "AllowPublic": true, "AllowedClients": ids}
		}
		made(t, s, "OAuth2Server", "first", listed("first", "alone", "shared"), acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		watched := made(t, s, "Generic OpenID Connect", "watched", map[string]any{
			"AllowedAuth": "AuthorizationCode", "Redirects": []any{"https://pages.example.com/back", "com.example.pages:/back"}, "AllowPublic": true, "SessionManagement": true,
		}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		made(t, s, "OAuth2Server", "second", listed("second", "shared", wiki.Profile.ClientID))
		return map[string]string{
			"watched": watched.Profile.ClientID, "plainCookie": s.TokenOf(t, "plain"),
			"wiki": wiki.Profile.ClientID, "tv": tv.Profile.ClientID, "secret": secret, "verifier": verifier, "challenge": challenge, "robot": robot.Name, "robotID": robot.ID,
			"password": apptest.Password, "plainToken": s.TokenOf(t, "plain"), "robotSession": s.SignedIn(t, robot.ID), "platformHost": s.Host,
		}
	})
}

func made(t *testing.T, s *apptest.Site, template, service string, profile map[string]any, gs ...acl.Given) (out app.App) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, template)
		if err != nil {
			return err
		}
		if out, err = s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": service, "OAuthProfile": profile}}); err != nil || gs == nil {
			return err
		}
		return s.App.Apps.Permit(ctx, c, it.ID, gs...)
	})
	return out
}

func serviceUser(t *testing.T, s *apptest.Site) (u user.User) {
	t.Helper()
	c := s.App.Shell(s.ID)
	hash, err := s.App.Passwords.Prepare(t.Context(), c, password.Change{Names: password.Names{Login: "robot@" + s.Suffix}, Plain: apptest.Password, Reset: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
		if u, err = s.App.People.Create(ctx, c, user.New{Name: "robot@" + s.Suffix, Display: "Robot", Service: true, OAuthClient: true}); err != nil {
			return err
		}
		return s.App.Passwords.Put(ctx, c, u.ID, hash, false)
	})
	return u
}
