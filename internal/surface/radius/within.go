package radius

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/eap"
	wire "limen/internal/wire/radius"
)

// phase is how far a conversation within PEAP is.
type phase int

const (
	phaseNone     phase = iota // nothing was asked for
	phaseIdentity              // the name was
	phaseToken                 // what shows who it is
	phaseResult                // the peer was told the result, and confirms it
	phaseExchange              // a response of MS-CHAP was asked for
	phaseProved                // the peer was shown that it was right, and agrees
	phaseRefused               // the peer was told that it was wrong, and agrees
)

// within goes on with a method that runs within TLS (RFC 5216 section 2.1).
func (r *Radius) within(ctx context.Context, at peer, data []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	message, version, whole, err := t.in.Add(data)
	switch {
	case err != nil:
		return r.fail(at, t.id, "a fragment does not fit")
	case t.method != eap.TLS && version != 0:
		return r.fail(at, t.id, "the peer wants another version of the method")
	case t.failing:
		return r.fail(at, t.id, "TLS has failed")
	case t.out.Waits():
		if !whole || len(message) > 0 {
			return r.fail(at, t.id, "the peer does not wait for all fragments")
		}
		return r.next(at, t.method, t.out.Next())
	case !whole:
		return r.say(at, nil)
	case t.let != nil && t.method != eap.PEAP:
		if len(message) > 0 {
			return r.fail(at, t.id, "the peer does not agree to the end")
		}
		return r.admit(at, *t.let)
	}
	if t.tunnel == nil {
		t.tunnel = r.open(t.method)
	}
	var out []byte
	if len(message) > 0 {
		if out, err = t.tunnel.Feed(message); err != nil {
			return r.broken(at, out, err)
		}
	}
	if !t.tunnel.Done() {
		return r.say(at, out)
	}
	return r.inside(ctx, at, out)
}

// broken ends a conversation whose tunnel failed: the peer gets TLS's alert first.
func (r *Radius) broken(at peer, alert []byte, err error) (wire.Code, []wire.Attribute) {
	if len(alert) == 0 {
		return r.fail(at, at.talk.id, "TLS: "+err.Error())
	}
	r.Log.Info("EAP: no tunnel", "client", at.k.Name, "tenant", at.k.Tenant, "ip", at.from.Addr().String(), "error", err)
	at.talk.failing = true
	return r.say(at, alert)
}

// inside goes on once hands were shaken. Out is what TLS has to say at its end.
func (r *Radius) inside(ctx context.Context, at peer, out []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	first := !t.done
	t.done = true
	if first { // before anything is asked for that would be of no use
		var err error
		if t.receive, t.send, err = eap.Keys(t.tunnel.State(), t.method); err != nil {
			return r.fail(at, t.id, "the tunnel has no keys: extended master secrets are missing in TLS 1.2")
		}
	}
	switch {
	case t.method == eap.TLS && first:
		return r.shown(ctx, at, out)
	case t.method == eap.TLS:
		return r.fail(at, t.id, "nothing is said within EAP-TLS")
	}
	said := t.tunnel.Received()
	switch {
	case len(out) > 0: // the peer goes on once it has this
		if len(said) > 0 {
			return r.fail(at, t.id, "the peer speaks before TLS is ready")
		}
		return r.say(at, out)
	case t.method == eap.PEAP:
		return r.protected(ctx, at, said)
	case len(said) == 0:
		return r.say(at, nil)
	}
	return r.tunnelled(ctx, at, said)
}

// shown lets in whom the peer's certificate names.
func (r *Radius) shown(ctx context.Context, at peer, out []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	s := t.tunnel.State()
	in := &Shown{certs: s.PeerCertificates, at: where(at.k, at.from), caller: caller(at.packet)}
	d, err := r.run(ctx, &r.shows, at.k, at.from, in, "EAP-TLS")
	if err != nil {
		return r.fail(at, t.id, "the certificate lets nobody in")
	}
	if s.Version >= tls.VersionTLS13 { // the peer is told that nothing follows (RFC 9190 section 2.5)
		more, err := t.tunnel.Send([]byte{0})
		if err != nil {
			return r.broken(at, nil, err)
		}
		out = append(out, more...)
	}
	let := d.(Decision)
	t.let = &let
	return r.say(at, out)
}

// tunnelled reads a name and a password, or an exchange of MS-CHAP, that came through EAP-TTLS (RFC 5281 section 11.2). No further factor can be asked for: people's
// programs do not show what would be asked.
func (r *Radius) tunnelled(ctx context.Context, at peer, said []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	all, err := eap.ParseAttributes(said)
	if err != nil {
		return r.fail(at, t.id, "attributes cannot be read")
	}
	in := &Access{via: "EAP-TTLS/PAP", alone: true}
	var asked, response []byte // of MS-CHAP
	for _, a := range all {
		switch {
		case t.network && a.Vendor == wire.Microsoft && a.Code == uint32(wire.MSCHAPChallenge):
			asked = a.Value
		case t.network && a.Vendor == wire.Microsoft && a.Code == uint32(wire.MSCHAP2Response):
			response = a.Value
		case a.Vendor == 0 && a.Code == eap.AttributeName:
			in.User = strings.TrimSpace(text(a.Value))
		case a.Vendor == 0 && a.Code == eap.AttributePassword:
			in.Password = strings.TrimRight(string(a.Value), "\x00")
		case a.Mandatory:
			return r.fail(at, t.id, "the peer wants another method within EAP-TTLS than is allowed")
		}
	}
	if asked != nil || response != nil {
		return r.implied(ctx, at, in, asked, response)
	}
	d, ok := r.try(ctx, at, in)
	if !ok {
		return r.fail(at, t.id, "the password lets nobody in")
	}
	return r.admit(at, d)
}

