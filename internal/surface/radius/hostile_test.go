package radius_test

import (
	"bytes"
	"crypto/tls"
	"net/netip"
	"testing"

	surface "limen/internal/surface/radius"
	"limen/internal/wire/eap"
	wire "limen/internal/wire/radius"
)

// A State is good for one packet, of the client that it was told, from the same address; and conversations end as they began.
func TestReplayedState(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool := d.server()
		s := d.supplicant(eap.PEAP, pool, tls.VersionTLS13)
		if code, _ := s.begin("anna"); code != wire.AccessChallenge {
			d.Fatal(code)
		}
		state, id := s.state, s.id
		elsewhere := *d
		elsewhere.at = netip.AddrPortFrom(d.at.Addr().Next(), 40000)
		elsewhere.must("/Core/SetRadiusClient", map[string]any{"Name": "Other", "ClientHostOrIp": elsewhere.at.Addr().String(), "Secret": secret})
		other := &supplicant{device: &elsewhere, method: eap.PEAP, state: state}
		hello := eap.Packet{Code: eap.Response, ID: id, Type: eap.PEAP, Data: []byte{0}}
		if code, _ := other.tell(hello); code != wire.AccessReject {
			d.Error("another client goes on with it", code)
		}
		if code, _ := s.tell(eap.Packet{Code: eap.Response, ID: id - 1, Type: eap.PEAP, Data: []byte{0}}); code != 0 {
			d.Error("a response to an earlier request is answered", code)
		}
		if code, _ := s.tell(hello); code != wire.AccessChallenge {
			d.Fatal("what others tried has ended it", code)
		}
		s.state = state
		if code, _ := s.tell(hello); code != wire.AccessReject {
			d.Error("a State is taken twice", code)
		}
		s.state = "made up"
		if code, _ := s.tell(hello); code != wire.AccessReject {
			d.Error("a State that was made up is taken", code)
		}
	})
}

// Even a client that may send requests without Message-Authenticator may send none with EAP in it.
func TestUnsignedEAP(t *testing.T) {
	each(t, map[string]any{"AllowUnsigned": true}, plainly, func(d *device) {
		d.server()
		e := eap.Packet{Code: eap.Response, ID: 1, Type: eap.Identity, Data: []byte("anna")}.Bytes()
		signed, err := wire.Request(wire.AccessRequest, 1, [16]byte{1}, []byte(secret), wire.Split(wire.EAPMessage, e)...)
		if err != nil {
			d.Fatal(err)
		}
		if p := d.send(signed); p.Code != wire.AccessChallenge {
			d.Error(p.Code)
		}
		b := append(append([]byte(nil), signed[:20]...), signed[38:]...)
		b[2], b[3] = byte(len(b)>>8), byte(len(b))
		if out := d.r.Handle(d.Context(), d.at, b); out != nil {
			d.Error("a request without Message-Authenticator is answered")
		}
	})
}

// What does not come to an end is ended: fragments without a last one, a handshake of nothing, and names that nobody goes on with.
func TestEndless(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool := d.server()
		for name, data := range map[string][]byte{
			"fragments": append([]byte{0x40}, bytes.Repeat([]byte{0x16}, 900)...), "small fragments": {0x40, 0x16}, "nothing": {0},
		} {
			s := d.supplicant(eap.TTLS, pool, tls.VersionTLS13)
			code, _ := s.begin("anna")
			rounds := 0
			for ; code == wire.AccessChallenge && rounds <= surface.MaxRounds; rounds++ {
				code, _ = s.tell(eap.Packet{Code: eap.Response, ID: s.id, Type: eap.TTLS, Data: data})
			}
			if code != wire.AccessReject {
				d.Error(name, "go on after", rounds)
			}
		}
		if n := d.r.Waiting(); n != 0 {
			d.Error("conversations that have ended still wait", n)
		}
	})
}

