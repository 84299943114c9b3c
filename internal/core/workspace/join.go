package workspace

import (
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/invite"
	"limen/internal/core/link"
	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrAnotherOne is for those who are signed in as somebody else than who was invited.
var ErrAnotherOne = fault.New(fault.Denied, "workspace.invitation_other", "This invitation is for another account. Sign in with the account that it names.")

var (
	byHash   = dbx.Q[member]("workspace.byHash", `SELECT `+memberColumns+` FROM workspace_member WHERE tenant = ? AND hash = ?`)
	lockHash = dbx.Q[member]("workspace.lockHash", `SELECT `+memberColumns+` FROM workspace_member WHERE tenant = ? AND hash = ? FOR UPDATE`)
	setState = dbx.E("workspace.setState", `UPDATE workspace_member SET state = ?, hash = ? WHERE tenant = ? AND org = ? AND user_id = ?`)
)

// Opened is what the link or the code of an invitation leads to.
type Opened struct {
	Person    user.User
	Workspace org.Org // empty: the account was invited without one
	Account   bool    // the person has an account to sign in with

	row member
}

// JoinPath is the page to which people bring the code of an invitation who have an account.
const JoinPath = "/join"

// Look says what a token of an invitation is for, whether it is that of a link or a code. It counts no guesses; a network that has made too
// many is refused. Faults: invite.ErrLink, invite.ErrWait.
func (w *Workspaces) Look(ctx context.Context, c *call.Call, token string) (Opened, error) {
	u, err := w.Invites.Look(ctx, c, token)
	if errors.Is(err, invite.ErrLink) {
		return w.opened(ctx, c, byHash, token)
	}
	if err != nil {
		return Opened{}, err
	}
	out, at := Opened{Person: u}, u.Org
	rows, err := membersOf.All(ctx, c.Tx, c.Tenant.ID, u.ID)
	if err != nil {
		return out, err
	}
	if i := slices.IndexFunc(rows, func(m member) bool { return m.Fresh && m.State == Invited }); i >= 0 {
		out.row, at = rows[i], rows[i].Org
	}
	if at != "" {
		out.Workspace, err = org.ByID(ctx, c, at)
	}
	return out, err
}

// opened finds the invitation of somebody with an account by its code.
func (w *Workspaces) opened(ctx context.Context, c *call.Call, by dbx.Query[member], token string) (out Opened, err error) {
	hash, ok := link.Hash(token)
	if !ok {
		return out, invite.ErrLink
	}
	out.row, err = by.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (out.row.State != Invited || out.row.Expires <= c.Now.UnixMilli()) {
		return out, invite.ErrLink
	}
	if err != nil {
		return out, err
	}
	out.Account = true
	if out.Person, err = w.People.ByID(ctx, c, out.row.User); err != nil {
		return out, err
	}
	out.Workspace, err = org.ByID(ctx, c, out.row.Org)
	return out, err
}

// Accept lets the caller join the workspace that they were invited to, with the code of the mail. A code that opens nothing counts as a guess
// of the caller's network, so its fault must not undo the transaction. Faults: invite.ErrLink, invite.ErrWait, ErrAnotherOne.
func (w *Workspaces) Accept(ctx context.Context, c *call.Call, code string) (Opened, error) {
	out, err := w.opened(ctx, c, lockHash, code)
	if err := w.counted(ctx, c, err); err != nil {
		return out, err
	}
	if out.Person.ID != c.User() {
		return out, ErrAnotherOne
	}
	return out, w.join(ctx, c, out.row)
}

// Reject notes that somebody does not want to join; the link or the code proves who. It counts guesses as Accept does. Faults: invite.ErrLink,
// invite.ErrWait.
func (w *Workspaces) Reject(ctx context.Context, c *call.Call, token string) (Opened, error) {
	out, err := w.Look(ctx, c, token)
	if err == nil && out.row.User == "" { // an account that no workspace invited
		err = invite.ErrLink
	}
	if err := w.counted(ctx, c, err); err != nil {
		return out, err
	}
	m := out.row
	if _, err := setState.Do(ctx, c.Tx, Rejected, []byte{}, c.Tenant.ID, m.Org, m.User); err != nil {
		return out, err
	}
	if _, err := dropWithheld.Do(ctx, c.Tx, c.Tenant.ID, m.Org, m.User); err != nil {
		return out, err
	}
	if m.Fresh {
		return out, w.Invites.Drop(ctx, c, m.User)
	}
	return out, nil
}

// counted counts a try at a token.
func (w *Workspaces) counted(ctx context.Context, c *call.Call, err error) error {
	if err != nil && !errors.Is(err, invite.ErrLink) {
		return err
	}
	if failed := w.Invites.Links.Used(ctx, c, err == nil, invite.ErrWait); failed != nil {
		return failed
	}
	return err
}

// HasPassword hears that somebody has a password: whose account an invitation made joins the workspace by it.
func (w *Workspaces) HasPassword(ctx context.Context, c *call.Call, userID string) error {
	rows, err := membersOf.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return err
	}
	for _, m := range rows {
		if m.State == Invited && m.Fresh && len(m.Hash) == 0 {
			if err := w.join(ctx, c, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stored hears that somebody was changed (user.Directory.Stored): who was moved out of an organization is in its workspace no longer, and
// invitations end that went to an address which is the person's no longer.
func (w *Workspaces) Stored(ctx context.Context, c *call.Call, old, now *user.User) error {
	moved, another := old.Org != "" && old.Org != now.Org, old.MailKey != now.MailKey
	if old.ID == "" || old.ID != now.ID || !moved && !another {
		return nil
	}
	rows, err := membersOf.All(ctx, c.Tx, c.Tenant.ID, now.ID)
	if err != nil {
		return err
	}
	for _, m := range rows {
		if moved && m.Org == old.Org || another && m.State != Joined && !m.Fresh {
			if err := w.forget(ctx, c, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// join makes an invited person a member, with the roles that the inviter could give now. Those that they could not are left out, and an
// event says so.
func (w *Workspaces) join(ctx context.Context, c *call.Call, m member) error {
	if _, err := setState.Do(ctx, c.Tx, Joined, []byte{}, c.Tenant.ID, m.Org, m.User); err != nil {
		return err
	}
	if err := number.Drop(ctx, c, number.Invitation, m.ID); err != nil {
		return err
	}
	if wait, err := w.waits(ctx, c, m); err != nil || wait {
		return err
	}
	due, err := giversOf.All(ctx, c.Tx, c.Tenant.ID, m.Org, m.User)
	if err != nil {
		return err
	}
	if _, err := dropWithheld.Do(ctx, c.Tx, c.Tenant.ID, m.Org, m.User); err != nil {
		return err
	}
	of, err := w.Orgs.RolesIn(ctx, c, m.Org)
	if err != nil {
		return err
	}
	for _, g := range due {
		if m.Expires <= c.Now.UnixMilli() || m.Until != 0 && m.Until <= c.Now.UnixMilli() { // the offer is over, or the access that it gave
			break
		}
		if slices.ContainsFunc(of, func(r role.Role) bool { return r.ID == g.Role }) { // else it is another organization's by now
			if err := w.give(ctx, c, m, g); err != nil {
				return err
			}
		}
	}
	return w.changed(ctx, c, m.User)
}

// waits keeps who has joined out, with their roles withheld, where the workspace wants everybody activated first, and says whether it does.
func (w *Workspaces) waits(ctx context.Context, c *call.Call, m member) (bool, error) {
	if w.Activates == nil {
		return false, nil
	}
	wants, err := w.Activates(ctx, c, m.Org)
	if err != nil || !wants {
		return false, err
	}
	if _, err := setEnabled.Do(ctx, c.Tx, false, c.Tenant.ID, m.Org, m.User); err != nil {
		return false, err
	}
	return true, w.changed(ctx, c, m.User)
}

// give gives a role by the rights of who promised it. One that they may not give any more is not given.
func (w *Workspaces) give(ctx context.Context, c *call.Call, m member, g giverRow) error {
	caller, event := c.Caller, c.Event
	defer func() { c.Caller, c.Event = caller, event }()
	c.Event = c.Record(audit.RoleMembers)
	c.Event.Set("Giver", g.Giver)
	by, err := w.Holder(ctx, c, g.Giver)
	if err == nil {
		c.Caller = &by
		err = w.Roles.Add(ctx, c, g.Role, role.Member{Kind: role.User, ID: m.User, Until: moment(m.Until)})
	}
	if f := fault.Of(err); f != nil && (f.Kind == fault.Denied || f.Kind == fault.NotFound || f.Kind == fault.Unauthenticated) {
		c.Event.Outcome, c.Event.Reason, c.Event.Target, c.Event.Kind = "refused", f.Code, g.Role, "Role"
		return nil
	}
	return err
}
