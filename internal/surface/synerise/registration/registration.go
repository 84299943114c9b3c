// Package registration is how people come by an account (synerise.yaml: registration).
package registration

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/captcha"
	"limen/internal/core/domain"
	"limen/internal/core/invite"
	"limen/internal/core/number"
	"limen/internal/core/password"
	"limen/internal/core/proofing"
	"limen/internal/core/signup"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Registration are the operations.
type Registration struct {
	Workspaces *workspace.Workspaces
	Invites    *invite.Invites
	Signups    *signup.Signups
	People     *user.Directory
}

// Faults of this area.
var (
	ErrInvitation = fault.New(fault.Invalid, "registration.invitation", "This invitation is not valid. It was used, its time is over, a newer one was sent, or it went to another address.")
	ErrAccount    = fault.New(fault.Invalid, "registration.account", "You have an account. Sign in with it, and accept the invitation.")
)

// Ops declares them.
func (r Registration) Ops() []op.Op {
	spec := func(method, path, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{
			Method: method, Path: "/uauth/user/" + path, Allow: op.Anonymous, Effect: op.Write, Audit: event, Rate: op.Guess, MaxBody: 64 << 10,
			Faults: append(faults, fault.ErrMissing, fault.ErrInvalid),
		}
	}
	rules := []*fault.Error{
		password.ErrPolicy, password.ErrWeak, password.ErrCommon, password.ErrUsed, password.ErrChanged, ErrInvitation, ErrAccount, invite.ErrWait,
		signup.ErrOff, signup.ErrWait, signup.ErrCaptcha, captcha.ErrWrong, captcha.ErrService, domain.ErrTaken,
	}
	return []op.Op{
		op.Prepared(spec(http.MethodPost, "register", audit.UserRegister, rules...), r.choose, r.Register),
		op.New(spec(http.MethodPost, "register/resend-confirmation", audit.UserRegister, signup.ErrWait), r.ResendConfirmation),
		op.Prepared(spec(http.MethodGet, "confirmation/{confirmationToken}", audit.UserCreate, signup.ErrCode, signup.ErrWait, signup.ErrFull, domain.ErrTaken,
			proofing.ErrDenied, proofing.ErrChanged), r.foresee, r.ConfirmRegistration),
	}
}

// Address is a mail address.
type Address struct {
	// Email is the mail address, required.
	Email string `json:"email"`
}

// Check wants an address.
func (a *Address) Check() error {
	if a.Email == "" {
		return fault.Missing("email")
	}
	if at, err := mail.ParseAddress(a.Email); err != nil || at.Address != a.Email || len(a.Email) > 254 {
		return fault.Bad("email", "must be a mail address")
	}
	return nil
}

// TenantHint names the tenant by the address, where that is a login name.
func (a *Address) TenantHint() op.Hint { return op.Hint{Login: a.Email} }

// Agreements is what somebody agrees to.
type Agreements struct {
	// Terms says whether they agree to the terms; where it is sent it must be true.
	Terms op.Opt[bool] `json:"terms"`
}

// Applicant is somebody who registers.
type Applicant struct {
	Address
	// Password is the password that the person chose, required.
	Password string `json:"password"`
	// FirstName is the given name.
	FirstName op.Opt[string] `json:"firstName"`
	// LastName is the family name.
	LastName op.Opt[string] `json:"lastName"`
	// Phone is a mobile number.
	Phone op.Opt[string] `json:"phone"`
	// InvitationToken is the token of an invitation's link; without one Signup.Allowed says whether people register.
	InvitationToken string `json:"invitationToken"`
	// CaptchaToken is the solution of a challenge of /Captcha/Challenge, or what the service gave that the setting Captcha.Service names; required of
	// strangers where Signup.RequireCaptcha is set. An addition to the contract.
	CaptchaToken string `json:"captchaToken"`
	// Agreements are noted in the event.
	Agreements Agreements `json:"agreements"`
}

// Check wants an address and a password.
func (a *Applicant) Check() error {
	switch {
	case a.Password == "":
		return fault.Missing("password")
	case !a.Agreements.Terms.Or(true):
		return fault.Bad("agreements.terms", "must be true")
	}
	return a.Address.Check()
}

func (a *Applicant) wish() signup.Wish {
	return signup.Wish{
		Mail: a.Email, Plain: a.Password, Given: strings.TrimSpace(a.FirstName.Or("")), Family: strings.TrimSpace(a.LastName.Or("")),
		Mobile: strings.TrimSpace(a.Phone.Or("")), Captcha: a.CaptchaToken,
	}
}

// Registered is somebody who has registered.
type Registered struct {
	// ID is the person's number; null while the address is to be confirmed: there is no account until then.
	ID *int64 `json:"id"`
	// Email is the mail address.
	Email string `json:"email"`

	browser string
	secure  bool
}

// Cookies has the browser be known again when it confirms, as long as the code is good.
func (r Registered) Cookies() []*http.Cookie {
	if r.browser == "" {
		return nil
	}
	return []*http.Cookie{signup.Cookie(r.browser, r.secure)}
}

// chosen is a password that was checked and hashed, of somebody invited or of a stranger.
type chosen struct {
	invited  invite.Choice
	stranger signup.Choice
}

