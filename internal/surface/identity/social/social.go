// Package social is the RPC dialect's operations on the identity providers at which people may sign in (social.yaml n 471 to 477).
package social

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/setting"
	"limen/internal/core/upstream"
	"limen/internal/fault"
	"limen/internal/op"
)

// Social is the operations.
type Social struct {
	Providers *upstream.Providers
	Settings  *setting.Store
}

// Ops declares them.
func (s Social) Ops() []op.Op {
	read := func(path string, older string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: path, Paths: []string{older}, Allow: op.System, Effect: op.Read, Faults: faults}
	}
	write := func(path, older, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: path, Paths: []string{older}, Allow: op.System, Effect: op.Write, Audit: event, Faults: append(faults, upstream.ErrUnknown)}
	}
	return []op.Op{
		op.New(read("/SocialConfig/GetAllSocialConfig", "/TenantConfig/GetAllSocialConfig"), s.GetAllSocialConfig),
		op.New(write("/SocialConfig/GetAppClientSecret", "/TenantConfig/GetSocialAppClientSecret", audit.UpstreamSecret, fault.ErrMissing), s.GetAppClientSecret),
		op.New(read("/SocialConfig/GetSocialAuthConfig", "/TenantConfig/GetSocialAuthConfig"), s.GetSocialAuthConfig),
		op.New(read("/SocialConfig/GetSocialConfig", "/TenantConfig/GetSocialConfig", upstream.ErrUnknown, fault.ErrMissing), s.GetSocialConfig),
		op.Prepared(write("/SocialConfig/ResetSocialAuthConfig", "/TenantConfig/ResetSocialAuthConfig", audit.UpstreamChange), s.home, s.ResetSocialAuthConfig),
		op.Prepared(write("/SocialConfig/SetSocialAuthConfig", "/TenantConfig/SetSocialAuthConfig", audit.UpstreamChange,
			upstream.ErrSecret, setting.ErrValue, fault.ErrInvalid, fault.ErrMissing), s.portal, s.SetSocialAuthConfig),
		op.Prepared(write("/SocialConfig/SetSocialCustomConfig", "/TenantConfig/SetSocialCustomConfig", audit.UpstreamChange,
			upstream.ErrSecret, upstream.ErrProviders, fault.ErrInvalid, fault.ErrMissing), s.seal, s.SetSocialCustomConfig),
	}
}

// Config is how one identity provider is set up.
type Config struct {
	// IdpName is Facebook, Google, LinkedIn, Microsoft or Twitter; or Apple, or the name of an issuer that was set up.
	IdpName string `json:"IdpName"`
	// Enabled says whether people may sign in there.
	Enabled bool `json:"Enabled"`
	// UseCustomConfig says whether the tenant has an application of its own there. There is no shared one: without, nobody signs in.
	UseCustomConfig bool `json:"UseCustomConfig"`
	// AppID is the client id of that application; empty: none.
	AppID string `json:"AppId"`
	// HasAppSecret says whether its secret is kept. Only GetAppClientSecret tells it.
	HasAppSecret bool `json:"HasAppSecret"`
	// CallbackURL is the address to register with the provider.
	CallbackURL string `json:"CallbackUrl"`
	// Scope is what is asked for besides what signing in needs, with spaces between.
	Scope string `json:"Scope"`
	// PortalURL is where people land who signed in there; empty: the tenant's.
	PortalURL string `json:"PortalUrl"`
	// LinkDomains are the mail domains for which the provider is believed, with commas between, or *; empty: none. An account whose address in one
	// of them it shows to be its own becomes that of the one person here who has shown the same.
	LinkDomains string `json:"LinkDomains"`
	// Issuer is that of OpenID Connect, of a provider that the program does not know; else absent.
	Issuer string `json:"Issuer,omitempty"`
	// DisplayName is the provider as people read it, of one that the program does not know; else absent.
	DisplayName string `json:"DisplayName,omitempty"`
	// TeamID is the developer team, of Apple; else absent.
	TeamID string `json:"TeamId,omitempty"`
	// KeyID is the id of the key that AppSecret is, of Apple; else absent.
	KeyID string `json:"KeyId,omitempty"`
}

