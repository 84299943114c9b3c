package authentication

import (
	"context"
	"net/http"
	"strconv"

	"limen/internal/core/tenant"
	"limen/internal/core/token"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// Discovery are the operations by which clients find the host of a tenant from its subdomain. They have no envelope, and
// an unknown subdomain is a 404.
type Discovery struct{ Tenants *tenant.Index }

// Plain is the codec of Discovery: the RPC dialect's requests, and answers with ordinary statuses.
type Plain struct{ identity.Codec }

// Methods are GET and nothing else.
func (Plain) Methods(*op.Op) []string { return []string{http.MethodGet} }

// Fault writes a failure with its own status.
func (Plain) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, _ any) {
	code := http.StatusBadRequest
	switch f.Kind {
	case fault.NotFound:
		code = http.StatusNotFound
	case fault.Limited:
		code = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(max(f.After, 1)))
	case fault.Unavailable:
		code = http.StatusServiceUnavailable
	case fault.Internal:
		code = http.StatusInternalServerError
	}
	op.JSON{Code: code, Body: map[string]string{"error": f.Code, "error_message": f.Public, "request": c.ID}}.Write(w, r.HTTP)
}

// Ops declares them.
func (d Discovery) Ops() []op.Op {
	spec := func(path string) op.Spec {
		return op.Spec{Method: http.MethodGet, Path: path, Allow: op.Anonymous, Effect: op.Cached, Rate: op.Normal, Faults: []*fault.Error{op.ErrNoTenant}}
	}
	return []op.Op{
		op.New(spec("/api/identity-endpoint/{subdomain}"), d.IdentityEndpoint),
		op.New(spec("/api/v2/services/subdomain/{subdomain}"), d.Services),
		op.New(spec("/api/public/tenant-discovery"), d.TenantDiscovery),
	}
}

// Subdomain names a tenant.
type Subdomain struct {
	// Subdomain is the first label of the tenant's host, its id, or its host.
	Subdomain string `json:"subdomain" also:"bySubdomain"`
}

// Check wants the subdomain.
func (s *Subdomain) Check() error {
	if s.Subdomain == "" {
		return fault.Missing("subdomain")
	}
	return nil
}

// TenantHint is the subdomain.
func (s *Subdomain) TenantHint() op.Hint { return op.Hint{Tenant: s.Subdomain} }

// IdentityEndpoint gives the identity host of a subdomain: {endpoint, fqdn}. Contract: authentication.yaml, platform
// discovery.
func (d Discovery) IdentityEndpoint(_ context.Context, c *op.Call, _ Subdomain) (op.JSON, error) {
	if c.Tenant.Host == "" {
		return op.JSON{}, op.ErrNoTenant
	}
	return op.JSON{Body: map[string]string{"endpoint": "https://" + c.Tenant.Host, "fqdn": c.Tenant.Host}}, nil
}

// Service is where a service answers.
type Service struct {
	API    string `json:"api"`
	UI     string `json:"ui"`
	Region string `json:"region"`
}

const region = "self-hosted"

// Services gives the services of a subdomain by name. Contract: authentication.yaml, platform discovery, sibling 1.
func (d Discovery) Services(_ context.Context, c *op.Call, _ Subdomain) (op.JSON, error) {
	if c.Tenant.Host == "" {
		return op.JSON{}, op.ErrNoTenant
	}
	root := "https://" + c.Tenant.Host
	return op.JSON{Body: map[string]Service{
		"identity_administration": {root, root + "/admin", region}, "identity_user_portal": {root, root + "/my", region},
	}}, nil
}

// Discovered is a tenant with its services.
type Discovered struct {
	Region      string            `json:"region"`
	DrRegion    string            `json:"dr_region"`
	Subdomain   string            `json:"subdomain"`
	TenantID    string            `json:"tenant_id"`
	PlatformID  string            `json:"platform_id"`
	IdentityID  string            `json:"identity_id"`
	DefaultURL  string            `json:"default_url"`
	TenantFlags map[string]string `json:"tenant_flags"`
	Services    []Offered         `json:"services"`
}

// Offered is a service with its endpoints.
type Offered struct {
	ServiceName       string     `json:"service_name"`
	ServiceSubdomains []string   `json:"service_subdomains"`
	Region            string     `json:"region"`
	Endpoints         []Endpoint `json:"endpoints"`
}

// Endpoint is where a service answers.
type Endpoint struct {
	IsActive bool   `json:"is_active"`
	Type     string `json:"type"`
	UI       string `json:"ui"`
	API      string `json:"api"`
}

// TenantDiscovery gives a tenant with its services. Contract: authentication.yaml, platform discovery, sibling 2.
func (d Discovery) TenantDiscovery(_ context.Context, c *op.Call, _ Subdomain) (op.JSON, error) {
	if c.Tenant.Host == "" {
		return op.JSON{}, op.ErrNoTenant
	}
	root := "https://" + c.Tenant.Host
	sub, _ := token.Split(c.Tenant.Host)
	service := func(name, ui string) Offered {
		return Offered{name, []string{sub}, region, []Endpoint{{true, "main", root + ui, root}}}
	}
	return op.JSON{Body: Discovered{
		Region: region, DrRegion: region, Subdomain: sub, TenantID: c.Tenant.ID, PlatformID: c.Tenant.ID, IdentityID: c.Tenant.ID, DefaultURL: root,
		TenantFlags: map[string]string{}, Services: []Offered{service("identity_administration", "/admin"), service("identity_user_portal", "/my")},
	}}, nil
}
