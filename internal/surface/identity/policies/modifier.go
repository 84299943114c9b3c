package policies

import (
	"context"

	"limen/internal/fault"
	"limen/internal/op"
)

// Modifier is a name that yields a second family of sign-in settings.
type Modifier struct {
	// Name has letters, digits, underscores and hyphens; required.
	Name string `json:"name"`
}

// Check wants it.
func (m *Modifier) Check() error { return required("name", m.Name) }

// GetAuthPolicyModifiers lists the modifiers; __centrify_cagent is always there. policies.yaml n 175.
func (p Policies) GetAuthPolicyModifiers(ctx context.Context, c *op.Call, _ op.None) ([]string, error) {
	return p.Policies.Modifiers(ctx, c)
}

// AddAuthPolicyModifier makes settings such as /Core/<modifier>/AuthenticationEnabled known; one that is there is no error.
//
// Nothing signs in under a modifier yet, so these settings are kept and do not act. policies.yaml n 172.
func (p Policies) AddAuthPolicyModifier(ctx context.Context, c *op.Call, in Modifier) (op.None, error) {
	return op.None{}, p.Policies.AddModifier(ctx, c, in.Name)
}

// DeleteAuthPolicyModifier removes a modifier; settings under it stay in the policy sets.
//
// Errors: policy.modifier_not_found, policy.modifier_built_in. policies.yaml n 173.
func (p Policies) DeleteAuthPolicyModifier(ctx context.Context, c *op.Call, in Modifier) (op.None, error) {
	return op.None{}, p.Policies.DeleteModifier(ctx, c, in.Name)
}

// GetUsingCloudMobileGP says whether policy sets rule mobile devices, rather than the group policy of a directory.
// policies.yaml n 187.
func (p Policies) GetUsingCloudMobileGP(ctx context.Context, c *op.Call, _ op.None) (bool, error) {
	return p.Policies.CloudMobile(ctx, c)
}

// Mobile is a choice about mobile devices.
type Mobile struct {
	// UseCloud is true for policy sets; required.
	UseCloud op.Opt[bool] `json:"useCloud"`
	// CertificateOption is kept, up to 200 bytes.
	CertificateOption string `json:"certificateOption"`
}

// Check wants the choice.
func (m *Mobile) Check() error {
	if _, ok := m.UseCloud.Get(); !ok {
		return fault.Missing("useCloud")
	}
	return nil
}

// SetUsingCloudMobileGP chooses whether policy sets rule mobile devices, rather than the group policy of a directory.
//
// The choice is kept; devices do not enrol yet. policies.yaml n 191.
func (p Policies) SetUsingCloudMobileGP(ctx context.Context, c *op.Call, in Mobile) (op.None, error) {
	return op.None{}, p.Policies.SetCloudMobile(ctx, c, in.UseCloud.Or(true), in.CertificateOption)
}
