package oauth

import (
	"context"

	"limen/internal/core/app"
	"limen/internal/core/oauth"
	"limen/internal/op"
)

// Resource describes this program's own API as a protected resource (RFC 9728 section 2).
type Resource struct {
	Resource string `json:"resource"`
	// Servers are the tenant's issuer, and that of the application for service users which every tenant has. Other applications whose tokens
	// are for the API have issuers of their own, which are not told to whom does not know them.
	Servers   []string `json:"authorization_servers"`
	Methods   []string `json:"bearer_methods_supported"`
	DPoPAlgs  []string `json:"dpop_signing_alg_values_supported"`
	CertBound bool     `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 section 3.3
}

// ProtectedResource describes the tenant's API to clients that look for who gives tokens for it, and how they are shown. RFC 9728.
func (o OAuth) ProtectedResource(ctx context.Context, c *op.Call, _ op.None) (op.JSON, error) {
	a, err := o.Server.App(ctx, c, app.Shared.Service)
	return op.JSON{MaxAge: docAge, Body: Resource{
		Resource: "https://" + c.Tenant.Host, Servers: []string{oauth.WideIssuer(c.Tenant.Host), a.Issuer(c.Tenant.Host)}, Methods: []string{"header"},
		DPoPAlgs: oauth.Profile{}.ClientAlgorithms(), CertBound: o.Server.Certs,
	}}, err
}
