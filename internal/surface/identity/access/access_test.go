package access_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/role"
	wire "limen/internal/wire/oauth"
)

const secret = "correct-horse-battery-wiki"

// TestExchanges has an application in every tenant that everybody may use, and whose client wants to hear who leaves, and
// may have people asked. plain has
// used it in two sessions, and has left one of them.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, _ string) map[string]string {
		it := wiki(t, s)
		use(t, s, it, "session-1")
		use(t, s, it, "session-2")
		s.Do(t, audit.Logout, func(ctx context.Context, c *call.Call) error { return s.App.OAuth.EndOfSession(ctx, c, "session-1") })
		if err := s.App.OAuth.TellClients(t.Context(), s.App.DB); err != nil {
			t.Fatal(err)
		}
		return map[string]string{"wiki": it.Profile.ClientID, "wikiApp": it.ID, "secret": secret}
	})
}

// use has plain allow the application to know who they are.
func use(t *testing.T, s *apptest.Site, it app.App, session string) {
	t.Helper()
	s.Do(t, audit.OAuthAuthorize, func(ctx context.Context, c *call.Call) error {
		a, err := s.App.Apps.Client(ctx, c, it.ID)
		if err != nil {
			return err
		}
		r := oauth.Request{App: a, Ask: wire.Authorization{Scope: wire.Scope{"openid", "email"}, Type: wire.ResponseType{Code: true}}}
		if r.Client, err = s.App.OAuth.Registration(ctx, c, a, it.Profile.ClientID); err != nil {
			return err
		}
		p, err := s.App.OAuth.Person(ctx, c, s.Plain.ID)
		if err != nil {
			return err
		}
		_, err = s.App.OAuth.Reply(ctx, c, r, oauth.SignedIn{Person: p, Session: session, Level: "Normal", Proved: c.Now})
		return err
	})
}

func wiki(t *testing.T, s *apptest.Site) (out app.App) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		out, err = s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": "wiki", "Name": "Wiki", "OAuthProfile": map[string]any{
			"AllowedAuth": "AuthorizationCode,CIBA", "ClientSecret": secret, "Redirects": []any{"https://wiki.example.com/callback"},
			"ClientMetadata": map[string]any{"client_name": "The wiki", "backchannel_logout_uri": "https://wiki.example.com/left"},
		}}})
		if err != nil {
			return err
		}
		return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
	return out
}
