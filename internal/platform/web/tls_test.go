package web

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func auto(t *testing.T, dir string, hosts ...string) (*TLS, *clock) {
	t.Helper()
	c := &clock{at: time.Now()}
	return &TLS{Mode: "auto", Dir: dir, Hosts: hosts, Log: quiet(), Now: c.now}, c
}

// client trusts the file and nothing else, and asks for host wherever the server really is.
func client(t *testing.T, caFile, host string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in", caFile)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: host}, ForceAttemptHTTP2: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

// run starts a server on a free port and gives its address and a function that stops it.
func run(t *testing.T, s *Server) (addr string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	s.Addr, s.Log = "127.0.0.1:0", quiet()
	if s.Handler == nil {
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	}
	s.Started = func(a net.Addr) { started <- a.String() }
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	select {
	case addr = <-started:
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	return addr, stop
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 {
		t.Errorf("%s: %d %s", url, resp.StatusCode, body)
	}
	return string(body), err
}

func TestHandshake(t *testing.T) {
	setup, _ := auto(t, filepath.Join(t.TempDir(), "tls"), "id.example.com", "10.1.2.3", "*.apps.example.com")
	addr, _ := run(t, &Server{TLS: setup})
	for host, want := range map[string]bool{
		"id.example.com": true, "localhost": true, "127.0.0.1": true, "::1": true, "10.1.2.3": true, "x.apps.example.com": true,
		"example.com": false, "other.example.com": false, "10.1.2.4": false,
	} {
		proto, err := get(t, client(t, setup.CAFile(), host), "https://"+addr+"/")
		if (err == nil) != want || want && proto != "HTTP/2.0" {
			t.Errorf("%s: %q %v", host, proto, err)
		}
	}
	if _, err := (&http.Client{}).Get("https://" + addr); err == nil {
		t.Error("trusted without the authority")
	}
}

func TestFilesOfAuto(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	setup, _ := auto(t, dir)
	if _, err := setup.Config(); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o644, "server.key": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Error(left)
	}
	cert := setup.current.Load().Leaf
	if d := cert.NotAfter.Sub(cert.NotBefore); d > 398*24*time.Hour || cert.IsCA {
		t.Error(d, cert.IsCA)
	}
	ca, _, err := leaf(setup.CAFile(), filepath.Join(dir, "ca.key"))
	if err != nil || !ca.IsCA || !ca.MaxPathLenZero || !ca.PermittedDNSDomainsCritical || len(ca.PermittedIPRanges) != 2 {
		t.Errorf("%+v %v", ca, err)
	}
}

// contents reads both certificates.
func contents(t *testing.T, dir string) (ca, server []byte) {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	server, err2 := os.ReadFile(filepath.Join(dir, "server.pem"))
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return ca, server
}

func TestAutoIsReusedOrMadeAgain(t *testing.T) {
	for _, c := range []struct {
		name             string
		hosts            []string
		later            time.Duration
		newCA, newServer bool
	}{
		{"nothing changed", []string{"id.example.com"}, 0, false, false},
		{"another spelling", []string{"ID.Example.com"}, 0, false, false},
		{"a name below", []string{"id.example.com", "a.id.example.com"}, 0, false, true},
		{"another name", []string{"id.example.org"}, 0, true, true},
		{"another address", []string{"id.example.com", "10.0.0.1"}, 0, true, true},
		{"a name less", nil, 0, false, true},
		{"a year later", []string{"id.example.com"}, 365 * 24 * time.Hour, false, false},
		{"a month before the end", []string{"id.example.com"}, 368 * 24 * time.Hour, false, true},
		{"ten years later", []string{"id.example.com"}, 10 * 365 * 24 * time.Hour, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			first, _ := auto(t, dir, "id.example.com")
			if _, err := first.Config(); err != nil {
				t.Fatal(err)
			}
			ca, server := contents(t, dir)
			second, w := auto(t, dir, c.hosts...)
			w.add(c.later)
			if _, err := second.Config(); err != nil {
				t.Fatal(err)
			}
			ca2, server2 := contents(t, dir)
			if bytes.Equal(ca, ca2) == c.newCA || bytes.Equal(server, server2) == c.newServer {
				t.Errorf("new authority: %v, new certificate: %v", !bytes.Equal(ca, ca2), !bytes.Equal(server, server2))
			}
		})
	}
}

