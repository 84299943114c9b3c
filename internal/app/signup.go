package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/job"
	"limen/internal/core/proofing"
	"limen/internal/core/signup"
	"limen/internal/core/user"
	"limen/internal/surface/login"
)

// wireSignups wires the registration of strangers, and who looks at them before they are let in.
func (a *App) wireSignups() {
	a.Proofings = &proofing.Proofings{Ring: a.Ring, Asker: a.Inquiries, Flows: a.Flows, Attributes: attribute.Attributes{Stored: a.valuesStored}, Write: a.act}
	a.Signups = &signup.Signups{
		People: a.People, Passwords: a.Passwords, Settings: a.Values, Post: a.Post, Throttle: a.Throttle, Links: a.links(), Name: a.Workspaces.LoginName,
		Captchas: a.Captchas, Proofings: a.Proofings, Flows: a.Flows, Ask: func(ctx context.Context, c *call.Call, u user.User) error { return a.Addresses.Ask(ctx, c, u) },
		Policy: a.expectedPolicy,
		Link: func(ctx context.Context, c *call.Call, u user.User, lasts time.Duration) (string, error) {
			return a.Invites.Make(ctx, c, u, lasts)
		},
		Claimed: func(ctx context.Context, c *call.Call, mail string) error { return a.Domains.Claimed(ctx, c, "", mail) },
	}
	a.Flows.Decided = a.Signups.Decided
	a.People.Gone = append(a.People.Gone, a.Proofings.Drop)
	a.Jobs.Sweep(job.Sweep{Name: "registrations", Every: time.Hour, Run: func(ctx context.Context) error {
		return a.Signups.Sweep(ctx, a.DB, time.Now())
	}})
}

// proofed says whether those who register are looked at, by a script or by people: an account elsewhere makes nobody of itself then.
func (a *App) proofed(ctx context.Context, c *call.Call) (bool, error) {
	s, err := a.Proofings.Get(ctx, c)
	return s.On(), err
}

// signUpPages are the pages on which strangers register, and on which user names are sent.
func (a *App) signUpPages() login.SignUp {
	return login.SignUp{Signups: a.Signups, Consents: a.Consents, Reminders: a.Reminders, Settings: a.Values}
}

// offered says what the first page of a sign-in leads to besides.
func (a *App) offered(ctx context.Context, c *call.Call) (signUp, forgot, recover bool, err error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return false, false, false, err
	}
	recover, err = a.Policies.Regains(ctx, c)
	return v.Signup.Allowed && (!v.Signup.Captcha || v.Captcha.Service == ""), v.RemindNames, recover && !v.Regain.Captcha, err
}
