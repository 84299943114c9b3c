package op

import (
	"net/http/httptest"
	"net/netip"
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
