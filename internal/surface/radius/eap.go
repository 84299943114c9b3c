package radius

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"

	"limen/internal/core/login"
	"limen/internal/core/radius"
	"limen/internal/core/setting"
	"limen/internal/wire/eap"
	wire "limen/internal/wire/radius"
)

// Sizes of what fragments hold.
const (
	usualFragment = 1024
	leastFragment = 200
	headFragment  = 5 // of the packet around it
)

// peer is one packet of a conversation of EAP.
type peer struct {
	k      radius.Known
	from   netip.AddrPort
	packet wire.Packet
	talk   *talk
}

// converse goes on with a conversation of EAP, or begins one (RFC 3579 section 2).
func (r *Radius) converse(ctx context.Context, from netip.AddrPort, k radius.Known, p wire.Packet) (wire.Code, []wire.Attribute) {
	message, _ := p.Bytes(wire.EAPMessage)
	at := peer{k: k, from: from, packet: p}
	if len(message) == 0 && !p.Has(wire.State) { // the client does not know yet who it is (RFC 3579 section 2.1)
		at.talk = r.talks.begin(k, from.Addr())
		return r.next(at, eap.Identity, nil)
	}
	e, err := eap.Parse(message)
	if err != nil || e.Code != eap.Response {
		return failEAP(message)
	}
	if !p.Has(wire.State) {
		if at.talk = r.talks.begin(k, from.Addr()); e.Type != eap.Identity {
			return r.fail(at, e.ID, "it does not begin with an identity")
		}
		at.talk.id = e.ID
		return r.identified(ctx, at, e)
	}
	if at.talk = r.talks.take(p.Text(wire.State), k, from.Addr()); at.talk == nil {
		return r.fail(at, e.ID, "there is no such conversation any more")
	}
	if e.ID != at.talk.id { // of an earlier request, which was answered already (RFC 3748 section 4.1)
		r.talks.restore(at.talk)
		return 0, nil
	}
	if at.talk.rounds++; at.talk.rounds > maxRounds {
		return r.fail(at, e.ID, "it does not come to an end")
	}
	return r.heard(ctx, at, e)
}

// heard goes on with the response to the request that was sent last.
func (r *Radius) heard(ctx context.Context, at peer, e eap.Packet) (wire.Code, []wire.Attribute) {
	t := at.talk
	switch {
	case t.method == 0 && e.Type == eap.Identity:
		return r.identified(ctx, at, e)
	case t.method != 0 && e.Type == t.method:
		return r.within(ctx, at, e.Data)
	case t.method != 0 && e.Type == eap.Nak && t.tunnel == nil && !t.refused:
		t.refused = true
		for _, wanted := range e.Data { // as the peer would like it best
			if m := eap.Type(wanted); m != t.method && slices.Contains(t.methods, m) {
				return r.offer(at, m)
			}
		}
		return r.fail(at, e.ID, "the peer wants a method that is not allowed")
	}
	return r.fail(at, e.ID, "the response does not fit")
}

// identified begins the first method. What the peer calls itself outside of a tunnel is for those on the way, and shows nothing.
func (r *Radius) identified(ctx context.Context, at peer, e eap.Packet) (wire.Code, []wire.Attribute) {
	var err error
	if at.talk.methods, at.talk.network, err = r.methods(ctx, at.k.Tenant); err != nil {
		return 0, nil
	}
	if r.TLS == nil || len(at.talk.methods) == 0 || len(e.Data) > maxName {
		return r.fail(at, e.ID, "EAP is not allowed, or there is no certificate to show")
	}
	return r.offer(at, at.talk.methods[0])
}

func (r *Radius) offer(at peer, m eap.Type) (wire.Code, []wire.Attribute) {
	at.talk.method = m
	at.talk.out.Size = usualFragment
	if n, ok := at.packet.Number(wire.FramedMTU); ok {
		at.talk.out.Size = int(max(leastFragment, min(n, usualFragment+headFragment)-headFragment))
	}
	return r.next(at, m, eap.Start(0))
}

// methodNames are those of the setting Radius.EapMethods.
var methodNames = map[string]eap.Type{"TLS": eap.TLS, "TTLS": eap.TTLS, "PEAP": eap.PEAP}

