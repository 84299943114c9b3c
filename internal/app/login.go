package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/duo"
	"limen/internal/core/factor/email"
	"limen/internal/core/factor/network"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/passkey"
	factorpassword "limen/internal/core/factor/password"
	"limen/internal/core/factor/phone"
	"limen/internal/core/factor/question"
	factorradius "limen/internal/core/factor/radius"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/factor/sms"
	"limen/internal/core/job"
	"limen/internal/core/login"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/scan"
	"limen/internal/core/setting"
	"limen/internal/core/throttle"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/platform/leaked"
)

// wireLogin wires what people prove themselves with, and the conversation that asks for it.
func (a *App) wireLogin() {
	a.Throttle = throttle.Throttle{Limits: a.guessLimits, Own: a.accountLimits}
	a.Risks.Throttle = a.Throttle
	a.OATH = oath.Profiles{Ring: a.Ring}
	a.Passkeys = passkey.Keys{Hosts: a.hostNames, Ring: a.Ring}
	a.Authenticators = authenticator.Devices{Ring: a.Ring, Country: a.country, Send: a.putPush, Many: a.Policies.AllDevices}
	a.Questions = question.Questions{Hasher: a.Hasher}
	a.Tokens = token.Tokens{Signers: a.Signers, Alg: crypt.ES256, Known: func(ctx context.Context, tenantID string) bool {
		_, err := a.Index.ByID(ctx, tenantID)
		return err == nil
	}}
	recoveryCodes := recovery.Codes{Ring: a.Ring, Allowed: a.mayUseCodes, Used: a.codeUsed}
	networkPasswords := network.Passwords{Ring: a.Ring, Terms: a.networkTerms}
	codes := factor.Codes{Ring: a.Ring, Limits: a.codeLimits}
	a.PINs = phone.Pins{Hasher: a.Hasher}
	a.Logins = &login.Logins{
		Ring: a.Ring, People: a.People, Sessions: a.Sessions, Tokens: a.Tokens, Passwords: a.Passwords, Throttle: a.Throttle, Risks: a.Risks,
		Settings: a.Values, Profiles: a.Profiles, Codes: recoveryCodes, Networks: networkPasswords,
		Mechanisms: append([]factor.Mechanism{
			factorpassword.Mechanism{Passwords: a.Passwords, Elsewhere: a.elsewhere, Leaked: a.leaked(), Repeated: a.repeated}, oath.Mechanism{Profiles: a.OATH}, authenticator.Mechanism{Devices: a.Authenticators},
			authenticator.Code{Devices: a.Authenticators},
			email.Mechanism{Codes: codes, Send: a.mailCode}, sms.Mechanism{Codes: codes, Send: a.textCode},
			question.Mechanism{Questions: a.Questions}, phone.Mechanism{Codes: codes, Pins: a.PINs, Ready: a.canCall, Ring: a.callCode},
			factorradius.Mechanism{Setup: a.Radius, Allowed: a.Policies.ExternalRadius},
			duo.Mechanism{Setup: a.duoSetup, Open: a.duoSecret, Return: a.duoReturn, Post: a.postForm},
			recovery.Mechanism{Codes: recoveryCodes}, network.Mechanism{Passwords: networkPasswords},
		}, passkey.Mechanisms(a.Passkeys)...),
		Notify: a.notify, Profile: a.signInProfile, Radius: a.radiusProfile, Terms: a.certificateTerms, RadiusTerms: a.radiusTerms, Rescued: a.Policies.Recovering, Parts: a.Policies.Part,
	}
	a.factors = []func(context.Context, *call.Call, string) error{
		a.OATH.Drop, a.Passkeys.Drop, a.Authenticators.Drop, a.Questions.Drop, a.PINs.Drop, recoveryCodes.Drop, networkPasswords.Drop, a.Throttle.ForgetDevices,
	}
	a.People.Gone = append(append(a.People.Gone, a.factors...), a.Risks.Drop)
	// A device on which a person is barred, or had a password that somebody else replaced, stands in for no factor afterwards.
	a.People.Shut = append(a.People.Shut, a.Throttle.ForgetDevices)
}

// networkTerms are the tenant's about network passwords.
func (a *App) networkTerms(ctx context.Context, c *call.Call) (on bool, life time.Duration, err error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return false, 0, err
	}
	return v.NetworkPasswords, v.NetworkPasswordLife, nil
}

// leaked looks passwords up in the list of leaked ones; nil where there is none.
func (a *App) leaked() func(plain string) (bool, error) {
	if a.Settings.Leaked == "" {
		return nil
	}
	list := leaked.Passwords{Path: a.Settings.Leaked}
	return func(plain string) (bool, error) {
		found, err := list.Has(plain)
		if err != nil {
			a.Log.Warn("the list of leaked passwords cannot be searched", "error", err)
		}
		return found, err
	}
}

// scans are what authenticators do with codes that they read.
func (a *App) scans() scan.Scans {
	return scan.Scans{Devices: a.Authenticators, Logins: a.Logins, People: a.People}
}

