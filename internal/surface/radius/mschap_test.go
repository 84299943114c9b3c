package radius_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/wire/eap"
	"limen/internal/wire/mschap"
	wire "limen/internal/wire/radius"
)

// network gives somebody a network password, in a tenant that lets people have them.
func (d *device) network(p apptest.Person) string {
	d.Helper()
	d.s.Set(d, "Radius.NetworkPasswords", "true")
	passwords := d.s.App.Logins.Networks
	if err := d.s.App.Logins.Ensure(d.Context(), d.s.ID); err != nil {
		d.Fatal(err)
	}
	n, err := passwords.Draw(d.Context(), d.s.App.Shell(d.s.ID), p.ID)
	if err != nil {
		d.Fatal(err)
	}
	d.s.Do(d, audit.NetworkPassword, func(ctx context.Context, c *call.Call) error { return passwords.Put(ctx, c, p.ID, n) })
	return n.Plain
}

// speaks lets the client speak MS-CHAP outside of TLS.
func (d *device) speaks() {
	d.Helper()
	d.must("/Core/SetRadiusClient", map[string]any{"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "AllowMsChapV2": true})
}

// chap makes a request by MS-CHAP version 2, and gives what the peer knows of it.
func (d *device) chap(name, typed string, more ...wire.Attribute) ([]byte, mschap.Exchange) {
	d.Helper()
	e := mschap.Respond(mschap.NewChallenge(), mschap.NewChallenge(), d.next, name, typed)
	return d.chapped(e, more...), e
}

func (d *device) chapped(e mschap.Exchange, more ...wire.Attribute) []byte {
	d.Helper()
	d.next++
	all := append([]wire.Attribute{{Type: wire.UserName, Value: []byte(e.Name)}, wire.MSCHAPChallenge.Of(e.Asked[:]), wire.MSCHAP2Response.Of(e.Response.Attribute())}, more...)
	b, err := wire.Request(wire.AccessRequest, d.next, [16]byte{d.next, 3}, []byte(secret), all...)
	if err != nil {
		d.Fatal(err)
	}
	return b
}

// chaps wants a request by MS-CHAP version 2 to be answered so.
func (d *device) chaps(want wire.Code, name, typed string) wire.Packet {
	d.Helper()
	b, _ := d.chap(name, typed)
	p := d.send(b)
	if p.Code != want {
		d.Fatalf("%s is answered with %d %q, want %d", name, p.Code, p.Joined(wire.ReplyMessage), want)
	}
	return p
}

func TestMSCHAP(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		own := d.network(d.person("bert"))
		d.speaks()
		d.s.DropEvents()
		b, e := d.chap("bert", own)
		p := d.send(b)
		h := mschap.HashOf(own)
		if got := string(p.Vendor(wire.MSCHAP2Success)); p.Code != wire.AccessAccept || got != string([]byte{e.ID})+e.Proof(h) {
			d.Fatal(p.Code, got)
		}
		receive, send := e.Keys(h)
		if x, y, ok := wire.Keys(p, []byte(secret), [16]byte(b[4:20])); !ok || !bytes.Equal(x, receive) || !bytes.Equal(y, send) {
			d.Error("the keys differ", ok)
		}
		if got := p.Vendor(wire.MPPETypes); !bytes.Equal(got, []byte{0, 0, 0, 6}) || !bytes.Equal(p.Vendor(wire.MPPEPolicy), []byte{0, 0, 0, 1}) {
			d.Error(got)
		}
		d.chaps(wire.AccessAccept, "bert@"+d.s.Suffix, own)
		got := d.s.Events(d)
		if strings.Count(got, audit.Login+" success User") != 2 || !strings.Contains(got, `"RadiusMethod":"MS-CHAPv2"`) || !strings.Contains(got, `"Factors":"NETWORK"`) || strings.Contains(got, own) {
			d.Error(got)
		}
		for name, typed := range map[string]string{"bert": "abcdefghijkmnpqrstuv", "anna": own, "nobody": own} {
			p := d.chaps(wire.AccessReject, name, typed)
			if e := string(p.Vendor(wire.MSCHAPError)); len(e) < 50 || !strings.HasPrefix(e[1:], "E=691 R=0 C=") || p.Vendor(wire.MSCHAP2Success) != nil {
				d.Errorf("%q", e)
			}
		}
		d.chaps(wire.AccessReject, "bert", plain) // that of the account is another one
	})
}

