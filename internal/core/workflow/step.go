package workflow

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// Step is an approver, as WorkflowSettings has them.
type Step struct {
	Type            string `json:"Type"` // User, Role, Manager
	PType           string `json:"PType,omitempty"`
	Guid            string `json:"Guid,omitempty"` //nolint:revive,staticcheck // the contract's spelling
	Name            string `json:"Name,omitempty"`
	NoManagerAction string `json:"NoManagerAction,omitempty"` // approve, deny, useBackup
	BackupApprover  *Step  `json:"BackupApprover,omitempty"`
	OptionsSelector bool   `json:"OptionsSelector,omitempty"` // they choose for how long
}

// Types of approvers, and what happens where a requestor has no manager.
const (
	byUser    = "User"
	byRole    = "Role"
	byManager = "Manager"
	approve   = "approve"
	useBackup = "useBackup"
)

// maxSteps bounds the approvers of one application.
const maxSteps = 20

// settings reads the approvers of an application; none where access to it cannot be asked for.
func settings(it app.App) []Step {
	if !it.Flag("WorkflowEnabled", false) {
		return nil
	}
	var in struct {
		Approvers []Step `json:"WorkflowApprover"`
	}
	if json.Unmarshal([]byte(it.Text("WorkflowSettings")), &in) != nil || len(in.Approvers) > maxSteps {
		return nil
	}
	return in.Approvers
}

func (s Step) kind() string {
	if s.Type == "" {
		return s.PType
	}
	return s.Type
}

// verdicts about a step that nobody needs to answer.
type passing uint8

const (
	waits  passing = iota // for its approver
	passes                // by itself
	denies
)

// principal finds who answers a step: a person or a role. Where the requestor has no manager, the step says what happens; one that says
// nothing denies. A manager of oneself is none.
func (f *Flows) principal(ctx context.Context, c *call.Call, s Step, requestor user.User) (id string, _ passing, err error) {
	switch s.kind() {
	case byUser:
		u, err := f.People.ByID(ctx, c, s.Guid)
		if errors.Is(err, user.ErrNotFound) || err == nil && u.ID == requestor.ID {
			return "", denies, nil
		}
		return u.ID, waits, err
	case byRole:
		r, err := f.Roles.Get(ctx, c, s.Guid)
		if errors.Is(err, role.ErrNotFound) {
			return "", denies, nil
		}
		return r.ID, waits, err
	case byManager:
	default:
		return "", denies, nil
	}
	if boss := requestor.ReportsTo; boss != "" && boss != requestor.ID {
		if u, err := f.People.ByID(ctx, c, boss); err == nil && !u.Barred(c.Now) {
			return boss, waits, nil
		} else if err != nil && !errors.Is(err, user.ErrNotFound) {
			return "", denies, err
		}
	}
	switch {
	case s.NoManagerAction == approve:
		return "", passes, nil
	case s.NoManagerAction == useBackup && s.BackupApprover != nil && s.BackupApprover.kind() != byManager:
		return f.principal(ctx, c, *s.BackupApprover, requestor)
	}
	return "", denies, nil
}

// selects says whether the approver of a step chooses for how long access is given: whoever is marked, or where nobody is the first.
func selects(chain []Step, at int) bool {
	for _, s := range chain {
		if s.OptionsSelector {
			return chain[at].OptionsSelector
		}
	}
	return at == 0
}
