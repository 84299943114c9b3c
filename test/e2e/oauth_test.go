package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// relying is an application with a client made of libraries that others wrote.
type relying struct {
	config   oauth2.Config
	provider *oidc.Provider
	ctx      context.Context // with the client that trusts the server
}

const callback = "https://wiki.example.com/callback"

// TestOAuth has a client of foreign make sign people in.
func TestOAuth(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		w := newSite(t, engine)
		r := w.relyingParty(t, object{})
		must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "wilma@limen", "Mail": "wilma@example.com", "DisplayName": "Wilma Stone", "Password": password, "ServiceUser": true}, nil)
		_, s, err := w.anyone.Password(t.Context(), "wilma@limen", password)
		if err != nil {
			t.Fatal(err)
		}
		var me struct{ UserUuid string }
		must(t, w.anyone.As(s.Auth), "/Security/WhoAmI", nil, &me)
		must(t, w.admin, "/SaasManage/SetApplicationPermissions", object{
			"ID": r.id(t, w), "Grants": []object{{"PType": "User", "PrincipalId": me.UserUuid, "Rights": "View,Execute"}},
		}, nil)
		r.codeFlow(t, w, s.Auth, me.UserUuid)
	})
}

func (r relying) id(t *testing.T, w *site) (id string) {
	t.Helper()
	must(t, w.admin, "/SaasManage/GetAppIDByServiceName", object{"Name": "wiki"}, &id)
	return id
}

// relyingParty makes an application as an administrator does, with what its client says of itself, and a client that knows its address and its secret.
func (w *site) relyingParty(t *testing.T, metadata object) relying {
	t.Helper()
	const secret = "a-secret-of-the-wiki-itself"
	var made []struct {
		Key string `json:"_RowKey"`
	}
	must(t, w.admin, "/SaasManage/ImportAppFromTemplate", object{"ID": []string{"Generic OpenID Connect"}}, &made)
	must(t, w.admin, "/SaasManage/UpdateApplicationDE", object{
		"_RowKey": made[0].Key, "Name": "Wiki", "ServiceName": "wiki",
		"OAuthProfile": object{
			"ClientIDType": 1, "ClientSecret": secret, "Redirects": []string{callback}, "AllowedAuth": "AuthorizationCode", "AllowRefresh": true,
			"TokenLifetimeString": "0.01:00:00", "RefreshLifetimeString": "30.00:00:00", "KnownScopes": []object{}, "ClientMetadata": metadata,
		},
	}, nil)
	var app struct{ OAuthProfile struct{ ClientID string } }
	must(t, w.admin, "/SaasManage/GetApplication", object{"_RowKey": made[0].Key}, &app)
	var meta struct{ Issuer string }
	a, err := w.anyone.Do(t.Context(), http.MethodGet, "/OAuth2/GetMeta?serviceName=wiki", nil, nil)
	if err != nil || a.Status != 200 || json.Unmarshal(a.Body, &meta) != nil {
		t.Fatalf("%v %d %s", err, a.Status, a.Body)
	}
	ctx := oidc.ClientContext(t.Context(), w.anyone.HTTP)
	p, err := oidc.NewProvider(ctx, meta.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	return relying{ctx: ctx, provider: p, config: oauth2.Config{
		ClientID: app.OAuthProfile.ClientID, ClientSecret: secret, RedirectURL: callback, Endpoint: p.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}}
}

// codeFlow signs in by a code with PKCE, whose session stands in the place of pages, and uses the tokens until they are revoked.
func (r relying) codeFlow(t *testing.T, w *site, auth, userID string) {
	verifier := oauth2.GenerateVerifier()
	ask := r.config.AuthCodeURL("a-state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("a-nonce"), oauth2.SetAuthURLParam("Auth", auth))
	u, err := url.Parse(ask)
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.anyone.Do(t.Context(), http.MethodGet, u.RequestURI(), nil, nil)
	if err != nil || a.Status != http.StatusFound {
		t.Fatalf("%v %+v", err, a)
	}
	back, err := url.Parse(a.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), callback+"?") || back.Query().Get("state") != "a-state" || back.Query().Get("code") == "" {
		t.Fatalf("%v %s", err, a.Header.Get("Location"))
	}
	if _, err := r.config.Exchange(r.ctx, back.Query().Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("another verifier was taken")
	}
	token, err := r.config.Exchange(r.ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := r.provider.Verifier(&oidc.Config{ClientID: r.config.ClientID}).Verify(r.ctx, raw)
	if err != nil || id.Nonce != "a-nonce" || id.Subject != userID {
		t.Fatalf("%v %+v", err, id)
	}
	r.informed(t, token, userID)
	next, err := r.config.TokenSource(r.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil || next.RefreshToken == token.RefreshToken {
		t.Fatalf("%v %+v", err, next)
	}
	r.informed(t, next, userID)
	if !r.active(t, w, next.AccessToken) {
		t.Error("introspection does not know a good token")
	}
	form := url.Values{"token": {next.RefreshToken}, "client_id": {r.config.ClientID}, "client_secret": {r.config.ClientSecret}}
	if a := submit(t, w.anyone, "/OAuth2/Revoke/wiki", form); a.Status != http.StatusOK {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if r.active(t, w, next.AccessToken) {
		t.Error("the access token outlived the refresh token that was revoked")
	}
}

// informed asks who somebody is.
func (r relying) informed(t *testing.T, token *oauth2.Token, userID string) {
	t.Helper()
	info, err := r.provider.UserInfo(r.ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != userID || info.Email != "wilma@example.com" {
		t.Fatalf("%v %+v", err, info)
	}
	var more struct {
		Family string `json:"family_name"`
	}
	if err := info.Claims(&more); err != nil || more.Family != "Stone" {
		t.Errorf("%v %+v", err, more)
	}
}

// active asks whether a token is good.
func (r relying) active(t *testing.T, w *site, token string) bool {
	t.Helper()
	a := submit(t, w.anyone, "/OAuth2/Introspect/wiki", url.Values{"token": {token}, "client_id": {r.config.ClientID}, "client_secret": {r.config.ClientSecret}})
	var out struct{ Active bool }
	if a.Status != http.StatusOK || json.Unmarshal(a.Body, &out) != nil {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return out.Active
}
