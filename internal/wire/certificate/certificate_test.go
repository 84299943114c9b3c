package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"limen/internal/wire/certificate"
	made "limen/internal/wire/certificate/certificatetest"
)

func TestRead(t *testing.T) {
	root := made.Root(t, "Root")
	between := root.Between(t, "Between")
	key, err := x509.MarshalPKCS8PrivateKey(root.Key)
	if err != nil {
		t.Fatal(err)
	}
	bundle := made.Bundle(root.Cert, between.Cert)
	var many []*x509.Certificate
	for range certificate.MaxCertificates + 1 {
		many = append(many, root.Issue(t).Leaf)
	}
	for name, tt := range map[string]struct {
		file []byte
		want int
		err  error
	}{
		"PEM": {made.PEM(root.Cert), 1, nil}, "two in PEM, with text between": {append(append(made.PEM(root.Cert), "some text\n"...), made.PEM(between.Cert)...), 2, nil},
		"DER": {root.Cert.Raw, 1, nil}, "a bundle": {bundle, 2, nil}, "a bundle in PEM": {pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: bundle}), 2, nil},
		"the same twice": {made.PEM(root.Cert, root.Cert), 1, nil}, "nothing": {nil, 0, certificate.ErrForm}, "text": {[]byte("hello"), 0, certificate.ErrForm},
		"a bundle of none": {made.Bundle(), 0, certificate.ErrNone}, "a bundle that ends early": {bundle[:len(bundle)-9], 0, certificate.ErrForm},
		"a key":              {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0, certificate.ErrPrivate},
		"a key beside":       {append(made.PEM(root.Cert), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key})...), 0, certificate.ErrPrivate},
		"another thing":      {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: key}), 0, certificate.ErrNone},
		"too many":           {made.PEM(many...), 0, certificate.ErrMany},
		"too many, a bundle": {made.Bundle(many...), 0, certificate.ErrMany},
		"too large":          {bytes.Repeat([]byte("x"), certificate.MaxFile+1), 0, certificate.ErrLarge},
		"no certificate":     {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key}), 0, certificate.ErrForm},
	} {
		got, err := certificate.Read(tt.file)
		if len(got) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d certificates, %v", name, len(got), err)
		}
	}
}

func TestNames(t *testing.T) {
	root := made.Root(t, "Root")
	with := func(change func(*x509.Certificate)) *x509.Certificate { return root.Issue(t, change).Leaf }
	for name, tt := range map[string]struct {
		got, want string
	}{
		"a principal": {certificate.PrincipalName(with(made.Called("anna@acme.test"))), "anna@acme.test"},
		"two principals": {certificate.PrincipalName(with(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{made.UPN(false, "a@acme.test", "b@acme.test")}
		})), ""},
		"none":                  {certificate.PrincipalName(with(func(*x509.Certificate) {})), ""},
		"of mail alone":         {certificate.PrincipalName(with(func(c *x509.Certificate) { c.EmailAddresses = []string{"anna@acme.test"} })), ""},
		"with a control":        {certificate.PrincipalName(with(made.Called("anna\x00@acme.test"))), ""},
		"with a direction":      {certificate.PrincipalName(with(made.Called("anna\u202e@acme.test"))), ""},
		"mail":                  {certificate.MailAddress(with(func(c *x509.Certificate) { c.EmailAddresses = []string{"anna@acme.test"} })), "anna@acme.test"},
		"two mails":             {certificate.MailAddress(with(func(c *x509.Certificate) { c.EmailAddresses = []string{"a@acme.test", "b@acme.test"} })), ""},
		"a subject":             {certificate.CommonName(with(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "anna"} })), "anna"},
		"two common names":      {certificate.CommonName(with(twoNames)), ""},
		"a subject of no names": {certificate.CommonName(with(func(c *x509.Certificate) { c.Subject = pkix.Name{} })), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", name, tt.got, tt.want)
		}
	}
	bare := with(func(c *x509.Certificate) {
		c.Subject, c.ExtraExtensions = pkix.Name{}, []pkix.Extension{made.UPN(true, "anna@acme.test")}
	})
	if len(bare.UnhandledCriticalExtensions) != 1 || len(certificate.Understood(bare).UnhandledCriticalExtensions) != 0 {
		t.Error("a critical principal name is not understood")
	}
	other := with(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}, made.UPN(true, "anna@acme.test")}
	})
	if len(certificate.Understood(other).UnhandledCriticalExtensions) != 1 {
		t.Error("something else that is critical counts as understood")
	}
}

func twoNames(c *x509.Certificate) {
	name := func(v string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: v}
	}
	c.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{name("anna"), name("admin")}}
}

// point is the extension that says where a list is to be had, and of what it is; after are the fields that follow the name.
func point(uri string, after ...byte) pkix.Extension {
	var body []byte
	if uri != "" {
		name := append([]byte{0x86, byte(len(uri))}, uri...)
		full := append([]byte{0xa0, byte(len(name))}, name...)
		body = append([]byte{0xa0, byte(len(full))}, full...)
	}
	body = append(body, after...)
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: append([]byte{0x30, byte(len(body))}, body...)}
}

