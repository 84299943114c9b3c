package app

import (
	"context"
	"net/mail"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/breakglass"
	"limen/internal/core/login"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	surface "limen/internal/surface/identity/breakglass"
)

// wireBreakGlass wires the accounts for an emergency.
func (a *App) wireBreakGlass() {
	a.BreakGlass = &breakglass.Accounts{DB: a.DB, Changes: a.Changes}
	a.BreakGlass.Start()
	a.People.Gone = append(a.People.Gone, a.BreakGlass.Drop)
}

func (a *App) breakGlass() surface.BreakGlass {
	return surface.BreakGlass{Accounts: a.BreakGlass, People: a.People, Roles: a.Roles, Logins: a.Logins, Backed: a.ableInEmergency}
}

// ableInEmergency says whether somebody has what an account for an emergency shows.
func (a *App) ableInEmergency(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	cur, err := a.Passwords.Find(ctx, c, u.ID)
	if err != nil || cur.Hash == "" || u.MfaUser != "" {
		return false, err
	}
	return a.Logins.Able(ctx, c, u, breakglass.Profile(login.Profile{}))
}

// glassLimits are the limits of guesses at an account for an emergency; ok says that the attempt is at one.
func (a *App) glassLimits(ctx context.Context, c *call.Call, at throttle.Attempt, base throttle.Limits) (l throttle.Limits, ok bool, err error) {
	all, err := a.BreakGlass.People(ctx, c)
	if err != nil || len(all) == 0 {
		return base, false, err
	}
	u, err := a.Logins.Standing(ctx, c, at.Login)
	if err != nil || !slices.Contains(all, u.ID) {
		return base, false, err
	}
	return breakglass.Limits(base), true, nil
}

// glassBroken raises the alarm when somebody signs in by an account for an emergency: an event of its own, mail to all system administrators,
// to the addresses that are set and to the account's own, a line in the log and a count.
func (a *App) glassBroken(ctx context.Context, c *call.Call, u user.User, factors []string) error {
	is, err := a.BreakGlass.Saw(ctx, c, u.ID)
	if err != nil || !is {
		return err
	}
	e := c.Record(audit.BreakGlassUse)
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("Factors", strings.Join(factors, ","))
	tenant, ip := c.Tenant.ID, c.Client.IP.Unmap().String()
	c.Tx.After(func() {
		a.Log.Warn("an account for an emergency signed in", "tenant", tenant, "user", u.Name, "address", ip)
		if a.Metrics != nil {
			a.Metrics.BreakGlass()
		}
	})
	data := message.Data{By: u.Name, At: c.Now, IP: ip}
	if err := a.tellAdministrators(ctx, c, message.BreakGlass, data); err != nil {
		return err
	}
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return err
	}
	to, _ := mail.ParseAddressList(v.Alarm) // it was checked when it was set; empty is none
	for _, one := range to {
		if err := a.Post.Mail(ctx, c, "break_glass/"+c.NewID(), post.Reader{Mail: one.Address}, message.BreakGlass, data, c.Now.Add(keepNotice)); err != nil {
			return err
		}
	}
	return nil
}
