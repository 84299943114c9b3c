// Package login is what browsers see of sign-in: the first page, and where invitations lead. The templates and sentences
// are in web/login; the pages need no script.
package login

import (
	"context"
	"errors"
	"net/http"

	"limen/internal/core/address"
	"limen/internal/core/audit"
	"limen/internal/core/invite"
	"limen/internal/core/password"
	"limen/internal/core/picture"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// Login are the operations.
type Login struct {
	Invites   *invite.Invites
	Addresses *address.Addresses
	Outbox    string // path of the page of messages that were not sent; empty: they are sent
}

// maxForm bounds a form: a token and two passwords.
const maxForm = 16 << 10

// Ops declares them.
func (l Login) Ops() []op.Op {
	faults := []*fault.Error{invite.ErrLink, invite.ErrWait}
	return append(l.addresses(), []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: "/", Allow: op.Anonymous, Effect: op.Cached}, l.Front),
		op.New(op.Spec{
			Method: http.MethodGet, Path: picture.Path + "{id}", Allow: op.Anonymous, Effect: op.Read, Rate: op.Unruled, Faults: []*fault.Error{picture.ErrNotFound},
		}, l.Picture),
		op.New(op.Spec{Method: http.MethodGet, Path: invite.Path, Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess, Faults: faults}, l.Invitation),
		op.Prepared(op.Spec{
			Path: invite.Path, Allow: op.Anonymous, Effect: op.Write, Audit: audit.UserInviteAccept, Rate: op.Guess, MaxBody: maxForm,
			Faults: append(faults, ErrElsewhere, invite.ErrDiffer, password.ErrPolicy, password.ErrWeak, password.ErrCommon, password.ErrUsed, password.ErrChanged),
		}, l.prepare, l.Accept),
	}...)
}

// Front is the first page: what this is, and whose. It tells nothing that a sign-in does not tell.
func (l Login) Front(_ context.Context, c *op.Call, _ op.None) (login.Front, error) {
	out := login.Front{ID: c.Tenant.ID, Host: c.Tenant.Host}
	if c.Client.IP.IsLoopback() { // nobody else may open it
		out.Outbox = l.Outbox
	}
	return out, nil
}

// PictureID names a picture.
type PictureID struct {
	// ID is the last part of its path.
	ID string `json:"id"`
}

// Picture gives a picture that the tenant's pages show, such as its logo (setting Theme.Logo). What is behind a path never changes, so
// that browsers may keep it.
func (l Login) Picture(ctx context.Context, c *op.Call, in PictureID) (op.File, error) {
	p, err := picture.Pictures{}.Find(ctx, c, in.ID)
	return op.File{Type: p.Type, Body: p.Body, MaxAge: pictureAge}, err
}

// pictureAge is for how long browsers keep a picture, in seconds.
const pictureAge = 30 * 24 * 3600

// Link is what the link of an invitation carries.
type Link struct {
	// Token is the secret of the link, required.
	Token string `json:"token"`
}

// Invitation shows the form on which an invited person chooses their first password. It changes nothing, since mail
// scanners open links. A link that is unknown, used or over shows the same page whoever it was for.
func (l Login) Invitation(ctx context.Context, c *op.Call, in Link) (login.Invitation, error) {
	u, err := l.Invites.Look(ctx, c, in.Token)
	if err != nil {
		return login.Invitation{}, err
	}
	return l.form(ctx, c, u, in.Token, nil)
}

// form is what the form shows; wrong is what was wrong with the password sent before.
func (l Login) form(ctx context.Context, c *op.Call, u user.User, token string, wrong *fault.Error) (login.Invitation, error) {
	p, err := l.Invites.Passwords.PolicyOf(ctx, c, u.ID)
	out := login.Invitation{Account: u.Name, Culture: u.Culture, Token: token, Rules: rules(p)}
	if wrong != nil {
		out.Code, out.Reason, out.Again = wrong.Code, wrong.Public, errors.Is(wrong, invite.ErrDiffer)
	}
	return out, err
}

// rules lists what a policy asks of a first password.
func rules(p password.Policy) []login.Rule {
	out := []login.Rule{{Key: "length", Number: max(p.MinLength, 1)}}
	for _, r := range []struct {
		on  bool
		key string
	}{
		{p.Digit || p.Digits > 0, "digit"}, {p.MixedCase || p.Lower+p.Upper > 0, "case"}, {p.Symbol || p.Symbols > 0, "symbol"}, {p.Unicode, "unicode"},
		{!p.AllowLogin || !p.AllowDisplay, "names"}, {p.RefuseWeak || p.MinScore > 0, "common"},
	} {
		if r.on {
			out = append(out, login.Rule{Key: r.key})
		}
	}
	return out
}

// First is the form that was filled in.
type First struct {
	// Token is the secret of the link, required.
	Token string `json:"token"`
	// Password is the new password.
	Password string `json:"password"`
	// Again is the new password once more.
	Again string `json:"again"`
}

func (l Login) prepare(ctx context.Context, c *op.Call, in First) (invite.Choice, error) {
	return l.Invites.Prepare(ctx, c, in.Token, in.Password, in.Again)
}

// Accept sets the first password of an invited person, uses the link up and ends their sessions; it signs nobody in, and
// second factors are asked for as ever. A password that breaks the policy shows the form again with the reason. The token
// in the form is what proves the caller; requests that another site causes are refused all the same. Wrong tokens are
// counted per network.
func (l Login) Accept(ctx context.Context, c *op.Call, in First, ch invite.Choice) (login.View, error) {
	u, err := l.Invites.Accept(ctx, c, in.Token, ch)
	if u.ID != "" {
		e := c.Event
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
	switch f := fault.Of(err); {
	case f == nil:
		return login.Accepted{Account: u.Name, Culture: u.Culture}, nil
	case errors.Is(f, invite.ErrLink): // counted
		return nil, op.Refused(f)
	case f.Kind == fault.Invalid && u.ID != "":
		out, err := l.form(ctx, c, u, in.Token, f)
		if err != nil {
			return nil, err
		}
		return out, op.Refused(f)
	default:
		return nil, err
	}
}
