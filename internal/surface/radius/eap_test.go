package radius_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"limen/internal/call"
	"net"
	"strings"
	"testing"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/wire/certificate/certificatetest"
	"limen/internal/wire/eap"
	wire "limen/internal/wire/radius"
)

// supplicant is somebody's device, which speaks EAP by way of a RADIUS client.
type supplicant struct {
	*device
	method  eap.Type
	config  *tls.Config
	tunnel  *eap.Tunnel
	id      byte
	state   string
	out     eap.Queue
	in      eap.Assembler
	ended   wire.Packet // what the client was told at the end
	request [16]byte    // authenticator of the packet that it answers
}

// server shows a certificate in tunnels, and gives the authorities that its peers trust.
func (d *device) server() *x509.CertPool {
	d.Helper()
	root := certificatetest.Root(d, "RADIUS root")
	own := root.Issue(d, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"radius.test"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	d.r.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	pool := x509.NewCertPool()
	pool.AddCert(root.Cert)
	return pool
}

func (d *device) supplicant(method eap.Type, pool *x509.CertPool, version uint16, certs ...tls.Certificate) *supplicant {
	s := &supplicant{device: d, method: method, config: &tls.Config{RootCAs: pool, ServerName: "radius.test", MinVersion: tls.VersionTLS12, MaxVersion: version, Certificates: certs}}
	s.out.Size = 500
	d.Cleanup(func() {
		if s.tunnel != nil {
			s.tunnel.Close()
		}
	})
	return s
}

// tell sends a packet of EAP, and gives the answer.
func (s *supplicant) tell(p eap.Packet, more ...wire.Attribute) (wire.Code, eap.Packet) {
	s.Helper()
	return s.raw(p.Bytes(), more...)
}

func (s *supplicant) raw(b []byte, more ...wire.Attribute) (wire.Code, eap.Packet) {
	s.Helper()
	s.next++
	s.request = [16]byte{s.next, 9}
	all := append(wire.Split(wire.EAPMessage, b), more...)
	if s.state != "" {
		all = append(all, wire.Attribute{Type: wire.State, Value: []byte(s.state)})
	}
	q, err := wire.Request(wire.AccessRequest, s.next, s.request, []byte(secret), all...)
	if err != nil {
		s.Fatal(err)
	}
	p := s.send(q)
	if p.Code == 0 {
		return 0, eap.Packet{}
	}
	s.ended, s.state = p, string(p.Get(wire.State))
	message, _ := p.Bytes(wire.EAPMessage)
	e, err := eap.Parse(message)
	if err != nil {
		s.Fatal("the answer has no packet of EAP", err)
	}
	want := map[wire.Code]eap.Code{wire.AccessChallenge: eap.Request, wire.AccessAccept: eap.Success, wire.AccessReject: eap.Failure}[p.Code]
	if e.Code != want || p.Has(wire.ReplyMessage) {
		s.Fatalf("code %d comes with %d of EAP", p.Code, e.Code)
	}
	s.id = e.ID
	return p.Code, e
}

// begin says who it is, and wants its method.
func (s *supplicant) begin(identity string) (wire.Code, eap.Packet) {
	s.Helper()
	s.state = ""
	code, e := s.tell(eap.Packet{Code: eap.Response, ID: 7, Type: eap.Identity, Data: []byte(identity)})
	if code == wire.AccessChallenge && e.Type != s.method {
		code, e = s.tell(eap.Packet{Code: eap.Response, ID: s.id, Type: eap.Nak, Data: []byte{byte(s.method)}})
	}
	return code, e
}

// exchange says a message of TLS, and gives what is said to it.
func (s *supplicant) exchange(message []byte) (code wire.Code, back []byte) {
	s.Helper()
	s.out.Put(message)
	for {
		code, e := s.tell(eap.Packet{Code: eap.Response, ID: s.id, Type: s.method, Data: s.out.Next()})
		switch {
		case code != wire.AccessChallenge:
			return code, nil
		case s.out.Waits():
			if len(e.Data) != 1 {
				s.Fatal("a fragment is answered with more than that it came")
			}
			continue
		}
		back, _, whole, err := s.in.Add(e.Data)
		if err != nil {
			s.Fatal(err)
		}
		if whole {
			return code, back
		}
		s.out.Put(nil)
	}
}

// handshake makes the tunnel. It ends with what has to be said last, which is empty where the server had the last word.
func (s *supplicant) handshake(identity string) (wire.Code, []byte) {
	s.Helper()
	if code, e := s.begin(identity); code != wire.AccessChallenge || e.Type != s.method || !bytes.Equal(e.Data, []byte{0x20}) {
		return code, nil
	}
	s.tunnel = eap.NewTunnel(func(c net.Conn) *tls.Conn { return tls.Client(c, s.config) })
	out, err := s.tunnel.Feed(nil)
	for err == nil && !s.tunnel.Done() {
		code, back := s.exchange(out)
		if code != wire.AccessChallenge {
			return code, nil
		}
		out, err = s.tunnel.Feed(back)
	}
	if err != nil {
		s.Log(err)
		code, _ := s.exchange(out)
		return code, nil
	}
	return wire.AccessChallenge, out
}

// through sends something through the tunnel, behind what TLS still has to say, and gives what comes back.
func (s *supplicant) through(last, plain []byte) (wire.Code, []byte) {
	s.Helper()
	out, err := s.tunnel.Send(plain)
	if err != nil {
		s.Fatal(err)
	}
	return s.hears(s.exchange(append(last, out...)))
}

func (s *supplicant) hears(code wire.Code, back []byte) (wire.Code, []byte) {
	s.Helper()
	if code == wire.AccessChallenge && len(back) > 0 {
		if _, err := s.tunnel.Feed(back); err != nil { // an alert, behind which the end comes
			return s.exchange(nil)
		}
	}
	return code, s.tunnel.Received()
}

// agreed wants the keys that the client was told to be those of the tunnel, and the person to be named.
func (s *supplicant) agreed(user string) {
	s.Helper()
	a, b, err := eap.Keys(s.tunnel.State(), s.method)
	x, y, ok := wire.Keys(s.ended, []byte(secret), s.request)
	if err != nil || !ok || !bytes.Equal(a, x) || !bytes.Equal(b, y) {
		s.Error("the keys differ", err, ok)
	}
	if got := s.ended.Text(wire.UserName); got != user+"@"+s.s.Suffix {
		s.Error("the client was told of", got)
	}
}

// ttls signs in by a password in EAP-TTLS.
func (s *supplicant) ttls(user, password string) wire.Code {
	s.Helper()
	code, last := s.handshake("anonymous@" + s.s.Suffix)
	if code != wire.AccessChallenge {
		return code
	}
	said := eap.AppendAttribute(nil, eap.Attribute{Code: eap.AttributeName, Mandatory: true, Value: []byte(user)})
	padded := append([]byte(password), make([]byte, -len(password)&15)...)
	said = eap.AppendAttribute(said, eap.Attribute{Code: eap.AttributePassword, Mandatory: true, Value: padded})
	code, _ = s.through(last, said)
	return code
}

// peap signs in by a password, and perhaps further answers, in PEAP; it gives what was asked for.
func (s *supplicant) peap(user string, answers ...string) (wire.Code, []string) {
	s.Helper()
	code, last := s.handshake("anonymous")
	if code != wire.AccessChallenge {
		return code, nil
	}
	code, said := s.hears(s.exchange(last))
	if code != wire.AccessChallenge || !bytes.Equal(said, []byte{1}) {
		s.Fatal("no name is asked for", code, said)
	}
	var asked []string
	code, said = s.through(nil, append([]byte{1}, user...))
	for code == wire.AccessChallenge && len(said) > 0 && said[0] == byte(eap.GTC) {
		asked = append(asked, string(said[1:]))
		if len(answers) == 0 {
			return code, asked
		}
		code, said = s.through(nil, append([]byte{6}, answers[0]...))
		answers = answers[1:]
	}
	e, err := eap.Parse(said)
	if err != nil || e.Type != eap.TLV {
		s.Fatal("no result is told", code, said)
	}
	e.Code = eap.Response
	code, _ = s.through(nil, e.Bytes())
	return code, asked
}

var versions = map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

var plainly = map[string]any{"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false}

func TestTTLS(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		pool := d.server()
		for _, version := range versions {
			d.s.DropEvents()
			s := d.supplicant(eap.TTLS, pool, version)
			if code := s.ttls("anna", plain); code != wire.AccessAccept {
				d.Fatal(code)
			}
			s.agreed("anna")
			if code := d.supplicant(eap.TTLS, pool, version).ttls("anna", "wrong"); code != wire.AccessReject {
				d.Error(code)
			}
			if code := d.supplicant(eap.TTLS, pool, version).ttls("nobody", plain); code != wire.AccessReject {
				d.Error(code)
			}
			if code := d.supplicant(eap.TTLS, pool, version).ttls("anna", ""); code != wire.AccessReject {
				d.Error(code)
			}
			got := d.s.Events(d)
			if strings.Count(got, audit.Login+" success User") != 1 || strings.Count(got, audit.LoginFail+" refused login.failed") != 2 || !strings.Contains(got, `"RadiusMethod":"EAP-TTLS/PAP"`) {
				d.Error(got)
			}
		}
	})
}

