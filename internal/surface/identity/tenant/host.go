package tenant

import (
	"context"

	core "limen/internal/core/tenant"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// GetHosts lists the host names under which the tenant answers, without ports, by name. tenant.yaml n 384.
func (t Tenant) GetHosts(ctx context.Context, c *op.Call, _ op.None) ([]string, error) {
	all, err := t.Tenants.Hosts(ctx, c)
	out := make([]string, 0, len(all))
	for _, h := range all {
		out = append(out, h.Name)
	}
	return out, err
}

// GetDomain gives the domain under which host names can be registered: the installation's first host name.
//
// Errors: tenant.no_domain where that is no name but an address. tenant.yaml n 385.
func (t Tenant) GetDomain(context.Context, *op.Call, op.None) (string, error) {
	if t.Tenants.Index.Domain == "" {
		return "", core.ErrDomain
	}
	return t.Tenants.Index.Domain, nil
}

var hostColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "IsPreferred", Type: rpc.TypeBool}, {Name: "IsSystem", Type: rpc.TypeBool},
}

// ListHosts lists the tenant's host names with their standing, by name.
//
// Columns: ID is the host name, IsPreferred whether links and answers show it, IsSystem whether it came with the
// installation, so that it cannot be removed. tenant.yaml n 388.
func (t Tenant) ListHosts(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	all, err := t.Tenants.Hosts(ctx, c)
	out := rpc.Query{Columns: hostColumns, FullCount: len(all), Results: []rpc.Row{}}
	for _, h := range all {
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: "TenantCname", Key: h.Name}}, Row: []any{h.Name, h.Preferred, !h.Custom},
		})
	}
	return out, err
}

// Prefix is a host name to be registered.
type Prefix struct {
	// CnamePrefix is one label of a host name, required: letters, digits and hyphens, at most 63.
	CnamePrefix string `json:"cnamePrefix"`
}

// Check wants it.
func (p *Prefix) Check() error { return required("cnamePrefix", p.CnamePrefix) }

// Register adds a host name made of a prefix and the installation's domain, and returns it.
//
// It works once DNS points the name here and a certificate covers it. Errors: tenant.host_taken when any tenant has the
// name or it is reserved, param.invalid when the prefix is no label, tenant.no_domain, tenant.too_many. tenant.yaml n 386.
func (t Tenant) Register(ctx context.Context, c *op.Call, in Prefix) (string, error) {
	return t.Tenants.AddHost(ctx, c, in.CnamePrefix)
}

// HostRef names a host name of the tenant.
type HostRef struct {
	// CustomCname is the full host name, required.
	CustomCname string `json:"customCname"`
}

// Check wants it.
func (h *HostRef) Check() error { return required("customCname", h.CustomCname) }

// SetPreferred makes one of the tenant's host names the one that links and answers show.
//
// Errors: tenant.no_host when the name is not the tenant's. tenant.yaml n 387.
func (t Tenant) SetPreferred(ctx context.Context, c *op.Call, in HostRef) (op.None, error) {
	return op.None{}, t.Tenants.Prefer(ctx, c, in.CustomCname)
}

// UnRegister removes a custom host name; when it was the preferred one, preference falls back to a system name.
//
// Errors: tenant.host_system, tenant.no_host. tenant.yaml n 389.
func (t Tenant) UnRegister(ctx context.Context, c *op.Call, in HostRef) (op.None, error) {
	return op.None{}, t.Tenants.DeleteHost(ctx, c, in.CustomCname)
}
