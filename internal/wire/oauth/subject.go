package oauth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// Holds says whether a certificate is the one that the metadata names for tls_client_auth: by its subject or by one of its
// alternative names, whichever is registered (RFC 8705 section 2.1.2). Whether the certificate can be believed is asked elsewhere.
func (m Metadata) Holds(cert *x509.Certificate) bool {
	switch {
	case m.TLSSubject != "":
		return sameSubject(m.TLSSubject, cert.RawSubject)
	case m.TLSDNS != "":
		return slices.ContainsFunc(cert.DNSNames, func(s string) bool { return strings.EqualFold(s, m.TLSDNS) })
	case m.TLSURI != "":
		for _, u := range cert.URIs {
			if u.String() == m.TLSURI {
				return true
			}
		}
	case m.TLSIP != "":
		want, err := netip.ParseAddr(m.TLSIP)
		for _, ip := range cert.IPAddresses {
			if has, ok := netip.AddrFromSlice(ip); ok && err == nil && has.Unmap() == want.Unmap() {
				return true
			}
		}
	case m.TLSEmail != "":
		return slices.Contains(cert.EmailAddresses, m.TLSEmail)
	}
	return false
}

// attributes of names that have a short form (RFC 4514 section 3, RFC 4519, RFC 2985), and those that programs write besides.
var attributes = map[string]string{
	"CN": "2.5.4.3", "SN": "2.5.4.4", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "S": "2.5.4.8", "STREET": "2.5.4.9", "O": "2.5.4.10",
	"OU": "2.5.4.11", "TITLE": "2.5.4.12", "BUSINESSCATEGORY": "2.5.4.15", "POSTALCODE": "2.5.4.17", "NAME": "2.5.4.41", "GIVENNAME": "2.5.4.42", "GN": "2.5.4.42",
	"ORGANIZATIONIDENTIFIER": "2.5.4.97", "UID": "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25", "EMAILADDRESS": "1.2.840.113549.1.9.1",
	"E": "1.2.840.113549.1.9.1", "JURISDICTIONC": "1.3.6.1.4.1.311.60.2.1.3", "JURISDICTIONCOUNTRYNAME": "1.3.6.1.4.1.311.60.2.1.3",
}

// sameSubject compares a name as text (RFC 4514) with one of a certificate. Case and runs of spaces do not count, as in the matching
// rules of most attributes (RFC 4517 section 4.2.11).
func sameSubject(text string, raw []byte) bool {
	want, err := readName(text)
	if err != nil {
		return false
	}
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &seq); err != nil || len(rest) > 0 || len(seq) == 0 {
		return false
	}
	var has [][]string
	for _, set := range seq {
		var one []string
		for _, a := range set {
			value, ok := a.Value.(string)
			if !ok {
				return false
			}
			one = append(one, attribute(a.Type.String(), value))
		}
		slices.Sort(one)
		has = append(has, one)
	}
	slices.Reverse(has) // the text begins with the last one (RFC 4514 section 2.1)
	return slices.EqualFunc(want, has, slices.Equal[[]string])
}

func attribute(oid, value string) string {
	return oid + "=" + strings.ToLower(strings.Join(strings.Fields(value), " "))
}

// readName reads a distinguished name as its sets of attributes, each "oid=value" in the form that compares.
func readName(text string) (out [][]string, err error) {
	wrong := bad(InvalidClientMetadata, "tls_client_auth_subject_dn is no distinguished name")
	if text == "" || len(text) > maxURI || !utf8.ValidString(text) {
		return nil, wrong
	}
	set := []string{}
	for rest := text; ; {
		name, after, ok := strings.Cut(rest, "=")
		oid := strings.ToUpper(strings.TrimSpace(name))
		if known := attributes[oid]; known != "" {
			oid = known
		}
		if !ok || oid == "" || strings.Trim(oid, "0123456789.") != "" {
			return nil, wrong
		}
		value, end, left, err := readValue(after)
		if err != nil {
			return nil, wrong
		}
		set = append(set, attribute(oid, value))
		if end != '+' {
			slices.Sort(set)
			out = append(out, set)
			set = []string{}
		}
		if end == 0 {
			return out, nil
		}
		rest = left
	}
}

// readValue reads a value up to the separator, which it gives: a comma or a plus, 0 at the end.
func readValue(s string) (value string, end byte, rest string, err error) {
	s = strings.TrimLeft(s, " ")
	if raw, ok := strings.CutPrefix(s, "#"); ok {
		return readHex(raw)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ',' || c == '+':
			return finished(b.String(), c, s[i+1:])
		case c == '\\' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			raw, _ := hex.DecodeString(s[i+1 : i+3])
			b.Write(raw)
			i += 2
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '\\' || c == '"' || c == ';' || c == '<' || c == '>' || c == 0:
			return "", 0, "", fmt.Errorf("a character at %d is not allowed", i)
		default:
			b.WriteByte(c)
		}
	}
	return finished(b.String(), 0, "")
}

func finished(value string, end byte, rest string) (string, byte, string, error) {
	if strings.TrimSpace(value) == "" || !utf8.ValidString(value) {
		return "", 0, "", fmt.Errorf("a value is empty or no text")
	}
	return value, end, rest, nil
}

// readHex reads a value that is given as its encoding (RFC 4514 section 2.4).
func readHex(s string) (value string, end byte, rest string, err error) {
	i := strings.IndexAny(s, ",+")
	digits := s
	if i >= 0 {
		digits, end, rest = s[:i], s[i], s[i+1:]
	}
	raw, err := hex.DecodeString(strings.TrimSpace(digits))
	if err != nil {
		return "", 0, "", err
	}
	if left, err := asn1.Unmarshal(raw, &value); err != nil || len(left) > 0 {
		return "", 0, "", fmt.Errorf("a value is no text")
	}
	return finished(value, end, rest)
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
