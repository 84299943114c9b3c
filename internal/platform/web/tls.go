package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// TLS supplies the server's certificate. Its fields are set before use.
//
// With Mode "auto" it keeps a local authority and a certificate of it in Dir: ca.pem (what clients trust), ca.key,
// server.pem and server.key, the keys with mode 0600. They are reused by the next start, made again when the hosts
// change, and the certificate is renewed 30 days before its end. With Mode "CERT,KEY" (two PEM files) it reads the
// files again when they change. With Mode "off" there is no TLS; a proxy in front provides it.
type TLS struct {
	Mode  string
	Dir   string
	Hosts []string // names and addresses; localhost, 127.0.0.1 and ::1 are always among them
	Log   *slog.Logger
	Now   func() time.Time
	Every time.Duration // how often Watch looks; 0 is 30 seconds

	mu      sync.Mutex // one reading or making at a time
	current atomic.Pointer[tls.Certificate]
	stamp   string // of the files that current was read from
}

// Enabled says whether there is TLS at all.
func (t *TLS) Enabled() bool { return t.Mode != "off" }

// Files names the certificate and key in use.
func (t *TLS) Files() (cert, key string) {
	if t.Mode == "auto" {
		return filepath.Join(t.Dir, "server.pem"), filepath.Join(t.Dir, "server.key")
	}
	cert, key, _ = strings.Cut(t.Mode, ",")
	return strings.TrimSpace(cert), strings.TrimSpace(key)
}

// CAFile is the certificate that clients of an "auto" server trust.
func (t *TLS) CAFile() string { return filepath.Join(t.Dir, "ca.pem") }

// Config loads or makes the certificate and gives the server's configuration: TLS 1.2 or later, the certificate of
// the moment for each handshake, and of TLS 1.2 the ciphers of RFC 9325 section 4.2 alone. It fails with ErrTLS.
func (t *TLS) Config() (*tls.Config, error) {
	if err := t.refresh(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return t.current.Load(), nil
		},
	}, nil
}

// Watch renews and reloads until ctx ends. What cannot be read does not replace what is in use.
func (t *TLS) Watch(ctx context.Context) error {
	if !t.Enabled() {
		return nil
	}
	every := t.Every
	if every == 0 {
		every = 30 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := t.refresh(); err != nil {
				t.Log.Error("the certificate was not renewed; the one in use stays", "error", err)
			}
		}
	}
}

// refresh reads the files if they have changed, and with "auto" makes what is missing or about to end.
func (t *TLS) refresh() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Mode == "auto" {
		if err := t.issue(); err != nil {
			return ErrTLS.Because(err)
		}
	}
	certFile, keyFile := t.Files()
	stamp, err := stampOf(certFile, keyFile)
	if err != nil {
		return ErrTLS.Because(err)
	}
	if stamp == t.stamp {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return ErrTLS.Because(fmt.Errorf("%s, %s: %w", certFile, keyFile, err))
	}
	if now := t.Now(); now.After(pair.Leaf.NotAfter) {
		t.Log.Warn("the certificate has expired", "file", certFile, "until", pair.Leaf.NotAfter)
	}
	if t.stamp != "" {
		t.Log.Info("the certificate was replaced", "file", certFile, "until", pair.Leaf.NotAfter)
	}
	t.current.Store(&pair)
	t.stamp = stamp
	return nil
}

// stampOf changes when one of the files does.
func stampOf(files ...string) (string, error) {
	var b strings.Builder
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %d %d\n", f, info.Size(), info.ModTime().UnixNano())
	}
	return b.String(), nil
}

// leaf reads the first certificate of a PEM file and its key; an error means that they cannot be used together.
func leaf(certFile, keyFile string) (*x509.Certificate, *tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, nil, err
	}
	if pair.Leaf == nil {
		return nil, nil, errors.New("the file holds no certificate")
	}
	return pair.Leaf, &pair, nil
}