// Whoever does not trust the server's certificate tells nothing.
func TestDistrust(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		d.server()
		for _, version := range versions {
			if code := d.supplicant(eap.TTLS, x509.NewCertPool(), version).ttls("anna", plain); code != wire.AccessReject {
				d.Error(code)
			}
		}
	})
}

func TestPEAP(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		pool := d.server()
		d.s.Set(d, "Authentication.Challenges", "UP;OATH")
		d.s.Set(d, "Authentication.RequireSecondFactor", "false")
		bert := d.person("bert")
		d.app(bert)
		for _, version := range versions {
			s := d.supplicant(eap.PEAP, pool, version)
			if code, asked := s.peap("anna", plain); code != wire.AccessAccept || len(asked) != 1 || asked[0] != "Enter your password." {
				d.Fatal(code, asked)
			}
			s.agreed("anna")
			if code, _ := d.supplicant(eap.PEAP, pool, version).peap("anna", "wrong"); code != wire.AccessReject {
				d.Error(code)
			}
			if code, asked := d.supplicant(eap.PEAP, pool, version).peap("bert", plain, "000000"); code != wire.AccessReject || len(asked) != 2 || asked[1] != "Enter the code of your authenticator." {
				d.Error(code, asked)
			}
		}
		s := d.supplicant(eap.PEAP, pool, tls.VersionTLS13)
		if code, _ := s.peap("bert", plain, d.code()); code != wire.AccessAccept {
			d.Error(code)
		}
		s.agreed("bert")
		// Where nothing can be asked for, who has to give more than a password is refused.
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).ttls("bert", plain); code != wire.AccessReject {
			d.Error(code)
		}
		if code := d.supplicant(eap.TTLS, pool, tls.VersionTLS13).ttls("anna", plain); code != wire.AccessAccept {
			d.Error(code)
		}
	})
}

