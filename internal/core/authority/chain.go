package authority

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"time"

	"limen/internal/wire/certificate"
)

// minRSA is how many bits a key of an authority has at least, where it is of RSA.
const minRSA = 2048

// Chain is the certificates of an authority, its root last. Nobody else issues for it: what clients send along does not count.
type Chain []*x509.Certificate

// ReadChain reads an authority's file: a root alone, or all certificates from those that issue for people up to one root. Fault: ErrFile, which
// says what is wrong.
func ReadChain(file []byte, now time.Time) (Chain, error) {
	found, err := certificate.Read(file)
	if err != nil {
		return nil, ErrFile.At("file").Say("The file %s.", err.Error())
	}
	var root *x509.Certificate
	var rest Chain
	for _, c := range found {
		if why := unfit(c, now); why != "" {
			return nil, ErrFile.At("file").Say("The certificate of %.200s %s.", c.Subject.String(), why)
		}
		switch {
		case !bytes.Equal(c.RawSubject, c.RawIssuer):
			rest = append(rest, c)
		case c.CheckSignatureFrom(c) != nil:
			return nil, ErrFile.At("file").Say("The certificate of %.200s is not signed by itself, or in a way that is not safe.", c.Subject.String())
		case root != nil:
			return nil, ErrFile.At("file").Say("The file holds two roots. Add each as an authority of its own.")
		default:
			root = c
		}
	}
	if root == nil {
		return nil, ErrFile.At("file").Say("The file does not hold the whole chain: the root, which signs for itself, is missing.")
	}
	return rest.under(root, now)
}

// unfit says why a certificate is not that of an authority, as the end of a sentence; empty: it is.
func unfit(c *x509.Certificate, now time.Time) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSA {
			return "has a key of fewer than 2048 bits"
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return "has a key of a kind that is not known here"
	}
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return "is not that of a certificate authority"
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return "may not sign certificates"
	case now.After(c.NotAfter):
		return "has expired"
	}
	return ""
}

// under wants all certificates to lead to the root.
func (c Chain) under(root *x509.Certificate, now time.Time) (Chain, error) {
	all := append(c, root)
	for _, one := range c {
		if _, err := all.verify(one, now, x509.ExtKeyUsageAny); err != nil {
			return nil, ErrFile.At("file").Say("The certificate of %.200s does not lead to the root that is in the file.", one.Subject.String())
		}
	}
	return all, nil
}

// verify finds the ways from a certificate to the root, through the chain's own certificates alone.
func (c Chain) verify(leaf *x509.Certificate, now time.Time, use x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(c[len(c)-1])
	for _, one := range c[:len(c)-1] {
		between.AddCert(one)
	}
	return leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{use}})
}

// root is the thumbprint of the root, as it is kept.
func (c Chain) root() string { return print256(c[len(c)-1]) }

// prints are the thumbprints of all, for events.
func (c Chain) prints() string {
	out := make([]string, len(c))
	for i, one := range c {
		out[i] = print256(one)
	}
	return strings.Join(out, " ")
}

func print256(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
