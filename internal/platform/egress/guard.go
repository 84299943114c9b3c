package egress

import (
	"context"
	"net/netip"
	"slices"
	"syscall"

	"limen/internal/fault"
)

// ErrForbidden says that an address may not be dialled on a customer's behalf.
var ErrForbidden = fault.New(fault.Denied, "egress.forbidden", "The address is in a network that this installation does not connect to.")

// closed are the networks that are not the public Internet (IANA's special-purpose registries, RFC 6890) and that
// netip's own predicates do not know.
var closed = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared address space, RFC 6598; cloud metadata services live there, too
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),      // 6to4 carries an IPv4 address
	netip.MustParsePrefix("64:ff9b::/96"),   // NAT64 does as well
	netip.MustParsePrefix("64:ff9b:1::/48"), // its local-use relative
	netip.MustParsePrefix("fec0::/10"),
}

// Guard keeps customers from dialling into the network that the program runs in: without it, testing mail settings or
// registering a client would be a port scanner with a friendly face.
type Guard struct {
	Permit []netip.Prefix // networks that are allowed all the same, from the program's configuration
}

// Allow refuses every address that is not public unless it was permitted. IPv4 in IPv6 is judged as IPv4.
func (g Guard) Allow(ip netip.Addr) error {
	ip = ip.WithZone("").Unmap()
	if slices.ContainsFunc(g.Permit, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return nil
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() ||
		slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return ErrForbidden
	}
	return nil
}

// Control is net.Dialer.ControlContext: it judges the address that is about to be dialled, after every look-up of its name.
// What was looked up before, by anybody, does not count, so that a name which answers differently each time gains nothing.
func (g Guard) Control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrForbidden.Because(err)
	}
	return g.Allow(at.Addr())
}
