package radius

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"limen/internal/core/radius"
	"limen/internal/wire/eap"
	"limen/internal/wire/mschap"
	wire "limen/internal/wire/radius"
)

// server is what this side calls itself to whoever speaks MS-CHAP.
const server = "limen"

// What MPPE may be used for the keys of an exchange (RFC 2548 sections 2.4.4 and 2.4.5).
const (
	mppeAllowed = 1
	mppe40      = 2
	mppe128     = 4
)

// challenged answers a request that has an exchange of MS-CHAP version 2 by a network password (RFC 2548 section 2.3), outside of TLS. The client
// made the challenge: that it is another one each time is its matter. No further factor can be asked for.
func (r *Radius) challenged(ctx context.Context, from netip.AddrPort, k radius.Known, p wire.Packet) (wire.Code, []wire.Attribute) {
	v, err := r.values(ctx, k.Tenant)
	if err != nil {
		return 0, nil // another server may know
	}
	if !v.NetworkPasswords || !k.MSCHAP {
		return refuse(sayMethod)
	}
	asked := p.Vendor(wire.MSCHAPChallenge)
	response, err := mschap.ParseAttribute(p.Vendor(wire.MSCHAP2Response))
	name := p.Text(wire.UserName)
	if err != nil || len(asked) != len(mschap.Challenge{}) || name == "" || len(name) > maxName || p.Has(wire.UserPassword) || p.Has(wire.State) {
		return refuse(sayRefused)
	}
	in := &Access{User: strings.TrimSpace(name), via: "MS-CHAPv2", alone: true, at: where(k, from), caller: caller(p)}
	in.exchange = &mschap.Exchange{Asked: mschap.Challenge(asked), Response: response, Name: name}
	out, err := r.run(ctx, &r.access, k, from, in, in.via)
	if err != nil {
		code, more := denied(err)
		if code != 0 {
			more = append(more, wire.MSCHAPError.Of(append([]byte{response.ID}, mschap.Refusal(mschap.NewChallenge())...)))
		}
		return code, more
	}
	return met(k, p, response.ID, out.(Decision))
}

// met lets in who was right: the client gets the proof for the peer, and the keys that both have.
func met(k radius.Known, p wire.Packet, id byte, d Decision) (wire.Code, []wire.Attribute) {
	keys, err := p.Keys(k.Secret, d.agreed.Receive, d.agreed.Send, rand.Reader)
	if err != nil {
		return 0, nil
	}
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	return wire.AccessAccept, append(keys, wire.MSCHAP2Success.Of(append([]byte{id}, d.agreed.Proof...)),
		wire.MPPEPolicy.Of(number(mppeAllowed)), wire.MPPETypes.Of(number(mppe40|mppe128)))
}

// implied looks at an exchange of MS-CHAP that came through EAP-TTLS, whose challenge both sides know of the tunnel (RFC 5281 section 11.2.4).
func (r *Radius) implied(ctx context.Context, at peer, in *Access, asked, said []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	challenge, id, err := eap.Implicit(t.tunnel.State())
	if err != nil {
		return r.fail(at, t.id, "the tunnel has no challenge")
	}
	response, err := mschap.ParseAttribute(said)
	if err != nil || response.ID != id || !bytes.Equal(asked, challenge[:]) || in.Password != "" {
		return r.fail(at, t.id, "the response is to another challenge than the tunnel's")
	}
	in.via, in.exchange = "EAP-TTLS/MS-CHAPv2", &mschap.Exchange{Asked: challenge, Response: response, Name: in.User}
	d, ok := r.try(ctx, at, in)
	if !ok {
		return r.fail(at, t.id, "the network password lets nobody in")
	}
	t.let = &d // once the peer has seen that this side is right as well
	return r.inner(at, eap.AppendAttribute(nil, eap.Attribute{
		Vendor: wire.Microsoft, Code: uint32(wire.MSCHAP2Success), Mandatory: true, Value: append([]byte{id}, d.agreed.Proof...),
	}))
}

// exchange asks for a response of MS-CHAP, within PEAP.
func (r *Radius) exchange(at peer) (wire.Code, []wire.Attribute) {
	t := at.talk
	t.phase, t.challenge, t.challengeID = phaseExchange, mschap.NewChallenge(), t.id
	return r.inner(at, append([]byte{byte(eap.MSCHAPv2)}, mschap.Ask(t.challengeID, t.challenge, server)...))
}

// exchanged goes on with what a peer says to MS-CHAP within PEAP: who has no network password may ask for the password itself.
func (r *Radius) exchanged(ctx context.Context, at peer, kind eap.Type, data []byte) (wire.Code, []wire.Attribute) {
	t := at.talk
	if t.phase == phaseExchange && kind == eap.Nak && slices.Contains(data, byte(eap.GTC)) {
		return r.card(at)
	}
	said, err := mschap.Parse(data)
	switch {
	case err != nil || kind != eap.MSCHAPv2:
	case t.phase == phaseProved && said.Op == mschap.OpSuccess:
		return r.result(at, eap.Passed)
	case t.phase == phaseRefused && said.Op == mschap.OpFailure:
		return r.result(at, eap.Failed)
	case t.phase == phaseExchange && said.Op == mschap.OpResponse:
		return r.responded(ctx, at, said)
	}
	return r.fail(at, t.id, "what the peer says does not fit in MS-CHAP")
}

// responded looks at a response. The name in it is that which was given before: whose password it is, is what the response rests on.
func (r *Radius) responded(ctx context.Context, at peer, said mschap.Said) (wire.Code, []wire.Attribute) {
	t := at.talk
	in := &Access{User: t.user, via: "PEAP/MS-CHAPv2", alone: true}
	in.exchange = &mschap.Exchange{Asked: t.challenge, Response: said.Response, Name: said.Name}
	var d Decision
	ok := said.Response.ID == t.challengeID && strings.TrimSpace(text([]byte(said.Name))) == t.user
	if ok {
		d, ok = r.try(ctx, at, in)
	}
	if !ok {
		t.phase = phaseRefused
		return r.inner(at, append([]byte{byte(eap.MSCHAPv2)}, mschap.Failed(t.challengeID, mschap.NewChallenge())...))
	}
	t.phase, t.let = phaseProved, &d
	return r.inner(at, append([]byte{byte(eap.MSCHAPv2)}, mschap.Passed(t.challengeID, d.agreed.Proof)...))
}
