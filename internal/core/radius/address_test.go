package radius

import "testing"

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", " 192.0.2.0/24 ": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8::1": "2001:db8::1/128", "10.0.0.0/8": "10.0.0.0/8",
		"192.0.2.7/24": "", "0.0.0.0/0": "", "::/0": "", "0.0.0.0": "", "fe80::1%eth0": "", "VPN.Example.com.": "vpn.example.com", "localhost": "localhost", "192.0.2.999": "", "192.0.2": "", "vpn.example.com:1812": "", "a b": "", "https://vpn.example.com": "", "": "", "224.0.0.1": "", "::ffff:192.0.2.0/120": "",
	} {
		if got, err := network(in); got != want || (err == nil) != (want != "") {
			t.Errorf("network(%q) = %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"Tokens.Example.com.": "tokens.example.com", "192.0.2.7": "192.0.2.7", "::1": "::1", "localhost": "localhost",
		"": "", "a b": "", "https://x": "", "x:1812": "", "-x": "", "fe80::1%eth0": "",
	} {
		if got, err := host(in); got != want || (err == nil) != (want != "") {
			t.Errorf("host(%q) = %q, %v", in, got, err)
		}
	}
}
