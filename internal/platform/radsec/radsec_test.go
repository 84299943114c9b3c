package radsec_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/iotest"
	"time"

	"limen/internal/platform/radsec"
	"limen/internal/wire/certificate/certificatetest"
)

// rig is a server, and what who connects needs.
type rig struct {
	at    string
	roots *x509.CertPool
	cert  tls.Certificate
}

func serve(t *testing.T, handle func(b []byte) ([]byte, bool)) rig {
	t.Helper()
	root := certificatetest.Root(t, "RadSec")
	r := rig{roots: x509.NewCertPool(), cert: root.Issue(t, certificatetest.Called("proxy"))}
	r.roots.AddCert(root.Cert)
	own := root.Issue(t, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"radsec.test"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	at := make(chan net.Addr, 1)
	s := &radsec.Server{
		Addr: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"h2"}}, Log: slog.New(slog.DiscardHandler),
		Started: func(a net.Addr) { at <- a },
		Admit: func(_ context.Context, from netip.AddrPort, certs []*x509.Certificate) bool {
			return from.Addr().IsLoopback() && certs[0].CheckSignatureFrom(root.Cert) == nil
		},
		Handle: func(_ context.Context, _ netip.AddrPort, _ []*x509.Certificate, b []byte) ([]byte, bool) {
			return handle(b)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r.at = (<-at).String()
	return r
}

func (r rig) dial(t *testing.T, config *tls.Config, certs ...tls.Certificate) (*tls.Conn, error) {
	t.Helper()
	config.RootCAs, config.ServerName, config.Certificates = r.roots, "radsec.test", certs
	conn, err := tls.Dial("tcp", r.at, config)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn, nil
}

// packet makes one of a length, whose bytes are an id.
func packet(id byte, n int) []byte {
	b := bytes.Repeat([]byte{id}, n)
	b[2], b[3] = byte(n>>8), byte(n)
	return b
}

// Packets of any length come as they were sent, many at once, in one piece or byte by byte; who is slow holds up nobody.
func TestPackets(t *testing.T) {
	release := make(chan struct{})
	r := serve(t, func(b []byte) ([]byte, bool) {
		if b[0] == 9 {
			<-release
		}
		return b, true
	})
	conn, err := r.dial(t, &tls.Config{MinVersion: tls.VersionTLS12}, r.cert)
	if err != nil {
		t.Fatal(err)
	}
	all := append(packet(9, 40), packet(1, 20)...)
	if _, err := conn.Write(append(all, packet(2, 4096)...)); err != nil {
		t.Fatal(err)
	}
	seen := map[byte]int{}
	for range 2 {
		b, err := radsec.Read(conn)
		if err != nil {
			t.Fatal(err)
		}
		seen[b[0]] = len(b)
	}
	close(release)
	b, err := radsec.Read(conn)
	if err != nil || b[0] != 9 || seen[1] != 20 || seen[2] != 4096 {
		t.Error(b, err, seen)
	}
	for _, one := range packet(3, 30) {
		if _, err := conn.Write([]byte{one}); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := radsec.Read(conn); err != nil || !bytes.Equal(b, packet(3, 30)) {
		t.Error(b, err)
	}
}

// ends wants a connection to be ended without an answer.
func ends(t *testing.T, what string, conn *tls.Conn, err error) {
	t.Helper()
	if err != nil {
		return
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Error(what, "is served")
	} else if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Error(what, "is not ended")
	}
}

// Attack: connections of whom nothing shows, with an old version of TLS, and packets that say what no packet has.
func TestStrangers(t *testing.T) {
	r := serve(t, func(b []byte) ([]byte, bool) { return nil, b[0] != 7 })
	conn, err := r.dial(t, &tls.Config{MinVersion: tls.VersionTLS12})
	ends(t, "no certificate", conn, err)
	conn, err = r.dial(t, &tls.Config{MinVersion: tls.VersionTLS12}, certificatetest.Root(t, "Strange").Issue(t, certificatetest.Called("proxy")))
	ends(t, "a stranger's certificate", conn, err)
	if _, err = r.dial(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, r.cert); err == nil { //nolint:gosec // what is tried
		t.Error("TLS 1.1 is spoken")
	}
	for what, b := range map[string][]byte{"a short length": {1, 1, 0, 19}, "a long length": {1, 1, 16, 1}, "what its handler refuses": packet(7, 20)} {
		conn, err := r.dial(t, &tls.Config{MinVersion: tls.VersionTLS12}, r.cert)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append(b, make([]byte, 20)...)[:max(20, len(b))]); err != nil {
			t.Fatal(err)
		}
		ends(t, what, conn, nil)
	}
	plain, err := net.Dial("tcp", r.at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	_ = plain.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := plain.Write(packet(1, 20)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(plain)
	if len(got) > 0 && got[0] != 21 { // an alert of TLS
		t.Error(got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(packet(1, 20))
	f.Add(append(packet(1, 20), packet(2, 30)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := radsec.Read(bytes.NewReader(b))
		again, errs := radsec.Read(iotest.OneByteReader(bytes.NewReader(b)))
		if !bytes.Equal(got, again) || (err == nil) != (errs == nil) {
			t.Error(got, again, err, errs)
		}
		if err == nil && (len(got) < 20 || !bytes.HasPrefix(b, got) || int(got[2])<<8|int(got[3]) != len(got)) {
			t.Error(got)
		}
	})
}
