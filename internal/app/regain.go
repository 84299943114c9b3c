package app

import (
	"context"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/exemption"
	"limen/internal/core/factor"
	"limen/internal/core/job"
	flow "limen/internal/core/login"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/regain"
	"limen/internal/core/right"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity/authentication"
	surface "limen/internal/surface/identity/regain"
	"limen/internal/surface/login"
)

// wireRegains wires how people get their account back who have lost all that they sign in with.
func (a *App) wireRegains() {
	a.Regains = &regain.Regains{
		People: a.People, Passwords: a.Passwords, Sessions: a.Sessions, Throttle: a.Throttle, Links: a.links(), Ring: a.Ring,
		Find: a.People.ByName, Terms: a.regainTerms, Barred: a.regainBarred, May: a.mayReset, Near: a.nearEachOther, Strip: a.strip, Mail: a.regainMail, Text: a.regainText,
		Push: func(ctx context.Context, c *call.Call, u user.User) error {
			return a.Authenticators.Tell(ctx, c, factor.Person{ID: u.ID, Culture: u.Culture}, pushRegain, c.Now.Add(keepNotice))
		},
		Told: func(ctx context.Context, c *call.Call, u user.User) error {
			return a.notify(ctx, c, u, flow.PasswordChanged)
		},
		Write: func(ctx context.Context, tenantID string, f func(ctx context.Context, c *call.Call) error) error {
			t, err := a.Index.ByID(ctx, tenantID) // its host name is in the links
			if err != nil {
				return err
			}
			return a.Flows.Write(ctx, tenantID, func(ctx context.Context, c *call.Call) error {
				c.Tenant = t
				return f(ctx, c)
			})
		},
	}
	a.Logins.Alarm = a.signedIn
	a.People.Gone = append(a.People.Gone, a.Regains.Drop)
	a.People.Stored = append(a.People.Stored, a.notRedirected)
	a.People.Moved = append(a.People.Moved, a.notAlone, a.Regains.Moved)
	a.People.Outdated = append(a.People.Outdated, a.Regains.Changed)
	a.Jobs.Sweep(job.Sweep{Name: "accounts regained", Every: time.Minute, Run: func(ctx context.Context) error { return a.Regains.Tick(ctx, a.DB, time.Now()) }})
	a.Jobs.Sweep(job.Sweep{Name: "old accounts regained", Every: time.Hour, Run: func(ctx context.Context) error { return a.Regains.Sweep(ctx, a.DB, time.Now()) }})
}

func (a *App) regain() surface.Regain {
	return surface.Regain{Regains: a.Regains, Captchas: a.Captchas, Settings: a.Values}
}

// regainPages are the pages about it.
func (a *App) regainPages() login.Regain {
	return login.Regain{Regains: a.Regains, Settings: a.Values, SignedIn: authentication.SignIn}
}

// signedIn follows each sign-in.
func (a *App) signedIn(ctx context.Context, c *call.Call, u user.User, factors []string) error {
	if err := a.Regains.SignedIn(ctx, c, u.ID); err != nil {
		return err
	}
	return a.glassBroken(ctx, c, u, factors)
}

// regainTerms are how somebody regains their account, or why they may not. Rights over others are never had by waiting.
func (a *App) regainTerms(ctx context.Context, c *call.Call, u user.User) (regain.Terms, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return regain.Terms{}, err
	}
	t := regain.Terms{Wait: v.Regain.Wait}
	if t.Refused, err = a.regainBarred(ctx, c, u); err != nil || t.Refused != "" {
		return t, err
	}
	switch {
	case u.Mail == "" || u.MailUnproved:
		t.Refused = "no_mail"
	case u.Mobile == "" && !v.Regain.MailAlone:
		t.Refused = "no_mobile"
	}
	if t.Refused != "" {
		return t, nil
	}
	if may, err := a.Policies.Regain(ctx, c, u.ID); err != nil || !may {
		t.Refused = "policy"
		return t, err
	}
	if plain, err := a.powerless(ctx, c, u.ID); err != nil || !plain {
		t.Refused = "administrator"
		return t, err
	}
	return t, nil
}

