package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// secret of the applications' own clients.
const secret = "a-secret-of-the-suite-of-more-than-32-bytes"

// client is one as the suite is told of it.
type client map[string]any

// keys are new ones of a client: for the suite, and what the program may see of them.
func keys() (private, public jose.JSONWebKeySet, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return private, public, err
	}
	one := jose.JSONWebKey{Key: key, KeyID: rand.Text(), Algorithm: string(jose.PS256), Use: "sig"}
	private.Keys = []jose.JSONWebKey{one}
	public.Keys = []jose.JSONWebKey{one.Public()}
	return private, public, nil
}

// clients makes an application for a plan: what the suite is told of its own client, and of one that is registered with it.
func (r runner) clients(ctx context.Context, p plan, base string) (first, second client, err error) {
	profile := map[string]any{
		"ClientIDType": 1, "ClientSecret": secret, "AllowedAuth": p.flows, "AllowRefresh": true, "KnownScopes": []any{}, "Confirm": true, "Registration": "Open",
		"Redirects": []string{base + "/callback"}, "PostLogoutRedirects": []string{base + "/post_logout_redirect"}, "FAPI": p.fapi,
	}
	known := map[string]any{} // what is registered of both
	switch p.short {          // tests of other plans fail when they are told of sign-outs
	case "frontchannel":
		known["frontchannel_logout_uri"], known["frontchannel_logout_session_required"] = base+"/frontchannel_logout", true
	case "backchannel":
		known["backchannel_logout_uri"], known["backchannel_logout_session_required"] = base+"/backchannel_logout", true
	}
	first, second = client{"client_secret": secret}, client{}
	if err := p.equip(first, known); err != nil {
		return nil, nil, err
	}
	profile["ClientMetadata"] = known
	if first["client_id"], err = r.world.app(ctx, p.short, profile); err != nil {
		return nil, nil, err
	}
	if err := p.equip(second, known); err != nil {
		return nil, nil, err
	}
	return first, second, r.register(ctx, p, base, known, second)
}

// equip gives a client what FAPI 2.0 wants of one.
func (p plan) equip(c client, known map[string]any) error {
	if p.fapi == "" {
		return nil
	}
	private, public, err := keys()
	delete(c, "client_secret")
	c["jwks"], c["scope"], c["dpop_signing_alg"] = private, "openid email", "ES256"
	known["token_endpoint_auth_method"], known["jwks"] = "private_key_jwt", public
	return err
}

// register has the second client register itself with the application.
func (r runner) register(ctx context.Context, p plan, base string, known map[string]any, out client) error {
	known["redirect_uris"], known["post_logout_redirect_uris"] = []string{base + "/callback", base + "/callback?dummy1=lorem&dummy2=ipsum"}, []string{base + "/post_logout_redirect"}
	known["grant_types"], known["response_types"] = p.grants()
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
	for flow, of := range map[string][2][]string{
		"AuthorizationCode": {{"authorization_code", "refresh_token"}, {"code"}},
		"Implicit":          {{"implicit"}, {"id_token", "id_token token"}},
	} {
		if slices.Contains(names(p.flows), flow) {
			grants, responses = append(grants, of[0]...), append(responses, of[1]...)
		}
	}
	if len(grants) == 3 {
		responses = append(responses, "code id_token", "code token", "code id_token token")
	}
	return grants, responses
}