func TestList(t *testing.T) {
	root, stranger := made.Root(t, "Root"), made.Root(t, "Root")
	silent := made.Root(t, "Root", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	silent.Cert.KeyUsage |= x509.KeyUsageCRLSign // to sign nevertheless
	good, bad := root.Issue(t), root.Issue(t)
	const here = "http://crl.acme.test/a"
	with := func(e ...pkix.Extension) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) { l.ExtraExtensions = e }
	}
	for name, tt := range map[string]struct {
		file   []byte
		err    error
		covers bool
	}{
		"plain":                    {root.List(t, nil, bad), nil, true},
		"PEM":                      {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: root.List(t, nil, bad)}), nil, true},
		"of here":                  {root.List(t, with(point(here)), bad), nil, true},
		"of elsewhere":             {root.List(t, with(point("http://crl.acme.test/b")), bad), nil, false},
		"of people":                {root.List(t, with(point("", 0x81, 1, 0xff)), bad), nil, true},
		"of authorities":           {root.List(t, with(point("", 0x82, 1, 0xff)), bad), nil, false},
		"of some reasons":          {root.List(t, with(point("", 0x83, 2, 1, 6)), bad), certificate.ErrScope, false},
		"of several authorities":   {root.List(t, with(point("", 0x84, 1, 0xff)), bad), certificate.ErrScope, false},
		"of changes":               {root.List(t, with(pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}), bad), certificate.ErrScope, false},
		"entries of another":       {root.List(t, critical, bad), certificate.ErrScope, false},
		"a stranger's":             {stranger.List(t, nil, bad), certificate.ErrSigned, false},
		"a certificate":            {root.Cert.Raw, certificate.ErrList, false},
		"nothing":                  {nil, certificate.ErrList, false},
		"of one that may not sign": {silent.List(t, nil, bad), certificate.ErrSigned, false},
	} {
		by := root.Cert
		if name == "of one that may not sign" {
			again, err := x509.ParseCertificate(silent.Cert.Raw)
			if err != nil {
				t.Fatal(err)
			}
			by = again
		}
		l, err := certificate.ReadList(tt.file, by)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if l.Covers(good.Leaf, here) != tt.covers || l.Revoked(good.Leaf) || !l.Revoked(bad.Leaf) || l.Len() != 1 || l.Until.Before(time.Now()) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	l, err := certificate.ReadList(root.List(t, with(point("http://crl.acme.test/b"))), root.Cert)
	if err != nil || !l.Covers(root.Issue(t, made.Listed("http://crl.acme.test/b")).Leaf, here) {
		t.Error("the certificate names the list itself", err)
	}
	huge := *good.Leaf
	huge.SerialNumber = new(big.Int).Lsh(big.NewInt(1), 200)
	if !l.Revoked(&huge) {
		t.Error("a number that cannot be looked up counts as good")
	}
}

func critical(l *x509.RevocationList) {
	l.RevokedCertificateEntries[0].ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: []byte{0x30, 0}}}
}

func FuzzRead(f *testing.F) {
	root := made.Root(f, "Root")
	f.Add(root.Cert.Raw)
	f.Add(made.PEM(root.Cert))
	f.Add(made.Bundle(root.Cert))
	f.Add(made.Bundle())
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := certificate.Read(file)
		if err == nil && (len(got) == 0 || len(got) > certificate.MaxCertificates) {
			t.Fatal(len(got))
		}
		if again, err2 := certificate.Read(certificate.PEM(got...)); err == nil && (err2 != nil || len(again) != len(got)) {
			t.Fatal(err2)
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add(made.UPN(false, "anna@acme.test").Value)
	f.Add(made.UPN(true).Value)
	f.Fuzz(func(t *testing.T, der []byte) {
		c := &x509.Certificate{Extensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: der}}}
		if name := certificate.PrincipalName(c); name != "" && bytes.ContainsRune([]byte(name), 0) {
			t.Fatalf("%q", name)
		}
	})
}

func FuzzList(f *testing.F) {
	root := made.Root(f, "Root")
	leaf := root.Issue(f)
	f.Add(root.List(f, nil, leaf), point("http://a").Value)
	f.Add([]byte{}, point("", 0x81, 1, 0xff, 0x84, 1, 0).Value)
	f.Fuzz(func(t *testing.T, file, of []byte) {
		if l, err := certificate.ReadList(file, root.Cert); err == nil && l.Revoked(leaf.Leaf) && l.Len() == 0 {
			t.Fatal("revoked by an empty list")
		}
		body := signed(root.Cert, root.Key, of)
		if body == nil {
			return
		}
		if l, err := certificate.ReadList(body, root.Cert); err == nil {
			l.Covers(leaf.Leaf, "")
		}
	})
}

// signed is a list with bytes of one's own for where it is to be had.
func signed(by *x509.Certificate, key *ecdsa.PrivateKey, value []byte) []byte {
	der, err := x509.CreateRevocationList(nothing{}, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: value}},
	}, by, key)
	if err != nil {
		return nil
	}
	return der
}

// nothing is a source of zeros.
type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }
