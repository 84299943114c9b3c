// Package proofing is the RPC dialect's operations on how people who register are looked at before they are let in (lifecycle.yaml n 568-574): the
// identity verification's settings, what was found about somebody, and the decision about a sign-up that waits.
package proofing

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"limen/internal/core/audit"
	core "limen/internal/core/proofing"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/core/workflow"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Proofing are the operations.
type Proofing struct {
	Proofings *core.Proofings
	Flows     *workflow.Flows
	People    *user.Directory
}

// Ops declares them.
func (p Proofing) Ops() []op.Op {
	path := func(name string) string { return "/IdentityVerification/" + name }
	return []op.Op{
		op.New(op.Spec{Path: path("IsIdentityProofingEnabled"), Allow: op.Authenticated, Effect: op.Read}, p.IsIdentityProofingEnabled),
		op.New(op.Spec{Path: path("GetIdentityProviderConfiguration"), Allow: op.System, Effect: op.Read}, p.GetIdentityProviderConfiguration),
		op.New(op.Spec{Path: path("GetIdvScript"), Allow: op.System, Effect: op.Read}, p.GetIdvScript),
		op.New(op.Spec{Path: path("GetWorkflowApprovers"), Allow: op.System, Effect: op.Read}, p.GetWorkflowApprovers),
		op.Prepared(op.Spec{
			Path: path("UpdateIdentityVerificationConfiguration"), Allow: op.System, Effect: op.Write, Audit: audit.ProofingChange, MaxBody: 512 << 10, Rate: op.Costly,
			Faults: []*fault.Error{core.ErrScript, core.ErrChanged, fault.ErrInvalid, fault.ErrMissing},
		}, p.look, p.UpdateIdentityVerificationConfiguration),
		op.New(op.Spec{
			Path: path("GetIdentityProofingInfo"), Allow: op.Authenticated, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound, fault.ErrMissing},
		}, p.GetIdentityProofingInfo),
		op.New(op.Spec{
			Path: path("UpdateUserSignUpStatus"), Allow: op.Authenticated, Effect: op.Write, Audit: audit.WorkflowAnswer,
			Faults: []*fault.Error{
				user.ErrNotFound, user.ErrStale, workflow.ErrResolved, workflow.ErrOwn, workflow.ErrStale, workflow.ErrSame, fault.ErrMissing, fault.ErrInvalid,
			},
		}, p.UpdateUserSignUpStatus),
	}
}

var manage = op.Has(right.UserManagement)

// at is a stored time, unset when 0.
func at(ms int64) rpc.Time {
	if ms == 0 {
		return rpc.Time{}
	}
	return rpc.Time(time.UnixMilli(ms))
}

// IsIdentityProofingEnabled says whether a script looks at people who register. lifecycle.yaml n 572.
func (p Proofing) IsIdentityProofingEnabled(ctx context.Context, c *op.Call, _ op.None) (bool, error) {
	s, err := p.Proofings.Get(ctx, c)
	return s.Enabled, err
}

// Person names somebody who registered.
type Person struct {
	// UserID is the user's UUID or login name, required.
	UserID string `json:"userId" also:"ID,Uuid"`
}

// Check wants it.
func (r *Person) Check() error {
	if strings.TrimSpace(r.UserID) == "" {
		return fault.Missing("userId")
	}
	return nil
}

// find finds who is asked about: for those who administer the person, and for who is to approve them. over says that the caller is one of the former.
func (p Proofing) find(ctx context.Context, c *op.Call, ref string) (u user.User, over bool, err error) {
	if u, err = user.Find(ctx, c, ref); err != nil {
		return u, false, err
	}
	if manage.Decide(c, op.Target{ID: u.ID, Org: u.Org}).Allows(u.ID, u.Org) {
		return u, true, nil
	}
	mine, err := p.Flows.Approves(ctx, c, u.ID)
	if err == nil && !mine {
		err = user.ErrNotFound
	}
	return u, false, err
}

// Detail is something that was found.
type Detail struct {
	// Name says what it is.
	Name string `json:"Name"`
	// Value is what was found.
	Value string `json:"Value"`
}

