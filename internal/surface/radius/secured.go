package radius

import (
	"context"
	"crypto/x509"
	"net/netip"
	"time"

	"limen/internal/core/radius"
	wire "limen/internal/wire/radius"
)

// Admit says whether a client asks from there with these certificates (RFC 6614).
func (r *Radius) Admit(ctx context.Context, from netip.AddrPort, certs []*x509.Certificate) bool {
	return len(r.secured(ctx, from, certs)) > 0
}

// Secured answers a packet that came over TLS of whom the certificates name; false ends the connection, such as when the client was removed
// meanwhile. Where clients of several tenants have the certificate, the secret tells, as it does without TLS.
func (r *Radius) Secured(ctx context.Context, from netip.AddrPort, certs []*x509.Certificate, b []byte) ([]byte, bool) {
	p, err := wire.Parse(b)
	if err != nil {
		r.Log.Debug("a packet of RADIUS is malformed", "from", from)
		return nil, false
	}
	all := r.secured(ctx, from, certs)
	if len(all) == 0 {
		return nil, false
	}
	for i := range all { // TLS shows who made it
		all[i].Unsigned = true
	}
	return r.of(ctx, from, p, all), true
}

func (r *Radius) secured(ctx context.Context, from netip.AddrPort, certs []*x509.Certificate) []radius.Known {
	all, err := r.Setup.Secured(ctx, from.Addr(), certs, time.Now())
	if err != nil {
		r.Log.Error("RADIUS clients cannot be read", "error", err)
	}
	return all
}
