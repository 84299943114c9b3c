package users

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"limen/internal/core/address"
	"limen/internal/core/audit"
	"limen/internal/core/post"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// addressing declares how people show that a mail address is theirs.
func (u Users) addressing() []op.Op {
	return []op.Op{
		op.New(op.Spec{
			Path: "/EmailVerification/GetVerificationStatus", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound},
		}, u.GetVerificationStatus),
		op.New(op.Spec{
			Path: "/EmailVerification/SendVerificationEmail", Allow: op.Anonymous, Effect: op.Write, Audit: audit.UserMailAsked, Rate: op.Guess, MaxBody: 16 << 10,
			Faults: []*fault.Error{user.ErrNotFound, post.ErrNoMail, address.ErrShown, address.ErrSoon, fault.ErrMissing, fault.ErrInvalid},
		}, u.SendVerificationEmail),
		op.New(op.Spec{
			Method: http.MethodGet, Path: "/EmailVerification/VerifyMagicLink", Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess,
		}, u.OpenMagicLink),
		op.New(op.Spec{
			Path: "/EmailVerification/VerifyMagicLink", Allow: op.Anonymous, Effect: op.Write, Audit: audit.UserMail, Rate: op.Guess, MaxBody: 16 << 10,
			Faults: []*fault.Error{address.ErrLink, address.ErrWait, fault.ErrMissing},
		}, u.VerifyMagicLink),
	}
}

// AddressOf names whose mail address is asked about.
type AddressOf struct {
	// UserID is the user's UUID or login name; the caller's own when absent.
	UserID string `json:"userId"`
	person
}

// Resolve finds the user.
func (r *AddressOf) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.UserID) }

// AddressStatus is how far it is known whether a mail address is the user's.
type AddressStatus struct {
	// UserID is the user's UUID.
	UserID string `json:"UserId"`
	// Mail is the mail address, empty when there is none.
	Mail string `json:"Mail"`
	// Status is NotStarted, Pending (a link is on its way), Verified (also: an administrator entered the address and asked for no proof) or Expired (the
	// link was not opened in time).
	Status string `json:"Status"`
	// SentOn is when the last link was sent; null: none was, or it was long ago.
	SentOn rpc.Time `json:"SentOn"`
	// VerifiedOn is when the user opened it; null: they have not, or nobody asked.
	VerifiedOn rpc.Time `json:"VerifiedOn"`
	// Mandatory says that the address must be verified before the user can sign in (setting EmailVerification.Mandatory).
	Mandatory bool `json:"Mandatory"`
}

// GetVerificationStatus tells whether somebody's mail address is verified. People ask it about themselves, administrators about those whom they
// administer. An address that is changed is NotStarted again where its proof is asked for. lifecycle.yaml n 575.
func (u Users) GetVerificationStatus(ctx context.Context, c *op.Call, in AddressOf) (AddressStatus, error) {
	s, err := u.Addresses.Status(ctx, c, in.found)
	if err != nil {
		return AddressStatus{}, err
	}
	v, err := u.Settings.Get(ctx, c)
	return AddressStatus{
		UserID: in.found.ID, Mail: in.found.Mail, Status: string(s.State), SentOn: rpc.Time(s.Sent), VerifiedOn: rpc.Time(s.Shown), Mandatory: v.Signup.Verified,
	}, err
}

// AddressAsk asks for the link by which somebody shows that a mail address is theirs.
type AddressAsk struct {
	// UserID is the user's UUID; the caller's own when absent. Callers who are not signed in must name it.
	UserID string `json:"UserId"`
	// RedirectURL is where people can go on afterwards: an https address on a host of the tenant. Absent: nowhere.
	RedirectURL string `json:"RedirectUrl"`
	// CustomerID names the tenant where the host does not.
	CustomerID string `json:"customerId" also:"TenantId"`
}

// TenantHint names the tenant.
func (a *AddressAsk) TenantHint() op.Hint { return op.Hint{Tenant: a.CustomerID} }

const (
	maxLanding = 2000           // bytes of RedirectUrl
	freshly    = 24 * time.Hour // after which a stranger has no link sent to an account any more
)

// SendVerificationEmail mails the link by which a user shows that the mail address is theirs; an older link is of no use then. It is good for three
// days and works once. People ask for themselves, administrators for those whom they administer, a minute after the last one at the earliest.
// Somebody who has just registered may ask without being signed in: for a day, by the UserId that they got; such a call always answers true.
// lifecycle.yaml n 576.
func (u Users) SendVerificationEmail(ctx context.Context, c *op.Call, in AddressAsk) (bool, error) {
	if err := u.landing(ctx, c, in.RedirectURL); err != nil {
		return false, err
	}
	if c.Caller == nil {
		return true, u.askForStranger(ctx, c, in)
	}
	var p person
	if err := p.find(ctx, c, in.UserID); err != nil {
		return false, err
	}
	if !either.Decide(c, p.Target()).Allows(p.found.ID, p.found.Org) {
		return false, user.ErrNotFound
	}
	concerns(c, p.found)
	return true, u.Addresses.Again(ctx, c, p.found, in.RedirectURL)
}

func concerns(c *op.Call, p user.User) {
	c.Event.Target, c.Event.Kind, c.Event.Name = p.ID, "User", p.Name
}

// askForStranger sends a link for somebody who says that they have just registered. Nothing is said of whether it was sent.
func (u Users) askForStranger(ctx context.Context, c *op.Call, in AddressAsk) error {
	if err := required("UserId", in.UserID); err != nil {
		return err
	}
	c.Event.Type = "" // until something is sent
	err := u.Logins.Throttle.Asked(ctx, c, in.UserID, address.ErrSoon)
	if errors.Is(err, address.ErrSoon) {
		return nil
	}
	if err != nil {
		return err
	}
	p, err := u.People.ByID(ctx, c, in.UserID)
	if errors.Is(err, user.ErrNotFound) || err == nil && (p.Barred(c.Now) || p.Created < c.Now.Add(-freshly).UnixMilli()) {
		return nil
	}
	if err != nil {
		return err
	}
	err = u.Addresses.Again(ctx, c, p, in.RedirectURL)
	if errors.Is(err, address.ErrSoon) || errors.Is(err, address.ErrShown) || errors.Is(err, post.ErrNoMail) {
		return nil
	}
	if err == nil {
		c.Event.Type = audit.UserMailAsked
		concerns(c, p)
	}
	return err
}

// landing wants an address on a host of the tenant, so that its mails lead nowhere else.
func (u Users) landing(ctx context.Context, c *op.Call, text string) error {
	if text == "" {
		return nil
	}
	hosts, err := u.Addresses.Hosts(ctx, c)
	if err != nil {
		return err
	}
	at, err := url.Parse(text)
	if err == nil && at.Scheme == "https" && at.User == nil && len(text) <= maxLanding {
		for _, h := range hosts {
			if at.Hostname() == h {
				return nil
			}
		}
	}
	return fault.Bad("RedirectUrl", "must be an https address on a host of this tenant")
}

// MagicLink is what a link in a mail carries.
type MagicLink struct {
	// Token is the one of the mail, required.
	Token string `json:"token" also:"code"`
	// CustomerID names the tenant where the host does not.
	CustomerID string `json:"customerId" also:"TenantId"`
}

// TenantHint names the tenant.
func (m *MagicLink) TenantHint() op.Hint { return op.Hint{Tenant: m.CustomerID} }

// OpenMagicLink leads to the page that asks whether the mail address is the reader's, since mail scanners open links too. lifecycle.yaml n 577.
func (u Users) OpenMagicLink(_ context.Context, _ *op.Call, in MagicLink) (op.Redirect, error) {
	return op.Redirect{URL: address.Path + "?" + url.Values{"token": {in.Token}}.Encode()}, nil
}

// MagicLinkOpened tells who has shown that their mail address is theirs.
type MagicLinkOpened struct {
	// Verified is true.
	Verified bool `json:"Verified"`
	// UserID is the user's UUID.
	UserID string `json:"UserId"`
}

// VerifyMagicLink notes that a mail address is the user's and uses the link up; it signs nobody in. A token that is unknown, used or over, or whose
// account has another address meanwhile, has one and the same answer, and counts as a guess of the caller's network. lifecycle.yaml n 577.
func (u Users) VerifyMagicLink(ctx context.Context, c *op.Call, in MagicLink) (MagicLinkOpened, error) {
	if err := required("token", in.Token); err != nil {
		return MagicLinkOpened{}, err
	}
	shown, err := u.Addresses.Confirm(ctx, c, in.Token)
	if errors.Is(err, address.ErrLink) { // counted
		return MagicLinkOpened{}, op.Refused(address.ErrLink)
	}
	if err != nil {
		return MagicLinkOpened{}, err
	}
	concerns(c, shown.Person)
	return MagicLinkOpened{true, shown.Person.ID}, nil
}
