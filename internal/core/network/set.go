package network

import (
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"limen/internal/fault"
)

// ErrValue is a text that names no addresses.
var ErrValue = fault.New(fault.Invalid, "network.value",
	"A range is an address, a network such as 192.0.2.0/24, or two addresses such as 192.0.2.10-192.0.2.20; several have commas between them.")

// Limits of a text.
const (
	maxValue = 8000 // bytes
	maxParts = 500
)

// Set is a set of addresses. The zero Set is empty. Sets are never changed.
type Set struct{ spans []span } // sorted, with gaps between them

type span struct{ from, to netip.Addr } // of one family

// Parse reads addresses, networks and ranges with commas between them: 192.0.2.7, 192.0.2.0/24, 192.0.2.0/255.255.255.0,
// 192.0.2.10-192.0.2.20, and the same of IPv6. ErrValue.
func Parse(text string) (Set, error) { return parse(text, false) }

// parse also refuses, when strict, a network whose address is not its first one: in the product whose clients we serve
// 192.0.2.44/5 in the list of blocked addresses means 192.0.2.44 to 192.0.2.49, and everywhere else 192.0.0.0 to 199.255.255.255
// (network.yaml n 425). Whoever means either can write it so that nobody errs.
func parse(text string, strict bool) (Set, error) {
	if len(text) > maxValue || strings.Count(text, ",") >= maxParts {
		return Set{}, ErrValue.Say("A range may have %d bytes and %d parts.", maxValue, maxParts)
	}
	var all []span
	for part := range strings.SplitSeq(text, ",") {
		one, err := parsePart(strings.TrimSpace(part), strict)
		if err != nil {
			return Set{}, err
		}
		all = append(all, one)
	}
	return Set{merged(all)}, nil
}

func parsePart(part string, strict bool) (span, error) {
	no := ErrValue.Say("%.60q is neither an address, nor a network such as 192.0.2.0/24, nor two addresses such as 192.0.2.10-192.0.2.20.", part)
	if first, last, ok := strings.Cut(part, "-"); ok {
		s := span{address(first), address(last)}
		if !s.from.IsValid() || !s.to.IsValid() || s.from.BitLen() != s.to.BitLen() || s.to.Less(s.from) {
			return span{}, no
		}
		return s, nil
	}
	if at, size, ok := strings.Cut(part, "/"); ok {
		p := prefix(at, size)
		if !p.IsValid() {
			return span{}, no
		}
		s := span{p.Masked().Addr(), last(p)}
		if ip := p.Addr(); strict && ip != s.from {
			return span{}, ErrValue.Say("%.60q can be read in two ways: write the network as %s, or the addresses as first-last.", part, p.Masked())
		}
		return s, nil
	}
	ip := address(part)
	if !ip.IsValid() {
		return span{}, no
	}
	return span{ip, ip}, nil
}

// address reads an address without a zone; IPv4 in IPv6 is IPv4.
func address(s string) netip.Addr {
	ip, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}
	}
	return ip.Unmap()
}

// prefix reads a network whose size is a number of bits, or the mask of IPv4.
func prefix(at, size string) netip.Prefix {
	ip, err := netip.ParseAddr(strings.TrimSpace(at))
	if err != nil || ip.Zone() != "" {
		return netip.Prefix{}
	}
	size = strings.TrimSpace(size)
	if mask, err := netip.ParseAddr(size); err == nil && ip.Is4() && mask.Is4() {
		b := mask.As4()
		m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if n := bits.LeadingZeros32(^m); bits.OnesCount32(m) == n {
			return netip.PrefixFrom(ip, n)
		}
		return netip.Prefix{}
	}
	n, err := strconv.ParseUint(size, 10, 8)
	if err != nil || len(size) > 3 {
		return netip.Prefix{}
	}
	if ip.Is4In6() {
		if n < 96 {
			return netip.Prefix{}
		}
		ip, n = ip.Unmap(), n-96
	}
	return netip.PrefixFrom(ip, int(n))
}

// last is the last address of a network.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	ip, _ := netip.AddrFromSlice(b)
	return ip
}

// merged sorts spans and joins those that overlap or touch.
func merged(all []span) []span {
	slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	var out []span
	for _, s := range all {
		n := len(out)
		if n > 0 && out[n-1].from.BitLen() == s.from.BitLen() && (!out[n-1].to.Less(s.from) || out[n-1].to.Next() == s.from) {
			if out[n-1].to.Less(s.to) {
				out[n-1].to = s.to
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// With is the set of what is in either.
func (s Set) With(o Set) Set { return Set{merged(slices.Concat(s.spans, o.spans))} }

// Contains says whether an address is in the set; one that is not known is in none.
func (s Set) Contains(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return false
	}
	at, exact := slices.BinarySearchFunc(s.spans, ip, func(one span, ip netip.Addr) int { return one.from.Compare(ip) })
	if exact {
		return true
	}
	return at > 0 && s.spans[at-1].from.BitLen() == ip.BitLen() && !s.spans[at-1].to.Less(ip)
}
