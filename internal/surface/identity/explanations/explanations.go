// Package explanations is the RPC dialect's answers to "why", and to "what would be": why somebody signs in as they do, holds a
// right, has a setting or was refused, and what a change of policies, profiles or roles would do. They are beyond the contract.
package explanations

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/setting"
	"limen/internal/core/simulation"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Explanations are the operations.
type Explanations struct {
	Roles     *role.Roles
	Orgs      *org.Orgs
	Policies  *policy.Policies
	Settings  *setting.Store
	Simulator *simulation.Simulator
	// Find gives the operation that a path names.
	Find func(path string) (op.Op, bool)
}

// Faults of this surface.
var (
	ErrOne       = fault.New(fault.Invalid, "explain.one", "Ask for one of Right, Setting, Operation and Request; for none of them the answer is about signing in.")
	ErrOperation = fault.New(fault.NotFound, "explain.operation", "There is no operation of that path.")
	ErrOwn       = fault.New(fault.Denied, "explain.own", "About yourself you may ask how you sign in from where you are, not from elsewhere.")
	ErrPart      = fault.New(fault.Denied, "simulate.part", "Only system administrators may simulate changes of policies and profiles, and sign-ins.")
)

var (
	asker    = op.Any(op.Self, op.System, op.Has(right.UserManagement), op.Has(right.ReadSystem))
	proposer = op.Any(op.System, op.Has(right.RoleManagement))

	proposalFaults = []*fault.Error{
		ErrPart, fault.ErrInvalid, fault.ErrMissing, user.ErrNotFound, policy.ErrName, policy.ErrNotFound, policy.ErrValue, policy.ErrProfile,
		policy.ErrNeeds, policy.ErrSize, policy.ErrMany, policy.ErrLink, policy.ErrLinks, policy.ErrBuiltIn, profile.ErrNotFound, profile.ErrNameTaken,
		profile.ErrMechanism, profile.ErrRounds, profile.ErrQuestions, fault.ErrBlank, role.ErrNotFound, role.ErrMember, role.ErrGroup, role.ErrEverybody,
		role.ErrDynamic, role.ErrCycle, role.ErrRight, role.ErrBuiltIn,
	}
)

// Ops declares them.
func (e Explanations) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{
			Path: "/Explain/Why", Allow: asker, Effect: op.Read,
			Faults: []*fault.Error{ErrOne, ErrOperation, ErrOwn, role.ErrRight, user.ErrNotFound, audit.ErrNotFound, fault.ErrInvalid},
		}, e.Why),
		op.Prepared(op.Spec{Path: "/Simulate/Change", Allow: proposer, Effect: op.Read, Rate: op.Costly, MaxBody: 4 << 20, Faults: proposalFaults},
			e.check, e.Change),
	}
}

func (e Explanations) check(ctx context.Context, c *op.Call, in Proposal) (policy.Settings, error) {
	if in.Policy == nil {
		return nil, nil
	}
	var modifiers []string
	err := c.Snapshot(ctx, func() (err error) {
		modifiers, err = e.Policies.Modifiers(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return e.Policies.Check(ctx, c, in.Policy.Settings, modifiers...)
}

// trim is a text without the space around it.
func trim(s string) string { return strings.TrimSpace(s) }

// raw is the text of a setting's value.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return b
}

// texts is a list that is never null.
func texts(s []string) []string {
	if s == nil {
		return []string{}
	}
	return slices.Clone(s)
}
