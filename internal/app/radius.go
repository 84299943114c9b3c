package app

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/outbox"
	"limen/internal/core/radius"
	"limen/internal/core/user"
	"limen/internal/platform/radsec"
	"limen/internal/platform/udp"
	"limen/internal/platform/web"
	surface "limen/internal/surface/radius"
)

// wireRadius wires RADIUS clients, and servers elsewhere.
func (a *App) wireRadius() {
	asking := &udp.Client{Guard: a.Egress.Guard, Resolver: a.Resolver.Net()}
	a.Radius = &radius.Setup{DB: a.DB, Ring: a.Ring, Changes: a.Changes, Profiles: a.Profiles, Ask: asking.Ask, Lookup: a.addresses, Promise: a.Outbox.Put, Plain: a.powerless, Lockout: a.lockout}
	a.People.Shut = append(a.People.Shut, a.Radius.End)
	a.Outbox.Handle(radius.TopicEnd, a.endUse)
	a.Radius.Start()
}

// endUse has a RADIUS client end somebody's use of it, and keeps what it answered. What it refuses is not asked for again.
func (a *App) endUse(ctx context.Context, d outbox.Delivery) error {
	var in radius.Ending
	if err := d.Into(&in); err != nil {
		return outbox.Permanent(err)
	}
	c, err := a.stranger(ctx, d.Tenant)
	if err != nil {
		return err
	}
	ended, err := a.Radius.Tell(ctx, c, in)
	if err != nil || ended.Client.ID == "" {
		return err
	}
	return a.act(ctx, d.Tenant, audit.RadiusDisconnect, func(_ context.Context, c *call.Call) error {
		e := c.Event
		e.Kind, e.Target, e.Name, e.User, e.Login = "RadiusClient", ended.Client.ID, ended.Client.Name, in.User, in.Use.Name
		e.Set("AccountingSession", in.Use.Session)
		e.Set("Tries", d.Try)
		if ended.Cause != 0 {
			e.Set("ErrorCause", ended.Cause)
		}
		if !ended.Ok {
			e.Outcome = "failed"
		}
		return nil
	})
}

// radiusTerms is the same about a certificate.
func (a *App) radiusTerms(ctx context.Context, c *call.Call, u user.User, base login.Profile, clientProfile string) (login.Terms, error) {
	t, err := a.Policies.RadiusCertificate(ctx, c, u, base, clientProfile)
	if err != nil {
		return t, err
	}
	t.Profile, err = a.demanded(ctx, c, u, t.Profile)
	return t, err
}

// addresses are those of a host name. The dot keeps the machine's search list out.
func (a *App) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	return a.Resolver.Net().LookupNetIP(ctx, "ip", host+".")
}

// RadiusAnswers is what answers packets of RADIUS.
func (a *App) RadiusAnswers() *surface.Radius {
	r := &surface.Radius{Kernel: a.Kernel, Setup: a.Radius, Logins: a.Logins, Tenants: a.Index, People: a.People, Authorities: a.Authorities, Settings: a.Values, Log: a.Log, Call: a.stranger}
	r.Start()
	return r
}

// radiusListeners are the servers of RADIUS that the settings want. Certs are what the program shows of itself over HTTP, and in tunnels of EAP
// unless the settings name something else for these.
func (a *App) radiusListeners(certs *web.TLS) (out web.Group, err error) {
	if a.Settings.RadiusTLS != "" {
		certs = &web.TLS{Mode: a.Settings.RadiusTLS, Log: a.Log, Now: time.Now}
		out = append(out, web.Worker{Name: "radius certificate", Run: certs.Watch})
	}
	if a.Settings.Radius == "" && a.Settings.RadiusAccounting == "" && a.Settings.Radsec == "" {
		return out, nil
	}
	answers := a.RadiusAnswers()
	if certs.Enabled() {
		if answers.TLS, err = certs.Config(); err != nil {
			return nil, err
		}
	}
	if a.Settings.Radsec != "" {
		s := &radsec.Server{
			Addr: a.Settings.Radsec, TLS: answers.TLS, Admit: answers.Admit, Handle: answers.Secured, Log: a.Log,
			Started: func(at net.Addr) { a.Log.Info("listening", "server", "radsec", "address", at.String()) },
		}
		out = append(out, web.Worker{Name: "radsec", Run: s.Run})
	}
	for name, addr := range map[string]string{"radius": a.Settings.Radius, "radius accounting": a.Settings.RadiusAccounting} {
		if addr == "" {
			continue
		}
		s := &udp.Server{Addr: addr, Handle: answers.Handle, Log: a.Log, Started: func(at net.Addr) { a.Log.Info("listening", "server", name, "address", at.String()) }}
		out = append(out, web.Worker{Name: name, Run: s.Run})
	}
	return out, nil
}

// repeated says whether the tenant lets it be remembered that passwords were right which RADIUS clients send.
func (a *App) repeated(ctx context.Context, c *call.Call) (bool, error) {
	v, err := a.Values.Get(ctx, c)
	return err == nil && v.RadiusRemembers, err
}

// stranger makes the call of somebody in a tenant who is not signed in, and does not come by HTTP.
func (a *App) stranger(ctx context.Context, tenantID string) (*call.Call, error) {
	t, err := a.Index.ByID(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	c := &call.Call{Now: time.Now(), Rand: rand.Reader, Tenant: t}
	c.ID = c.NewRequestID()
	a.Kernel.Bind(c)
	return c, nil
}

// radiusProfile is what policy sets say about a sign-in at a RADIUS client, with what the person's organizations demand beyond it.
func (a *App) radiusProfile(ctx context.Context, c *call.Call, u user.User, base login.Profile, clientProfile string) (login.Profile, error) {
	p, err := a.Policies.Radius(ctx, c, u, base, clientProfile)
	if err != nil {
		return p, err
	}
	return a.demanded(ctx, c, u, p)
}