// choose checks and hashes the password. That the address is the invitation's is looked at first: nothing is told to others.
func (r Registration) choose(ctx context.Context, c *op.Call, in Applicant) (out chosen, err error) {
	if in.InvitationToken == "" {
		out.stranger, err = r.Signups.Prepare(ctx, c, in.wish())
		return out, err
	}
	var o workspace.Opened
	err = c.Snapshot(ctx, func() (err error) {
		o, err = r.Workspaces.Look(ctx, c, in.InvitationToken)
		return err
	})
	switch {
	case errors.Is(err, invite.ErrLink), err == nil && !strings.EqualFold(in.Email, o.Person.Mail): // Run counts it
		return out, nil
	case err == nil && o.Account:
		err = ErrAccount.At("invitationToken")
	}
	if err == nil {
		out.invited, err = r.Invites.Prepare(ctx, c, in.InvitationToken, in.Password, in.Password)
	}
	return out, err
}

// Register gives an invited person the password that they choose, with which they join the workspace: the invitation proves the address, and
// works once. Strangers register where the setting Signup.Allowed lets them, with the answer to a CAPTCHA unless Signup.RequireCaptcha is off; the answer is the same whether
// the address has an account or not, a mail brings the code to confirm it, and there is no account until then; a cookie has the browser be known by
// which it is confirmed. Nobody is signed in.
// synerise.yaml, POST /uauth/user/register.
func (r Registration) Register(ctx context.Context, c *op.Call, in Applicant, ch chosen) (Registered, error) {
	if in.Agreements.Terms.Given() {
		c.Event.Set("Terms", true)
	}
	if in.InvitationToken == "" {
		browser, err := r.Signups.Register(ctx, c, ch.stranger)
		return Registered{Email: in.Email, browser: browser, secure: c.Client.Secure}, err
	}
	c.Event.Type = audit.UserInviteAccept
	u, err := r.Invites.Accept(ctx, c, in.InvitationToken, ch.invited)
	if errors.Is(err, invite.ErrLink) { // counted
		return Registered{}, op.Refused(ErrInvitation.At("invitationToken"))
	}
	if err != nil {
		return Registered{}, err
	}
	var more user.Change
	if in.Phone.Given() {
		more.Mobile = new(in.Phone.Or(""))
	}
	if err := synerise.Rename(ctx, c, r.People, u, more, in.FirstName, in.LastName); err != nil {
		return Registered{}, err
	}
	noted(c, u)
	n, err := number.Of(ctx, c, number.User, u.ID)
	return Registered{ID: &n, Email: u.Mail}, err
}

// noted says in the event whom the call is about.
func noted(c *op.Call, u user.User) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
}

// ResendConfirmation mails a new code to an address that waits to be confirmed, and does nothing for others. The answer is the same. Who asks
// often is held back. synerise.yaml, POST /uauth/user/register/resend-confirmation.
func (r Registration) ResendConfirmation(ctx context.Context, c *op.Call, in Address) (op.None, error) {
	return op.None{}, r.Signups.Again(ctx, c, in.Email)
}

// Confirmation is the code of the mail.
type Confirmation struct {
	// ConfirmationToken is the code, in the path.
	ConfirmationToken string `json:"confirmationToken"`

	cookie func(secure bool) string
}

// See keeps by what the browser is known that registered.
func (n *Confirmation) See(r *http.Request) {
	n.cookie = func(secure bool) string { return signup.Browser(r, secure) }
}

// Confirmed is the address that was confirmed.
type Confirmed struct {
	// Email is the mail address.
	Email string `json:"email"`
	// PasswordSet says whether the password is the one that was registered. Otherwise a mail brings a link for choosing one. An addition to the
	// contract.
	PasswordSet bool `json:"passwordSet"`
	// Pending is true where somebody must approve the account before it can be used; absent otherwise. A mail tells what they decided. An addition to
	// the contract.
	Pending bool `json:"pending,omitempty"`
}

// foresee has the tenant's identity verification look at who confirms.
func (r Registration) foresee(ctx context.Context, c *op.Call, in Confirmation) (signup.Foreseen, error) {
	return r.Signups.Foresee(ctx, c, in.ConfirmationToken, in.cookie(c.Client.Secure))
}

// ConfirmRegistration makes the account of somebody who shows the code of the mail. It belongs to no workspace. Shown by the browser that
// registered, which its cookie tells, the password is the one that was chosen there. Shown by another one the code proves the address alone: what
// was entered may be a stranger's, none of it is kept, and a mail brings a link for choosing a password. Where the identity verification is switched on
// it says whether they are let in, are refused, or wait for somebody's approval. synerise.yaml, GET /uauth/user/confirmation/{confirmationToken}.
func (r Registration) ConfirmRegistration(ctx context.Context, c *op.Call, in Confirmation, f signup.Foreseen) (Confirmed, error) {
	made, err := r.Signups.Confirm(ctx, c, in.ConfirmationToken, in.cookie(c.Client.Secure), f)
	if errors.Is(err, signup.ErrCode) || errors.Is(err, proofing.ErrDenied) { // counted, or used up
		return Confirmed{}, op.Refused(fault.Of(err))
	}
	if err != nil {
		return Confirmed{}, err
	}
	var first, last op.Opt[string]
	if made.Given+made.Family != "" {
		first, last = op.Some(made.Given), op.Some(made.Family)
	}
	if err := synerise.Rename(ctx, c, r.People, made.Person, user.Change{}, first, last); err != nil {
		return Confirmed{}, err
	}
	noted(c, made.Person)
	c.Event.Set("Signup", true)
	return Confirmed{made.Person.Mail, made.Chosen, made.Waits}, nil
}
