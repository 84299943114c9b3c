// Package invitations is how people are invited to workspaces, and what they answer (synerise.yaml: invitations).
package invitations

import (
	"context"
	"net/http"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/domain"
	"limen/internal/core/invite"
	"limen/internal/core/message"
	"limen/internal/core/org"
	"limen/internal/core/post"
	"limen/internal/core/role"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Invitations are the operations.
type Invitations struct {
	Workspaces *workspace.Workspaces
	People     *user.Directory
	Roles      *role.Roles
	Settings   *setting.Store
	Post       *post.Post
}

// ErrSystem is for invitations of accounts that have become a system administrator's.
var ErrSystem = fault.New(fault.Denied, "user.system", "Only system administrators may change the account of a system administrator.")

// Ops declares them.
func (i Invitations) Ops() []op.Op {
	offered := []*fault.Error{workspace.ErrRole, workspace.ErrRoles, workspace.ErrPast, workspace.ErrNone, role.ErrNotHeld, role.ErrSystem, fault.ErrInvalid, fault.ErrMissing}
	spec := func(method, path string, level workspace.Level, more ...*fault.Error) op.Spec {
		return op.Spec{
			Method: method, Path: "/uauth/users/invitations/" + path, Allow: synerise.May("settings_users", level), Effect: op.Write, Audit: audit.UserInvite,
			Faults: append(more, offered...),
		}
	}
	one := spec(http.MethodPost, "invite", workspace.Create, workspace.ErrAlready, domain.ErrTaken, user.ErrNameTaken)
	many := spec(http.MethodPost, "invite-bulk", workspace.Create)
	one.Rate, many.Rate = op.Costly, op.Costly
	change := spec(http.MethodPost, "{invitationId}", workspace.Update, workspace.ErrNoInvite)
	change.Rate = op.Costly
	return append(i.answering(),
		op.New(one, i.InviteUser),
		op.New(many, i.InviteUsers),
		op.New(change, i.ChangeInvitation),
		op.New(spec(http.MethodDelete, "{invitationIds}", workspace.Delete, workspace.ErrNoInvite, ErrSystem, user.ErrStronger), i.DeleteInvitations),
	)
}

// answering declares what those do who were invited.
func (i Invitations) answering() []op.Op {
	spec := func(method string, allow op.Rule, more ...*fault.Error) op.Spec {
		return op.Spec{
			Method: method, Path: "/uauth/user/register/invitation/{invitationToken}", Allow: allow, Effect: op.Write, Audit: audit.WorkspaceMember, Rate: op.Guess,
			MaxBody: 64 << 10, Faults: append(more, invite.ErrLink, invite.ErrWait),
		}
	}
	look := spec(http.MethodGet, op.Anonymous)
	look.Effect, look.Audit = op.Read, ""
	return []op.Op{
		op.New(look, i.FindInvitation),
		op.New(spec(http.MethodPost, op.Authenticated, workspace.ErrAnotherOne), i.AcceptInvitation),
		op.New(spec(http.MethodDelete, op.Anonymous), i.RejectInvitation),
	}
}

// Offer is what an invitation gives.
type Offer struct {
	// RoleIDs are the numbers of the roles of the workspace that the person gets; absent: none.
	RoleIDs []int64 `json:"roleIds"`
	// AccessExpirationTime is when the access ends, ISO 8601; null or absent: never.
	AccessExpirationTime *string `json:"accessExpirationTime"`
	// Language is that of the mail to somebody who has no account yet, as a language tag; absent: the tenant's.
	Language string `json:"language"`
	synerise.Here
	until time.Time
}

func (o *Offer) check() error {
	if len(o.RoleIDs) > wire.MaxIDs {
		return fault.Bad("roleIds", "may name %d roles", wire.MaxIDs)
	}
	if o.AccessExpirationTime == nil {
		return nil
	}
	var ok bool
	if o.until, ok = wire.ParseMoment(*o.AccessExpirationTime); !ok {
		return fault.Bad("accessExpirationTime", "must be a time as 2030-12-31T23:59:59Z")
	}
	return nil
}

// roles checks what an invitation gives, and finds its roles.
func (i Invitations) roles(ctx context.Context, c *op.Call, in Offer) ([]string, error) {
	ids, err := synerise.RoleIDs(ctx, c, in.RoleIDs)
	if err == nil {
		err = i.Workspaces.Offer(ctx, c, in.Workspace().ID, ids, in.until)
	}
	return ids, err
}

// mail sends what opens an invitation.
func (i Invitations) mail(ctx context.Context, c *op.Call, at org.Org, s workspace.Sent, lasts time.Duration) error {
	to := post.Reader{Mail: s.Person.Mail, Culture: s.Person.Culture, Account: s.Person.Name, Org: at.ID}
	data, kind := message.Data{Link: s.Link, Lasts: lasts, By: c.Caller.Name}, message.Invitation
	if s.Code != "" {
		kind, to.Name = message.JoinAsked, s.Person.Display
		data.Code, data.App, data.Page = s.Code, at.Name, c.Tenant.Host+workspace.JoinPath
	}
	return i.Post.Mail(ctx, c, "invite/"+s.Person.ID+"/"+c.NewID(), to, kind, data, c.Now.Add(lasts))
}

// NewInvitation invites somebody.
type NewInvitation struct {
	// Email is where the invitation goes, required.
	Email string `json:"email"`
	Offer
}

// Check wants an address.
func (n *NewInvitation) Check() error {
	if strings.TrimSpace(n.Email) == "" {
		return fault.Missing("email")
	}
	return n.check()
}

// Invitation is somebody's invitation.
type Invitation struct {
	// ID is the invitation's number.
	ID int64 `json:"id"`
	// Email is where it went.
	Email string `json:"email"`
	// Status is PENDING, or REJECTED.
	Status string `json:"status"`
}

// invite invites one.
func (i Invitations) invite(ctx context.Context, c *op.Call, email string, in Offer, roles []string) (workspace.Sent, error) {
	v, err := i.Settings.Get(ctx, c)
	if err != nil {
		return workspace.Sent{}, err
	}
	s, err := i.Workspaces.Invite(ctx, c, in.Workspace().ID, workspace.Invitation{
		Mail: email, Roles: roles, Until: in.until, Culture: in.Language, Lasts: v.Code.Invite,
	})
	if err != nil {
		return s, err
	}
	return s, i.mail(ctx, c, in.Workspace(), s, v.Code.Invite)
}

// InviteUser invites somebody to the workspace by mail. Who has no account gets one that belongs to the workspace's organization, and joins by
// choosing a password at the link; who has one joins by showing the mail's code once signed in. The answer is the same for both. With the
// joining come the roles, as far as the inviter can still give them: like giving them at once it takes the permission to change roles, and
// all the rights that they carry. synerise.yaml, POST /uauth/users/invitations/invite.
func (i Invitations) InviteUser(ctx context.Context, c *op.Call, in NewInvitation) (Invitation, error) {
	roles, err := i.roles(ctx, c, in.Offer)
	if err != nil {
		return Invitation{}, err
	}
	s, err := i.invite(ctx, c, in.Email, in.Offer, roles)
	if err != nil {
		return Invitation{}, err
	}
	noted(c, s.Person)
	c.Event.Set("Workspace", in.Workspace().ID)
	c.Event.Set("Roles", strings.Join(roles, ","))
	return Invitation{s.Number, s.Person.Mail, workspace.Pending}, nil
}

// noted says in the event whom the call is about.
func noted(c *op.Call, u user.User) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
}

