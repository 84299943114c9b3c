package network

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"limen/internal/fault"
)

func TestParse(t *testing.T) {
	for _, x := range []struct {
		text    string
		in, out string // with spaces
	}{
		{"192.0.2.7", "192.0.2.7 ::ffff:192.0.2.7", "192.0.2.6 192.0.2.8 ::192.0.2.7"},
		{"192.0.2.0/24", "192.0.2.0 192.0.2.255", "192.0.1.255 192.0.3.0"},
		{"192.0.2.0/255.255.255.0", "192.0.2.0 192.0.2.255", "192.0.1.255 192.0.3.0"},
		{"192.0.2.77/24", "192.0.2.0 192.0.2.255", "192.0.3.0"},
		{"192.0.2.10-192.0.2.20", "192.0.2.10 192.0.2.15 192.0.2.20", "192.0.2.9 192.0.2.21"},
		{"10.0.0.0/8, 192.0.2.7 ,2001:db8::/32", "10.255.0.1 192.0.2.7 2001:db8:ffff::1", "11.0.0.0 2001:db9::"},
		{"0.0.0.0/0", "0.0.0.0 255.255.255.255", ":: 2001:db8::1"},
		{"::/0", ":: 2001:db8::1", "10.0.0.1"},
		{"::ffff:192.0.2.0/120", "192.0.2.200", "192.0.3.0"},
		{"2001:db8::1-2001:db8::ff", "2001:db8::80", "2001:db8::100"},
		{"10.0.0.1-10.0.0.9,10.0.0.5-10.0.0.20,10.0.0.21", "10.0.0.21 10.0.0.15", "10.0.0.22"},
		{"255.255.255.255,255.255.255.254", "255.255.255.255", "::"},
	} {
		s, err := Parse(x.text)
		if err != nil {
			t.Errorf("%s: %v", x.text, err)
			continue
		}
		for _, ip := range strings.Fields(x.in) {
			if !s.Contains(netip.MustParseAddr(ip)) {
				t.Errorf("%s does not have %s", x.text, ip)
			}
		}
		for _, ip := range strings.Fields(x.out) {
			if s.Contains(netip.MustParseAddr(ip)) {
				t.Errorf("%s has %s", x.text, ip)
			}
		}
		if s.Contains(netip.Addr{}) {
			t.Errorf("%s has an address that is not known", x.text)
		}
	}
	for _, text := range []string{
		"", ",", "192.0.2.0/24,", "192.0.2", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/024x", "192.0.2.0/255.0.255.0", "192.0.2.9-192.0.2.1",
		"192.0.2.9-2001:db8::1", "192.0.2.1-", "fe80::1%eth0", "fe80::%eth0/64", "::ffff:192.0.2.0/24", "example.com", "10.0.0.1-10.0.0.2-10.0.0.3",
		strings.Repeat("10.0.0.1,", maxParts) + "10.0.0.1", strings.Repeat(" ", maxValue+1),
	} {
		if _, err := Parse(text); !errors.Is(err, ErrValue) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// What some read as a count of further addresses, and others as the size of a network, is neither.
func TestAmbiguous(t *testing.T) {
	if _, err := parse("11.222.33.44/5", true); !errors.Is(err, ErrValue) || !strings.Contains(fault.Of(err).Public, "8.0.0.0/5") {
		t.Error(err)
	}
	for _, text := range []string{"11.222.33.0/24", "11.222.33.44/32", "11.222.33.44-11.222.33.49"} {
		if _, err := parse(text, true); err != nil {
			t.Error(text, err)
		}
	}
}

// A set has what its parts have, however they overlap.
func TestSetsAreTheirParts(t *testing.T) {
	address := rapid.Custom(func(t *rapid.T) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "last")}) })
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		var all []Set
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			a, b := address.Draw(t, "a"), address.Draw(t, "b")
			if b.Less(a) {
				a, b = b, a
			}
			parts = append(parts, a.String()+"-"+b.String())
			one, err := Parse(parts[len(parts)-1])
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, one)
		}
		whole, err := Parse(strings.Join(parts, ","))
		if err != nil {
			t.Fatal(err)
		}
		joined := Set{}
		for _, one := range all {
			joined = joined.With(one)
		}
		for ip := netip.MustParseAddr("9.255.255.255"); ip != netip.MustParseAddr("10.0.1.1"); ip = ip.Next() {
			want := false
			for _, one := range all {
				want = want || one.Contains(ip)
			}
			if whole.Contains(ip) != want || joined.Contains(ip) != want {
				t.Fatalf("%v has %s: %v", parts, ip, !want)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"192.0.2.7", "10.0.0.0/8, 192.0.2.7 ,2001:db8::/32", "192.0.2.0/255.255.255.0", "192.0.2.10-192.0.2.20", "::ffff:192.0.2.0/120", "::/0", "fe80::1%a-b", "1/2/3", "-", ",", "/",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		_, strictly := parse(text, true)
		if err != nil {
			if strictly == nil {
				t.Fatal("the strict reading takes more")
			}
			return
		}
		if len(s.spans) == 0 {
			t.Fatal("a range without addresses")
		}
		for i, one := range s.spans {
			if !s.Contains(one.from) || !s.Contains(one.to) || one.to.Less(one.from) || one.from.BitLen() != one.to.BitLen() {
				t.Fatal(one)
			}
			if i > 0 && s.spans[i-1].to.BitLen() == one.from.BitLen() && !s.spans[i-1].to.Next().Less(one.from) {
				t.Fatal("spans touch", s.spans)
			}
			if before := one.from.Prev(); before.IsValid() && s.Contains(before) {
				t.Fatal(before)
			}
		}
	})
}
