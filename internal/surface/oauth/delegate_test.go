package oauth_test

import (
	"context"
	"net/url"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
)

// A confidential client of a system administrator's standing gets short tokens for people by an access token whose scope reaches
// that, and by no other; neither one for itself, nor a way to commands that its scopes do not name.
func TestTokensForOthers(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		robot := serviceUser(t, s)
		s.Do(t, audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
			return s.App.Roles.Add(ctx, c, role.System, role.Member{Kind: role.User, ID: robot.ID})
		})
		made(t, s, "OAuth2ServerClient", "api", map[string]any{
			"AllowedAuth": "ClientCreds", "Confirm": true, "MustBeOauthClient": true,
			"KnownScopes": []any{
				map[string]any{"Scope": "delegate", "AllowedRest": []any{"UserMgmt/(GetTokenForUser|ConfirmAction)"}},
				map[string]any{"Scope": "me", "AllowedRest": []any{"Security/WhoAmI"}},
			},
		}, acl.Given{Kind: role.User, Principal: robot.ID, Mask: acl.View | app.Execute})
		h := holder{t: t, s: s, host: s.Host}
		token := func(scope string) string {
			_, body := h.ask("/OAuth2/Token/api", "", "", url.Values{
				"grant_type": {"client_credentials"}, "scope": {scope}, "client_id": {robot.Name}, "client_secret": {apptest.Password},
			})
			out, _ := body["access_token"].(string)
			return out
		}
		const path = "/UserMgmt/GetTokenForUser?username="
		able := "Bearer " + token("delegate")
		_, body := h.ask(path+s.Plain.Name, able, "", nil)
		given, _ := body["Result"].(map[string]any)
		if body["success"] != true || given["Token"] == "" {
			t.Fatal(body)
		}
		as, _ := given["Token"].(string)
		_, body = h.ask("/Security/WhoAmI", "Bearer "+as, "", nil)
		if who, _ := body["Result"].(map[string]any); who["UserUuid"] != s.Plain.ID {
			t.Errorf("the token is another's: %v", body)
		}
		for _, x := range []struct{ what, path, by, want string }{
			{"for itself", path + robot.Name, able, "user.scoped"},
			{"for an administrator", path + s.Admin.Name, able, "user.system"},
			{"by another scope", path + s.Plain.Name, "Bearer " + token("me"), ""},
			{"a command by its dispatcher", "/UserMgmt/ConfirmAction?Action=RemoveUser&Users=" + s.Plain.ID, able, "user.scoped"},
		} {
			if out, body := h.ask(x.path, x.by, "", nil); body["success"] == true || x.want == "" && out.StatusCode != 401 || x.want != "" && body["MessageID"] != x.want {
				t.Errorf("%s: %d %v", x.what, out.StatusCode, body)
			}
		}
	})
}
