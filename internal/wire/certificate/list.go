package certificate

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// What is wrong with a list of revoked certificates.
var (
	ErrList   = errors.New("is no list of revoked certificates")
	ErrSigned = errors.New("is not signed by the authority that it is asked about")
	ErrScope  = errors.New("is not a whole list of one authority: it is of changes, of several authorities, or of some reasons alone")
)

// serial is the number of a certificate, in at most 20 octets (RFC 5280 section 4.1.2.2), filled up in front.
type serial [20]byte

// List is a list of revoked certificates (RFC 5280 section 5), whose signature was checked.
type List struct {
	From  time.Time
	Until time.Time // zero: it does not say

	revoked []serial // in order
	points  []string // where the list itself says that it is to be had; none: anywhere
	people  bool     // it is about certificates that are no authorities' alone
	others  bool     // it is about those of authorities alone
}

var (
	pointOf   = asn1.ObjectIdentifier{2, 5, 29, 28} // issuingDistributionPoint
	weakLists = []x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1}
)

// ReadList reads a list in DER or PEM, and checks that an authority has signed it, which must be one that may.
func ReadList(file []byte, by *x509.Certificate) (*List, error) {
	if block, _ := pem.Decode(file); block != nil && block.Type == "X509 CRL" {
		file = block.Bytes
	}
	raw, err := x509.ParseRevocationList(file)
	if err != nil {
		return nil, ErrList
	}
	if !bytes.Equal(raw.RawIssuer, by.RawSubject) || slices.Contains(weakLists, raw.SignatureAlgorithm) || raw.CheckSignatureFrom(by) != nil {
		return nil, ErrSigned
	}
	out := &List{From: raw.ThisUpdate, Until: raw.NextUpdate}
	if err := out.extensions(raw.Extensions); err != nil {
		return nil, err
	}
	return out, out.entries(raw.RevokedCertificateEntries)
}

// extensions reads what a list says of itself. What is critical and not understood makes it none (RFC 5280 section 5.2).
func (l *List) extensions(all []pkix.Extension) error {
	for _, e := range all {
		switch {
		case e.Id.Equal(pointOf):
			if err := l.point(e.Value); err != nil {
				return err
			}
		case e.Critical: // such as the number of the list that this one is the changes of
			return ErrScope
		}
	}
	return nil
}

// point reads an IssuingDistributionPoint (RFC 5280 section 5.2.5).
func (l *List) point(der []byte) error {
	var body, name, full, uri cryptobyte.String
	var some bool
	in := cryptobyte.String(der)
	if !in.ReadASN1(&body, tag.SEQUENCE) || !in.Empty() || !body.ReadOptionalASN1(&name, &some, tag.Tag(0).Constructed().ContextSpecific()) {
		return ErrList
	}
	if some {
		if !name.ReadASN1(&full, tag.Tag(0).Constructed().ContextSpecific()) || !name.Empty() {
			return ErrScope // named relative to its issuer, which nobody uses
		}
		for !full.Empty() {
			var of tag.Tag
			if !full.ReadAnyASN1(&uri, &of) {
				return ErrList
			}
			if of == tag.Tag(6).ContextSpecific() {
				l.points = append(l.points, string(uri))
			}
		}
	}
	for _, flag := range []struct {
		tag uint8
		to  *bool
	}{{1, &l.people}, {2, &l.others}} {
		if err := readFlag(&body, flag.tag, flag.to); err != nil {
			return err
		}
	}
	if !body.Empty() { // some reasons, several authorities, or certificates of attributes
		return ErrScope
	}
	return nil
}

func readFlag(from *cryptobyte.String, number uint8, to *bool) error {
	var value cryptobyte.String
	var some bool
	if !from.ReadOptionalASN1(&value, &some, tag.Tag(number).ContextSpecific()) || some && len(value) != 1 {
		return ErrList
	}
	*to = some && value[0] != 0
	return nil
}

func (l *List) entries(all []x509.RevocationListEntry) error {
	l.revoked = make([]serial, 0, len(all))
	for i := range all {
		for _, e := range all[i].Extensions {
			if e.Critical { // as one that says that another authority issued the certificate
				return ErrScope
			}
		}
		if s, ok := serialOf(all[i].SerialNumber); ok {
			l.revoked = append(l.revoked, s)
		}
	}
	slices.SortFunc(l.revoked, func(a, b serial) int { return bytes.Compare(a[:], b[:]) })
	return nil
}

func serialOf(n *big.Int) (s serial, ok bool) {
	if n == nil || n.Sign() < 0 || n.BitLen() > 8*len(s) {
		return s, false
	}
	n.FillBytes(s[:])
	return s, true
}

// Len is how many certificates are on the list.
func (l *List) Len() int { return len(l.revoked) }

// Covers says whether the list would name a certificate of its authority that is revoked: it is about certificates of the kind, and was had
// where the certificate says that its list is (at is that, too).
func (l *List) Covers(c *x509.Certificate, at string) bool {
	if l.people && c.IsCA || l.others && !c.IsCA {
		return false
	}
	return len(l.points) == 0 || slices.ContainsFunc(l.points, func(p string) bool { return p == at || slices.Contains(c.CRLDistributionPoints, p) })
}

// Revoked says whether a certificate of the list's authority is on it. One whose number is none is, as one that nobody can look up.
func (l *List) Revoked(c *x509.Certificate) bool {
	s, ok := serialOf(c.SerialNumber)
	if !ok {
		return true
	}
	_, found := slices.BinarySearchFunc(l.revoked, s, func(a, b serial) int { return bytes.Compare(a[:], b[:]) })
	return found
}
