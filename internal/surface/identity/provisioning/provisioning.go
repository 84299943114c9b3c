// Package provisioning is the RPC dialect's operations on where the people of applications are provisioned to: targets, what they would
// be told of somebody, and receipts. They are beyond the contract, in its style.
package provisioning

import (
	"context"
	"strings"

	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/job"
	"limen/internal/core/outbound"
	"limen/internal/core/right"
	"limen/internal/core/script"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Provisioning is the operations.
type Provisioning struct{ Outbound *outbound.Outbound }

var (
	unknown = []*fault.Error{app.ErrNotFound, acl.ErrDenied, outbound.ErrNotFound, outbound.ErrReach, fault.ErrMissing, fault.ErrInvalid}
	setting = append([]*fault.Error{
		outbound.ErrBase, outbound.ErrSecret, outbound.ErrPeople, outbound.ErrStale, outbound.ErrScript, outbound.ErrRole, script.ErrFailed,
	}, unknown...)
)

// Ops declares them. Who sets up where people's attributes are sent to must administer these people, and the application.
func (p Provisioning) Ops() []op.Op {
	spec := func(name string, effect op.Effect, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: "/Provisioning/" + name, Allow: op.Has(right.UserManagement), Effect: effect, Audit: event, Faults: append(faults, unknown...)}
	}
	set := spec("SetTarget", op.Write, audit.ProvisionTarget, setting...)
	set.MaxBody = 256 << 10
	preview := spec("Preview", op.Read, "", user.ErrNotFound, script.ErrFailed)
	preview.MaxBody, preview.Rate = 256<<10, op.Costly
	try := spec("TestTarget", op.Outside, audit.ProvisionTry)
	try.Rate = op.Costly
	start := spec("StartRun", op.Write, audit.ProvisionRun, job.ErrRunning)
	start.Rate = op.Costly
	return []op.Op{
		op.New(start, p.StartRun),
		op.New(spec("GetFindings", op.Read, "", outbound.ErrRun), p.GetFindings),
		op.New(spec("Repair", op.Write, audit.ProvisionRepair, outbound.ErrRun), p.Repair),
		op.Prepared(set, p.compile, p.SetTarget),
		op.New(spec("GetTarget", op.Read, ""), p.GetTarget),
		op.New(spec("DeleteTarget", op.Write, audit.ProvisionDelete), p.DeleteTarget),
		op.New(try, p.TestTarget),
		op.Prepared(preview, p.look, p.Preview),
		op.New(spec("GetReceipts", op.Read, "", user.ErrNotFound), p.GetReceipts),
		op.New(spec("Retry", op.Write, audit.ProvisionRetry, user.ErrNotFound, outbound.ErrAccount), p.Retry),
	}
}

// Ref names an application.
type Ref struct {
	// RowKey is the application's id, or its name; required.
	RowKey string `json:"_RowKey" also:"ID,App"`
}

// Check wants it.
func (r *Ref) Check() error {
	if r.RowKey = strings.TrimSpace(r.RowKey); r.RowKey == "" {
		return fault.Missing("_RowKey")
	}
	return nil
}

// GroupMapping is a role whose members are a group there.
type GroupMapping struct {
	// Role is the id or the name of the role; required.
	Role string `json:"Role"`
	// Name is the group's displayName there; the role's name when absent.
	Name string `json:"Name"`
}

