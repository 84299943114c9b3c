package workspace

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of invitations.
var (
	ErrAlready  = fault.New(fault.Exists, "workspace.already", "The person is in this workspace, or invited to it.")
	ErrNoInvite = fault.New(fault.NotFound, "workspace.invitation_not_found", "There is no such open invitation.")
)

var (
	putInvite = dbx.E("workspace.putInvite", `INSERT INTO workspace_member (tenant, org, user_id, id, state, enabled, until, fresh, inviter, hash, expires, created)
		VALUES (?, ?, ?, ?, 'invited', ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, org, user_id) DO UPDATE SET state = 'invited', enabled = excluded.enabled,
		until = excluded.until, inviter = excluded.inviter, hash = excluded.hash, expires = excluded.expires`)
	byInvite = dbx.Q[member]("workspace.byInvite", `SELECT `+memberColumns+` FROM workspace_member WHERE tenant = ? AND id = ? FOR UPDATE`)
	giversOf = dbx.Q[giverRow]("workspace.giversOf", `SELECT role, giver FROM workspace_withheld WHERE tenant = ? AND org = ? AND user_id = ? ORDER BY role`)
)

type giverRow struct {
	Role  string `db:"role"`
	Giver string `db:"giver"`
}

// Invitation is who is invited, and what to.
type Invitation struct {
	Mail    string
	Roles   []string  // ids of roles of the workspace
	Until   time.Time // when the access ends; zero: never
	Culture string    // of somebody who has no account yet; empty: the tenant's
	Lasts   time.Duration
}

// Sent is an invitation that is to be mailed. What opens the invitation is told to them alone, by mail: the link at which a new account gets its
// password, and to people who have one the code that they show once they have signed in.
type Sent struct {
	Person user.User
	Number int64
	Link   string
	Code   string
}

// Offer checks what invitations give: the caller must manage roles, and hold all that the roles carry for as long. Faults: ErrPast, ErrRoles,
// ErrRole, role.ErrNotHeld, role.ErrSystem.
func (w *Workspaces) Offer(ctx context.Context, c *call.Call, workspace string, roles []string, until time.Time) error {
	if !until.IsZero() && !until.After(c.Now) {
		return ErrPast.At("accessExpirationTime")
	}
	if len(roles) == 0 {
		return nil
	}
	if !c.Caller.Held.Over(right.RoleManagement, workspace) {
		return ErrRoles
	}
	of, err := w.Orgs.RolesIn(ctx, c, workspace)
	if err != nil {
		return err
	}
	for _, id := range roles {
		if !slices.ContainsFunc(of, func(r role.Role) bool { return r.ID == id && r.Kind == role.Static }) {
			return ErrRole.At("roleIds")
		}
		if err := w.Roles.Admits(ctx, c, id, until); err != nil {
			return err
		}
	}
	return nil
}

// Invite invites somebody to a workspace; Offer comes before. Who has no account gets one that belongs to the workspace's organization, and
// joins with their first password; who has one joins by Accept, and nothing of it changes until then. The roles come with the joining, by the
// rights that the inviter has then. Faults: ErrAlready, those of user.Directory.Create, and of Claimed.
func (w *Workspaces) Invite(ctx context.Context, c *call.Call, workspace string, in Invitation) (Sent, error) {
	in.Mail = strings.TrimSpace(in.Mail)
	if err := user.CheckMail("email", in.Mail); err != nil {
		return Sent{}, err
	}
	if err := w.Claimed(ctx, c, workspace, in.Mail); err != nil {
		return Sent{}, err
	}
	u, err := w.whose(ctx, c, workspace, in.Mail)
	if err != nil {
		return Sent{}, err
	}
	fresh := u.ID == ""
	if fresh {
		if u, err = w.newcomer(ctx, c, workspace, in); err != nil {
			return Sent{}, err
		}
	}
	out, err := w.put(ctx, c, workspace, u, fresh, in)
	if err != nil {
		return out, err
	}
	return out, w.promise(ctx, c, workspace, u.ID, in.Roles)
}

