// Package settings is what a workspace demands of those who enter it, and which mail domains it manages (synerise.yaml: password policy,
// address allowlist, required second factor, lock-out, life of tokens, managed domains).
package settings

import (
	"context"
	"net/http"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/demand"
	"limen/internal/core/domain"
	"limen/internal/core/setting"
	"limen/internal/core/template"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Settings are the operations.
type Settings struct {
	Demands *demand.Demands
	Domains *domain.Domains
	Values  *setting.Store
	// Templates are the words in which workspaces write to their people.
	Templates *template.Templates
	// Binding is the strongest rule that binds a person of the call's tenant.
	Binding func(ctx context.Context, c *call.Call, userID string) (demand.Rule, error)
	// Expected is the rule that binds whoever has a mail address, as far as the address alone tells.
	Expected func(ctx context.Context, c *call.Call, mail string) (demand.Rule, error)
}

// Ops declares them.
func (s Settings) Ops() []op.Op {
	read := func(path, permission string, faults ...*fault.Error) op.Spec {
		return op.Spec{Method: http.MethodGet, Path: path, Allow: synerise.May(permission, workspace.Read), Effect: op.Read, Faults: append(faults, workspace.ErrNone, workspace.ErrNotFound)}
	}
	write := func(method, path, permission string, level workspace.Level, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{
			Method: method, Path: path, Allow: synerise.May(permission, level), Effect: op.Write, Audit: event,
			Faults: append(faults, workspace.ErrNone, workspace.ErrNotFound),
		}
	}
	const rules, addresses, mfa, domains = "settings_users_password_policy", "settings_users_ip_policy", "settings_users_mfa", "settings_managed_domains"
	const policyPath, ipPath, mfaPath, domainPath = "/uauth/settings/password-policy", "/uauth/settings/user-bp-ip-policy", "/uauth/business-profile/mfa/requirements", "/uauth/managed-domains"
	names := []*fault.Error{domain.ErrName, domain.ErrPublic, domain.ErrTaken, fault.ErrMissing}
	return append(s.customerOps(read, write), []op.Op{
		op.New(read(policyPath, rules), s.GetPasswordPolicy),
		op.New(write(http.MethodPost, policyPath, rules, workspace.Update, audit.PolicyChange, demand.ErrRule), s.SetPasswordPolicy),
		op.New(op.Spec{
			Method: http.MethodGet, Path: "/uauth/users/my-account/strongest-password-settings", Allow: op.Authenticated, Effect: op.Read,
		}, s.GetStrongest),
		op.New(op.Spec{
			Method: http.MethodGet, Path: "/uauth/strongest-password-settings-by-email/{email}", Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess,
			Faults: []*fault.Error{fault.ErrInvalid},
		}, s.GetStrongestByEmail),
		op.New(read(ipPath, addresses), s.GetAddressPolicy),
		op.New(write(http.MethodPost, ipPath, addresses, workspace.Update, audit.PolicyChange, demand.ErrAddress, demand.ErrMany, demand.ErrOwn), s.SetAddressPolicy),
		op.New(write(http.MethodPost, mfaPath, mfa, workspace.Update, audit.PolicyChange, demand.ErrFactor), s.RequireMFA),
		op.New(write(http.MethodDelete, mfaPath, mfa, workspace.Update, audit.PolicyChange), s.DropMFA),
		op.New(read(domainPath, domains), s.ListDomains),
		op.New(write(http.MethodDelete, domainPath, domains, workspace.Delete, audit.DomainDelete, domain.ErrNotFound, fault.ErrMissing), s.DeleteDomain),
		op.New(write(http.MethodGet, domainPath+"/initialize-code", domains, workspace.Create, audit.DomainCode, append(names, domain.ErrMany)...), s.InitializeDomain),
		op.Prepared(write(http.MethodPost, domainPath+"/verification", domains, workspace.Create, audit.DomainVerify,
			append(names, domain.ErrMethod, domain.ErrNoCode, domain.ErrNoProof, domain.ErrUnseen, domain.ErrChanged)...), s.look, s.VerifyDomain),
	}...)
}

// Workspace is an input that says nothing: it is about the workspace of the token.
type Workspace struct{ synerise.Here }
