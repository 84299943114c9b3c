package users

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Invited is the role that those who are invited join unless another one is named; it is made on first use.
const Invited = "Invited Users"

// maxInvite bounds the people of one call, which is one transaction.
const maxInvite = 1000

// invite sends the invitations that are asked for and notes that the person was invited.
func (u Users) invite(ctx context.Context, c *op.Call, p user.User, mail, sms bool) error {
	if !mail && !sms {
		return nil
	}
	if !c.Grant.Everything() {
		if err := u.guard(ctx, c, p.ID); err != nil { // who administers organizations only has no business with those above
			return err
		}
	}
	data, err := u.invitation(ctx, c, p)
	if err != nil {
		return err
	}
	to := post.Reader{Mail: p.Mail, Mobile: p.Mobile, Culture: p.Culture, Name: p.Display, Account: p.Name, Org: p.Org}
	key, ends := "invite/"+p.ID+"/"+c.ID, c.Now.Add(data.Lasts)
	if mail {
		if err := u.Post.Mail(ctx, c, key, to, message.Invitation, data, ends); err != nil {
			return err
		}
	}
	if sms {
		if err := u.Post.SMS(ctx, c, key, to, message.Invitation, data, ends); err != nil {
			return err
		}
	}
	return u.People.Invited(ctx, c, p.ID)
}

// invitation is what the message tells.
func (u Users) invitation(ctx context.Context, c *op.Call, p user.User) (message.Data, error) {
	v, err := u.Settings.Get(ctx, c)
	if err != nil {
		return message.Data{}, err
	}
	out := message.Data{Link: "https://" + c.Tenant.Host + "/", Lasts: v.Code.Invite}
	if u.Link != nil {
		if out.Link, err = u.Link(ctx, c, p, out.Lasts); err != nil {
			return out, err
		}
	}
	if c.Caller != nil {
		out.By = c.Caller.Name
	}
	return out, nil
}

// invited fills the event with whom the call is about.
func invited(c *op.Call, p user.User) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = p.ID, "User", p.Name, p.ID, p.Name
}

// SendLoginEmail sends somebody the invitation mail. users.yaml n 89.
func (u Users) SendLoginEmail(ctx context.Context, c *op.Call, in OneUser) (op.None, error) {
	invited(c, in.found)
	return op.None{}, u.invite(ctx, c, in.found, true, false)
}

// SendSmsInvite sends somebody the invitation as a text message. users.yaml n 91.
func (u Users) SendSmsInvite(ctx context.Context, c *op.Call, in OneUser) (op.None, error) {
	invited(c, in.found)
	return op.None{}, u.invite(ctx, c, in.found, false, true)
}

// UserList names several users.
type UserList struct {
	// ID holds UUIDs or login names, required; at most 1000.
	ID []string `json:"ID" also:"Users" rpc:"array,one"`
}

// Check wants some.
func (l *UserList) Check() error {
	switch {
	case len(l.ID) == 0:
		return fault.Missing("ID")
	case len(l.ID) > maxInvite:
		return ErrMany.Say("At most %d users can be invited in one call.", maxInvite)
	}
	return nil
}

// SendLoginEmails sends the invitation mail to several users: to all of them, or to none when one is unknown or has no
// mail address. users.yaml n 90.
func (u Users) SendLoginEmails(ctx context.Context, c *op.Call, in UserList) (op.None, error) {
	c.Event.Kind = "User"
	c.Event.Set("Users", in.ID)
	for _, ref := range in.ID {
		p, err := u.allowed(ctx, c, ref)
		if err != nil {
			return op.None{}, err
		}
		if err := u.invite(ctx, c, p, true, false); err != nil {
			return op.None{}, err
		}
	}
	return op.None{}, nil
}

// allowed finds a user whom the caller administers; others look as if they were not there.
func (u Users) allowed(ctx context.Context, c *op.Call, ref string) (user.User, error) {
	p, err := user.Find(ctx, c, ref)
	if err == nil && !c.Grant.Allows(p.ID, p.Org) {
		err = user.ErrNotFound
	}
	return p, err
}

// Entity is whom an invitation is for.
type Entity struct {
	// Type is User, Group or Role.
	Type string `json:"Type"`
	// Guid is the user's UUID or the role's id.
	Guid string `json:"Guid" also:"ID"`
	// Name is the user's login name or the role's name, where Guid is absent.
	Name string `json:"Name"`
}

// Invitation invites.
type Invitation struct {
	// Entities are the invited, required.
	Entities []Entity `json:"Entities" rpc:"one"`
	// EmailInvite invites by mail.
	EmailInvite bool `json:"EmailInvite"`
	// SmsInvite invites by text message.
	SmsInvite bool `json:"SmsInvite"`
	// GroupInvite takes the people in roles instead of the roles only.
	GroupInvite bool `json:"GroupInvite"`
	// Role is the role that the invited join; absent: Invited Users.
	Role string `json:"Role"`
}