func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	first, _ := auto(t, dir)
	if _, err := first.Config(); err != nil {
		t.Fatal(err)
	}
	// A damaged certificate is made again; a damaged authority is for people to decide.
	if err := os.WriteFile(filepath.Join(dir, "server.key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, _ := auto(t, dir)
	if _, err := second.Config(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	third, _ := auto(t, dir)
	if _, err := third.Config(); !errors.Is(err, ErrTLS) {
		t.Error(err)
	}
}

func TestRenewalWithoutRestart(t *testing.T) {
	setup, w := auto(t, t.TempDir())
	setup.Every = time.Millisecond
	addr, _ := run(t, &Server{TLS: setup})
	before := served(t, addr)
	w.add(370 * 24 * time.Hour)
	for deadline := time.Now().Add(10 * time.Second); bytes.Equal(served(t, addr), before); {
		if time.Now().After(deadline) {
			t.Fatal("not renewed")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// served is the certificate that a new connection sees.
func served(t *testing.T, addr string) []byte {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // only looks at what is served
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Raw
}

func TestOwnFilesAreReloaded(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for _, d := range []string{dir, other} {
		made, _ := auto(t, d)
		if _, err := made.Config(); err != nil {
			t.Fatal(err)
		}
	}
	mode := filepath.Join(dir, "server.pem") + "," + filepath.Join(dir, "server.key")
	setup := &TLS{Mode: mode, Log: quiet(), Now: time.Now, Every: time.Millisecond}
	addr, _ := run(t, &Server{TLS: setup})
	first := served(t, addr)
	copyFile(t, filepath.Join(other, "server.pem"), filepath.Join(dir, "server.pem")) // does not fit its key yet
	time.Sleep(30 * time.Millisecond)
	if !bytes.Equal(served(t, addr), first) {
		t.Fatal("half a change was taken")
	}
	copyFile(t, filepath.Join(other, "server.key"), filepath.Join(dir, "server.key"))
	for deadline := time.Now().Add(10 * time.Second); bytes.Equal(served(t, addr), first); {
		if time.Now().After(deadline) {
			t.Fatal("not reloaded")
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, bad := range []string{"a", "a,b", filepath.Join(dir, "server.pem") + "," + filepath.Join(other, "ca.key")} {
		if _, err := (&TLS{Mode: bad, Log: quiet(), Now: time.Now}).Config(); !errors.Is(err, ErrTLS) {
			t.Error(bad, err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	setup, _ := auto(t, t.TempDir())
	addr, _ := run(t, &Server{TLS: setup})
	_, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Fatal(err)
	}
}

// Of TLS 1.2 there are the ciphers that RFC 9325 section 4.2 recommends, and no others.
func TestOldCiphersAreRefused(t *testing.T) {
	setup, _ := auto(t, t.TempDir())
	addr, _ := run(t, &Server{TLS: setup})
	for cipher, good := range map[uint16]bool{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: true, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: true,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: false, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: false, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: false,
	} {
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{cipher}})
		if (err == nil) != good {
			t.Error(tls.CipherSuiteName(cipher), err)
		}
		if err == nil {
			c.Close()
		}
	}
}

func TestAuthorityCannotVouchForOthers(t *testing.T) {
	dir := t.TempDir()
	setup, _ := auto(t, dir, "id.example.com")
	if _, err := setup.Config(); err != nil {
		t.Fatal(err)
	}
	ca, pair, err := leaf(setup.CAFile(), filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	stolen := &authority{ca, pair.PrivateKey.(interface {
		Public() crypto.PublicKey
		Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error)
	})}
	now := time.Now()
	if err := setup.write("evil", &x509.Certificate{NotBefore: now, NotAfter: now.Add(time.Hour), DNSNames: []string{"bank.example"}}, stolen); err != nil {
		t.Fatal(err)
	}
	evil, _, err := leaf(filepath.Join(dir, "evil.pem"), filepath.Join(dir, "evil.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	var constraint x509.CertificateInvalidError
	if _, err := evil.Verify(x509.VerifyOptions{Roots: pool, DNSName: "bank.example"}); !errors.As(err, &constraint) || constraint.Reason != x509.CANotAuthorizedForThisName {
		t.Fatal(err)
	}
}

func TestHostsInOrder(t *testing.T) {
	setup := &TLS{Hosts: []string{"B.example", "[::1]", "a.example", "b.example"}}
	names, addrs, err := setup.hosts()
	if err != nil || !slices.Equal(names, []string{"b.example", "a.example", "localhost"}) || len(addrs) != 2 {
		t.Fatal(names, addrs, err)
	}
	if _, _, err := (&TLS{Hosts: []string{" "}}).hosts(); err == nil {
		t.Error("an empty host")
	}
}

// A server that asks for certificates takes connections with any and without one, and says which it was.
func TestAskCert(t *testing.T) {
	setup, _ := auto(t, t.TempDir())
	addr, _ := run(t, &Server{TLS: setup, AskCert: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, len(r.TLS.PeerCertificates))
	})})
	pair, err := tls.LoadX509KeyPair(setup.Files())
	if err != nil {
		t.Fatal(err)
	}
	for want, certs := range map[string][]tls.Certificate{"0": nil, "1": {pair}} {
		one := client(t, setup.CAFile(), "localhost")
		one.Transport.(*http.Transport).TLSClientConfig.Certificates = certs
		resp, err := one.Get("https://" + addr)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(body) != want {
			t.Errorf("%s certificates, want %s", body, want)
		}
	}
}