// put stores an invitation, in place of one of the same person that is over.
func (w *Workspaces) put(ctx context.Context, c *call.Call, workspace string, u user.User, fresh bool, in Invitation) (out Sent, err error) {
	out, hash, ends := Sent{Person: u}, []byte{}, c.Now.Add(in.Lasts).UnixMilli()
	if u.Org == workspace && u.PasswordChanged == 0 && u.Active == 0 {
		out.Link, err = w.Invites.Make(ctx, c, u, in.Lasts)
	} else {
		out.Code, hash = crypt.NewToken(c.Rand)
	}
	if err != nil {
		return out, err
	}
	until := int64(0)
	if !in.Until.IsZero() {
		until = in.Until.UnixMilli()
	}
	_, err = putInvite.Do(ctx, c.Tx, c.Tenant.ID, workspace, u.ID, c.NewID(), true, until, fresh, c.User(), hash, ends, c.Now.UnixMilli())
	if err != nil {
		return out, err
	}
	m, err := findOne.One(ctx, c.Tx, c.Tenant.ID, workspace, u.ID)
	if err != nil {
		return out, err
	}
	if err := number.Give(ctx, c, number.Invitation, m.ID); err != nil {
		return out, err
	}
	if out.Number, err = number.Of(ctx, c, number.Invitation, m.ID); err != nil {
		return out, err
	}
	if out.Link == "" { // of the account that somebody has nothing changes
		return out, nil
	}
	return out, w.People.Invited(ctx, c, u.ID)
}

// maxSame is how many accounts with one address are looked at.
const maxSame = 20

// whose finds the account of an address: that of the workspace whose invitation is over, or the only one there is; the zero user where an
// account must be made.
func (w *Workspaces) whose(ctx context.Context, c *call.Call, workspace, mail string) (user.User, error) {
	have, err := w.People.ByMail(ctx, c, mail, maxSame)
	if err != nil {
		return user.User{}, err
	}
	for _, u := range have {
		if _, err := w.GetPerson(ctx, c, workspace, u.ID); errors.Is(err, ErrMember) {
			continue
		} else if err != nil {
			return user.User{}, err
		}
		m, err := findOne.One(ctx, c.Tx, c.Tenant.ID, workspace, u.ID)
		switch {
		case err != nil && !errors.Is(err, dbx.ErrNoRow):
			return user.User{}, err
		case err != nil, m.State == Joined, m.State == Invited && m.Expires > c.Now.UnixMilli():
			return user.User{}, ErrAlready.At("email")
		}
		return u, nil
	}
	have = slices.DeleteFunc(have, func(u user.User) bool { return u.Service || u.OAuthClient || u.MailUnproved })
	if len(have) != 1 {
		return user.User{}, nil
	}
	return have[0], nil
}

// newcomer makes the account of somebody who has none.
func (w *Workspaces) newcomer(ctx context.Context, c *call.Call, workspace string, in Invitation) (user.User, error) {
	name, err := w.LoginName(ctx, c, in.Mail)
	if err != nil {
		return user.User{}, err
	}
	local, _, _ := user.SplitName(in.Mail)
	return w.People.Create(ctx, c, user.New{Name: name, Mail: in.Mail, Display: local, Culture: in.Culture, Org: workspace, Everybody: true})
}

// maxNames is how many login names are tried.
const maxNames = 50

// LoginName finds a free login name for an address: the address, where its domain is a login suffix of the tenant's; else what is before the @
// with the tenant's main suffix. Where it is taken a number is put behind.
func (w *Workspaces) LoginName(ctx context.Context, c *call.Call, mail string) (string, error) {
	local, domain, _ := user.SplitName(mail)
	s, err := w.People.Tenants.Suffix(ctx, c, strings.ToLower(domain))
	if err != nil || !s.Cds {
		if s, err = w.People.Tenants.MainSuffix(ctx, c); err != nil {
			return "", err
		}
	}
	local = strings.Map(func(r rune) rune {
		if tenant.NameRune(r) {
			return r
		}
		return -1
	}, local)
	if local == "" {
		local = "user"
	}
	names := []string{local + "@" + s.Name}
	for n := 2; n <= maxNames; n++ {
		names = append(names, local+strconv.Itoa(n)+"@"+s.Name)
	}
	taken, err := w.People.Known(ctx, c, names)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(names, func(n string) bool { return !taken[fold.Key(n)] })
	if i < 0 {
		return "", user.ErrNameTaken.At("email")
	}
	return names[i], nil
}

