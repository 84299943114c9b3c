package dns_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/platform/dns"
	"limen/internal/platform/dns/dnstest"
)

func TestTXT(t *testing.T) {
	long := strings.Repeat("x", 3000)
	var z dnstest.Zone
	z.Set("example.com", "one", "two")
	z.Set("empty.example.com", "")
	z.Set("long.example.com", long, strings.Repeat("y", 5000))
	r := dns.Resolver{Timeout: 5 * time.Second, Server: z.Serve(t)}
	for name, want := range map[string][]string{
		"example.com": {"one", "two"}, "empty.example.com": nil, "none.example.com": nil, "long.example.com": {long},
	} {
		got, err := r.TXT(t.Context(), name)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %.50q %v", name, got, err)
		}
	}
	if _, err := r.TXT(t.Context(), "broken.example.com"); !errors.Is(err, dns.ErrSilent) {
		t.Errorf("a server that fails: %v", err)
	}
}

// A server that says nothing is waited for no longer than the bound.
func TestSilence(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = udp.Close() })
	r := dns.Resolver{Timeout: 50 * time.Millisecond, Server: udp.LocalAddr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := r.TXT(ctx, "example.com"); !errors.Is(err, dns.ErrSilent) || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}