// Attack: a downgrade. Outside of TLS the client has to be allowed it, and the tenant network passwords; version 1 is never spoken; and nothing of
// it is taken of somebody who shows no secret.
func TestMSCHAPDowngrade(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		own := d.network(d.person("bert"))
		refused := func(what string) {
			d.Helper()
			if p := d.chaps(wire.AccessReject, "bert", own); p.Joined(wire.ReplyMessage) != "This way to send a password is not supported. Use PAP." {
				d.Error(what, p.Joined(wire.ReplyMessage))
			}
		}
		refused("the client does not speak it")
		d.speaks()
		d.chaps(wire.AccessAccept, "bert", own)
		d.s.Set(d, "Radius.NetworkPasswords", "false")
		refused("the tenant has none")
		d.s.Set(d, "Radius.NetworkPasswords", "true")
		d.next++
		b, err := wire.Request(wire.AccessRequest, d.next, [16]byte{d.next}, []byte(secret), wire.Attribute{Type: wire.UserName, Value: []byte("bert")},
			wire.MSCHAPChallenge.Of(make([]byte, 8)), wire.MSCHAPResponse.Of(make([]byte, 50)))
		if err != nil {
			d.Fatal(err)
		}
		if p := d.send(b); p.Code != wire.AccessReject || !strings.Contains(p.Joined(wire.ReplyMessage), "Use PAP") {
			d.Error("version 1", p)
		}
		d.must("/Core/SetRadiusClient", map[string]any{"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "AllowUnsigned": true})
		b, _ = d.chap("bert", own)
		bare := append(append([]byte(nil), b[:20]...), b[38:]...)
		bare[2], bare[3] = byte(len(bare)>>8), byte(len(bare))
		if out := d.r.Handle(d.Context(), d.at, bare); out != nil {
			d.Error("one that shows no secret is answered")
		}
	})
}

// Attack: a network password in place of the account's, wherever that is asked for.
func TestNetworkPasswordSignsInNowhereElse(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		bert := d.person("bert")
		own, pool := d.network(bert), d.server()
		d.ask(wire.AccessReject, "bert", own, "")
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).ttls("bert", own); code != wire.AccessReject {
			d.Error("EAP-TTLS with PAP", code)
		}
		for path, body := range map[string]any{
			"/Security/Login":                        map[string]any{"user": bert.Name, "password": own},
			"/PasswordVault/API/auth/Cyberark/Logon": map[string]any{"username": bert.Name, "password": own},
		} {
			if status, answer := d.s.Call(d, "", http.MethodPost, path, body); status == http.StatusOK && !strings.Contains(string(answer), `"success":false`) && !strings.Contains(string(answer), `"success": false`) {
				d.Error(path, status, string(answer))
			}
		}
		mine := d.network(d.s.Plain)
		status, answer := d.s.Call(d, d.s.TokenOf(d, "plain"), http.MethodPost, "/UserMgmt/VerifyPassword", map[string]any{"password": mine})
		if status != http.StatusOK || strings.Contains(string(answer), `"Result":true`) {
			d.Error(status, string(answer))
		}
	})
}

// chapTTLS signs in by a network password in EAP-TTLS. Change may change what is said.
func (s *supplicant) chapTTLS(name, typed string, change func(asked *mschap.Challenge, id *byte)) wire.Code {
	s.Helper()
	code, last := s.handshake("anonymous")
	if code != wire.AccessChallenge {
		return code
	}
	asked, id, err := eap.Implicit(s.tunnel.State())
	if err != nil {
		s.Fatal(err)
	}
	if change != nil {
		change((*mschap.Challenge)(&asked), &id)
	}
	e := mschap.Respond(asked, mschap.NewChallenge(), id, name, typed)
	said := eap.AppendAttribute(nil, eap.Attribute{Code: eap.AttributeName, Mandatory: true, Value: []byte(name)})
	said = eap.AppendAttribute(said, eap.Attribute{Vendor: wire.Microsoft, Code: uint32(wire.MSCHAPChallenge), Mandatory: true, Value: asked[:]})
	said = eap.AppendAttribute(said, eap.Attribute{Vendor: wire.Microsoft, Code: uint32(wire.MSCHAP2Response), Mandatory: true, Value: e.Response.Attribute()})
	code, back := s.through(last, said)
	if code != wire.AccessChallenge {
		return code
	}
	all, err := eap.ParseAttributes(back)
	if err != nil || len(all) != 1 || all[0].Code != uint32(wire.MSCHAP2Success) || string(all[0].Value[1:]) != e.Proof(mschap.HashOf(typed)) || all[0].Value[0] != id {
		s.Fatal("the server does not show that it knows the password", all, err)
	}
	code, _ = s.exchange(nil)
	return code
}

