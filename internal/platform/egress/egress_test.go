package egress_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"limen/internal/platform/egress"
)

var loopback = egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

func TestGuard(t *testing.T) {
	g := egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for ip, ok := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "10.1.2.3": true, "::ffff:10.1.2.3": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "10.2.0.1": false, "172.16.0.1": false,
		"192.168.1.1": false, "169.254.169.254": false, "fe80::1": false, "fd00::1": false, "100.100.100.200": false,
		"::ffff:127.0.0.1": false, "224.0.0.1": false, "ff02::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"255.255.255.255": false,
	} {
		if err := g.Allow(netip.MustParseAddr(ip)); (err == nil) != ok {
			t.Errorf("%s: %v", ip, err)
		}
	}
}

// serve serves https at an address, by a certificate that the client trusts.
func serve(t *testing.T, at string, h http.Handler) (*httptest.Server, *egress.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	ln, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Listener.Close()
	s.Listener = ln
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, &egress.Client{Guard: loopback, Roots: roots}
}

func TestDo(t *testing.T) {
	var other *httptest.Server
	s, c := serve(t, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat("x", 101)))
		case "/near":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/far":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/slow":
			<-r.Context().Done()
		default:
			_, _ = w.Write([]byte(r.Method))
		}
	}))
	other, _ = serve(t, "127.0.0.1:0", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed to another host") }))
	c.MaxBody, c.Timeout = 100, time.Second
	for _, tt := range []struct {
		method, url string
		status      int
		body        string
		err         error
	}{
		{"GET", s.URL + "/ok", 200, "GET", nil}, {"POST", s.URL + "/ok", 200, "POST", nil}, {"GET", s.URL + "/near", 200, "GET", nil}, {"POST", s.URL + "/near", 302, "", nil},
		{"GET", s.URL + "/far", 302, "", nil}, {"GET", s.URL + "/round", 302, "", nil}, {"GET", s.URL + "/large", 0, "", egress.ErrLarge}, {"GET", s.URL + "/slow", 0, "", egress.ErrUnreachable},
		{"GET", "http" + strings.TrimPrefix(s.URL, "https"), 0, "", egress.ErrAddress}, {"GET", "file:///etc/passwd", 0, "", egress.ErrAddress},
		{"GET", strings.Replace(s.URL, "https://", "https://user@", 1), 0, "", egress.ErrAddress}, {"GET", "https://[", 0, "", egress.ErrAddress},
	} {
		a, err := c.Do(t.Context(), egress.Request{Method: tt.method, URL: tt.url})
		if !errors.Is(err, tt.err) || a.Status != tt.status || tt.body != "" && string(a.Body) != tt.body {
			t.Errorf("%s %s: %d %.20q %v", tt.method, tt.url, a.Status, a.Body, err)
		}
	}
}

// What is signed may be asked for by http, of the same addresses as by https.
func TestPlain(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	t.Cleanup(s.Close)
	for _, tt := range []struct {
		client *egress.Client
		plain  bool
		url    string
		err    error
	}{
		{&egress.Client{Guard: loopback}, true, s.URL, nil}, {&egress.Client{Guard: loopback}, false, s.URL, egress.ErrAddress}, {&egress.Client{}, true, s.URL, egress.ErrForbidden},
		{&egress.Client{Guard: loopback}, true, "ldap://127.0.0.1/cn=crl", egress.ErrAddress},
	} {
		if _, err := tt.client.Do(t.Context(), egress.Request{URL: tt.url, Plain: tt.plain}); !errors.Is(err, tt.err) {
			t.Errorf("%s, plain %v: %v", tt.url, tt.plain, err)
		}
	}
}

// A name that answers with an allowed address when it is first looked up and with a forbidden one afterwards reaches nothing: the
// address counts that is dialled.
func TestDNSRebinding(t *testing.T) {
	inside := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached the inside") })
	s, c := serve(t, "127.0.0.1:0", inside)
	port := s.Listener.Addr().(*net.TCPAddr).Port
	open, trusted := serve(t, net.JoinHostPort("127.0.0.2", strconv.Itoa(port)), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	_ = open
	answer := atomic.Pointer[netip.Addr]{}
	first, then := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")
	answer.Store(&first)
	*c = egress.Client{
		Guard: egress.Guard{Permit: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}}, Roots: trusted.Roots, Resolver: resolver(t, func() netip.Addr { return *answer.Load() }),
	}
	url := "https://example.com:" + strconv.Itoa(port) // a name that the certificate has
	if _, err := c.Do(t.Context(), egress.Request{URL: url}); err != nil {
		t.Fatal(err)
	}
	answer.Store(&then)
	open.CloseClientConnections()
	for range 3 {
		if _, err := c.Do(t.Context(), egress.Request{URL: url}); !errors.Is(err, egress.ErrForbidden) {
			t.Fatal(err)
		}
	}
}

// resolver asks a name server of the test's own, which answers every name with one address.
func resolver(t *testing.T, answer func() netip.Addr) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: answer().As4()}}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}
