package social

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/setting"
	"limen/internal/core/upstream"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/op"
)

// Reset says what goes back to the beginning.
type Reset struct {
	// IdpName is the provider; absent or empty: all of them, and the page on which people land.
	IdpName string `json:"idpName"`
}

func (s Social) home(ctx context.Context, c *op.Call, in Reset) (setting.Ready, error) {
	if strings.TrimSpace(in.IdpName) != "" {
		return setting.Ready{}, nil
	}
	return s.Settings.Prepare(ctx, c, setting.Unset(setting.SocialPortal))
}

// ResetSocialAuthConfig disables identity providers and drops the tenant's applications there with their secrets; of all providers, it
// drops where people land as well. Sign-ins that are under way end. What people connected stays theirs, and is of no use until the provider
// is enabled again. An issuer of the tenant's own is gone. Error: upstream.unknown. social.yaml n 475.
func (s Social) ResetSocialAuthConfig(ctx context.Context, c *op.Call, in Reset, home setting.Ready) (op.None, error) {
	if strings.TrimSpace(in.IdpName) != "" {
		return op.None{}, s.Providers.Reset(ctx, c, in.IdpName)
	}
	all, err := s.Providers.All(ctx, c)
	for i := 0; err == nil && i < len(all); i++ {
		if all[i].Version > 0 {
			err = s.Providers.Reset(ctx, c, all[i].Name)
		}
	}
	if err == nil {
		err = s.Settings.Write(ctx, c, home)
	}
	return op.None{}, err
}

// maxSwitches bounds how many providers are switched at once.
const maxSwitches = 100

// NewSwitches say which identity providers people may use from now on. One of the two forms; with both, the list counts.
type NewSwitches struct {
	// EnabledSocialUserIdps are the names of all that are to be enabled, with commas between: every other one is disabled.
	EnabledSocialUserIdps op.Opt[string] `json:"EnabledSocialUserIdps"`
	// Idps are those to be switched; the others stay as they are.
	Idps []NewSwitch `json:"Idps"`
	// PortalURL is where people land who signed in at a provider, an absolute https address; empty: here; absent: as it is.
	PortalURL op.Opt[string] `json:"PortalUrl"`
}

// NewSwitch enables or disables one provider.
type NewSwitch struct {
	// IdpName is the provider, required.
	IdpName string `json:"IdpName"`
	// Enabled says whether people may sign in there.
	Enabled bool `json:"Enabled"`
	// UseCustomConfig is taken and not needed: SetSocialCustomConfig sets it.
	UseCustomConfig bool `json:"UseCustomConfig"`
}

// Check wants something to be switched.
func (n *NewSwitches) Check() error {
	if len(n.Idps) > maxSwitches || len(n.EnabledSocialUserIdps.Or("")) > 40*maxSwitches {
		return fault.Bad("Idps", "may have %d entries", maxSwitches)
	}
	if n.Idps == nil && !n.EnabledSocialUserIdps.Given() && !n.PortalURL.Given() {
		return fault.Missing("EnabledSocialUserIdps")
	}
	for _, i := range n.Idps {
		if strings.TrimSpace(i.IdpName) == "" {
			return fault.Missing("IdpName")
		}
	}
	return nil
}

func (s Social) portal(ctx context.Context, c *op.Call, in NewSwitches) (setting.Ready, error) {
	if !in.PortalURL.Given() {
		return setting.Ready{}, nil
	}
	return s.Settings.Prepare(ctx, c, setting.Set(setting.SocialPortal, in.PortalURL.Or("")))
}

// SetSocialAuthConfig says which identity providers people may use, from the next sign-in on; those under way at one that is disabled end.
// One without an application of the tenant's own and its secret cannot be enabled. Errors: upstream.unknown, upstream.secret with the name,
// setting.value. social.yaml n 476.
func (s Social) SetSocialAuthConfig(ctx context.Context, c *op.Call, in NewSwitches, portal setting.Ready) (op.None, error) {
	list, err := s.switches(ctx, c, in)
	if err != nil {
		return op.None{}, err
	}
	for _, one := range list {
		ready, err := s.Providers.Prepare(ctx, c, upstream.Wish{Name: one.IdpName, Enabled: &one.Enabled})
		if err == nil {
			err = s.Providers.Set(ctx, c, ready)
		}
		if err != nil {
			return op.None{}, err
		}
	}
	if !in.PortalURL.Given() {
		return op.None{}, nil
	}
	return op.None{}, s.Settings.Write(ctx, c, portal)
}

