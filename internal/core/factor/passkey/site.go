package passkey

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"limen/internal/call"
	"limen/internal/fold"
)

// local is the host of this machine, whose pages browsers trust without TLS.
const local = "localhost"

// Site is where a key is registered or used.
type Site struct {
	RP     string // id of the relying party: the host name
	Origin string // of the page, as browsers write it
}

// At reads the origin of a page of the tenant's own. Fault: ErrOrigin.
func (k Keys) At(ctx context.Context, c *call.Call, origin string) (Site, error) {
	origin = strings.TrimSpace(origin)
	if origin == "" {
		return Site{}, ErrOrigin.At("Origin")
	}
	s, ok := siteOf(origin)
	if !ok {
		return Site{}, ErrOrigin.At("Origin").Say("The header Origin is not the origin of a page that can register an authenticator: https and a host name.")
	}
	hosts, err := k.Hosts(ctx, c)
	if err != nil {
		return Site{}, err
	}
	for _, h := range append(hosts, local) {
		if fold.Key(h) == fold.Key(s.RP) {
			return s, nil
		}
	}
	return Site{}, ErrOrigin.At("Origin").Say("The header Origin names none of this tenant's hosts.")
}

// siteOf takes an origin apart: https, or http on this machine, and a name rather than an address.
func siteOf(origin string) (Site, bool) {
	u, err := url.Parse(origin)
	if err != nil || len(origin) > 300 || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return Site{}, false
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return Site{}, false
	}
	if u.Scheme != "https" && (u.Scheme != "http" || host != local) {
		return Site{}, false
	}
	out := Site{RP: host, Origin: u.Scheme + "://" + host}
	if port := u.Port(); port != "" && port != map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		out.Origin += ":" + port
	}
	return out, true
}

// here is the site of a call: the host that was asked for, or the tenant's own where none was.
func here(c *call.Call) Site {
	host := cmp.Or(c.Client.Host, c.Tenant.Host)
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	s := Site{RP: strings.ToLower(name), Origin: "https://" + strings.ToLower(host)}
	if s.RP == local && !c.Client.Secure {
		s.Origin = "http://" + strings.ToLower(host)
	}
	return s
}