// How long what sign-ins leave behind is kept.
const (
	keepLogins   = time.Hour            // after their end
	keepFailures = 48 * time.Hour       // longer than any window in which they count
	keepDevices  = 400 * 24 * time.Hour // longer than a device can be remembered
)

// loginSweeps are what one node at a time tidies after sign-ins.
func (a *App) loginSweeps() []job.Sweep {
	return []job.Sweep{
		{Name: "logins", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
			return a.Logins.Sweep(ctx, a.DB, time.Now().Add(-keepLogins))
		}},
		{Name: "tokens", Every: 10 * time.Minute, Run: func(ctx context.Context) error {
			return a.Tokens.Sweep(ctx, a.DB, time.Now().Add(-keepLogins))
		}},
		{Name: "registrations", Every: 10 * time.Minute, Run: func(ctx context.Context) error { return passkey.Sweep(ctx, a.DB, time.Now()) }},
		{Name: "requests to authenticators", Every: time.Hour, Run: func(ctx context.Context) error { return authenticator.Sweep(ctx, a.DB, time.Now()) }},
		{Name: "failures", Every: time.Hour, Run: func(ctx context.Context) error {
			return a.Throttle.Sweep(ctx, a.DB, time.Now().Add(-keepFailures))
		}},
		{Name: "devices", Every: time.Hour, Run: func(ctx context.Context) error {
			return a.Throttle.SweepDevices(ctx, a.DB, time.Now().Add(-keepDevices))
		}},
	}
}

// hostNames are the tenant's.
func (a *App) hostNames(ctx context.Context, c *call.Call) ([]string, error) {
	all, err := a.Tenants.Hosts(ctx, c)
	out := make([]string, len(all))
	for i, h := range all {
		out[i] = h.Name
	}
	return out, err
}

// guessLimits are the tenant's for passwords, and for everything else that is guessed or sent.
func (a *App) guessLimits(ctx context.Context, c *call.Call, k throttle.Kind) (throttle.Limits, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return throttle.Limits{}, err
	}
	g := v.Lockout.Factor
	if k == throttle.Password {
		g = v.Lockout.Password
	}
	return limitsOf(g), nil
}

func limitsOf(g setting.Guard) throttle.Limits {
	return throttle.Limits{Free: g.Free, Lock: g.Lock, Network: g.Network, Window: g.Window, LockFor: g.LockFor}
}

func (a *App) codeLimits(ctx context.Context, c *call.Call) (factor.CodeLimits, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return factor.CodeLimits{}, err
	}
	return factor.CodeLimits{Length: v.Code.Length, Life: v.Code.Life, Tries: v.Code.Answers}, nil
}

func (a *App) mailCode(ctx context.Context, c *call.Call, to factor.Person, what factor.Sending) error {
	data := message.Data{Code: what.Code, Link: what.Link, Lasts: what.Life, IP: c.Client.IP.Unmap().String()}
	return a.Post.Mail(ctx, c, "code/"+c.NewID(), readerOf(to), codeKind(what), data, c.Now.Add(what.Life))
}

func (a *App) textCode(ctx context.Context, c *call.Call, to factor.Person, what factor.Sending) error {
	data := message.Data{Code: what.Code, Lasts: what.Life}
	return a.Post.SMS(ctx, c, "code/"+c.NewID(), readerOf(to), codeKind(what), data, c.Now.Add(what.Life))
}

// codeKind tells the two things apart that a code may be for: a thief who asks for a recovery must not be helped by a
// message that speaks of a sign-in.
func codeKind(what factor.Sending) message.Kind {
	if what.Recovery {
		return message.RecoveryCode
	}
	return message.LoginCode
}

func readerOf(p factor.Person) post.Reader {
	return post.Reader{Mail: p.Mail, Mobile: p.Mobile, Culture: p.Culture, Name: p.Display, Account: p.Name, Org: p.Org}
}

// noticeKinds are the mails behind notices.
var noticeKinds = map[login.Notice]message.Kind{
	login.NewDevice: message.NewDevice, login.Locked: message.AccountLocked, login.PasswordChanged: message.PasswordChanged,
	login.Authenticator: message.AuthenticatorAdded, login.PushRefused: message.PushRefused, login.CodeRefused: message.CodeRefused,
	login.CodesMade: message.CodesMade, login.NetworkPassword: message.NetworkPassword,
}

// keepNotice is how long a notice waits for a mail server: who reads it later learns nothing that helps.
const keepNotice = 3 * 24 * time.Hour

// notify tells a person what happened to their account, where they have a mail address.
func (a *App) notify(ctx context.Context, c *call.Call, u user.User, what login.Notice) error {
	if u.Mail == "" || u.MailUnproved {
		return nil
	}
	to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name, Org: u.Org}
	data := message.Data{At: c.Now, IP: c.Client.IP.Unmap().String()}
	return a.Post.Mail(ctx, c, string(what)+"/"+c.NewID(), to, noticeKinds[what], data, c.Now.Add(keepNotice))
}
