package apptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/platform/web"
)

// CertificateHeader names, in a request of an exchange, the certificate that the connection is made by; it is not sent.
const CertificateHeader = "Certificate"

// ByCertificate has what a site is asked go over TLS to a server that asks for certificates. Requests without CertificateHeader show none.
func (s *Site) ByCertificate(t testing.TB, of map[string]tls.Certificate) {
	t.Helper()
	ready := &web.Ready{}
	ready.Set(true)
	front := httptest.NewUnstartedServer(s.App.Handler(ready))
	front.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	front.StartTLS()
	t.Cleanup(front.Close)
	roots := x509.NewCertPool()
	roots.AddCert(front.Certificate())
	shows := showing{}
	for name, cert := range of {
		shows[name] = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }}}
	}
	shows[""] = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	over := *s.Server
	over.URL, over.HTTP = front.URL, &http.Client{Transport: shows, CheckRedirect: s.HTTP.CheckRedirect}
	s.Server = &over
}

// showing are connections by the certificates that they show.
type showing map[string]*http.Transport

// RoundTrip makes the request by the one that it names.
func (s showing) RoundTrip(r *http.Request) (*http.Response, error) {
	name := r.Header.Get(CertificateHeader)
	r = r.Clone(r.Context())
	r.Header.Del(CertificateHeader)
	return s[name].RoundTrip(r)
}

// Trust has the site's tenant trust an authority.
func (s *Site) Trust(t testing.TB, name string, by authority.Login, list string, certs ...*x509.Certificate) {
	t.Helper()
	looks := list != ""
	s.Do(t, audit.AuthorityCreate, func(ctx context.Context, c *call.Call) error {
		_, err := s.App.Authorities.Add(ctx, c, authority.Wish{Name: &name, Login: &by, Revoked: &looks, List: &list, Chain: certs})
		return err
	})
}
