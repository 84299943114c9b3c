package tenant

import (
	"context"

	"limen/internal/op"
)

// About describes the installation and the tenant.
type About struct {
	// Version of the program, or the revision that it was built from; only callers who are signed in are told.
	Version string `json:"Version,omitempty"`
	// Cloud is the domain under which the installation's tenants have their host names; empty where they have none.
	Cloud string `json:"Cloud"`
	// Pod is the tenant's preferred host name, with its port unless that is 443.
	Pod string `json:"Pod"`
	// TenantID is the tenant's id: three letters and four digits.
	TenantID string `json:"TenantId"`
	// CustomerID is the tenant's id as well.
	CustomerID string `json:"CustomerId"`
}

// About describes the installation and the tenant that was addressed.
//
// Strangers are not told the version: it would say which weaknesses to try. tenant.yaml n 390.
func (t Tenant) About(_ context.Context, c *op.Call, _ op.None) (About, error) {
	out := About{Cloud: t.Tenants.Index.Domain, Pod: c.Tenant.Host, TenantID: c.Tenant.ID, CustomerID: c.Tenant.ID}
	if c.Caller != nil {
		out.Version = t.Version
	}
	return out, nil
}
