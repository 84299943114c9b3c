package op

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"limen/internal/call"
)

// Clients describes where requests come from.
type Clients struct {
	Trusted []netip.Prefix               // proxies whose forwarding headers are believed
	Native  func(h http.Header) bool     // whether the client declares itself no browser
	Device  func(r *http.Request) string // the device cookie's value
	Watched func(r *http.Request) bool   // whether pages of applications watch the browser's session
	Cert    string                       // header in which trusted proxies name the client's certificate; empty: none is believed
}

// Of describes one request. Forwarding headers count only as far as the chain of trusted proxies reaches.
func (cs Clients) Of(r *http.Request) call.Client {
	c := call.Client{Host: r.Host, UserAgent: limitText(r.UserAgent(), 512), Secure: r.TLS != nil, Path: r.URL.Path}
	if r.TLS != nil {
		c.Certs = r.TLS.PeerCertificates
	}
	if cs.Native != nil {
		c.Native = cs.Native(r.Header)
	}
	if cs.Device != nil {
		c.Device = limitText(cs.Device(r), 128)
	}
	c.Watched = cs.Watched != nil && cs.Watched(r)
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.IP = ap.Addr().Unmap().WithZone("")
	}
	if cs.trusted(c.IP) {
		cs.forwarded(r, &c)
	}
	c.Host = strings.ToLower(c.Host)
	if c.Secure {
		c.Host = strings.TrimSuffix(c.Host, ":443")
	}
	return c
}

// certificate reads one that a proxy names: RFC 9440's :base64:, or PEM in URL encoding as nginx and others send it. One that cannot be
// read counts as none.
func certificate(header string) []*x509.Certificate {
	if len(header) > maxCert {
		return nil
	}
	var der []byte
	if inner, ok := strings.CutPrefix(header, ":"); ok {
		der, _ = base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, ":"))
	} else if text, err := url.PathUnescape(header); err == nil {
		if block, _ := pem.Decode([]byte(text)); block != nil && block.Type == "CERTIFICATE" {
			der = block.Bytes
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return []*x509.Certificate{cert}
}

const maxCert = 16 << 10

func (cs Clients) forwarded(r *http.Request, c *call.Client) {
	if cs.Cert != "" || r.Header.Get("X-Forwarded-For") != "" {
		c.Certs = nil // of the connection: it is the proxy's own
	}
	if h := r.Header.Values(cs.Cert); cs.Cert != "" && len(h) == 1 {
		c.Certs = certificate(h[0])
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && cs.trusted(c.IP); i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		c.IP = ip.Unmap().WithZone("")
	}
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		c.Secure = strings.EqualFold(proto, "https")
	}
	if host := r.Header.Get("X-Forwarded-Host"); host != "" && !strings.ContainsAny(host, ", /") {
		c.Host = host
	}
}

func (cs Clients) trusted(ip netip.Addr) bool {
	for _, p := range cs.Trusted {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

func limitText(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
