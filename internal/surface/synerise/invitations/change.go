package invitations

import (
	"context"
	"errors"
	"time"

	"limen/internal/core/invite"
	"limen/internal/core/number"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Several names invitations.
type Several struct {
	// InvitationIDs are their numbers, joined by commas in the path; at most 100.
	InvitationIDs []int64 `json:"invitationIds"`
	synerise.Here
}

// Check bounds them.
func (s *Several) Check() error {
	if len(s.InvitationIDs) > wire.MaxIDs {
		return fault.Bad("invitationIds", "may name %d invitations", wire.MaxIDs)
	}
	return nil
}

// DeleteInvitations takes invitations back, all of them or none: links and codes in mails that went out are worth nothing then, and accounts
// that were made for them are deleted. synerise.yaml, DELETE /uauth/users/invitations/{invitationIds}.
func (i Invitations) DeleteInvitations(ctx context.Context, c *op.Call, in Several) (op.None, error) {
	var gone []string
	for _, n := range in.InvitationIDs {
		who, err := i.Workspaces.Open(ctx, c, in.Workspace().ID, n)
		if err == nil {
			err = i.withdraw(ctx, c, in.Workspace().ID, who)
		}
		if err != nil {
			return op.None{}, err
		}
		gone = append(gone, who.ID)
	}
	about(c, in.Here)
	c.Event.Set("Withdrawn", gone)
	return op.None{}, nil
}

func (i Invitations) withdraw(ctx context.Context, c *op.Call, at string, who workspace.Person) error {
	made, err := i.Workspaces.Withdraw(ctx, c, at, who)
	if err != nil || !made {
		return err
	}
	if err := i.Roles.Guard(ctx, c, who.ID, ErrSystem, user.ErrStronger); err != nil {
		return err
	}
	return i.People.Delete(ctx, c, who.ID)
}

// Change is a partial change: what is absent stays.
type Change struct {
	// InvitationID is the invitation's number, in the path.
	InvitationID int64 `json:"invitationId"`
	// RoleIDs are the numbers of all roles that the person is to get.
	RoleIDs op.Opt[[]int64] `json:"roleIds"`
	// AccessExpirationTime is when the access ends, ISO 8601; null: never.
	AccessExpirationTime op.Opt[string] `json:"accessExpirationTime"`
	// Resend sends the mail again, with a new link or code in place of the earlier one; absent: false. Rejected invitations are open then.
	Resend bool `json:"resend"`
	synerise.Here
	offer Offer
}

// Check reads the offer.
func (n *Change) Check() error {
	n.offer = Offer{RoleIDs: n.RoleIDs.Or(nil)}
	if text, ok := n.AccessExpirationTime.Get(); ok {
		n.offer.AccessExpirationTime = &text
	}
	return n.offer.check()
}

// ChangeInvitation changes what an open invitation gives. A mail is sent where resend asks for it only. synerise.yaml, POST
// /uauth/users/invitations/{invitationId}.
func (i Invitations) ChangeInvitation(ctx context.Context, c *op.Call, in Change) (Invitation, error) {
	at := in.Workspace()
	who, err := i.Workspaces.Open(ctx, c, at.ID, in.InvitationID)
	if err != nil {
		return Invitation{}, err
	}
	in.offer.Here = in.Here
	ids, err := i.roles(ctx, c, in.offer)
	if err != nil {
		return Invitation{}, err
	}
	noted(c, who.User())
	var roles *[]string
	var until *time.Time
	if in.RoleIDs.Given() {
		roles = &ids
	}
	if in.AccessExpirationTime.Given() {
		until = &in.offer.until
	}
	if err := i.Workspaces.Reoffer(ctx, c, at.ID, who, roles, until); err != nil || !in.Resend {
		return Invitation{in.InvitationID, who.Mail, who.Status(c.Now)}, err
	}
	return i.again(ctx, c, in, who)
}

// again sends the mail of an invitation again.
func (i Invitations) again(ctx context.Context, c *op.Call, in Change, who workspace.Person) (Invitation, error) {
	v, err := i.Settings.Get(ctx, c)
	if err != nil {
		return Invitation{}, err
	}
	s, err := i.Workspaces.Again(ctx, c, in.Workspace().ID, who, v.Code.Invite)
	if err != nil {
		return Invitation{}, err
	}
	c.Event.Set("Resent", true)
	return Invitation{s.Number, s.Person.Mail, workspace.Pending}, i.mail(ctx, c, in.Workspace(), s, v.Code.Invite)
}

// Token is what the mail of an invitation proves it by.
type Token struct {
	// InvitationToken is the token of the link, or the code, in the path.
	InvitationToken string `json:"invitationToken"`
}

// Found tells whom an invitation is for.
type Found struct {
	// Email is where the invitation went.
	Email string `json:"email"`
	// UserExists says whether the person has an account to sign in with. It joins by accepting; others by registering.
	UserExists bool `json:"userExists"`
	// BusinessProfileName is the workspace's name; null for invitations to the installation alone.
	BusinessProfileName *string `json:"businessProfileName"`
	// Expired is false: an invitation that is over is not found.
	Expired bool `json:"expired"`
}

// FindInvitation tells whom an invitation is for. Used, expired and unknown ones are not found, and nothing tells which; a network that has
// guessed too often is held back. synerise.yaml, GET /uauth/user/register/invitation/{invitationToken}.
func (i Invitations) FindInvitation(ctx context.Context, c *op.Call, in Token) (Found, error) {
	o, err := i.Workspaces.Look(ctx, c, in.InvitationToken)
	if err != nil {
		return Found{}, err
	}
	out := Found{Email: o.Person.Mail, UserExists: o.Account}
	if o.Workspace.ID != "" {
		out.BusinessProfileName = &o.Workspace.Name
	}
	return out, nil
}

// Joined is the workspace that somebody has joined.
type Joined struct {
	// BusinessProfileID is its number.
	BusinessProfileID int64 `json:"businessProfileId"`
	// BusinessProfileGUID is its guid.
	BusinessProfileGUID string `json:"businessProfileGuid"`
	// BusinessProfileName is its name.
	BusinessProfileName string `json:"businessProfileName"`
}

// AcceptInvitation lets the caller join the workspace that they were invited to, by the code of the mail. Their token stays what it was: the
// workspace is chosen at the next sign-in, or by /uauth/auth/login/user/business-profile. An addition: the contract does not tell how people
// who have an account accept.
func (i Invitations) AcceptInvitation(ctx context.Context, c *op.Call, in Token) (Joined, error) {
	o, err := i.Workspaces.Accept(ctx, c, in.InvitationToken)
	if errors.Is(err, invite.ErrLink) { // counted
		return Joined{}, op.Refused(fault.Of(err))
	}
	if err != nil {
		return Joined{}, err
	}
	noted(c, o.Person)
	c.Event.Set("Change", "Joined")
	c.Event.Set("Workspace", o.Workspace.ID)
	n, err := number.Of(ctx, c, number.Organization, o.Workspace.ID)
	return Joined{n, o.Workspace.ID, o.Workspace.Name}, err
}

// RejectInvitation notes that somebody does not want to join; the link or the code proves who. The administrators see it, and may invite them
// again. An addition.
func (i Invitations) RejectInvitation(ctx context.Context, c *op.Call, in Token) (op.None, error) {
	o, err := i.Workspaces.Reject(ctx, c, in.InvitationToken)
	if errors.Is(err, invite.ErrLink) { // counted
		return op.None{}, op.Refused(fault.Of(err))
	}
	if err != nil {
		return op.None{}, err
	}
	noted(c, o.Person)
	c.Event.Set("Change", "Rejected")
	c.Event.Set("Workspace", o.Workspace.ID)
	return op.None{}, nil
}
