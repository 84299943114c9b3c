package user

import (
	"context"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Change is a partial change of a user: what is nil stays.
type Change struct {
	Name         *string
	Mail         *string
	Display      *string
	Description  *string
	Mobile       *string
	Home         *string
	Office       *string
	Culture      *string
	ReportsTo    *string // UUID or login name; empty: nobody
	Org          *string
	OrgSettled   bool    // whoever comes by the person in Org was asked for already
	MfaUser      *string // UUID or login name; empty: one's own factors
	State        *State
	Expires      *int64 // 0: never
	Everybody    *bool
	System       *bool
	Service      *bool
	OAuthClient  *bool
	ForceChange  *bool
	NeverExpires *bool
	Suspended    *bool
	Touched      bool // something beside the row changed: it counts as a change of the row
	// MailUnproved says whether that the mail address is theirs is still to be shown. Nil: of a new address it is not asked.
	MailUnproved *bool
	Version      int64 // of the user that the caller saw; 0: whatever it is
}

// Change changes a user and returns what it is now. Faults: ErrNotFound, ErrStale, those of Create, ErrCycle, and
// role.ErrLast when nobody active would be left to administer the tenant; role.ErrNotHeld when administrators of the new
// organization would come by a person whom the caller does not administer for as long.
//
// That managers form no cycle is an invariant across rows: a change of ReportsTo belongs into a serial transaction.
func (d *Directory) Change(ctx context.Context, c *call.Call, id string, ch Change) (User, error) {
	out, err := d.mutate(ctx, c, id, func(u *User) error {
		if ch.Version != 0 && ch.Version != u.Version {
			return ErrStale
		}
		was := u.Org
		ch.apply(u)
		if u.Org != was && !ch.OrgSettled {
			if err := d.Roles.Opens(ctx, c, was, u.Org, time.Time{}, OnPeople); err != nil {
				return err
			}
		}
		return d.referAnew(ctx, c, u, ch)
	})
	if err != nil || ch.System == nil {
		return out, err
	}
	return out, d.setSystem(ctx, c, out.ID, *ch.System)
}

// OnPeople are the rights by which somebody comes by a person who joins their organization.
var OnPeople = right.Of(right.UserManagement, right.ReadUsers)

func (ch Change) apply(u *User) {
	set(&u.Name, ch.Name)
	if ch.Mail != nil && strings.TrimSpace(*ch.Mail) != u.Mail {
		u.Mail, u.MailUnproved = *ch.Mail, false
	}
	set(&u.MailUnproved, ch.MailUnproved)
	set(&u.Display, ch.Display)
	set(&u.Description, ch.Description)
	set(&u.Mobile, ch.Mobile)
	set(&u.Home, ch.Home)
	set(&u.Office, ch.Office)
	set(&u.Culture, ch.Culture)
	set(&u.Org, ch.Org)
	set(&u.Expires, ch.Expires)
	set(&u.Everybody, ch.Everybody)
	set(&u.Service, ch.Service)
	set(&u.OAuthClient, ch.OAuthClient)
	set(&u.ForceChange, ch.ForceChange)
	set(&u.NeverExpires, ch.NeverExpires)
	set(&u.Suspended, ch.Suspended)
	if ch.Touched {
		u.Version++
	}
	if u.Service {
		u.Everybody = false
	}
	if ch.State != nil {
		u.Locked, u.Disabled, u.Expired = ch.State.Locked, ch.State.Disabled, ch.State.Expired
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// referAnew finds the people that a change refers to.
func (d *Directory) referAnew(ctx context.Context, c *call.Call, u *User, ch Change) error {
	var manager, factors string
	if ch.ReportsTo != nil {
		manager, u.ReportsTo = *ch.ReportsTo, ""
	}
	if ch.MfaUser != nil {
		factors, u.MfaUser = *ch.MfaUser, ""
	}
	if err := d.refer(ctx, c, u, manager, factors); err != nil {
		return err
	}
	if manager == "" {
		return nil
	}
	return d.acyclic(ctx, c, u)
}

// maxManagers is how many managers up a cycle is looked for.
const maxManagers = 100

func (d *Directory) acyclic(ctx context.Context, c *call.Call, u *User) error {
	for at, n := u.ReportsTo, 0; at != ""; n++ {
		if at == u.ID || n == maxManagers {
			return ErrCycle.At("ReportsTo")
		}
		next, err := above.One(ctx, c.Tx, c.Tenant.ID, at)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil
		}
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (d *Directory) setSystem(ctx context.Context, c *call.Call, id string, on bool) error {
	is, err := d.Roles.Direct(ctx, c, role.System, id)
	if err != nil || is == on {
		return err
	}
	if c.Event != nil {
		call.Changed(c.Event, "InSysAdminRole", is, on)
	}
	m := role.Member{Kind: role.User, ID: id}
	if on {
		return d.Roles.Add(ctx, c, role.System, m)
	}
	return d.Roles.Remove(ctx, c, role.System, m)
}

// mutate changes one user by f, with all that follows from the change.
func (d *Directory) mutate(ctx context.Context, c *call.Call, id string, f func(u *User) error) (User, error) {
	old, err := found(lockID.One(ctx, c.Tx, c.Tenant.ID, id))
	if err != nil {
		return User{}, err
	}
	u := old
	noted(c, &old)
	if err := f(&u); err != nil {
		return User{}, err
	}
	if err := u.check(&old); err != nil {
		return User{}, err
	}
	if u == old {
		return old, nil
	}
	if u.Signup != SignupNone && !u.Disabled {
		return User{}, ErrSignup
	}
	if u.NameKey != old.NameKey {
		if err := d.renamed(ctx, c, &u); err != nil {
			return User{}, err
		}
	}
	u.Changed, u.Version = c.Now.UnixMilli(), old.Version+1
	if !u.Barred(c.Now) || old.Barred(c.Now) {
		err = d.store(ctx, c, &old, &u)
		return u, err
	}
	err = d.Roles.Keep(ctx, c, u.ID, func() error {
		if err := d.store(ctx, c, &old, &u); err != nil {
			return err
		}
		return each(ctx, c, d.Shut, u.ID)
	})
	return u, err
}

func each(ctx context.Context, c *call.Call, fs []func(context.Context, *call.Call, string) error, id string) error {
	for _, f := range fs {
		if err := f(ctx, c, id); err != nil {
			return err
		}
	}
	return nil
}

// renamed checks a new login name. The unique index has the last word: who loses the race gets dbx.ErrExists.
func (d *Directory) renamed(ctx context.Context, c *call.Call, u *User) error {
	if err := d.suffix(ctx, c, u); err != nil {
		return err
	}
	other, err := taken.One(ctx, c.Tx, c.Tenant.ID, u.NameKey)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && other == u.ID {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrNameTaken.At("Name").Say("User %s already exists.", u.Name)
}

func (d *Directory) store(ctx context.Context, c *call.Call, old, u *User) error {
	n, err := update.Do(ctx, c.Tx, append(u.values()[1:], c.Tenant.ID, u.ID, old.Version)...)
	switch {
	case errors.Is(err, dbx.ErrExists):
		return ErrNameTaken.At("Name").Because(err)
	case err != nil:
		return err
	case n == 0:
		return ErrStale
	}
	if c.Event != nil {
		compare(c.Event, old, u)
	}
	if old.Org != u.Org || old.NameKey != u.NameKey {
		if err := d.others(ctx, c); err != nil {
			return err
		}
	}
	if old.NameKey != u.NameKey {
		if err := d.Roles.Renamed(ctx, c, u.ID, u.NameKey); err != nil {
			return err
		}
	}
	if old.Mail != u.Mail || old.Mobile != u.Mobile {
		if err := each(ctx, c, d.Outdated, u.ID); err != nil {
			return err
		}
		for _, tell := range d.Moved {
			if err := tell(ctx, c, *old, *u); err != nil {
				return err
			}
		}
	}
	if err := d.stored(ctx, c, old, u); err != nil {
		return err
	}
	return d.changed(ctx, c, u.ID)
}

func (d *Directory) stored(ctx context.Context, c *call.Call, old, u *User) error {
	for _, f := range d.Stored {
		if err := f(ctx, c, old, u); err != nil {
			return err
		}
	}
	return nil
}

// rewrite changes a row by a statement of its own, which says what f says.
func (d *Directory) rewrite(ctx context.Context, c *call.Call, id string, f func(u *User) (dbx.Exec, []any)) error {
	old, err := found(lockID.One(ctx, c.Tx, c.Tenant.ID, id))
	if err != nil {
		return err
	}
	u := old
	u.Version++
	e, args := f(&u)
	if _, err := e.Do(ctx, c.Tx, append(args, c.Tenant.ID, id)...); err != nil {
		return err
	}
	return d.stored(ctx, c, &old, &u)
}

func (d *Directory) changed(ctx context.Context, c *call.Call, id string) error {
	return d.Changes.Put(ctx, c, "user", c.Tenant.ID+"/"+id)
}

// compare notes in the event what changed, under the contract's names.
func compare(e *call.Event, old, u *User) {
	call.Changed(e, "Name", old.Name, u.Name)
	call.Changed(e, "Mail", old.Mail, u.Mail)
	call.Changed(e, "MailUnproved", old.MailUnproved, u.MailUnproved)
	call.Changed(e, "DisplayName", old.Display, u.Display)
	call.Changed(e, "Description", old.Description, u.Description)
	call.Changed(e, "MobileNumber", old.Mobile, u.Mobile)
	call.Changed(e, "HomeNumber", old.Home, u.Home)
	call.Changed(e, "OfficeNumber", old.Office, u.Office)
	call.Changed(e, "PreferredCulture", old.Culture, u.Culture)
	call.Changed(e, "ReportsTo", old.ReportsTo, u.ReportsTo)
	call.Changed(e, "OrgId", old.Org, u.Org)
	call.Changed(e, "State", old.State().String(), u.State().String())
	call.Changed(e, "SignUp", old.Signup, u.Signup)
	call.Changed(e, "CloudLocked", old.CloudLocked, u.CloudLocked)
	call.Changed(e, "Status", old.Status(), u.Status())
	call.Changed(e, "AccountExp", old.Expires, u.Expires)
	call.Changed(e, "InEverybodyRole", old.Everybody, u.Everybody)
	call.Changed(e, "ServiceUser", old.Service, u.Service)
	call.Changed(e, "OauthClient", old.OAuthClient, u.OAuthClient)
	call.Changed(e, "ForcePasswordChangeNext", old.ForceChange, u.ForceChange)
	call.Changed(e, "PasswordNeverExpire", old.NeverExpires, u.NeverExpires)
	call.Changed(e, "CmaRedirectedUserUuid", old.MfaUser, u.MfaUser)
}

// Move renames up to limit users of the suffix with key from to suffix to, and says how many there were.
func (d *Directory) Move(ctx context.Context, c *call.Call, from, to string, limit int) (int, error) {
	rows, err := ofSuffix.All(ctx, c.Tx, c.Tenant.ID, from, int64(limit))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	for _, u := range rows {
		local, _, _ := SplitName(u.Name)
		was := u
		u.Name = local + "@" + to
		u.keys()
		u.Changed, u.Version = c.Now.UnixMilli(), was.Version+1
		if err := d.stored(ctx, c, &was, &u); err != nil {
			return 0, err
		}
		if _, err := rename.Do(ctx, c.Tx, u.Name, u.NameKey, fold.Key(to), u.Changed, c.Tenant.ID, u.ID); err != nil {
			return 0, err
		}
		if err := d.Roles.Renamed(ctx, c, u.ID, u.NameKey); err != nil {
			return 0, err
		}
	}
	if err := d.others(ctx, c); err != nil {
		return 0, err
	}
	// One row instead of a thousand: whoever keeps callers forgets those of the tenant.
	return len(rows), d.Changes.Put(ctx, c, "role", c.Tenant.ID)
}
