package settings

import (
	"context"

	"limen/internal/core/demand"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// AddressPolicy says from which addresses a workspace may be entered.
type AddressPolicy struct {
	// Enabled says whether only the addresses let in.
	Enabled bool `json:"enabled"`
	// Addresses are IPv4 and IPv6 addresses, and networks such as 192.0.2.0/24; up to 500.
	Addresses []string `json:"addresses"`
	// AllowSyneriseSubnets lets in the installation's corporate IP ranges as well.
	AllowSyneriseSubnets bool `json:"allowSyneriseSubnets"`
}

func policyOf(d demand.Demand) AddressPolicy {
	out := AddressPolicy{d.Enclosure.On, d.Enclosure.Addresses, d.Enclosure.Corporate}
	if out.Addresses == nil {
		out.Addresses = []string{}
	}
	return out
}

// GetAddressPolicy gives from which addresses the workspace may be entered. synerise.yaml, GET /uauth/settings/user-bp-ip-policy.
func (s Settings) GetAddressPolicy(ctx context.Context, c *op.Call, in Workspace) (AddressPolicy, error) {
	d, err := s.Demands.Get(ctx, c, in.Workspace().ID)
	return policyOf(d), err
}

// NewAddressPolicy is the whole new policy.
type NewAddressPolicy struct {
	synerise.Here
	// Enabled says whether only the addresses let in; absent: false.
	Enabled bool `json:"enabled"`
	// Addresses are addresses and networks, up to 500; absent: none.
	Addresses []string `json:"addresses"`
	// AllowSyneriseSubnets lets in the installation's corporate IP ranges as well; absent: true.
	AllowSyneriseSubnets op.Opt[bool] `json:"allowSyneriseSubnets"`
	// Confirm makes the change although the caller's own address would not let in any more.
	Confirm bool `json:"confirm"`
}

// SetAddressPolicy replaces from which addresses the workspace may be entered. It acts at once, at sign-in and at every call with a token
// for the workspace. synerise.yaml, POST /uauth/settings/user-bp-ip-policy. Errors: demand.address; demand.own_address, unless confirmed.
func (s Settings) SetAddressPolicy(ctx context.Context, c *op.Call, in NewAddressPolicy) (AddressPolicy, error) {
	d, err := s.Demands.Enclose(ctx, c, in.Workspace().ID, demand.Enclosure{
		On: in.Enabled, Addresses: in.Addresses, Corporate: in.AllowSyneriseSubnets.Or(true),
	}, in.Confirm)
	return policyOf(d), err
}

// Requirement says whether a second factor is required.
type Requirement struct {
	// MfaRequired says whether only sessions of two factors may enter the workspace.
	MfaRequired bool `json:"mfaRequired"`
}

// RequireMFA lets only those enter the workspace who signed in with a second factor, from now on and for tokens that are out as well. API
// keys stay good; a device that stands in for the second factor is not enough. synerise.yaml, POST
// /uauth/business-profile/mfa/requirements. Error: demand.own_factor when the caller has not.
func (s Settings) RequireMFA(ctx context.Context, c *op.Call, in Workspace) (Requirement, error) {
	d, err := s.Demands.RequireMFA(ctx, c, in.Workspace().ID, true)
	return Requirement{d.MFA}, err
}

// DropMFA requires no second factor any more; people keep what they have set up. synerise.yaml, DELETE
// /uauth/business-profile/mfa/requirements.
func (s Settings) DropMFA(ctx context.Context, c *op.Call, in Workspace) (Requirement, error) {
	d, err := s.Demands.RequireMFA(ctx, c, in.Workspace().ID, false)
	return Requirement{d.MFA}, err
}
