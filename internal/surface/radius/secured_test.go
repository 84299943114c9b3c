package radius_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/wire/certificate/certificatetest"
	wire "limen/internal/wire/radius"
)

// over has the client ask over TLS, with a certificate by the name of an authority.
func (d *device) over(root *certificatetest.Authority, name, shared string) {
	d.Helper()
	d.must("/Core/SetRadiusClient", map[string]any{
		"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "Secret": shared, "RadSecAuthority": string(certificatetest.PEM(root.Cert)), "RadSecName": name,
	})
}

// secured sends a request over TLS, made with a secret; ok says that the connection goes on.
func (d *device) secured(from netip.AddrPort, cert tls.Certificate, typed, shared string) (code wire.Code, ok bool) {
	d.Helper()
	d.next++
	at := [16]byte{d.next, 5}
	hidden, err := wire.Hide(typed, []byte(shared), at)
	if err != nil {
		d.Fatal(err)
	}
	b, err := wire.Request(wire.AccessRequest, d.next, at, []byte(shared), wire.Attribute{Type: wire.UserName, Value: []byte("anna")}, hidden)
	if err != nil {
		d.Fatal(err)
	}
	out, ok := d.r.Secured(d.Context(), from, chain(d, cert), b)
	if out == nil {
		return 0, ok
	}
	p, err := wire.Parse(out)
	if err != nil || !p.Answers(d.next, at, []byte(shared)) {
		d.Error("the answer is nobody's", err)
	}
	return p.Code, ok
}

func chain(d *device, cert tls.Certificate) (out []*x509.Certificate) {
	for _, der := range cert.Certificate {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			d.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func named(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = []string{name} }
}

// A client that asks over TLS is known by its certificate, and answered there alone.
func TestRadSec(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		root := certificatetest.Root(d, "Devices")
		good := root.Issue(d, named("gate.example"))
		if _, ok := d.secured(d.at, good, plain, secret); ok {
			d.Error("a client without RadSec is answered over TLS")
		}
		d.over(root, "Gate.Example", "")
		if code, ok := d.secured(d.at, good, plain, secret); code != wire.AccessAccept || !ok {
			d.Fatal(code, ok)
		}
		if code, ok := d.secured(d.at, good, "wrong", secret); code != wire.AccessReject || !ok {
			d.Error(code, ok)
		}
		if code, _ := d.secured(d.at, good, plain, "radsec"); code != 0 {
			d.Error("the secret that it has does not count", code)
		}
		if p := d.send(d.packet("anna", plain, "")); p.Code != 0 {
			d.Error("it is answered by UDP as well", p.Code)
		}
		at := d.at
		for what, one := range map[string]struct {
			from netip.AddrPort
			cert tls.Certificate
		}{
			"another address":   {netip.AddrPortFrom(at.Addr().Next(), 1), good},
			"another name":      {at, root.Issue(d, named("other.example"))},
			"a name below":      {at, root.Issue(d, named("a.gate.example"))},
			"no name":           {at, root.Issue(d)},
			"another authority": {at, certificatetest.Root(d, "Devices").Issue(d, named("gate.example"))},
			"a server's":        {at, root.Issue(d, named("gate.example"), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })},
			"an old one":        {at, root.Issue(d, named("gate.example"), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })},
		} {
			if code, ok := d.secured(one.from, one.cert, plain, secret); code != 0 || ok {
				d.Error(what, "is answered", code, ok)
			}
			if d.r.Admit(d.Context(), one.from, chain(d, one.cert)) {
				d.Error(what, "is let in")
			}
		}
		if !d.r.Admit(d.Context(), at, chain(d, root.Issue(d, func(c *x509.Certificate) { c.Subject.CommonName = "gate.example" }))) {
			d.Error("a common name does not count where there is no other name")
		}
		d.must("/Core/RemoveRadiusClients", map[string]any{"Ids": []string{d.id}})
		if _, ok := d.secured(at, good, plain, secret); ok {
			d.Error("a client that was removed goes on")
		}
	})
}

// Without a secret of its own a client shares the standard's, and its requests need no Message-Authenticator: TLS shows who made them.
func TestRadSecByTheStandard(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		root := certificatetest.Root(d, "Devices")
		d.must("/Core/RemoveRadiusClients", map[string]any{"Ids": []string{d.id}})
		d.id = ""
		d.over(root, "gate.example", "")
		good := root.Issue(d, named("gate.example"))
		if code, _ := d.secured(d.at, good, plain, "radsec"); code != wire.AccessAccept {
			d.Error(code)
		}
		d.next++
		at := [16]byte{d.next, 6}
		hidden, err := wire.Hide(plain, []byte("radsec"), at)
		if err != nil {
			d.Fatal(err)
		}
		b, err := wire.Request(wire.AccessRequest, d.next, at, []byte("radsec"), wire.Attribute{Type: wire.UserName, Value: []byte("anna")}, hidden)
		if err != nil {
			d.Fatal(err)
		}
		bare := append(append([]byte(nil), b[:20]...), b[38:]...)
		bare[2], bare[3] = byte(len(bare)>>8), byte(len(bare))
		if out, ok := d.r.Secured(d.Context(), d.at, chain(d, good), bare); !ok || len(out) == 0 || wire.Code(out[0]) != wire.AccessAccept {
			d.Error(out, ok)
		}
		if out, ok := d.r.Secured(d.Context(), d.at, chain(d, good), bare[:19]); out != nil || ok {
			d.Error("half a packet is answered")
		}
	})
}

// Attack: another tenant sets up a client with the same address, authority and name, all of which are public. It learns nothing, and where the
// client has a secret of its own it keeps nobody out.
func TestRadSecOfAnotherTenant(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		root := certificatetest.Root(d, "Devices")
		good := root.Issue(d, named("gate.example"))
		d.over(root, "gate.example", secret)
		other := d.s.Server.Tenant(d)
		in := map[string]any{"Name": "Trap", "ClientHostOrIp": d.at.Addr().String(), "RadSecAuthority": string(certificatetest.PEM(root.Cert)), "RadSecName": "gate.example"}
		if status, answer := other.Call(d, other.TokenOf(d, "admin"), http.MethodPost, "/Core/SetRadiusClient", in); status != http.StatusOK || !strings.Contains(string(answer), `"success":true`) {
			d.Fatal(string(answer))
		}
		if code, _ := d.secured(d.at, good, plain, secret); code != wire.AccessAccept {
			d.Error("another tenant's client keeps it out", code)
		}
		other.DropEvents()
		if code, _ := d.secured(d.at, good, "wrong", secret); code != wire.AccessReject || other.Events(d) != "" {
			d.Error("it is taken for another tenant's", code)
		}
	})
}