// protected asks for a name and what shows that it is the peer's, within PEAP. Packets have no head there, but for the result.
func (r *Radius) protected(ctx context.Context, at peer, said []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	switch {
	case t.phase == phaseNone && len(said) == 0:
		t.phase = phaseIdentity
		return r.inner(at, []byte{byte(eap.Identity)})
	case t.phase == phaseIdentity && len(said) > 0 && eap.Type(said[0]) == eap.Identity:
		if t.user = strings.TrimSpace(text(said[1:])); t.network {
			return r.exchange(at)
		}
		return r.card(at)
	case t.phase >= phaseExchange && len(said) > 0:
		return r.exchanged(ctx, at, eap.Type(said[0]), said[1:])
	case t.phase == phaseToken && len(said) > 0 && eap.Type(said[0]) == eap.GTC:
		return r.token(ctx, at, string(said[1:]))
	case t.phase == phaseResult:
		e, err := eap.Parse(said)
		if err != nil || e.Code != eap.Response || e.Type != eap.TLV || string(e.Data) != string(eap.Passed) || t.let == nil {
			return r.fail(at, t.id, "the peer does not agree to the result")
		}
		return r.admit(at, *t.let)
	}
	return r.fail(at, t.id, "the peer wants another method within PEAP than is allowed")
}

// card asks for the password itself.
func (r *Radius) card(at peer) (wire.Code, []wire.Attribute) {
	at.talk.phase = phaseToken
	return r.inner(at, append([]byte{byte(eap.GTC)}, questions[factor.Password]...))
}

// result tells the peer how it ended, within PEAP.
func (r *Radius) result(at peer, data []byte) (wire.Code, []wire.Attribute) {
	at.talk.phase = phaseResult
	return r.inner(at, eap.Packet{Code: eap.Request, ID: at.talk.id, Type: eap.TLV, Data: data}.Bytes())
}

// inner sends something through the tunnel.
func (r *Radius) inner(at peer, data []byte) (wire.Code, []wire.Attribute) {
	out, err := at.talk.tunnel.Send(data)
	if err != nil {
		return r.broken(at, nil, err)
	}
	return r.say(at, out)
}

// token looks at a password, or at the answer to a further factor, which is asked for in the same way.
func (r *Radius) token(ctx context.Context, at peer, typed string) (wire.Code, []wire.Attribute) {
	t := at.talk
	d, ok := r.try(ctx, at, &Access{User: t.user, Password: typed, State: t.asked, via: "PEAP/GTC"})
	switch {
	case !ok:
		return r.result(at, eap.Failed)
	case d.State != "":
		t.asked = d.State
		return r.inner(at, append([]byte{byte(eap.GTC)}, d.Message...))
	}
	t.let = &d
	return r.result(at, eap.Passed)
}

// try has a name and a password looked at; false: they let nobody in.
func (r *Radius) try(ctx context.Context, at peer, in *Access) (Decision, bool) {
	if in.User == "" || len(in.User) > maxName || in.exchange == nil && in.Password == "" || len(in.Password) > maxTyped {
		return Decision{}, false
	}
	in.at, in.caller = where(at.k, at.from), caller(at.packet)
	out, err := r.run(ctx, &r.access, at.k, at.from, in, in.via)
	if err != nil {
		return Decision{}, false
	}
	return out.(Decision), true
}

// text is bytes that are a name; empty where they are none.
func text(b []byte) string {
	return wire.Packet{Attributes: []wire.Attribute{{Value: b}}}.Text(0)
}

// Shown is what a peer showed of itself in a tunnel of EAP-TLS.
type Shown struct {
	certs  []*x509.Certificate
	at     login.Radius
	caller netip.Addr
}

// TenantHint is none: whose the client is, is known.
func (Shown) TenantHint() op.Hint { return op.Hint{} }

// named is what was found out of a certificate.
type named struct {
	wish  login.Certified
	cause error // why it names nobody, for the log
}

// look finds out whom a certificate names, outside transactions.
func (r *Radius) look(ctx context.Context, c *op.Call, in Shown) (out named, err error) {
	if err := r.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return out, err
	}
	s, err := r.Authorities.Identify(ctx, c)
	if err != nil {
		return out, err
	}
	at := in.at
	return named{login.Certified{Login: s.Login, Why: s.Why, Print: s.Print, Authority: s.Authority, Vault: &login.Vault{Radius: &at}}, s.Cause}, nil
}

// Certificate lets in whom a certificate names that the peer has the key of. What policies ask for beside it refuses. RFC 5216, RFC 9190.
func (r *Radius) Certificate(ctx context.Context, c *op.Call, in Shown, k named) (Decision, error) {
	c.Event.Type = audit.Login
	c.Event.Set("RadiusClient", in.at.Name)
	c.Event.Set("RadiusMethod", "EAP-TLS")
	out, err := r.Logins.ByCertificate(ctx, c, k.wish, nil)
	switch {
	case errors.Is(err, login.ErrFailed):
		return Decision{}, op.Refused(login.ErrFailed.Because(k.cause))
	case errors.Is(err, login.ErrMore):
		return Decision{}, op.Refused(fault.Of(err))
	case err != nil:
		return Decision{}, err
	}
	return Decision{User: out.Success.Person.Name}, nil
}