// trust has the tenant trust a new authority, whose certificates name people by their principal name.
func (d *device) trust(name string) *certificatetest.Authority {
	d.Helper()
	root := certificatetest.Root(d, name)
	chain, err := authority.ReadChain(certificatetest.PEM(root.Cert), time.Now())
	if err != nil {
		d.Fatal(err)
	}
	unlisted := false
	d.s.Do(d, audit.AuthorityCreate, func(ctx context.Context, c *call.Call) error {
		_, err := d.s.App.Authorities.Add(ctx, c, authority.Wish{Name: &name, Chain: chain, Revoked: &unlisted})
		return err
	})
	return root
}

func TestEAPTLS(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		pool, root := d.server(), d.trust("People")
		d.s.Set(d, "Authentication.Challenges", "UP;EMAIL") // what a certificate stands in for
		anna := root.Issue(d, certificatetest.Called("anna@"+d.s.Suffix))
		try := func(version uint16, certs ...tls.Certificate) (*supplicant, wire.Code) {
			s := d.supplicant(eap.TLS, pool, version, certs...)
			code, last := s.handshake("host/laptop")
			if code != wire.AccessChallenge {
				return s, code
			}
			if len(last) == 0 { // TLS 1.2: the server had the last word
				code, _ = s.exchange(nil)
				return s, code
			}
			code, said := s.hears(s.exchange(last))
			if code != wire.AccessChallenge {
				return s, code
			}
			if !bytes.Equal(said, []byte{0}) {
				d.Error("the server does not commit itself", said)
			}
			code, _ = s.exchange(nil)
			return s, code
		}
		for name, version := range versions {
			d.s.DropEvents()
			s, code := try(version, anna)
			if code != wire.AccessAccept {
				d.Fatal(name, code)
			}
			s.agreed("anna")
			if got := d.s.Events(d); !strings.Contains(got, audit.Login+" success User") || !strings.Contains(got, `"RadiusMethod":"EAP-TLS"`) || !strings.Contains(got, `"Factors":"CERT"`) {
				d.Error(got)
			}
			for what, other := range map[string]tls.Certificate{
				"nobody's": root.Issue(d, certificatetest.Called("nobody@"+d.s.Suffix)), "a stranger's": certificatetest.Root(d, "Strange").Issue(d, certificatetest.Called("anna@"+d.s.Suffix)),
				"an old one": root.Issue(d, certificatetest.Called("anna@"+d.s.Suffix), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
				"a server's": root.Issue(d, certificatetest.Called("anna@"+d.s.Suffix), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
			} {
				if _, code := try(version, other); code != wire.AccessReject {
					d.Error(name, what, code)
				}
			}
			if _, code := try(version); code != wire.AccessReject {
				d.Error(name, "no certificate", code)
			}
		}
		// A profile that is to be passed at RADIUS clients is to be passed beside the certificate.
		d.must("/Policy/SavePolicyBlock3", map[string]any{
			"policy": map[string]any{"Path": "/Policy/Strict", "Newpolicy": true, "Version": 1, "Settings": map[string]any{
				"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": true, "/Core/Authentication/RadiusChallengeProfile": d.profile("Mail", "UP", "EMAIL"),
			}},
			"plinks": []any{map[string]any{"PolicySet": "/Policy/Strict", "LinkType": "Global", "Params": []any{}}, map[string]any{"PolicySet": "/Policy/VPN", "LinkType": "Global", "Params": []any{}}},
		})
		if _, code := try(tls.VersionTLS13, anna); code != wire.AccessReject {
			d.Error("a certificate stands in for a profile", code)
		}
		if got := d.s.Events(d); !strings.Contains(got, "login.more") {
			d.Error(got)
		}
	})
}

