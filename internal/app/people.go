package app

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"limen/internal/call"
	"limen/internal/core/address"
	"limen/internal/core/captcha"
	"limen/internal/core/exemption"
	"limen/internal/core/factor"
	"limen/internal/core/job"
	"limen/internal/core/message"
	"limen/internal/core/passcode"
	"limen/internal/core/post"
	"limen/internal/core/preference"
	"limen/internal/core/support"
	"limen/internal/core/user"
	"limen/internal/platform/egress"
	"limen/internal/surface/identity/users"
)

// keepAddresses is how long it is remembered that nobody opened the link of a mail address in time.
const keepAddresses = 30 * 24 * time.Hour

// wirePeople wires what is kept of people beside the directory, and what they are told of changes to their account.
func (a *App) wirePeople() {
	a.Addresses = &address.Addresses{People: a.People, Post: a.Post, Links: a.links(), Hosts: a.hostNames}
	a.Captchas = &captcha.Captchas{Ring: a.Ring, Settings: a.Values, Post: a.postForm}
	a.Passcodes = &passcode.Passcodes{Codes: factor.Codes{Ring: a.Ring, Limits: a.codeLimits}, Post: a.Post}
	a.Logins.Unverified = a.unverified
	a.Logins.Exempt, a.Logins.Image = a.exempt, preference.Preferences{}.Image
	a.People.Gone = append(a.People.Gone, a.Addresses.Drop, a.Passcodes.Drop, exemption.Exemptions{}.Drop, preference.Preferences{}.Drop)
	a.People.Outdated = append(a.People.Outdated, a.Passcodes.Drop)
	a.People.Moved = append(a.People.Moved, a.moved)
	for _, s := range []struct {
		name  string
		sweep func(ctx context.Context) error
	}{
		{"addresses", func(ctx context.Context) error { return a.Addresses.Sweep(ctx, a.DB, time.Now().Add(-keepAddresses)) }},
		{"captchas", func(ctx context.Context) error { return a.Captchas.Sweep(ctx, a.DB, time.Now()) }},
		{"passcodes", func(ctx context.Context) error { return a.Passcodes.Sweep(ctx, a.DB, time.Now()) }},
		{"exemptions", func(ctx context.Context) error { return exemption.Exemptions{}.Sweep(ctx, a.DB, time.Now()) }},
	} {
		a.Jobs.Sweep(job.Sweep{Name: s.name, Every: time.Hour, Run: s.sweep})
	}
}

// withPeople gives the operations on people what wirePeople wired.
func (a *App) withPeople(u users.Users) users.Users {
	u.Captchas, u.Consents, u.Signups = a.Captchas, a.Consents, a.Signups
	u.Support = support.Support{People: a.People, Roles: a.Roles, Tenants: a.Index, Passwords: a.Passwords}
	u.Perform, u.Alone = a.perform, a.alone
	u.Passcodes, u.Addresses, u.Tokens, u.Logins, u.Exempted = a.Passcodes, a.Addresses, a.Tokens, a.Logins, a.exempted
	return u
}

// postForm sends a form to an address that a tenant names.
func (a *App) postForm(ctx context.Context, address string, form url.Values) (int, []byte, error) {
	got, err := a.Egress.Do(ctx, egress.Request{
		Method: http.MethodPost, URL: address, Body: []byte(form.Encode()), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	})
	return got.Status, got.Body, err
}

// unverified says whether a person must show that their mail address is theirs before they sign in; they are sent a link then. System administrators
// need not, since nobody else could let them in.
func (a *App) unverified(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil || !v.Signup.Verified {
		return false, err
	}
	if system, err := a.Roles.IsSystem(ctx, c, u.ID); err != nil || system {
		return false, err
	}
	err = a.Addresses.Again(ctx, c, u, "")
	if errors.Is(err, address.ErrSoon) || errors.Is(err, post.ErrNoMail) {
		err = nil
	}
	return true, err
}

func (a *App) exempt(ctx context.Context, c *call.Call, userID string) (bool, error) {
	if is, err := a.BreakGlass.Is(ctx, c, userID); err != nil || is { // one for an emergency shows all it has
		return false, err
	}
	until, err := exemption.Exemptions{}.Until(ctx, c, userID)
	return !until.IsZero(), err
}

// exempted tells a person that they may sign in without further factors until a time.
func (a *App) exempted(ctx context.Context, c *call.Call, u user.User, until time.Time) error {
	return a.tell(ctx, c, u, message.MfaExempted, message.Data{Until: until})
}

// moved tells a person that their mail address or mobile number is another one, at the address that was theirs until now; of
// the number by text message where they had no address.
func (a *App) moved(ctx context.Context, c *call.Call, old, now user.User) error {
	if old.Mail != now.Mail {
		if err := a.tell(ctx, c, old, message.MailChanged, message.Data{}); err != nil {
			return err
		}
	}
	if old.Mobile == now.Mobile || old.Mobile == "" && (old.Mail == "" || old.MailUnproved) {
		return nil
	}
	if old.Mail != "" && !old.MailUnproved {
		return a.tell(ctx, c, old, message.MobileChanged, message.Data{})
	}
	return a.Post.SMS(ctx, c, "notice/"+c.NewID(), reached(old), message.MobileChanged, by(c, old, message.Data{}), c.Now.Add(keepNotice))
}

// tell writes a notice to a person's mail address, where that is known to be theirs.
func (a *App) tell(ctx context.Context, c *call.Call, u user.User, k message.Kind, d message.Data) error {
	if u.Mail == "" || u.MailUnproved {
		return nil
	}
	return a.Post.Mail(ctx, c, "notice/"+c.NewID(), reached(u), k, by(c, u, d), c.Now.Add(keepNotice))
}

func reached(u user.User) post.Reader {
	return post.Reader{Mail: u.Mail, Mobile: u.Mobile, Culture: u.Culture, Name: u.Display, Account: u.Name}
}

// by names who did it, where that was somebody else.
func by(c *call.Call, u user.User, d message.Data) message.Data {
	d.At = c.Now
	if c.Caller != nil && c.Caller.User != u.ID {
		d.By = c.Caller.Name
	}
	return d
}