// NewInvitations invite many.
type NewInvitations struct {
	// Emails are where the invitations go, required; at most 100.
	Emails []string `json:"emails"`
	Offer
}

// Check wants some.
func (n *NewInvitations) Check() error {
	switch {
	case len(n.Emails) == 0:
		return fault.Missing("emails")
	case len(n.Emails) > wire.MaxIDs:
		return fault.Bad("emails", "may be %d", wire.MaxIDs)
	}
	return n.check()
}

// Outcome tells who was invited.
type Outcome struct {
	// Invited are the invitations.
	Invited []Made `json:"invited"`
	// Failed are the addresses that could not be invited.
	Failed []Failed `json:"failed"`
}

// Made is an invitation of several.
type Made struct {
	// ID is the invitation's number.
	ID int64 `json:"id"`
	// Email is where it went.
	Email string `json:"email"`
}

// Failed is an address that could not be invited.
type Failed struct {
	// Email is the address.
	Email string `json:"email"`
	// Message tells why.
	Message string `json:"message"`
}

// InviteUsers invites several people alike. Addresses that cannot be invited do not stop the others. synerise.yaml, POST
// /uauth/users/invitations/invite-bulk.
func (i Invitations) InviteUsers(ctx context.Context, c *op.Call, in NewInvitations) (Outcome, error) {
	out := Outcome{[]Made{}, []Failed{}}
	roles, err := i.roles(ctx, c, in.Offer)
	if err != nil {
		return out, err
	}
	var who []string
	for _, email := range in.Emails {
		s, err := i.invite(ctx, c, email, in.Offer, roles)
		f := fault.Of(err)
		switch {
		case err == nil:
			out.Invited, who = append(out.Invited, Made{s.Number, s.Person.Mail}), append(who, s.Person.ID)
		case f != nil && (f.Kind == fault.Invalid || f.Kind == fault.Exists):
			out.Failed = append(out.Failed, Failed{email, f.Public})
		default:
			return out, err
		}
	}
	about(c, in.Here)
	c.Event.Set("Invited", who)
	c.Event.Set("Roles", strings.Join(roles, ","))
	return out, nil
}

// about says in the event that the call is about the workspace.
func about(c *op.Call, h synerise.Here) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = h.Workspace().ID, "Organization", h.Workspace().Path, "", ""
}
