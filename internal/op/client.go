package op

import (
	"net/http"
	"net/netip"
	"strings"

	"limen/internal/call"
)

// Clients describes where requests come from.
type Clients struct {
	Trusted []netip.Prefix               // proxies whose forwarding headers are believed
	Native  func(h http.Header) bool     // whether the client declares itself no browser
	Device  func(r *http.Request) string // the device cookie's value
}

// Of describes one request. Forwarding headers count only as far as the chain of trusted proxies reaches.
func (cs Clients) Of(r *http.Request) call.Client {
	c := call.Client{Host: r.Host, UserAgent: limitText(r.UserAgent(), 512), Secure: r.TLS != nil}
	if cs.Native != nil {
		c.Native = cs.Native(r.Header)
	}
	if cs.Device != nil {
		c.Device = limitText(cs.Device(r), 128)
	}
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

func (cs Clients) forwarded(r *http.Request, c *call.Client) {
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
