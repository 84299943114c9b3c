package users

import (
	"context"
	"fmt"
	"strings"
	"time"

	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// NewUser is a user to be made.
type NewUser struct {
	// Name is the login name with a login suffix of the tenant, required.
	Name string `json:"Name"`
	// Mail is a mail address, required.
	Mail string `json:"Mail"`
	// Password is the first password. Without one nobody can sign in by password until one is set.
	Password string `json:"Password"`
	// DisplayName is how people see the user.
	DisplayName string `json:"DisplayName"`
	// Description is free text.
	Description string `json:"Description"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber string `json:"MobileNumber"`
	// HomeNumber is a telephone number at home.
	HomeNumber string `json:"HomeNumber"`
	// OfficeNumber is a telephone number at work.
	OfficeNumber string `json:"OfficeNumber"`
	// PreferredCulture is a language tag, as en-US.
	PreferredCulture string `json:"PreferredCulture"`
	// OrgPath is the path or id of the organization that the user belongs to; absent: none, or for those who administer a
	// single organization that one.
	OrgPath string `json:"OrgPath"`
	// ReportsTo is the manager's UUID or login name.
	ReportsTo string `json:"ReportsTo"`
	// CmaRedirectedUserUuid is the UUID or login name of the person whose factors answer instead.
	CmaRedirectedUserUuid string `json:"CmaRedirectedUserUuid"`
	// UseAlternateMfaAccount says whether CmaRedirectedUserUuid counts; true when that is given.
	UseAlternateMfaAccount op.Opt[bool] `json:"useAlternateMfaAccount"`
	// InEverybodyRole is true when absent.
	InEverybodyRole op.Opt[bool] `json:"InEverybodyRole"`
	// InSysAdminRole can be given by system administrators only.
	InSysAdminRole bool `json:"InSysAdminRole"`
	// ServiceUser is true for what is no person; it is not in Everybody then.
	ServiceUser bool `json:"ServiceUser"`
	// OauthClient is true for confidential OAuth clients.
	OauthClient bool `json:"OauthClient"`
	// ForcePasswordChangeNext takes any password, to be changed at the first sign-in.
	ForcePasswordChangeNext bool `json:"ForcePasswordChangeNext"`
	// PasswordNeverExpire exempts the password from the policy's age.
	PasswordNeverExpire bool `json:"PasswordNeverExpire"`
	// SendEmailInvite sends an invitation by mail.
	SendEmailInvite bool `json:"SendEmailInvite"`
	// SendSmsInvite sends an invitation by text message; it needs MobileNumber.
	SendSmsInvite bool `json:"SendSmsInvite"`
	// VerifyEmail sends a link to the mail address; until it is opened and confirmed, no code goes to the address.
	VerifyEmail bool `json:"VerifyEmail"`
	// State is None, or a list of Locked, Disabled, Expired with commas.
	State string `json:"state"`
	// AccountExp is the end of the account; absent: none.
	AccountExp op.Opt[time.Time] `json:"AccountExp"`
}

// Check wants the required fields and what goes together.
func (n *NewUser) Check() error {
	if err := required("Name", n.Name); err != nil {
		return err
	}
	if err := required("Mail", n.Mail); err != nil {
		return err
	}
	if n.SendSmsInvite && strings.TrimSpace(n.MobileNumber) == "" {
		return fault.Missing("MobileNumber")
	}
	made, err := n.user()
	if err != nil {
		return err
	}
	return made.Offer()
}

// user is what the directory makes of it.
func (n *NewUser) user() (user.New, error) {
	state, err := user.ParseState("state", n.State)
	out := user.New{
		Name: n.Name, Mail: n.Mail, Display: n.DisplayName, Description: n.Description, Mobile: n.MobileNumber, Home: n.HomeNumber,
		Office: n.OfficeNumber, Culture: n.PreferredCulture, ReportsTo: n.ReportsTo, State: state,
		Everybody: n.InEverybodyRole.Or(true), System: n.InSysAdminRole, Service: n.ServiceUser, OAuthClient: n.OauthClient,
		ForceChange: n.ForcePasswordChangeNext, NeverExpires: n.PasswordNeverExpire, MailUnproved: n.VerifyEmail,
	}
	if n.UseAlternateMfaAccount.Or(true) {
		out.MfaUser = n.CmaRedirectedUserUuid
	}
	out.Expires = ends(n.AccountExp)
	return out, err
}

// hashed is a password that Prepare hashed; set is false when none was given.
type hashed struct {
	password.New
	set bool
}

func (u Users) hash(ctx context.Context, c *op.Call, plain string, names password.Names, any bool) (hashed, error) {
	if plain == "" {
		return hashed{}, nil
	}
	made, err := u.Passwords.Prepare(ctx, c, password.Change{Names: names, Plain: plain, Reset: true, Any: any})
	return hashed{made, true}, err
}

func (u Users) hashNew(ctx context.Context, c *op.Call, in NewUser) (hashed, error) {
	return u.hash(ctx, c, in.Password, password.Names{Login: in.Name, Display: in.DisplayName, Mail: in.Mail}, in.ForcePasswordChangeNext)
}

// CreateUser adds a user to the built-in directory and returns its UUID as bare text.
//
// The name needs a login suffix of the tenant. Membership in Everybody can be chosen here and with ChangeUser only. With
// ForcePasswordChangeNext any first password is accepted. Invitations are sent after the user is made. users.yaml n 79.
func (u Users) CreateUser(ctx context.Context, c *op.Call, in NewUser, h hashed) (string, error) {
	made, err := u.create(ctx, c, in, h)
	return made.ID, err
}

func (u Users) create(ctx context.Context, c *op.Call, in NewUser, h hashed) (user.User, error) {
	n, err := in.user()
	if err != nil {
		return user.User{}, err
	}
	if n.Org, err = u.settle(ctx, c, in.OrgPath); err != nil {
		return user.User{}, err
	}
	if err := u.lends(ctx, c, n.MfaUser); err != nil {
		return user.User{}, err
	}
	if err := u.leads(ctx, c, n.ReportsTo); err != nil {
		return user.User{}, err
	}
	made, err := u.People.Create(ctx, c, n)
	if err != nil {
		return user.User{}, err
	}
	if h.set {
		if err := u.Passwords.Put(ctx, c, made.ID, h.New, in.ForcePasswordChangeNext); err != nil {
			return user.User{}, err
		}
	}
	if in.VerifyEmail {
		if err := u.Addresses.Ask(ctx, c, made); err != nil {
			return user.User{}, err
		}
	}
	return made, u.invite(ctx, c, made, in.SendEmailInvite, in.SendSmsInvite)
}

// QuickUser is a user made from little.
type QuickUser struct {
	// Name is the login name; the default suffix is added when it has none. Absent: taken from Mail.
	Name string `json:"Name"`
	// Mail is a mail address, required.
	Mail string `json:"Mail"`
	// DisplayName is how people see the user.
	DisplayName string `json:"DisplayName"`
	// Password is the first password; the policy applies.
	Password string `json:"Password"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber string `json:"MobileNumber"`
	// ServiceUser is true for what is no person; it is not in Everybody then.
	ServiceUser bool `json:"ServiceUser"`
	// InEverybodyRole is true when absent.
	InEverybodyRole op.Opt[bool] `json:"InEverybodyRole"`
}

// Check wants a mail address.
func (q *QuickUser) Check() error {
	if err := required("Mail", q.Mail); err != nil {
		return err
	}
	return user.CheckMail("Mail", strings.TrimSpace(q.Mail))
}

// Made names a user that was made.
type Made struct {
	ID string `json:"ID"`
	// Mail is a mail address.
	Mail string `json:"Mail"`
}

// quick is a quick user whose name was completed.
type quick struct {
	full NewUser
	hash hashed
}

func (u Users) hashQuick(ctx context.Context, c *op.Call, in QuickUser) (quick, error) {
	name, err := u.complete(ctx, c, in.Name, in.Mail)
	if err != nil {
		return quick{}, err
	}
	full := NewUser{
		Name: name, Mail: in.Mail, DisplayName: in.DisplayName, Password: in.Password, MobileNumber: in.MobileNumber,
		ServiceUser: in.ServiceUser, InEverybodyRole: in.InEverybodyRole,
	}
	if err := full.Check(); err != nil {
		return quick{}, err
	}
	h, err := u.hashNew(ctx, c, full)
	return quick{full, h}, err
}

// complete makes a login name of what was given: with the default suffix where it has none, and from the mail address
// where there is no name.
func (u Users) complete(ctx context.Context, c *op.Call, name, mail string) (string, error) {
	name = strings.TrimSpace(name)
	if _, _, ok := user.SplitName(name); ok {
		return name, nil
	}
	err := c.Snapshot(ctx, func() error {
		if name == "" {
			local, domain, _ := user.SplitName(strings.TrimSpace(mail))
			if s, err := u.Tenants.Suffix(ctx, c, domain); err == nil && s.Cds {
				name = local + "@" + s.Name
				return nil
			}
			name = local
		}
		main, err := u.Tenants.MainSuffix(ctx, c)
		name += "@" + main.Name
		return err
	})
	return name, err
}

// CreateUserQuick adds a user from minimal data and returns its UUID and mail address.
//
// Without a Name the mail address becomes the login name when its domain is a login suffix of the tenant; otherwise the
// part before its @ with the default suffix does. users.yaml n 81.
func (u Users) CreateUserQuick(ctx context.Context, c *op.Call, _ QuickUser, q quick) (Made, error) {
	made, err := u.create(ctx, c, q.full, q.hash)
	return Made{made.ID, made.Mail}, err
}

// NewUsers are users to be made together.
type NewUsers struct {
	// Users have the fields of CreateUser each; a bare array is taken too. At most 200.
	Users []NewUser `json:"Users" rpc:"array"`
}

// maxCreate bounds the users of one call: their passwords are hashed within its deadline.
const maxCreate = 200

// Check checks each user and names the one at fault.
func (n *NewUsers) Check() error {
	if len(n.Users) == 0 {
		return fault.Missing("Users")
	}
	if len(n.Users) > maxCreate {
		return ErrMany.Say("At most %d users can be created in one call.", maxCreate)
	}
	for i := range n.Users {
		if err := n.Users[i].Check(); err != nil {
			return about(n.Users[i].Name, i, err)
		}
	}
	return nil
}

// about says in a fault which of several users it is about.
func about(name string, i int, err error) error {
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		return err
	}
	if name == "" {
		name = fmt.Sprint("number ", i+1)
	}
	return f.Say("User %s: %s", name, f.Public)
}