// promise keeps which roles somebody gets when they join, in place of others.
func (w *Workspaces) promise(ctx context.Context, c *call.Call, workspace, userID string, roles []string) error {
	if _, err := dropWithheld.Do(ctx, c.Tx, c.Tenant.ID, workspace, userID); err != nil {
		return err
	}
	for _, id := range roles {
		if _, err := withhold.Do(ctx, c.Tx, c.Tenant.ID, workspace, userID, id, c.User()); err != nil {
			return err
		}
	}
	return nil
}

// Open finds an open invitation to a workspace by its number. Fault: ErrNoInvite.
func (w *Workspaces) Open(ctx context.Context, c *call.Call, workspace string, n int64) (Person, error) {
	id, err := number.Find(ctx, c, number.Invitation, n)
	if errors.Is(err, number.ErrNotFound) {
		return Person{}, ErrNoInvite
	}
	if err != nil {
		return Person{}, err
	}
	m, err := byInvite.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (m.Org != workspace || m.State == Joined) {
		return Person{}, ErrNoInvite
	}
	if err != nil {
		return Person{}, err
	}
	p, err := w.GetPerson(ctx, c, workspace, m.User)
	if errors.Is(err, ErrMember) {
		err = ErrNoInvite
	}
	return p, err
}

// Reoffer changes what an invitation gives, and sends nothing; nil: it stays. Offer comes before.
func (w *Workspaces) Reoffer(ctx context.Context, c *call.Call, workspace string, p Person, roles *[]string, until *time.Time) error {
	if until != nil {
		ms := int64(0)
		if !until.IsZero() {
			ms = until.UnixMilli()
		}
		if c.Event != nil {
			call.Changed(c.Event, "AccessExpirationTime", p.Until, ms)
		}
		if _, err := setUntil.Do(ctx, c.Tx, ms, c.Tenant.ID, workspace, p.ID); err != nil {
			return err
		}
	}
	if roles == nil {
		return nil
	}
	was, err := withheldOf.All(ctx, c.Tx, c.Tenant.ID, workspace, p.ID)
	if err != nil {
		return err
	}
	if c.Event != nil {
		call.Changed(c.Event, "Roles", strings.Join(was, ","), strings.Join(*roles, ","))
	}
	return w.promise(ctx, c, workspace, p.ID, *roles)
}

// Again makes the link or the code of an invitation anew, in place of the one that was sent; what it gives, and by whose rights, stays.
func (w *Workspaces) Again(ctx context.Context, c *call.Call, workspace string, p Person, lasts time.Duration) (Sent, error) {
	u, err := w.People.ByID(ctx, c, p.ID)
	if err != nil {
		return Sent{}, err
	}
	m, err := findOne.One(ctx, c.Tx, c.Tenant.ID, workspace, p.ID)
	if err != nil {
		return Sent{}, err
	}
	return w.put(ctx, c, workspace, u, m.Fresh, Invitation{Until: moment(m.Until), Lasts: lasts})
}

// Withdraw takes an invitation back: links and codes in mails that went out are worth nothing then. made says that the account was made for
// it and still waits for its first password: it is for the caller to delete.
func (w *Workspaces) Withdraw(ctx context.Context, c *call.Call, workspace string, p Person) (made bool, err error) {
	m, err := findOne.One(ctx, c.Tx, c.Tenant.ID, workspace, p.ID)
	if err != nil {
		return false, err
	}
	u, err := w.People.ByID(ctx, c, p.ID)
	if err != nil {
		return false, err
	}
	if err := w.forget(ctx, c, m); err != nil {
		return false, err
	}
	return m.Fresh && u.Org == workspace && u.PasswordChanged == 0 && u.Active == 0, w.Invites.Drop(ctx, c, p.ID)
}

// forget drops what is said of somebody in a workspace.
func (w *Workspaces) forget(ctx context.Context, c *call.Call, m member) error {
	for _, e := range []dbx.Exec{dropMember, dropWithheld} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, m.Org, m.User); err != nil {
			return err
		}
	}
	if err := number.Drop(ctx, c, number.Invitation, m.ID); err != nil {
		return err
	}
	return w.changed(ctx, c, m.User)
}