// Check wants somebody to be invited in some way.
func (i *Invitation) Check() error {
	switch {
	case len(i.Entities) == 0:
		return fault.Missing("Entities")
	case len(i.Entities) > maxInvite:
		return ErrMany.Say("At most %d users can be invited in one call.", maxInvite)
	case !i.EmailInvite && !i.SmsInvite:
		return fault.ErrMissing.At("EmailInvite").Say("Parameter %q or %q must be true.", "EmailInvite", "SmsInvite")
	}
	for _, e := range i.Entities {
		switch strings.ToLower(e.Type) {
		case "user", "role", "group":
		default:
			return fault.Bad("Type", "must be User, Group or Role")
		}
	}
	return nil
}

// InviteUsers invites users, and with GroupInvite the people in roles, to the portal. The invited join the role Invited
// Users, or the one that is named. Those who have no mail address or mobile number are skipped. users.yaml n 88.
func (u Users) InviteUsers(ctx context.Context, c *op.Call, in Invitation) (op.None, error) {
	into, err := u.invitedRole(ctx, c, in.Role)
	if err != nil {
		return op.None{}, err
	}
	people, members, err := u.entities(ctx, c, in)
	if err != nil {
		return op.None{}, err
	}
	if len(people) > maxInvite {
		return op.None{}, ErrMany.Say("At most %d users can be invited in one call.", maxInvite)
	}
	if err := u.Roles.Add(ctx, c, into.ID, members...); err != nil {
		return op.None{}, err
	}
	return op.None{}, u.inviteAll(ctx, c, people, in.EmailInvite, in.SmsInvite)
}

// entities finds the people who are invited, and what joins the role.
func (u Users) entities(ctx context.Context, c *op.Call, in Invitation) (people []user.User, members []role.Member, err error) {
	for _, e := range in.Entities {
		ref := e.Guid
		if ref == "" {
			ref = e.Name
		}
		if strings.EqualFold(e.Type, role.User) {
			p, err := u.allowed(ctx, c, ref)
			if err != nil {
				return nil, nil, err
			}
			people, members = append(people, p), append(members, role.Member{Kind: role.User, ID: p.ID})
			continue
		}
		r, inside, err := u.roleEntity(ctx, c, e, ref, in.GroupInvite)
		if err != nil {
			return nil, nil, err
		}
		people, members = append(people, inside...), append(members, role.Member{Kind: role.Sub, ID: r.ID})
	}
	return people, members, nil
}

func (u Users) inviteAll(ctx context.Context, c *op.Call, people []user.User, mail, sms bool) error {
	ids, done := []string{}, map[string]bool{}
	for _, p := range people {
		byMail, bySMS := mail && p.Mail != "", sms && p.Mobile != ""
		if done[p.ID] || !byMail && !bySMS {
			continue
		}
		done[p.ID] = true
		if err := u.invite(ctx, c, p, byMail, bySMS); err != nil {
			return err
		}
		ids = append(ids, p.ID)
	}
	c.Event.Set("Users", ids)
	return nil
}

// invitedRole finds the role that the invited join, or makes the usual one. Only who manages roles may name another.
func (u Users) invitedRole(ctx context.Context, c *op.Call, name string) (role.Role, error) {
	if name = strings.TrimSpace(name); name == "" {
		name = Invited
	}
	r, err := u.Roles.Get(ctx, c, name)
	if errors.Is(err, role.ErrNotFound) && name == Invited {
		return u.Roles.Create(ctx, c, role.New{Name: Invited, Description: "Those who were invited to the portal"})
	}
	if err == nil && r.Name != Invited && !c.Caller.Held.Over(right.RoleManagement, r.Org) {
		return role.Role{}, op.ErrDenied
	}
	if err == nil {
		err = u.modest(ctx, c, r.ID)
	}
	return r, err
}

// modest refuses a role that gives rights which the caller does not hold: an invitation is no way to come by them.
func (u Users) modest(ctx context.Context, c *op.Call, roleID string) error {
	held, err := u.Roles.Gives(ctx, c, roleID)
	if err != nil {
		return err
	}
	if !c.Caller.Held.Covers(held) {
		return op.ErrDenied
	}
	return nil
}

// roleEntity finds a role that is invited, and the people directly in it when they are asked for. Groups come from
// other directories, of which there are none.
func (u Users) roleEntity(ctx context.Context, c *op.Call, e Entity, ref string, expand bool) (role.Role, []user.User, error) {
	if !strings.EqualFold(e.Type, role.Sub) || !c.Grant.Everything() { // people of any organization may be in a role
		return role.Role{}, nil, role.ErrNotFound
	}
	r, err := u.Roles.Get(ctx, c, ref)
	if err != nil || !expand {
		return r, nil, err
	}
	rows, err := u.Roles.Members(ctx, c, c.Grant, r.ID, role.After{}, maxInvite+1)
	if err != nil {
		return r, nil, err
	}
	var out []user.User
	for _, m := range rows {
		if m.Kind != role.User {
			continue
		}
		p, err := u.People.ByID(ctx, c, m.ID)
		if err != nil {
			return r, nil, err
		}
		out = append(out, p)
	}
	return r, out, nil
}
