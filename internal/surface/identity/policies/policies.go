// Package policies is the RPC dialect's operations on policy sets (policies.yaml n 172-191): the sets and their links,
// what applies to somebody, and why.
package policies

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/lockout"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Policies is the operations.
type Policies struct {
	Policies  *policy.Policies
	Profiles  *profile.Profiles
	People    *user.Directory
	Passwords password.Passwords
	Settings  *setting.Store
}

// Faults of this surface.
var (
	ErrConvert = fault.New(fault.Invalid, "policy.convert", "The value of the setting cannot be read so.")
	ErrUnset   = fault.New(fault.NotFound, "policy.unset", "No policy set has the setting, and it has no default.")
)

var (
	reader = op.Any(op.System, op.Has(right.ReadSystem))
	// looker may look at what applies to others: whoever manages people.
	looker = op.Any(op.System, op.Has(right.UserManagement), op.Has(right.ReadSystem))
	own    = op.Any(op.Self, looker)

	blockFaults = []*fault.Error{
		policy.ErrName, policy.ErrTaken, policy.ErrNotFound, policy.ErrStale, policy.ErrValue, policy.ErrProfile, policy.ErrNeeds, policy.ErrSize,
		policy.ErrMany, policy.ErrLink, policy.ErrLinks, policy.ErrLockout, policy.ErrLinkLockout, fault.ErrMissing, fault.ErrInvalid,
	}
	linkFaults = []*fault.Error{
		policy.ErrListed, policy.ErrLink, policy.ErrLinks, policy.ErrName, policy.ErrLinkLockout, fault.ErrMissing, fault.ErrInvalid,
	}
	pathFaults   = []*fault.Error{policy.ErrName, policy.ErrNotFound, fault.ErrMissing}
	personFaults = []*fault.Error{user.ErrNotFound, fault.ErrMissing}
	valueFaults  = append([]*fault.Error{ErrConvert, ErrUnset}, personFaults...)
)

// Ops declares them.
func (p Policies) Ops() []op.Op {
	return slices.Concat(p.sets(), p.modifiers(), p.resultants(), p.questions(), p.older())
}

func (p Policies) sets() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Policy/GetPolicyBlock", Allow: reader, Effect: op.Read, Faults: pathFaults}, p.GetPolicyBlock),
		op.New(op.Spec{Path: "/Policy/GetNicePolicyBlock", Allow: reader, Effect: op.Read, Faults: pathFaults}, p.GetNicePolicyBlock),
		op.New(op.Spec{Path: "/Policy/GetNicePlinks", Allow: reader, Effect: op.Read}, p.GetNicePlinks),
		op.Prepared(op.Spec{Path: "/Policy/SavePolicyBlock3", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange, Faults: blockFaults},
			p.check, p.SavePolicyBlock3),
		op.New(op.Spec{
			Path: "/Policy/setPlinksv2", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange, Faults: linkFaults,
		}, p.SetPlinks),
		op.New(op.Spec{
			Path: "/Policy/DeletePolicyBlock", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange,
			Faults: append([]*fault.Error{policy.ErrBuiltIn, policy.ErrLinkLockout}, pathFaults...),
		}, p.DeletePolicyBlock),
		op.New(op.Spec{Path: "/Policy/GetPolicyMetaData", Allow: reader, Effect: op.Read}, p.GetPolicyMetaData),
	}
}

func (p Policies) modifiers() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Policy/GetAuthPolicyModifiers", Allow: reader, Effect: op.Read}, p.GetAuthPolicyModifiers),
		op.New(op.Spec{
			Path: "/Policy/AddAuthPolicyModifier", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange,
			Faults: []*fault.Error{policy.ErrMany, fault.ErrMissing, fault.ErrInvalid},
		}, p.AddAuthPolicyModifier),
		op.New(op.Spec{
			Path: "/Policy/DeleteAuthPolicyModifier", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange,
			Faults: []*fault.Error{policy.ErrModifier, policy.ErrFixed, fault.ErrMissing},
		}, p.DeleteAuthPolicyModifier),
		op.New(op.Spec{Path: "/Policy/GetUsingCloudMobileGP", Allow: reader, Effect: op.Read}, p.GetUsingCloudMobileGP),
		op.New(op.Spec{
			Path: "/Policy/SetUsingCloudMobileGP", Allow: op.System, Effect: op.Write, Audit: audit.PolicyChange,
			Faults: []*fault.Error{fault.ErrMissing, fault.ErrInvalid},
		}, p.SetUsingCloudMobileGP),
	}
}

func (p Policies) resultants() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Policy/GetRsop", Allow: own, Effect: op.Read, Faults: personFaults}, p.GetRsop),
		op.New(op.Spec{Path: "/Policy/GetPolicyBool", Allow: own, Effect: op.Read, Faults: valueFaults}, p.GetPolicyBool),
		op.New(op.Spec{Path: "/Policy/GetPolicyInt", Allow: own, Effect: op.Read, Faults: valueFaults}, p.GetPolicyInt),
		op.New(op.Spec{Path: "/Policy/GetPolicyString", Allow: own, Effect: op.Read, Faults: valueFaults}, p.GetPolicyString),
		op.New(op.Spec{Path: "/Policy/GetPasswordComplexityRequirements", Allow: own, Effect: op.Read, Faults: personFaults}, p.GetPasswordComplexityRequirements),
		op.New(op.Spec{Path: "/Policy/GetOathOtpClientName", Allow: op.Authenticated, Effect: op.Read}, p.GetOathOtpClientName),
		op.New(op.Spec{Path: "/Policy/GetU2fClientName", Allow: op.Authenticated, Effect: op.Read}, p.GetU2fClientName),
	}
}

func (p Policies) questions() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Policy/Explain", Allow: looker, Effect: op.Read, Faults: append([]*fault.Error{fault.ErrInvalid}, personFaults...)}, p.Explain),
		op.Prepared(op.Spec{
			Path: "/Policy/Simulate", Allow: op.System, Effect: op.Read, Rate: op.Costly, Faults: append([]*fault.Error{user.ErrNotFound}, blockFaults...),
		}, p.checkProposal, p.Simulate),
	}
}

// warned lets a change that shuts administrators out be made with its warning, where the tenant has chosen so.
func (p Policies) warned(ctx context.Context, c *op.Call, err error) error {
	f := fault.Of(err)
	if f == nil || !f.Soft {
		return err
	}
	v, failed := p.Settings.Get(ctx, c)
	if failed != nil {
		return failed
	}
	if !v.StoreLockouts {
		return err
	}
	return op.Refused(lockout.Kept(f))
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}

// stamp writes and unstamp reads a revision stamp; what is no number is no stamp of ours.
func stamp(n int64) string { return strconv.FormatInt(n, 10) }

func unstamp(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return -1
	}
	return max(n, -1)
}

// person is the user that an input names.
type person struct{ found user.User }

// find looks the user up, the caller when s is empty.
func (p *person) find(ctx context.Context, c *op.Call, s string) (err error) {
	if s = strings.TrimSpace(s); s == "" {
		s = c.User()
	}
	p.found, err = user.Find(ctx, c, s)
	return err
}

// Target is the user.
func (p *person) Target() op.Target { return op.Target{ID: p.found.ID, Org: p.found.Org} }
