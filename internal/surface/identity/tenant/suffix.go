package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"limen/internal/core/audit"
	core "limen/internal/core/tenant"
	"limen/internal/fault"
	"limen/internal/fold"
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

// StoreAlias makes a login suffix; with oldName it renames one, or changes what it stands for.
//
// A suffix belongs to one tenant of the whole installation, and may be one label. A rename takes the login names of its
// users along; when there are more than a thousand, a job goes on with that after the answer, and until it ends both
// suffixes sign in. To map a suffix to another domain, give its own name as oldName. Errors: tenant.suffix_taken when any
// tenant has the suffix, param.invalid when it has other characters or looks like a tenant's id, tenant.no_suffix,
// tenant.suffix_main, tenant.too_many. tenant.yaml n 379.
func (t Tenant) StoreAlias(ctx context.Context, c *op.Call, in Alias) (op.None, error) {
	s := core.Suffix{Name: in.Alias, Mapped: in.Domain, Cds: in.CdsAlias.Or(true)}
	if in.OldName != "" {
		return op.None{}, t.Tenants.RenameSuffix(ctx, c, in.OldName, s)
	}
	all, err := t.Tenants.Suffixes(ctx, c)
	if err != nil {
		return op.None{}, err
	}
	key := fold.Key(in.Alias)
	if slices.ContainsFunc(all, func(s core.Suffix) bool { return s.Key == key }) {
		return op.None{}, core.ErrSuffixTaken.At("alias")
	}
	c.Event.Type = audit.SuffixCreate
	return op.None{}, t.Tenants.SetSuffix(ctx, c, s)
}

// AliasRef names a login suffix.
type AliasRef struct {
	// Alias is the suffix, required.
	Alias string `json:"alias"`
}

// Check wants it.
func (a *AliasRef) Check() error { return required("alias", a.Alias) }

// DeleteAlias deletes a login suffix that no user has and that is not the default one.
//
// Errors: tenant.no_suffix, tenant.suffix_used, tenant.suffix_main. tenant.yaml n 380.
func (t Tenant) DeleteAlias(ctx context.Context, c *op.Call, in AliasRef) (op.None, error) {
	return op.None{}, t.Tenants.DeleteSuffix(ctx, c, in.Alias)
}

// AliasList names login suffixes.
type AliasList struct {
	// Suffixes are the suffixes to delete, at least one and at most 1000; a bare array is taken too.
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

// DeleteAliases deletes several login suffixes, each with an event: all of them, or none.
//
// When some cannot be deleted, the message names them with the reason for each. Errors: tenant.suffixes, or those of
// DeleteAlias when a single one is at fault. tenant.yaml n 381.
func (t Tenant) DeleteAliases(ctx context.Context, c *op.Call, in AliasList) (op.None, error) {
	event := c.Event
	defer func() { c.Event = event }()
	var failed []*fault.Error
	for i, s := range distinct(in.Suffixes) {
		if i > 0 {
			c.Event = c.Record(audit.SuffixDelete)
		}
		err := t.Tenants.DeleteSuffix(ctx, c, s)
		f := fault.Of(err)
		if f == nil {
			continue
		}
		if f.Kind == fault.Internal {
			return op.None{}, err
		}
		if failed = append(failed, f.Say("%s: %s", s, f.Public)); len(failed) == 1 {
			event.Target, event.Kind, event.Name = s, "Suffix", s
		}
	}
	return op.None{}, together(failed)
}

// distinct leaves out what is named again.
func distinct(suffixes []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(suffixes), func(s string) bool {
		key := fold.Key(s)
		again := seen[key]
		seen[key] = true
		return again
	})
}

// maxNamed is how many suffixes a message names.
const maxNamed = 20

// together makes one fault of several.
func together(failed []*fault.Error) error {
	switch len(failed) {
	case 0:
		return nil
	case 1:
		return failed[0]
	}
	var b strings.Builder
	b.WriteString(ErrAliases.Public)
	for i, f := range failed {
		if i == maxNamed {
			fmt.Fprintf(&b, " And %d more.", len(failed)-i)
			break
		}
		b.WriteString(" " + f.Public)
	}
	return ErrAliases.Say("%s", b.String())
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

// GetAliasesForTenant lists the tenant's login suffixes, the default one first and the others by name.
//
// Columns: ID is the suffix, Domain what it stands for, CdsAlias whether users of the built-in directory may have it,
// IsDefault whether it is the default. tenant.yaml n 382.
func (t Tenant) GetAliasesForTenant(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	return t.listed(ctx, c, false)
}

// GetCdsAliasesForTenant lists the login suffixes that users of the built-in directory may have, the default one first.
//
// There is always one. Columns as in GetAliasesForTenant. tenant.yaml n 383.
func (t Tenant) GetCdsAliasesForTenant(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	return t.listed(ctx, c, true)
}
