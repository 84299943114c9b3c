package workspace

import (
	"context"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// States of memberships.
const (
	Joined   = "member"
	Invited  = "invited"
	Rejected = "rejected"
)

// member is what is said of a person in a workspace. Those who belong to the organization may have none.
type member struct {
	Org     string `db:"org"`
	User    string `db:"user_id"`
	ID      string `db:"id"`
	State   string `db:"state"`
	Enabled bool   `db:"enabled"`
	Until   int64  `db:"until"`
	Fresh   bool   `db:"fresh"`
	Inviter string `db:"inviter"`
	Hash    []byte `db:"hash"`
	Expires int64  `db:"expires"`
	Created int64  `db:"created"`
}

// open says whether the person may enter at a time.
func (m member) open(now time.Time) bool {
	return m.State == Joined && m.Enabled && (m.Until == 0 || now.UnixMilli() < m.Until)
}

const memberColumns = `org, user_id, id, state, enabled, until, fresh, inviter, hash, expires, created`

var (
	membersOf = dbx.Q[member]("workspace.membersOf", `SELECT `+memberColumns+` FROM workspace_member WHERE tenant = ? AND user_id = ? ORDER BY org LIMIT 1000`)
	findOne   = dbx.Q[member]("workspace.findOne", `SELECT `+memberColumns+` FROM workspace_member WHERE tenant = ? AND org = ? AND user_id = ?`)

	openIn = dbx.Q[string]("workspace.openIn", `SELECT id FROM workspace_member WHERE tenant = ? AND org = ? AND state <> 'member'`)

	goneMember   = dbx.E("workspace.goneMember", `DELETE FROM workspace_member WHERE tenant = ? AND user_id = ?`)
	goneWithheld = dbx.E("workspace.goneWithheld", `DELETE FROM workspace_withheld WHERE tenant = ? AND user_id = ?`)
	goneFavorite = dbx.E("workspace.goneFavorite", `DELETE FROM workspace_favorite WHERE tenant = ? AND user_id = ?`)
	goneDevice   = dbx.E("workspace.goneDevice", `DELETE FROM workspace_device WHERE tenant = ? AND user_id = ?`)

	emptyMember   = dbx.E("workspace.emptyMember", `DELETE FROM workspace_member WHERE tenant = ? AND org = ?`)
	emptyWithheld = dbx.E("workspace.emptyWithheld", `DELETE FROM workspace_withheld WHERE tenant = ? AND org = ?`)
	emptyFavorite = dbx.E("workspace.emptyFavorite", `DELETE FROM workspace_favorite WHERE tenant = ? AND org = ?`)
	emptyAuthor   = dbx.E("workspace.emptyAuthor", `DELETE FROM workspace_author WHERE tenant = ? AND org = ?`)
)

// own lists the workspaces that a person of an organization may enter as its own, and those they may not enter whatever they hold.
func own(ctx context.Context, c *call.Call, userID, home string) (in, barred []string, err error) {
	rows, err := membersOf.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range rows {
		switch {
		case m.open(c.Now):
			in = append(in, m.Org)
		case m.State == Joined || m.Org == home:
			barred = append(barred, m.Org)
		}
	}
	if home != "" && !slices.Contains(in, home) && !slices.Contains(barred, home) {
		in = append(in, home)
	}
	return in, barred, nil
}

// Of lists the workspaces of a person that they may enter as their own: the one that they belong to, and those that they joined. Whose first
// password is to come counts as being where it lets them in.
func (w *Workspaces) Of(ctx context.Context, c *call.Call, u user.User) ([]string, error) {
	in, _, err := own(ctx, c, u.ID, u.Org)
	if u.PasswordChanged == 0 && u.Org != "" && !slices.Contains(in, u.Org) {
		in = append(in, u.Org)
	}
	return in, err
}

// ErrMFA is how a gate keeps out who has no second factor, and may enter as soon as they have. They get tokens without a workspace.
var ErrMFA = fault.New(fault.Denied, "workspace.mfa", "This workspace wants a second factor. Set one up first, and sign in with it.")

// Enter keeps callers out of a workspace that they may not enter: who is no member and holds no right over it, who was deactivated,
// or whose access has expired, and who does not pass the gates. It is asked at every call. Faults: ErrOutside, and those of the gates.
func (w *Workspaces) Enter(ctx context.Context, c *call.Call, workspace string) error {
	m, err := findOne.One(ctx, c.Tx, c.Tenant.ID, workspace, c.Caller.User)
	home := c.Caller.Org == workspace
	switch {
	case errors.Is(err, dbx.ErrNoRow):
		held := c.Caller.Held
		if !home && held.Tenant == 0 && held.At(workspace) == 0 {
			return ErrOutside
		}
	case err != nil:
		return err
	case m.State == Joined || home:
		if !m.open(c.Now) {
			return ErrOutside
		}
	case c.Caller.Held.Tenant == 0 && c.Caller.Held.At(workspace) == 0: // invited, but has not accepted
		return ErrOutside
	}
	for _, g := range w.Gates {
		if err := g(ctx, c, workspace); err != nil {
			return err
		}
	}
	return nil
}

// Choose finds the workspace that the caller's token is to be for: the wanted one, and else the only one of their own; empty when they
// have several, or none. Faults: ErrOutside, also for one that does not exist, and those of the gates.
func (w *Workspaces) Choose(ctx context.Context, c *call.Call, wanted int64, guid string) (string, error) {
	if wanted == 0 && guid == "" {
		own, _, err := own(ctx, c, c.Caller.User, c.Caller.Org)
		if err != nil || len(own) != 1 {
			return "", err
		}
		return own[0], w.Enter(ctx, c, own[0])
	}
	id, err := Reference(ctx, c, wanted, guid)
	if fault.Of(err) != nil && fault.Of(err).Kind == fault.NotFound {
		return "", ErrOutside
	}
	if err != nil {
		return "", err
	}
	return id, w.Enter(ctx, c, id)
}

// PersonGone forgets a person who is being deleted.
func (w *Workspaces) PersonGone(ctx context.Context, c *call.Call, userID string) error {
	rows, err := membersOf.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil {
		return err
	}
	for _, m := range rows {
		if err := number.Drop(ctx, c, number.Invitation, m.ID); err != nil {
			return err
		}
	}
	return each(ctx, c, userID, goneMember, goneWithheld, goneFavorite, goneDevice)
}

// Emptied forgets a workspace whose organization is being deleted.
func (w *Workspaces) Emptied(ctx context.Context, c *call.Call, id string) error {
	open, err := openIn.All(ctx, c.Tx, c.Tenant.ID, id)
	if err != nil {
		return err
	}
	for _, invitation := range open {
		if err := number.Drop(ctx, c, number.Invitation, invitation); err != nil {
			return err
		}
	}
	return each(ctx, c, id, emptyMember, emptyWithheld, emptyFavorite, emptyAuthor)
}

func each(ctx context.Context, c *call.Call, id string, all ...dbx.Exec) error {
	for _, e := range all {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, id); err != nil {
			return err
		}
	}
	return nil
}