// chapPEAP signs in by a network password in PEAP. Respond makes the response to a challenge; nil: the right one.
func (s *supplicant) chapPEAP(name, typed string, respond func(asked mschap.Challenge, id byte) mschap.Exchange) wire.Code {
	s.Helper()
	asked, id, code := s.askedPEAP(name)
	if code != wire.AccessChallenge {
		return code
	}
	e := mschap.Respond(asked, mschap.NewChallenge(), id, name, typed)
	if respond != nil {
		e = respond(asked, id)
	}
	code, said := s.through(nil, append([]byte{26}, mschap.Said{Op: mschap.OpResponse, Response: e.Response, Name: e.Name}.Bytes()...))
	if code != wire.AccessChallenge || len(said) < 2 || said[0] != 26 {
		s.Fatal("no end of MS-CHAP", code, said)
	}
	op := mschap.Op(said[1])
	if op == mschap.OpSuccess && !bytes.Contains(said, []byte(e.Proof(mschap.HashOf(typed)))) || op == mschap.OpFailure && !bytes.Contains(said, []byte("E=691 R=0")) {
		s.Fatalf("%q", said)
	}
	code, said = s.through(nil, []byte{26, byte(op)})
	tlv, err := eap.Parse(said)
	if err != nil || tlv.Type != eap.TLV {
		s.Fatal("no result is told", code, said)
	}
	tlv.Code = eap.Response
	code, _ = s.through(nil, tlv.Bytes())
	return code
}

// askedPEAP goes as far as the challenge.
func (s *supplicant) askedPEAP(name string) (asked mschap.Challenge, id byte, code wire.Code) {
	s.Helper()
	code, last := s.handshake("anonymous")
	if code != wire.AccessChallenge {
		return asked, 0, code
	}
	if code, said := s.hears(s.exchange(last)); code != wire.AccessChallenge || !bytes.Equal(said, []byte{1}) {
		s.Fatal("no name is asked for", code, said)
	}
	code, said := s.through(nil, append([]byte{1}, name...))
	if code != wire.AccessChallenge || len(said) < 22 || said[0] != 26 || said[1] != byte(mschap.OpChallenge) || said[5] != 16 {
		s.Fatal("no challenge", code, said)
	}
	return mschap.Challenge(said[6:22]), said[2], code
}

func TestMSCHAPInTunnels(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool, own := d.server(), d.network(d.person("bert"))
		for _, version := range versions {
			s := d.supplicant(eap.TTLS, pool, version)
			if code := s.chapTTLS("bert", own, nil); code != wire.AccessAccept {
				d.Fatal(code)
			}
			s.agreed("bert")
			s = d.supplicant(eap.PEAP, pool, version)
			if code := s.chapPEAP("bert", own, nil); code != wire.AccessAccept {
				d.Fatal(code)
			}
			s.agreed("bert")
			for name, typed := range map[string]string{"bert": plain, "anna": own, "nobody": own} {
				if code := d.supplicant(eap.TTLS, pool, version).chapTTLS(name, typed, nil); code != wire.AccessReject {
					d.Error(name, code)
				}
				if code := d.supplicant(eap.PEAP, pool, version).chapPEAP(name, typed, nil); code != wire.AccessReject {
					d.Error(name, code)
				}
			}
			if code := d.supplicant(eap.TTLS, pool, version).ttls("anna", plain); code != wire.AccessAccept {
				d.Error("PAP is not spoken any more", code)
			}
		}
		// Who has none asks for the password itself.
		s := d.supplicant(eap.PEAP, pool, tls.VersionTLS13)
		s.askedPEAP("anna")
		code, said := s.through(nil, []byte{byte(eap.Nak), 43, byte(eap.GTC)})
		if code != wire.AccessChallenge || len(said) == 0 || said[0] != byte(eap.GTC) {
			d.Fatal(code, said)
		}
		if _, said = s.through(nil, append([]byte{byte(eap.GTC)}, plain...)); !bytes.Contains(said, eap.Passed) {
			d.Error(said)
		}
		for _, wrong := range [][]byte{{byte(eap.Nak), 43}, {byte(eap.GTC), 'x'}, {26, 3}, {26, 4}, {26}} {
			s := d.supplicant(eap.PEAP, pool, tls.VersionTLS13)
			s.askedPEAP("bert")
			if code, _ := s.through(nil, wrong); code != wire.AccessReject {
				d.Error(wrong, code)
			}
		}
		d.s.Set(d, "Radius.NetworkPasswords", "false")
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).chapTTLS("bert", own, nil); code != wire.AccessReject {
			d.Error("it is spoken where the tenant has none", code)
		}
		if code, _ := d.supplicant(eap.PEAP, pool, tls.VersionTLS13).peap("anna", plain); code != wire.AccessAccept {
			d.Error(code)
		}
	})
}

