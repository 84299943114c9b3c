// Package certificate reads X.509 certificates and lists of revoked ones (RFC 5280): files of them, and the names by which certificates
// call people.
package certificate

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of a file.
const (
	MaxFile         = 256 << 10 // bytes
	MaxCertificates = 20
)

// What is wrong with a file, as the end of a sentence about it.
var (
	ErrNone    = errors.New("holds no certificate")
	ErrForm    = errors.New("cannot be read: certificates are expected in PEM or DER, or as PKCS #7 in either")
	ErrPrivate = errors.New("holds a private key, which must stay with its owner; nothing of it was kept")
	ErrMany    = errors.New("holds more than 20 certificates")
	ErrLarge   = errors.New("is larger than 256 KB")
)

var signedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

// Read reads the certificates of a file: in PEM as many as there are, in DER one, or those that a PKCS #7 bundle carries (RFC 5652 section
// 5) in either. One that is there twice counts once.
func Read(file []byte) ([]*x509.Certificate, error) {
	if len(file) > MaxFile {
		return nil, ErrLarge
	}
	var found [][]byte
	var err error
	if bytes.Contains(file, []byte("-----BEGIN ")) {
		found, err = inPEM(file)
	} else {
		found, err = inDER(file)
	}
	if err != nil {
		return nil, err
	}
	return parse(found)
}

func parse(found [][]byte) (out []*x509.Certificate, err error) {
	seen := map[string]bool{}
	for _, der := range found {
		if seen[string(der)] {
			continue
		}
		seen[string(der)] = true
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, ErrForm
		}
		if out = append(out, c); len(out) > MaxCertificates {
			return nil, ErrMany
		}
	}
	if len(out) == 0 {
		return nil, ErrNone
	}
	return out, nil
}

func inPEM(file []byte) (found [][]byte, err error) {
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			found = append(found, block.Bytes)
		case "PKCS7", "CMS":
			more, err := bundle(block.Bytes)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		default:
			if bytes.HasSuffix([]byte(block.Type), []byte("PRIVATE KEY")) {
				return nil, ErrPrivate
			}
		}
		if len(found) > 2*MaxCertificates { // some may be there twice
			return nil, ErrMany
		}
	}
	return found, nil
}

func inDER(file []byte) ([][]byte, error) {
	if _, err := x509.ParseCertificate(file); err == nil {
		return [][]byte{file}, nil
	}
	return bundle(file)
}

// bundle gives the certificates of a PKCS #7 SignedData. Whether it is signed, and by whom, does not matter.
func bundle(der []byte) (found [][]byte, err error) {
	outer := tag.Tag(0).Constructed().ContextSpecific()
	var info, content, signed, certs, one cryptobyte.String
	var kind asn1.ObjectIdentifier
	var some bool
	in := cryptobyte.String(der)
	if !in.ReadASN1(&info, tag.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(signedData) || !info.ReadASN1(&content, outer) ||
		!content.ReadASN1(&signed, tag.SEQUENCE) || !signed.SkipASN1(tag.INTEGER) || !signed.SkipASN1(tag.SET) || !signed.SkipASN1(tag.SEQUENCE) ||
		!signed.ReadOptionalASN1(&certs, &some, outer) {
		return nil, ErrForm
	}
	for !certs.Empty() {
		if !certs.ReadASN1Element(&one, tag.SEQUENCE) {
			return nil, ErrForm
		}
		if found = append(found, one); len(found) > 2*MaxCertificates {
			return nil, ErrMany
		}
	}
	return found, nil
}

// PEM writes certificates one after the other.
func PEM(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // into memory
	}
	return b.Bytes()
}
