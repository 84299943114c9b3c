package oauth_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/profile"
	"limen/internal/core/role"
)

// TestOwnRules has an application ask for more than a sign-in, or refuse, by rules of its own.
func TestOwnRules(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		it := made(t, s, "Generic OpenID Connect", "wiki", map[string]any{"AllowedAuth": "AuthorizationCode", "Redirects": []any{callback}, "ClientSecret": secret},
			acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		f := front{t, s, it.Profile.ClientID}
		never := map[string]any{"Enabled": true, "_Value": []any{map[string]any{
			"Conditions": []any{map[string]any{"Prop": "IpAddress", "Op": "OpInsideIpRange", "Val": "127.0.0.0/8"}}, "ProfileId": "-1",
		}}}
		elsewhere := map[string]any{"Enabled": true, "_Value": []any{map[string]any{
			"Conditions": []any{map[string]any{"Prop": "IpAddress", "Op": "OpInsideIpRange", "Val": "203.0.113.0/24"}}, "ProfileId": "-1",
		}}}
		for _, x := range []struct {
			name, byDefault, want string
			rules                 map[string]any
		}{
			{"nothing asked", "AlwaysAllowed", callback + "?state=s&code=", nil},
			{"a password and a further factor", profile.NewDevice, "/login/more?", nil},
			{"not allowed", "-1", callback + "?state=s&error=access_denied", nil},
			{"a profile that there is not", "c3a4b6c1-0000-4d4b-9d1b-0c5e0a6f2d01", callback + "?state=s&error=access_denied", nil},
			{"a rule that fits", "AlwaysAllowed", callback + "?state=s&error=access_denied", never},
			{"a rule that does not", "AlwaysAllowed", callback + "?state=s&code=", elsewhere},
		} {
			s.Do(t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
				_, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"DefaultAuthProfile": x.byDefault, "AuthRules": x.rules}})
				return err
			})
			if got := f.authorize(url.Values{"state": {"s"}}).Header.Get("Location"); !strings.HasPrefix(got, x.want) {
				t.Errorf("%s: %s", x.name, got)
			}
		}
	})
}

// TestOwnRulesAtRefresh has the rules asked again when the tokens are renewed. What is refused leaves an event with the person, and is
// given again as soon as the rules allow it.
func TestOwnRulesAtRefresh(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		it := made(t, s, "Generic OpenID Connect", "wiki", map[string]any{
			"AllowedAuth": "AuthorizationCode", "AllowRefresh": true, "Redirects": []any{callback}, "ClientSecret": secret,
		}, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		f := front{t, s, it.Profile.ClientID}
		rules := func(byDefault string) {
			s.Do(t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
				_, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"DefaultAuthProfile": byDefault}})
				return err
			})
		}
		status, body := f.exchange(url.Values{"grant_type": {"authorization_code"}, "code": {f.code()}, "redirect_uri": {callback}, "code_verifier": {verifier}})
		refresh, _ := body["refresh_token"].(string)
		if status != 200 || refresh == "" {
			t.Fatal(status, body)
		}
		again := func() (int, map[string]any) {
			return f.exchange(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
		}
		for byDefault, want := range map[string]string{"-1": "access_denied", profile.NewDevice: "invalid_grant"} {
			rules(byDefault)
			s.DropEvents()
			if status, body := again(); status == 200 || body["error"] != want {
				t.Errorf("%s: %d %v", byDefault, status, body)
			}
			if got := s.Events(t); !strings.HasPrefix(got, "Cloud.Core.OAuthToken.Create refused oauth."+want+" Application "+it.ID) {
				t.Errorf("%s: events %q", byDefault, got)
			}
		}
		rules("AlwaysAllowed")
		if status, body := again(); status != 200 || body["refresh_token"] == refresh {
			t.Error("not given again:", status, body)
		}
	})
}
