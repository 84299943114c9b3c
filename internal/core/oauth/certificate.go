package oauth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/core/revocation"
	wire "limen/internal/wire/oauth"
)

// certBond begins the thumbprint of what is bound to a certificate; those without it are of DPoP keys.
const certBond = "x5t:"

// certKey is the bond to the certificate of the call's client; empty where it showed none.
func certKey(c *call.Call) string {
	if len(c.Client.Certs) == 0 {
		return ""
	}
	sum := sha256.Sum256(c.Client.Certs[0].Raw)
	return certBond + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Bond is what tokens say of the key that they are bound to (RFC 7800): jkt of a DPoP key (RFC 9449 section 6.1), or x5t#S256 of a
// certificate (RFC 8705 section 3.1). Nil: they are bound to none.
func Bond(key string) map[string]string {
	if print, ok := strings.CutPrefix(key, certBond); ok {
		return map[string]string{"x5t#S256": print}
	}
	if key == "" {
		return nil
	}
	return map[string]string{"jkt": key}
}

// tokenType is how tokens with a bond are shown: with a DPoP proof, or as any other.
func tokenType(key string) string {
	if key == "" || strings.HasPrefix(key, certBond) {
		return "Bearer"
	}
	return "DPoP"
}

// Certified says whether a token that is bound to a certificate is shown by its holder; of others it says no.
func (l Live) Certified(c *call.Call) bool {
	return strings.HasPrefix(l.Key, certBond) && l.Key == certKey(c)
}

// OfCert says whether the token is bound to a certificate.
func (l Live) OfCert() bool { return strings.HasPrefix(l.Key, certBond) }

// bind gives the key that tokens of a client are bound to: that of its DPoP proof, or its certificate, where it wants so or FAPI does.
func bind(c *call.Call, a App, client Client, proof string) (string, error) {
	cert := certKey(c)
	switch {
	case client.TLSBound && cert == "":
		return "", ErrClient.Say("this client must show its certificate: its tokens are bound to it")
	case proof != "" || client.DPoPBound: // without one it gets none
		return proof, nil
	case client.TLSBound, a.Profile.FAPI != "":
		return cert, nil
	}
	return "", nil
}

// byCertificate takes a certificate of an authority that the application trusts, of the name that the client has registered (RFC
// 8705 section 2.1).
func (s *Server) byCertificate(ctx context.Context, c *call.Call, a App, r Registration, _ wire.Credentials) (Client, error) {
	certs := c.Client.Certs
	if len(certs) == 0 || a.Profile.Authorities == nil {
		return Client{}, ErrClient
	}
	between := x509.NewCertPool()
	for _, one := range certs[1:] {
		between.AddCert(one)
	}
	ways, err := certs[0].Verify(x509.VerifyOptions{
		Roots: a.Profile.Authorities, Intermediates: between, CurrentTime: c.Now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil || !r.Holds(certs[0]) {
		return Client{}, ErrClient.Because(err)
	}
	if err := s.unrevoked(ctx, c, ways); err != nil {
		return Client{}, ErrClient.Because(err)
	}
	return Client{Registration: r, Proved: true}, nil
}

// unrevoked wants one of the ways to an authority that the application trusts to have no certificate that was revoked, by the lists that
// certificates name. One that names none cannot be revoked but by taking it from the client.
func (s *Server) unrevoked(ctx context.Context, c *call.Call, ways [][]*x509.Certificate) (err error) {
	if s.Revoked == nil {
		return nil
	}
	for _, way := range ways {
		if err = s.unrevokedOn(ctx, c, way); err == nil || errors.Is(err, revocation.ErrRevoked) {
			return err
		}
	}
	return err
}

func (s *Server) unrevokedOn(ctx context.Context, c *call.Call, way []*x509.Certificate) error {
	for i, cert := range way[:len(way)-1] {
		err := s.Revoked.Check(ctx, c, cert, way[i+1], "")
		if err == nil || errors.Is(err, revocation.ErrNoList) && len(cert.CRLDistributionPoints) == 0 {
			continue
		}
		if errors.Is(err, revocation.ErrRevoked) || s.Unchecked == nil {
			return err
		}
		allowed, failed := s.Unchecked(ctx, c)
		if failed != nil || !allowed {
			return errors.Join(err, failed)
		}
	}
	return nil
}

// bySelfSigned takes a certificate that is among the client's keys (RFC 8705 section 2.2). Who signed it does not matter.
func (s *Server) bySelfSigned(ctx context.Context, c *call.Call, _ App, r Registration, _ wire.Credentials) (Client, error) {
	if len(c.Client.Certs) == 0 {
		return Client{}, ErrClient
	}
	cert := c.Client.Certs[0]
	if c.Now.Before(cert.NotBefore) || c.Now.After(cert.NotAfter) {
		return Client{}, ErrClient
	}
	err := s.withKeys(ctx, c, r, func(keys []jose.JSONWebKey) error {
		if slices.ContainsFunc(keys, func(k jose.JSONWebKey) bool { return stands(k, cert) }) {
			return nil
		}
		return ErrClient
	})
	if err != nil {
		return Client{}, ErrClient.Because(err)
	}
	return Client{Registration: r, Proved: true}, nil
}

// stands says whether a registered key is for a certificate: by its x5c or x5t#S256 where it has them, else by the key itself.
func stands(k jose.JSONWebKey, cert *x509.Certificate) bool {
	switch sum := sha256.Sum256(cert.Raw); {
	case k.Use == "enc":
		return false
	case len(k.Certificates) > 0:
		return k.Certificates[0].Equal(cert)
	case len(k.CertificateThumbprintSHA256) > 0:
		return string(k.CertificateThumbprintSHA256) == string(sum[:])
	}
	key, ok := k.Key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(cert.PublicKey)
}

// certHost is where the endpoints are that take certificates; empty where there are none.
func (s *Server) certHost(host string) string {
	if s.CertHost == nil {
		return ""
	}
	return s.CertHost(host)
}
