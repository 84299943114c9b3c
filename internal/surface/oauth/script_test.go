package oauth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/audit"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// write gives the application wiki a script.
func (f front) write(member, text string) {
	f.t.Helper()
	f.s.Do(f.t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
		_, err := f.s.App.Apps.Update(ctx, c, "OpenID Connect", app.Change{Members: map[string]any{member: text}})
		return err
	})
}

// exchange asks for the tokens of a code or a refresh token.
func (f front) exchange(form url.Values) (int, map[string]any) {
	f.t.Helper()
	form.Set("client_id", f.client)
	form.Set("client_secret", secret)
	out, body := holder{t: f.t, s: f.s, host: f.s.Host}.ask("/OAuth2/Token/wiki", "", "", form)
	return out.StatusCode, body
}

func ofCode(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func payload(t *testing.T, jwt any) (out map[string]any) {
	t.Helper()
	text, _ := jwt.(string)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", text)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const claiming = `
setClaim('login', LoginUser.Username);
setClaimArray('roles', LoginUser.RoleNames);
setClaim('tenant_id', TenantData.Get('CybrTenantID'));
setClaim('asked', Request.Scopes.join(' ') + ' by ' + Request.ClientID);
setClaimObject('app', {name: Application.Get('Name')});
setClaim('email', 'other@example.com');
['sub', 'aud', 'iss', 'exp', 'scope', 'acr', 'cnf', 'client_id'].forEach(function (name) { try { setClaim(name, 'evil') } catch (e) { setClaim('refused_' + name, true) } });
`

// TestClaimsScript: what a script sets is in ID tokens, access tokens and UserInfo, and what is the server's own is not its.
func TestClaimsScript(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		f.write("OpenIDConnectScript", claiming)
		u, err := f.authorize(url.Values{"scope": {"openid email"}}).Location()
		if err != nil {
			t.Fatal(err)
		}
		status, out := f.exchange(ofCode(u.Query().Get("code")))
		if status != http.StatusOK {
			t.Fatal(status, out)
		}
		info := f.info(out["access_token"].(string))
		for name, claims := range map[string]map[string]any{"id": payload(t, out["id_token"]), "access": payload(t, out["access_token"]), "info": info} {
			for claim, want := range map[string]any{
				"login": "plain@" + f.s.Suffix, "tenant_id": f.s.ID, "asked": "openid email by " + f.client, "email": "other@example.com", "refused_sub": true, "refused_cnf": true,
			} {
				if claims[claim] != want {
					t.Errorf("%s: %s is %v, not %v", name, claim, claims[claim], want)
				}
			}
			if roles, _ := claims["roles"].([]any); !slices.Contains(roles, any("Everybody")) {
				t.Errorf("%s: the roles are %v", name, claims["roles"])
			}
			for _, claim := range []string{"sub", "aud", "iss", "exp", "scope", "acr", "cnf", "client_id"} {
				if claims[claim] == "evil" {
					t.Errorf("%s: the script has set %s", name, claim)
				}
			}
			if claims["email_verified"] == true {
				t.Errorf("%s: an address that a script made up is said to be verified", name)
			}
		}
	})
}

func (f front) info(token string) map[string]any {
	f.t.Helper()
	_, out := holder{t: f.t, s: f.s, host: f.s.Host}.ask("/OAuth2/UserInfo/wiki", "Bearer "+token, "", nil)
	return out
}

// TestFailingClaimsScript: without its claims there is no token, nobody loses a code or a refresh token by it, and an event says why.
func TestFailingClaimsScript(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		f.refreshing()
		code := f.code()
		for _, text := range []string{"for (;;);", "setClaim(", "throw new Error('no luck')", "setClaim('sub', 'root')", "var a = []; for (;;) a.push(new Array(1e6).join('x'))"} {
			f.write("OpenIDConnectScript", text)
			if status, out := f.exchange(ofCode(code)); status != http.StatusInternalServerError || out["error"] != "server_error" {
				t.Errorf("%s: %d %v", text, status, out)
			}
		}
		if events := f.s.Events(t); !strings.Contains(events, audit.AppScriptFail) {
			t.Errorf("nobody is told:\n%s", events)
		}
		f.write("OpenIDConnectScript", "setClaim('fine', true)")
		status, out := f.exchange(ofCode(code))
		if status != http.StatusOK || payload(t, out["id_token"])["fine"] != true {
			t.Fatal(status, out)
		}
		again := func() url.Values {
			return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {out["refresh_token"].(string)}, "scope": {"openid"}}
		}
		f.write("OpenIDConnectScript", "throw 1")
		if status, out := f.exchange(again()); status != http.StatusInternalServerError {
			t.Error(status, out)
		}
		if out := f.info(out["access_token"].(string)); out["error"] != "server_error" {
			t.Error("UserInfo without its claims:", out)
		}
		f.write("OpenIDConnectScript", "@Empty")
		if status, out := f.exchange(again()); status != http.StatusOK {
			t.Error(status, out)
		}
	})
}

func (f front) refreshing() {
	f.t.Helper()
	f.s.Do(f.t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
		_, err := f.s.App.Apps.Update(ctx, c, "OpenID Connect", app.Change{Members: map[string]any{"OAuthProfile": map[string]any{
			"AllowedAuth": "AuthorizationCode,Implicit", "Redirects": []any{callback}, "AllowPublic": true, "AllowRefresh": true,
		}}})
		return err
	})
}

// TestClaimsScriptInFront: tokens that the browser carries have the claims, too, and a failure goes to the client.
func TestClaimsScriptInFront(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		f.refreshing()
		for text, want := range map[string]string{"setClaim('fine', true)": "", "throw 1": "server_error"} {
			f.write("OpenIDConnectScript", text)
			u, err := f.authorize(url.Values{"response_type": {"code id_token"}, "nonce": {"n"}}).Location()
			if err != nil {
				t.Fatal(err)
			}
			q, _ := url.ParseQuery(u.Fragment)
			if q.Get("error") != want || want == "" && payload(t, q.Get("id_token"))["fine"] != true || want != "" && q.Get("code")+q.Get("id_token") != "" {
				t.Errorf("%s: %s", text, u)
			}
		}
	})
}

// TestPolicyScript: the script decides in place of the rules, and what it does not say lets nobody in.
func TestPolicyScript(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		f := newFront(t, server)
		for text, want := range map[string]string{
			"if (context.onPrem) policy.Locked = true":                            "code",
			"policy.RequiredLevel = 1":                                            "code",
			"policy.Locked = true":                                                "access_denied the rules of the application do not allow this",
			"policy.Locked = true; policy.Reason = 'Closed, ' + User.DisplayName": "access_denied Closed, ",
			"policy.RequiredLevel = 2; policy.Locked = context.authLevel != 2":    "code", // the session is of the level High
			"policy.Loked = true":                                                 "server_error",
			"for (;;);":                                                           "server_error",
			"return false":                                                        "server_error",
			"policy.RequiredLevel = 3":                                            "server_error",
			"this is no script":                                                   "server_error",
		} {
			f.write("PolicyScript", text)
			u, err := f.authorize(nil).Location()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimSpace(u.Query().Get("error") + " " + u.Query().Get("error_description"))
			switch {
			case u.Query().Get("code") != "":
				got = "code"
			case got == "":
				got = u.Path
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s", text, u)
			}
		}
		if !strings.Contains(f.s.Events(t), "PolicyScript") {
			t.Error("the failures left no event")
		}
		f.write("DefaultAuthProfile", "-1")
		f.write("PolicyScript", "")
		if u, err := f.authorize(nil).Location(); err != nil || u.Query().Get("error") != "access_denied" {
			t.Error(u, err)
		}
		f.write("PolicyScript", "policy.RequiredLevel = 1")
		if u, err := f.authorize(nil).Location(); err != nil || u.Query().Get("code") == "" {
			t.Error("the script counts in place of the profile:", u, err)
		}
		f.write("PolicyScript", "trace('says nothing')")
		if u, err := f.authorize(nil).Location(); err != nil || u.Query().Get("error") != "access_denied" {
			t.Error("a script that says nothing of the level leaves it to the profile:", u, err)
		}
	})
}
