package workflow

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrSame is for approvers whose own address the person who registered has given.
var ErrSame = fault.New(fault.Denied, "workflow.same_person", "This sign-up has your own mail address or mobile number: somebody else must approve it.")

// Admit has somebody who registered wait for approvers, one after the other; where there are none, for a system administrator.
func (f *Flows) Admit(ctx context.Context, c *call.Call, who user.User, chain []Step) error {
	if len(chain) == 0 {
		chain = []Step{{Type: byRole, Guid: role.System}}
	}
	steps, err := json.Marshal(chain)
	if err != nil {
		return err
	}
	j := Job{
		ID: c.NewID(), Kind: SignUp, Requestor: who.ID, App: who.ID, AppName: who.Name, State: Pending, Steps: string(steps), Options: "{}", History: "[]",
		Created: c.Now.UnixMilli(), Due: c.Now.Add(keepOpen).UnixMilli(), Version: 1,
	}
	if err := j.add(Happened{Time: j.Created, Event: "request", By: who.ID, Name: who.Name}); err != nil {
		return err
	}
	if err := j.keep(ctx, c); err != nil {
		return err
	}
	return f.proceed(ctx, c, &j, who)
}

// SignUps is how many sign-ups of the tenant wait.
func (f *Flows) SignUps(ctx context.Context, c *call.Call) (int64, error) {
	return signUps.One(ctx, c.Tx, c.Tenant.ID)
}

// SignUpOf is the request of somebody who registered, where it waits. ErrNotFound.
func (f *Flows) SignUpOf(ctx context.Context, c *call.Call, userID string) (Job, error) {
	j, err := ofSignUp.One(ctx, c.Tx, c.Tenant.ID, userID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return j, err
}

// Approves says whether it is the caller's turn to answer for somebody who registered.
func (f *Flows) Approves(ctx context.Context, c *call.Call, userID string) (bool, error) {
	j, err := f.SignUpOf(ctx, c, userID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && turn(c, j), err
}

// Decide answers the sign-up of somebody: Answer, for those who know the person and not the request. Faults as Answer's; ErrResolved also where
// nothing waits.
func (f *Flows) Decide(ctx context.Context, c *call.Call, userID string, a Answer) (Job, error) {
	j, err := f.SignUpOf(ctx, c, userID)
	if errors.Is(err, ErrNotFound) {
		return j, ErrResolved
	}
	if err != nil {
		return j, err
	}
	return f.answer(ctx, c, j, a)
}

// another fails where the caller would approve themselves under another name: who registered has given the caller's own address.
func (f *Flows) another(ctx context.Context, c *call.Call, who user.User) error {
	me, err := f.People.ByID(ctx, c, c.User())
	if errors.Is(err, user.ErrNotFound) { // the server's command line, say
		return nil
	}
	if err == nil && (who.MailKey != "" && who.MailKey == me.MailKey || who.Mobile != "" && who.Mobile == me.Mobile) {
		err = ErrSame
	}
	return err
}

// Known checks a list of approvers, and names them. People who register have no manager: for one there must be a backup, or nobody is let in. Faults:
// those of the parameter Approvers.
func (f *Flows) Known(ctx context.Context, c *call.Call, chain []Step) ([]Step, error) {
	if len(chain) > maxSteps {
		return nil, fault.Bad("Approvers", "may have %d entries", maxSteps)
	}
	out := make([]Step, len(chain))
	for i, s := range chain {
		var err error
		if out[i], err = f.known(ctx, c, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *Flows) known(ctx context.Context, c *call.Call, s Step) (Step, error) {
	out := Step{Type: s.kind(), PType: s.kind(), Guid: s.Guid}
	switch out.Type {
	case byUser:
		u, err := f.People.ByID(ctx, c, s.Guid)
		out.Name = u.Name
		return out, unknown(err, s)
	case byRole:
		r, err := f.Roles.Get(ctx, c, s.Guid)
		out.Name = r.Name
		return out, unknown(err, s)
	case byManager:
	default:
		return out, fault.Bad("Approvers", "must have the Type User, Role or Manager")
	}
	out.Guid, out.PType, out.NoManagerAction = "", "", useBackup
	if s.NoManagerAction != useBackup || s.BackupApprover == nil || s.BackupApprover.kind() == byManager {
		return out, fault.Bad("Approvers", "must name a BackupApprover where the Type is Manager: people who register have no manager")
	}
	backup, err := f.known(ctx, c, *s.BackupApprover)
	out.BackupApprover = &backup
	return out, err
}

// unknown is an error that names who is not there.
func unknown(err error, s Step) error {
	if errors.Is(err, user.ErrNotFound) || errors.Is(err, role.ErrNotFound) {
		return fault.Bad("Approvers", "names %.60q, whom nobody knows", s.Guid)
	}
	return err
}
