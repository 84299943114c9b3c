package login_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
)

// television is an application for devices.
func television(t *testing.T, s *apptest.Site) (client string) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		out, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"ServiceName": "tv", "Name": "Television", "OAuthProfile": map[string]any{
			"AllowedAuth": "DeviceCode", "AllowPublic": true,
		}}})
		if err != nil {
			return err
		}
		client = out.Profile.ClientID
		return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
	return client
}

// asks is what the device itself sends.
func asks(t *testing.T, s *apptest.Site, path string, form url.Values) (out map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Somebody brings the code that a device shows, signs in for it, sees who asks for what, and decides.
func TestDevice(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		client := television(t, s)
		for _, do := range []string{"agree", "refuse"} {
			codes := asks(t, s, "/OAuth2/DeviceAuthorization/tv", url.Values{"client_id": {client}, "scope": {"openid email"}})
			link, _ := codes["verification_uri_complete"].(string)
			at, err := url.Parse(link)
			if err != nil || at.Path != "/device" {
				t.Fatalf("%+v", codes)
			}
			user := at.Query().Get("user_code")
			b := newBrowser(t, s)
			if to := b.do("GET", at.RequestURI(), nil); target(t, to, "/login").Get("cloudRedirect") != at.RequestURI() {
				t.Fatal("who is not signed in is led to", to)
			}
			b.signedIn(s.Plain.ID, "UP")
			b.do("GET", at.RequestURI(), nil)
			b.sees(200, `name="user_code" value="`+user+`"`)
			b.do("POST", "/device", url.Values{"user_code": {"BCDF-GHJK"}})
			b.sees(404, "This code is not valid", `value="BCDF-GHJK"`)
			b.do("POST", "/device", url.Values{"user_code": {strings.ToLower(user)}})
			b.sees(200, "Connect Television?", s.Plain.Name, "see your mail address", user, "refuse")
			b.do("POST", "/device", url.Values{"user_code": {b.field("user_code")}, "do": {do}})
			got := asks(t, s, "/OAuth2/Token/tv", url.Values{
				"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {client}, "device_code": {codes["device_code"].(string)},
			})
			if do == "refuse" {
				b.sees(200, "The device was refused")
				if got["error"] != "access_denied" {
					t.Errorf("a refusal gives %v", got)
				}
				continue
			}
			b.sees(200, "Your device is connected")
			if got["access_token"] == nil || got["id_token"] == nil {
				t.Errorf("agreeing gives %v", got)
			}
			b.do("POST", "/device", url.Values{"user_code": {user}})
			b.sees(404, "This code is not valid")
		}
	})
}
