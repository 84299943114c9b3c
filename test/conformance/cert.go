package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issue makes a certificate of a name, for clients and servers alike, which an authority signs, or nobody but itself: the suite and the
// browser here do not ask who did. The key is RSA, for FAPI 1 takes no ciphers of TLS 1.2 but those.
func issue(by *tls.Certificate, name string) (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: by == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := t, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(raw)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}, err
}

// certPEM is a certificate as text.
func certPEM(c tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
}

// keyPEM is its key as text.
func keyPEM(c tls.Certificate) (string, error) {
	raw, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})), err
}

// mtls is a certificate with its key as the suite is told of them.
func mtls(c tls.Certificate) (map[string]string, error) {
	key, err := keyPEM(c)
	return map[string]string{"cert": certPEM(c), "key": key}, err
}

// files writes the certificate of a name and its key, and names the files.
func files(dir, name string) (cert, key string, err error) {
	c, err := issue(nil, name)
	if err != nil {
		return "", "", err
	}
	text, err := keyPEM(c)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	return cert, key, errors.Join(os.WriteFile(cert, []byte(certPEM(c)), 0o600), os.WriteFile(key, []byte(text), 0o600))
}

// keyOf is the key of a certificate as a client registers it (RFC 8705 section 2.2.2).
func keyOf(c tls.Certificate) jose.JSONWebKey {
	return jose.JSONWebKey{Key: c.Leaf.PublicKey, KeyID: "of " + c.Leaf.Subject.CommonName, Certificates: []*x509.Certificate{c.Leaf}}
}
