// Package radius answers devices and servers that ask by RADIUS who somebody is (RFC 2865, 2866, 3579, 5080, 5997). Each packet becomes a
// call that is run as those of other dialects are; the conversation is core/login's. Those of EAP (RFC 3748) are held in memory up to where
// somebody shows who they are.
package radius

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/core/login"
	"limen/internal/core/radius"
	"limen/internal/core/setting"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/radius"
)

// Radius answers packets. Its fields are set before use.
type Radius struct {
	Kernel  *op.Kernel
	Setup   *radius.Setup
	Logins  *login.Logins
	Tenants *tenant.Index
	People  *user.Directory
	// Authorities say whom certificates name.
	Authorities *authority.Authorities
	Settings    *setting.Store
	Log         *slog.Logger
	// TLS is what the program shows of itself in tunnels of EAP; nil: EAP is refused.
	TLS *tls.Config
	// Call makes the call of somebody in a tenant who is not signed in.
	Call func(ctx context.Context, tenantID string) (*call.Call, error)

	access, account, shows op.Op
	talks                  talks
	counted                map[string]func(*fault.Error, time.Duration)
}

// Start declares the operations. They are run by packets alone, and have no path that HTTP reaches.
func (r *Radius) Start() {
	r.access = op.Prepared(op.Spec{
		Method: "RADIUS", Path: "/radius/access", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart, Rate: op.Guess,
		Faults: []*fault.Error{login.ErrFailed, login.ErrExpired, login.ErrMore},
	}, r.prepare, r.Access)
	r.account = op.New(op.Spec{Method: "RADIUS", Path: "/radius/accounting", Allow: op.Anonymous, Effect: op.Write, Audit: audit.RadiusAccounting}, r.Account)
	r.shows = op.Prepared(op.Spec{
		Method: "RADIUS", Path: "/radius/certificate", Allow: op.Anonymous, Effect: op.Write, Audit: audit.Login, Rate: op.Guess,
		Faults: []*fault.Error{login.ErrFailed, login.ErrMore},
	}, r.look, r.Certificate)
	r.counted = map[string]func(*fault.Error, time.Duration){}
	for _, o := range []*op.Op{&r.access, &r.account, &r.shows} {
		r.counted[o.Path] = func(*fault.Error, time.Duration) {}
		if r.Kernel.Meter != nil {
			r.counted[o.Path] = r.Kernel.Meter(o)
		}
	}
}

// Handle answers a packet; nothing for one that cannot be shown to be a client's (RFC 2865 section 3).
func (r *Radius) Handle(ctx context.Context, from netip.AddrPort, b []byte) []byte {
	p, err := wire.Parse(b)
	if err != nil {
		r.Log.Debug("a packet of RADIUS is malformed", "from", from)
		return nil
	}
	all, err := r.Setup.At(ctx, from.Addr())
	if err != nil {
		r.Log.Error("RADIUS clients cannot be read", "error", err)
		return nil
	}
	return r.of(ctx, from, p, all)
}

// of answers a packet that one of these clients made.
func (r *Radius) of(ctx context.Context, from netip.AddrPort, p wire.Packet, all []radius.Known) []byte {
	k, why := whose(p, all)
	if why != "" {
		r.Log.Debug("a packet of RADIUS is dropped", "from", from, "because", why)
		return nil
	}
	code, more := r.answer(ctx, from, k, p)
	if code == 0 {
		return nil
	}
	out, err := p.Reply(code, k.Secret, more...)
	if err != nil {
		r.Log.Error("an answer of RADIUS cannot be written", "error", err)
	}
	return out
}

// whose finds the client that made a packet, that of the narrowest network among a tenant's; or says why it is nobody's: where two tenants
// have the same secret at an address, for one, nothing tells them apart.
func whose(p wire.Packet, all []radius.Known) (k radius.Known, why string) {
	if len(all) == 0 {
		return k, "no client has the address"
	}
	var made []radius.Known
	for _, one := range all {
		if proves(p, one) {
			made = append(made, one)
		}
	}
	if len(made) == 0 && p.Code == wire.AccessRequest && !p.Has(wire.MessageAuthenticator) && !p.Has(wire.EAPMessage) && p.Vendor(wire.MSCHAP2Response) == nil {
		// It shows nothing of its maker: it is taken where one tenant alone has clients that may send such (RFC 3579 section 3.2).
		for _, one := range all {
			if one.Unsigned {
				made = append(made, one)
			}
		}
	}
	switch {
	case len(made) == 0:
		return k, "no client's secret made it, or it lacks a Message-Authenticator"
	case slices.ContainsFunc(made, func(one radius.Known) bool { return one.Tenant != made[0].Tenant }):
		return k, "clients of several tenants may have made it"
	}
	return made[0], ""
}

// proves says whether a client's secret made a packet.
func proves(p wire.Packet, k radius.Known) bool {
	if p.Code == wire.AccountingRequest {
		return p.Counted(k.Secret)
	}
	_, ok := p.Signed(k.Secret, nil)
	return ok
}

// answer runs what a packet asks for; code 0 is no answer.
func (r *Radius) answer(ctx context.Context, from netip.AddrPort, k radius.Known, p wire.Packet) (wire.Code, []wire.Attribute) {
	switch p.Code {
	case wire.StatusServer:
		return wire.AccessAccept, nil
	case wire.AccountingRequest:
		in := counts(from, k, p)
		if _, err := r.run(ctx, &r.account, k, from, in, in.Status); err != nil {
			return 0, nil // the client keeps it, and sends it again
		}
		return wire.AccountingResponse, nil
	case wire.AccessRequest:
		return r.decide(ctx, from, k, p)
	}
	return 0, nil
}

// run runs an operation for a packet.
func (r *Radius) run(ctx context.Context, o *op.Op, k radius.Known, from netip.AddrPort, in any, what string) (any, error) {
	c, err := r.Call(ctx, k.Tenant)
	if err != nil {
		r.Log.Error("RADIUS", "error", err)
		return nil, err
	}
	c.Client = call.Client{IP: from.Addr().Unmap(), UserAgent: "RADIUS " + k.Name, Native: true}
	at := netip.Addr{}
	switch in := in.(type) {
	case *Access:
		at = in.caller
	case *Shown:
		at, c.Client.Certs = in.caller, in.certs
	}
	if at.IsValid() {
		c.Client.IP = at
	}
	out, err := r.Kernel.Run(ctx, o, c, in)
	f := fault.Of(err)
	took := time.Since(c.Now)
	r.counted[o.Path](f, took)
	level, attrs := slog.LevelInfo, []slog.Attr{
		slog.String("id", c.ID), slog.String("op", o.Path), slog.String("tenant", k.Tenant), slog.String("client", k.Name), slog.String("ip", from.Addr().String()),
		slog.String("what", what), slog.Duration("took", took),
	}
	if f != nil {
		attrs = append(attrs, slog.String("fault", f.Error()))
		if f.Kind == fault.Internal {
			level = slog.LevelError
		}
	}
	r.Log.LogAttrs(ctx, level, "request", attrs...)
	return out, err
}
