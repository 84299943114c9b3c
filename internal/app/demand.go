package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/demand"
	"limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
)

// admitted is a gate of workspaces: what the organization demands of those who enter it.
func (a *App) admitted(ctx context.Context, c *call.Call, at string) error {
	mfa, err := a.Demands.Met(ctx, c, at)
	if err == nil && mfa {
		err = workspace.ErrMFA
	}
	return err
}

// bindingRule is all that binds a person about passwords, failed sign-ins and idle sessions, as one rule.
func (a *App) bindingRule(ctx context.Context, c *call.Call, userID string) (demand.Rule, error) {
	u, err := a.People.ByID(ctx, c, userID)
	if err != nil {
		return demand.Rule{}, err
	}
	return a.ruleOf(ctx, c, u, throttle.Attempt{Kind: throttle.Password, Login: u.Name, IP: c.Client.IP})
}

// expectedRule is what binds whoever has a mail address, as far as its domain tells: whether there is somebody of that address makes no
// difference.
func (a *App) expectedRule(ctx context.Context, c *call.Call, mail string) (demand.Rule, error) {
	out, err := a.ruleOf(ctx, c, user.User{}, throttle.Attempt{})
	if err != nil {
		return out, err
	}
	org, err := a.Domains.Holder(ctx, c, mail)
	if err != nil || org == "" {
		return out, err
	}
	d, err := a.Demands.Get(ctx, c, org)
	return out.Stronger(d.Rule), err
}

// expectedPolicy is expectedRule as a policy of passwords, with what the installation demands beyond rules.
func (a *App) expectedPolicy(ctx context.Context, c *call.Call, mail string) (password.Policy, error) {
	p, err := a.passwordPolicy(ctx, c, "")
	if err != nil {
		return p, err
	}
	r, err := a.expectedRule(ctx, c, mail)
	return r.Onto(p), err
}

// ruleOf gathers what binds a person; of the zero User what binds anybody. at is a sign-in of theirs; the zero Attempt: of nobody.
func (a *App) ruleOf(ctx context.Context, c *call.Call, u user.User, at throttle.Attempt) (demand.Rule, error) {
	pol, err := a.passwordPolicy(ctx, c, u.ID)
	if err != nil {
		return demand.Rule{}, err
	}
	limits, err := a.guessLimits(ctx, c, throttle.Password)
	if err == nil && at.Kind != "" {
		limits, err = a.accountLimits(ctx, c, at, limits)
	}
	if err != nil {
		return demand.Rule{}, err
	}
	base, err := a.Logins.Base(ctx, c, u, nil)
	if err != nil {
		return demand.Rule{}, err
	}
	how, err := a.signInProfile(ctx, c, u, login.Profile{Idle: base.Idle, Life: base.Life})
	out := demand.Of(pol)
	out.Attempts, out.Idle = limits.Lock, int(how.Idle/time.Second)
	return out, err
}
