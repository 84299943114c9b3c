package oauth

import (
	"context"
	"maps"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/op"
)

// platform declares the tokens of the application that every tenant has.
func (o OAuth) platform() []op.Op {
	return []op.Op{op.Prepared(op.Spec{
		Path: "/OAuth2/PlatformToken", Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthCreate, Rate: op.Guess, MaxBody: maxForm,
		Faults: append(faults, oauth.ErrGrantType, oauth.ErrDenied),
	}, o.preparePlatform, o.PlatformToken)}
}

// PlatformRequest asks for a platform token. Form, query and flat JSON are all taken.
type PlatformRequest struct {
	// GrantType is client_credentials, required.
	GrantType string `json:"grant_type"`
	// ClientID is the login name of a service user that is a confidential client, where the header Authorization does not have it.
	ClientID string `json:"client_id"`
	// ClientSecret is its password, where the header does not have it.
	ClientSecret string `json:"client_secret"`

	sent
}

func (o OAuth) preparePlatform(ctx context.Context, c *op.Call, in PlatformRequest) (oauth.Ask, error) {
	if in.GrantType != "" && in.GrantType != "client_credentials" {
		return oauth.Ask{}, oauth.ErrGrantType
	}
	p := maps.Clone(in.params)
	p["scope"] = []string{platformScope}
	return o.Server.Prepare(ctx, c, o.Shared, in.authorization, p, "")
}

// platformScope is everything that the service user may.
const platformScope = "api"

// PlatformToken gives a service user a token for this API: a JWT of 15 minutes that also says of which tenant it is, by tenant_id,
// subdomain and platform_domain. Wrong passwords count as those of sign-ins do. Contract: oauth.yaml n 33.
func (o OAuth) PlatformToken(ctx context.Context, c *op.Call, _ PlatformRequest, a oauth.Ask) (Tokens, error) {
	g, err := o.Server.PlatformToken(ctx, c, a)
	return Tokens{granted: g}, refused(err)
}