// Info is what identity proofing found about somebody, and what was decided.
type Info struct {
	// UserID is the user's UUID.
	UserID string `json:"UserId"`
	// Name is the login name.
	Name string `json:"Name"`
	// Provider is the service that was asked; empty: none.
	Provider string `json:"Provider"`
	// Status is Pending (somebody has to approve), Approved, Rejected, Passed (the script let them in) or NotRequired.
	Status string `json:"Status"`
	// RiskScore is the number that the script gave; null: none.
	RiskScore *float64 `json:"RiskScore"`
	// RiskLevel is Low, Medium, High or Unknown.
	RiskLevel string `json:"RiskLevel"`
	// Details are what the script gave of what was found, 30 at most.
	Details []Detail `json:"Details"`
	// CheckedOn is when the script was asked; null: it was not.
	CheckedOn rpc.Time `json:"CheckedOn"`
	// DecidedBy is the login name of who decided; empty: nobody, or somebody who is gone.
	DecidedBy string `json:"DecidedBy"`
	// DecidedOn is when it was decided; null: it was not.
	DecidedOn rpc.Time `json:"DecidedOn"`
	// Reason is what they gave as the reason.
	Reason string `json:"Reason"`
	// ProviderLink is the service's own page about the user, where LinkToProInsight is set and the script gave one.
	ProviderLink string `json:"ProviderLink"`
}

func status(u user.User, f core.Finding, found bool) string {
	switch {
	case u.Signup != user.SignupNone:
		return string(u.Signup)
	case !found:
		return "NotRequired"
	case f.Decided != 0:
		return "Approved"
	}
	return "Passed"
}

// GetIdentityProofingInfo tells what identity proofing found about somebody who registered: to those who administer the user, and to whose turn it is to
// approve them. Nobody else learns whether there is such a user. lifecycle.yaml n 568.
func (p Proofing) GetIdentityProofingInfo(ctx context.Context, c *op.Call, in Person) (Info, error) {
	u, _, err := p.find(ctx, c, in.UserID)
	if err != nil {
		return Info{}, err
	}
	f, found, err := p.Proofings.Of(ctx, c, u.ID)
	if err != nil {
		return Info{}, err
	}
	s, err := p.Proofings.Get(ctx, c)
	if err != nil {
		return Info{}, err
	}
	out := Info{
		UserID: u.ID, Name: u.Name, Provider: f.Provider, Status: status(u, f, found), RiskScore: score(f.Score), RiskLevel: string(f.Level), Details: []Detail{},
		CheckedOn: at(f.Checked), DecidedOn: at(f.Decided), Reason: f.Reason,
	}
	if !found {
		out.RiskLevel = string(core.Unknown)
	}
	if s.Link {
		out.ProviderLink = f.Link
	}
	for _, d := range f.Found() {
		out.Details = append(out.Details, Detail(d))
	}
	by, err := p.People.ByID(ctx, c, f.DecidedBy)
	if errors.Is(err, user.ErrNotFound) {
		err = nil
	}
	out.DecidedBy = by.Name
	return out, err
}

// Decision decides a sign-up.
type Decision struct {
	// UserID is the user's UUID or login name, required.
	UserID string `json:"UserId" also:"ID,Uuid"`
	// Status is Approved or Rejected, required.
	Status string `json:"Status"`
	// Reason goes into the history, and of a rejection into the mail to the user; 1,000 bytes at most.
	Reason string `json:"Reason"`
}

// Check wants both.
func (d *Decision) Check() error {
	switch {
	case strings.TrimSpace(d.UserID) == "":
		return fault.Missing("UserId")
	case strings.TrimSpace(d.Status) == "":
		return fault.Missing("Status")
	case event(d.Status) == "":
		return fault.Bad("Status", "must be Approved or Rejected")
	}
	return nil
}

// event is the workflow's word for a status.
func event(status string) string {
	switch strings.ToLower(strings.TrimSpace(status)) {
	case "approved":
		return "approve"
	case "rejected":
		return "reject"
	}
	return ""
}

// UpdateUserSignUpStatus decides the sign-up of somebody who waits: whose turn it is may, and whoever administers the user. It answers the workflow job, as
// /JobFlow/Event does: behind the last approver an approved user can sign in, and is sent the link to verify the mail address where that is still due; a
// rejected one stays disabled. Both are told by mail. Nobody approves somebody who has given the approver's own mail address or mobile number.
//
// Errors: user.not_found, also for who may not decide; workflow.resolved where nothing waits; workflow.stale; workflow.same_person. lifecycle.yaml n 574.
func (p Proofing) UpdateUserSignUpStatus(ctx context.Context, c *op.Call, in Decision) (op.None, error) {
	u, over, err := p.find(ctx, c, in.UserID)
	if err != nil {
		return op.None{}, err
	}
	_, err = p.Flows.Decide(ctx, c, u.ID, workflow.Answer{Event: event(in.Status), Reason: strings.TrimSpace(in.Reason), Over: over})
	return op.None{}, err
}

// score is a stored number.
func score(text string) *float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &n
}