// Shape is how a target is provisioned.
type Shape struct {
	// BaseURL is the address of the SCIM 2.0 service, https, up to 1,000 bytes; "/Users" follows it. Required.
	BaseURL string `json:"BaseURL"`
	// Authentication is Bearer, which is meant when absent, for a token that was made there; or ClientCredentials, for tokens that are got by
	// OAuth 2.0.
	Authentication string `json:"Authentication"`
	// TokenURL is the token endpoint of ClientCredentials, https.
	TokenURL string `json:"TokenURL"`
	// ClientID is the client of ClientCredentials.
	ClientID string `json:"ClientId"`
	// Scope is asked for with ClientCredentials; none when absent.
	Scope string `json:"Scope"`
	// Enabled says whether anything is sent; what happens meanwhile is sent when it is enabled again.
	Enabled bool `json:"Enabled"`
	// Matching are attributes by which accounts are found that are there already: userName, externalId. userName when absent, none when empty.
	// That externalId is the person's UUID is looked for always.
	Matching []string `json:"Matching" rpc:"one"`
	// Adopt says whether an account that is found and belongs to nobody is taken over; else it is a conflict.
	Adopt bool `json:"Adopt"`
	// Method is how accounts are changed: Patch, which is meant when absent, or Put.
	Method string `json:"Method"`
	// OnLoss is what becomes of who may not use the application any more: Disable, which is meant when absent, Delete, Leave.
	OnLoss string `json:"OnLoss"`
	// OnDelete is what becomes of who is deleted: Disable, which is meant when absent, Delete, Leave.
	OnDelete string `json:"OnDelete"`
	// OnDisable is what becomes of who is disabled, suspended or expired: Disable, which is meant when absent, or Leave.
	OnDisable string `json:"OnDisable"`
	// OnLock is what becomes of who is locked: Leave, which is meant when absent, or Disable.
	OnLock string `json:"OnLock"`
	// Script maps people onto accounts; up to 65,536 bytes. Empty: the attributes of SCIM are told as they are here.
	Script string `json:"Script"`
	// Groups are roles whose members, as far as they have accounts there that are active, are groups there, too; up to 50. The caller must be
	// allowed to list their members.
	Groups []GroupMapping `json:"Groups" rpc:"one"`
}

// TargetWish is a target to be set.
type TargetWish struct {
	Ref
	Shape
	// Secret is the token, or the client's secret; up to 16,384 bytes. It is kept as it is when absent, and never shown again. Required where
	// there is none yet, or where an address, the client or Authentication changes.
	Secret string `json:"Secret"`
}

// Check reads it.
func (w *TargetWish) Check() error {
	if err := w.Ref.Check(); err != nil {
		return err
	}
	if strings.TrimSpace(w.BaseURL) == "" {
		return fault.Missing("BaseURL")
	}
	in := w.wish()
	return in.Check()
}

func (w *TargetWish) wish() outbound.Wish {
	out := outbound.Wish{Secret: w.Secret, Target: outbound.Target{
		Base: strings.TrimSpace(w.BaseURL), Auth: w.Authentication, TokenURL: strings.TrimSpace(w.TokenURL), Client: w.ClientID, Scope: w.Scope, Enabled: w.Enabled,
		Settings: outbound.Settings{
			Matching: w.Matching, Adopt: w.Adopt, Method: w.Method, Loss: w.OnLoss, Gone: w.OnDelete, Off: w.OnDisable, Locked: w.OnLock, Script: w.Script,
		},
	}}
	if out.Auth == "" {
		out.Auth = outbound.Bearer
	}
	for _, g := range w.Groups {
		out.Settings.Groups = append(out.Settings.Groups, outbound.Group{Role: strings.TrimSpace(g.Role), Name: g.Name})
	}
	return out
}

// compile refuses scripts that do not compile.
func (p Provisioning) compile(ctx context.Context, c *op.Call, in TargetWish) (op.None, error) {
	return op.None{}, p.Outbound.Compile(ctx, c, in.Script)
}

// Shown is a target, without its secret.
type Shown struct {
	// RowKey is the application's id.
	RowKey string `json:"_RowKey"`
	Shape
	// Organizations are ids of organizations whose people, with those of all below, the target is for: what its administrator administered.
	// Empty: everybody of the tenant.
	Organizations []string `json:"Organizations"`
	// Revision counts changes of the target.
	Revision int64 `json:"Revision"`
	// Looking says that everybody is being looked at, as after each change of the target.
	Looking bool `json:"Looking"`
	// Failures counts failures of the service in a row; 0: it serves.
	Failures int64 `json:"Failures"`
	// FailureClass is unreachable, server, throttled or credentials; empty: none.
	FailureClass string `json:"FailureClass"`
	// Failure says more of it.
	Failure string `json:"Failure"`
	// Accounts is how many receipts there are in each state: waiting, acknowledged, failed, conflict. SetTarget does not count them.
	Accounts map[string]int64 `json:"Accounts"`
}

