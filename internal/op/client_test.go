package op

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
)

func TestClientBelievesOnlyTrustedProxies(t *testing.T) {
	proxy := netip.MustParsePrefix("10.0.0.0/8")
	for _, c := range []struct {
		name, remote, forwarded, want string
		trusted                       []netip.Prefix
	}{
		{"direct", "192.0.2.1:99", "", "192.0.2.1", nil},
		{"stranger lies", "192.0.2.1:99", "198.51.100.7", "192.0.2.1", nil},
		{"stranger lies though a proxy is trusted", "192.0.2.1:99", "198.51.100.7", "192.0.2.1", []netip.Prefix{proxy}},
		{"one proxy", "10.0.0.1:99", "198.51.100.7", "198.51.100.7", []netip.Prefix{proxy}},
		{"client prepends a lie", "10.0.0.1:99", "203.0.113.9, 198.51.100.7", "198.51.100.7", []netip.Prefix{proxy}},
		{"two proxies", "10.0.0.1:99", "198.51.100.7, 10.0.0.2", "198.51.100.7", []netip.Prefix{proxy}},
		{"nonsense", "10.0.0.1:99", "unknown", "10.0.0.1", []netip.Prefix{proxy}},
		{"v4 in v6", "[::ffff:192.0.2.1]:99", "", "192.0.2.1", nil},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := (Clients{Trusted: c.trusted}).Of(r).IP.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A certificate in a header counts where it is configured, of trusted proxies, given once.
func TestCertificateHeader(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	der := s.Certificate().Raw
	rfc := ":" + base64.StdEncoding.EncodeToString(der) + ":"
	escaped := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	proxy := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name, remote, header string
		values               []string
		want                 int
	}{
		{"RFC 9440", "10.0.0.1:9", "Client-Cert", []string{rfc}, 1}, {"PEM", "10.0.0.1:9", "Client-Cert", []string{escaped}, 1},
		{"a stranger's", "192.0.2.1:9", "Client-Cert", []string{rfc}, 0}, {"not configured", "10.0.0.1:9", "", []string{rfc}, 0},
		{"twice", "10.0.0.1:9", "Client-Cert", []string{rfc, rfc}, 0}, {"unreadable", "10.0.0.1:9", "Client-Cert", []string{":AAAA:"}, 0}, {"none", "10.0.0.1:9", "Client-Cert", nil, 0},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		for _, v := range c.values {
			r.Header.Add("Client-Cert", v)
		}
		if got := (Clients{Trusted: proxy, Cert: c.header}).Of(r).Certs; len(got) != c.want {
			t.Errorf("%s: %d certificates", c.name, len(got))
		}
	}
}

// The certificate of a connection counts unless a proxy made the connection for somebody else.
func TestCertificateOfConnection(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	proxy := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		name, remote, header, forwarded string
		want                            int
	}{
		{"a client's", "192.0.2.1:9", "", "", 1}, {"a client's that claims to be a proxy", "192.0.2.1:9", "Client-Cert", "192.0.2.7", 1}, {"from a trusted network", "10.0.0.1:9", "", "", 1},
		{"a proxy's", "10.0.0.1:9", "", "192.0.2.7", 0}, {"a proxy's that names no certificate", "10.0.0.1:9", "Client-Cert", "", 0},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.TLS = c.remote, &tls.ConnectionState{PeerCertificates: []*x509.Certificate{s.Certificate()}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := (Clients{Trusted: proxy, Cert: c.header}).Of(r).Certs; len(got) != c.want {
			t.Errorf("%s: %d certificates", c.name, len(got))
		}
	}
}

func FuzzCertificate(f *testing.F) {
	for _, s := range []string{":AAAA:", "-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A", ":", "%", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := certificate(s); len(got) > 1 || len(got) == 1 && len(got[0].Raw) == 0 {
			t.Fatal(got)
		}
	})
}
