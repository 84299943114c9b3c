package user

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/number"
	"limen/internal/core/tenant"
	"limen/internal/fault"
)

// New is a user to be made. Texts are as a client gave them; their limits are checked.
type New struct {
	Name         string // login name with a suffix of the tenant, required
	Mail         string
	Display      string
	Description  string
	Mobile       string
	Home         string
	Office       string
	Culture      string
	ReportsTo    string // UUID or login name of the manager
	Org          string // id of the organization
	MfaUser      string // UUID or login name of the person whose factors answer instead
	State        State
	Expires      int64 // end of the account in ms since 1970 UTC; 0: never
	Everybody    bool  // member of the role Everybody
	System       bool  // member of the role System Administrator
	Service      bool  // not a person; not in Everybody
	OAuthClient  bool
	ForceChange  bool
	NeverExpires bool
	Suspended    bool
	MailUnproved bool   // no code goes to the mail address until ProveMail
	Signup       Signup // of somebody who registered and is disabled until that is approved
}

// Create adds a user: one INSERT, one more for a system administrator, and reads only for a manager or another person's
// factors. Faults: ErrNameTaken, ErrSuffix, ErrManager, ErrRedirect, role.ErrSystem, and the faults of single fields.
func (d *Directory) Create(ctx context.Context, c *call.Call, n New) (User, error) {
	u, err := d.ready(ctx, c, n)
	if err != nil {
		return User{}, err
	}
	added, err := insert.Do(ctx, c.Tx, append(u.values(), c.Tenant.ID)...)
	if err != nil {
		return User{}, err
	}
	if added == 0 {
		return User{}, ErrNameTaken.At("Name").Say("User %s already exists.", u.Name)
	}
	return u, d.Settle(ctx, c, n, u)
}

// ready makes the row of a new user and checks it.
func (d *Directory) ready(ctx context.Context, c *call.Call, n New) (User, error) {
	now := c.Now.UnixMilli()
	u := User{
		ID: c.NewID(), Name: n.Name, Mail: n.Mail, Display: n.Display, Description: n.Description, Mobile: n.Mobile, Home: n.Home, Office: n.Office,
		Culture: n.Culture, Org: n.Org, Locked: n.State.Locked, Disabled: n.State.Disabled, Expired: n.State.Expired, Expires: n.Expires,
		Everybody: n.Everybody && !n.Service, Service: n.Service, OAuthClient: n.OAuthClient, ForceChange: n.ForceChange, NeverExpires: n.NeverExpires,
		Created: now, Changed: now, Version: 1, MailUnproved: n.MailUnproved && n.Mail != "",
		Suspended: n.Suspended, Signup: n.Signup,
	}
	u.Disabled = u.Disabled || u.Signup != SignupNone
	if err := u.check(&User{}); err != nil {
		return User{}, err
	}
	if err := d.suffix(ctx, c, &u); err != nil {
		return User{}, err
	}
	if err := d.refer(ctx, c, &u, n.ReportsTo, n.MfaUser); err != nil {
		return User{}, err
	}
	return u, nil
}

// Settle does what belongs to a new user besides the row: the number, the administrator's membership, the event, and what others store.
func (d *Directory) Settle(ctx context.Context, c *call.Call, n New, u User) error {
	if err := number.Give(ctx, c, number.User, u.ID); err != nil {
		return err
	}
	if n.System {
		if err := d.Roles.Join(ctx, c, u.ID); err != nil {
			return err
		}
	}
	noted(c, &u)
	if c.Event != nil && u.Org != "" {
		c.Event.Set("OrgId", u.Org)
	}
	if c.Event != nil && n.System {
		c.Event.Set("InSysAdminRole", true)
	}
	if err := d.others(ctx, c); err != nil {
		return err
	}
	return d.stored(ctx, c, &User{}, &u)
}

// suffix refuses a login name whose suffix is not one of the tenant's for the built-in directory.
func (d *Directory) suffix(ctx context.Context, c *call.Call, u *User) error {
	s, err := d.Tenants.Suffix(ctx, c, u.SuffixKey)
	if errors.Is(err, tenant.ErrSuffix) || err == nil && !s.Cds {
		return ErrSuffix.At("Name")
	}
	return err
}

// refer finds the people that a user refers to.
func (d *Directory) refer(ctx context.Context, c *call.Call, u *User, manager, factors string) error {
	if manager != "" {
		m, err := d.ByIDOrName(ctx, c, manager)
		if errors.Is(err, ErrNotFound) {
			return ErrManager.At("ReportsTo")
		}
		if err != nil {
			return err
		}
		u.ReportsTo = m.ID
	}
	if factors != "" {
		f, err := d.ByIDOrName(ctx, c, factors)
		if errors.Is(err, ErrNotFound) || err == nil && (f.MfaUser != "" || f.ID == u.ID) {
			return ErrRedirect.At("CmaRedirectedUserUuid")
		}
		if err != nil {
			return err
		}
		u.MfaUser = f.ID
	}
	return nil
}

// noted says in the event whom the call is about.
func noted(c *call.Call, u *User) {
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
}

// Offer checks the fields of a new user as Create does, without a store: for operations that do slow work first.
func (n New) Offer() error {
	u := User{
		Name: n.Name, Mail: n.Mail, Display: n.Display, Description: n.Description, Mobile: n.Mobile, Home: n.Home, Office: n.Office,
		Culture: n.Culture, Expires: n.Expires,
	}
	if n.Name == "" {
		return fault.Missing("Name")
	}
	return u.check(&User{})
}
