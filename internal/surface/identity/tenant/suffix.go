package tenant

import (
	"context"
	"errors"

	"limen/internal/core/audit"
	core "limen/internal/core/tenant"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Alias is a login suffix to be made or changed.
type Alias struct {
	// Alias is the suffix, required: letters, digits and + - _ . of any script.
	Alias string `json:"alias"`
	// Domain is the suffix or directory domain that it stands for; the suffix itself when absent.
	Domain string `json:"domain"`
	// CdsAlias says whether users of the built-in directory may have it; true when absent.
	CdsAlias op.Opt[bool] `json:"cdsAlias"`
	// OldName is the present name when the suffix is to be renamed.
	OldName string `json:"oldName"`
}

// Check wants a suffix of the right form.
func (a *Alias) Check() error {
	if err := required("alias", a.Alias); err != nil {
		return err
	}
	return core.CheckSuffix("alias", a.Alias)
}

// StoreAlias makes a login suffix, changes what an existing one stands for, or renames it.
//
// A suffix belongs to one tenant of the whole installation. A rename takes the login names of its users along; when there
// are many, that goes on after the answer. tenant.yaml n 379.
func (t Tenant) StoreAlias(ctx context.Context, c *op.Call, in Alias) (op.None, error) {
	s := core.Suffix{Name: in.Alias, Mapped: in.Domain, Cds: in.CdsAlias.Or(true)}
	if in.OldName != "" {
		return op.None{}, t.Tenants.RenameSuffix(ctx, c, in.OldName, s)
	}
	if _, err := t.Tenants.Index.Suffix(ctx, c, in.Alias); errors.Is(err, core.ErrSuffix) {
		c.Event.Type = audit.SuffixCreate
	}
	return op.None{}, t.Tenants.SetSuffix(ctx, c, s)
}

// AliasRef names a login suffix.
type AliasRef struct {
	// Alias is the suffix, required.
	Alias string `json:"alias"`
}

// Check wants it.
func (a *AliasRef) Check() error { return required("alias", a.Alias) }

// DeleteAlias deletes a login suffix that no user has and that is not the default one. tenant.yaml n 380.
func (t Tenant) DeleteAlias(ctx context.Context, c *op.Call, in AliasRef) (op.None, error) {
	return op.None{}, t.Tenants.DeleteSuffix(ctx, c, in.Alias)
}

// AliasList names login suffixes.
type AliasList struct {
	// Suffixes are required; a bare array is taken too.
	Suffixes []string `json:"Suffixes" rpc:"array,one"`
}

// Check wants some.
func (a *AliasList) Check() error {
	if len(a.Suffixes) == 0 {
		return fault.Missing("Suffixes")
	}
	if len(a.Suffixes) > 1000 {
		return fault.Bad("Suffixes", "may have 1000 entries")
	}
	return nil
}

// DeleteAliases deletes several login suffixes: all of them, or none and a message that names the one at fault.
// tenant.yaml n 381.
func (t Tenant) DeleteAliases(ctx context.Context, c *op.Call, in AliasList) (op.None, error) {
	for _, s := range in.Suffixes {
		if err := t.Tenants.DeleteSuffix(ctx, c, s); err != nil {
			if f := fault.Of(err); f.Kind != fault.Internal {
				return op.None{}, f.Say("%s: %s", s, f.Public)
			}
			return op.None{}, err
		}
	}
	c.Event.Set("Suffixes", in.Suffixes)
	return op.None{}, nil
}

var suffixColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Domain"}, {Name: "CdsAlias", Type: rpc.TypeBool}, {Name: "IsDefault", Type: rpc.TypeBool},
}

func (t Tenant) listed(ctx context.Context, c *op.Call, cdsOnly bool) (rpc.Query, error) {
	all, err := t.Tenants.Suffixes(ctx, c)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: suffixColumns, Results: []rpc.Row{}}
	for _, s := range all {
		if cdsOnly && !s.Cds {
			continue
		}
		row := rpc.Row{Entities: []rpc.Entity{{Type: "Alias", Key: s.Name}}, Row: []any{s.Name, s.Mapped, s.Cds, s.Main}}
		if s.Main { // clients take the first one as the default
			out.Results = append([]rpc.Row{row}, out.Results...)
		} else {
			out.Results = append(out.Results, row)
		}
	}
	out.FullCount = len(out.Results)
	return out, nil
}

// GetAliasesForTenant lists the tenant's login suffixes, the default one first. tenant.yaml n 382.
func (t Tenant) GetAliasesForTenant(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	return t.listed(ctx, c, false)
}

// GetCdsAliasesForTenant lists the login suffixes of the built-in directory, the default one first. tenant.yaml n 383.
func (t Tenant) GetCdsAliasesForTenant(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	return t.listed(ctx, c, true)
}
