package radius

import (
	"context"
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
	"time"

	"limen/internal/core/authority"
	"limen/internal/fault"
	"limen/internal/wire/certificate"
)

// radsec is what clients share with the server over TLS, where they were given nothing else (RFC 6614 section 2.3).
const radsec = "radsec"

// maxAuthority bounds the file of an authority, in bytes.
const maxAuthority = 32 << 10

// Secured gives the clients of all tenants that an address belongs to, and a certificate with what came along. It must not be called within a
// transaction.
func (s *Setup) Secured(ctx context.Context, ip netip.Addr, certs []*x509.Certificate, now time.Time) ([]Known, error) {
	all, err := s.at(ctx, ip, true)
	if err != nil || len(certs) == 0 {
		return nil, err
	}
	return slices.DeleteFunc(all, func(k Known) bool { return !k.shows(certs, now) }), nil
}

// trust is what a certificate must lead to.
type trust struct{ roots, between *x509.CertPool }

// trusted reads the authority of a client. One that cannot be read has issued nothing.
func trusted(pem string) (t trust) {
	t.roots, t.between = x509.NewCertPool(), x509.NewCertPool()
	all, err := certificate.Read([]byte(pem))
	if err != nil {
		return t
	}
	for _, c := range all {
		if c.CheckSignatureFrom(c) == nil {
			t.roots.AddCert(c)
		} else {
			t.between.AddCert(c)
		}
	}
	return t
}

// shows says whether a certificate is the client's: issued by its authority, for TLS clients, with its name.
func (k Known) shows(certs []*x509.Certificate, now time.Time) bool {
	between := k.trust.between.Clone()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	_, err := certs[0].Verify(x509.VerifyOptions{
		Roots: k.trust.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil && called(certs[0], k.CertName)
}

// called says whether a certificate has a name: among its DNS names and addresses, or as its common name where it has none of either.
func called(c *x509.Certificate, name string) bool {
	if len(c.DNSNames)+len(c.IPAddresses) == 0 {
		return name != "" && strings.EqualFold(c.Subject.CommonName, name)
	}
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok && a.Unmap().String() == name {
			return true
		}
	}
	return name != "" && slices.ContainsFunc(c.DNSNames, func(one string) bool { return strings.EqualFold(one, name) })
}

// secure checks what a wish says about TLS.
func (w *ClientWish) secure(now time.Time) error {
	if w.Authority != nil && *w.Authority != "" {
		if len(*w.Authority) > maxAuthority {
			return fault.Bad("RadSecAuthority", "has %d bytes at most", maxAuthority)
		}
		chain, err := authority.ReadChain([]byte(*w.Authority), now)
		if err != nil {
			return fault.Bad("RadSecAuthority", "is the certificate of an authority as PEM, up to its root: %s", strings.TrimSuffix(fault.Of(err).Public, "."))
		}
		text := string(certificate.PEM(chain...))
		w.Authority = &text
	}
	if w.CertName != nil && *w.CertName != "" {
		name, err := host(*w.CertName)
		if err != nil {
			return fault.Bad("RadSecName", "is a host name or an address, as in the client's certificate")
		}
		w.CertName = &name
	}
	return nil
}

// proves wants a client to have something that shows who it is.
func (k *Client) proves() error {
	switch {
	case k.Authority != "" && k.CertName == "":
		return fault.Missing("RadSecName")
	case k.Authority != "" && k.Disconnect != 0:
		return fault.Bad("DisconnectPort", "is for clients that ask by UDP: over TLS only they connect")
	case k.Authority == "" && k.Sealed == "":
		return fault.Missing("Secret")
	case k.Authority == "":
		k.CertName = ""
	}
	return nil
}

// prints name the certificates of an authority, for events.
func prints(pem string) string {
	all, err := certificate.Read([]byte(pem))
	if pem == "" || err != nil {
		return ""
	}
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = certificate.Thumbprint(c)
	}
	return strings.Join(out, " ")
}

// opened gives the secret of a client: its own, or that of everybody over TLS.
func (s *Setup) opened(ctx context.Context, k Known) ([]byte, error) {
	if k.Sealed == "" && k.Authority != "" {
		return []byte(radsec), nil
	}
	return s.Open(ctx, k.Tenant, k.ID, k.Sealed)
}