// Whoever begins conversations and does not go on pushes out the oldest of the same client, and holds no more of them than there may be.
func TestFlood(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool := d.server()
		first := d.supplicant(eap.TTLS, pool, tls.VersionTLS13)
		first.begin("anna")
		for range surface.MaxOfOne + 20 {
			d.supplicant(eap.TLS, pool, 0).begin("x")
		}
		if n := d.r.Waiting(); n != surface.MaxOfOne {
			d.Error(n, "conversations wait")
		}
		if code, _ := first.tell(eap.Packet{Code: eap.Response, ID: first.id, Type: eap.TTLS, Data: []byte{0}}); code != wire.AccessReject {
			d.Error("the oldest is still there", code)
		}
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).ttls("anna", plain); code != wire.AccessAccept {
			d.Error("nobody else gets in", code)
		}
	})
}

// Once TLS has begun there is no way back to another method; and what lies about its length, or is no TLS, ends the conversation.
func TestHostilePeers(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool := d.server()
		for name, p := range map[string]eap.Packet{
			"another method": {Type: eap.Nak, Data: []byte{byte(eap.PEAP)}}, "a method that was not offered": {Type: eap.PEAP, Data: []byte{0}},
			"a token without a tunnel": {Type: eap.GTC, Data: []byte(plain)}, "an identity once more": {Type: eap.Identity, Data: []byte("anna")},
			"a length above all bounds": {Type: eap.TTLS, Data: []byte{0xc0, 0xff, 0xff, 0xff, 0xff, 0}}, "no flags": {Type: eap.TTLS}, "a start": {Type: eap.TTLS, Data: []byte{0x20}},
			"another version": {Type: eap.TTLS, Data: []byte{1}},
		} {
			s := d.supplicant(eap.TTLS, pool, tls.VersionTLS13)
			if name == "another method" { // which was the peer's to choose before the first of TLS
				s.method = eap.TLS
			}
			s.begin("anna")
			if name == "another method" {
				if code, _ := s.tell(eap.Packet{Code: eap.Response, ID: s.id, Type: eap.TLS, Data: []byte{0, 0x16, 3}}); code != wire.AccessChallenge {
					d.Error(code)
				}
			}
			p.Code, p.ID = eap.Response, s.id
			if code, _ := s.tell(p); code != wire.AccessReject {
				d.Error(name, "is taken", code)
			}
		}
		s := d.supplicant(eap.TTLS, pool, tls.VersionTLS13)
		s.begin("anna")
		code, _ := s.exchange([]byte("GET / HTTP/1.1\r\nHost: radius.test\r\n\r\n"))
		for range 3 {
			if code == wire.AccessChallenge { // the alert
				code, _ = s.exchange(nil)
			}
		}
		if code != wire.AccessReject {
			d.Error("what is no TLS goes on", code)
		}
		for name, b := range map[string][]byte{"half a packet": {2, 1, 0, 9, 1}, "a request": {1, 1, 0, 6, 1, 'a'}, "a success": {3, 1, 0, 4}} {
			s := d.supplicant(eap.TTLS, pool, 0)
			if code, _ := s.raw(b); code != wire.AccessReject {
				d.Error(name, "is taken", code)
			}
		}
	})
}

// One tunnel is one guess, and guesses are counted as anywhere.
func TestOneGuess(t *testing.T) {
	each(t, nil, map[string]any{
		"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false, "/Core/Security/CDS/LockoutPolicy/Threshold": 3,
	}, func(d *device) {
		pool := d.server()
		s := d.supplicant(eap.PEAP, pool, tls.VersionTLS13)
		if code, asked := s.peap("anna", "wrong", plain); code != wire.AccessReject || len(asked) != 1 {
			d.Error(code, asked)
		}
		for range 2 {
			d.supplicant(eap.TTLS, pool, tls.VersionTLS13).ttls("anna", "wrong")
		}
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).ttls("anna", plain); code != wire.AccessReject {
			d.Error("a locked account is let in", code)
		}
	})
}
