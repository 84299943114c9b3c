package regain

import (
	"context"
	"strings"
	"unicode"

	"limen/internal/core/audit"
	"limen/internal/core/post"
	"limen/internal/core/regain"
	"limen/internal/core/right"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// resets declares what two administrators do together.
func (r Regain) resets() []op.Op {
	manage := op.Has(right.UserManagement)
	part := []*fault.Error{user.ErrNotFound, regain.ErrPerson, regain.ErrSelf, regain.ErrAccount, user.ErrStronger, session.ErrStale, op.ErrDenied, fault.ErrMissing, fault.ErrInvalid}
	return []op.Op{
		op.New(op.Spec{
			Path: "/AccountRecovery/ProposeAccountReset", Allow: manage, Effect: op.Write, Audit: audit.RegainPropose, Faults: append(part, regain.ErrProposed),
		}, r.ProposeAccountReset),
		op.New(op.Spec{
			Path: "/AccountRecovery/GetAccountResets", Allow: manage, Effect: op.Read, Faults: []*fault.Error{fault.ErrInvalid},
		}, r.GetAccountResets),
		op.Prepared(op.Spec{
			Path: "/AccountRecovery/ApproveAccountReset", Allow: manage, Effect: op.Write, Audit: audit.RegainApprove, Rate: op.Costly,
			Faults: append(part, regain.ErrProposal, regain.ErrSecond, regain.ErrApart, regain.ErrProposer, post.ErrNoMail),
		}, r.ensure, r.ApproveAccountReset),
		op.New(op.Spec{
			Path: "/AccountRecovery/WithdrawAccountReset", Allow: manage, Effect: op.Write, Audit: audit.RegainWithdraw,
			Faults: []*fault.Error{user.ErrNotFound, regain.ErrProposal, fault.ErrMissing},
		}, r.WithdrawAccountReset),
	}
}

// Somebody names a user.
type Somebody struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid,UserUuid"`

	found user.User
}

// Check wants a name.
func (s *Somebody) Check() error {
	if strings.TrimSpace(s.ID) == "" {
		return fault.Missing("ID")
	}
	return nil
}

// Resolve finds the user.
func (s *Somebody) Resolve(ctx context.Context, c *op.Call) (err error) {
	s.found, err = user.Find(ctx, c, s.ID)
	return err
}

// Target is who the call is about.
func (s *Somebody) Target() op.Target { return op.Target{ID: s.found.ID, Org: s.found.Org} }

// Proposed is what one administrator proposes.
type Proposed struct {
	Somebody
	// Reason is why, at most 400 bytes, required: whoever approves reads it, and it stands in the event.
	Reason string `json:"Reason"`
}

// Check wants both.
func (p *Proposed) Check() error {
	p.Reason = strings.TrimSpace(p.Reason)
	switch {
	case p.Reason == "":
		return fault.Missing("Reason")
	case len(p.Reason) > regain.MaxReason || strings.ContainsFunc(p.Reason, unicode.IsControl):
		return fault.Bad("Reason", "may have %d bytes and no control characters", regain.MaxReason)
	}
	return p.Somebody.Check()
}

// Proposal is what somebody proposed. Times are in ms since 1970 UTC.
type Proposal struct {
	// ID is the UUID of the user whom it is about.
	ID string `json:"ID"`
	// Name is their login name.
	Name string `json:"Name"`
	// Proposer is the UUID of the administrator.
	Proposer string `json:"Proposer"`
	// ProposerName is their login name; empty when they are gone.
	ProposerName string `json:"ProposerName"`
	// Reason is why.
	Reason string `json:"Reason"`
	// Made is when it was proposed.
	Made int64 `json:"Made"`
	// Expires is until when it can be approved.
	Expires int64 `json:"Expires"`
}

// ProposeAccountReset proposes that somebody who has lost what they sign in with sets it up anew, whoever they are: administrators, too. Another
// administrator approves it within an hour (ApproveAccountReset), or nothing happens. The caller must be signed in, must have shown who they are within
// Session.ProofMinutes, and must hold all rights that the user holds. What the caller proposed before is replaced.
func (r Regain) ProposeAccountReset(ctx context.Context, c *op.Call, in Proposed) (Proposal, error) {
	p, err := r.Regains.Propose(ctx, c, in.found, in.Reason)
	if err != nil {
		return Proposal{}, err
	}
	return proposal(p, in.found.Name, c.Caller.Name), nil
}

func proposal(p regain.Proposal, name, by string) Proposal {
	return Proposal{ID: p.User, Name: name, Proposer: p.Proposer, ProposerName: by, Reason: p.Reason, Made: p.Made, Expires: p.Expires}
}

// GetAccountResets lists what administrators have proposed and nobody has approved, by the UUIDs of the users: of those whom the caller administers.
func (r Regain) GetAccountResets(ctx context.Context, c *op.Call, in Part) ([]Proposal, error) {
	all, err := r.Regains.Proposals(ctx, c, c.Grant, in.After, in.Limit.Or(100))
	if err != nil {
		return nil, err
	}
	who, err := people(ctx, c, all, func(p regain.Proposal) string { return p.User })
	if err != nil {
		return nil, err
	}
	by, err := people(ctx, c, all, func(p regain.Proposal) string { return p.Proposer })
	out := make([]Proposal, 0, len(all))
	for _, p := range all {
		if u := who[p.User]; u.ID != "" {
			out = append(out, proposal(p, u.Name, by[p.Proposer].Name))
		}
	}
	return out, err
}

// Approval is how a reset is approved.
type Approval struct {
	Somebody
	// Send is true to have the link sent to the user's mail address, with a code to their mobile number where they have one; false, the default, to
	// be given the code oneself.
	Send op.Opt[bool] `json:"Send"`
}

// Reset is what a second administrator gives on.
type Reset struct {
	// Code is what the user enters at /recover/finish: 16 letters and digits with dashes between groups of four, told here alone. Empty where a link
	// was sent.
	Code string `json:"Code"`
	// Expires is until when code or link work, in ms since 1970 UTC: for a day.
	Expires int64 `json:"Expires"`
}

func (r Regain) ensure(ctx context.Context, c *op.Call, _ Approval) (op.None, error) {
	return op.None{}, r.Regains.Ensure(ctx, c.Tenant.ID)
}

// ApproveAccountReset approves what another administrator has proposed: with the code of the answer, or the link that is sent, the user chooses a
// password, all their factors are removed, and they set up others in a session that can do nothing else. All addresses of theirs are told, with a
// link that stops it.
//
// Both administrators must be somebody else than the user, hold all rights that the user holds, at this moment, and use different browsers. Neither may
// be new, nor have changed the other one's account or who holds which rights within 24 hours. A proposal is approved once.
func (r Regain) ApproveAccountReset(ctx context.Context, c *op.Call, in Approval, _ op.None) (Reset, error) {
	a, err := r.Regains.Approve(ctx, c, in.found, in.Send.Or(false))
	if err != nil {
		return Reset{}, err
	}
	return Reset{a.Code, a.Expires.UnixMilli()}, nil
}

// WithdrawAccountReset takes back what an administrator has proposed: the same one, or another.
func (r Regain) WithdrawAccountReset(ctx context.Context, c *op.Call, in Somebody) (op.None, error) {
	return op.None{}, r.Regains.Withdraw(ctx, c, in.found)
}
