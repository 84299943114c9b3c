// Package certificatetest makes authorities, certificates and lists for tests.
package certificatetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

var serials atomic.Int64

// Authority is one that signs.
type Authority struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
	Over *Authority // nil: it signs for itself
}

// Root makes an authority that signs for itself.
func Root(t testing.TB, name string, change ...func(*x509.Certificate)) *Authority {
	t.Helper()
	return authority(t, nil, name, change)
}

// Between makes an authority below another one.
func (a *Authority) Between(t testing.TB, name string, change ...func(*x509.Certificate)) *Authority {
	t.Helper()
	return authority(t, a, name, change)
}

func authority(t testing.TB, over *Authority, name string, change []func(*x509.Certificate)) *Authority {
	t.Helper()
	made := sign(t, over, append([]func(*x509.Certificate){func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.BasicConstraintsValid = pkix.Name{CommonName: name}, true, true
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	}}, change...))
	return &Authority{Cert: made.Leaf, Key: made.PrivateKey.(*ecdsa.PrivateKey), Over: over}
}

// Issue makes a certificate for TLS clients, good from an hour ago for a day.
func (a *Authority) Issue(t testing.TB, change ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	return sign(t, a, change)
}

func sign(t testing.TB, by *Authority, change []func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)), Subject: pkix.Name{CommonName: "somebody"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, f := range change {
		f(c)
	}
	if by == nil {
		by = &Authority{Cert: c, Key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.Cert, key.Public(), by.Key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: made}
}

// List makes a list of revoked certificates, good for an hour.
func (a *Authority) List(t testing.TB, change func(*x509.RevocationList), revoked ...tls.Certificate) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(serials.Add(1)), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}
	for _, r := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)})
	}
	if change != nil {
		change(l)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// UPN is the extension that gives a certificate user principal names.
func UPN(critical bool, names ...string) pkix.Extension {
	var b cryptobyte.Builder
	outer := tag.Tag(0).Constructed().ContextSpecific()
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, n := range names {
			b.AddASN1(outer, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3})
				b.AddASN1(outer, func(b *cryptobyte.Builder) {
					b.AddASN1(tag.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(n)) })
				})
			})
		}
	})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: critical, Value: b.BytesOrPanic()}
}

// Called gives a certificate a user principal name.
func Called(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, UPN(false, name)) }
}

// Listed says in a certificate where the list of revoked ones is.
func Listed(uris ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.CRLDistributionPoints = uris }
}

// Bundle is a PKCS #7 bundle of certificates.
func Bundle(certs ...*x509.Certificate) []byte {
	var b cryptobyte.Builder
	outer := tag.Tag(0).Constructed().ContextSpecific()
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(outer, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(tag.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddASN1(outer, func(b *cryptobyte.Builder) {
					for _, c := range certs {
						b.AddBytes(c.Raw)
					}
				})
				b.AddASN1(tag.SET, func(*cryptobyte.Builder) {})
			})
		})
	})
	return b.BytesOrPanic()
}

// PEM writes certificates as files have them.
func PEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}