// Named names a user that was made.
type Named struct {
	ID   string `json:"ID"`
	Name string `json:"Name"`
}

func (u Users) hashAll(ctx context.Context, c *op.Call, in NewUsers) ([]hashed, error) {
	v, err := u.Settings.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	if !v.CreateUsers {
		return nil, ErrGate
	}
	out := make([]hashed, len(in.Users))
	for i, n := range in.Users {
		if out[i], err = u.hashNew(ctx, c, n); err != nil {
			return nil, about(n.Name, i, err)
		}
	}
	return out, nil
}

// CreateUsers adds several users in one call: all of them, or none and a message that names the one at fault.
//
// It works only when the tenant configuration key CusCreateUser.QandD is TRUE. users.yaml n 82.
func (u Users) CreateUsers(ctx context.Context, c *op.Call, in NewUsers, hs []hashed) ([]Named, error) {
	out := make([]Named, 0, len(in.Users))
	for i, n := range in.Users {
		made, err := u.create(ctx, c, n, hs[i])
		if err != nil {
			return nil, about(n.Name, i, err)
		}
		out = append(out, Named{made.ID, made.Name})
	}
	several(c)
	c.Event.Set("Users", out)
	return out, nil
}

// several makes the event one about several users, who stand in its fields.
func several(c *op.Call) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = "", "User", "", "", ""
}