// regainBarred says whose account is never given back, whoever wishes it.
func (a *App) regainBarred(ctx context.Context, c *call.Call, u user.User) (string, error) {
	glass, err := a.BreakGlass.Is(ctx, c, u.ID)
	if glass || u.Service || u.OAuthClient || u.Barred(c.Now) || u.PasswordChanged == 0 || u.MfaUser != "" {
		return "account", err
	}
	return "", err
}

// mayReset fails unless an administrator, by what they hold now, manages a person, who holds nothing that they lack.
func (a *App) mayReset(ctx context.Context, c *call.Call, by string, u user.User) error {
	caller, err := a.jobCaller(ctx, c.Tx, c.Tenant.ID, by)
	if err != nil {
		return err
	}
	as := *c
	as.Caller = caller
	if op.Has(right.UserManagement).Decide(&as, op.Target{ID: u.ID, Org: u.Org}).Nothing() {
		return op.ErrDenied
	}
	return a.Roles.Guard(ctx, &as, u.ID, user.ErrStronger, user.ErrStronger)
}

// nearEachOther says whether one of two administrators may owe what they are to the other one.
func (a *App) nearEachOther(ctx context.Context, c *call.Call, one, other string, since time.Time) (bool, error) {
	for _, pair := range [][2]string{{one, other}, {other, one}} {
		u, err := a.People.ByID(ctx, c, pair[0])
		if err != nil || u.Created > since.UnixMilli() || u.Service || u.OAuthClient {
			return err == nil, err
		}
		if touched, err := a.Audit.Touched(ctx, c, pair[0], pair[1], since); err != nil || touched {
			return touched, err
		}
	}
	return false, nil
}

// strip takes from somebody all that they sign in with besides the password, and what lets them do without.
func (a *App) strip(ctx context.Context, c *call.Call, userID string) error {
	for _, drop := range append(slices.Clip(a.factors), upstream.Drop, exemption.Exemptions{}.Drop) {
		if err := drop(ctx, c, userID); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) regainMail(ctx context.Context, c *call.Call, u user.User, to string, k message.Kind, d message.Data) error {
	return a.Post.Mail(ctx, c, string(k)+"/"+c.NewID(), regainReader(u, to, ""), k, d, c.Now.Add(keepNotice))
}

func (a *App) regainText(ctx context.Context, c *call.Call, u user.User, to string, k message.Kind, d message.Data) error {
	return a.Post.SMS(ctx, c, string(k)+"/"+c.NewID(), regainReader(u, "", to), k, d, c.Now.Add(keepNotice))
}

func regainReader(u user.User, mail, mobile string) post.Reader {
	return post.Reader{Mail: mail, Mobile: mobile, Culture: u.Culture, Name: u.Display, Account: u.Name, Org: u.Org}
}

// alone fails where a caller changes what somebody else signs in with who holds administrative rights, and the tenant wants two for that.
func (a *App) alone(ctx context.Context, c *call.Call, userID string) error {
	if c.Caller == nil || c.Caller.User == userID || c.Caller.Means == call.ByShell {
		return nil
	}
	v, err := a.Values.Get(ctx, c)
	if err != nil || !v.Regain.Two {
		return err
	}
	plain, err := a.powerless(ctx, c, userID)
	if err == nil && !plain {
		err = regain.ErrTwo
	}
	return err
}

// notAlone is alone, for the directory, about an address to which codes go.
func (a *App) notAlone(ctx context.Context, c *call.Call, _, now user.User) error {
	return a.alone(ctx, c, now.ID)
}

// notRedirected is the same about whose factors answer for somebody.
func (a *App) notRedirected(ctx context.Context, c *call.Call, old, now *user.User) error {
	if old.ID == "" || now.ID == "" || old.MfaUser == now.MfaUser {
		return nil
	}
	return a.alone(ctx, c, now.ID)
}
