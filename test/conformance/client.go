package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// secret of the applications' own clients.
const secret = "a-secret-of-the-suite-of-more-than-32-bytes"

// client is one as the suite is told of it: its own words of it, and its certificate.
type client struct {
	config map[string]any
	mtls   map[string]string // nil: it has none
}

// clients makes an application for a plan: its own client, and one that is registered with it.
func (r runner) clients(ctx context.Context, p plan, base string, users ...account) (first, second client, err error) {
	authority, err := issue(nil, "The authority of "+p.short)
	if err != nil {
		return first, second, err
	}
	profile := map[string]any{
		"ClientIDType": 1, "ClientSecret": secret, "AllowedAuth": p.flows, "AllowRefresh": true, "KnownScopes": []any{}, "Confirm": true, "Registration": "Open",
		"Redirects": []string{base + "/callback"}, "PostLogoutRedirects": []string{base + "/post_logout_redirect"}, "FAPI": p.fapi, "ClientAuthorities": certPEM(authority),
	}
	first, known, err := p.client(p.short+"-first", base, &authority)
	if err != nil {
		return first, second, err
	}
	if p.variant["client_auth_type"] == "" {
		first.config["client_secret"] = secret
	}
	profile["ClientMetadata"] = known
	if first.config["client_id"], err = r.world.app(ctx, p.short, profile, users...); err != nil {
		return first, second, err
	}
	second, known, err = p.client(p.short+"-second", base, nil)
	if err != nil {
		return first, second, err
	}
	return first, second, r.register(ctx, p, base, known, second.config)
}

// client equips a client for a plan, and says what is registered of it. Who has an authority proves itself by that one's certificate, where
// the plan wants certificates, who has none by one that it has signed itself (RFC 8705 section 2).
func (p plan) client(name, base string, authority *tls.Certificate) (out client, known map[string]any, err error) {
	out.config, known = map[string]any{}, map[string]any{}
	switch p.short { // tests of other plans fail when they are told of sign-outs
	case "frontchannel":
		known["frontchannel_logout_uri"], known["frontchannel_logout_session_required"] = base+"/frontchannel_logout", true
	case "backchannel":
		known["backchannel_logout_uri"], known["backchannel_logout_session_required"] = base+"/backchannel_logout", true
	}
	if p.variant["client_auth_type"] == "" {
		return out, known, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return out, known, err
	}
	private := jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: string(jose.PS256), Use: "sig"}
	public := []jose.JSONWebKey{private.Public()}
	out.config["jwks"], out.config["scope"], out.config["dpop_signing_alg"] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private}}, "openid email", "ES256"
	known["token_endpoint_auth_method"], known["token_endpoint_auth_signing_alg"] = "private_key_jwt", "PS256"
	if p.certified() {
		cert, err := issue(authority, name)
		if err != nil {
			return out, known, err
		}
		if out.mtls, err = mtls(cert); err != nil {
			return out, known, err
		}
		switch {
		case p.variant["client_auth_type"] != "mtls":
		case authority != nil:
			known["token_endpoint_auth_method"], known["tls_client_auth_subject_dn"] = "tls_client_auth", "CN="+name
		default:
			known["token_endpoint_auth_method"] = "self_signed_tls_client_auth"
			public = append(public, keyOf(cert))
		}
	}
	known["jwks"] = jose.JSONWebKeySet{Keys: public}
	known["tls_client_certificate_bound_access_tokens"], known["dpop_bound_access_tokens"] = p.bound(), p.variant["sender_constrain"] == "dpop"
	maps.Copy(known, p.asked(base))
	return out, known, nil
}

// asked is what is registered of a client that has people asked who are not at it (CIBA Core section 4).
func (p plan) asked(base string) map[string]any {
	mode := p.variant["ciba_mode"]
	if mode == "" {
		return nil
	}
	out := map[string]any{"backchannel_token_delivery_mode": mode, "backchannel_authentication_request_signing_alg": "PS256", "id_token_signed_response_alg": "PS256"}
	if mode != "poll" {
		out["backchannel_client_notification_endpoint"] = base + "/ciba-notification-endpoint"
	}
	return out
}

// register registers the second client with the application: it does so itself, unless it wants people to be asked who are not at it,
// which needs an administrator.
func (r runner) register(ctx context.Context, p plan, base string, known, out map[string]any) error {
	known["redirect_uris"], known["post_logout_redirect_uris"] = []string{base + "/callback", base + "/callback?dummy1=lorem&dummy2=ipsum"}, []string{base + "/post_logout_redirect"}
	known["grant_types"], known["response_types"] = p.grants()
	if p.variant["ciba_mode"] != "" {
		var made struct {
			ClientID string `json:"ClientId"`
		}
		err := r.world.admin.Call(ctx, "/SaasManage/CreateClient", map[string]any{"ServiceName": p.short, "Metadata": known}, &made)
		out["client_id"] = made.ClientID
		return err
	}
	body, err := json.Marshal(known)
	if err != nil {
		return err
	}
	got, err := r.world.admin.As("").Do(ctx, http.MethodPost, "/OAuth2/Register/"+p.short, http.Header{"Content-Type": {"application/json"}}, body)
	if err != nil {
		return err
	}
	if got.Status != http.StatusCreated {
		return fmt.Errorf("the second client was not registered: status %d: %.400s", got.Status, got.Body)
	}
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err = json.Unmarshal(got.Body, &made)
	out["client_id"] = made.ID
	if made.Secret != "" {
		out["client_secret"] = made.Secret
	}
	return err
}

// grants are the grant and response types of a plan's clients.
func (p plan) grants() (grants, responses []string) {
	grants, responses = []string{"refresh_token"}, []string{}
	flows := names(p.flows)
	code, implicit := slices.Contains(flows, "AuthorizationCode"), slices.Contains(flows, "Implicit")
	if code {
		grants, responses = append(grants, "authorization_code"), append(responses, "code")
	}
	if implicit {
		grants, responses = append(grants, "implicit"), append(responses, "id_token", "id_token token")
	}
	if code && implicit {
		responses = append(responses, "code id_token", "code token", "code id_token token")
	}
	if slices.Contains(flows, "CIBA") {
		grants = append(grants, "urn:openid:params:grant-type:ciba")
	}
	return grants, responses
}