// Attacks: a response to an earlier challenge, to one of somebody's own making, or that gives the server's own back.
func TestMSCHAPReplayAndReflection(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool, own := d.server(), d.network(d.person("bert"))
		var heard mschap.Exchange
		peap := func(respond func(asked mschap.Challenge, id byte) mschap.Exchange) wire.Code {
			return d.supplicant(eap.PEAP, pool, tls.VersionTLS13).chapPEAP("bert", own, respond)
		}
		if code := peap(func(asked mschap.Challenge, id byte) mschap.Exchange {
			heard = mschap.Respond(asked, mschap.NewChallenge(), id, "bert", own)
			return heard
		}); code != wire.AccessAccept {
			d.Fatal(code)
		}
		for what, respond := range map[string]func(asked mschap.Challenge, id byte) mschap.Exchange{
			"replay": func(_ mschap.Challenge, id byte) mschap.Exchange {
				again := heard
				again.ID = id
				return again
			},
			"another id": func(asked mschap.Challenge, id byte) mschap.Exchange {
				return mschap.Respond(asked, mschap.NewChallenge(), id+1, "bert", own)
			},
			"reflection": func(asked mschap.Challenge, id byte) mschap.Exchange {
				return mschap.Respond(asked, asked, id, "bert", own)
			},
			"another name": func(asked mschap.Challenge, id byte) mschap.Exchange {
				return mschap.Respond(asked, mschap.NewChallenge(), id, "anna", own)
			},
		} {
			if code := peap(respond); code != wire.AccessReject {
				d.Error(what, code)
			}
		}
		for what, change := range map[string]func(*mschap.Challenge, *byte){
			"a challenge of their own": func(asked *mschap.Challenge, _ *byte) { *asked = heard.Asked }, "another id": func(_ *mschap.Challenge, id *byte) { *id++ },
		} {
			if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS12).chapTTLS("bert", own, change); code != wire.AccessReject {
				d.Error(what, code)
			}
		}
		d.speaks()
		if p := d.send(d.chapped(mschap.Respond(heard.Asked, heard.Asked, 1, "bert", own))); p.Code != wire.AccessReject {
			d.Error("reflection outside of TLS", p.Code)
		}
	})
}

// Who has to give more than a password is refused: MS-CHAP has no way to ask.
func TestMSCHAPAndFurtherFactors(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		d.s.Set(d, "Authentication.Challenges", "UP;OATH")
		bert := d.person("bert")
		d.app(bert)
		pool, own := d.server(), d.network(bert)
		d.speaks()
		d.s.DropEvents()
		if p := d.chaps(wire.AccessReject, "bert", own); p.Vendor(wire.MSCHAP2Success) != nil || p.Has(wire.State) {
			d.Error(p)
		}
		if code := d.supplicant(eap.PEAP, pool, tls.VersionTLS13).chapPEAP("bert", own, nil); code != wire.AccessReject {
			d.Error(code)
		}
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).chapTTLS("bert", own, nil); code != wire.AccessReject {
			d.Error(code)
		}
		if got := d.s.Events(d); strings.Count(got, "login.more") < 3 {
			d.Error(got)
		}
	})
}

// Guesses at the one password count for the other, and whoever knows the one washes away none at the other. What becomes of the account counts;
// another password of it does not.
func TestNetworkPasswordAndTheAccount(t *testing.T) {
	each(t, nil, map[string]any{
		"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false, "/Core/Security/CDS/LockoutPolicy/Threshold": 3,
	}, func(d *device) {
		bert := d.person("bert")
		own := d.network(bert)
		d.speaks()
		n, err := d.s.App.Passwords.Prepare(d.Context(), d.s.App.Shell(d.s.ID), password.Change{User: bert.ID, Plain: "Second-Horse-2-Stable", Any: true})
		if err != nil {
			d.Fatal(err)
		}
		d.s.Do(d, audit.PasswordSet, func(ctx context.Context, c *call.Call) error { return d.s.App.Passwords.Put(ctx, c, bert.ID, n, true) })
		d.chaps(wire.AccessAccept, "bert", own)
		d.must("/CDirectoryService/SetUserState", map[string]any{"ID": bert.ID, "state": "Locked"})
		d.chaps(wire.AccessReject, "bert", own)
		d.must("/CDirectoryService/SetUserState", map[string]any{"ID": bert.ID, "state": "None"})
		d.chaps(wire.AccessAccept, "bert", own)
		d.ask(wire.AccessReject, "bert", "wrong", "") // the second failure: the locked account's was one
		d.chaps(wire.AccessAccept, "bert", own)
		d.chaps(wire.AccessReject, "bert", "wrong")
		d.chaps(wire.AccessReject, "bert", own)
		if got := d.s.Events(d); !strings.Contains(got, audit.Lockout) {
			d.Error(got)
		}
	})
}