// values are a tenant's settings.
func (r *Radius) values(ctx context.Context, tenantID string) (*setting.Values, error) {
	c, err := r.Call(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	return r.Settings.Get(ctx, c)
}

// methods are those that a tenant allows, the one that is offered first, and whether network passwords are.
func (r *Radius) methods(ctx context.Context, tenantID string) (out []eap.Type, network bool, err error) {
	v, err := r.values(ctx, tenantID)
	if err != nil {
		return nil, false, err
	}
	for name := range strings.SplitSeq(v.EAPMethods, ",") {
		if m := methodNames[strings.ToUpper(strings.TrimSpace(name))]; m != 0 && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, v.NetworkPasswords, nil
}

// next sends the peer a request.
func (r *Radius) next(at peer, kind eap.Type, data []byte) (wire.Code, []wire.Attribute) {
	at.talk.id++
	out := wire.Split(wire.EAPMessage, eap.Packet{Code: eap.Request, ID: at.talk.id, Type: kind, Data: data}.Bytes())
	return wire.AccessChallenge, append(out, wire.Attribute{Type: wire.State, Value: []byte(r.talks.put(at.talk))})
}

// say sends the peer a message of TLS, or its first fragment.
func (r *Radius) say(at peer, message []byte) (wire.Code, []wire.Attribute) {
	at.talk.out.Put(message)
	return r.next(at, at.talk.method, at.talk.out.Next())
}

// fail ends a conversation that somebody is not let in by. Why is for the log: the peer is told nothing.
func (r *Radius) fail(at peer, id byte, why string) (wire.Code, []wire.Attribute) {
	if at.talk != nil {
		at.talk.close()
	}
	r.Log.Info("EAP has failed", "client", at.k.Name, "tenant", at.k.Tenant, "ip", at.from.Addr().String(), "because", why)
	return wire.AccessReject, []wire.Attribute{{Type: wire.EAPMessage, Value: eap.Packet{Code: eap.Failure, ID: id}.Bytes()}}
}

// failEAP answers what cannot be read.
func failEAP(message []byte) (wire.Code, []wire.Attribute) {
	if len(message) < 2 {
		return 0, nil
	}
	return wire.AccessReject, []wire.Attribute{{Type: wire.EAPMessage, Value: eap.Packet{Code: eap.Failure, ID: message[1]}.Bytes()}}
}

// admit lets somebody in: the client is told who it is, and the keys that it and the peer share from now on.
func (r *Radius) admit(at peer, d Decision) (wire.Code, []wire.Attribute) {
	t := at.talk
	defer t.close()
	out := []wire.Attribute{{Type: wire.EAPMessage, Value: eap.Packet{Code: eap.Success, ID: t.id}.Bytes()}}
	if len(d.User) <= maxName {
		out = append(out, wire.Attribute{Type: wire.UserName, Value: []byte(d.User)})
	}
	keys, err := at.packet.Keys(at.k.Secret, t.receive, t.send, rand.Reader)
	if err != nil {
		return 0, nil
	}
	return wire.AccessAccept, append(out, keys...)
}

// open makes the tunnel.
func (r *Radius) open(method eap.Type) *eap.Tunnel {
	c := r.TLS.Clone()
	c.NextProtos, c.SessionTicketsDisabled = nil, true // each time is a sign-in of its own
	if method == eap.TLS {
		c.ClientAuth = tls.RequireAnyClientCert // looked at once it is shown whose it is
	}
	return eap.NewTunnel(func(conn net.Conn) *tls.Conn { return tls.Server(conn, c) })
}

// where is where somebody signs in.
func where(k radius.Known, from netip.AddrPort) login.Radius {
	return login.Radius{Client: k.ID, Name: k.Name, From: from.Addr().Unmap().String(), Profile: k.Profile}
}

// caller is from where somebody comes, as the client says; none where it says a MAC address or a number.
func caller(p wire.Packet) netip.Addr {
	at, err := netip.ParseAddr(p.Text(wire.CallingStation))
	if err != nil {
		return netip.Addr{}
	}
	return at.Unmap().WithZone("")
}