func shown(t outbound.Target, counts map[string]int64) Shown {
	s := t.Settings
	out := Shown{
		RowKey: t.App, Organizations: t.Reach, Revision: t.Revision, Looking: t.Looking, Failures: t.Failures, FailureClass: t.Class, Failure: t.Error, Accounts: counts,
		Shape: Shape{
			BaseURL: t.Base, Authentication: t.Auth, TokenURL: t.TokenURL, ClientID: t.Client, Scope: t.Scope, Enabled: t.Enabled, Matching: s.Matching, Adopt: s.Adopt,
			Method: s.Method, OnLoss: s.Loss, OnDelete: s.Gone, OnDisable: s.Off, OnLock: s.Locked, Script: s.Script,
		},
	}
	if out.Organizations == nil {
		out.Organizations = []string{}
	}
	out.Groups = []GroupMapping{}
	for _, g := range s.Groups {
		out.Groups = append(out.Groups, GroupMapping{g.Role, g.Name})
	}
	return out
}

// SetTarget sets where the people of an application are provisioned to, and how; what is left out is as its description says, not as it
// was. Everybody who may use the application is then looked at, and sent as far as Enabled.
//
// The caller needs Admin on the application, and User Management. Who holds that over organizations sets the target up for their people
// alone, and cannot change one that is for others too. Errors: app.not_found, acl.denied, outbound.base, outbound.secret, outbound.script,
// outbound.reach, outbound.people. Beyond the contract.
func (p Provisioning) SetTarget(ctx context.Context, c *op.Call, in TargetWish, _ op.None) (Shown, error) {
	w := in.wish()
	if err := w.Check(); err != nil {
		return Shown{}, err
	}
	t, err := p.Outbound.Set(ctx, c, c.Grant, in.RowKey, w)
	if err != nil {
		return Shown{}, err
	}
	return shown(t, map[string]int64{}), nil
}

// GetTarget shows where the people of an application are provisioned to, without the secret, and how that goes. The caller needs what
// SetTarget asks for. Errors: app.not_found, acl.denied, outbound.not_found, outbound.reach. Beyond the contract.
func (p Provisioning) GetTarget(ctx context.Context, c *op.Call, in Ref) (Shown, error) {
	t, err := p.Outbound.Get(ctx, c, c.Grant, in.RowKey)
	if err != nil {
		return Shown{}, err
	}
	counts, err := p.Outbound.Count(ctx, c, t)
	return shown(t, counts), err
}

// DeleteTarget ends the provisioning of an application and forgets its receipts. Accounts stay there as they are. The caller needs what
// SetTarget asks for. Errors: app.not_found, acl.denied, outbound.not_found, outbound.reach. Beyond the contract.
func (p Provisioning) DeleteTarget(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, p.Outbound.Drop(ctx, c, c.Grant, in.RowKey)
}

// Tried is what a service says.
type Tried struct {
	// Success says that it answers, and takes the secret.
	Success bool `json:"Success"`
	// FailureClass is unreachable, server, throttled, credentials or refused; empty: none.
	FailureClass string `json:"FailureClass"`
	// Failure says more of it.
	Failure string `json:"Failure"`
	// Patch says that the service says that it supports PATCH; the others alike.
	Patch  bool `json:"Patch"`
	Filter bool `json:"Filter"`
	Bulk   bool `json:"Bulk"`
	ETag   bool `json:"ETag"`
	// Users is how many accounts it says that it has.
	Users int `json:"Users"`
}

// TestTarget asks the service whether it answers and takes the secret, and what it supports; nothing is changed there. That it does not is
// no error of the call. The caller needs what SetTarget asks for. Errors: app.not_found, acl.denied, outbound.not_found, outbound.reach.
// Beyond the contract.
func (p Provisioning) TestTarget(ctx context.Context, c *op.Call, in Ref) (Tried, error) {
	a, why, class, err := p.Outbound.Try(ctx, c, c.Grant, in.RowKey)
	return Tried{Success: err == nil && class == "", FailureClass: class, Failure: why, Patch: a.Patch, Filter: a.Filter, Bulk: a.Bulk, ETag: a.ETag, Users: a.Users}, err
}
