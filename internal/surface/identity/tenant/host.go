package tenant

import (
	"context"

	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// GetHosts lists the host names under which the tenant answers. tenant.yaml n 384.
func (t Tenant) GetHosts(ctx context.Context, c *op.Call, _ op.None) ([]string, error) {
	all, err := t.Tenants.Hosts(ctx, c)
	out := make([]string, 0, len(all))
	for _, h := range all {
		out = append(out, h.Name)
	}
	return out, err
}

// GetDomain gives the domain under which host names can be registered; empty where none can. tenant.yaml n 385.
func (t Tenant) GetDomain(context.Context, *op.Call, op.None) (string, error) {
	return t.Tenants.Index.Domain, nil
}

var hostColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "IsPreferred", Type: rpc.TypeBool}, {Name: "IsSystem", Type: rpc.TypeBool},
}

// ListHosts lists the tenant's host names with their standing. tenant.yaml n 388.
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
	// CnamePrefix is one label of a host name, required.
	CnamePrefix string `json:"cnamePrefix"`
}

// Check wants it.
func (p *Prefix) Check() error { return required("cnamePrefix", p.CnamePrefix) }

// Register adds a host name made of a prefix and the installation's domain, and returns it. It works once DNS points it
// here. tenant.yaml n 386.
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

// SetPreferred makes one of the tenant's host names the one that links and answers show. tenant.yaml n 387.
func (t Tenant) SetPreferred(ctx context.Context, c *op.Call, in HostRef) (op.None, error) {
	return op.None{}, t.Tenants.Prefer(ctx, c, in.CustomCname)
}

// UnRegister removes a custom host name; preference falls back to the system's. tenant.yaml n 389.
func (t Tenant) UnRegister(ctx context.Context, c *op.Call, in HostRef) (op.None, error) {
	return op.None{}, t.Tenants.DeleteHost(ctx, c, in.CustomCname)
}
