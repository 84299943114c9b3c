package certificate

import (
	"crypto/sha1" //nolint:gosec // of names
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	alternativeNames = asn1.ObjectIdentifier{2, 5, 29, 17}
	commonName       = asn1.ObjectIdentifier{2, 5, 4, 3}
	principalName    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3} // of Microsoft's, as smart cards have it
)

// maxName is how long a name may be, in bytes.
const maxName = 512

// PrincipalName is the user principal name among the subject's alternative names; empty where there is none, or more than one.
func PrincipalName(c *x509.Certificate) string { return only(principalNames(c)) }

// MailAddress is the mail address among the subject's alternative names (rfc822Name); empty where there is none, or more than one.
func MailAddress(c *x509.Certificate) string { return only(c.EmailAddresses) }

// CommonName is that of the subject; empty where there is none, or more than one.
func CommonName(c *x509.Certificate) string {
	var found []string
	for _, n := range c.Subject.Names {
		if s, ok := n.Value.(string); ok && n.Type.Equal(commonName) {
			found = append(found, s)
		}
	}
	return only(found)
}

// only is the name of a list that has one: which of several is meant, nobody could tell.
func only(names []string) string {
	if len(names) != 1 {
		return ""
	}
	s := names[0]
	if len(s) > maxName || !utf8.ValidString(s) || s != strings.TrimSpace(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
		return ""
	}
	return s
}

func principalNames(c *x509.Certificate) (found []string) {
	for _, e := range c.Extensions {
		if e.Id.Equal(alternativeNames) {
			found = append(found, otherNames(e.Value)...)
		}
	}
	return found
}

// otherNames reads the principal names of an extension. What cannot be read is none.
func otherNames(der []byte) (found []string) {
	outer := tag.Tag(0).Constructed().ContextSpecific()
	in := cryptobyte.String(der)
	var names cryptobyte.String
	if !in.ReadASN1(&names, tag.SEQUENCE) || !in.Empty() {
		return nil
	}
	for !names.Empty() {
		var name, value, text cryptobyte.String
		var of tag.Tag
		var kind asn1.ObjectIdentifier
		if !names.ReadAnyASN1(&name, &of) {
			return nil
		}
		if of != outer || !name.ReadASN1ObjectIdentifier(&kind) || !kind.Equal(principalName) {
			continue
		}
		if !name.ReadASN1(&value, outer) || !name.Empty() || !value.ReadASN1(&text, tag.UTF8String) || !value.Empty() {
			return nil
		}
		found = append(found, string(text))
	}
	return found
}

// Understood is the certificate without its alternative names among what critical extensions say that is not understood, where they have a
// principal name: crypto/x509 knows none, and certificates without a subject must mark them critical (RFC 5280 section 4.2.1.6).
func Understood(c *x509.Certificate) *x509.Certificate {
	if len(principalNames(c)) == 0 || !slices.ContainsFunc(c.UnhandledCriticalExtensions, alternativeNames.Equal) {
		return c
	}
	out := *c
	out.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(c.UnhandledCriticalExtensions), alternativeNames.Equal)
	return &out
}

// Thumbprint is the name by which Windows, and the contract's clients, know a certificate: its SHA-1, in upper-case hexadecimal. It proves
// nothing.
func Thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw) //nolint:gosec // a name
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
