package oauth

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/url"
	"strings"
	"testing"
)

func subject(t testing.TB, n pkix.Name) []byte {
	t.Helper()
	raw, err := asn1.Marshal(n.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestHolds(t *testing.T) {
	uri, _ := url.Parse("spiffe://example.com/client")
	cert := &x509.Certificate{
		RawSubject: subject(t, pkix.Name{
			CommonName: "Client, One", Organization: []string{"Example  GmbH"}, Country: []string{"DE"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "a@example.com"}},
		}),
		DNSNames: []string{"client.example.com"}, EmailAddresses: []string{"a@example.com"}, URIs: []*url.URL{uri}, IPAddresses: []net.IP{net.ParseIP("192.0.2.1")},
	}
	for name, tt := range map[string]struct {
		m    Metadata
		want bool
	}{
		"as written":          {Metadata{TLSSubject: `emailAddress=a@example.com,CN=Client\, One,O=Example GmbH,C=DE`}, true},
		"spaces, case, hex":   {Metadata{TLSSubject: `E=A@example.com, cn=client\2C one, O=example  gmbh, C=de`}, true},
		"by oid and encoding": {Metadata{TLSSubject: `1.2.840.113549.1.9.1=#0c0d61406578616d706c652e636f6d,2.5.4.3=Client\, One,2.5.4.10=Example GmbH,2.5.4.6=DE`}, true},
		"the other way round": {Metadata{TLSSubject: `C=DE,O=Example GmbH,CN=Client\, One,E=a@example.com`}, false},
		"one less":            {Metadata{TLSSubject: `CN=Client\, One,O=Example GmbH,C=DE`}, false},
		"one more":            {Metadata{TLSSubject: `CN=x,E=a@example.com,CN=Client\, One,O=Example GmbH,C=DE`}, false},
		"unreadable":          {Metadata{TLSSubject: `CN=Client\`}, false},
		"dns":                 {Metadata{TLSDNS: "CLIENT.example.com"}, true},
		"another dns":         {Metadata{TLSDNS: "example.com"}, false},
		"uri":                 {Metadata{TLSURI: "spiffe://example.com/client"}, true},
		"another uri":         {Metadata{TLSURI: "spiffe://example.com/Client"}, false},
		"ip":                  {Metadata{TLSIP: "::ffff:192.0.2.1"}, true},
		"another ip":          {Metadata{TLSIP: "192.0.2.2"}, false},
		"no ip":               {Metadata{TLSIP: "x"}, false},
		"mail":                {Metadata{TLSEmail: "a@example.com"}, true},
		"another mail":        {Metadata{TLSEmail: "A@example.com"}, false},
		"nothing":             {Metadata{}, false},
	} {
		if got := tt.m.Holds(cert); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (Metadata{TLSSubject: "CN=x"}).Holds(&x509.Certificate{RawSubject: subject(t, pkix.Name{})}) {
		t.Error("a certificate without a name")
	}
}

// FuzzSubject holds that reading a name never fails otherwise than with an error, and that what the standard library prints of a
// certificate's name is that name.
func FuzzSubject(f *testing.F) {
	for _, s := range []string{`CN=a,O=b`, `CN=a\,b+OU=c, DC=d`, `1.2.3=#0c0161`, `CN=\C3\BC`, `=`, `CN=`, `CN=a\`, `CN="a"`, "CN=#", "CN=a+"} {
		f.Add(s, "Zoë, Ltd+")
	}
	f.Fuzz(func(t *testing.T, text, cn string) {
		sets, err := readName(text)
		for _, set := range sets {
			if len(set) == 0 || err != nil {
				t.Fatalf("%q: %v %v", text, sets, err)
			}
		}
		n := pkix.Name{CommonName: cn, Organization: []string{"O"}}
		raw, err := asn1.Marshal(n.ToRDNSequence())
		if err != nil || strings.TrimSpace(cn) == "" || len(cn) > 200 || strings.ContainsAny(cn, "\x00\uFFFD") {
			return
		}
		if printed := n.String(); !sameSubject(printed, raw) {
			t.Fatalf("%q printed as %q", cn, printed)
		}
	})
}
