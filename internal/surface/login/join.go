package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/invite"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// Join are the pages on which people who have an account accept the invitation of a workspace, or decline it.
type Join struct{ Workspaces *workspace.Workspaces }

// Ops declares them.
func (j Join) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: workspace.JoinPath, Allow: op.Anonymous, Effect: op.Read}, j.EnterInvitation),
		op.New(op.Spec{
			Path: workspace.JoinPath, Allow: op.Anonymous, Effect: op.Write, Audit: audit.WorkspaceMember, Rate: op.Guess, MaxBody: maxForm,
			Faults: []*fault.Error{ErrElsewhere, invite.ErrLink, invite.ErrWait, workspace.ErrAnotherOne},
		}, j.AnswerInvitation),
	}
}

// InvitationCode is the code of an invitation's mail.
type InvitationCode struct {
	// Code is as the mail has it.
	Code string `json:"code"`
	// Do is empty to see which workspace it is, join, or decline.
	Do string `json:"do"`
}

// maxInvitation bounds a code that is shown again.
const maxInvitation = 100

// to is the page with the code, for who has to sign in first.
func (f InvitationCode) to() string {
	if f.Code == "" || len(f.Code) > maxInvitation {
		return workspace.JoinPath
	}
	return workspace.JoinPath + "?" + url.Values{"code": {f.Code}}.Encode()
}

// EnterInvitation asks for the code of an invitation's mail; one in the address is filled in. Who is not signed in is led to the page for that
// first.
func (j Join) EnterInvitation(_ context.Context, c *op.Call, in InvitationCode) (any, error) {
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(in.to(), "", "")}, nil
	}
	if len(in.Code) > maxInvitation {
		in.Code = ""
	}
	return login.Join{Invitation: in.Code}, nil
}

// AnswerInvitation shows which workspace a code is for, and has the person join it, or notes that they do not want to. A code is for one account
// alone, and shows nothing to others. Wrong ones that are answered count as guesses.
func (j Join) AnswerInvitation(ctx context.Context, c *op.Call, in InvitationCode) (any, error) {
	in.Code = strings.TrimSpace(in.Code)
	if in.Do == "" || !signedIn(c) {
		c.Event.Type = "" // nothing is decided yet
	}
	if !signedIn(c) {
		return next(in.to(), ""), nil
	}
	o, err := j.Workspaces.Look(ctx, c, in.Code)
	if err == nil && o.Person.ID != c.User() {
		err = workspace.ErrAnotherOne
	}
	if in.Do != "" && (err == nil || errors.Is(err, invite.ErrLink)) {
		o, err = j.answer(ctx, c, in)
	}
	switch {
	case err != nil:
		return wrong(in, err)
	case in.Do == "":
		return login.Joining{Account: c.Caller.Name, Workspace: o.Workspace.Name, Invitation: in.Code}, nil
	}
	return login.Joined{Workspace: o.Workspace.Name, Agreed: in.Do == "join"}, nil
}

func (j Join) answer(ctx context.Context, c *op.Call, in InvitationCode) (o workspace.Opened, err error) {
	how := "Rejected"
	if in.Do == "join" {
		how = "Joined"
		o, err = j.Workspaces.Accept(ctx, c, in.Code)
	} else {
		o, err = j.Workspaces.Reject(ctx, c, in.Code)
	}
	if err != nil {
		return o, err
	}
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = o.Person.ID, "User", o.Person.Name, o.Person.ID, o.Person.Name
	e.Set("Change", how)
	e.Set("Workspace", o.Workspace.ID)
	return o, nil
}

// wrong shows the form again with what is wrong. A wrong code is committed, with what it counts.
func wrong(in InvitationCode, err error) (any, error) {
	f := fault.Of(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil, err
	}
	if len(in.Code) > maxInvitation {
		in.Code = ""
	}
	if f.Kind == fault.Limited {
		return nil, f
	}
	return shown{view: login.Join{Invitation: in.Code, Code: f.Code, Reason: f.Public}}, op.Refused(f)
}
