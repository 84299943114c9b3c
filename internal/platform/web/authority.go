package web

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 397 * 24 * time.Hour // browsers take no more than 398 days
	renewBefore   = 30 * 24 * time.Hour
	// skew lets a client whose clock is behind accept what was just made.
	skew = time.Hour
)

type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// issue makes sure that Dir holds a usable authority and a certificate for the hosts.
func (t *TLS) issue() error {
	names, addrs, err := t.hosts()
	if err != nil {
		return err
	}
	if err = os.MkdirAll(t.Dir, 0o700); err != nil {
		return err
	}
	ca, err := t.authority(names, addrs)
	if err != nil {
		return err
	}
	certFile, keyFile := t.Files()
	now := t.Now()
	if cert, _, err := leaf(certFile, keyFile); err == nil && cert.CheckSignatureFrom(ca.cert) == nil &&
		now.Add(renewBefore).Before(cert.NotAfter) && !now.Before(cert.NotBefore) &&
		slices.Equal(cert.DNSNames, names) && slices.EqualFunc(cert.IPAddresses, addrs, net.IP.Equal) {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Log.Warn("the server's certificate is made again", "because", err)
	}
	until := now.Add(serverLife)
	if until.After(ca.cert.NotAfter) {
		until = ca.cert.NotAfter
	}
	return t.write("server", &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0]}, NotBefore: now.Add(-skew), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: names, IPAddresses: addrs, BasicConstraintsValid: true,
	}, ca)
}

// authority reads or makes the local authority. It may only vouch for the server's hosts (RFC 5280, 4.2.1.10), so that
// trusting it puts no other site at risk; a host outside of that needs a new one, which clients must trust again.
func (t *TLS) authority(names []string, addrs []net.IP) (*authority, error) {
	keyFile := filepath.Join(t.Dir, "ca.key")
	cert, pair, err := leaf(t.CAFile(), keyFile)
	switch {
	case err == nil && cert.IsCA && t.Now().Add(2*renewBefore).Before(cert.NotAfter) && covers(cert, names, addrs):
		key, ok := pair.PrivateKey.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("%s does not sign", keyFile)
		}
		return &authority{cert, key}, nil
	case err == nil:
		t.Log.Warn("the local authority is made again, since it ends soon or may not vouch for every host; clients must trust the new one", "file", t.CAFile())
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s and ca.key cannot be used; repair them, or remove both for a new authority: %w", t.CAFile(), err)
	}
	now := t.Now()
	err = t.write("ca", &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Limen local authority " + now.UTC().Format("2006-01-02 15:04:05"), Organization: []string{"Limen"}},
		NotBefore: now.Add(-skew), NotAfter: now.Add(authorityLife),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: domains(names), PermittedIPRanges: ranges(addrs),
	}, nil)
	if err != nil {
		return nil, err
	}
	if cert, pair, err = leaf(t.CAFile(), keyFile); err != nil {
		return nil, err
	}
	return &authority{cert, pair.PrivateKey.(crypto.Signer)}, nil
}

// write makes a key and a certificate for it, signed by the authority or by itself, as NAME.pem and NAME.key.
func (t *TLS) write(name string, template *x509.Certificate, by *authority) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return err
	}
	if by == nil {
		by = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err = replace(filepath.Join(t.Dir, name+".key"), "PRIVATE KEY", private, 0o600); err != nil {
		return err
	}
	return replace(filepath.Join(t.Dir, name+".pem"), "CERTIFICATE", der, 0o644)
}

// replace makes a PEM file appear whole.
func replace(path, kind string, der []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// hosts gives names and addresses in a fixed order, each once, the configured ones first.
func (t *TLS) hosts() (names []string, addrs []net.IP, err error) {
	for _, h := range append(slices.Clone(t.Hosts), "localhost", "127.0.0.1", "::1") {
		h = strings.ToLower(strings.Trim(strings.TrimSpace(h), "[]"))
		ip := net.ParseIP(h)
		switch {
		case h == "":
			return nil, nil, errors.New("a host is empty")
		case ip != nil && !slices.ContainsFunc(addrs, ip.Equal):
			addrs = append(addrs, ip)
		case ip == nil && !slices.Contains(names, h):
			names = append(names, h)
		}
	}
	return names, addrs, nil
}

// domains are the parts of the name space that hold the names.
func domains(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimPrefix(n, "*.")
	}
	return out
}

func ranges(addrs []net.IP) []*net.IPNet {
	out := make([]*net.IPNet, len(addrs))
	for i, ip := range addrs {
		if v4 := ip.To4(); v4 != nil {
			ip = v4
		}
		out[i] = &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
	}
	return out
}

func covers(ca *x509.Certificate, names []string, addrs []net.IP) bool {
	for _, name := range domains(names) {
		if !slices.ContainsFunc(ca.PermittedDNSDomains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) }) {
			return false
		}
	}
	for _, ip := range addrs {
		if !slices.ContainsFunc(ca.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) }) {
			return false
		}
	}
	return true
}
