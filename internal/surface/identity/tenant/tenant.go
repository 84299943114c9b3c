// Package tenant is the RPC dialect's operations on the tenant itself (tenant.yaml): login suffixes, host names,
// settings, and the mail server and text message gateway that it sends through.
package tenant

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/picture"
	"limen/internal/core/right"
	"limen/internal/core/setting"
	core "limen/internal/core/tenant"
	"limen/internal/fault"
	"limen/internal/op"
)

// Tenant is the operations.
type Tenant struct {
	Tenants  *core.Tenants
	Settings *setting.Store
	Pictures picture.Pictures
	Version  string // of the program
	// TryMail sends a test mail over the given server, whose password is in the clear.
	TryMail func(ctx context.Context, c *call.Call, s setting.SMTP, password, to string) error
	// TrySMS sends a test message through the given account, whose token is in the clear.
	TrySMS func(ctx context.Context, c *call.Call, t setting.Twilio, token, to string) error
	// TryCall makes a test call through it.
	TryCall func(ctx context.Context, c *call.Call, t setting.Twilio, token, to string) error
}

// Faults of this surface.
var (
	ErrAliases   = fault.New(fault.Conflict, "tenant.suffixes", "Some of the login suffixes cannot be deleted. None was.")
	ErrNoSetting = fault.New(fault.NotFound, "setting.unknown", "The configuration has no such key.")
	ErrNoAddress = fault.New(fault.Invalid, "tenant.no_address", "Say where the test message goes: your own account has no address.")
	ErrNoSecret  = fault.New(fault.Invalid, "tenant.no_secret", "The saved password or token is only sent to the server that it was saved for. Give it again.")
	ErrTrial     = fault.New(fault.Conflict, "tenant.trial", "The test message was not sent.")
)

var (
	suffixFaults = []*fault.Error{
		core.ErrSuffix, core.ErrSuffixTaken, core.ErrSuffixUsed, core.ErrSuffixMain, core.ErrTooMany, fault.ErrMissing, fault.ErrBlank, fault.ErrInvalid,
	}
	hostFaults    = []*fault.Error{core.ErrHost, core.ErrHostTaken, core.ErrHostSystem, core.ErrDomain, core.ErrTooMany, fault.ErrMissing, fault.ErrInvalid}
	settingFaults = []*fault.Error{setting.ErrValue, setting.ErrName, setting.ErrTooMany, setting.ErrDuplicate, ErrNoSecret, fault.ErrMissing}
	testFaults    = []*fault.Error{ErrTrial, ErrNoAddress, ErrNoSecret, setting.ErrValue, fault.ErrMissing, fault.ErrInvalid}
)

// administrator is whoever has business on the portal's pages for administrators.
var administrator = op.Any(op.System, op.Has(right.AdminPortal), op.Has(right.ReadSystem))

// Ops declares them.
func (t Tenant) Ops() []op.Op {
	return slices.Concat(t.suffixes(), t.hosts(), t.settings(), t.senders(), t.customers())
}

func (t Tenant) suffixes() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/SysInfo/About", Allow: op.Anonymous, Effect: op.Cached}, t.About),
		op.New(op.Spec{Path: "/Core/StoreAlias", Allow: op.System, Effect: op.Write, Audit: audit.SuffixChange, Faults: suffixFaults}, t.StoreAlias),
		op.New(op.Spec{Path: "/Core/DeleteAlias", Allow: op.System, Effect: op.Write, Audit: audit.SuffixDelete, Faults: suffixFaults}, t.DeleteAlias),
		op.New(op.Spec{
			Path: "/Core/DeleteAliases", Allow: op.System, Effect: op.Write, Audit: audit.SuffixDelete,
			Faults: append([]*fault.Error{ErrAliases}, suffixFaults...),
		}, t.DeleteAliases),
		op.New(op.Spec{Path: "/Core/GetAliasesForTenant", Allow: op.Authenticated, Effect: op.Read}, t.GetAliasesForTenant),
		op.New(op.Spec{Path: "/Core/GetCdsAliasesForTenant", Allow: op.Authenticated, Effect: op.Read}, t.GetCdsAliasesForTenant),
	}
}

func (t Tenant) hosts() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/TenantCnames/Get", Allow: op.Authenticated, Effect: op.Read}, t.GetHosts),
		op.New(op.Spec{Path: "/TenantCnames/GetDomain", Allow: op.Authenticated, Effect: op.Cached, Faults: []*fault.Error{core.ErrDomain}}, t.GetDomain),
		op.New(op.Spec{Path: "/TenantCnames/UiGet", Allow: administrator, Effect: op.Read}, t.ListHosts),
		op.New(op.Spec{Path: "/TenantCnames/Register", Allow: op.System, Effect: op.Write, Audit: audit.HostCreate, Faults: hostFaults}, t.Register),
		op.New(op.Spec{Path: "/TenantCnames/SetPreferred", Allow: op.System, Effect: op.Write, Audit: audit.HostChange, Faults: hostFaults}, t.SetPreferred),
		op.New(op.Spec{Path: "/TenantCnames/UnRegister", Allow: op.System, Effect: op.Write, Audit: audit.HostDelete, Faults: hostFaults}, t.UnRegister),
	}
}

func (t Tenant) settings() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Core/GetTenantConfig", Allow: op.System, Effect: op.Read, Faults: []*fault.Error{fault.ErrMissing}}, t.GetTenantConfig),
		op.Prepared(op.Spec{Path: "/Core/SetTenantConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange, Faults: settingFaults},
			t.sealKey, t.SetTenantConfig),
		op.Prepared(op.Spec{Path: "/Core/DeleteTenantConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange, Faults: settingFaults},
			t.dropKey, t.DeleteTenantConfig),
		op.New(op.Spec{Path: "/TenantConfig/GetAdvancedConfig", Allow: op.System, Effect: op.Read}, t.GetAdvancedConfig),
		op.Prepared(op.Spec{
			Path: "/TenantConfig/SetAdvancedConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange,
			Faults: append([]*fault.Error{ErrNoSetting, fault.ErrInvalid}, settingFaults...),
		}, t.sealKeys, t.SetAdvancedConfig),
		op.Prepared(op.Spec{Path: "/TenantConfig/DeleteAdvancedConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange, Faults: settingFaults},
			t.dropKey, t.DeleteAdvancedConfig),
	}
}

func (t Tenant) senders() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/TenantConfig/GetSmtpConfig", Allow: op.System, Effect: op.Read}, t.GetSmtpConfig),
		op.Prepared(op.Spec{Path: "/TenantConfig/SetSmtpConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange, Faults: settingFaults},
			t.sealSMTP, t.SetSmtpConfig),
		op.New(op.Spec{
			Path: "/TenantConfig/TestSmtpConfig", Allow: op.System, Effect: op.Outside, Audit: audit.MessageSend, Rate: op.Costly,
			Faults: testFaults,
		}, t.TestSmtpConfig),
		op.New(op.Spec{Path: "/TenantConfig/GetTwilioConfig", Allow: op.System, Effect: op.Read}, t.GetTwilioConfig),
		op.Prepared(op.Spec{
			Path: "/TenantConfig/SetTwilioConfig", Allow: op.System, Effect: op.Write, Audit: audit.SettingChange,
			Faults: settingFaults,
		}, t.sealTwilio, t.SetTwilioConfig),
		op.New(op.Spec{
			Path: "/TenantConfig/TestTwilioConfig", Allow: op.System, Effect: op.Outside, Audit: audit.MessageSend, Rate: op.Costly,
			Faults: testFaults,
		}, t.TestTwilioConfig),
	}
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}