// switches are those that would be another state.
func (s Social) switches(ctx context.Context, c *op.Call, in NewSwitches) (out []NewSwitch, err error) {
	if in.Idps != nil || !in.EnabledSocialUserIdps.Given() {
		return in.Idps, nil
	}
	var on []string
	for name := range strings.SplitSeq(in.EnabledSocialUserIdps.Or(""), ",") {
		if name = strings.TrimSpace(name); name != "" {
			on = append(on, fold.Key(name))
			out = append(out, NewSwitch{IdpName: name, Enabled: true})
		}
	}
	all, err := s.Providers.All(ctx, c)
	for _, p := range all {
		if p.Enabled && !slices.Contains(on, p.Key) {
			out = append(out, NewSwitch{IdpName: p.Name})
		}
	}
	return out, err
}

// NewConfig gives one identity provider the tenant's own application. What is absent stays as it is.
type NewConfig struct {
	// IdpName is the provider, required: one of the five, Apple, or a name for an issuer of the tenant's own, of up to 40 letters of English,
	// digits and hyphens, which becomes part of the callback's path.
	IdpName string `json:"IdpName"`
	// UseCustomConfig is true, which it is when absent, or false to drop the application and its secret; nobody signs in there then.
	UseCustomConfig op.Opt[bool] `json:"UseCustomConfig"`
	// AppID is the client id of the application; required at first.
	AppID op.Opt[string] `json:"AppId"`
	// AppSecret is its secret, required at first, and again where AppId or Issuer change; of Apple, the private key in PEM. Absent, empty or
	// eight asterisks keep the stored one.
	AppSecret string `json:"AppSecret"`
	// Scope is what is asked for besides what signing in needs, with spaces between.
	Scope op.Opt[string] `json:"Scope"`
	// PortalURL is where people land who signed in there, an absolute https address; empty: the tenant's.
	PortalURL op.Opt[string] `json:"PortalUrl"`
	// LinkDomains are the mail domains for which the provider is to be believed, with commas between, or * for all; empty: none, as at first. They
	// go with another Issuer, unless they are given with it.
	LinkDomains op.Opt[string] `json:"LinkDomains"`
	// Issuer is that of OpenID Connect, an https address below which its discovery document lies; of a provider that the program does not
	// know, required at first.
	Issuer op.Opt[string] `json:"Issuer"`
	// DisplayName is the provider as people read it, of one that the program does not know; empty: IdpName.
	DisplayName op.Opt[string] `json:"DisplayName"`
	// TeamID is the developer team; of Apple, required at first.
	TeamID op.Opt[string] `json:"TeamId"`
	// KeyID is the id of the key that AppSecret is; of Apple, required at first.
	KeyID op.Opt[string] `json:"KeyId"`
}

// Check wants the provider.
func (n *NewConfig) Check() error {
	if strings.TrimSpace(n.IdpName) == "" {
		return fault.Missing("IdpName")
	}
	return nil
}

func given(o op.Opt[string]) *string {
	if !o.Given() {
		return nil
	}
	text := o.Or("")
	return &text
}

func (s Social) seal(ctx context.Context, c *op.Call, in NewConfig) (upstream.Ready, error) {
	own, secret := in.UseCustomConfig.Or(true), in.AppSecret
	if secret == upstream.Mask {
		secret = ""
	}
	return s.Providers.Prepare(ctx, c, upstream.Wish{
		Name: in.IdpName, Own: &own, Client: given(in.AppID), Secret: secret, Issuer: given(in.Issuer), Display: given(in.DisplayName),
		Team: given(in.TeamID), KeyID: given(in.KeyID), Scope: given(in.Scope), Portal: given(in.PortalURL), Domains: given(in.LinkDomains),
	})
}

// SetSocialCustomConfig gives one identity provider the tenant's own application, so that its page there shows whose it is; or sets up an
// issuer of OpenID Connect under a name of its own. It is enabled by SetSocialAuthConfig. The address to register there is CallbackUrl of
// GetSocialConfig. The secret is kept sealed, and stays with the application and issuer that it was given for. Errors: upstream.unknown,
// upstream.providers, and those of parameters. social.yaml n 477.
func (s Social) SetSocialCustomConfig(ctx context.Context, c *op.Call, _ NewConfig, ready upstream.Ready) (op.None, error) {
	return op.None{}, s.Providers.Set(ctx, c, ready)
}