func (d *device) profile(name string, rounds ...string) string {
	d.Helper()
	var made struct{ Uuid string }
	if err := json.Unmarshal(d.must("/AuthProfile/SaveProfile", map[string]any{"settings": map[string]any{"Name": name, "Challenges": rounds, "AdditionalData": map[string]any{}}}), &made); err != nil {
		d.Fatal(err)
	}
	return made.Uuid
}

// Certificates let nobody in whom no policy lets in by RADIUS.
func TestEAPTLSForbidden(t *testing.T) {
	each(t, nil, map[string]any{"/Core/Authentication/AllowZso": true}, func(d *device) {
		pool, root := d.server(), d.trust("People")
		s := d.supplicant(eap.TLS, pool, tls.VersionTLS12, root.Issue(d, certificatetest.Called("anna@"+d.s.Suffix)))
		if code, _ := s.handshake("anna"); code != wire.AccessReject {
			d.Error(code)
		}
		if got := d.s.Events(d); !strings.Contains(got, "No policy lets this person sign in by RADIUS.") {
			d.Error(got)
		}
	})
}

// Peers choose among the methods that the tenant allows, once; and nothing but those.
func TestMethods(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		start := func() (*supplicant, wire.Code, eap.Packet) {
			s := d.supplicant(eap.TTLS, nil, 0)
			code, e := s.tell(eap.Packet{Code: eap.Response, ID: 7, Type: eap.Identity, Data: []byte("anna")})
			return s, code, e
		}
		if _, code, _ := start(); code != wire.AccessReject {
			d.Error("there is no certificate to show", code)
		}
		pool := d.server()
		s, code, e := start()
		if code != wire.AccessChallenge || e.Type != eap.TLS || e.ID != 8 {
			d.Fatal(code, e)
		}
		nak := func(s *supplicant, wanted ...byte) (wire.Code, eap.Packet) {
			return s.tell(eap.Packet{Code: eap.Response, ID: s.id, Type: eap.Nak, Data: wanted})
		}
		if code, e = nak(s, 4, byte(eap.PEAP), byte(eap.TTLS)); code != wire.AccessChallenge || e.Type != eap.PEAP {
			d.Error(code, e)
		}
		if code, _ = nak(s, byte(eap.TTLS)); code != wire.AccessReject {
			d.Error("a method may be refused twice")
		}
		for _, wanted := range [][]byte{nil, {0}, {4}, {6}, {26}, {43}, {byte(eap.TLS)}} {
			if s, _, _ := start(); s != nil {
				if code, _ := nak(s, wanted...); code != wire.AccessReject {
					d.Error("a method that is not allowed is offered", wanted, code)
				}
			}
		}
		d.s.Set(d, "Radius.EapMethods", "peap")
		if code := d.supplicant(eap.TTLS, pool, 0).ttls("anna", plain); code != wire.AccessReject {
			d.Error("a method is offered that the tenant does not allow", code)
		}
		if code, _ := d.supplicant(eap.PEAP, pool, 0).peap("anna", plain); code != wire.AccessAccept {
			d.Error(code)
		}
		d.s.Set(d, "Radius.EapMethods", "none")
		if _, code, _ := start(); code != wire.AccessReject {
			d.Error(code)
		}
	})
}