func (s Social) config(c *op.Call, p upstream.Provider) Config {
	out := Config{
		IdpName: p.Name, Enabled: p.Enabled, UseCustomConfig: p.Own(), AppID: p.Client, HasAppSecret: p.Sealed != "",
		CallbackURL: s.Providers.Links.To(c, p.Callback(), ""), Scope: p.Scope, PortalURL: p.Portal, LinkDomains: p.Domains, Issuer: p.Issuer, TeamID: p.Team, KeyID: p.KeyID,
	}
	if p.Issuer != "" {
		out.DisplayName = p.Display
	}
	return out
}

// GetAllSocialConfig gives how every identity provider is set up: the five of the contract in its order, set up or not, then Apple and
// issuers of the tenant's own where they are. Secrets are never in it. social.yaml n 471.
func (s Social) GetAllSocialConfig(ctx context.Context, c *op.Call, _ op.None) ([]Config, error) {
	all, err := s.Providers.All(ctx, c)
	out := make([]Config, 0, len(all))
	for _, p := range all {
		out = append(out, s.config(c, p))
	}
	return out, err
}

// Named names an identity provider.
type Named struct {
	// IdpName is the provider, required. Its case does not matter.
	IdpName string `json:"idpName"`
}

// Check wants the name.
func (n *Named) Check() error {
	if strings.TrimSpace(n.IdpName) == "" {
		return fault.Missing("idpName")
	}
	return nil
}

// GetSocialConfig gives how one identity provider is set up. Error: upstream.unknown. social.yaml n 474.
func (s Social) GetSocialConfig(ctx context.Context, c *op.Call, in Named) (Config, error) {
	p, err := s.Providers.Find(ctx, c, in.IdpName)
	return s.config(c, p), err
}

// GetAppClientSecret gives the secret of the tenant's application at a provider in the clear; null where there is none. Each call leaves
// an event. Error: upstream.unknown. social.yaml n 472.
func (s Social) GetAppClientSecret(ctx context.Context, c *op.Call, in Named) (*string, error) {
	p, err := s.Providers.Find(ctx, c, in.IdpName)
	if err != nil {
		return nil, err
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = p.Name, "IdentityProvider", p.Name
	secret, err := s.Providers.Secret(ctx, c, p)
	if err != nil || secret == "" {
		return nil, err
	}
	return &secret, nil
}

// Switches say which identity providers people may use.
type Switches struct {
	// EnabledSocialUserIdps are the names of those that are enabled, with commas between; empty: none.
	EnabledSocialUserIdps string `json:"EnabledSocialUserIdps"`
	// Idps are all providers, in the order of GetAllSocialConfig.
	Idps []Switch `json:"Idps"`
	// PortalURL is where people land who signed in at a provider; empty: here.
	PortalURL string `json:"PortalUrl"`
}

// Switch says whether one provider is enabled.
type Switch struct {
	// IdpName is the provider.
	IdpName string `json:"IdpName"`
	// Enabled says whether people may sign in there.
	Enabled bool `json:"Enabled"`
	// UseCustomConfig says whether the tenant has an application of its own there.
	UseCustomConfig bool `json:"UseCustomConfig"`
}

// GetSocialAuthConfig gives which identity providers people may use: none, unless somebody enabled them. social.yaml n 473.
func (s Social) GetSocialAuthConfig(ctx context.Context, c *op.Call, _ op.None) (Switches, error) {
	all, err := s.Providers.All(ctx, c)
	if err != nil {
		return Switches{}, err
	}
	v, err := s.Settings.Get(ctx, c)
	if err != nil {
		return Switches{}, err
	}
	out := Switches{Idps: make([]Switch, 0, len(all)), PortalURL: v.Social.Portal}
	var on []string
	for _, p := range all {
		out.Idps = append(out.Idps, Switch{p.Name, p.Enabled, p.Own()})
		if p.Enabled {
			on = append(on, p.Name)
		}
	}
	out.EnabledSocialUserIdps = strings.Join(on, ",")
	return out, nil
}
